// SPDX-License-Identifier: Apache-2.0
#include "decode/value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace pilake::decode {
namespace {

constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

/// A JSON number taken apart: (-1)^negative × mantissa × 10^exponent, exact while `digits` ≤ 19.
struct Number {
  const char* begin = nullptr;
  const char* end = nullptr;
  uint64_t mantissa = 0;
  int digits = 0;  // significant ones, those behind the 19th included
  int64_t exponent = 0;
  bool is_negative = false;
  bool is_integer = true;  // written without fraction and exponent
};

constexpr int kMantissaDigits = 19;  // what always fits into 64 bits

/// Takes the digits at `p` into the mantissa.
const char* ScanDigits(const char* p, Number& number, bool is_fraction) {
  for (; IsDigit(*p); ++p) {
    if (number.digits < kMantissaDigits) {
      number.mantissa = number.mantissa * 10 + static_cast<uint64_t>(*p - '0');
      number.exponent -= is_fraction ? 1 : 0;
      number.digits += number.mantissa != 0 ? 1 : 0;
    } else {
      number.exponent += is_fraction ? 0 : 1;
      ++number.digits;
    }
  }
  return p;
}

/// Takes the exponent behind its `e`; null if there is none.
const char* ScanExponent(const char* p, Number& number) {
  constexpr int64_t kBeyondAll = 100'000'000;
  const bool is_negative = *p == '-';
  if (*p == '-' || *p == '+') ++p;
  if (!IsDigit(*p)) return nullptr;
  int64_t exponent = 0;
  for (; IsDigit(*p); ++p) exponent = std::min(exponent * 10 + (*p - '0'), kBeyondAll);
  number.exponent += is_negative ? -exponent : exponent;
  return p;
}

/// JSON's grammar for numbers: nothing that begins with `+`, `.` or a needless zero.
bool Scan(const char* p, Number& number) {
  number.begin = p;
  number.is_negative = *p == '-';
  if (number.is_negative) ++p;
  if (!IsDigit(*p)) return false;
  if (*p == '0' && IsDigit(p[1])) return false;
  p = ScanDigits(p, number, false);
  if (*p == '.') {
    number.is_integer = false;
    if (!IsDigit(p[1])) return false;
    p = ScanDigits(p + 1, number, true);
  }
  if (*p == 'e' || *p == 'E') {
    number.is_integer = false;
    p = ScanExponent(p + 1, number);
    if (p == nullptr) return false;
  }
  number.end = p;
  return true;
}

constexpr std::array<double, 23> kPowersOfTen{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// The double nearest to the number when mantissa and power of ten are both exact doubles, so that
/// one rounding makes it (Clinger's fast path).
bool QuickDouble(const Number& number, double& value) {
  constexpr uint64_t kExactMax = uint64_t{1} << 53;
  if (number.digits > kMantissaDigits || number.mantissa > kExactMax || number.exponent < -22 ||
      number.exponent > 22) {
    return false;
  }
  value = static_cast<double>(number.mantissa);
  if (number.exponent < 0) {
    value /= kPowersOfTen[static_cast<size_t>(-number.exponent)];
  } else {
    value *= kPowersOfTen[static_cast<size_t>(number.exponent)];
  }
  if (number.is_negative) value = -value;
  return true;
}

/// The nearest Float, however long the text; nothing if it is beyond the largest.
template <typename Float>
std::optional<Float> SlowFloat(const Number& number) {
  Float value = 0;
  if (std::from_chars(number.begin, number.end, value).ec == std::errc()) return value;
  const bool is_huge = number.exponent + std::min(number.digits, kMantissaDigits) > 0;
  if (is_huge && number.mantissa != 0) return std::nullopt;
  return number.is_negative ? -Float{0} : Float{0};
}

std::optional<double> NearestDouble(const Number& number) {
  double value = 0;
  if (QuickDouble(number, value)) return value;
  return SlowFloat<double>(number);
}

/// Rounding the nearest double again gives the nearest float, unless that double lies exactly half
/// way between two floats: then only the text can tell on which side the number was.
std::optional<double> NearestFloat(const Number& number) {
  double value = 0;
  constexpr double kNormalMin = 1e-30, kNormalMax = 1e30;
  if (QuickDouble(number, value)) {
    const double size = std::abs(value);
    constexpr uint64_t kDroppedBits = (uint64_t{1} << 29) - 1, kHalfWay = uint64_t{1} << 28;
    const bool is_half_way = (std::bit_cast<uint64_t>(value) & kDroppedBits) == kHalfWay;
    const bool is_normal = size == 0 || (size > kNormalMin && size < kNormalMax);
    if (is_normal && !is_half_way) return static_cast<float>(value);
  }
  const auto nearest = SlowFloat<float>(number);
  if (!nearest) return std::nullopt;
  return *nearest;
}

bool FitsInt64(const Number& number) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return number.digits <= kMantissaDigits && number.mantissa <= kMax + (number.is_negative ? 1 : 0);
}

bool IsFloat(PointType type) {
  return type == PointType::kFloat16 || type == PointType::kFloat32 || type == PointType::kFloat64;
}

Value FloatValue(double value) {
  return {ValueKind::kFloat, std::bit_cast<int64_t>(value), {}};
}

std::optional<double> NonFinite(std::string_view word) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (word == "Infinity") return kInfinity;
  if (word == "-Infinity") return -kInfinity;
  return std::nullopt;
}

}  // namespace

const char* ReadNumber(const char* text, PointType type, Value& value) {
  Number number;
  if (!Scan(text, number)) return nullptr;
  if (number.is_integer && !IsFloat(type) && FitsInt64(number)) {
    const uint64_t size = number.mantissa;
    value = {ValueKind::kInt, static_cast<int64_t>(number.is_negative ? 0 - size : size), {}};
    return number.end;
  }
  const bool is_single = type == PointType::kFloat16 || type == PointType::kFloat32;
  const auto nearest = is_single ? NearestFloat(number) : NearestDouble(number);
  if (!nearest) return nullptr;
  value = FloatValue(*nearest);
  return number.end;
}

bool IsNumber(std::string_view token) {
  // The scan needs a byte behind the token that ends it, which a view does not promise.
  constexpr std::string_view kParts = "+-.0123456789Ee";
  if (token.empty() || token.find_first_not_of(kParts) != std::string_view::npos) return false;
  const std::string copy(token);
  Number number;
  return Scan(copy.c_str(), number) && number.end == copy.c_str() + copy.size();
}

Value TypedString(std::string_view text, PointType type) {
  if (IsFloat(type)) {
    if (const auto value = NonFinite(text)) return FloatValue(*value);
  }
  switch (type) {
    case PointType::kTimestamp:
      return {ValueKind::kTimestamp, 0, text};
    case PointType::kBlob:
      return {ValueKind::kBlob, 0, text};
    default:
      return {ValueKind::kString, 0, text};
  }
}

std::optional<Value> ReadBareWord(std::string_view token) {
  if (token == "true") return Value{ValueKind::kInt, 1, {}};
  if (token == "false") return Value{ValueKind::kInt, 0, {}};
  if (token == "null") return Value{};
  if (const auto value = NonFinite(token)) return FloatValue(*value);
  return std::nullopt;
}

Value TypedState(std::string_view name, int64_t code, bool is_system) {
  return {is_system ? ValueKind::kSystem : ValueKind::kDigital, code, name};
}

Value Untyped(std::string_view raw_json) {
  return {ValueKind::kError, 0, raw_json};
}

}  // namespace pilake::decode
