// SPDX-License-Identifier: Apache-2.0
#include "sim/plant.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "sim/archive.h"
#include "sim/test_world.h"

namespace pilake::sim {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Ge;
using testing::Key;
using testing::Le;

int64_t CountVisible(const Plant& plant, UtcTime now) {
  int64_t events = 0;
  for (const Point& point : plant.points()) {
    const Archive archive(plant, point, now);
    for (int64_t i = 0; i < archive.end(); ++i) events += archive.Visible(i) ? 1 : 0;
  }
  return events;
}

TEST(Plant, DemoHasMoreThanTwoMillionEventsADay) {
  const Plant plant = MakePlant("demo");
  EXPECT_EQ(plant.points().size(), 200U);
  EXPECT_THAT(CountVisible(plant, At("2026-03-02T00:00:00Z")), Ge(2'150'000));
}

TEST(Plant, HeavyHasFewPointsWithMostOfTheEventsAndManyWithNone) {
  const Plant plant = MakePlant("heavy");
  std::vector<int64_t> events;
  int64_t sum = 0, dead = 0;
  for (const Point& point : plant.points()) {
    const int64_t end = Archive(plant, point, At("2026-03-03T00:00:00Z")).end();
    const int64_t fresh = end - Archive(plant, point, At("2026-03-02T23:00:00Z")).end();
    events.push_back(end);
    sum += end;
    dead += point.events_max <= 1 || (fresh == 0 && point.events_max == end) ? 1 : 0;
  }
  std::ranges::sort(events, std::greater());
  int64_t first_tenth = 0;
  for (size_t i = 0; i < events.size() / 10; ++i) first_tenth += events[i];
  EXPECT_GT(first_tenth, sum * 9 / 10);
  EXPECT_THAT(dead, AllOf(Ge(1200), Le(1500)));
  EXPECT_THAT(sum, AllOf(Ge(2'000'000), Le(12'000'000)));
}

TEST(Plant, SlowHasEventsEveryFewHoursToEveryFewWeeks) {
  const Plant plant = MakePlant("slow");
  for (const Point& point : plant.points()) {
    const int64_t events = Archive(plant, point, At("2026-05-30T00:00:00Z")).end();
    EXPECT_THAT(events, AllOf(Ge(3), Le(750))) << point.name;
  }
}

TEST(Plant, MixedHasEveryTypeAndEveryForm) {
  const Plant plant = MakePlant("mixed");
  EXPECT_GE(plant.points().size(), 300U);
  std::map<PointType, std::set<Form>> forms;
  Event event;
  for (const Point& point : plant.points()) {
    const Archive archive(plant, point, At("2026-03-04T00:00:00Z"));
    for (int64_t i = 0; i < std::min<int64_t>(archive.end(), 4000); ++i) {
      archive.Read(i, event);
      forms[point.type].insert(event.form);
    }
  }
  for (const PointType type :
       {PointType::kFloat16, PointType::kFloat32, PointType::kFloat64, PointType::kInt16,
        PointType::kInt32, PointType::kInt64, PointType::kDigital, PointType::kString,
        PointType::kTimestamp, PointType::kBlob}) {
    ASSERT_THAT(forms, Contains(Key(type))) << Name(type);
    for (const Form form : {Form::kText, Form::kState, Form::kErrorValue, Form::kErrorMember,
                            Form::kNull, Form::kArray}) {
      EXPECT_THAT(forms[type], Contains(form)) << Name(type) << " " << static_cast<int>(form);
    }
  }
  EXPECT_THAT(forms[PointType::kInt32], Contains(Form::kBoolean));
}

// Of one point: the most visible events at one instant, and within one second.
std::pair<int64_t, int64_t> Densest(const Plant& plant, std::string_view name) {
  const Archive archive(plant, *plant.PointByName(name), At("2026-03-03T00:00:00Z"));
  std::map<Units, int64_t> at_once, in_a_second;
  int64_t most_at_once = 0, most_in_a_second = 0;
  for (int64_t i = 0; i < archive.end(); ++i) {
    if (!archive.Visible(i)) continue;
    most_at_once = std::max(most_at_once, ++at_once[archive.TimeAt(i)]);
    most_in_a_second =
        std::max(most_in_a_second, ++in_a_second[archive.TimeAt(i) / kUnitsPerSecond]);
  }
  return {most_at_once, most_in_a_second};
}

TEST(Plant, MixedHasBurstsAndLongRunsOfOneTime) {
  const Plant plant = MakePlant("mixed");
  EXPECT_GT(Densest(plant, "Dense.Storm").second, 1000);
  EXPECT_GT(Densest(plant, "Dense.LongRun").first, 1200);
  EXPECT_EQ(Densest(plant, "Dense.Triples").first, 3);
  EXPECT_EQ(Densest(plant, "Dense.Fast").first, 7);
}

TEST(Plant, MixedHasPointsWithNoneOneAndFutureEvents) {
  const Plant plant = MakePlant("mixed");
  const UtcTime now = At("2026-03-03T00:00:00Z");
  EXPECT_EQ(Archive(plant, *plant.PointByName("no.events"), now).end(), 0);
  EXPECT_EQ(Archive(plant, *plant.PointByName("one.event"), now).end(), 1);
  const Archive forecast(plant, *plant.PointByName("forecast.load"), now);
  EXPECT_GT(Rendered(forecast.TimeAt(forecast.end() - 1)), now + Duration::Hours(47));
  EXPECT_FALSE(forecast.IsSnapshot(forecast.end() - 1));
}

TEST(Plant, IsAnotherOneWithAnotherSeed) {
  const Plant one = MakePlant("demo", 0, 1), two = MakePlant("demo", 0, 2),
              again = MakePlant("demo", 0, 1);
  EXPECT_NE(one.server_guid(), two.server_guid());
  EXPECT_EQ(one.server_guid(), again.server_guid());
  EXPECT_NE(one.points()[7].seed, two.points()[7].seed);
  EXPECT_EQ(one.points()[7].seed, again.points()[7].seed);
}

TEST(Plant, FindsEveryPointByNameAndById) {
  for (const char* name : {"mixed", "demo"}) {
    const Plant plant = MakePlant(name);
    for (const Point& point : plant.points()) {
      EXPECT_EQ(plant.PointById(point.id), &point);
      EXPECT_EQ(plant.PointByName(point.name), &point) << point.name;
    }
    EXPECT_EQ(plant.PointById(1), nullptr);
    EXPECT_EQ(plant.PointByName("nobody"), nullptr);
  }
}

TEST(Plant, HasAsManyPointsAsAsked) {
  EXPECT_EQ(MakePlant("wide", 1234).points().size(), 1234U);
  EXPECT_EQ(MakePlant("bench", 17).points().size(), 17U);
  EXPECT_EQ(MakePlant("mixed", 400).points().size(), 400U);
}

TEST(Plant, NeedsLittleMemoryAPoint) {
  EXPECT_LE(sizeof(Point) + sizeof(uint32_t), 200U);
}

TEST(Plant, SaysWhyItCannotBeMade) {
  EXPECT_THAT(Plant::Make({"petrol", 0, 1, std::nullopt}, At("2026-03-04T00:00:00Z")),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Plant::Make({"demo", -1, 1, std::nullopt}, At("2026-03-04T00:00:00Z")),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Plant::Make({"demo", 0, 1, At("2026-03-05T00:00:00Z")}, At("2026-03-04T00:00:00Z")),
              FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::sim
