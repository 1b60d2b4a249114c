// SPDX-License-Identifier: Apache-2.0
// Instants and spans in 100-ns ticks, the unit in which PI Web API writes time.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pilake {

/// A span of time in 100-ns ticks.
struct Duration {
  int64_t ticks = 0;

  static constexpr Duration Ticks(int64_t n) { return {n}; }
  static constexpr Duration Micros(int64_t n) { return {n * 10}; }
  static constexpr Duration Millis(int64_t n) { return {n * 10'000}; }
  static constexpr Duration Seconds(int64_t n) { return {n * 10'000'000}; }
  static constexpr Duration Minutes(int64_t n) { return Seconds(n * 60); }
  static constexpr Duration Hours(int64_t n) { return Minutes(n * 60); }
  static constexpr Duration Days(int64_t n) { return Hours(n * 24); }

  constexpr double seconds() const { return static_cast<double>(ticks) / 1e7; }
  constexpr std::chrono::nanoseconds chrono() const {
    return std::chrono::nanoseconds(ticks * 100);
  }
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const { return {ticks + other.ticks}; }
  constexpr Duration operator-(Duration other) const { return {ticks - other.ticks}; }
  constexpr Duration operator*(int64_t factor) const { return {ticks * factor}; }
  constexpr Duration operator/(int64_t divisor) const { return {ticks / divisor}; }
};

/// The Data Archive stores time in steps of 1/65536 s; this is one step, rounded up (wire §5.7).
inline constexpr Duration kArchiveTick = Duration::Micros(16);

/// An instant: 100-ns ticks since 1970-01-01T00:00:00Z.
struct UtcTime {
  int64_t ticks = 0;

  constexpr auto operator<=>(const UtcTime&) const = default;
  constexpr UtcTime operator+(Duration d) const { return {ticks + d.ticks}; }
  constexpr UtcTime operator-(Duration d) const { return {ticks - d.ticks}; }
  constexpr Duration operator-(UtcTime other) const { return {ticks - other.ticks}; }
};

/// Half-open: `begin` belongs to it, `end` does not.
struct TimeRange {
  UtcTime begin;
  UtcTime end;

  constexpr bool empty() const { return end <= begin; }
  constexpr bool contains(UtcTime t) const { return begin <= t && t < end; }
  constexpr Duration length() const { return end - begin; }
  constexpr auto operator<=>(const TimeRange&) const = default;
};

/// Reads `yyyy-MM-ddTHH:mm:ss[.f…](Z|±hh:mm)`; 0 to 9 fractional digits, those beyond 100 ns are
/// cut. Years 1 to 9999. Everything else is `kMalformed`.
Result<UtcTime> ParseUtcTime(std::string_view text);

/// `yyyy-MM-ddTHH:mm:ss[.fffffff]Z`, trailing zeros trimmed. Exact: parsing gives `time` back.
std::string FormatUtcTime(UtcTime time);

/// Reads `250ms`, `30s`, `10m`, `36h`, `7d` (one number, one unit, not negative).
Result<Duration> ParseDuration(std::string_view text);

/// A span for people: `1.5 s`, `12 min`, `3.2 h`, `4 d`.
std::string DescribeDuration(Duration duration);

}  // namespace pilake
