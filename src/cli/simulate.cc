// SPDX-License-Identifier: Apache-2.0
// `pilake simulate`: a PI Web API over a simulated plant; `simulate truth`: the rows of a perfect
// copy.
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/time.h"
#include "sim/server.h"
#include "sim/truth.h"

namespace pilake::cli {
namespace {

struct SimulateFlags {
  sim::PlantOptions plant;
  std::string from, script, test_clock, port_file, user, password, auth, at, until, out;
  std::string poll = "2s", updates_idle = "10m";
  std::vector<std::string> readings, faults;
  uint64_t fault_seed = 1;
  bool settled = false;
  sim::ServerOptions server;
};

Result<sim::PlantOptions> PlantFrom(const SimulateFlags& flags) {
  sim::PlantOptions plant = flags.plant;
  if (!flags.from.empty()) {
    ASSIGN_OR_RETURN(plant.from, ParseUtcTime(flags.from));
  }
  return plant;
}

Result<sim::Script> ScriptFrom(const SimulateFlags& flags) {
  if (flags.script.empty()) return sim::Script();
  return sim::ReadScript(flags.script);
}

Result<sim::Readings> ReadingsFrom(const SimulateFlags& flags) {
  sim::Readings readings;
  for (const std::string& assignment : flags.readings)
    RETURN_IF_ERROR(sim::ApplyReading(assignment, readings));
  return readings;
}

Result<sim::ServerOptions> ServerFrom(const SimulateFlags& flags) {
  sim::ServerOptions server = flags.server;
  ASSIGN_OR_RETURN(server.plant, PlantFrom(flags));
  ASSIGN_OR_RETURN(server.script, ScriptFrom(flags));
  ASSIGN_OR_RETURN(server.readings, ReadingsFrom(flags));
  for (const std::string& assignment : flags.faults)
    RETURN_IF_ERROR(sim::ApplyFault(assignment, server.faults));
  server.faults.seed = flags.fault_seed;
  ASSIGN_OR_RETURN(server.pipes.poll, ParseDuration(flags.poll));
  if (server.pipes.poll <= Duration{})
    return Fail(ErrorKind::kInvalid, "--poll-interval is longer than nothing, not '{}'",
                flags.poll);
  ASSIGN_OR_RETURN(server.pipes.idle, ParseDuration(flags.updates_idle));
  if (flags.auth == "basic") server.basic = {flags.user, flags.password};
  return server;
}

// Whoever sees the file sees a whole number in it.
Status WritePortFile(const std::string& path, uint16_t port) {
  const std::string draft = path + ".new";
  std::ofstream file(draft, std::ios::trunc);
  file << port << '\n';
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(draft, path, error);
  if (!file || error) return Fail(ErrorKind::kInvalid, "cannot write the port to {}", path);
  return {};
}

void WaitFor(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

Status Serve(const SimulateFlags& flags, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const auto clock, OpenClock(flags.test_clock));
  ASSIGN_OR_RETURN(auto options, ServerFrom(flags));
  ASSIGN_OR_RETURN(const auto server, sim::Server::Start(std::move(options), *clock));
  if (!flags.port_file.empty()) RETURN_IF_ERROR(WritePortFile(flags.port_file, server->port()));
  fmt::print(stderr, "listening on {}\n", server->url());
  WaitFor(stop);
  const sim::ServerCounters counters = server->counters();
  std::string faults;
  for (size_t i = 0; i < counters.faults.size(); ++i) {
    if (counters.faults[i] == 0) continue;
    faults +=
        fmt::format(" fault_{}={}", sim::Name(static_cast<sim::Fault>(i)), counters.faults[i]);
  }
  fmt::print(
      stderr,
      "answered calls={} batch_parts={} series_reads={} events={} scanned={} bytes={} refused={} "
      "writes_refused={} registrations={} update_polls={} updates={} channels={} messages={} "
      "message_events={} slow_channels={}{}\n",
      counters.calls, counters.batch_parts, counters.series_reads, counters.events,
      counters.scanned, counters.bytes, counters.refused, counters.writes_refused,
      counters.registrations, counters.update_polls, counters.updates, counters.channels,
      counters.messages, counters.message_events, counters.slow_channels, faults);
  return {};
}

Status Truth(const SimulateFlags& flags) {
  ASSIGN_OR_RETURN(const auto clock, OpenClock(flags.test_clock));
  sim::TruthOptions options;
  ASSIGN_OR_RETURN(options.plant, PlantFrom(flags));
  ASSIGN_OR_RETURN(options.script, ScriptFrom(flags));
  options.settled = flags.settled;
  ASSIGN_OR_RETURN(options.readings, ReadingsFrom(flags));
  if (!flags.at.empty()) {
    ASSIGN_OR_RETURN(options.at, ParseUtcTime(flags.at));
  }
  if (!flags.until.empty()) {
    ASSIGN_OR_RETURN(options.until, ParseUtcTime(flags.until));
  }
  const UtcTime now = clock->Now();
  if (flags.out.empty()) return sim::WriteTruth(options, now, std::cout);
  std::ofstream file(flags.out, std::ios::binary | std::ios::trunc);
  if (!file) return Fail(ErrorKind::kInvalid, "cannot write {}", flags.out);
  return sim::WriteTruth(options, now, file);
}

void AddPlantOptions(CLI::App& command, SimulateFlags& flags) {
  command.add_option("--plant", flags.plant.name, "demo, mixed, bench, wide, live, heavy or slow")
      ->capture_default_str();
  command.add_option("--points", flags.plant.points,
                     "How many points; 0: as many as the plant usually has");
  command.add_option("--seed", flags.plant.seed, "Another seed is another plant")
      ->capture_default_str();
  command.add_option("--from", flags.from, "When its history begins, e.g. 2026-01-01T00:00:00Z");
  command
      .add_option("--script", flags.script, "A file that tells what happens to the plant, and when")
      ->type_name("FILE");
  command.add_option(
      "--reading", flags.readings,
      "KEY=VALUE: how to read what is not established about the real server (repeatable)");
  command.add_option("--test-clock", flags.test_clock)->group("");
}

void AddServerOptions(CLI::App& command, SimulateFlags& flags) {
  sim::ServerOptions& server = flags.server;
  command.add_option("--port", server.port, "Port on 127.0.0.1; 0: any that is free")
      ->capture_default_str();
  command.add_option("--port-file", flags.port_file, "Write the port here when ready")
      ->type_name("FILE");
  command.add_option("--threads", server.threads, "Worker threads")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  command
      .add_option("--tls", server.tls_folder,
                  "Serve https; write the authority to this folder as ca.pem")
      ->type_name("FOLDER");
  command.add_flag("--tls-expired", server.tls_expired, "With a certificate that has run out");
  auto* auth = command.add_option("--auth", flags.auth, "anonymous or basic")
                   ->check(CLI::IsMember({"anonymous", "basic"}));
  command.add_option("--user", flags.user, "For --auth basic")->needs(auth);
  command.add_option("--password", flags.password, "For --auth basic")->needs(auth);
  command
      .add_option("--rate-limit", server.rate_limit, "Requests per address and second; 0: no limit")
      ->capture_default_str();
  command.add_option("--fault", flags.faults,
                     "KIND=RATE, e.g. 429=0.01, reset=0.05, webexception=0.1 (repeatable)");
  command.add_option("--fault-seed", flags.fault_seed)->capture_default_str();
  command.add_option("--poll-interval", flags.poll, "How often channels look for news: 1s to 5s")
      ->capture_default_str();
  command
      .add_option("--pending-max", server.pipes.pending_max,
                  "Events that may wait for one registration for Stream Updates")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command
      .add_option("--updates-idle", flags.updates_idle,
                  "How long a registration lives without being asked")
      ->capture_default_str();
  command
      .add_option("--outgoing-max", server.pipes.outgoing_bytes_max,
                  "Bytes that a channel's client may leave untaken before it is cut")
      ->capture_default_str();
  command.add_flag("--login-page", server.login_page, "Answer everything with a log-in page");
  command.add_flag("--garbage", server.garbage, "Answer everything with broken JSON");
}

Exit ReportStatus(const Status& status) {
  return status ? Exit::kDone : Report(status.error());
}

constexpr char kFooter[] =
    "Examples:\n"
    "  pilake simulate --port 8080\n"
    "  pilake simulate --plant mixed --from 2026-01-01T00:00:00Z --reading nan=string --fault "
    "503=0.01\n"
    "  pilake simulate truth --plant mixed --from 2026-01-01T00:00:00Z --out truth.csv\n"
    "A plant is the same again only with the same --seed, --points and --from.";

}  // namespace

void AddSimulate(CLI::App& app, Context& context) {
  const auto flags = std::make_shared<SimulateFlags>();
  CLI::App* simulate = app.add_subcommand("simulate", "Serve a simulated plant as PI Web API does");
  simulate->footer(kFooter);
  AddPlantOptions(*simulate, *flags);
  AddServerOptions(*simulate, *flags);
  simulate->require_subcommand(0, 1);
  CLI::App* truth = simulate->add_subcommand("truth", "Write the rows of a perfect copy as CSV");
  AddPlantOptions(*truth, *flags);
  truth->add_option("--at", flags->at, "As of when, e.g. 2026-01-02T00:00:00Z; default: now");
  truth->add_option("--until", flags->until,
                    "The latest event time, for points that run ahead; default: --at");
  truth->add_flag("--settled", flags->settled,
                  "As the archive is when the script is over and all queues are empty");
  truth->add_option("--out", flags->out, "A file; default: standard output")->type_name("FILE");
  simulate->callback([flags, truth, &context] {
    if (truth->parsed()) {
      context.chosen = [flags] { return ReportStatus(Truth(*flags)); };
    } else {
      context.chosen = [flags, &context] { return ReportStatus(Serve(*flags, context.stop)); };
    }
  });
}

}  // namespace pilake::cli
