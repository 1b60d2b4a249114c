// SPDX-License-Identifier: Apache-2.0
// `pilake plan`: what a run would cost, before it is made.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/report.h"
#include "config/config.h"
#include "pipeline/forecast.h"

namespace pilake::cli {
namespace {

struct Flags {
  std::string config;
  std::string test_clock;
  bool json = false;
};

std::string Rounded(double number) {
  return Grouped(static_cast<int64_t>(std::llround(number)));
}

JsonObject CostJson(const plan::Cost& cost) {
  const auto whole = [](double number) { return static_cast<int64_t>(std::llround(number)); };
  return JsonObject()
      .Add("rows", whole(cost.rows))
      .Add("series_reads", whole(cost.series_reads))
      .Add("calls", whole(cost.calls))
      .Add("events_read", whole(cost.events));
}

std::string ForecastJson(const pipeline::Forecast& forecast) {
  const auto group = [](const pipeline::GroupForecast& one) {
    return CostJson(one.cost)
        .Add("tags", one.name)
        .Add("series", one.series)
        .Add("silent", one.silent)
        .Add("bytes", one.bytes)
        .Text();
  };
  JsonObject json = CostJson(forecast.total);
  json.Add("from", FormatUtcTime(forecast.from))
      .Add("now", FormatUtcTime(forecast.now))
      .Add("bytes", static_cast<int64_t>(forecast.total.rows * forecast.bytes_per_row))
      .Add("bytes_per_row", forecast.bytes_per_row)
      .Raw("seconds_at_least",
           forecast.takes ? fmt::format("{:.0f}", forecast.takes->seconds()) : "null")
      .Raw("bound_by", forecast.bound_by ? JsonText(forecast.bound_by) : "null")
      .Raw("groups", JsonArray(forecast.groups, group))
      .Raw("overhead", CostJson(forecast.overhead).Text())
      .Add("table_rows", forecast.table_rows)
      .Add("sampled_series", forecast.sampled_series)
      .Add("sampled_events", forecast.sampled_events)
      .Raw("unreadable", ToJson(forecast.unreadable));
  return json.Text();
}

void ShowLine(const std::string& name, const std::string& points, const std::string& silent,
              const plan::Cost& cost, int64_t bytes) {
  fmt::print("{:<32} {:>9} {:>9} {:>15} {:>14} {:>9} {:>15} {:>10}\n", name, points, silent,
             Rounded(cost.rows), Rounded(cost.series_reads), Rounded(cost.calls),
             Rounded(cost.events), bytes > 0 ? DescribeBytes(bytes) : "");
}

std::string Limits(const plan::BudgetLimits& budget) {
  const auto limit = [](double rate, std::string_view of) {
    return rate > 0 ? fmt::format(", {} {}", Rounded(rate), of) : std::string();
  };
  return fmt::format("{} calls at a time", budget.in_flight) +
         limit(budget.calls_per_second, "calls a second") +
         limit(budget.series_reads_per_second, "archive reads a second") +
         limit(budget.events_per_second, "events a second");
}

void ShowTime(const pipeline::Forecast& forecast, const pipeline::PullOptions& options) {
  const bool has_calendar = !options.source.throttle.calendar.empty();
  fmt::print("\nThe budget: {}{}.\n", Limits(options.source.budget),
             has_calendar ? ", less at the hours of the calendar" : "");
  if (!forecast.takes) {
    fmt::print("Under it this takes years, or the calendar never allows it.\n");
  } else if (!forecast.bound_by) {
    fmt::print("It bounds nothing but the calls at a time: this takes as long as they do.\n");
  } else {
    fmt::print("Under it this takes at least {}; what bounds it is {}.\n",
               DescribeDuration(*forecast.takes), forecast.bound_by);
  }
}

void Show(const pipeline::Forecast& forecast, const pipeline::PullOptions& options) {
  fmt::print("What `pilake run` would read of {} from {} to {}\n\n", options.source.http.url,
             FormatUtcTime(forecast.from), FormatUtcTime(forecast.now));
  fmt::print("{:<32} {:>9} {:>9} {:>15} {:>14} {:>9} {:>15} {:>10}\n", "tags", "points", "silent",
             "rows", "archive reads", "calls", "events read", "table");
  for (const pipeline::GroupForecast& group : forecast.groups)
    ShowLine(group.name, Grouped(group.series), Grouped(group.silent), group.cost, group.bytes);
  ShowLine("finding out what changed", "", "", forecast.overhead, 0);
  ShowLine("all", "", "", forecast.total,
           static_cast<int64_t>(forecast.total.rows * forecast.bytes_per_row));
  ShowTime(forecast, options);
  fmt::print("Reckoned from {} events of {} points, {:.1f} bytes a row; sampling took {}.\n",
             Grouped(forecast.sampled_events), Grouped(forecast.sampled_series),
             forecast.bytes_per_row, DescribeDuration(forecast.took));
  if (forecast.table_rows > 0)
    fmt::print("The table holds {} rows already.\n", Grouped(forecast.table_rows));
  for (const pipeline::LeftOut& one : forecast.unreadable)
    fmt::print("not readable: {}: {}\n", one.tag, one.reason);
}

Exit Plan(const Flags& flags, const std::stop_token& stop) {
  const auto clock = OpenClock(flags.test_clock);
  if (!clock) return Report(clock.error());
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());
  pipeline::PullOptions options = PullOptionsFrom(*config);
  options.source.throttle.clock = clock->get();
  pipeline::Progress progress;
  const auto forecast = [&] {
    const ProgressBar bar(progress);
    return pipeline::MakeForecast(options, **clock, progress, stop);
  }();
  if (!forecast) return Report(forecast.error());
  if (flags.json) {
    fmt::print("{}\n", ForecastJson(*forecast));
  } else {
    Show(*forecast, options);
  }
  return forecast->unreadable.empty() ? Exit::kDone : Exit::kLeftOut;
}

}  // namespace

void AddPlan(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "plan",
      "Say what a run would ask of the historian and bring into the table, and how long it would "
      "take. Reads a small sample; changes nothing.");
  command->footer("Examples:\n  pilake plan\n  pilake plan -c plant1.yaml --json");
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_flag("--json", flags->json, "The forecast as JSON on standard output");
  command->add_option("--test-clock", flags->test_clock)->group("");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Plan(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
