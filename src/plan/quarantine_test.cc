// SPDX-License-Identifier: Apache-2.0
#include "plan/quarantine.h"

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

constexpr UtcTime kNow{17'900'000'000'000'000};

TEST(Quarantined, BeginsWithTheFirstFailureAndIsTriedAgainInTheNextRun) {
  const Quarantine quarantine = Quarantined({}, "U1.PV", "unknown WebID", kNow);
  EXPECT_EQ(quarantine, (Quarantine{.tag = "U1.PV",
                                    .reason = "unknown WebID",
                                    .since = kNow,
                                    .attempts = 1,
                                    .next_try = kNow}));
  EXPECT_TRUE(IsDue(quarantine, kNow + Duration::Seconds(1)));
}

TEST(Quarantined, KeepsItsBeginningAndTakesTheLatestReason) {
  const UtcTime later = kNow + Duration::Hours(2);
  const auto first = Quarantined({}, "U1.PV", "gone", kNow);
  const auto second = Quarantined(first, "U1.Flow", "403", later);
  EXPECT_EQ(second, (Quarantine{.tag = "U1.Flow",
                                .reason = "403",
                                .since = kNow,
                                .attempts = 2,
                                .next_try = later + Duration::Hours(1)}));
}

TEST(Quarantined, KeepsOfALongReasonTheBeginningAndNoHalfCharacter) {
  std::string reason = "x";
  for (int i = 0; i < 300; ++i) reason += "é";
  const std::string kept = Quarantined({}, "U1.PV", reason, kNow).reason;
  EXPECT_LT(kept.size(), 210u);
  EXPECT_EQ(kept, reason.substr(0, 199) + " …");
}

TEST(NextTry, IsOnceADayAtLast) {
  EXPECT_EQ(NextTry(3, kNow), kNow + Duration::Hours(6));
  EXPECT_EQ(NextTry(4, kNow), kNow + Duration::Days(1));
  EXPECT_EQ(NextTry(1'000, kNow), kNow + Duration::Days(1));
}

TEST(IsDue, ComesWithTheNextTryAndWhenTheClockWasSetBack) {
  const Quarantine quarantine{.since = kNow, .next_try = kNow + Duration::Hours(1)};
  EXPECT_FALSE(IsDue(quarantine, kNow));
  EXPECT_FALSE(IsDue(quarantine, kNow + Duration::Minutes(54)));
  EXPECT_TRUE(IsDue(quarantine, kNow + Duration::Minutes(55)));
  EXPECT_TRUE(IsDue(quarantine, kNow - Duration::Days(400)));
}

}  // namespace
}  // namespace pilake::plan
