// SPDX-License-Identifier: Apache-2.0
#include "decode/value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace pilake::decode {
namespace {

/// The whole of `text` as a number of a point of this type.
std::optional<Value> Read(const std::string& text, PointType type) {
  Value value;
  return ReadNumber(text.c_str(), type, value) == text.c_str() + text.size() ? std::optional(value)
                                                                             : std::nullopt;
}

double FloatOf(const std::optional<Value>& value) {
  EXPECT_TRUE(value && value->kind == ValueKind::kFloat);
  return value ? std::bit_cast<double>(value->number) : 0;
}

TEST(ReadNumber, KeepsIntegersExactBeyondTheReachOfDoubles) {
  for (const int64_t number :
       {int64_t{0}, int64_t{-1}, int64_t{9'007'199'254'740'993},
        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    const auto value = Read(std::to_string(number), PointType::kInt64);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->kind, ValueKind::kInt);
    EXPECT_EQ(value->number, number);
  }
}

TEST(ReadNumber, MakesFloatsOfWhatAnIntegerPointCannotHold) {
  EXPECT_EQ(FloatOf(Read("9223372036854775808", PointType::kInt64)), 9223372036854775808.0);
  EXPECT_EQ(FloatOf(Read("-9223372036854775809", PointType::kUnknown)), -9223372036854775808.0);
  EXPECT_EQ(FloatOf(Read("1.5", PointType::kInt32)), 1.5);
  EXPECT_EQ(FloatOf(Read("1.0", PointType::kInt32)), 1.0);
  EXPECT_EQ(FloatOf(Read("1e3", PointType::kInt32)), 1000.0);
}

TEST(ReadNumber, MakesFloatsOfIntegersOnFloatPoints) {
  EXPECT_EQ(FloatOf(Read("7", PointType::kFloat64)), 7.0);
  EXPECT_EQ(FloatOf(Read("16777217", PointType::kFloat32)), 16777216.0);
  EXPECT_TRUE(std::signbit(FloatOf(Read("-0", PointType::kFloat64))));
}

TEST(ReadNumber, FollowsJsonsGrammar) {
  for (const char* text : {"", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "0x1", "1_0", "NaN",
                           "inf", " 1", "1.e5", "--1"}) {
    EXPECT_FALSE(Read(text, PointType::kFloat64).has_value()) << text;
    EXPECT_FALSE(IsNumber(text)) << text;
  }
  for (const char* text : {"0", "-0.0", "1E5", "1e+05", "1e-5", "0e0", "1e999"}) {
    EXPECT_TRUE(IsNumber(text)) << text;
  }
}

TEST(ReadNumber, RefusesWhatIsBeyondTheLargestAndRoundsWhatIsBelowTheSmallest) {
  EXPECT_FALSE(Read("1e400", PointType::kFloat64).has_value());
  EXPECT_FALSE(Read("-123456789012345678901234567890e99999999999999", PointType::kFloat64));
  EXPECT_FALSE(Read("1e39", PointType::kFloat32).has_value());
  EXPECT_EQ(FloatOf(Read("1e-400", PointType::kFloat64)), 0.0);
  EXPECT_TRUE(std::signbit(FloatOf(Read("-1e-50", PointType::kFloat32))));
  EXPECT_EQ(FloatOf(Read("0e99999999999", PointType::kFloat64)), 0.0);
  EXPECT_EQ(FloatOf(Read("0.00000000000000000000000000001e28", PointType::kFloat64)), 0.1);
}

TEST(ReadNumber, RoundsAFloat32OnceFromItsDecimalText) {
  // Just above the middle of two floats: through a double the number would land on the middle, and
  // from there on the even neighbour.
  EXPECT_EQ(FloatOf(Read("1.00000017881393432617187500000001", PointType::kFloat32)),
            static_cast<double>(std::nextafter(std::nextafter(1.0f, 2.0f), 2.0f)));
  EXPECT_EQ(FloatOf(Read("1.000000178813934326", PointType::kFloat32)),
            static_cast<double>(std::nextafter(1.0f, 2.0f)));
}

/// A decimal text with the habits of servers: few digits, many digits, odd exponents.
std::string AnyNumber(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:
      return fmt::format("{}", std::bit_cast<float>(static_cast<uint32_t>(random())));
    case 1:
      return fmt::format("{}", std::bit_cast<double>(random()));
    case 2:
      return fmt::format("{}.{}", random() % 100'000, random() % 10'000'000);
    case 3:
      return fmt::format("{}{}.{:020}e{}", random(), random(), random(),
                         static_cast<int>(random() % 80) - 40);
    case 4:
      return fmt::format("-0.{:019}{}", random() % 1'000'000, random());
    default:
      return fmt::format("{:.9}", std::bit_cast<float>(static_cast<uint32_t>(random())));
  }
}

TEST(ReadNumber, EqualsTheLibrarysConversionForAnyText) {
  std::mt19937_64 random(11);
  int compared = 0;
  for (int round = 0; round < 300'000; ++round) {
    const std::string text = AnyNumber(random);
    if (!IsNumber(text)) continue;  // NaN and infinity
    const double as_double = std::strtod(text.c_str(), nullptr);
    const float as_float = std::strtof(text.c_str(), nullptr);
    const auto wide = Read(text, PointType::kFloat64), narrow = Read(text, PointType::kFloat32);
    ASSERT_EQ(wide.has_value(), std::isfinite(as_double)) << text;
    ASSERT_EQ(narrow.has_value(), std::isfinite(as_float)) << text;
    if (wide) {
      ASSERT_EQ(wide->number, std::bit_cast<int64_t>(as_double)) << text;
    }
    if (narrow) {
      ASSERT_EQ(narrow->number, std::bit_cast<int64_t>(static_cast<double>(as_float))) << text;
    }
    ++compared;
  }
  EXPECT_GT(compared, 200'000);
}

TEST(TypedString, FollowsTheTypeOfThePoint) {
  EXPECT_EQ(TypedString("x", PointType::kString).kind, ValueKind::kString);
  EXPECT_EQ(TypedString("2024-05-01T10:00:00Z", PointType::kTimestamp).kind, ValueKind::kTimestamp);
  EXPECT_EQ(TypedString("AAAA", PointType::kBlob).kind, ValueKind::kBlob);
  EXPECT_EQ(TypedString("Bad Data", PointType::kFloat32).kind, ValueKind::kString);
  EXPECT_EQ(TypedString("x", PointType::kUnknown).kind, ValueKind::kString);
  EXPECT_EQ(TypedString("NaN", PointType::kInt32).kind, ValueKind::kString);
  EXPECT_EQ(TypedString("NaN", PointType::kString).kind, ValueKind::kString);
}

TEST(TypedString, ReadsTheNonFiniteNumbersOfFloatPoints) {
  EXPECT_TRUE(std::isnan(FloatOf(TypedString("NaN", PointType::kFloat16))));
  EXPECT_EQ(FloatOf(TypedString("Infinity", PointType::kFloat64)), HUGE_VAL);
  EXPECT_EQ(FloatOf(TypedString("-Infinity", PointType::kFloat32)), -HUGE_VAL);
}

TEST(ReadBareWord, KnowsJsonsWordsAndTheNonFiniteOnes) {
  EXPECT_EQ(ReadBareWord("true")->number, 1);
  EXPECT_EQ(ReadBareWord("false")->kind, ValueKind::kInt);
  EXPECT_EQ(ReadBareWord("null")->kind, ValueKind::kNull);
  EXPECT_EQ(FloatOf(ReadBareWord("-Infinity")), -HUGE_VAL);
  for (const char* word : {"", "nul", "True", "nan", "inf", "-NaN", "truex"}) {
    EXPECT_FALSE(ReadBareWord(word).has_value()) << word;
  }
}

}  // namespace
}  // namespace pilake::decode
