// SPDX-License-Identifier: Apache-2.0
#include "sim/archive.h"

#include <gmock/gmock.h>

#include "sim/test_world.h"
#include "sim/value.h"

namespace pilake::sim {
namespace {

TEST(Rendered, RoundsMultiplesOfTheArchiveTickToHundredNanoseconds) {
  EXPECT_EQ(FormatUtcTime(Rendered(1)), "1970-01-01T00:00:00.0000153Z");
  EXPECT_EQ(FormatUtcTime(Rendered(2)), "1970-01-01T00:00:00.0000305Z");
  EXPECT_EQ(FormatUtcTime(Rendered(3)), "1970-01-01T00:00:00.0000458Z");
  EXPECT_EQ(FormatUtcTime(Rendered(32768)), "1970-01-01T00:00:00.5Z");
  EXPECT_EQ(FormatUtcTime(Rendered(65535)), "1970-01-01T00:00:00.9999847Z");
  EXPECT_EQ(FormatUtcTime(Rendered(-1)), "1969-12-31T23:59:59.9999847Z");
}

TEST(FirstAtOrAfter, InvertsRendered) {
  for (Units units = 117'000'000'000'000; units < 117'000'000'070'000; units += 7) {
    ASSERT_EQ(FirstAtOrAfter(Rendered(units)), units);
    ASSERT_EQ(FirstAtOrAfter(Rendered(units) + Duration::Ticks(1)), units + 1);
  }
}

class EveryPlant : public testing::TestWithParam<const char*> {
 protected:
  static int64_t Points(const std::string& plant) {
    return plant == "wide" || plant == "live" ? 500 : 0;
  }

  const Plant plant_ = MakePlant(GetParam(), Points(GetParam()));
  const UtcTime now_ = At("2026-03-02T03:00:00Z");
};

TEST_P(EveryPlant, HasEventsInTheOrderOfTheirTimes) {
  for (const Point& point : plant_.points()) {
    const Archive archive(plant_, point, now_);
    const int64_t end = std::min<int64_t>(archive.end(), 5000);
    for (int64_t i = 1; i < end; ++i) {
      ASSERT_LE(archive.TimeAt(i - 1), archive.TimeAt(i)) << point.name << " at " << i;
    }
  }
}

TEST_P(EveryPlant, FindsTheIndexOfATime) {
  for (const Point& point : plant_.points()) {
    const Archive archive(plant_, point, now_);
    for (int64_t i = 0; i < std::min<int64_t>(archive.end(), 3000); i += 1 + i / 50) {
      const Units time = archive.TimeAt(i);
      const int64_t found = archive.IndexAtOrAfter(time);
      ASSERT_LE(found, i) << point.name;
      ASSERT_EQ(archive.TimeAt(found), time) << point.name;
      ASSERT_TRUE(found == 0 || archive.TimeAt(found - 1) < time) << point.name;
      const int64_t after = archive.IndexAtOrAfter(time + 1);
      ASSERT_GT(after, i) << point.name;
      ASSERT_TRUE(after == point.events_max || archive.TimeAt(after) > time) << point.name;
    }
  }
}

TEST_P(EveryPlant, ShowsNothingThatHasNotComeYet) {
  for (const Point& point : plant_.points()) {
    const Archive archive(plant_, point, now_);
    if (archive.end() == 0) continue;
    const Duration ahead = Rendered(point.ahead) - Rendered(0);
    EXPECT_LE(Rendered(archive.TimeAt(archive.end() - 1)), now_ + ahead + Duration::Ticks(1))
        << point.name;
    if (archive.end() < point.events_max) {
      EXPECT_GT(Rendered(archive.TimeAt(archive.end())), now_ + ahead - Duration::Ticks(1))
          << point.name;
    }
  }
}

// What is visible behind the snapshot stays; the snapshot itself stays or goes, once and for all.
TEST_P(EveryPlant, DecidesAboutASnapshotWhenTheNextEventComes) {
  int64_t discarded = 0;
  for (const Point& point : plant_.points()) {
    const Archive before(plant_, point, now_), after(plant_, point, now_ + Duration::Hours(3));
    ASSERT_LE(before.end(), after.end());
    for (int64_t i = std::max<int64_t>(0, before.end() - 200); i + 1 < before.end(); ++i) {
      ASSERT_EQ(before.Visible(i), after.Visible(i)) << point.name;
    }
    if (before.end() == 0) continue;
    EXPECT_TRUE(before.Visible(before.end() - 1)) << point.name;
    if (after.end() > before.end() && !after.Visible(before.end() - 1)) ++discarded;
  }
  const bool compresses = std::string(GetParam()) == "mixed" || std::string(GetParam()) == "demo";
  EXPECT_EQ(discarded > 0, compresses);
}

TEST_P(EveryPlant, ShowsTheSameEventWheneverItIsAsked) {
  for (const Point& point : plant_.points()) {
    const Archive archive(plant_, point, now_), later(plant_, point, now_ + Duration::Days(9));
    Event first, second;
    second.text = "left over from another event";
    for (int64_t i = 0; i < std::min<int64_t>(archive.end(), 300); ++i) {
      archive.Read(i, first);
      later.Read(i, second);
      ASSERT_EQ(first.time, second.time);
      ASSERT_EQ(first.form, second.form);
      ASSERT_EQ(first.integer, second.integer);
      ASSERT_EQ(std::bit_cast<uint64_t>(first.number), std::bit_cast<uint64_t>(second.number));
      if (first.form == Form::kText || first.form == Form::kState || first.form == Form::kArray) {
        ASSERT_EQ(first.text, second.text) << point.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Archive, EveryPlant,
                         testing::Values("demo", "mixed", "bench", "wide", "live"),
                         [](const auto& plant) { return std::string(plant.param); });

}  // namespace
}  // namespace pilake::sim
