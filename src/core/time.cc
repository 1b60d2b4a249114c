// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace pilake {
namespace {

constexpr int64_t kTicksPerSecond = 10'000'000;

int64_t DaysFromCivil(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                               static_cast<int>(day))
      .time_since_epoch()
      .count();
}

/// `width` decimal digits at `text`; nothing if one of them is not a digit.
std::optional<int> Digits(std::string_view text, size_t at, size_t width) {
  if (at + width > text.size()) return std::nullopt;
  int value = 0;
  for (size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// The fraction after the dot as 100-ns ticks; `at` moves behind its digits.
std::optional<int64_t> Fraction(std::string_view text, size_t& at) {
  int64_t ticks = 0;
  size_t digits = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
    if (digits < 7) ticks = ticks * 10 + (text[at] - '0');
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (size_t i = digits; i < 7; ++i) ticks *= 10;
  return ticks;
}

/// `Z`, `+hh:mm` or `-hh:mm` at the end of the text, in seconds east of UTC.
std::optional<int> Zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = Digits(text, 1, 2), minutes = Digits(text, 4, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const int seconds = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

std::optional<UtcTime> TryParse(std::string_view text) {
  const auto year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const auto hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  if (text[13] != ':' || text[16] != ':') return std::nullopt;
  const auto date = std::chrono::year(*year) / *month / *day;
  if (*year < 1 || !date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  size_t at = 19;
  int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    const auto read = Fraction(text, ++at);
    if (!read) return std::nullopt;
    fraction = *read;
  }
  const auto zone = Zone(text.substr(at));
  if (!zone) return std::nullopt;
  const int64_t days =
      DaysFromCivil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day));
  const int64_t seconds = days * 86'400 + *hour * 3600 + *minute * 60 + *second - *zone;
  return UtcTime{seconds * kTicksPerSecond + fraction};
}

}  // namespace

Result<UtcTime> ParseUtcTime(std::string_view text) {
  if (const auto time = TryParse(text)) return *time;
  return Fail(ErrorKind::kMalformed, "'{}' is not a time; write it as 2026-01-31T06:00:00Z",
              text.substr(0, 64));
}

std::string FormatUtcTime(UtcTime time) {
  const int64_t second = time.ticks >= 0 ? time.ticks / kTicksPerSecond
                                         : -((-time.ticks + kTicksPerSecond - 1) / kTicksPerSecond);
  int64_t fraction = time.ticks - second * kTicksPerSecond;
  const int64_t day = second >= 0 ? second / 86'400 : -((-second + 86'399) / 86'400);
  const int64_t rest = second - day * 86'400;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  rest / 3600, rest / 60 % 60, rest % 60);
  if (fraction != 0) {
    text += fmt::format(".{:07}", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

Result<Duration> ParseDuration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Duration>, 5> kUnits{
      {{"ms", Duration::Millis(1)},
       {"s", Duration::Seconds(1)},
       {"m", Duration::Minutes(1)},
       {"h", Duration::Hours(1)},
       {"d", Duration::Days(1)}}};
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  for (const auto& [name, length] : kUnits) {
    if (error != std::errc() || unit != name || number < 0) continue;
    if (number > std::numeric_limits<int64_t>::max() / length.ticks / 4) break;
    return length * number;
  }
  return Fail(ErrorKind::kInvalid,
              "'{}' is not a duration; write a number and ms, s, m, h or d, as 10m",
              text.substr(0, 64));
}

std::string DescribeDuration(Duration duration) {
  const double seconds = duration.seconds();
  const double size = std::abs(seconds);
  if (size < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (size < 120) return fmt::format("{:.1f} s", seconds);
  if (size < 7'200) return fmt::format("{:.0f} min", seconds / 60);
  if (size < 172'800) return fmt::format("{:.1f} h", seconds / 3'600);
  return fmt::format("{:.1f} d", seconds / 86'400);
}

}  // namespace pilake
