// SPDX-License-Identifier: Apache-2.0
#include "sim/time_string.h"

#include <gmock/gmock.h>

#include "core/matchers.h"

namespace pilake::sim {
namespace {

std::string Read(std::string_view text, Duration zone = {}) {
  // A Thursday.
  const auto time = ParseTimeString(text, *ParseUtcTime("2026-03-19T10:20:30.5Z"), zone);
  return time ? FormatUtcTime(*time) : "refused";
}

TEST(ParseTimeString, ReadsNowAndIntervalsFromIt) {
  EXPECT_EQ(Read("*"), "2026-03-19T10:20:30.5Z");
  EXPECT_EQ(Read(""), "2026-03-19T10:20:30.5Z");
  EXPECT_EQ(Read("*-1d"), "2026-03-18T10:20:30.5Z");
  EXPECT_EQ(Read("-1d"), "2026-03-18T10:20:30.5Z");
  EXPECT_EQ(Read("*-1h30m"), "2026-03-19T08:50:30.5Z");
  EXPECT_EQ(Read("*+15m"), "2026-03-19T10:35:30.5Z");
  EXPECT_EQ(Read("* - 2 hours"), "2026-03-19T08:20:30.5Z");
  EXPECT_EQ(Read("*-500ms"), "2026-03-19T10:20:30Z");
  EXPECT_EQ(Read("*-1mo"), "2026-02-19T10:20:30.5Z");
  EXPECT_EQ(Read("*-1y"), "2025-03-19T10:20:30.5Z");
  EXPECT_EQ(Read("*-2w"), "2026-03-05T10:20:30.5Z");
  EXPECT_EQ(Read("*-01:00:00.5"), "2026-03-19T09:20:30Z");
  EXPECT_EQ(Read("*+1d-1h"), "2026-03-20T09:20:30.5Z");
}

TEST(ParseTimeString, ReadsDaysInTheZoneOfTheCall) {
  EXPECT_EQ(Read("t"), "2026-03-19T00:00:00Z");
  EXPECT_EQ(Read("Today+8h"), "2026-03-19T08:00:00Z");
  EXPECT_EQ(Read("Y"), "2026-03-18T00:00:00Z");
  EXPECT_EQ(Read("Monday"), "2026-03-16T00:00:00Z");
  EXPECT_EQ(Read("thu"), "2026-03-19T00:00:00Z");
  EXPECT_EQ(Read("t", Duration::Hours(-11)), "2026-03-18T11:00:00Z");
}

TEST(ParseTimeString, ReadsIsoWithAndWithoutZone) {
  EXPECT_EQ(Read("2026-01-02T03:04:05.0000153Z"), "2026-01-02T03:04:05.0000153Z");
  EXPECT_EQ(Read("2026-01-02T03:04:05+02:00"), "2026-01-02T01:04:05Z");
  EXPECT_EQ(Read("2026-01-02T03:04:05", Duration::Hours(2)), "2026-01-02T01:04:05Z");
  EXPECT_EQ(Read("2026-01-02"), "2026-01-02T00:00:00Z");
  EXPECT_EQ(Read("2026-01-02 03:04"), "2026-01-02T03:04:00Z");
  EXPECT_EQ(Read("2026-01-02T00:00:00Z-1h"), "2026-01-01T23:00:00Z");
  EXPECT_EQ(Read("2026-03-31T00:00:00Z-1mo"), "2026-02-28T00:00:00Z");
}

TEST(ParseTimeString, RefusesTheRest) {
  for (const char* text : {"yesterdayish", "*-", "*-1", "*-1x", "**", "2026-13-01",
                           "2026-01-02T99:00:00Z", "12/31/2026", "*1d"}) {
    EXPECT_EQ(Read(text), "refused") << text;
  }
}

TEST(ParseTimeZone, KnowsZonesOfOneOffset) {
  EXPECT_THAT(ParseTimeZone("utc"), IsOkWith(Duration{}));
  EXPECT_THAT(ParseTimeZone("-02:30"), IsOkWith(Duration::Minutes(-150)));
  EXPECT_THAT(ParseTimeZone("Mars/Olympus"), FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::sim
