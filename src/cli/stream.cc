// SPDX-License-Identifier: Apache-2.0
// `pilake stream`: keeps the table seconds behind the plant until it is told to stop.
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/stream_page.h"
#include "config/config.h"
#include "ops/log.h"
#include "ops/service.h"
#include "pipeline/follow.h"

namespace pilake::cli {
namespace {

struct StreamFlags {
  std::string config;
  std::string test_clock;
  bool accept_vanished = false;
  bool json = false;
};

/// What a service says of itself: where it begins and ends, what goes wrong and when it is right
/// again; nothing while all is well.
class StreamLog {
 public:
  StreamLog() : log_(ops::Level::kInfo, SystemClock(), ops::StderrSink()) {}

  void Started(const config::Config& config) {
    log_.Write(ops::Level::kInfo, "stream_started",
               {{"source", config.source.url}, {"table", config.table.path}});
  }

  void Settled(const pipeline::PullReport& report) {
    const std::lock_guard lock(mutex_);
    if (report.is_unfinished) {
      ops::TellServiceManager("WATCHDOG=1\nSTATUS=catching up");
      return;
    }
    const size_t left_out = report.left_out();
    if (!is_caught_up_ || left_out != left_out_) {
      log_.Write(left_out == 0 ? ops::Level::kInfo : ops::Level::kWarn, "caught_up",
                 {{"version", report.version},
                  {"series", report.series},
                  {"left_out", left_out},
                  {"now", FormatUtcTime(report.now)}});
    }
    is_caught_up_ = true;
    trouble_.clear();
    left_out_ = left_out;
    ops::TellServiceManager(
        fmt::format("READY=1\nWATCHDOG=1\nSTATUS=caught up with {} series at {}", report.series,
                    FormatUtcTime(report.now)));
  }

  void Trouble(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (error.message != trouble_)
      log_.Write(ops::Level::kWarn, "trouble", {{"why", error.message}});
    trouble_ = error.message;
    is_caught_up_ = false;
    ops::TellServiceManager(fmt::format("WATCHDOG=1\nSTATUS=tries again: {}", error.message));
  }

  void Note(const std::string& sentence) {
    log_.Write(ops::Level::kInfo, "hearing", {{"what", sentence}});
  }

  void Waiting(const std::string& sentence) {
    log_.Write(ops::Level::kWarn, "waiting", {{"why", sentence}});
  }

  void Stopped(const pipeline::FollowReport& report) {
    ops::TellServiceManager("STOPPING=1");
    log_.Write(ops::Level::kInfo, "stream_stopped",
               {{"passes", report.passes},
                {"rows_settled", report.rows_settled},
                {"live_rows", report.live_rows},
                {"live_versions", report.live_versions}});
  }

 private:
  ops::Log log_;
  std::mutex mutex_;
  bool is_caught_up_ = false;
  std::string trouble_;  ///< what was said last; the same again is not said
  size_t left_out_ = 0;
};

std::string ToJson(const pipeline::FollowReport& report) {
  return JsonObject()
      .Add("passes", report.passes)
      .Add("rows_settled", report.rows_settled)
      .Add("live_rows", report.live_rows)
      .Add("live_versions", report.live_versions)
      .Text();
}

/// The tags of the configuration as it stands when SIGHUP comes.
class TagReload {
 public:
  TagReload(Signals& signals, std::string file, StreamLog& log)
      : signals_(signals), file_(std::move(file)), log_(log) {
    signals_.CountHangups();
  }

  /// Nothing if nobody asked for it, or if the configuration is wrong now.
  std::optional<std::vector<pipeline::TagSelection>> Take() {
    const int64_t hangups = signals_.hangups();
    if (hangups == std::exchange(taken_, hangups)) return std::nullopt;
    const auto config = config::Load(file_);
    if (config) return PullOptionsFrom(*config).tags;
    log_.Note("SIGHUP: the tags stay as they were: " + config.error().message);
    return std::nullopt;
  }

 private:
  Signals& signals_;
  const std::string file_;
  StreamLog& log_;
  int64_t taken_ = 0;
};

Exit Stream(const StreamFlags& flags, Signals& signals) {
  const auto clock = OpenClock(flags.test_clock);
  if (!clock) return Report(clock.error());
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());

  StreamLog log;
  TagReload reload(signals, flags.config, log);
  pipeline::FollowOptions options{
      .pull = PullOptionsFrom(*config),
      .commit_every = config->stream.commit_every,
      .channels_max = static_cast<size_t>(config->stream.channels),
      .hot_updates_every = config->stream.hot_every,
      .updates_every = config->stream.updates_every,
      .sweep_every = config->stream.sweep_every,
      .settle_every = config->stream.settle_every,
      .resolve_every = config->stream.resolve_every,
      .on_settled = [&](const pipeline::PullReport& report) { log.Settled(report); },
      .on_trouble = [&](const Error& error) { log.Trouble(error); },
      .on_note = [&](const std::string& note) { log.Note(note); },
      .new_tags = [&] { return reload.Take(); }};
  options.pull.accept_vanished = flags.accept_vanished;
  options.pull.source.throttle.clock = clock->get();
  options.pull.source.throttle.say = [&](const std::string& why) { log.Waiting(why); };
  pipeline::Progress progress;
  pipeline::StreamState state;
  options.state = &state;
  const auto page = StartStreamPage(config->stream.listen, {.state = state,
                                                            .progress = progress,
                                                            .clock = **clock,
                                                            .settle_every = options.settle_every,
                                                            .started = SystemClock().Now()});
  if (!page) return Report(page.error());
  log.Started(*config);
  const auto report = pipeline::Follow(options, **clock, progress, signals.token());
  if (!report) return Report(report.error());
  log.Stopped(*report);
  if (flags.json) fmt::print("{}\n", ToJson(*report));
  return Exit::kDone;
}

}  // namespace

void AddStream(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "stream",
      "Do what `run` does, then stay: keep the table seconds behind the plant until SIGTERM or "
      "Ctrl-C.");
  command->footer(
      "Examples:\n  pilake stream\n  pilake stream -c plant1.yaml\n\n"
      "How often it asks, commits and reads the archive is said below `stream` in the "
      "configuration. SIGHUP makes it read the tags of the configuration anew.");
  auto flags = std::make_shared<StreamFlags>();
  AddConfigOption(*command, flags->config);
  command->add_flag("--json", flags->json, "A summary as JSON on standard output when it stops");
  command->add_flag("--accept-vanished", flags->accept_vanished,
                    "Go on although most of the points that were selected before are gone");
  command->add_option("--test-clock", flags->test_clock)->group("");  // hidden, for tests
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Stream(*flags, context.signals); };
  });
}

}  // namespace pilake::cli
