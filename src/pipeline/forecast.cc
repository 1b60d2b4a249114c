// SPDX-License-Identifier: Apache-2.0
#include "pipeline/forecast.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "pipeline/ends.h"
#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "plan/finality.h"
#include "plan/name_mask.h"

// A forecast, in short:
//
//   ask which points there are, what changed, and the newest events, as a run does
//   missing = what a run would read of each series
//   read a sample: some series (the more rows they seem to have, the likelier), of each a few
//   windows density = what the windows show; of the others what they seemed to have, corrected by
//   the sample cost    = cut and pack what is missing as a run does, without sending it

namespace pilake::pipeline {
namespace {

// A sample: at most so much, and no more than a part of a minute of the budget.
constexpr double kSeriesMax = 2'000;
constexpr int kWindows = 6;
constexpr double kEventsEach = 400;
constexpr double kBudgetSeconds = 20;
constexpr uint64_t kSeed = 0x70696c616b65;  // the same plant, the same forecast

// Of a table that is not there yet: what tables of the usual mix come to.
constexpr double kBytesPerRow = 8;

class Forecaster {
 public:
  Forecaster(const PullOptions& options, const Clock& clock, Progress& progress,
             std::stop_token stop)
      : run_{.options = options, .clock = clock, .progress = progress, .stop = std::move(stop)} {}

  Result<Forecast> Do() {
    const UtcTime started = SteadyNow();
    RETURN_IF_ERROR(Begin(run_, Opening::kLook));
    RETURN_IF_ERROR(FindEnds(run_));
    forecast_.overhead = SpentSoFar();
    AddNewest();
    FindMissing();
    RETURN_IF_ERROR(Sample());
    RETURN_IF_ERROR(LookAtTable());
    AddGroups();
    for (const auto& [i, reason] : run_.quarantined)
      forecast_.unreadable.push_back({run_.series[i].path, reason});
    forecast_.now = run_.report.now;
    forecast_.from = run_.options.history_from;
    forecast_.took = SteadyNow() - started;
    return std::move(forecast_);
  }

 private:
  /// A run will ask for the same before it reads anything.
  plan::Cost SpentSoFar() const {
    const Progress& progress = run_.progress;
    return {.rows = 0,
            .series_reads = static_cast<double>(progress.series_reads.load()),
            .calls = static_cast<double>(progress.calls.load()),
            .events = static_cast<double>(progress.events.load())};
  }

  void FindMissing() {
    missing_.resize(run_.series.size());
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      if (run_.IsLeftOut(i) || !run_.through[i]) continue;
      missing_[i] =
          plan::Missing(run_.Covered(i).ranges, {run_.options.history_from, *run_.through[i]});
    }
  }

  double Seconds(uint32_t i) const { return plan::TotalLength(missing_[i]).seconds(); }

  Status Sample() {
    run_.progress.stage = "sampling";
    // A series that seems to have little may have had much, so each counts for a few rows at least.
    constexpr double kRowsMin = 50;
    std::vector<double> sizes(run_.series.size());
    for (uint32_t i = 0; i < sizes.size(); ++i) {
      if (!missing_[i].empty())
        sizes[i] = kRowsMin + Seconds(i) * static_cast<double>(run_.density[i]);
    }
    const auto sampled = plan::SampleSeries(sizes, SeriesMax(), kSeed);
    ASSIGN_OR_RETURN(const auto rates, ReadSamples(sampled));
    const std::vector<float> seemed = run_.density;
    double rows_seemed = 0, rows_found = 0;  // of those that stand for others
    for (const plan::Sampled& one : sampled) {
      const auto rate = rates.find(one.series);
      if (rate == rates.end()) continue;
      run_.density[one.series] = static_cast<float>(rate->second);
      if (one.chance >= 1) continue;
      rows_seemed += sizes[one.series] / one.chance;
      rows_found += rate->second * Seconds(one.series) / one.chance;
    }
    const double correction = rows_seemed > 0 ? rows_found / rows_seemed : 1;
    for (uint32_t i = 0; i < sizes.size(); ++i) {
      if (missing_[i].empty() || rates.contains(i)) continue;
      run_.density[i] = static_cast<float>(sizes[i] * correction / Seconds(i));
    }
    forecast_.sampled_series = static_cast<int64_t>(rates.size());
    return {};
  }

  size_t SeriesMax() const {
    const double rate = run_.options.source.budget.series_reads_per_second;
    const double allowed = rate > 0 ? rate * kBudgetSeconds / kWindows : kSeriesMax;
    return static_cast<size_t>(std::clamp(allowed, 10.0, kSeriesMax));
  }

  double EventsEach(size_t series) const {
    const double rate = run_.options.source.budget.events_per_second;
    const double allowed =
        rate > 0 && series > 0 ? rate * kBudgetSeconds / static_cast<double>(series) : kEventsEach;
    return std::clamp(allowed, 1.0, kEventsEach);
  }

