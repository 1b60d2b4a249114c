// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include "cli/commands.h"
#include "cli/manual.h"
#include "cli/signals.h"
#include "delta/trial.h"
#include "delta/versions.h"

namespace pilake::cli {

Exit Report(const Error& error) {
  fmt::print(stderr, "pilake: {}\n", error.message);
  return ExitFor(error.kind);
}

void AddConfigOption(CLI::App& command, std::string& path) {
  path = "pilake.yaml";
  command.add_option("-c,--config", path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
}

namespace {

constexpr char kFooter[] =
    "First steps:\n"
    "  pilake demo                     a simulated plant lands in a Delta table, in a minute\n"
    "  pilake init > pilake.yaml       a starter configuration with comments\n"
    "  pilake check                    what works, what does not, and what to do about it\n"
    "  pilake run                      make the table equal to the archive, then end\n"
    "\n"
    "Exit codes: 0 done, 1 failed for good, 2 bad usage or configuration, 3 done but some series\n"
    "left out (they are named), 4 table and archive differ, 5 source or store not reachable (try\n"
    "again), 6 the table is further behind than `status --max-lag` allows, 130 interrupted.";

// Pages are taken by one thread and given back by another all the time. With an arena for each of
// them glibc keeps a third more than with two (220 MiB instead of 170 over 100 million events) and
// is no faster. What is larger than a page of rows goes back to the system at once: left to itself
// glibc learns to keep it, and a run over 100,000 series holds a sixth more.
void KeepLittleMemory() {
#ifdef __GLIBC__
  constexpr int kLargeBytes = 128 << 10;
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, kLargeBytes);
#endif
}

std::string Versions() {
  return fmt::format(
      "pilake {}\ndelta_kernel {}\nDelta protocol: tables up to reader version {} and writer "
      "version {}",
      PILAKE_VERSION, delta::KernelVersion(), delta::kReaderVersion, delta::kWriterVersion);
}

void PrintTrialSteps() {
  for (const std::string& step : delta::TrialSteps()) fmt::print("{}\n", step);
  throw CLI::Success();
}

int Main(int argc, const char* const* argv) {
  KeepLittleMemory();
  Signals signals;
  Context context{.stop = signals.token(), .signals = signals, .chosen = {}};
  CLI::App app("pilake keeps Delta Lake tables equal to the archive of an AVEVA PI System.",
               "pilake");
  app.footer(kFooter);
  app.set_version_flag("--version", Versions());
  app.add_flag_callback("--trial-steps", PrintTrialSteps)->group("");  // hidden, for tests
  AddManualFlags(app);
  app.require_subcommand(1);
  AddDemo(app, context);
  AddInit(app, context);
  AddCheck(app, context);
  AddDiscover(app, context);
  AddPlan(app, context);
  AddRun(app, context);
  AddStream(app, context);
  AddStatus(app, context);
  AddReport(app, context);
  AddVerify(app, context);
  AddReread(app, context);
  AddAdopt(app, context);
  AddExplain(app, context);
  AddOptimize(app, context);
  AddVacuum(app, context);
  AddSimulate(app, context);
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return static_cast<int>(Exit::kUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::kUsage);
  }
  return static_cast<int>(context.chosen());
}

/// It would hold passwords and tokens. A debugger can still be attached.
void WriteNoCore() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace

int Program(int argc, const char* const* argv) {
  WriteNoCore();
  try {
    return Main(argc, argv);
  } catch (const std::system_error& error) {
    // `pilake discover | head`: whoever reads has had enough.
    if (error.code() == std::errc::broken_pipe) return 0;
    fmt::print(stderr, "pilake: {}\n", error.what());
  } catch (const std::exception& error) {
    fmt::print(stderr, "pilake: a bug of ours: {}\n", error.what());
  }
  return static_cast<int>(Exit::kFailed);
}

}  // namespace pilake::cli
