// SPDX-License-Identifier: Apache-2.0
// The calendar: how much of the budget may be used at which hour of the week.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/time.h"

namespace pilake::plan {

/// What waits although the budget would allow it.
enum class Pause : uint8_t { kNone, kBackfill, kAll };

/// A part of the week. Its times are those of a zone with a fixed offset from UTC.
struct CalendarEntry {
  std::array<bool, 7> days{true, true, true, true, true, true, true};  ///< Monday first
  Duration from{};                                                     ///< since midnight
  Duration to = Duration::Days(1);  ///< not after `from`: on the next day
  double scale = 1;                 ///< of the budget
  Pause pause = Pause::kNone;
};

struct Allowance {
  double scale = 1;
  Pause pause = Pause::kNone;

  bool operator==(const Allowance&) const = default;
};

/// What holds at `now`, where local time is UTC + `zone`. Of several entries the strictest counts;
/// outside all of them the whole budget is allowed.
Allowance AllowanceAt(std::span<const CalendarEntry> calendar, Duration zone, UtcTime now);

/// The largest part of the budget that the calendar ever allows.
double LargestScale(std::span<const CalendarEntry> calendar);

}  // namespace pilake::plan
