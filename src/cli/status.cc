// SPDX-License-Identifier: Apache-2.0
// `pilake status`: what the table holds and covers, from the table alone.
#include "cli/status.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/watch.h"
#include "config/config.h"
#include "pipeline/ledger.h"
#include "pipeline/vacuum.h"

namespace pilake::cli {
namespace {

/// The coverage of all series in a few numbers.
struct Summary {
  int64_t series = 0;
  int64_t with_gaps = 0;  ///< whose coverage is in more than one piece
  int64_t held = 0;       ///< whose last row did not come back
  int64_t in_outage = 0;  ///< whose newest rows are outage states
  std::optional<UtcTime> from, through_oldest, through_newest, looked_oldest;
  std::array<int64_t, plan::kLookReasons> looks{};  ///< by reason
  std::optional<UtcTime> next_look;
  std::vector<plan::Quarantine> quarantine;
  std::vector<std::string> holes;  ///< stretches of silence out of character, merged
};

void AddLooks(const plan::SeriesCoverage& series, plan::Ranges& silences, Summary& summary) {
  for (const plan::Look& look : series.looks) {
    ++summary.looks[static_cast<size_t>(look.reason)];
    summary.next_look = std::min(summary.next_look.value_or(look.due), look.due);
    if (look.reason == plan::LookReason::kSilence) plan::AddRange(silences, look.range);
  }
}

Summary Summarise(const plan::Coverage& coverage) {
  Summary summary;
  plan::Ranges silences;
  for (const auto& [web_id, series] : coverage) {
    if (series.held) ++summary.held;
    if (series.outage) ++summary.in_outage;
    if (series.quarantine) summary.quarantine.push_back(*series.quarantine);
    AddLooks(series, silences, summary);
    if (series.ranges.empty()) continue;
    ++summary.series;
    if (series.ranges.size() > 1) ++summary.with_gaps;
    const UtcTime from = series.ranges.front().begin, through = series.ranges.back().end;
    summary.from = std::min(summary.from.value_or(from), from);
    summary.through_oldest = std::min(summary.through_oldest.value_or(through), through);
    summary.through_newest = std::max(summary.through_newest.value_or(through), through);
    if (series.looked)
      summary.looked_oldest =
          std::min(summary.looked_oldest.value_or(*series.looked), *series.looked);
  }
  for (const TimeRange& hole : silences)
    summary.holes.push_back(FormatUtcTime(hole.begin) + " … " + FormatUtcTime(hole.end));
  return summary;
}

std::string Text(const std::optional<UtcTime>& time) {
  return time ? FormatUtcTime(*time) : "-";
}

std::string Looks(const Summary& summary) {
  JsonObject looks;
  for (int i = 0; i < plan::kLookReasons; ++i)
    looks.Add(Name(static_cast<plan::LookReason>(i)), summary.looks[static_cast<size_t>(i)]);
  return looks.Text();
}

std::string LooksInWords(const Summary& summary) {
  std::string words;
  for (int i = 0; i < plan::kLookReasons; ++i) {
    const int64_t count = summary.looks[static_cast<size_t>(i)];
    if (count == 0) continue;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", Grouped(count),
                         Name(static_cast<plan::LookReason>(i)));
  }
  return words.empty() ? "none" : words;
}

/// What `pilake vacuum` would delete.
struct Litter {
  int64_t files = 0;
  int64_t bytes = 0;
};

Result<Litter> FindLitter(const pipeline::TableOptions& table) {
  ASSIGN_OR_RETURN(const auto found, pipeline::Vacuum(table, {.dry_run = true}));
  Litter sum;
  for (const pipeline::Litter& one : found) {
    sum.files += static_cast<int64_t>(one.files.size());
    sum.bytes += one.bytes();
  }
  return sum;
}

std::string ToJson(const plan::Quarantine& one) {
  return JsonObject()
      .Add("tag", one.tag)
      .Add("reason", one.reason)
      .Add("since", FormatUtcTime(one.since))
      .Add("attempts", one.attempts)
      .Add("next_try", FormatUtcTime(one.next_try))
      .Text();
}

/// All that is told of a table.
struct Standing {
  std::unique_ptr<pipeline::Ledger> ledger;
  delta::TableStats stats;
  std::optional<int64_t> tail_files;  ///< nothing: it shows final rows only
  Summary summary;
  std::optional<Duration> lag;  ///< nothing: it covers nothing
  std::optional<Litter> litter;
  std::vector<std::string> notes;

