// SPDX-License-Identifier: Apache-2.0
#include "plan/forecast.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using testing::Each;
using testing::IsEmpty;

constexpr UtcTime kStart{17'000'000'000'000'000};

/// A few have nearly all, many hardly any, some nothing.
std::vector<double> HeavyTail(size_t count) {
  std::mt19937_64 random(7);
  std::vector<double> sizes(count);
  for (double& size : sizes) {
    size = std::exp(std::normal_distribution<>(3, 3)(random));
    if (random() % 4 == 0) size = 0;
  }
  return sizes;
}

TEST(SampleSeries, EstimatesTheSumOfAHeavyTail) {
  const std::vector<double> sizes = HeavyTail(50'000);
  double sum = 0;
  for (const double size : sizes) sum += size;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    // What is wanted is known only roughly when the choice is made: off by up to twice.
    std::mt19937_64 random(seed);
    std::vector<double> seemed = sizes;
    for (double& size : seemed) size *= std::uniform_real_distribution<>(0.5, 2)(random);
    double estimate = 0;
    for (const Sampled& one : SampleSeries(seemed, 1'000, seed))
      estimate += sizes[one.series] / one.chance;
    EXPECT_NEAR(estimate / sum, 1, 0.1) << seed;
  }
}

TEST(SampleSeries, TakesAllIfTheyAreFew) {
  const std::vector<double> sizes{5, 0, 1, 1000};
  const auto sampled = SampleSeries(sizes, 10, 1);
  ASSERT_EQ(sampled.size(), 3u);
  for (const Sampled& one : sampled) EXPECT_EQ(one.chance, 1);
  EXPECT_THAT(SampleSeries({}, 10, 1), IsEmpty());
}

TEST(SampleSeries, ChoosesAboutAsManyAsAskedForInTheirOrder) {
  const auto sampled = SampleSeries(HeavyTail(50'000), 1'000, 3);
  EXPECT_NEAR(static_cast<double>(sampled.size()), 1'000, 2);
  EXPECT_TRUE(std::ranges::is_sorted(sampled, {}, &Sampled::series));
}

TEST(SampleWindows, LieWithinTheRangesOneInEachPart) {
  const Ranges ranges{{kStart, kStart + Duration::Days(10)},
                      {kStart + Duration::Days(20), kStart + Duration::Days(30)}};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Ranges windows = SampleWindows(ranges, 5, Duration::Hours(10), seed);
    EXPECT_NEAR(TotalLength(windows).seconds(), 36'000, 1);
    for (const TimeRange& window : windows) {
      EXPECT_TRUE(Intersection(ranges, window) == Ranges{window});
    }
    EXPECT_TRUE(std::ranges::is_sorted(windows));
  }
}

TEST(SampleWindows, AreAllThereIsIfThatIsNoLonger) {
  const Ranges ranges{{kStart, kStart + Duration::Days(1)}};
  EXPECT_EQ(SampleWindows(ranges, 5, Duration::Days(1), 1), ranges);
}

TEST(CostOf, CountsAllRowsAndSharesTheCalls) {
  const Ranges year{{kStart, kStart + Duration::Days(365)}};
  const std::vector<float> density{10, 0.1f, 0.0001f, 0.0001f};
  const auto costs = CostOf({year, year, year, {}}, density, 4e6, {});
  double calls = 0;
  for (size_t i = 0; i < 3; ++i) {
    const double rows = static_cast<double>(density[i]) * 365 * 86'400;
    EXPECT_NEAR(costs[i].rows / rows, 1, 0.001);
    EXPECT_GE(costs[i].events, costs[i].rows * 0.999);
    calls += costs[i].calls;
  }
  EXPECT_EQ(costs[3].calls, 0);
  EXPECT_NEAR(costs[0].calls, 10 * 365 * 86'400 / 40'000.0, 2'000);
  EXPECT_NEAR(calls, std::round(calls), 1e-6);
}

TEST(TimeUnder, IsBoundByTheTightestLimit) {
  const BudgetLimits budget{
      .calls_per_second = 10, .series_reads_per_second = 100, .events_per_second = 1'000};
  const Cost cost{.rows = 1e6, .series_reads = 3'000, .calls = 200, .events = 3.6e6};
  EXPECT_STREQ(BoundBy(budget, cost), "events a second");
  EXPECT_EQ(TimeUnder(budget, {}, {}, kStart, cost), Duration::Hours(1));
}

TEST(TimeUnder, WaitsWhereTheCalendarPausesAndStretchesWhereItSlows) {
  const BudgetLimits budget{.events_per_second = 1'000};
  const Cost cost{.events = 3.6e6};
  const UtcTime midnight{kStart.ticks / Duration::Days(1).ticks * Duration::Days(1).ticks};
  const CalendarEntry quarter{.from = {}, .to = Duration::Hours(2), .scale = 0.25};
  EXPECT_EQ(TimeUnder(budget, std::vector{quarter}, {}, midnight, cost), Duration::Minutes(150));
  const CalendarEntry night{.from = {}, .to = Duration::Hours(6), .pause = Pause::kBackfill};
  EXPECT_EQ(TimeUnder(budget, std::vector{night}, {}, midnight, cost), Duration::Hours(7));
  const CalendarEntry never{.pause = Pause::kAll};
  EXPECT_EQ(TimeUnder(budget, std::vector{never}, {}, midnight, cost), std::nullopt);
}

TEST(TimeUnder, IsNothingWithoutLimits) {
  const BudgetLimits budget{
      .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0};
  EXPECT_EQ(TimeUnder(budget, {}, {}, kStart, {.events = 1e12}), Duration{});
  EXPECT_EQ(BoundBy(budget, {.events = 1e12}), nullptr);
}

}  // namespace
}  // namespace pilake::plan
