// SPDX-License-Identifier: Apache-2.0
#include "sim/reading.h"

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "sim/faults.h"

namespace pilake::sim {
namespace {

using testing::HasSubstr;

TEST(ApplyReading, TakesEveryReadingThatItOffers) {
  EXPECT_GT(AllOtherReadings().size(), 25U);
  for (const std::string& assignment : AllOtherReadings()) {
    Readings readings;
    EXPECT_THAT(ApplyReading(assignment, readings), IsOk()) << assignment;
  }
}

TEST(ApplyReading, SetsWhatItSays) {
  Readings readings;
  ASSERT_THAT(ApplyReading("items_limit=produced", readings), IsOk());
  ASSERT_THAT(ApplyReading("unknown_webid_in_set=item_errors", readings), IsOk());
  ASSERT_THAT(ApplyReading("NaN=null", readings), IsOk());
  ASSERT_THAT(ApplyReading("child_of_failed=409", readings), IsOk());
  ASSERT_THAT(ApplyReading("webid_type=pathonly", readings), IsOk());
  EXPECT_EQ(readings.items_limit, ItemsLimit::kProduced);
  EXPECT_EQ(readings.unknown_webid_in_set, UnknownInSet::kItemErrors);
  EXPECT_EQ(readings.nan, NanAs::kNull);
  EXPECT_EQ(readings.child_of_failed, 409);
  EXPECT_EQ(readings.webid_type, "PathOnly");
}

TEST(ApplyReading, NamesWhatWouldHaveBeenValid) {
  Readings readings;
  const auto unknown = ApplyReading("nam=bare", readings);
  ASSERT_THAT(unknown, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(unknown.error().message, HasSubstr("nan"));
  const auto wrong = ApplyReading("nan=none", readings);
  ASSERT_THAT(wrong, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(wrong.error().message, HasSubstr("bare, string, null"));
  EXPECT_THAT(ApplyReading("csrf_status=none", readings), FailsWith(ErrorKind::kInvalid));
}

TEST(ApplyFault, TakesARateBetweenZeroAndOne) {
  FaultOptions options;
  EXPECT_THAT(ApplyFault("reset=0.25", options), IsOk());
  EXPECT_THAT(ApplyFault("reset=2", options), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(ApplyFault("reset", options), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(ApplyFault("explode=0.1", options), FailsWith(ErrorKind::kInvalid));
}

TEST(FaultPlan, StrikesAsOftenAsItsRateAndTheSameWithTheSameSeed) {
  FaultOptions options;
  ASSERT_THAT(ApplyFault("429=0.1", options), IsOk());
  ASSERT_THAT(ApplyFault("slow=0.2", options), IsOk());
  ASSERT_THAT(ApplyFault("part500=0.5", options), IsOk());
  FaultPlan first(options), second(options);
  int limited = 0, slow = 0, parts = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto decision = first.Next(UtcTime{});
    EXPECT_EQ(decision.fault, second.Next(UtcTime{}).fault);
    EXPECT_NE(decision.fault, Fault::kPart500);
    limited += decision.fault == Fault::k429 ? 1 : 0;
    slow += decision.fault == Fault::kSlow ? 1 : 0;
    parts += first.NextPart(UtcTime{}).fault == Fault::kPart500 ? 1 : 0;
  }
  EXPECT_NEAR(limited, 1000, 150);
  EXPECT_NEAR(slow, 2000, 200);
  EXPECT_NEAR(parts, 5000, 300);
}

}  // namespace
}  // namespace pilake::sim
