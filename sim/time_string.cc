// SPDX-License-Identifier: Apache-2.0
// PI time strings: `*`, `*-1d`, `t+8h`, `2026-01-01T00:00:00Z`, … (wire §5.7).
#include "sim/time_string.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include "sim/text.h"

namespace pilake::sim {
namespace {

constexpr Duration kDay = Duration::Days(1);

UtcTime FloorToDay(UtcTime local) {
  const int64_t rest = local.ticks % kDay.ticks;
  return {local.ticks - (rest < 0 ? rest + kDay.ticks : rest)};
}

// Calendar months: the day of the month is kept where that month has it.
UtcTime AddMonths(UtcTime local, int64_t months) {
  const UtcTime midnight = FloorToDay(local);
  const std::chrono::sys_days day{std::chrono::days(midnight.ticks / kDay.ticks)};
  const std::chrono::year_month_day date(day);
  const std::chrono::year_month moved =
      std::chrono::year_month(date.year(), date.month()) + std::chrono::months(months);
  std::chrono::year_month_day target(moved.year(), moved.month(), date.day());
  if (!target.ok())
    target = std::chrono::year_month_day(std::chrono::sys_days(moved / std::chrono::last));
  const auto days = std::chrono::sys_days(target).time_since_epoch().count();
  return UtcTime{days * kDay.ticks} + (local - midnight);
}

struct Unit {
  std::string_view name;
  Duration length;  // zero: months
  int64_t months = 0;
};

const Unit* FindUnit(std::string_view name) {
  static constexpr Unit kUnits[] = {{"ms", Duration::Millis(1)},
                                    {"millisecond", Duration::Millis(1)},
                                    {"milliseconds", Duration::Millis(1)},
                                    {"s", Duration::Seconds(1)},
                                    {"second", Duration::Seconds(1)},
                                    {"seconds", Duration::Seconds(1)},
                                    {"m", Duration::Minutes(1)},
                                    {"minute", Duration::Minutes(1)},
                                    {"minutes", Duration::Minutes(1)},
                                    {"h", Duration::Hours(1)},
                                    {"hour", Duration::Hours(1)},
                                    {"hours", Duration::Hours(1)},
                                    {"d", Duration::Days(1)},
                                    {"day", Duration::Days(1)},
                                    {"days", Duration::Days(1)},
                                    {"w", Duration::Days(7)},
                                    {"week", Duration::Days(7)},
                                    {"weeks", Duration::Days(7)},
                                    {"mo", {}, 1},
                                    {"month", {}, 1},
                                    {"months", {}, 1},
                                    {"y", {}, 12},
                                    {"year", {}, 12},
                                    {"years", {}, 12}};
  const auto* found =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return SameText(u.name, name); });
  return found == std::end(kUnits) ? nullptr : found;
}

std::optional<double> TakeNumber(std::string_view& text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

std::string_view TakeWord(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length])) != 0)
    ++length;
  const std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

void SkipSpaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

// `hh:mm[:ss[.fff]]`
std::optional<Duration> ParseClockSpan(std::string_view text) {
  const auto parts = Split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  double seconds = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    const auto number = TakeNumber(part);
    if (!number || !part.empty()) return std::nullopt;
    seconds += *number * (i == 0 ? 3600 : i == 1 ? 60 : 1);
  }
  return Duration::Ticks(std::llround(seconds * 1e7));
}

// `±…` once or more; all of `text`.
std::optional<UtcTime> AddIntervals(UtcTime local, std::string_view text) {
  int sign = 0;
  while (SkipSpaces(text), !text.empty()) {
    if (text[0] == '+' || text[0] == '-') {
      sign = text[0] == '+' ? 1 : -1;
      text.remove_prefix(1);
      SkipSpaces(text);
    }
    if (sign == 0) return std::nullopt;
    if (text.find(':') != std::string_view::npos) {
      const auto span = ParseClockSpan(text);
      if (!span) return std::nullopt;
      return local + *span * sign;
    }
    const auto number = TakeNumber(text);
    if (!number) return std::nullopt;
    SkipSpaces(text);
    const Unit* unit = FindUnit(TakeWord(text));
    if (unit == nullptr) return std::nullopt;
    if (unit->months != 0) {
      local = AddMonths(local, sign * unit->months * static_cast<int64_t>(*number));
    } else {
      local = local + Duration::Ticks(
                          sign * std::llround(*number * static_cast<double>(unit->length.ticks)));
    }
  }
  return local;
}

