// SPDX-License-Identifier: Apache-2.0
#include "plan/compare.h"

#include <map>
#include <random>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Kind = Difference::Kind;

/// Integer events by time and value.
Events Of(const std::vector<std::pair<int64_t, int64_t>>& rows) {
  Events events;
  for (const auto& [ticks, value] : rows)
    events.Append(UtcTime{ticks}, ValueKind::kInt, value, "", Flags{});
  return events;
}

std::vector<std::pair<int64_t, Kind>> Differences(const Comparison& comparison) {
  std::vector<std::pair<int64_t, Kind>> differences;
  for (const Difference& d : comparison.differences) differences.emplace_back(d.time.ticks, d.kind);
  return differences;
}

TEST(Compare, FindsNothingBetweenEqualRows) {
  const Events events = Of({{1, 5}, {2, 6}, {2, 6}, {9, 1}});
  const Comparison comparison = Compare(events, events);
  EXPECT_TRUE(comparison.is_equal());
  EXPECT_EQ(comparison.same_instants, 3u);
  EXPECT_TRUE(Compare({}, {}).is_equal());
}

TEST(Compare, TellsMissingChangedAndGoneInstantsApart) {
  const Comparison comparison =
      Compare(Of({{1, 5}, {3, 7}, {4, 8}}), Of({{1, 5}, {2, 6}, {3, 0}, {9, 9}}));
  EXPECT_THAT(Differences(comparison),
              testing::ElementsAre(std::pair(2, Kind::kGone), std::pair(3, Kind::kChanged),
                                   std::pair(4, Kind::kMissing), std::pair(9, Kind::kGone)));
}

TEST(Compare, TakesAnInstantWhole) {
  // One of three equal events went, one of another kind came: the instant is to be replaced.
  const Comparison comparison = Compare(Of({{1, 5}, {1, 5}}), Of({{1, 5}, {1, 5}, {1, 5}}));
  ASSERT_THAT(comparison.differences, SizeIs(1));
  EXPECT_EQ(comparison.differences[0].kind, Kind::kChanged);
  EXPECT_EQ(comparison.differences[0].archive.size(), 2u);
  EXPECT_EQ(comparison.differences[0].table.size(), 3u);
}

/// The slow obvious version, by maps of instants.
TEST(Compare, AgreesWithMapsOnRandomRows) {
  std::mt19937 random(3);
  for (int round = 0; round < 2'000; ++round) {
    std::map<int64_t, std::vector<int64_t>> archive, table;
    std::vector<std::pair<int64_t, int64_t>> archive_rows, table_rows;
    for (int64_t tick = 0; tick < 12; ++tick) {
      for (auto i = random() % 3; i > 0; --i)
        archive[tick].push_back(static_cast<int64_t>(random() % 2));
      const auto fate = random() % 4;
      if (fate < 2 && archive.contains(tick)) table[tick] = archive[tick];
      if (fate == 2) table[tick].push_back(static_cast<int64_t>(random() % 2));
    }
    for (const auto& [tick, values] : archive)
      for (const int64_t value : values) archive_rows.emplace_back(tick, value);
    for (const auto& [tick, values] : table)
      for (const int64_t value : values) table_rows.emplace_back(tick, value);

    std::vector<std::pair<int64_t, Kind>> expected;
    size_t same = 0;
    for (int64_t tick = 0; tick < 12; ++tick) {
      const bool a = archive.contains(tick), t = table.contains(tick);
      if (a && t && archive[tick] == table[tick]) ++same;
      if (a && !t) expected.emplace_back(tick, Kind::kMissing);
      if (t && !a) expected.emplace_back(tick, Kind::kGone);
      if (a && t && archive[tick] != table[tick]) expected.emplace_back(tick, Kind::kChanged);
    }
    const Comparison comparison = Compare(Of(archive_rows), Of(table_rows));
    ASSERT_EQ(Differences(comparison), expected);
    ASSERT_EQ(comparison.same_instants, same);
  }
}

/// A table of `count` rows and an archive that lacks those at `gone`.
Comparison WithGone(int64_t count, const std::vector<int64_t>& gone) {
  std::vector<std::pair<int64_t, int64_t>> archive, table;
  for (int64_t tick = 0; tick < count; ++tick) {
    table.emplace_back(tick, tick);
    if (std::ranges::find(gone, tick) == gone.end()) archive.emplace_back(tick, tick);
  }
  return Compare(Of(archive), Of(table));
}

TEST(IsOfOneArchive, AsksForMoreThanAChanceMatch) {
  std::vector<std::pair<int64_t, int64_t>> table, edited, other;
  for (int64_t tick = 0; tick < 100; ++tick) {
    table.emplace_back(tick, tick);
    edited.emplace_back(tick, tick < 10 ? tick : -1);
    other.emplace_back(tick, tick == 0 ? tick : -1);
  }
  EXPECT_TRUE(IsOfOneArchive(Compare(Of(edited), Of(table))));
  EXPECT_FALSE(IsOfOneArchive(Compare(Of(other), Of(table))));
  EXPECT_FALSE(IsOfOneArchive(Compare({}, Of(table))));
}

