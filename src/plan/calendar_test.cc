// SPDX-License-Identifier: Apache-2.0
#include "plan/calendar.h"

#include <vector>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

UtcTime At(std::string_view text) {
  return ParseUtcTime(text).value();
}

constexpr Duration kUtc{};
// Working hours on Monday to Friday: a quarter. 2026-03-02 is a Monday.
constexpr CalendarEntry kWorkingHours{.days = {true, true, true, true, true, false, false},
                                      .from = Duration::Hours(7),
                                      .to = Duration::Hours(18),
                                      .scale = 0.25};

TEST(AllowanceAt, IsTheWholeBudgetOutsideAllEntries) {
  const std::vector calendar{kWorkingHours};
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T06:59:59Z")), Allowance{});
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T18:00:00Z")), Allowance{});
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-07T12:00:00Z")), Allowance{});
  EXPECT_EQ(AllowanceAt({}, kUtc, At("2026-03-02T12:00:00Z")), Allowance{});
}

TEST(AllowanceAt, IsTheEntrysWithinItsHoursAndDays) {
  const std::vector calendar{kWorkingHours};
  for (const char* time : {"2026-03-02T07:00:00Z", "2026-03-04T12:00:00Z", "2026-03-06T17:59:59Z",
                           "1969-12-31T12:00:00Z"}) {
    EXPECT_EQ(AllowanceAt(calendar, kUtc, At(time)), (Allowance{0.25, Pause::kNone})) << time;
  }
}

TEST(AllowanceAt, ReckonsInTheZone) {
  const std::vector calendar{kWorkingHours};
  const Duration zone = Duration::Hours(-5);
  EXPECT_EQ(AllowanceAt(calendar, zone, At("2026-03-02T11:59:00Z")), Allowance{});
  EXPECT_EQ(AllowanceAt(calendar, zone, At("2026-03-02T12:00:00Z")).scale, 0.25);
  EXPECT_EQ(AllowanceAt(calendar, zone, At("2026-03-06T22:59:00Z")).scale, 0.25);
  EXPECT_EQ(AllowanceAt(calendar, zone, At("2026-03-06T23:00:00Z")), Allowance{});
}

TEST(AllowanceAt, LetsAnEntryThatPassesMidnightBelongToTheDayItBegan) {
  // The archive is backed up in the night of Sunday to Monday.
  const std::vector calendar{CalendarEntry{.days = {false, false, false, false, false, false, true},
                                           .from = Duration::Hours(23),
                                           .to = Duration::Hours(2),
                                           .pause = Pause::kAll}};
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-01T22:59:00Z")).pause, Pause::kNone);
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-01T23:00:00Z")).pause, Pause::kAll);
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T01:59:00Z")).pause, Pause::kAll);
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T02:00:00Z")).pause, Pause::kNone);
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T23:30:00Z")).pause, Pause::kNone);
}

TEST(AllowanceAt, TakesTheStrictestOfEntriesThatOverlap) {
  const std::vector calendar{
      CalendarEntry{.from = Duration{}, .scale = 2}, kWorkingHours,
      CalendarEntry{
          .from = Duration::Hours(12), .to = Duration::Hours(13), .pause = Pause::kBackfill}};
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T03:00:00Z")), (Allowance{2, Pause::kNone}));
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T10:00:00Z")),
            (Allowance{0.25, Pause::kNone}));
  EXPECT_EQ(AllowanceAt(calendar, kUtc, At("2026-03-02T12:30:00Z")),
            (Allowance{0.25, Pause::kBackfill}));
  EXPECT_EQ(LargestScale(calendar), 2);
}

}  // namespace
}  // namespace pilake::plan
