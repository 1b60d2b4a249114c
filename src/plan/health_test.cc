// SPDX-License-Identifier: Apache-2.0
#include "plan/health.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

UtcTime At(int64_t minutes) {
  return UtcTime{} + Duration::Minutes(minutes);
}

Flags Good(bool good) {
  Flags flags;
  flags.Set(Flags::kGood, good);
  return flags;
}

/// `count` good rows, a minute apart; row i shows `value(i)`.
template <typename Value>
Events Minutes(int64_t count, Value value) {
  Events events;
  for (int64_t i = 0; i < count; ++i)
    events.Append(At(i), ValueKind::kInt, value(i), "", Good(true));
  return events;
}

SeriesHealth Examine(const Events& events) {
  SeriesHealth health;
  for (size_t row = 0; row < events.size(); ++row) health.Take(events, row);
  return health;
}

TEST(SeriesHealth, IsTheSameInWhateverOrderTheRowsCome) {
  Events events = Minutes(200, [](int64_t i) { return i % 7; });
  events.Append(At(300), ValueKind::kSystem, 246, "I/O Timeout", Good(false));
  events.Append(At(301), ValueKind::kError, 0, "{}", Good(false));
  std::vector<size_t> order(events.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::shuffle(order, std::mt19937_64(1));
  SeriesHealth health;
  for (const size_t row : order) health.Take(events, row);
  EXPECT_EQ(health.rows, 202);
  EXPECT_EQ(health.bad, 2);
  EXPECT_EQ(health.outages, 1);
  EXPECT_EQ(health.first, At(0));
  EXPECT_EQ(health.last, At(301));
  EXPECT_TRUE(health.varies);
}

TEST(SeriesHealth, CallsFlatWhatHasManyGoodRowsOfOneValue) {
  EXPECT_TRUE(Examine(Minutes(200, [](int64_t) { return 5; })).is_flat());
  EXPECT_FALSE(Examine(Minutes(20, [](int64_t) { return 5; })).is_flat()) << "too few to tell";
  EXPECT_FALSE(Examine(Minutes(200, [](int64_t i) { return i == 150 ? 6 : 5; })).is_flat());
  Events events = Minutes(200, [](int64_t) { return 5; });
  events.Append(At(150), ValueKind::kSystem, 246, "I/O Timeout", Good(false));
  EXPECT_TRUE(Examine(events).is_flat()) << "a state is no other value";
}

TEST(SeriesHealth, CallsStaleWhatIsSilentForMuchLongerThanIsItsWay) {
  const SeriesHealth health = Examine(Minutes(100, [](int64_t i) { return i; }));
  EXPECT_FALSE(health.is_stale(At(99 + 59)));
  EXPECT_TRUE(health.is_stale(At(99 + 61)));
  Events slow;
  for (int64_t i = 0; i < 30; ++i) slow.Append(At(i * 600), ValueKind::kInt, i, "", Good(true));
  EXPECT_FALSE(Examine(slow).is_stale(At(29 * 600 + 3'000))) << "ten hours apart is its way";
  EXPECT_TRUE(Examine(slow).is_stale(At(29 * 600 + 12'001)));
}

TEST(Ages, PutsEachRowIntoTheBucketThatHoldsIt) {
  Ages ages;
  for (const Duration age : {Duration::Seconds(59), Duration::Minutes(3), Duration::Days(30)})
    ages.Take(age);
  EXPECT_EQ(ages.count(0), 1);
  EXPECT_EQ(ages.count(1), 1);
  EXPECT_EQ(ages.count(Ages::kBuckets - 1), 1);
  EXPECT_EQ(ages.rows(), 3);
}

}  // namespace
}  // namespace pilake::plan
