// SPDX-License-Identifier: Apache-2.0
#include "plan/dimensions.h"

#include <limits>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using testing::ElementsAre;

constexpr UtcTime kMonday{17'900'000'000'000'000};
constexpr UtcTime kTuesday = kMonday + Duration::Days(1);
constexpr UtcTime kWednesday = kMonday + Duration::Days(2);

PointRow Listed(std::string name = "U1.FIC101") {
  PointRow row;
  row.point = {.web_id = "I1DPa",
               .name = name,
               .path = R"(\\PISRV\)" + name,
               .units = "m3/h",
               .type = PointType::kFloat32,
               .type_name = "Float32",
               .span = 100};
  return row;
}

PointRow First(UtcTime at, std::string name = "U1.FIC101") {
  return *Successor(nullptr, Listed(std::move(name)), at);
}

TEST(Successor, SpeaksOfAllTimeIfItIsTheFirst) {
  const PointRow row = First(kMonday);
  EXPECT_EQ(row.dated, (Dated{.valid_from = {}, .valid_to = std::nullopt, .noticed = kMonday}));
}

TEST(Successor, IsNoneWhileNothingChanges) {
  const PointRow row = First(kMonday);
  EXPECT_EQ(Successor(&row, Listed(), kTuesday), std::nullopt);
}

TEST(Successor, BeginsWhenTheChangeWasNoticed) {
  const PointRow row = First(kMonday);
  const auto renamed = Successor(&row, Listed("U1.FIC102"), kTuesday);
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->point.name, "U1.FIC102");
  EXPECT_EQ(renamed->dated.valid_from, kTuesday);
}

TEST(Successor, SeesEveryPartOfAPointThatItTells) {
  const PointRow row = First(kMonday);
  const auto changes = [&](auto change) {
    PointRow seen = Listed();
    change(seen.point);
    return Successor(&row, seen, kTuesday).has_value();
  };
  EXPECT_TRUE(changes([](Series& p) { p.path = R"(\\OTHER\U1.FIC101)"; }));
  EXPECT_TRUE(changes([](Series& p) { p.units = "l/s"; }));
  EXPECT_TRUE(changes([](Series& p) { p.descriptor = "flow"; }));
  EXPECT_TRUE(changes([](Series& p) { p.digital_set = "Modes"; }));
  EXPECT_TRUE(changes([](Series& p) { p.type_name = "Int32"; }));
  EXPECT_TRUE(changes([](Series& p) { p.zero = -1; }));
  EXPECT_TRUE(changes([](Series& p) { p.span = 200; }));
  EXPECT_TRUE(changes([](Series& p) { p.step = true; }));
  EXPECT_TRUE(changes([](Series& p) { p.future = true; }));
}

TEST(Successor, TakesNoNotANumberForAChange) {
  PointRow row = Listed();
  row.point.zero = std::numeric_limits<double>::quiet_NaN();
  const PointRow current = *Successor(nullptr, row, kMonday);
  EXPECT_EQ(Successor(&current, row, kTuesday), std::nullopt);
}

TEST(Successor, LeavesWhatAnotherRunSawLater) {
  const PointRow first = First(kMonday);
  const PointRow renamed = *Successor(&first, Listed("U1.FIC102"), kWednesday);
  // A run that listed the points on Tuesday comes to write on Wednesday.
  EXPECT_EQ(Successor(&renamed, Listed(), kTuesday), std::nullopt);
}

TEST(Gone, IsVanishedAtFirstAndRetiredAfterAWeek) {
  const PointRow listed = First(kMonday);
  const auto vanished = Successor(&listed, Gone(listed, "404", false, kTuesday), kTuesday);
  ASSERT_TRUE(vanished);
  EXPECT_EQ(vanished->state, PointState::kVanished);
  EXPECT_EQ(vanished->reason, "404");
  const UtcTime soon = kTuesday + Duration::Days(6), late = kTuesday + Duration::Days(7);
  EXPECT_EQ(Successor(&*vanished, Gone(*vanished, "404", false, soon), soon), std::nullopt);
  const auto retired = Successor(&*vanished, Gone(*vanished, "404", false, late), late);
  ASSERT_TRUE(retired);
  EXPECT_EQ(retired->state, PointState::kRetired);
  const UtcTime later = late + Duration::Days(1);
  EXPECT_EQ(Successor(&*retired, Gone(*retired, "404", false, later), later), std::nullopt);
}

TEST(Gone, IsRetiredAtOnceIfAnotherPointHasItsName) {
  const PointRow listed = First(kMonday);
  EXPECT_EQ(Gone(listed, "404", true, kTuesday).state, PointState::kRetired);
}

TEST(Gone, IsListedAgainWhenItComesBack) {
  const PointRow listed = First(kMonday);
  const PointRow vanished = *Successor(&listed, Gone(listed, "403", false, kTuesday), kTuesday);
  const auto back = Successor(&vanished, Listed(), kWednesday);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->state, PointState::kListed);
  EXPECT_EQ(back->reason, "");
}

TEST(DescribeChange, NamesEveryPartThatBecameDifferent) {
  PointRow after = Listed("U1.FIC102");
  after.point.type_name = "Int32";
  after.state = PointState::kVanished;
  after.reason = "404";
  EXPECT_EQ(
      DescribeChange(Listed(), after),
      "renamed from 'U1.FIC101' to 'U1.FIC102'; type 'Float32' became 'Int32'; vanished (404)");
}

