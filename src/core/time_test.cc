// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"

#include <gmock/gmock.h>

#include "core/matchers.h"

namespace pilake {
namespace {

TEST(ParseUtcTime, ReadsZeroToNineFractionalDigits) {
  EXPECT_THAT(ParseUtcTime("1970-01-01T00:00:00Z"), IsOkWith(UtcTime{0}));
  EXPECT_THAT(ParseUtcTime("1970-01-01T00:00:01.5Z"), IsOkWith(UtcTime{15'000'000}));
  EXPECT_THAT(ParseUtcTime("1970-01-01T00:00:00.0000153Z"), IsOkWith(UtcTime{153}));
  EXPECT_THAT(ParseUtcTime("1970-01-01T00:00:00.000015359Z"), IsOkWith(UtcTime{153}));
}

TEST(ParseUtcTime, ReadsOffsetsFromUtc) {
  EXPECT_THAT(ParseUtcTime("1970-01-01T02:00:00+02:00"), IsOkWith(UtcTime{0}));
  EXPECT_THAT(ParseUtcTime("1969-12-31T19:30:00-04:30"), IsOkWith(UtcTime{0}));
}

TEST(ParseUtcTime, RefusesWhatIsNotAnInstant) {
  for (const char* text :
       {"", "2024", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00Zjunk", "0000-01-01T00:00:00Z", "2024-1-01T00:00:00Z", "*-1d"}) {
    EXPECT_THAT(ParseUtcTime(text), FailsWith(ErrorKind::kMalformed)) << text;
  }
}

TEST(FormatUtcTime, TrimsZerosAndGivesTheTimeBack) {
  EXPECT_EQ(FormatUtcTime(UtcTime{0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatUtcTime(UtcTime{312'500}), "1970-01-01T00:00:00.03125Z");
  EXPECT_EQ(FormatUtcTime(UtcTime{-1}), "1969-12-31T23:59:59.9999999Z");
  for (int64_t ticks = -86'400'000'000'000; ticks < 40'000'000'000'000'000;
       ticks += 98'765'432'109'876) {
    EXPECT_THAT(ParseUtcTime(FormatUtcTime(UtcTime{ticks})), IsOkWith(UtcTime{ticks}));
  }
}

TEST(ParseDuration, ReadsOneNumberAndOneUnit) {
  EXPECT_THAT(ParseDuration("250ms"), IsOkWith(Duration::Millis(250)));
  EXPECT_THAT(ParseDuration("36h"), IsOkWith(Duration::Hours(36)));
  EXPECT_THAT(ParseDuration("0s"), IsOkWith(Duration::Seconds(0)));
}

TEST(ParseDuration, RefusesWhatHasNoUnitOrOverflows) {
  for (const char* text : {"", "10", "h", "-5s", "5 s", "1.5h", "99999999999999999d", "5w"}) {
    EXPECT_THAT(ParseDuration(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

}  // namespace
}  // namespace pilake
