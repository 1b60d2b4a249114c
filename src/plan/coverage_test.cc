// SPDX-License-Identifier: Apache-2.0
#include "plan/coverage.h"

#include <random>
#include <set>

#include <gmock/gmock.h>

namespace pilake::plan {

void PrintTo(const TimeRange& range, std::ostream* os) {
  *os << '[' << range.begin.ticks << ", " << range.end.ticks << ')';
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TimeRange Range(int64_t begin, int64_t end) {
  return {UtcTime{begin}, UtcTime{end}};
}

TEST(AddRange, MeltsWhatTouchesOrOverlaps) {
  Ranges ranges;
  AddRange(ranges, Range(10, 20));
  AddRange(ranges, Range(30, 40));
  AddRange(ranges, Range(20, 30));
  EXPECT_THAT(ranges, ElementsAre(Range(10, 40)));
  AddRange(ranges, Range(5, 5));
  EXPECT_THAT(ranges, ElementsAre(Range(10, 40)));
}

TEST(Missing, IsWantedWithoutCovered) {
  const Ranges covered{Range(10, 20), Range(30, 40)};
  EXPECT_THAT(Missing(covered, Range(0, 50)),
              ElementsAre(Range(0, 10), Range(20, 30), Range(40, 50)));
  EXPECT_THAT(Missing(covered, Range(12, 35)), ElementsAre(Range(20, 30)));
  EXPECT_THAT(Missing(covered, Range(10, 20)), IsEmpty());
  EXPECT_THAT(Missing(covered, Range(20, 20)), IsEmpty());
}

/// The slow obvious version: every tick on its own.
TEST(Coverage, AgreesWithSetsOfTicksOnRandomRanges) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    Ranges ranges;
    std::set<int64_t> ticks;
    for (int i = 0; i < 12; ++i) {
      const int64_t begin = static_cast<int64_t>(random() % 60);
      const int64_t end = begin + static_cast<int64_t>(random() % 12);
      AddRange(ranges, Range(begin, end));
      for (int64_t t = begin; t < end; ++t) ticks.insert(t);
    }
    for (size_t i = 1; i < ranges.size(); ++i) ASSERT_LT(ranges[i - 1].end, ranges[i].begin);
    std::set<int64_t> missing;
    for (const TimeRange& range : Missing(ranges, Range(5, 65))) {
      for (int64_t t = range.begin.ticks; t < range.end.ticks; ++t) missing.insert(t);
    }
    for (int64_t t = 5; t < 65; ++t) ASSERT_EQ(missing.contains(t), !ticks.contains(t)) << t;
    for (int64_t t = 0; t < 65; ++t)
      ASSERT_EQ(Overlaps(ranges, Range(t, t + 1)), ticks.contains(t));
  }
}

TEST(Apply, MovesTheAnchorOnlyForward) {
  Coverage coverage;
  Apply(coverage,
        {.web_id = "a", .range = Range(50, 90), .last_instant = Instant{UtcTime{80}, 1, 5}});
  Apply(coverage,
        {.web_id = "a", .range = Range(10, 50), .last_instant = Instant{UtcTime{40}, 2, 6}});
  EXPECT_THAT(coverage["a"].ranges, ElementsAre(Range(10, 90)));
  EXPECT_EQ(coverage["a"].anchor, (Instant{UtcTime{80}, 1, 5}));
}

TEST(Apply, KeepsWhatAProbeSaidUntilTheOpenEndMoves) {
  Coverage coverage;
  Apply(coverage, {.web_id = "a", .range = Range(50, 90), .probed = Snapshot{UtcTime{95}, 1}});
  Apply(coverage, {.web_id = "a", .range = Range(10, 50)});
  EXPECT_EQ(coverage["a"].probed, (Snapshot{UtcTime{95}, 1}));
  Apply(coverage, {.web_id = "a", .range = Range(90, 92)});
  EXPECT_EQ(coverage["a"].probed, std::nullopt);
}

TEST(Apply, TakesLooksThatWereMadeOffAndAddsNewOnes) {
  Coverage coverage;
  const Look first = FirstLook(LookReason::kOutage, Range(10, 20), UtcTime{100});
  const Look other = FirstLook(LookReason::kErrorValue, Range(30, 40), UtcTime{100});
  Apply(coverage, {.web_id = "a", .range = Range(0, 50), .looks = {first, other}});
  Apply(coverage, {.web_id = "a", .looks_done = {first}});
  EXPECT_THAT(coverage["a"].looks, ElementsAre(other));
}

TEST(Apply, HoldsASeriesUntilItsOpenEndMovesAgain) {
  Coverage coverage;
  Apply(coverage, {.web_id = "a", .range = Range(0, 50)});
  const Look look = FirstLook(LookReason::kHeld, Range(0, 50), UtcTime{60});
  Apply(coverage, {.web_id = "a", .looks = {look}, .held = UtcTime{60}});
  EXPECT_THAT(coverage["a"].looks, ElementsAre(look));
  Apply(coverage, {.web_id = "a", .held = UtcTime{70}});
  EXPECT_EQ(coverage["a"].held, UtcTime{60});
  Apply(coverage, {.web_id = "a", .range = Range(50, 55)});
  EXPECT_EQ(coverage["a"].held, std::nullopt);
  EXPECT_THAT(coverage["a"].looks, testing::IsEmpty());
}

TEST(StillMissing, IsTrueOfWorkThatCoversNothing) {
  Coverage coverage;
  Apply(coverage, {.web_id = "a", .range = Range(10, 20)});
  EXPECT_TRUE(StillMissing(coverage, {{.web_id = "a", .range = Range(15, 15)}}));
}

TEST(StillMissing, IsFalseOnceAnotherWriterCoveredAPart) {
  Coverage coverage;
  Apply(coverage, {.web_id = "a", .range = Range(10, 20)});
  EXPECT_TRUE(StillMissing(coverage, {{.web_id = "a", .range = Range(20, 30)}}));
  EXPECT_TRUE(StillMissing(coverage, {{.web_id = "b", .range = Range(10, 20)}}));
  EXPECT_FALSE(StillMissing(coverage, {{.web_id = "b", .range = Range(10, 20)},
                                       {.web_id = "a", .range = Range(19, 30)}}));
}

}  // namespace
}  // namespace pilake::plan