  const delta::Table& table() const { return ledger->table(); }
};

/// How far behind this machine's clock the newest final event of any series is; nothing if the
/// table covers nothing.
std::optional<Duration> Lag(const Summary& summary, const Clock& clock) {
  if (!summary.through_newest) return std::nullopt;
  return clock.Now() - *summary.through_newest;
}

Result<Standing> FindStanding(const pipeline::TableOptions& options, const Clock& clock) {
  Standing standing;
  ASSIGN_OR_RETURN(standing.ledger, pipeline::Ledger::OpenExisting(options));
  ASSIGN_OR_RETURN(standing.stats, standing.table().Stats());
  standing.notes = standing.ledger->TakeNotes();
  if (auto litter = FindLitter(options)) {
    standing.litter = *litter;
  } else {
    standing.notes.push_back(litter.error().message);
  }
  standing.summary = Summarise(standing.ledger->coverage());
  if (const pipeline::Tail& tail = standing.ledger->tail())
    standing.tail_files = static_cast<int64_t>(tail->size());
  standing.lag = Lag(standing.summary, clock);
  return standing;
}

std::string ToJson(const Standing& standing) {
  const delta::Table& table = standing.table();
  const auto& [ignored, stats, tail_files, summary, lag, found_litter, notes] = standing;
  const Litter litter = found_litter.value_or(Litter());
  const auto time = [](const std::optional<UtcTime>& t) {
    return t ? JsonText(FormatUtcTime(*t)) : std::string("null");
  };
  return JsonObject()
      .Add("table", table.url())
      .Add("table_id", table.table_id())
      .Add("version", table.version())
      .Add("rows", stats.rows)
      .Add("files", stats.files)
      .Add("bytes", stats.bytes)
      .Add("series", summary.series)
      .Add("series_with_gaps", summary.with_gaps)
      .Raw("covered_from", time(summary.from))
      .Raw("covered_through_oldest", time(summary.through_oldest))
      .Raw("covered_through_newest", time(summary.through_newest))
      .Raw("looked_twice_through", time(summary.looked_oldest))
      .Raw("lag_seconds", lag ? fmt::format("{:.0f}", lag->seconds()) : "null")
      .Add("tail_files", tail_files.value_or(0))
      .Add("litter_files", litter.files)
      .Add("litter_bytes", litter.bytes)
      .Add("held", summary.held)
      .Add("in_outage", summary.in_outage)
      .Raw("quarantine",
           JsonArray(summary.quarantine, [](const plan::Quarantine& one) { return ToJson(one); }))
      .Raw("looks", Looks(summary))
      .Raw("notes", JsonArray(notes, JsonText))
      .Raw("next_look", time(summary.next_look))
      .Raw("holes",
           JsonArray(summary.holes, [](const std::string& hole) { return JsonText(hole); }))
      .Text();
}

void Show(const Standing& standing) {
  const delta::Table& table = standing.table();
  const auto& [ignored, stats, tail_files, summary, lag, litter, notes] = standing;
  fmt::print(
      "table      {}, version {}\n"
      "rows       {} in {}, {}\n"
      "coverage   {} series from {}\n"
      "           through {} (the series furthest behind) … {} (the newest)\n",
      table.url(), table.version(), Grouped(stats.rows), Counted(stats.files, "file"),
      DescribeBytes(stats.bytes), Grouped(summary.series), Text(summary.from),
      Text(summary.through_oldest), Text(summary.through_newest));
  if (summary.with_gaps > 0) {
    fmt::print("           {} series in pieces: a backfill is under way or was stopped\n",
               Grouped(summary.with_gaps));
  }
  fmt::print(
      "tail       {}\n"
      "doubt      events before {} were read twice; looks to come: {}{}\n",
      tail_files ? Counted(*tail_files, "file") + " of rows that are not final"
                 : "none, final rows only",
      Text(summary.looked_oldest), LooksInWords(summary),
      summary.next_look ? ", the next at " + Text(summary.next_look) : "");
  if (summary.held > 0) {
    fmt::print("           {} series held: the last covered row did not come back\n",
               Grouped(summary.held));
  }
  if (summary.in_outage > 0) {
    fmt::print("           {} series end in an outage\n", Grouped(summary.in_outage));
  }
  for (const plan::Quarantine& one : summary.quarantine) {
    fmt::print("unread     {}: {}; since {}, tried again at {}\n", one.tag, one.reason,
               FormatUtcTime(one.since), FormatUtcTime(one.next_try));
  }
  for (const std::string& note : notes) fmt::print("note       {}\n", note);
  if (litter && litter->files > 0) {
    fmt::print("litter     {}, {} that `pilake vacuum` would delete\n",
               Counted(litter->files, "file"), DescribeBytes(litter->bytes));
  }
  for (const std::string& hole : summary.holes)
    fmt::print("hole       nothing came of series that are never so silent: {}\n", hole);
}

struct Flags {
  std::string config;
  std::string every = "2s";
  bool watch = false;
  std::string max_lag;
  std::string test_clock;
  bool json = false;
};

Exit JudgeLag(const std::optional<Duration>& lag, const std::optional<Duration>& lag_max,
              const std::string& table) {
  if (!lag_max || (lag && *lag <= *lag_max)) return Exit::kDone;
  if (lag) {
    fmt::print(stderr,
               "pilake: the newest final event of {} is {} old, more than --max-lag {}: is "
               "`pilake run` started, and does it end well?\n",
               table, DescribeDuration(*lag), DescribeDuration(*lag_max));
  } else {
    fmt::print(stderr, "pilake: {} covers nothing yet; `pilake run` fills it\n", table);
  }
  return Exit::kLags;
}

Exit Status(const Flags& flags, const std::stop_token& stop) {
  const auto clock = OpenClock(flags.test_clock);
  if (!clock) return Report(clock.error());
  std::optional<Duration> lag_max;
  if (!flags.max_lag.empty()) {
    const auto span = ParseDuration(flags.max_lag);
    if (!span) return Report({ErrorKind::kInvalid, "--max-lag: " + span.error().message});
    lag_max = *span;
  }
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());
  if (flags.watch) {
    const auto every = ParseDuration(flags.every);
    if (!every || *every < Duration::Millis(100))
      return Report({ErrorKind::kInvalid, "--every must be a span from 100ms, such as 2s"});
    return Watch(*config, *every, stop);
  }
  const auto standing = FindStanding(PullOptionsFrom(*config).table, **clock);
  if (!standing) return Report(standing.error());
  if (flags.json) {
    fmt::print("{}\n", ToJson(*standing));
  } else {
    Show(*standing);
  }
  return JudgeLag(standing->lag, lag_max, standing->table().url());
}

}  // namespace

Result<std::string> StatusJson(const pipeline::TableOptions& table, const Clock& clock) {
  ASSIGN_OR_RETURN(const Standing standing, FindStanding(table, clock));
  return ToJson(standing);
}

void AddStatus(CLI::App& app, Context& context) {
  auto* command =
      app.add_subcommand("status", "What the table holds and covers, from the table alone.");
  command->footer(
      "Examples:\n"
      "  pilake status\n"
      "  pilake status --json\n"
      "  pilake status --watch           a running stream, at stream.listen\n"
      "  pilake status --max-lag 2h      exit code 6 if the newest final event is older");
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_option("--max-lag", flags->max_lag,
                      "End with 6 if the newest final event is older than this");
  auto* json = command->add_flag("--json", flags->json, "As JSON on standard output");
  auto* watch = command->add_flag("--watch", flags->watch,
                                  "Show a running `pilake stream` instead, again and again");
  watch->excludes(json);
  command->add_option("--every", flags->every, "With --watch: how often")
      ->capture_default_str()
      ->needs(watch);
  command->add_option("--test-clock", flags->test_clock)->group("");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Status(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
