// SPDX-License-Identifier: Apache-2.0
#include "plan/cursors.h"

#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"

namespace pilake::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr UtcTime At(int64_t second) {
  return {second * 10'000'000};
}

TEST(Cursors, ComeBackAsTheyWere) {
  std::mt19937_64 random(7);
  Cursors cursors{.looked = At(1'700'000'000)};
  for (int i = 0; i < 2'000; ++i) {
    std::string web_id = "F1DPAAAAAAAAAAAAAAAAAAAAAA";
    for (int k = 0; k < 6; ++k) web_id.push_back(static_cast<char>('0' + random() % 60));
    cursors.through[web_id] = {static_cast<int64_t>(random() >> 2)};
  }
  EXPECT_THAT(DecodeCursors(EncodeCursors(cursors)), IsOkWith(cursors));
}

TEST(Cursors, KnowTheEndsOfTime) {
  Cursors cursors{.through = {{"a", {std::numeric_limits<int64_t>::min()}},
                              {"b", {std::numeric_limits<int64_t>::max()}}},
                  .looked = {std::numeric_limits<int64_t>::max()}};
  EXPECT_THAT(DecodeCursors(EncodeCursors(cursors)), IsOkWith(cursors));
}

TEST(Cursors, RefuseWhatTheyDidNotWrite) {
  EXPECT_THAT(DecodeCursors(""), FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeCursors("\x02"), FailsWith(ErrorKind::kMalformed));
  const std::string whole = EncodeCursors({.through = {{"abc", At(1)}, {"abd", At(2)}}});
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto cut = DecodeCursors(std::string_view(whole).substr(0, length));
    if (cut) {
      EXPECT_LT(cut->through.size(), 2u) << "cut at " << length;
    }
  }
}

TEST(NextThrough, TakesAllThatIsFinalWhenNothingLimitsIt) {
  const std::vector<StreamEnd> series{{.web_id = "a", .from = At(10), .through = At(50)},
                                      {.web_id = "b", .from = {}, .through = At(30)},
                                      {.web_id = "c", .from = At(20), .through = {}},
                                      {.web_id = "d", .from = {}, .through = {}}};
  EXPECT_THAT(NextThrough(series, At(0), 0),
              ElementsAre(Pair("a", At(50)), Pair("b", At(30)), Pair("c", At(20))));
}

TEST(NextThrough, NeverGoesBack) {
  const std::vector<StreamEnd> series{{.web_id = "a", .from = At(50), .through = At(40)}};
  EXPECT_THAT(NextThrough(series, At(0), 0), ElementsAre(Pair("a", At(50))));
}

TEST(NextThrough, EndsWhereTheEventsAreEnough) {
  const std::vector<StreamEnd> series{
      {.web_id = "a", .from = At(0), .through = At(1'000), .density = 1},
      {.web_id = "b", .from = At(100), .through = At(150), .density = 10}};
  const auto through = NextThrough(series, At(0), 300);
  EXPECT_NEAR((through.at("a") - At(0)).seconds(), 118, 2);
  EXPECT_EQ(through.at("a"), through.at("b"));
}

TEST(NextThrough, LeavesTheUnbegunWhereTheyAreUntilTheirTimeComes) {
  const std::vector<StreamEnd> series{
      {.web_id = "a", .from = At(0), .through = At(1'000), .density = 1},
      {.web_id = "b", .from = {}, .through = At(1'000), .density = 1}};
  const auto through = NextThrough(series, At(900), 100);
  EXPECT_EQ(through.count("b"), 0u);
}

TEST(NextThrough, GoesOnHoweverManyEventsThereAre) {
  const std::vector<StreamEnd> series{
      {.web_id = "a", .from = At(0), .through = At(1'000), .density = 1e6f}};
  EXPECT_GT(NextThrough(series, At(0), 1).at("a"), At(0));
}

/// However it is cut, the pieces join and end where everything is final.
TEST(NextThrough, ReachesTheEndInPiecesThatJoin) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    std::map<std::string, UtcTime, std::less<>> at, end;
    std::map<std::string, float> density;
    for (int i = 0; i < 20; ++i) {
      const std::string id = "s" + std::to_string(i);
      end[id] = At(static_cast<int64_t>(random() % 10'000));
      density[id] = static_cast<float>(random() % 100) / 50;
    }
    int pieces = 0;
    for (bool moved = true; moved && pieces < 10'000; ++pieces) {
      std::vector<StreamEnd> series;
      for (const auto& [id, through] : end) {
        const auto found = at.find(id);
        series.push_back({.web_id = id,
                          .from = found == at.end() ? std::nullopt : std::optional(found->second),
                          .through = through,
                          .density = density[id]});
      }
      auto next = NextThrough(series, At(0), 500);
      for (const auto& [id, through] : at) EXPECT_LE(through, next.at(id));
      moved = next != at;
      at = std::move(next);
    }
    for (const auto& [id, through] : end) {
      if (through > At(0)) {
        EXPECT_EQ(at.at(id), through);
      }
    }
  }
}

}  // namespace
}  // namespace pilake::plan
