// SPDX-License-Identifier: Apache-2.0
// Forecast: what a backfill will ask of the historian, reckoned from samples of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/time.h"
#include "plan/budget.h"
#include "plan/calendar.h"
#include "plan/coverage.h"
#include "plan/packing.h"

namespace pilake::plan {

/// A series that stands for `1 / chance` of its kind.
struct Sampled {
  uint32_t series = 0;
  double chance = 1;  ///< of having been chosen
};

/// `count` series or a few less, chosen with chances in proportion to `sizes` (0: never), so that
/// the sum of `size / chance` over them is a good estimate however heavy the tail: large ones are
/// chosen for sure. By series.
std::vector<Sampled> SampleSeries(std::span<const double> sizes, size_t count, uint64_t seed);

/// Windows of together about `length`, one at a random place of each of `strata` equal parts of
/// `ranges`; all of `ranges` if that is no longer.
Ranges SampleWindows(const Ranges& ranges, int strata, Duration length, uint64_t seed);

Duration TotalLength(const Ranges& ranges);

/// What the historian is asked for, and what comes of it.
struct Cost {
  double rows = 0;
  double series_reads = 0;  ///< a series × a window each
  double calls = 0;
  double events = 0;  ///< that come over the wire

  Cost& operator+=(const Cost& other);
};

/// By series: the cost of reading `missing` in shards of `rows_per_shard`, newest first. `density`
/// in events per second. A call's cost is shared by the series that it asks for.
std::vector<Cost> CostOf(const std::vector<Ranges>& missing, std::span<const float> density,
                         double rows_per_shard, const PackLimits& limits);

/// How long `cost` takes at least from `now` on if nothing but the budget bounds it, paused and
/// slowed as the calendar says. Nothing if that is more than ten years.
std::optional<Duration> TimeUnder(const BudgetLimits& budget,
                                  std::span<const CalendarEntry> calendar, Duration zone,
                                  UtcTime now, const Cost& cost);

/// Which limit of the budget makes it last so long: a word for people; null if none bounds it.
const char* BoundBy(const BudgetLimits& budget, const Cost& cost);

}  // namespace pilake::plan
