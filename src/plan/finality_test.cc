// SPDX-License-Identifier: Apache-2.0
#include "plan/finality.h"

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

constexpr UtcTime kNow{1'000'000'000'000};
constexpr Duration kSettle = Duration::Minutes(10);

TEST(FinalThrough, IncludesThePreviousEventButNeverTheSnapshot) {
  const Newest newest{.last = kNow - Duration::Hours(1), .previous = kNow - Duration::Hours(2)};
  EXPECT_EQ(FinalThrough(newest, kNow, kSettle), *newest.previous + Duration::Ticks(1));
}

TEST(FinalThrough, ExcludesTheWholeInstantWhenTheTwoShareATime) {
  const UtcTime at = kNow - Duration::Hours(1);
  EXPECT_EQ(FinalThrough({.last = at, .previous = at}, kNow, kSettle), at);
}

TEST(FinalThrough, WaitsForSettle) {
  const Newest newest{.last = kNow, .previous = kNow - Duration::Seconds(1)};
  EXPECT_EQ(FinalThrough(newest, kNow, kSettle), kNow - kSettle);
  EXPECT_TRUE(BoundBySettle(newest, kNow, kSettle));
  EXPECT_FALSE(BoundBySettle(newest, kNow + Duration::Hours(1), kSettle));
}

TEST(FinalThrough, ProvesNothingFromFewerThanTwoEvents) {
  EXPECT_EQ(FinalThrough({}, kNow, kSettle), std::nullopt);
  EXPECT_EQ(FinalThrough({.last = kNow - Duration::Days(9)}, kNow, kSettle), std::nullopt);
}

TEST(ReadsDue, GrowsWithTheSilenceAndThenNoMore) {
  EXPECT_EQ(ReadsDue(Duration::Minutes(-5)), 0) << "it runs ahead";
  EXPECT_EQ(ReadsDue(Duration::Minutes(59)), 0);
  EXPECT_EQ(ReadsDue(Duration::Hours(2)), 1);
  EXPECT_EQ(ReadsDue(Duration::Hours(7)), 2);
  EXPECT_EQ(ReadsDue(Duration::Days(3)), 3);
  EXPECT_EQ(ReadsDue(Duration::Days(8)), ReadsDue(Duration::Days(3'000)));
}

}  // namespace
}  // namespace pilake::plan