// The last day of that name, today included; midnight.
std::optional<UtcTime> ParseWeekday(std::string_view word, UtcTime today) {
  static constexpr std::string_view kDays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                               "thursday", "friday", "saturday"};
  const std::chrono::weekday now(
      std::chrono::sys_days(std::chrono::days(today.ticks / kDay.ticks)));
  for (unsigned i = 0; i < 7; ++i) {
    if (!SameText(word, kDays[i]) && !SameText(word, kDays[i].substr(0, 3))) continue;
    return today - Duration::Days((now - std::chrono::weekday(i)).count());
  }
  return std::nullopt;
}

struct Absolute {
  UtcTime time;
  bool zoned = false;
  std::string_view rest;
};

// ISO 8601 at the front: a date, perhaps a time, perhaps a zone. The rest is an interval.
std::optional<Absolute> TakeIso(std::string_view text) {
  constexpr size_t kDateChars = 10;
  if (text.size() < kDateChars || text[4] != '-' || text[7] != '-') return std::nullopt;
  size_t end = kDateChars;
  std::string time = "T00:00:00";
  if (text.size() > end + 1 && (text[end] == 'T' || text[end] == 't' || text[end] == ' ') &&
      std::isdigit(static_cast<unsigned char>(text[end + 1])) != 0) {
    const size_t begin = ++end;
    while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 ||
                                 text[end] == ':' || text[end] == '.'))
      ++end;
    time = "T" + std::string(text.substr(begin, end - begin));
    if (std::ranges::count(time, ':') == 1) time += ":00";
  }
  std::string zone = "Z";
  bool zoned = false;
  const std::string_view rest = text.substr(end);
  if (rest.starts_with('Z') || rest.starts_with('z')) {
    zoned = true;
    ++end;
  } else if (rest.size() >= 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':') {
    zone = rest.substr(0, 6);
    zoned = true;
    end += 6;
  }
  const auto parsed = ParseUtcTime(std::string(text.substr(0, kDateChars)) + time + zone);
  if (!parsed) return std::nullopt;
  return Absolute{*parsed, zoned, text.substr(end)};
}

std::optional<UtcTime> Parse(std::string_view text, UtcTime now, Duration zone) {
  const UtcTime local = now + zone, today = FloorToDay(local);
  if (text.empty()) return now;
  if (text[0] == '*')
    text.remove_prefix(1);
  else if (const auto iso = TakeIso(text)) {
    const auto moved = AddIntervals(iso->time, iso->rest);
    if (!moved) return std::nullopt;
    return iso->zoned ? *moved : *moved - zone;
  } else if (std::isalpha(static_cast<unsigned char>(text[0])) != 0) {
    const std::string_view word = TakeWord(text);
    std::optional<UtcTime> day = ParseWeekday(word, today);
    if (SameText(word, "t") || SameText(word, "today")) day = today;
    if (SameText(word, "y") || SameText(word, "yesterday")) day = today - kDay;
    if (!day) return std::nullopt;
    const auto moved = AddIntervals(*day, text);
    if (!moved) return std::nullopt;
    return *moved - zone;
  }
  const auto moved = AddIntervals(local, text);
  if (!moved) return std::nullopt;
  return *moved - zone;
}

}  // namespace

Result<UtcTime> ParseTimeString(std::string_view text, UtcTime now, Duration zone) {
  const auto time = Parse(Trim(text), now, zone);
  if (!time) return Fail(ErrorKind::kInvalid, "The specified time string '{}' is not valid.", text);
  return *time;
}

Result<Duration> ParseTimeZone(std::string_view text) {
  for (const std::string_view name :
       {"UTC", "GMT", "Z", "Etc/UTC", "Etc/GMT", "Etc/Universal", "Coordinated Universal Time"}) {
    if (SameText(text, name)) return Duration{};
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    if (const auto span = ParseClockSpan(text.substr(1))) return *span * (text[0] == '+' ? 1 : -1);
  }
  return Fail(ErrorKind::kInvalid, "The time zone '{}' is not recognized.", text);
}

}  // namespace pilake::sim
