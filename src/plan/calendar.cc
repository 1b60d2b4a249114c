// SPDX-License-Identifier: Apache-2.0
#include "plan/calendar.h"

#include <algorithm>

namespace pilake::plan {
namespace {

constexpr int64_t kDay = Duration::Days(1).ticks;

struct Local {
  size_t weekday;  ///< 0 is Monday
  Duration since_midnight;
};

Local LocalTime(UtcTime now, Duration zone) {
  const int64_t ticks = (now + zone).ticks;
  const int64_t day = ticks >= 0 ? ticks / kDay : (ticks - kDay + 1) / kDay;
  constexpr int64_t kThursday = 3;  // 1970-01-01
  return {static_cast<size_t>(((day + kThursday) % 7 + 7) % 7),
          Duration::Ticks(ticks - day * kDay)};
}

bool Covers(const CalendarEntry& entry, const Local& local) {
  const size_t yesterday = (local.weekday + 6) % 7;
  const Duration at = local.since_midnight;
  if (entry.from < entry.to) return entry.days[local.weekday] && entry.from <= at && at < entry.to;
  return (entry.days[local.weekday] && entry.from <= at) ||
         (entry.days[yesterday] && at < entry.to);
}

}  // namespace

Allowance AllowanceAt(std::span<const CalendarEntry> calendar, Duration zone, UtcTime now) {
  const Local local = LocalTime(now, zone);
  Allowance allowance;
  bool is_first = true;
  for (const CalendarEntry& entry : calendar) {
    if (!Covers(entry, local)) continue;
    allowance.scale = is_first ? entry.scale : std::min(allowance.scale, entry.scale);
    allowance.pause = std::max(allowance.pause, entry.pause);
    is_first = false;
  }
  return allowance;
}

double LargestScale(std::span<const CalendarEntry> calendar) {
  double largest = 1;
  for (const CalendarEntry& entry : calendar) largest = std::max(largest, entry.scale);
  return largest;
}

}  // namespace pilake::plan
