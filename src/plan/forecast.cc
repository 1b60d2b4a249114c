// SPDX-License-Identifier: Apache-2.0
#include "plan/forecast.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "plan/shards.h"

namespace pilake::plan {
namespace {

/// The part of `ranges`, laid end to end, from offset `begin` to `end`.
void AppendPart(const Ranges& ranges, Duration begin, Duration end, Ranges& out) {
  Duration at;
  for (const TimeRange& range : ranges) {
    const Duration next = at + range.length();
    const TimeRange part{range.begin + (std::max(begin, at) - at),
                         range.begin + (std::min(end, next) - at)};
    if (begin < next && at < end && !part.empty()) out.push_back(part);
    at = next;
  }
}

struct Bound {
  const char* name;
  double seconds;
};

std::array<Bound, 3> Bounds(const BudgetLimits& budget, const Cost& cost) {
  const auto seconds = [](double amount, double rate) { return rate > 0 ? amount / rate : 0; };
  return {{{"calls a second", seconds(cost.calls, budget.calls_per_second)},
           {"archive reads a second", seconds(cost.series_reads, budget.series_reads_per_second)},
           {"events a second", seconds(cost.events, budget.events_per_second)}}};
}

Bound Longest(const BudgetLimits& budget, const Cost& cost) {
  return std::ranges::max(Bounds(budget, cost), {}, &Bound::seconds);
}

}  // namespace

std::vector<Sampled> SampleSeries(std::span<const double> sizes, size_t count, uint64_t seed) {
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > 0) order.push_back(i);
  }
  std::vector<Sampled> sampled;
  // Those larger than a step are taken for sure; that makes the step of the others smaller.
  std::ranges::sort(order, std::ranges::greater(), [&](uint32_t i) { return sizes[i]; });
  double rest = std::accumulate(order.begin(), order.end(), 0.0,
                                [&](double sum, uint32_t i) { return sum + sizes[i]; });
  size_t sure = 0;
  while (sure < order.size() && sure < count &&
         sizes[order[sure]] * static_cast<double>(count - sure) >= rest) {
    rest -= sizes[order[sure]];
    sampled.push_back({order[sure++], 1});
  }
  if (sure < order.size() && sure < count) {
    const double step = rest / static_cast<double>(count - sure);
    std::mt19937_64 random(seed);
    std::shuffle(order.begin() + static_cast<std::ptrdiff_t>(sure), order.end(), random);
    double next = std::uniform_real_distribution<>(0, step)(random), passed = 0;
    for (size_t k = sure; k < order.size(); ++k) {
      passed += sizes[order[k]];
      if (passed <= next) continue;
      next += step;
      sampled.push_back({order[k], sizes[order[k]] / step});
    }
  }
  std::ranges::sort(sampled, {}, &Sampled::series);
  return sampled;
}

Duration TotalLength(const Ranges& ranges) {
  Duration length;
  for (const TimeRange& range : ranges) length = length + range.length();
  return length;
}

Ranges SampleWindows(const Ranges& ranges, int strata, Duration length, uint64_t seed) {
  const Duration all = TotalLength(ranges);
  if (length >= all) return ranges;
  const Duration stratum = all / strata, window = std::max(length / strata, Duration::Ticks(1));
  Ranges windows;
  std::mt19937_64 random(seed);
  for (int k = 0; k < strata; ++k) {
    std::uniform_int_distribution<int64_t> place(0, std::max<int64_t>(0, (stratum - window).ticks));
    const Duration begin = stratum * k + Duration::Ticks(place(random));
    AppendPart(ranges, begin, begin + window, windows);
  }
  return windows;
}

Cost& Cost::operator+=(const Cost& other) {
  rows += other.rows;
  series_reads += other.series_reads;
  calls += other.calls;
  events += other.events;
  return *this;
}

std::vector<Cost> CostOf(const std::vector<Ranges>& missing, std::span<const float> density,
                         double rows_per_shard, const PackLimits& limits) {
  std::vector<Cost> costs(missing.size());
  ShardCutter cutter(missing, rows_per_shard, ShardCutter::Order::kNewestFirst);
  while (auto shard = cutter.Next(density)) {
    Packer packer(std::move(shard->tasks), limits);
    while (const auto request = packer.Next(density)) {
      TimeRange hull = request->reads.front().window;
      for (const Read& read : request->reads)
        hull = {std::min(hull.begin, read.window.begin), std::max(hull.end, read.window.end)};
      const double share = 1 / static_cast<double>(request->reads.size());
      for (const Read& read : request->reads) {
        const auto rate = static_cast<double>(density[read.series]);
        const bool is_set = request->transport == Transport::kSet;
        costs[read.series] += {.rows = rate * read.window.length().seconds(),
                               .series_reads = 1,
                               .calls = share,
                               .events = rate * (is_set ? hull : read.window).length().seconds()};
      }
    }
  }
  return costs;
}

std::optional<Duration> TimeUnder(const BudgetLimits& budget,
                                  std::span<const CalendarEntry> calendar, Duration zone,
                                  UtcTime now, const Cost& cost) {
  constexpr Duration kStep = Duration::Minutes(15);
  constexpr Duration kMost = Duration::Days(3'650);
  double seconds = Longest(budget, cost).seconds;
  for (Duration passed; passed < kMost; passed = passed + kStep) {
    const Allowance allowed = AllowanceAt(calendar, zone, now + passed);
    const double speed = allowed.pause == Pause::kNone ? allowed.scale : 0;
    const double done = speed * kStep.seconds();
    if (done >= seconds && speed > 0)
      return passed + Duration::Ticks(static_cast<int64_t>(seconds / speed * 1e7));
    if (speed == 0 && seconds == 0) return passed;
    seconds -= done;
  }
  return std::nullopt;
}

const char* BoundBy(const BudgetLimits& budget, const Cost& cost) {
  const Bound bound = Longest(budget, cost);
  return bound.seconds > 0 ? bound.name : nullptr;
}

}  // namespace pilake::plan