TEST(IsMassVanishing, MeansMoreThanTenAndMoreThanATenth) {
  EXPECT_FALSE(IsMassVanishing(10, 10));
  EXPECT_TRUE(IsMassVanishing(11, 109));
  EXPECT_FALSE(IsMassVanishing(11, 110));
}

TEST(ServerOf, IsTheFirstPartOfAPath) {
  EXPECT_EQ(ServerOf(R"(\\PISRV\U1\FIC101)"), "PISRV");
  EXPECT_EQ(ServerOf("U1.FIC101"), "");
}

ShownSet Modes(std::map<int32_t, std::string> states) {
  return {.server = "PISRV", .digital_set = "Modes", .states = std::move(states)};
}

StateRow State(int32_t code, std::string name, UtcTime from, std::optional<UtcTime> to,
               UtcTime noticed) {
  return {.server = "PISRV",
          .digital_set = "Modes",
          .code = code,
          .name = std::move(name),
          .dated = {.valid_from = from, .valid_to = to, .noticed = noticed}};
}

TEST(UpdateStates, KeepsTheOldNameOfAStateThatWasRelabelled) {
  std::vector<StateRow> rows;
  EXPECT_TRUE(UpdateStates(rows, {Modes({{0, "Off"}, {1, "On"}})}, kMonday));
  EXPECT_FALSE(UpdateStates(rows, {Modes({{0, "Off"}, {1, "On"}})}, kTuesday));
  EXPECT_TRUE(UpdateStates(rows, {Modes({{0, "Off"}, {1, "Auto"}})}, kTuesday));
  EXPECT_THAT(rows, ElementsAre(State(0, "Off", {}, std::nullopt, kMonday),
                                State(1, "On", {}, kTuesday, kMonday),
                                State(1, "Auto", kTuesday, std::nullopt, kTuesday)));
}

TEST(UpdateStates, EndsAStateThatLeftItsSetAndBeginsItAnewWhenItComesBack) {
  std::vector<StateRow> rows;
  UpdateStates(rows, {Modes({{0, "Off"}, {1, "On"}})}, kMonday);
  EXPECT_TRUE(UpdateStates(rows, {Modes({{0, "Off"}})}, kTuesday));
  EXPECT_FALSE(UpdateStates(rows, {Modes({{0, "Off"}})}, kWednesday));
  EXPECT_TRUE(UpdateStates(rows, {Modes({{0, "Off"}, {1, "On"}})}, kWednesday));
  EXPECT_THAT(rows, ElementsAre(State(0, "Off", {}, std::nullopt, kMonday),
                                State(1, "On", {}, kTuesday, kMonday),
                                State(1, "On", kWednesday, std::nullopt, kWednesday)));
}

TEST(UpdateStates, LeavesSetsThatWereNotShown) {
  std::vector<StateRow> rows;
  UpdateStates(rows, {Modes({{0, "Off"}})}, kMonday);
  const auto before = rows;
  EXPECT_FALSE(UpdateStates(rows, {}, kTuesday));
  EXPECT_EQ(rows, before);
}

TEST(UpdateStates, LeavesWhatAnotherRunSawLater) {
  std::vector<StateRow> rows;
  UpdateStates(rows, {Modes({{0, "Off"}})}, kWednesday);
  EXPECT_FALSE(UpdateStates(rows, {Modes({{0, "Zu"}})}, kTuesday));
  EXPECT_FALSE(UpdateStates(rows, {Modes({})}, kTuesday));
  UpdateStates(rows, {Modes({})}, kWednesday + Duration::Days(1));
  EXPECT_FALSE(UpdateStates(rows, {Modes({{0, "Off"}})}, kWednesday + Duration::Hours(1)));
}

TEST(ShowsValuesAnew, KnowsWhatChangesAllOfHistory) {
  PointRow before;
  before.point.type = PointType::kFloat32;
  before.point.type_name = "Float32";
  before.point.span = 100;
  PointRow after = before;
  after.point.name = "other";
  after.point.units = "bar";
  after.point.span = 200;
  EXPECT_FALSE(ShowsValuesAnew(before, after));
  after.point.type_name = "Float64";
  EXPECT_TRUE(ShowsValuesAnew(before, after));
  before.point.type = PointType::kFloat16;
  before.point.type_name = "Float16";
  after = before;
  EXPECT_FALSE(ShowsValuesAnew(before, after));
  after.point.zero = 1;
  EXPECT_TRUE(ShowsValuesAnew(before, after));
  after = before;
  after.point.digital_set = "Modes";
  EXPECT_TRUE(ShowsValuesAnew(before, after));
}

TEST(RelabelledSets, HoldThoseOfWhichAStateHasAnotherName) {
  const auto row = [](const char* set, int32_t code, const char* name) {
    return StateRow{.server = "PISRV", .digital_set = set, .code = code, .name = name, .dated = {}};
  };
  const std::vector<StateRow> rows{row("Same", 0, "Off"), row("Modes", 0, "Manual"),
                                   row("Lost", 7, "Seven"), row("System", 1, "Old"),
                                   row("Hidden", 0, "Off")};
  const std::vector<ShownSet> shown{{"PISRV", "Same", {{0, "Off"}, {1, "New"}}},
                                    {"PISRV", "Modes", {{0, "Hand"}}},
                                    {"PISRV", "Lost", {}},
                                    {"PISRV", "System", {{1, "New"}}},
                                    {"OTHER", "Same", {{0, "Aus"}}}};
  EXPECT_THAT(RelabelledSets(rows, shown),
              testing::ElementsAre(std::pair("PISRV", "Lost"), std::pair("PISRV", "Modes")));
}

}  // namespace
}  // namespace pilake::plan
