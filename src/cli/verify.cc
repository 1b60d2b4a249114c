// SPDX-License-Identifier: Apache-2.0
// `pilake verify`, `pilake reread` and `pilake adopt`: hold the table against the archive.
#include "pipeline/verify.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/report.h"
#include "config/config.h"

namespace pilake::cli {
namespace {

constexpr size_t kShownMax = 50;

struct Flags {
  std::string config;
  std::string test_clock;
  std::vector<std::string> tags;
  std::string from, to;
  bool deep = false;
  bool repair = false;
  bool allow_deletes = false;
  bool json = false;
};

/// What all three commands begin with.
struct Start {
  config::Config config;
  pipeline::PullOptions options;
  pipeline::RereadOptions what;
  std::shared_ptr<const Clock> clock;
};

Result<Start> Begin(const Flags& flags) {
  Start start;
  ASSIGN_OR_RETURN(start.clock, OpenClock(flags.test_clock));
  ASSIGN_OR_RETURN(start.config, config::Load(flags.config));
  start.options = PullOptionsFrom(start.config);
  start.options.source.throttle.clock = start.clock.get();
  start.options.allow_deletes = flags.allow_deletes;
  start.what.tags = flags.tags;
  if (!flags.from.empty() || !flags.to.empty()) {
    TimeRange range{start.config.history.from, start.clock->Now()};
    if (!flags.from.empty()) {
      ASSIGN_OR_RETURN(range.begin, ParseUtcTime(flags.from));
    }
    if (!flags.to.empty()) {
      ASSIGN_OR_RETURN(range.end, ParseUtcTime(flags.to));
    }
    if (range.empty()) return Fail(ErrorKind::kInvalid, "--from must be before --to");
    start.what.range = range;
  }
  return start;
}

std::string VerdictJson(const pipeline::VerifyReport& report, const pipeline::Progress& progress) {
  const auto difference = [](const pipeline::SeriesDifference& one) {
    return JsonObject()
        .Add("tag", one.tag)
        .Add("tag_webid", one.web_id)
        .Add("from", FormatUtcTime(one.range.begin))
        .Add("to", FormatUtcTime(one.range.end))
        .Add("rows", one.rows)
        .Add("missing", one.missing)
        .Add("changed", one.changed)
        .Add("gone", one.gone)
        .Text();
  };
  return JsonObject()
      .Add("series", report.series)
      .Add("rows", report.rows)
      .Add("rows_read", report.rows_read)
      .Add("windows", report.windows)
      .Add("windows_suspect", report.windows_suspect)
      .Add("scanned", report.scanned)
      .Add("calls", progress.calls.load())
      .Add("series_reads", progress.series_reads.load())
      .Add("flags_unseen", report.flags_unseen)
      .Add("version", report.version)
      .Add("seconds", report.took.seconds())
      .Raw("different", JsonArray(report.different, difference))
      .Raw("unreadable", ToJson(report.unreadable))
      .Text();
}

void Show(const pipeline::VerifyReport& report, const pipeline::Progress& progress) {
  fmt::print("{} rows of {} series compared with the archive in {}, table version {}\n",
             Grouped(report.rows), Grouped(report.series), DescribeDuration(report.took),
             report.version);
  if (report.windows > 0) {
    fmt::print(
        "counted in {} windows, of which {} had to be read ({} rows); {} calls, for which the "
        "source "
        "looked at about {} events\n",
        Grouped(report.windows), Grouped(report.windows_suspect), Grouped(report.rows_read),
        Grouped(progress.calls), Grouped(report.scanned));
  }
  if (!report.flags_unseen.empty()) {
    fmt::print(
        "edits that PI marks were not looked for, since the source does not filter by flags: "
        "--deep sees them. It said: {}\n",
        report.flags_unseen);
  }
  if (!report.different.empty()) {
    fmt::print("\n{:<40} {:>9} {:>9} {:>9}  {}\n", "tag", "missing", "changed", "gone", "between");
  }
  for (size_t i = 0; i < std::min(report.different.size(), kShownMax); ++i) {
    const pipeline::SeriesDifference& one = report.different[i];
    fmt::print("{:<40} {:>9} {:>9} {:>9}  {} … {}\n", one.tag, Grouped(one.missing),
               Grouped(one.changed), Grouped(one.gone), FormatUtcTime(one.range.begin),
               FormatUtcTime(one.range.end));
  }
  if (report.different.size() > kShownMax) {
    fmt::print("… and {} more series (all of them with --json)\n",
               report.different.size() - kShownMax);
  }
  for (const pipeline::LeftOut& one : report.unreadable)
    fmt::print("not compared: {}: {}\n", one.tag, one.reason);
  if (report.different.empty()) fmt::print("equal\n");
}

Exit ShowRepair(const Result<pipeline::PullReport>& report, const pipeline::Progress& progress,
                bool json) {
  if (!report) return Report(report.error());
  if (json) {
    fmt::print("{}\n", ToJson(*report, progress));
  } else {
    fmt::print(stderr, "{}", Describe(*report, progress));
  }
  return report->gone.empty() && report->held.empty() && report->quarantined.empty()
             ? Exit::kDone
             : Exit::kLeftOut;
}

Exit Verify(const Flags& flags, const std::stop_token& stop) {
  auto start = Begin(flags);
  if (!start) return Report(start.error());
  pipeline::Progress progress;
  const auto report = [&] {
    const ProgressBar bar(progress);
    const auto depth = flags.deep ? pipeline::Depth::kRows : pipeline::Depth::kCounts;
    return pipeline::Verify(start->options, start->what, depth, *start->clock, progress, stop);
  }();
  if (!report) return Report(report.error());
  flags.json ? fmt::print("{}\n", VerdictJson(*report, progress)) : Show(*report, progress);
  if (report->different.empty()) return report->unreadable.empty() ? Exit::kDone : Exit::kLeftOut;
  if (!flags.repair) return Exit::kDifferent;

  pipeline::RereadOptions what{.range = start->what.range};
  for (const pipeline::SeriesDifference& one : report->different)
    what.web_ids.push_back(one.web_id);
  pipeline::Progress repairing;
  const auto repaired = pipeline::Reread(start->options, what, *start->clock, repairing, stop);
  if (!repaired) return Report(repaired.error());
  fmt::print(stderr, "{}", Describe(*repaired, repairing));
  int64_t waiting = 0;
  for (const pipeline::SeriesDifference& one : report->different) waiting += one.gone;
  if (waiting > repaired->rows_deleted) {
    fmt::print(stderr,
               "{} rows that the archive does not show stay until a second look proves it, in an "
               "hour or later: `pilake run` makes it\n",
               Grouped(waiting - repaired->rows_deleted));
    return Exit::kDifferent;
  }
  return Exit::kDone;
}

Exit Reread(const Flags& flags, const std::stop_token& stop) {
  auto start = Begin(flags);
  if (!start) return Report(start.error());
  pipeline::Progress progress;
  const auto report = [&] {
    const ProgressBar bar(progress);
    return pipeline::Reread(start->options, start->what, *start->clock, progress, stop);
  }();
  return ShowRepair(report, progress, flags.json);
}

Exit Adopt(const Flags& flags, const std::stop_token& stop) {
  auto start = Begin(flags);
  if (!start) return Report(start.error());
  pipeline::Progress progress;
  const auto report = [&] {
    const ProgressBar bar(progress);
    return pipeline::Adopt(start->options, *start->clock, progress, stop);
  }();
  return ShowRepair(report, progress, flags.json);
}

std::shared_ptr<Flags> AddCommon(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  AddConfigOption(command, flags->config);
  command.add_flag("--json", flags->json, "The result as JSON on standard output");
  command.add_flag("--allow-deletes", flags->allow_deletes,
                   "Let rows go that two looks at the archive do not find, however many");
  command.add_option("--test-clock", flags->test_clock)->group("");
  return flags;
}

void AddSelection(CLI::App& command, Flags& flags) {
  command.add_option("--tags", flags.tags, "Masks of names, of the points that are configured");
  command.add_option("--from", flags.from, "UTC time, as 2026-01-31T00:00:00Z");
  command.add_option("--to", flags.to, "UTC time, not included");
}

}  // namespace

void AddVerify(CLI::App& app, Context& context) {
  auto* verify = app.add_subcommand(
      "verify",
      "Compare the table with the archive: counts of events and what is bad or flagged, and rows "
      "where these differ; with --deep all rows. Exit code 4: they differ.");
  verify->footer(
      "Examples:\n  pilake verify --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z\n"
      "  pilake verify --tags 'U1.*' --deep --repair");
  auto flags = AddCommon(*verify);
  AddSelection(*verify, *flags);
  verify->add_flag("--deep", flags->deep,
                   "Read and compare all rows: finds values that were changed without a mark");
  verify->add_flag("--repair", flags->repair, "Make equal what differs");
  verify->callback([flags, &context] {
    context.chosen = [flags, &context] { return Verify(*flags, context.stop); };
  });
}

void AddReread(CLI::App& app, Context& context) {
  auto* reread =
      app.add_subcommand("reread", "Read a part of the history again and repair what differs.");
  reread->footer(
      "Example:\n  pilake reread --tags 'U1.*' --from 2026-01-01T00:00:00Z --to "
      "2026-01-02T00:00:00Z");
  auto flags = AddCommon(*reread);
  AddSelection(*reread, *flags);
  reread->callback([flags, &context] {
    context.chosen = [flags, &context] { return Reread(*flags, context.stop); };
  });
}

void AddAdopt(CLI::App& app, Context& context) {
  auto* adopt = app.add_subcommand(
      "adopt",
      "Take over a table whose coverage is missing or cannot be trusted: a clone, a table that was "
      "replaced. Compares all of it with the archive.");
  adopt->footer("Example:\n  pilake adopt -c plant1.yaml");
  auto flags = AddCommon(*adopt);
  adopt->callback([flags, &context] {
    context.chosen = [flags, &context] { return Adopt(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
