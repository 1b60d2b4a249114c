// SPDX-License-Identifier: Apache-2.0
#include "plan/packing.h"

#include <random>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

constexpr UtcTime kStart{17'000'000'000'000'000};

Task TaskOf(uint32_t series, Duration from, Duration length) {
  return {.series = series, .range = {kStart + from, kStart + from + length}, .expected = {}};
}

std::vector<Request> PackAll(std::vector<Task> tasks, const std::vector<float>& density,
                             PackLimits limits = {}) {
  Packer packer(std::move(tasks), limits);
  std::vector<Request> requests;
  while (auto request = packer.Next(density)) requests.push_back(*request);
  return requests;
}

TEST(Packer, SlicesADeepSeriesIntoWindowsThatFollowOneAnother) {
  const Task task = TaskOf(0, {}, Duration::Days(1));
  const auto requests = PackAll({task}, {10.0f});
  ASSERT_GT(requests.size(), 10u);
  UtcTime at = task.range.begin;
  for (const Request& request : requests) {
    ASSERT_EQ(request.transport, Transport::kSingle);
    ASSERT_EQ(request.reads[0].window.begin, at);
    at = request.reads[0].window.end;
  }
  EXPECT_EQ(at, task.range.end);
}

TEST(Packer, AsksOnceForWhatLiesBehindTheLastEventOfASeries) {
  Task task = TaskOf(0, {}, Duration::Days(30));
  task.newest = kStart + Duration::Minutes(10);
  const auto requests = PackAll({task}, {10.0f});
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].reads[0].window, task.range);
  EXPECT_GE(requests[0].reads[0].max_count, 6'000u);
}

TEST(Packer, PutsManySparseSeriesOfOneWindowIntoOneSet) {
  std::vector<Task> tasks;
  for (uint32_t i = 0; i < 150; ++i) tasks.push_back(TaskOf(i, {}, Duration::Hours(1)));
  const auto requests = PackAll(tasks, std::vector<float>(150, 0.01f));
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].transport, Transport::kSet);
}

TEST(Packer, AsksForAsManyEventsAsATaskWantsAtLeast) {
  std::vector<Task> tasks;
  for (uint32_t i = 0; i < 150; ++i) tasks.push_back(TaskOf(i, {}, Duration::Minutes(10)));
  for (Task& task : tasks) task.count_min = 800;
  const auto requests = PackAll(tasks, std::vector<float>(150, 1e-5f));
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].transport, Transport::kSet);
  for (const Read& read : requests[0].reads) EXPECT_EQ(read.max_count, 800u);
}

TEST(Packer, GivesSeriesWithCursorsOfTheirOwnABatch) {
  std::vector<Task> tasks;
  for (uint32_t i = 0; i < 50; ++i)
    tasks.push_back(TaskOf(i, Duration::Hours(i), Duration::Hours(1)));
  const auto requests = PackAll(tasks, std::vector<float>(50, 0.1f));
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].transport, Transport::kBatch);
}

TEST(Packer, RatherSendsSeveralSetsThanOneBatchWhoseEveryPartMayCount) {
  // One dense series among many sparse ones: its `maxCount` holds for all of a set.
  std::vector<Task> tasks;
  for (uint32_t i = 0; i < 100; ++i) tasks.push_back(TaskOf(i, {}, Duration::Hours(1)));
  std::vector<float> density(100, 0.01f);
  density[10] = 1.0f;
  const auto requests = PackAll(tasks, density);
  EXPECT_GT(requests.size(), 1u);
  for (const Request& request : requests) EXPECT_EQ(request.transport, Transport::kSet);
}

TEST(Packer, ReckonsWithWhatCameSinceTheTasksWerePlanned) {
  Task task = TaskOf(0, Duration{}, Duration::Minutes(12));
  task.newest = task.range.begin + Duration::Seconds(30);
  const std::vector<float> density{0.5f};
  const auto asked = [&](Duration elapsed) {
    return Packer({task}, {}).Next(density, elapsed)->reads.front().max_count;
  };
  EXPECT_LT(asked({}), 60u);
  EXPECT_GT(asked(Duration::Seconds(200)), 115u);
  EXPECT_EQ(asked(Duration::Hours(10)), asked(Duration::Hours(100)))
      << "no more than the range holds";
}

/// Every task is asked for exactly, in order, within the limits, whatever the shapes.
TEST(Packer, CoversEveryTaskExactlyWithinTheLimits) {
  std::mt19937 random(3);
  PackLimits limits{
      .items_max = 5'000, .set_series_max = 30, .batch_parts_max = 20, .page_events = 2'000};
  for (int round = 0; round < 300; ++round) {
    if (round >= 200) limits.only = static_cast<Transport>(round % 3);
    std::vector<Task> tasks;
    std::vector<float> density;
    for (uint32_t i = 0; i < 40; ++i) {
      density.push_back(std::pow(10.0f, static_cast<float>(random() % 6) - 4.0f));
      tasks.push_back(TaskOf(i, Duration::Minutes(static_cast<int64_t>(random() % 500)),
                             Duration::Minutes(1 + static_cast<int64_t>(random() % 2'000))));
    }
    std::vector<TimeRange> asked(tasks.size(), TimeRange{UtcTime{-1}, UtcTime{-1}});
    uint32_t series = 0;
    for (const Request& request : PackAll(tasks, density, limits)) {
      uint64_t items = 0;
      for (const Read& read : request.reads) {
        ASSERT_GE(read.series, series);
        series = read.series;
        TimeRange& range = asked[read.series];
        if (range.begin.ticks < 0) range = {read.window.begin, read.window.begin};
        ASSERT_EQ(range.end, read.window.begin);
        range.end = read.window.end;
        ASSERT_GT(read.max_count, 0u);
        items += read.max_count;
      }
      ASSERT_LE(items, limits.items_max);
      ASSERT_EQ(request.transport, limits.only.value_or(request.transport));
      ASSERT_LE(request.reads.size(), request.transport == Transport::kBatch ? 20u : 30u);
    }
    for (size_t i = 0; i < tasks.size(); ++i) ASSERT_EQ(asked[i], tasks[i].range) << i;
  }
}

TEST(HalvesInTime, CoverTheWindow) {
  const Read read{.series = 1,
                  .window = {kStart, kStart + Duration::Hours(1)},
                  .max_count = 10,
                  .expected = Expected{.instant = {kStart, 1, 2}}};
  const auto halves = HalvesInTime(read);
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[0].window.begin, read.window.begin);
  EXPECT_EQ(halves[0].window.end, halves[1].window.begin);
  EXPECT_EQ(halves[1].window.end, read.window.end);
  EXPECT_TRUE(halves[0].expected);
  EXPECT_FALSE(halves[1].expected);
}

}  // namespace
}  // namespace pilake::plan
