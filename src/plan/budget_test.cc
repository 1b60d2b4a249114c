// SPDX-License-Identifier: Apache-2.0
#include "plan/budget.h"

#include <random>
#include <vector>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

constexpr UtcTime kStart{0};
constexpr BudgetLimits kGentle{.in_flight = 4,
                               .calls_per_second = 25,
                               .series_reads_per_second = 1'000,
                               .events_per_second = 50'000};
constexpr Load kAny{.calls = 1, .series_reads = 1, .events = 1};

/// Starts calls of one load as early as the budget allows; how many start within `span`.
int CallsWithin(Budget budget, const Load& load, Duration span) {
  int calls = 0;
  for (UtcTime now = kStart;;) {
    now = budget.ReadyAt(load, now);
    if (now >= kStart + span) return calls;
    budget.Spend(load, now);
    ++calls;
  }
}

TEST(Budget, ReachesEachLimitAndKeepsIt) {
  const Duration minute = Duration::Minutes(1);
  EXPECT_NEAR(CallsWithin(Budget(kGentle, kStart), {.calls = 1}, minute), 25 * 60, 1);
  EXPECT_NEAR(CallsWithin(Budget(kGentle, kStart), {.calls = 1, .series_reads = 100}, minute),
              10 * 60, 1);
  EXPECT_NEAR(CallsWithin(Budget(kGentle, kStart),
                          {.calls = 1, .series_reads = 1, .events = 25'000}, minute),
              2 * 60, 1);
}

TEST(Budget, LetsACallLargerThanASecondPassAndPaysItOff) {
  EXPECT_NEAR(CallsWithin(Budget(kGentle, kStart),
                          {.calls = 1, .series_reads = 1, .events = 150'000}, Duration::Minutes(1)),
              20, 1);
}

TEST(Budget, IsKeptInEverySpanWhateverTheCallsAndWhenTheyCome) {
  std::minstd_rand random(7);
  const auto draw = [&](double most) { return std::uniform_real_distribution<>(0, most)(random); };
  Budget budget(kGentle, kStart);
  struct Start {
    double at, calls, series_reads, events;
  };
  std::vector<Start> starts;
  UtcTime now = kStart;
  while (starts.size() < 3'000) {
    if (draw(1) < 0.02) now = now + Duration::Millis(static_cast<int64_t>(draw(5'000)));  // idle
    const Load load{.calls = 1,
                    .series_reads = draw(1) < 0.7 ? draw(200) : 0,
                    .events = draw(1) < 0.3 ? draw(9e4) : 0};
    now = budget.ReadyAt(load, now) + Duration::Micros(static_cast<int64_t>(draw(3'000)));
    budget.Spend(load, now);
    starts.push_back({(now - kStart).seconds(), load.calls, load.series_reads, load.events});
  }
  for (size_t first = 0; first < starts.size(); ++first) {
    double calls = 0, series_reads = 0, events = 0;
    for (size_t i = first; i < starts.size() && i < first + 400; ++i) {
      // All of it but what the call had that was let in last fit into the time since the first.
      const double seconds = starts[i].at - starts[first].at + 0.02;
      ASSERT_LE(calls, 25 * seconds + 1e-6);
      if (starts[i].series_reads > 0) {
        ASSERT_LE(series_reads, 1'000 * seconds + 1e-6);
      }
      if (starts[i].events > 0) {
        ASSERT_LE(events, 50'000 * seconds + 1e-6);
      }
      calls += starts[i].calls;
      series_reads += starts[i].series_reads;
      events += starts[i].events;
    }
  }
}

TEST(Budget, HoldsACallOnlyForWhatItNeeds) {
  Budget budget(kGentle, kStart);
  budget.Spend({.calls = 1, .series_reads = 200, .events = 50'000}, kStart);
  EXPECT_LE(budget.ReadyAt({.calls = 1}, kStart), kStart + Duration::Millis(40));
  EXPECT_GT(budget.ReadyAt({.calls = 1, .series_reads = 1}, kStart),
            kStart + Duration::Millis(150));
  EXPECT_GT(budget.ReadyAt({.calls = 1, .events = 1}, kStart), kStart + Duration::Millis(900));
}

TEST(Budget, TakesTheEventsThatCameInsteadOfTheEstimate) {
  const BudgetLimits limits{
      .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 1'000};
  Budget budget(limits, kStart);
  budget.Spend({.calls = 1, .series_reads = 1, .events = 1'000}, kStart);
  EXPECT_GT(budget.ReadyAt(kAny, kStart), kStart);
  budget.Settle(1'000, 10);
  EXPECT_EQ(budget.ReadyAt(kAny, kStart), kStart);
  budget.Settle(0, 5'000);
  EXPECT_GT(budget.ReadyAt(kAny, kStart), kStart + Duration::Millis(4'900));
}

TEST(Budget, KnowsNoLimitWhereTheLimitIsZero) {
  Budget budget({.calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0},
                kStart);
  budget.Spend({.calls = 1e9, .series_reads = 1e9, .events = 1e9}, kStart);
  EXPECT_EQ(budget.ReadyAt(kAny, kStart), kStart);
}

TEST(Budget, PaysOffAtTheNewRateWhenTheLimitsChange) {
  Budget budget(kGentle, kStart);
  budget.Spend({.calls = 1, .series_reads = 1, .events = 100'000}, kStart);
  budget.SetLimits(Scaled(kGentle, 0.1), kStart);
  EXPECT_GT(budget.ReadyAt(kAny, kStart), kStart + Duration::Seconds(19));
}

TEST(Scaled, LeavesOneCallInFlightAndNoLimitWhereThereIsNone) {
  EXPECT_EQ(Scaled(kGentle, 0.5), (BudgetLimits{2, 12.5, 500, 25'000}));
  EXPECT_EQ(Scaled({4, 0, 0, 0}, 0.01), (BudgetLimits{1, 0, 0, 0}));
  EXPECT_EQ(Scaled(kGentle, 3), (BudgetLimits{12, 75, 3'000, 150'000}));
}

}  // namespace
}  // namespace pilake::plan
