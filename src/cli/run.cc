// SPDX-License-Identifier: Apache-2.0
// `pilake run`: makes the table equal to the archive up to now, then ends.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/report.h"
#include "config/config.h"
#include "ops/log.h"
#include "pipeline/forecast.h"
#include "pipeline/pull.h"

namespace pilake::cli {
namespace {

struct RunFlags {
  std::string config;
  std::string test_clock;
  std::string transport;
  double rows_per_shard = 0;  ///< 0: as the engine likes
  bool accept_vanished = false;
  bool allow_deletes = false;
  bool try_all = false;
  bool forecast = false;
  bool json = false;
};

std::optional<plan::Transport> TransportNamed(const std::string& name) {
  if (name == "single") return plan::Transport::kSingle;
  if (name == "set") return plan::Transport::kSet;
  if (name == "batch") return plan::Transport::kBatch;
  return std::nullopt;
}

Exit Run(const RunFlags& flags, const std::stop_token& stop) {
  const auto clock = OpenClock(flags.test_clock);
  if (!clock) return Report(clock.error());
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());

  ops::Log log(ops::Level::kInfo, SystemClock(), ops::StderrSink());
  pipeline::PullOptions options = PullOptionsFrom(*config);
  options.source.throttle.clock = clock->get();
  options.only_transport = TransportNamed(flags.transport);
  options.accept_vanished = flags.accept_vanished;
  options.allow_deletes = flags.allow_deletes;
  options.try_all = flags.try_all;
  if (flags.rows_per_shard > 0) options.rows_per_shard = flags.rows_per_shard;
  if (::isatty(STDERR_FILENO) == 0) {
    log.Write(ops::Level::kInfo, "run_started",
              {{"source", config->source.url}, {"table", options.table.url}});
    options.on_commit = [&](const pipeline::CommitNews& news) {
      log.Write(ops::Level::kInfo, "committed",
                {{"version", news.version},
                 {"rows", news.rows},
                 {"files", news.files},
                 {"series", news.series}});
    };
    options.source.throttle.say = [&](const std::string& sentence) {
      log.Write(ops::Level::kWarn, "waiting", {{"why", sentence}});
    };
  }
  std::optional<pipeline::Forecast> forecast;
  if (flags.forecast) {
    pipeline::Progress sampling;
    auto made = [&] {
      const ProgressBar bar(sampling);
      return pipeline::MakeForecast(options, **clock, sampling, stop);
    }();
    if (!made) return Report(made.error());
    forecast = std::move(*made);
  }
  pipeline::Progress progress;
  auto report = [&] {
    const ProgressBar bar(progress);
    return pipeline::Pull(options, **clock, progress, stop);
  }();
  if (!report) {
    const Exit code = Report(report.error());
    return stop.stop_requested() ? Exit::kInterrupted : code;
  }
  if (flags.json) {
    fmt::print("{}\n", ToJson(*report, progress));
  } else {
    fmt::print(stderr, "{}", Describe(*report, progress));
  }
  if (forecast) fmt::print(stderr, "{}", Beside(*forecast, *report, progress));
  return report->left_out() > 0 ? static_cast<Exit>(config->quarantine.exit) : Exit::kDone;
}

}  // namespace

void AddRun(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "run",
      "Make the table equal to the archive up to now, then end. Safe to repeat, to kill and to "
      "run twice.");
  command->footer("Examples:\n  pilake run\n  pilake run -c plant1.yaml --json > last-run.json");
  auto flags = std::make_shared<RunFlags>();
  AddConfigOption(*command, flags->config);
  command->add_flag("--json", flags->json, "The summary as JSON on standard output");
  command->add_flag("--allow-deletes", flags->allow_deletes,
                    "Let rows go that two looks at the archive do not find, however many");
  command->add_flag("--accept-vanished", flags->accept_vanished,
                    "Go on although most of the points that were selected before are gone");
  command->add_flag("--try-all", flags->try_all,
                    "Ask for series too that could not be read lately and are not due yet");
  command->add_flag("--forecast", flags->forecast,
                    "Make a forecast first, as `pilake plan` does, and say how it compares");
  // Hidden, for tests.
  command->add_option("--test-clock", flags->test_clock)->group("");
  command->add_option("--transport", flags->transport)
      ->check(CLI::IsMember({"single", "set", "batch"}))
      ->group("");
  command->add_option("--rows-per-shard", flags->rows_per_shard)->group("");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Run(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
