// SPDX-License-Identifier: Apache-2.0
#include "decode/timestamp.h"

#include <array>
#include <bit>
#include <cstring>

namespace pilake::decode {
namespace {

static_assert(std::endian::native == std::endian::little, "the byte tricks here need it");

constexpr uint64_t kOnes = 0x0101010101010101u;
constexpr size_t kShortest = sizeof("2024-01-01T00:00:00Z") - 1;
constexpr size_t kLongest = sizeof("2024-01-01T00:00:00.1234567Z") - 1;

uint64_t Load8(const char* text) {
  uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word;
}

/// Bytes that are decimal digits' values (0 to 9) in memory order, as one number.
uint64_t EightDigits(uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return ((digits & 0x000000FF000000FFu) * 0x000F424000000064u +
          (digits >> 16 & 0x000000FF000000FFu) * 0x0000271000000001u) >>
         32;
}

/// Seconds of the day at `hh:mm:ss`, or -1.
int64_t SecondsOfDay(const char* text) {
  constexpr uint64_t kShape = 0x30303A30303A3030u;  // "00:00:00"
  constexpr uint64_t kColons = 0x0000FF0000FF0000u;
  const uint64_t digits = Load8(text) ^ kShape;
  const bool is_shaped = (digits & kColons) == 0 && (digits & kOnes * 0xF0) == 0 &&
                         ((digits + kOnes * 6) & kOnes * 0xF0) == 0;
  if (!is_shaped) return -1;
  const uint64_t pairs = digits * 10 + (digits >> 8);
  const auto hour = static_cast<int64_t>(pairs & 0xFF);
  const auto minute = static_cast<int64_t>(pairs >> 24 & 0xFF);
  const auto second = static_cast<int64_t>(pairs >> 48 & 0xFF);
  return hour < 24 && minute < 60 && second < 60 ? hour * 3600 + minute * 60 + second : -1;
}

/// How many digits `text` begins with, at most 8, and their values, right-aligned in memory order.
struct Digits {
  unsigned count = 0;
  uint64_t aligned = 0;
};
Digits LeadingDigits(const char* text) {
  const uint64_t values = Load8(text) ^ kOnes * '0';
  // A byte above 9 sets its high bit. What it carries reaches only bytes behind the first such one.
  const uint64_t others = ((values + kOnes * 0x76) | values) & kOnes * 0x80;
  const auto count = static_cast<unsigned>(std::countr_zero(others)) / 8;
  return {count, count == 0 ? 0 : values << 8 * (8 - count)};
}

}  // namespace

bool TimeReader::ReadDay(const char* text) {
  std::array<char, kShortest> midnight{};
  std::memcpy(midnight.data(), text, day_.size());
  std::memcpy(midnight.data() + day_.size(), "T00:00:00Z", 10);
  const auto day = ParseUtcTime({midnight.data(), midnight.size()});
  if (!day) return false;
  std::memcpy(day_.data(), text, day_.size());
  day_ticks_ = day->ticks;
  return true;
}

const char* TimeReader::ReadFixed(const char* text, UtcTime& time) {
  if (std::memcmp(text, day_.data(), day_.size()) != 0 && !ReadDay(text)) return nullptr;
  if (text[10] != 'T') return nullptr;
  const int64_t seconds = SecondsOfDay(text + 11);
  if (seconds < 0) return nullptr;
  const int64_t ticks = day_ticks_ + seconds * 10'000'000;
  if (text[19] == 'Z') {
    time = {ticks};
    return text + 20;
  }
  if (text[19] != '.') return nullptr;
  const Digits fraction = LeadingDigits(text + 20);
  constexpr std::array<int64_t, 8> kScale{0, 1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  if (fraction.count == 0 || fraction.count > 7 || text[20 + fraction.count] != 'Z') return nullptr;
  time = {ticks + static_cast<int64_t>(EightDigits(fraction.aligned)) * kScale[fraction.count]};
  return text + 21 + fraction.count;
}

std::optional<UtcTime> TimeReader::Read(std::string_view text) {
  if (text.size() >= kShortest && text.size() <= kLongest) {
    std::array<char, 32> padded{};
    std::memcpy(padded.data(), text.data(), text.size());
    UtcTime time;
    if (ReadFixed(padded.data(), time) == padded.data() + text.size()) return time;
  }
  const auto time = ParseUtcTime(text);
  if (!time) return std::nullopt;
  return *time;
}

}  // namespace pilake::decode
