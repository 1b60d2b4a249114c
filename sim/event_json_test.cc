// SPDX-License-Identifier: Apache-2.0
#include "sim/event_json.h"

#include <limits>

#include <gmock/gmock.h>

#include "sim/test_world.h"

namespace pilake::sim {
namespace {

std::string Render(const Event& event, const Readings& readings = {},
                   std::string_view selected = "", std::string_view units = "m") {
  const SelectedFields fields(selected);
  std::string out;
  EventWriter(fields, readings, units).Append(event, out);
  return out;
}

Event Number(double value, Form form = Form::kSingle) {
  Event event;
  event.time = At("2026-03-01T10:00:00.5Z");
  event.form = form;
  event.number = value;
  return event;
}

Event State(bool system) {
  Event event = Number(0);
  event.form = Form::kState;
  event.integer = 246;
  event.system = system;
  event.text = "I/O Timeout";
  event.good = false;
  return event;
}

TEST(EventWriter, WritesATimedValue) {
  EXPECT_EQ(
      Render(Number(12.3F)),
      R"({"Timestamp":"2026-03-01T10:00:00.5Z","Value":12.3,"UnitsAbbreviation":"m","Good":true,"Questionable":false,"Substituted":false,"Annotated":false})");
}

TEST(EventWriter, WritesAStateAsAnObjectWithoutUnits) {
  EXPECT_EQ(
      Render(State(true)),
      R"({"Timestamp":"2026-03-01T10:00:00.5Z","Value":{"Name":"I/O Timeout","Value":246,"IsSystem":true},"UnitsAbbreviation":"","Good":false,"Questionable":false,"Substituted":false,"Annotated":false})");
}

TEST(EventWriter, WritesErrorsInBothShapes) {
  Event event = Number(0);
  event.good = false;
  event.text = "Calc \"x\"";
  event.form = Form::kErrorValue;
  EXPECT_EQ(Render(event, {}, "Value;Errors"), R"({"Value":{"Errors":["Calc \"x\""]}})");
  event.form = Form::kErrorMember;
  EXPECT_EQ(Render(event, {}, "Value;Errors"),
            R"({"Value":null,"Errors":[{"FieldName":"Value","Message":["Calc \"x\""]}]})");
  EXPECT_EQ(Render(event, {}, "Errors"),
            R"({"Errors":[{"FieldName":"Value","Message":["Calc \"x\""]}]})");
  EXPECT_EQ(Render(event, {}, "Value"), R"({"Value":null})");
}

TEST(EventWriter, FollowsTheReadings) {
  Readings readings;
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(),
                   kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Render(Number(kNaN), readings, "Value"), R"({"Value":NaN})");
  EXPECT_EQ(Render(Number(-kInfinity), readings, "Value"), R"({"Value":-Infinity})");
  readings.nan = NanAs::kString;
  EXPECT_EQ(Render(Number(kInfinity), readings, "Value"), R"({"Value":"Infinity"})");
  readings.float_as_double = true;
  EXPECT_EQ(Render(Number(static_cast<double>(12.3F)), readings, "Value"),
            R"({"Value":12.300000190734863})");
  readings.bare_integral = true;
  EXPECT_EQ(Render(Number(50), readings, "Value"), R"({"Value":50})");
  readings.flags_as_strings = true;
  EXPECT_EQ(Render(Number(50), readings, "Good"), R"({"Good":"true"})");
  readings.trim_timestamps = false;
  EXPECT_EQ(Render(Number(50), readings, "Timestamp"),
            R"({"Timestamp":"2026-03-01T10:00:00.5000000Z"})");
}

TEST(EventWriter, WritesIntegersThatNoDoubleHolds) {
  Event event = Number(0, Form::kInteger);
  event.integer = 9007199254740993;
  EXPECT_EQ(Render(event, {}, "Value"), R"({"Value":9007199254740993})");
}

TEST(TimestampWriter, AgreesWithTheSlowWay) {
  TimestampWriter writer(true);
  char text[32];
  for (int64_t i = 0; i < 20'000; ++i) {
    const UtcTime time = Rendered(117'000'000'000'000 + i * i * 7919);
    ASSERT_EQ(std::string_view(text, static_cast<size_t>(writer.Write(time, text) - text)),
              FormatUtcTime(time));
  }
}

boost::json::value Sorted(const boost::json::value& value) {
  if (!value.is_object()) return value;
  std::map<std::string, boost::json::value> members;
  for (const auto& [key, member] : value.get_object()) members.emplace(key, member);
  boost::json::object sorted;
  for (const auto& [key, member] : members) sorted[key] = member;
  return sorted;
}

// The general writer renders the same members in another order.
TEST(EventWriter, IsTheSameFastAndSlow) {
  const Plant plant = MakePlant("mixed");
  for (const char* selected : {"", "Timestamp;Value;Good;Errors", "Value;UnitsAbbreviation",
                               "Errors;Annotated", "Nothing"}) {
    const SelectedFields fields(selected);
    Readings fast_readings, slow_readings;
    fast_readings.nan = slow_readings.nan = NanAs::kString;
    slow_readings.shuffled_members = true;
    Event event;
    for (size_t p = 0; p < plant.points().size(); p += 3) {
      const Point& point = plant.points()[p];
      EventWriter fast(fields, fast_readings, plant.unit_name(point)),
          slow(fields, slow_readings, plant.unit_name(point));
      const Archive archive(plant, point, At("2026-03-03T00:00:00Z"));
      for (int64_t i = 0; i < std::min<int64_t>(archive.end(), 300); ++i) {
        archive.Read(i, event);
        std::string quick, general;
        fast.Append(event, quick);
        slow.Append(event, general);
        ASSERT_EQ(Sorted(TestWorld::Parse(quick)), Sorted(TestWorld::Parse(general)))
            << quick << " " << general;
      }
    }
  }
}

}  // namespace
}  // namespace pilake::sim
