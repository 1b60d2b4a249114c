// SPDX-License-Identifier: Apache-2.0
#include "decode/timestamp.h"

#include <random>
#include <string>

#include <gmock/gmock.h>

namespace pilake::decode {
namespace {

std::string Padded(std::string text) {
  text.reserve(text.size() + 64);
  return text;
}

/// The slow obvious answer.
std::optional<UtcTime> Obvious(std::string_view text) {
  const auto time = ParseUtcTime(text);
  return time ? std::optional(*time) : std::nullopt;
}

TEST(TimeReader, ReadsWhatPiWrites) {
  TimeReader reader;
  for (const char* text :
       {"2014-07-22T14:00:00Z", "2020-09-02T00:48:53.2522592Z", "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z", "2024-02-29T12:34:56.5Z", "2024-02-29T12:34:56.0000153Z",
        "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.9999999Z"}) {
    const std::string padded = Padded(text);
    UtcTime time;
    EXPECT_EQ(reader.ReadFixed(padded.c_str(), time), padded.c_str() + padded.size()) << text;
    EXPECT_EQ(time, *Obvious(text)) << text;
  }
}

TEST(TimeReader, LeavesOtherFormsToTheGeneralParser) {
  TimeReader reader;
  for (const char* text :
       {"2024-05-01T10:00:00+02:00", "2024-05-01t10:00:00z", "2024-05-01T10:00:00.123456789Z"}) {
    const std::string padded = Padded(text);
    UtcTime time;
    EXPECT_EQ(reader.ReadFixed(padded.c_str(), time), nullptr) << text;
    EXPECT_EQ(reader.Read(text), Obvious(text)) << text;
    EXPECT_TRUE(reader.Read(text).has_value()) << text;
  }
}

TEST(TimeReader, RefusesWhatIsNoTime) {
  TimeReader reader;
  for (const char* text :
       {"", "2024", "2024-05-01T10:00:00", "2024-13-01T10:00:00Z", "2023-02-29T10:00:00Z",
        "2024-05-01T24:00:00Z", "2024-05-01T10:60:00Z", "2024-05-01T10:00:60Z",
        "2024-05-01T10:00:00.Z", "2024-05-01 10:00:00Z", "2024-05-01T1:000:00Z",
        "2024-05-01T10:00:00.12 4Z", "/024-05-01T10:00:00Z", "2024-05-01T10:0::00Z"}) {
    EXPECT_EQ(reader.Read(text), std::nullopt) << text;
  }
}

TEST(TimeReader, IsNotFooledByTheDayItKeeps) {
  TimeReader reader;
  EXPECT_EQ(reader.Read(std::string("\0\0\0\0\0\0\0\0\0\0T00:00:00Z", 20)), std::nullopt);
  EXPECT_TRUE(reader.Read("2024-05-01T10:00:00Z").has_value());
  EXPECT_EQ(reader.Read("2024-05-01T10:00:01Z"), Obvious("2024-05-01T10:00:01Z"));
  EXPECT_EQ(reader.Read("2024-15-01T10:00:01Z"), std::nullopt);
  EXPECT_EQ(reader.Read("2024-05-02T10:00:01Z"), Obvious("2024-05-02T10:00:01Z"));
}

TEST(TimeReader, AgreesWithTheGeneralParserOnAnyTextNearATime) {
  std::mt19937_64 random(7);
  TimeReader reader;
  constexpr std::string_view kBytes = "0123456789-:.TZ+ /;@";
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    const auto ticks = static_cast<int64_t>(random() % 2'000'000'000'000'000'00u);
    std::string text = FormatUtcTime({ticks});
    for (size_t edits = random() % 3; edits > 0; --edits) {
      text[random() % text.size()] = kBytes[random() % kBytes.size()];
    }
    const auto time = reader.Read(text);
    ASSERT_EQ(time, Obvious(text)) << text;
    read += time ? 1 : 0;
  }
  EXPECT_GT(read, 50'000);
}

}  // namespace
}  // namespace pilake::decode
