// SPDX-License-Identifier: Apache-2.0
#include "pipeline/live_tail.h"

#include <algorithm>
#include <filesystem>
#include <utility>

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
    return live_.Hear(series_[i].web_id, At(ticks));
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

  /// As a pass does; the newest row of series "b", 0 if there is none.
  int64_t ShowTo(LiveTail& live, delta::Table& table) {
    EXPECT_THAT(table.Refresh(), IsOk());
    const std::vector<int64_t> rows = RowsOf("b", table);
    const int64_t newest = rows.empty() ? 0 : std::ranges::max(rows);
    const auto held = live.Hold();
    live.Show(series_, {LiveTail::kNotNow, newest}, table.version());
    return newest;
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
  EXPECT_FALSE(live_.is_listening());
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

TEST_F(LiveTailTest, KnowsSeriesByTheirWebIdsWhenTheListChanges) {
  Show({0, 0});
  const LiveTail::SeriesList before = live_.series();
  Show({0, 0});
  EXPECT_EQ(live_.series(), before) << "a list that holds the same is the same";
  const Series gone = std::exchange(series_[0], {.web_id = "aa", .name = "New"});
  series_.push_back({.web_id = "c", .name = "C"});
  Show({0, 30, 0});
  EXPECT_NE(live_.series(), before);
  EXPECT_EQ(live_.Hear(gone.web_id, At({40})), 0u);
  EXPECT_EQ(live_.Hear("b", At({30, 40})), 1u);
  EXPECT_EQ(live_.Hear("c", At({10})), 1u);
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
  EXPECT_FALSE(live_.is_listening());
  Show({30, 0});
  EXPECT_EQ(Hear(0, {40}), 1u);
  EXPECT_THAT(live_.Commit(), IsOkWith(1));
}

TEST_F(LiveTailTest, MakesNoRowStandTwiceOnAStoreThatLies) {
  constexpr int64_t kRows = 60;
  for (int seed = 1, trials = 0; trials < 5; ++seed) {
    path_ = (folder_ / std::to_string(seed)).string();
    const auto honest = delta::Table::Create(path_, {});
    ASSERT_THAT(honest, IsOk());
    AddByAnother("me/first");
    const delta::StoreOptions liar{
        .options = {
            {"pilake_trial", fmt::format("seed={},rate=0.3,of=log,lies=lost+again", seed)}}};
    // Each handle meets the same lies: where the first of them is told at once, none ever opens.
    if (!delta::Table::Open(path_, liar)) continue;
    ++trials;
    LiveTail live({.url = path_, .store = liar, .writer = "me"}, SystemClock());
    ShowTo(live, **honest);
    ASSERT_THAT(live.Commit(), IsOkWith(0));
    for (int64_t tick = 1; tick <= kRows;) {
      if (live.is_listening()) {
        live.Hear("b", At({tick}));
        if (live.Commit()) ++tick;
        continue;
      }
      tick = ShowTo(live, **honest) + 1;
      // While a version of the live tail's own may still land, only a pass that brings one helps.
      if (!live.is_listening()) AddByAnother("me/pass");
    }
    ASSERT_THAT((*honest)->Refresh(), IsOk());
    std::vector<int64_t> rows = RowsOf("b", **honest);
    std::ranges::sort(rows);
    EXPECT_EQ(std::ranges::adjacent_find(rows), rows.end());
    EXPECT_GE(rows.size(), static_cast<size_t>(kRows));
  }
}

}  // namespace
}  // namespace pilake::pipeline
