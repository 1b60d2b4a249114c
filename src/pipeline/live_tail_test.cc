// SPDX-License-Identifier: Apache-2.0
#include "pipeline/live_tail.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/matchers.h"
#include "delta/uuid.h"

namespace pilake::pipeline {
namespace {

using testing::ElementsAre;

class LiveTailTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(delta::Table::Create(path_, {}), IsOk()); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Events At(const std::vector<int64_t>& ticks) {
    Events events;
    for (const int64_t tick : ticks)
      events.Append(UtcTime{tick}, ValueKind::kInt, tick, "", Flags{});
    return events;
  }

  void Show(std::vector<int64_t> newest) {
    const auto held = live_.Hold();
    live_.Show(series_, std::move(newest), INT64_MAX);
  }

  size_t Hear(uint32_t i, const std::vector<int64_t>& ticks) {
    return live_.Hear(live_.series(), i, At(ticks));
  }

  /// The times of all rows in the table, as they stand there.
  std::vector<int64_t> Rows() {
    std::vector<int64_t> ticks;
    const auto table = delta::Table::Open(path_, {});
    EXPECT_THAT((*table)->VisitRows({},
                                    [&](const delta::Rows& rows) -> Result<bool> {
                                      ticks.insert(ticks.end(), rows.events.ticks.begin(),
                                                   rows.events.ticks.end());
                                      return true;
                                    }),
                IsOk());
    return ticks;
  }

  static std::vector<int64_t> RowsOf(std::string_view web_id, const delta::Table& table) {
    std::vector<int64_t> ticks;
    EXPECT_THAT(table.VisitRows({},
                                [&](const delta::Rows& rows) -> Result<bool> {
                                  for (size_t row = 0; row < rows.size(); ++row) {
                                    if (rows.tag_webid[row] == web_id)
                                      ticks.push_back(rows.events.ticks[row]);
                                  }
                                  return true;
                                }),
                IsOk());
    return ticks;
  }

  /// Of series "b"; 0 if there is none.
  static Result<int64_t> Newest(delta::Table& table) {
    RETURN_IF_ERROR(table.Refresh());
    const std::vector<int64_t> rows = RowsOf("b", table);
    return rows.empty() ? 0 : std::ranges::max(rows);
  }

