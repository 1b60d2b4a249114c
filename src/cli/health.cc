// SPDX-License-Identifier: Apache-2.0
// `pilake report`: how plant and historian behave, as the rows of the last days show it.
#include "pipeline/health.h"

#include <algorithm>
#include <array>
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

constexpr size_t kNamedMax = 10;
constexpr int kBarWidth = 40;

// More late rows than this are worth a word.
constexpr double kLateShare = 0.001;

struct Flags {
  std::string config;
  std::string window = "7d";
  bool json = false;
};

constexpr std::array<const char*, plan::Ages::kBuckets> kBucketNames{
    "up to 1m", "up to 5m", "up to 15m", "up to 1h", "up to 2h",
    "up to 6h", "up to 1d", "up to 2d",  "up to 7d", "over 7d"};

double Share(int64_t part, int64_t all) {
  return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0;
}

std::string Advice(const pipeline::HealthReport& report, const config::History& history) {
  const int64_t rows = report.ages.rows();
  if (Share(report.late, rows) <= kLateShare) {
    return fmt::format("history.settle ({}) is long enough: {} of {} rows were found later.",
                       DescribeDuration(history.settle), Grouped(report.late), Grouped(rows));
  }
  return fmt::format(
      "{} of {} rows ({:.1f} %) were found {} or more after their time: they came late or were "
      "edited. They are in the table; to see them sooner, make history.second_look ({}) shorter, "
      "or, if all of a source lags, history.settle ({}) longer.",
      Grouped(report.late), Grouped(rows), 100 * Share(report.late, rows),
      DescribeDuration(report.late_from), DescribeDuration(history.second_look),
      DescribeDuration(history.settle));
}

void ShowAges(const pipeline::HealthReport& report, const config::History& history) {
  const int64_t all = report.ages.rows();
  if (all == 0) {
    fmt::print(
        "\nAll rows of that time came by backfill, or are of series with few events: how late "
        "events come cannot be told yet.\n");
    return;
  }
  fmt::print("\nHow old rows were when they came, runs being {} apart on average:\n",
             DescribeDuration(report.between_runs));
  for (size_t bucket = 0; bucket < plan::Ages::kBuckets; ++bucket) {
    const int64_t count = report.ages.count(bucket);
    const auto width = static_cast<int>(kBarWidth * Share(count, all) + 0.5);
    fmt::print("  {:<10} {:>15} {:>7.2f} % {:#<{}}\n", kBucketNames[bucket], Grouped(count),
               100 * Share(count, all), "", width);
  }
  fmt::print("{}\n", Advice(report, history));
}

void ShowNamed(std::string_view title, const std::vector<pipeline::LeftOut>& series) {
  if (series.empty()) return;
  fmt::print("\n{}: {}\n", title, Grouped(static_cast<int64_t>(series.size())));
  for (size_t i = 0; i < std::min(series.size(), kNamedMax); ++i)
    fmt::print("  {}: {}\n", series[i].tag, series[i].reason);
  if (series.size() > kNamedMax) fmt::print("  … and more; --json names them all\n");
}

void Show(const pipeline::HealthReport& report, const config::History& history) {
  fmt::print("{} rows of {} series from {} to {}; {} series without a row\n", Grouped(report.rows),
             Grouped(report.series), FormatUtcTime(report.window.begin),
             FormatUtcTime(report.window.end), Grouped(report.silent));
  ShowAges(report, history);
  for (const TimeRange& hole : report.holes) {
    fmt::print("\nHole: next to nothing came from about {} to {}.\n", FormatUtcTime(hole.begin),
               FormatUtcTime(hole.end));
  }
  ShowNamed("Stale, silent for much longer than is their way", report.stale);
  ShowNamed("Flat, all good rows alike", report.flat);
  ShowNamed("In outages", report.outages);
  ShowNamed("Often not good", report.bad);
}

std::string HealthJson(const pipeline::HealthReport& report) {
  JsonObject ages;
  for (size_t bucket = 0; bucket < plan::Ages::kBuckets; ++bucket)
    ages.Add(kBucketNames[bucket], report.ages.count(bucket));
  const auto hole = [](const TimeRange& range) {
    return JsonObject()
        .Add("from", FormatUtcTime(range.begin))
        .Add("to", FormatUtcTime(range.end))
        .Text();
  };
  return JsonObject()
      .Add("from", FormatUtcTime(report.window.begin))
      .Add("to", FormatUtcTime(report.window.end))
      .Add("series", report.series)
      .Add("silent", report.silent)
      .Add("rows", report.rows)
      .Raw("age_when_they_came", ages.Text())
      .Add("seconds_between_runs", report.between_runs.seconds())
      .Add("late_rows", report.late)
      .Add("late_from_seconds", report.late_from.seconds())
      .Raw("holes", JsonArray(report.holes, hole))
      .Raw("stale", ToJson(report.stale))
      .Raw("flat", ToJson(report.flat))
      .Raw("outages", ToJson(report.outages))
      .Raw("bad", ToJson(report.bad))
      .Text();
}

Exit Health(const Flags& flags) {
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());
  const auto window = ParseDuration(flags.window);
  if (!window || *window <= Duration())
    return Report({ErrorKind::kInvalid, "--last: must be a span such as 7d or 36h"});
  const auto report =
      pipeline::ReadHealth(PullOptionsFrom(*config).table, *window, config->history.settle);
  if (!report) return Report(report.error());
  if (flags.json) {
    fmt::print("{}\n", HealthJson(*report));
  } else {
    Show(*report, config->history);
  }
  return Exit::kDone;
}

}  // namespace

void AddReport(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "report",
      "How plant and historian behave, from the table alone: how late events come, holes, outages, "
      "stale, flat and bad tags.");
  command->footer("Examples:\n  pilake report\n  pilake report --last 30d --json");
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_option("--last", flags->window, "How far back, from the newest final event")
      ->capture_default_str();
  command->add_flag("--json", flags->json, "As JSON on standard output");
  command->callback([flags, &context] { context.chosen = [flags] { return Health(*flags); }; });
}

}  // namespace pilake::cli
