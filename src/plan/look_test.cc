// SPDX-License-Identifier: Apache-2.0
#include "plan/look.h"

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr UtcTime kNow{1'000'000'000'000};

TimeRange Hours(int64_t begin, int64_t end) {
  return {UtcTime{} + Duration::Hours(begin), UtcTime{} + Duration::Hours(end)};
}

TEST(LookReason, HasAWordThatReadsBack) {
  for (int i = 0; i < kLookReasons; ++i) {
    const auto reason = static_cast<LookReason>(i);
    EXPECT_EQ(ParseLookReason(Name(reason)), reason);
  }
  EXPECT_EQ(ParseLookReason("curiosity"), std::nullopt);
}

/// The pauses between the looks of one reason, in hours, when none finds anything.
std::vector<int64_t> PausesInHours(LookReason reason, bool found = false) {
  std::vector<int64_t> hours;
  UtcTime now = kNow;
  for (std::optional<Look> look = FirstLook(reason, Hours(0, 1), now); look && hours.size() < 6;
       look = NextLook(*look, now, found)) {
    hours.push_back((look->due - now).ticks / Duration::Hours(1).ticks);
    now = look->due;
  }
  return hours;
}

TEST(Looks, ComeInTheRhythmOfTheirReason) {
  EXPECT_THAT(PausesInHours(LookReason::kOutage), ElementsAre(1, 24));
  EXPECT_THAT(PausesInHours(LookReason::kSilence), ElementsAre(1, 24, 7 * 24, 30 * 24));
  EXPECT_THAT(PausesInHours(LookReason::kCreated), ElementsAre(1, 24, 7 * 24, 30 * 24));
  EXPECT_THAT(PausesInHours(LookReason::kErrorValue), ElementsAre(1, 24));
  EXPECT_THAT(PausesInHours(LookReason::kGone), ElementsAre(1));
  EXPECT_THAT(PausesInHours(LookReason::kForeign), ElementsAre(0));
  EXPECT_THAT(PausesInHours(LookReason::kForecast), ElementsAre(0));
  EXPECT_THAT(PausesInHours(LookReason::kOrdered), ElementsAre(0));
  // A held series is looked at until it is not held any more.
  EXPECT_THAT(PausesInHours(LookReason::kHeld), ElementsAre(0, 1, 6, 24, 24, 24));
}

TEST(Looks, AtSilenceEndWhenDataCame) {
  EXPECT_THAT(PausesInHours(LookReason::kSilence, true), ElementsAre(1));
  EXPECT_THAT(PausesInHours(LookReason::kOutage, true), ElementsAre(1, 24));
}

TEST(AddLook, MeltsNeighboursThatAreDueTogether) {
  std::vector<Look> looks;
  AddLook(looks, FirstLook(LookReason::kOutage, Hours(0, 2), kNow));
  AddLook(looks, FirstLook(LookReason::kOutage, Hours(2, 3), kNow + Duration::Minutes(5)));
  ASSERT_THAT(looks, SizeIs(1));
  EXPECT_EQ(looks[0].range, Hours(0, 3));
  EXPECT_EQ(looks[0].due, kNow + Duration::Minutes(65));  // no earlier than either asked for
  AddLook(looks, FirstLook(LookReason::kErrorValue, Hours(1, 2), kNow));
  AddLook(looks, FirstLook(LookReason::kOutage, Hours(3, 4), kNow + Duration::Hours(5)));
  EXPECT_THAT(looks, SizeIs(3));
}

TEST(AddLook, NeverForgetsAnIntervalHoweverManyThereAre) {
  std::vector<Look> looks;
  for (int i = 0; i < 500; ++i) {
    AddLook(looks, FirstLook(static_cast<LookReason>(i % 5), Hours(10 * i, 10 * i + 1),
                             kNow + Duration::Hours(i)));
    ASSERT_LE(looks.size(), kLooksMax);
  }
  for (int i = 0; i < 500; ++i) {
    const bool is_kept = std::ranges::any_of(looks, [&](const Look& look) {
      return look.reason == static_cast<LookReason>(i % 5) &&
             look.range.begin <= Hours(10 * i, 0).begin &&
             look.range.end >= Hours(10 * i + 1, 0).begin;
    });
    ASSERT_TRUE(is_kept) << i;
  }
}

Look Gone(TimeRange range, uint64_t seen) {
  Look look = FirstLook(LookReason::kGone, range, kNow);
  look.seen = seen;
  return look;
}

TEST(AddLook, KeepsOfTwoProofsTheOneThatHoldsBoth) {
  const Look wide = Gone(Hours(0, 10), 7), narrow = Gone(Hours(2, 3), 8);
  std::vector<Look> looks;
  AddLook(looks, narrow);
  AddLook(looks, wide);
  EXPECT_THAT(looks, testing::ElementsAre(wide));
  AddLook(looks, narrow);
  EXPECT_THAT(looks, testing::ElementsAre(wide));
  // What has seen nothing yet proves nothing.
  AddLook(looks, Gone(Hours(0, 20), 0));
  EXPECT_THAT(looks, SizeIs(2));
}

TEST(AddLook, LeavesAProofAloneThatAnotherWouldKeepWaitingForAPerson) {
  Look waits = Gone(Hours(0, 10), 7);
  waits.attempt = 1;
  std::vector<Look> looks{waits};
  AddLook(looks, Gone(Hours(2, 3), 8));
  EXPECT_THAT(looks, SizeIs(2));
}

TEST(AddLook, MeltsNoProofWhileOthersCanMelt) {
  std::vector<Look> looks;
  AddLook(looks, Gone(Hours(100, 101), 7));
  AddLook(looks, Gone(Hours(101, 102), 8));
  for (int i = 0; i < 100; ++i)
    AddLook(looks, FirstLook(LookReason::kErrorValue, Hours(10 * i, 10 * i + 1), kNow));
  EXPECT_EQ(std::ranges::count_if(looks, [](const Look& look) { return look.seen != 0; }), 2);
}

TEST(AddLook, LeavesOutWhatAsksForNothing) {
  std::vector<Look> looks;
  AddLook(looks, FirstLook(LookReason::kOutage, Hours(2, 2), kNow));
  EXPECT_THAT(looks, IsEmpty());
}

TEST(DueSecondLook, TakesWholeSlabsOfWhatIsOldEnough) {
  const SecondLook second{.after = Duration::Hours(36), .slab = Duration::Hours(24)};
  const UtcTime looked = kNow;
  const UtcTime through = kNow + Duration::Days(30);
  EXPECT_EQ(DueSecondLook(looked, through, looked + Duration::Hours(59), second), std::nullopt);
  EXPECT_EQ(DueSecondLook(looked, through, looked + Duration::Hours(61), second),
            (TimeRange{looked, looked + Duration::Hours(25)}));
  // Of a series that is not covered so far, what is.
  EXPECT_EQ(DueSecondLook(looked, looked + Duration::Hours(3), looked + Duration::Days(9), second),
            (TimeRange{looked, looked + Duration::Hours(3)}));
  EXPECT_EQ(DueSecondLook(looked, looked, looked + Duration::Days(9), second), std::nullopt);
}

}  // namespace
}  // namespace pilake::plan