  /// A version of somebody else's.
  void AddByAnother(const std::string& uuid) {
    const auto table = delta::Table::Open(path_, {});
    auto file = (*table)->NewFile();
    ASSERT_THAT((*file)->Append(series_[0], At({1}), 0, 1, 0, UtcTime{}), IsOk());
    const auto done = (*file)->Finish();
    EXPECT_THAT((*table)->Commit({.add = {*done}, .commit_uuid = uuid}), IsOk());
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / delta::NewUuid();
  std::string path_ = (folder_ / "table").string();
  std::vector<Series> series_{{.web_id = "a", .name = "A"}, {.web_id = "b", .name = "B"}};
  LiveTail live_{{.url = path_, .store = {}, .writer = "me"}, SystemClock()};
};

TEST_F(LiveTailTest, TakesNothingBeforeAPassHasSettled) {
  EXPECT_EQ(live_.series(), nullptr);
  EXPECT_EQ(Hear(0, {10}), 0u);
  EXPECT_THAT(live_.Commit(), IsOkWith(0));
}

TEST_F(LiveTailTest, TakesWhatIsNewerThanAllThatTheTableShowsAndTakesItOnce) {
  Show({20, LiveTail::kNotNow});
  EXPECT_EQ(Hear(0, {10, 20, 30, 30, 40}), 3u);
  EXPECT_EQ(Hear(0, {30, 40}), 0u);
  EXPECT_EQ(Hear(0, {41}), 1u);
  EXPECT_EQ(Hear(1, {50}), 0u) << "of this one nothing is to be shown";
  EXPECT_THAT(live_.Commit(), IsOkWith(4));
  EXPECT_EQ(Hear(0, {41}), 0u);
  EXPECT_THAT(live_.Commit(), IsOkWith(0));
  EXPECT_THAT(Rows(), ElementsAre(30, 30, 40, 41));
}

TEST_F(LiveTailTest, KeepsOfWhatWaitsOnlyWhatAPassHasNotShown) {
  Show({0, 0});
  EXPECT_EQ(Hear(0, {10, 20, 30}), 3u);
  EXPECT_EQ(Hear(1, {10}), 1u);
  Show({20, 15});
  EXPECT_EQ(live_.waiting(), 1u);
  EXPECT_EQ(Hear(0, {25, 30}), 0u) << "what waits counts as shown";
  EXPECT_EQ(Hear(1, {12, 16}), 1u);
  EXPECT_THAT(live_.Commit(), IsOkWith(2));
  EXPECT_THAT(Rows(), ElementsAre(30, 16));
}

TEST_F(LiveTailTest, TakesNothingOfAListThatIsNotTheNewest) {
  Show({0, 0});
  const LiveTail::SeriesList before = live_.series();
  series_.push_back({.web_id = "c", .name = "C"});
  Show({0, 0, 0});
  EXPECT_EQ(live_.Hear(before, 1, At({10})), 0u);
  EXPECT_EQ(Hear(2, {10}), 1u);
}

TEST_F(LiveTailTest, LandsOnTopOfItsOwnProcessAndStandsBackBehindOthers) {
  Show({0, 0});
  EXPECT_EQ(Hear(0, {10}), 1u);
  EXPECT_THAT(live_.Commit(), IsOkWith(1));
  AddByAnother("me/1");
  EXPECT_EQ(Hear(0, {20}), 1u);
  EXPECT_THAT(live_.Commit(), IsOkWith(1));
  AddByAnother("another/1");
  EXPECT_EQ(Hear(0, {30}), 1u);
  EXPECT_THAT(live_.Commit(), IsOkWith(0)) << "of what that one shows nothing is known";
  EXPECT_EQ(live_.series(), nullptr);
  Show({30, 0});
  EXPECT_EQ(Hear(0, {40}), 1u);
  EXPECT_THAT(live_.Commit(), IsOkWith(1));
}

TEST_F(LiveTailTest, MakesNoRowStandTwiceOnAStoreThatLies) {
  constexpr int64_t kRows = 60;
  const auto honest = delta::Table::Open(path_, {});
  ASSERT_THAT(honest, IsOk());
  for (int seed = 1; seed <= 5; ++seed) {
    const auto trial =
        fmt::format("seed={},rate=0.15,of=log,lies=fail+lost+late+again+stale+cut", seed);
    LiveTail live({.url = path_, .store = {.options = {{"pilake_trial", trial}}}, .writer = "me"},
                  SystemClock());
    const int64_t first = (*Newest(**honest)) + 1;
    for (int64_t tick = first; tick < first + kRows;) {
      if (!live.series()) {
        // As a pass: a version of its own, then what the table shows.
        AddByAnother("me/pass");
        ASSERT_THAT((*honest)->Refresh(), IsOk());
        const auto newest = Newest(**honest);
        ASSERT_THAT(newest, IsOk());
        const auto held = live.Hold();
        live.Show(series_, {LiveTail::kNotNow, *newest}, (*honest)->version());
        tick = *newest + 1;
        continue;
      }
      live.Hear(live.series(), 1, At({tick}));
      if (live.Commit()) ++tick;
    }
  }
  ASSERT_THAT((*honest)->Refresh(), IsOk());
  std::vector<int64_t> rows = RowsOf("b", **honest);
  std::ranges::sort(rows);
  EXPECT_EQ(std::ranges::adjacent_find(rows), rows.end());
  EXPECT_GE(rows.size(), 5u * kRows);
}

}  // namespace
}  // namespace pilake::pipeline