TEST(MayDelete, NeedsNoRowBeforeTheFirstIfThatTimeIsShown) {
  const Comparison first = WithGone(200, {0}), last = WithGone(200, {199});
  EXPECT_FALSE(MayDelete(first, DigestOfGone(first)));
  EXPECT_TRUE(MayDelete(first, DigestOfGone(first), true));
  EXPECT_FALSE(MayDelete(last, DigestOfGone(last), true)) << "the archive may lag behind";
}

TEST(AreFewAndEdited, AsksForTheVeryTimesOfRowsTooFewToTell) {
  const Events table = Of({{10, 1}, {20, 1}});
  EXPECT_TRUE(AreFewAndEdited(Compare(Of({{10, 5}, {20, 5}}), table)));
  EXPECT_TRUE(AreFewAndEdited(Compare(Of({{10, 5}, {15, 1}, {20, 5}}), table))) << "one came late";
  EXPECT_FALSE(AreFewAndEdited(Compare(Of({{10, 5}}), table))) << "one is gone";
  EXPECT_FALSE(AreFewAndEdited(Compare(Of({{11, 5}, {21, 5}}), table)));
  EXPECT_FALSE(AreFewAndEdited(Compare(table, table)));
  std::vector<std::pair<int64_t, int64_t>> many, other;
  for (int64_t tick = 0; tick < 20; ++tick) {
    many.emplace_back(tick, 1);
    other.emplace_back(tick, 2);
  }
  EXPECT_FALSE(AreFewAndEdited(Compare(Of(other), Of(many)))) << "so many can tell";
}

TEST(GoneInSilence, NamesWhatHasNothingOfTheArchiveNearIt) {
  const Events archive = Of({{10, 1}, {12, 1}, {90, 1}});
  const Comparison now =
      Compare(archive, Of({{5, 1}, {10, 1}, {11, 1}, {12, 1}, {50, 1}, {51, 1}, {90, 1}, {95, 1}}));
  EXPECT_THAT(GoneInSilence(now, archive, Duration::Ticks(5)),
              testing::ElementsAre(UtcTime{5}, UtcTime{50}, UtcTime{51}, UtcTime{95}));
  EXPECT_THAT(GoneInSilence(now, archive, Duration::Ticks(78)),
              testing::ElementsAre(UtcTime{5}, UtcTime{95}));
}

TEST(MayDelete, NeedsTwoLooksThatAgree) {
  const Comparison now = WithGone(1'000, {500});
  EXPECT_FALSE(MayDelete(now, 0));
  EXPECT_FALSE(MayDelete(now, DigestOfGone(WithGone(1'000, {501}))));
  EXPECT_TRUE(MayDelete(now, DigestOfGone(now)));
}

TEST(MayDelete, NeedsSameRowsOnBothSides) {
  for (const int64_t edge : {0, 999}) {
    const Comparison now = WithGone(1'000, {edge});
    EXPECT_FALSE(MayDelete(now, DigestOfGone(now))) << edge;
  }
}

TEST(MayDelete, RefusesMoreThanAHundredth) {
  std::vector<int64_t> gone;
  for (int64_t i = 0; i < 10; ++i) gone.push_back(100 + i * 7);
  EXPECT_TRUE(MayDelete(WithGone(1'000, gone), DigestOfGone(WithGone(1'000, gone))));
  gone.push_back(900);
  EXPECT_FALSE(MayDelete(WithGone(1'000, gone), DigestOfGone(WithGone(1'000, gone))));
}

TEST(MayDelete, NeverDeletesBecauseAnAnswerWasEmpty) {
  const Comparison now = Compare({}, Of({{1, 1}, {2, 2}, {3, 3}}));
  EXPECT_THAT(now.differences, SizeIs(3));
  EXPECT_FALSE(MayDelete(now, DigestOfGone(now)));
  EXPECT_EQ(DigestOfGone(WithGone(10, {})), 0u);
}

TEST(MayReplace, TakesAnyNumberOfRowsThatStandBetweenTheArchivesOwn) {
  std::vector<int64_t> every_other;
  for (int64_t tick = 1; tick < 999; tick += 2) every_other.push_back(tick);
  EXPECT_TRUE(MayReplace(WithGone(1'000, every_other)));
  EXPECT_TRUE(MayReplace(WithGone(1'000, {})));
  std::vector<std::pair<int64_t, int64_t>> at_once{{1, 1}, {9, 1}};
  for (int64_t i = 0; i < 1'300; ++i) at_once.insert(at_once.begin() + 1, {5, i});
  EXPECT_TRUE(MayReplace(Compare(Of({{1, 1}, {9, 1}}), Of(at_once)))) << "many rows of one time";
}

TEST(MayReplace, RefusesWhereTheArchiveMayJustNotShowWhatItHas) {
  const auto stretch = [](int64_t begin, int64_t rows) {
    std::vector<int64_t> gone;
    for (int64_t tick = begin; tick < begin + rows; ++tick) gone.push_back(tick);
    return gone;
  };
  EXPECT_TRUE(MayReplace(WithGone(1'000, stretch(300, 200))));
  EXPECT_FALSE(MayReplace(WithGone(1'000, stretch(300, 201))));
  EXPECT_FALSE(MayReplace(WithGone(1'000, stretch(990, 10))));
  EXPECT_FALSE(MayReplace(Compare({}, Of({{1, 1}, {2, 2}}))));
}

}  // namespace
}  // namespace pilake::plan
