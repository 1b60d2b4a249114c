// SPDX-License-Identifier: Apache-2.0
#include "plan/shards.h"

#include <random>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

constexpr UtcTime kStart{17'000'000'000'000'000};

TEST(ShardCutter, CutsNothingFromNothing) {
  ShardCutter cutter({Ranges{}, Ranges{}}, 1'000, ShardCutter::Order::kNewestFirst);
  EXPECT_FALSE(cutter.Next(std::vector<float>{1, 1}));
}

TEST(ShardCutter, HandsOutTheNewestTimeFirst) {
  ShardCutter cutter({Ranges{{kStart, kStart + Duration::Days(100)}}}, 1e6,
                     ShardCutter::Order::kNewestFirst);
  const std::vector<float> density{1.0f};
  UtcTime end = kStart + Duration::Days(100);
  while (const auto shard = cutter.Next(density)) {
    ASSERT_EQ(shard->tasks.size(), 1u);
    EXPECT_EQ(shard->tasks[0].range.end, end);
    EXPECT_LE(shard->tasks[0].range.length(), Duration::Days(12));
    end = shard->tasks[0].range.begin;
  }
  EXPECT_EQ(end, kStart);
}

TEST(ShardCutter, HandsOutTheOldestTimeFirstWhenAskedTo) {
  ShardCutter cutter({Ranges{{kStart, kStart + Duration::Days(100)}}}, 1e6,
                     ShardCutter::Order::kOldestFirst);
  const std::vector<float> density{1.0f};
  UtcTime begin = kStart;
  while (const auto shard = cutter.Next(density)) {
    EXPECT_EQ(shard->tasks.at(0).range.begin, begin);
    begin = shard->tasks[0].range.end;
  }
  EXPECT_EQ(begin, kStart + Duration::Days(100));
}

TEST(ShardCutter, HandsOutExactlyWhatIsMissingInKeyOrder) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<Ranges> missing(20);
    std::vector<float> density;
    for (Ranges& ranges : missing) {
      density.push_back(std::pow(10.0f, static_cast<float>(random() % 5) - 3.0f));
      for (int i = 0; i < 3; ++i) {
        const UtcTime begin = kStart + Duration::Hours(static_cast<int64_t>(random() % 20'000));
        AddRange(ranges, {begin, begin + Duration::Hours(static_cast<int64_t>(random() % 3'000))});
      }
    }
    std::vector<Ranges> handed(missing.size());
    ShardCutter cutter(
        missing, 100'000,
        round % 2 == 0 ? ShardCutter::Order::kNewestFirst : ShardCutter::Order::kOldestFirst);
    while (const auto shard = cutter.Next(density)) {
      uint32_t series = 0;
      for (const Task& task : shard->tasks) {
        ASSERT_GE(task.series, series);
        series = task.series;
        ASSERT_FALSE(Overlaps(handed[series], task.range));
        AddRange(handed[series], task.range);
      }
    }
    ASSERT_EQ(handed, missing);
  }
}

}  // namespace
}  // namespace pilake::plan