  /// Events per second of each series that could be read, over its windows.
  Result<std::map<uint32_t, double>> ReadSamples(const std::vector<plan::Sampled>& sampled) {
    plan::Shard shard;
    std::map<uint32_t, double> seconds;
    for (const plan::Sampled& one : sampled) {
      const double length =
          EventsEach(sampled.size()) / static_cast<double>(run_.density[one.series]);
      const double most = Seconds(one.series);
      const plan::Ranges windows = plan::SampleWindows(
          missing_[one.series], kWindows,
          Duration::Ticks(static_cast<int64_t>(std::min(length, most) * 1e7)), kSeed ^ one.series);
      for (const TimeRange& window : windows)
        shard.tasks.push_back({.series = one.series, .range = window, .expected = {}});
      seconds[one.series] = plan::TotalLength(windows).seconds();
    }
    std::map<uint32_t, double> rows;
    const auto count = [&](const Rows& part) {
      rows[part.series] += static_cast<double>(part.last - part.first);
      forecast_.sampled_events += static_cast<int64_t>(part.last - part.first);
      return true;
    };
    std::vector<float> density = run_.density;
    ShardReader reader(*run_.source, run_.series, density, run_.limits, run_.progress);
    auto outcomes = reader.Read(std::move(shard), count, plan::Lane::kBackfill);
    if (!outcomes) return tl::unexpected(std::move(outcomes).error());
    for (const TaskOutcome& outcome : *outcomes) {
      if (outcome.failure) run_.quarantined.emplace(outcome.series, outcome.failure->message);
    }
    std::map<uint32_t, double> rates;
    for (const auto& [i, length] : seconds) {
      if (!run_.quarantined.contains(i) && length > 0)
        rates[i] = std::max(rows[i] / length, double{kDensityMin} / 1e3);
    }
    return rates;
  }

  Status LookAtTable() {
    forecast_.bytes_per_row = kBytesPerRow;
    if (!run_.ledger) return {};
    ASSIGN_OR_RETURN(const auto files, run_.ledger->table().ActiveFiles());
    int64_t bytes = 0;
    for (const delta::FileFacts& file : files) {
      forecast_.table_rows += file.rows.value_or(0);
      bytes += file.bytes;
    }
    if (forecast_.table_rows > 100'000)
      forecast_.bytes_per_row =
          static_cast<double>(bytes) / static_cast<double>(forecast_.table_rows);
    return {};
  }

  /// What is not final yet: read once from where a series is final to now, if the table shows it.
  void AddNewest() {
    if (!run_.ShowsTail()) return;
    std::vector<plan::Task> tasks;
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      if (run_.IsLeftOut(i) || !run_.changed[i]) continue;
      const UtcTime begin = run_.through[i].value_or(run_.options.history_from);
      plan::Task task{.series = i, .range = {begin - run_.options.settle, run_.ReadsUpTo(i)}};
      if (!run_.series[i].future) task.newest = run_.probed[i].newest.last.value_or(begin);
      tasks.push_back(std::move(task));
    }
    plan::Packer packer(std::move(tasks), run_.limits);
    while (const auto request = packer.Next(run_.density)) {
      forecast_.overhead.calls += 1;
      forecast_.overhead.series_reads += static_cast<double>(request->reads.size());
    }
  }

  /// The first selection of the configuration that means the series.
  size_t GroupOf(const Series& series) const {
    const auto matches = [&](const TagSelection& tags) {
      const auto masks = [&](const std::vector<std::string>& all) {
        return std::ranges::any_of(
            all, [&](const std::string& mask) { return plan::MatchesMask(series.name, mask); });
      };
      const bool is_named = std::ranges::find(tags.web_ids, series.web_id) != tags.web_ids.end() ||
                            masks(tags.points) || masks(tags.include);
      const std::string_view server = ServerOf(series);
      const bool is_there = tags.server.empty() ||
                            (server.size() > 2 && plan::MatchesMask(server.substr(2), tags.server));
      return is_named && is_there && !masks(tags.exclude);
    };
    const auto& groups = run_.options.tags;
    const auto found = std::ranges::find_if(groups, matches);
    return std::min(static_cast<size_t>(found - groups.begin()), groups.size() - 1);
  }

  static std::string NameOf(const TagSelection& tags) {
    std::vector<std::string> names = tags.include;
    names.insert(names.end(), tags.points.begin(), tags.points.end());
    names.insert(names.end(), tags.web_ids.begin(), tags.web_ids.end());
    constexpr size_t kNamed = 3;
    std::string name = tags.server.empty() ? "" : tags.server + ": ";
    for (size_t k = 0; k < std::min(names.size(), kNamed); ++k) name += (k ? ", " : "") + names[k];
    if (names.size() > kNamed) name += fmt::format(" and {} more", names.size() - kNamed);
    return name;
  }

  void AddGroups() {
    for (const TagSelection& tags : run_.options.tags)
      forecast_.groups.push_back({.name = NameOf(tags)});
    const auto costs =
        plan::CostOf(missing_, run_.density, run_.options.rows_per_shard, run_.limits);
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      GroupForecast& group = forecast_.groups[GroupOf(run_.series[i])];
      ++group.series;
      if (missing_[i].empty()) ++group.silent;
      group.cost += costs[i];
    }
    forecast_.total = forecast_.overhead;
    for (GroupForecast& group : forecast_.groups) {
      group.bytes = static_cast<int64_t>(group.cost.rows * forecast_.bytes_per_row);
      forecast_.total += group.cost;
    }
    const SourceOptions& source = run_.options.source;
    forecast_.takes =
        plan::TimeUnder(source.budget, source.throttle.calendar, source.throttle.calendar_zone,
                        run_.report.now, forecast_.total);
    forecast_.bound_by = plan::BoundBy(source.budget, forecast_.total);
  }

  Run run_;
  std::vector<plan::Ranges> missing_;
  Forecast forecast_;
};

}  // namespace

Result<Forecast> MakeForecast(const PullOptions& options, const Clock& clock, Progress& progress,
                              std::stop_token stop) {
  return Forecaster(options, clock, progress, std::move(stop)).Do();
}

}  // namespace pilake::pipeline
