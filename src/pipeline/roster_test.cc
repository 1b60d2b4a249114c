// SPDX-License-Identifier: Apache-2.0
#include "pipeline/roster.h"

#include <algorithm>
#include <numeric>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace pilake::pipeline {
namespace {

using testing::ElementsAre;

constexpr RosterLimits kLimits{.bundle_max = 10, .channels_max = 3};

LiveTail::SeriesList Points(const std::vector<std::string>& names) {
  std::vector<Series> series;
  for (const std::string& name : names)
    series.push_back({.web_id = name, .name = name, .path = "\\\\S\\" + name});
  return std::make_shared<const std::vector<Series>>(std::move(series));
}

std::vector<std::string> Names(const std::string& prefix, int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(fmt::format("{}{:03}", prefix, i));
  return names;
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<TagSelection> Hot(const std::string& mask) {
  return {{.include = {"*"}}, {.include = {mask}, .hot = true}};
}

/// Each series stands in one bundle, and none of them is larger than allowed.
void CheckWhole(const Roster& roster) {
  std::vector<uint32_t> all;
  for (const Bundle& bundle : roster.bundles) {
    EXPECT_FALSE(bundle.which.empty());
    EXPECT_LE(bundle.which.size(), kLimits.bundle_max);
    EXPECT_TRUE(std::ranges::is_sorted(bundle.which));
    all.insert(all.end(), bundle.which.begin(), bundle.which.end());
  }
  std::ranges::sort(all);
  std::vector<uint32_t> expected(roster.series->size());
  std::iota(expected.begin(), expected.end(), 0u);
  EXPECT_EQ(all, expected);
}

std::vector<std::string> NamesOf(const Roster& roster, const Bundle& bundle) {
  std::vector<std::string> names;
  for (const uint32_t i : bundle.which) names.push_back((*roster.series)[i].name);
  return names;
}

TEST(Roster, GivesChannelsToHotSeriesFirstAndToOthersAsFarAsTheyGo) {
  const Roster roster =
      MakeRoster({}, Points(Names("Cold", 25) + Names("Hot", 15)), Hot("Hot*"), kLimits);
  CheckWhole(roster);
  int hot = 0, cold = 0, cold_channels = 0;
  for (const Bundle& bundle : roster.bundles) {
    ++(bundle.is_hot ? hot : cold);
    EXPECT_TRUE(!bundle.is_hot || bundle.way == Way::kChannel);
    if (!bundle.is_hot && bundle.way == Way::kChannel) ++cold_channels;
  }
  EXPECT_EQ(hot, 2);
  EXPECT_EQ(cold, 3);
  EXPECT_EQ(cold_channels, 1) << "of three channels two are taken";
}

TEST(Roster, HearsAsTheTagsWish) {
  const std::vector<TagSelection> tags{{.include = {"*"}},
                                       {.include = {"P*"}, .way = Way::kChannel},
                                       {.include = {"U*"}, .way = Way::kUpdates},
                                       {.points = {"S000"}, .way = Way::kSweep}};
  const Roster roster =
      MakeRoster({}, Points(Names("P", 50) + Names("S", 2) + Names("U", 5)), tags, kLimits);
  CheckWhole(roster);
  for (const Bundle& bundle : roster.bundles) {
    for (const std::string& name : NamesOf(roster, bundle)) {
      const Way expected = name[0] == 'P'   ? Way::kChannel
                           : name == "S000" ? Way::kSweep
                                            : Way::kUpdates;  // channels are used up
      EXPECT_EQ(bundle.way, expected) << name;
    }
  }
}

TEST(Roster, LeavesBundlesAloneWhenSeriesComeAndGo) {
  std::vector<std::string> names = Names("T", 20);
  const Roster before = MakeRoster({}, Points(names), {}, kLimits);
  ASSERT_EQ(before.bundles.size(), 2u);
  std::erase(names, "T003");
  names.insert(names.begin(), "A");
  const Roster after = MakeRoster(before, Points(names), {}, kLimits);
  CheckWhole(after);
  ASSERT_EQ(after.bundles.size(), 3u);
  EXPECT_EQ(after.bundles[0].id, before.bundles[0].id);
  EXPECT_EQ(after.bundles[0].which.size(), 9u);
  EXPECT_EQ(NamesOf(after, after.bundles[1]), NamesOf(before, before.bundles[1]));
  EXPECT_EQ(after.bundles[1].id, before.bundles[1].id);
  EXPECT_THAT(NamesOf(after, after.bundles[2]), ElementsAre("A"));
  EXPECT_GT(after.bundles[2].id, before.bundles[1].id);
}

TEST(Roster, DissolvesABundleOfWhichLittleIsLeft) {
  std::vector<std::string> names = Names("T", 20);
  const Roster before = MakeRoster({}, Points(names), {}, kLimits);
  names.erase(names.begin() + 4, names.begin() + 10);
  names.insert(names.begin(), "A");
  const Roster after = MakeRoster(before, Points(names), {}, kLimits);
  CheckWhole(after);
  ASSERT_EQ(after.bundles.size(), 2u);
  EXPECT_EQ(after.bundles[0].id, before.bundles[1].id);
  EXPECT_THAT(NamesOf(after, after.bundles[1]), ElementsAre("A", "T000", "T001", "T002", "T003"));
}

TEST(Roster, MovesSeriesThatAreWishedOtherwise) {
  const auto points = Points(Names("T", 20));
  const Roster before = MakeRoster({}, points, {}, kLimits);
  const Roster after = MakeRoster(before, points, Hot("T00*"), kLimits);
  CheckWhole(after);
  for (const Bundle& bundle : after.bundles) {
    for (const std::string& name : NamesOf(after, bundle))
      EXPECT_EQ(bundle.is_hot, name.starts_with("T00")) << name;
  }
}

TEST(Roster, LeavesOutForecasts) {
  const auto points = std::make_shared<const std::vector<Series>>(
      std::vector<Series>{{.web_id = "a"}, {.web_id = "b", .future = true}});
  const Roster roster = MakeRoster({}, points, {}, kLimits);
  ASSERT_EQ(roster.bundles.size(), 1u);
  EXPECT_THAT(roster.bundles[0].which, ElementsAre(0));
}

}  // namespace
}  // namespace pilake::pipeline
