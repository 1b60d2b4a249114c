// SPDX-License-Identifier: Apache-2.0
// Reading without a table: parts that are planned in one place and read one by one, compared with
// the simulator's archive.
#include "pipeline/reading.h"

#include <filesystem>
#include <map>

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "delta/given_rows.h"
#include "delta/uuid.h"
#include "plan/finality.h"
#include "sim/archive.h"
#include "sim/server.h"
#include "sim/truth.h"

namespace pilake::pipeline {
namespace {

constexpr UtcTime kNow{17'900'000'000'000'000};

using Times = std::map<std::string, std::vector<int64_t>>;

class ReadingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    MoveClock(kNow);
    clock_ = std::move(OpenSharedClock((folder_ / "clock").string()).value());
    sim::ServerOptions options;
    options.plant = {.name = "mixed", .points = 60, .seed = 5, .from = kNow - Duration::Hours(30)};
    options.rate_limit = 0;
    server_ = std::move(sim::Server::Start(options, *clock_).value());
    options_.tail = false;
    options_.source.http.url = server_->url();
    options_.source.budget = {.in_flight = 8,
                              .calls_per_second = 0,
                              .series_reads_per_second = 0,
                              .events_per_second = 0};
    options_.tags = {{.include = {"*"}}};
    options_.history_from = server_->plant().from();
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void MoveClock(UtcTime to) {
    now_ = to;
    ASSERT_THAT(WriteSharedClock((folder_ / "clock").string(), to, 0), IsOk());
  }

  std::unique_ptr<Reading> Open() {
    auto reading = Reading::Open(options_, *clock_, progress_, {});
    EXPECT_THAT(reading, IsOk());
    return std::move(*reading);
  }

  /// Appends the times of the part's rows, by series.
  void Read(const Part& part, Times& times) {
    PartReader reader(options_, part, *clock_);
    for (;;) {
      auto block = reader.Next(Duration::Seconds(60));
      ASSERT_TRUE(block) << "hung";
      ASSERT_THAT(*block, IsOk());
      if (!**block) break;
      delta::Imported<ArrowSchema> schema;
      delta::DescribeGiven(delta::ColumnChoice(), &schema);
      delta::Imported<ArrowArray> array;
      delta::GiveAway(std::move(**block), delta::ColumnChoice(), &array);
      delta::Rows rows;
      ASSERT_THAT(delta::AppendBatch(array, schema, {}, rows), IsOk());
      for (size_t i = 0; i < rows.size(); ++i)
        times[rows.tag_webid[i]].push_back(rows.events.ticks[i]);
    }
    EXPECT_THAT(reader.left_out(), testing::IsEmpty());
  }

  /// By series: what can be seen now within the range `range_of` its newest events.
  template <typename RangeOf>
  Times TrueTimes(const RangeOf& range_of) const {
    Times all;
    for (const sim::Point& point : server_->plant().points()) {
      const sim::Archive archive(server_->plant(), point, now_);
      std::vector<int64_t> times;
      sim::Event event;
      for (int64_t i = 0; i < archive.end(); ++i) {
        if (!archive.Visible(i)) continue;
        archive.Read(i, event);
        if (event.time <= now_ + plan::kAhead) times.push_back(event.time.ticks);
      }
      const std::optional<TimeRange> range = range_of(times);
      if (!range) continue;
      std::erase_if(times, [&](int64_t ticks) { return !range->contains({ticks}); });
      if (!times.empty()) all[sim::TableWebId(server_->plant(), point)] = times;
    }
    return all;
  }
  Times TimesWithin(TimeRange range) const {
    return TrueTimes([&](const auto&) { return std::optional(range); });
  }
  Times FinalTimes() const {
    return TrueTimes([&](const std::vector<int64_t>& times) -> std::optional<TimeRange> {
      if (times.size() < 2) return std::nullopt;
      const auto through = plan::FinalThrough(
          {.last = UtcTime{times.back()}, .previous = UtcTime{times[times.size() - 2]}}, now_,
          options_.settle);
      return TimeRange{options_.history_from, *through};
    });
  }

  /// Everything between two cursors, in a process that knows nothing of what was before.
  void ReadBetween(const plan::Cursors& from, const plan::Cursors& to, Times& times) {
    const auto reading = Open();
    const auto between = reading->PlanBetween(from, to, {.parts = 4});
    ASSERT_THAT(between, IsOk());
    EXPECT_THAT(between->gone, testing::IsEmpty());
    for (const Part& part : between->parts) Read(part, times);
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("pilake-reading-" + delta::NewUuid());
  UtcTime now_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<sim::Server> server_;
  PullOptions options_;
  Progress progress_;
};

TEST_F(ReadingTest, PartsAreTogetherAllThatIsWantedAndNothingTwice) {
  const auto reading = Open();
  const TimeRange range{kNow - Duration::Hours(20), kNow - Duration::Hours(3)};
  const auto parts = reading->Plan({.range = range}, {.parts = 4});
  ASSERT_THAT(parts, IsOk());
  EXPECT_GT(parts->size(), 1u);
  Times times;
  for (const Part& part : *parts) Read(part, times);
  for (auto& [web_id, of] : times) std::ranges::sort(of);
  EXPECT_EQ(times, TimesWithin(range));
}

TEST_F(ReadingTest, ReadsOnlyTheNamesThatAreAskedFor) {
  const auto reading = Open();
  const std::string name = reading->series()[7].name;
  const TimeRange range{options_.history_from, kNow};
  const auto parts = reading->Plan({.range = range, .names = {name}}, {.parts = 4});
  ASSERT_THAT(parts, IsOk());
  for (const Part& part : *parts) {
    for (const Series& series : part.series) EXPECT_EQ(series.name, name);
  }
}

TEST_F(ReadingTest, PartsHaveNoMoreThanTheBudgetTogether) {
  options_.source.budget.in_flight = 4;
  const auto reading = Open();
  const TimeRange range{options_.history_from, kNow};
  const auto all_at_once = reading->Plan({.range = range}, {.parts = 16});
  ASSERT_THAT(all_at_once, IsOk());
  EXPECT_LE(all_at_once->size(), 4u);
  double share = 0;
  for (const Part& part : *all_at_once) share += part.share;
  EXPECT_NEAR(share, 1, 1e-9);
  const auto two_at_once = reading->Plan({.range = range}, {.parts = 16, .at_once = 2});
  ASSERT_THAT(two_at_once, IsOk());
  EXPECT_GT(two_at_once->size(), 4u);
  EXPECT_EQ(two_at_once->front().share, 0.5);
}

TEST_F(ReadingTest, AStreamInPiecesIsAllThatIsFinalAndNothingTwice) {
  Times times;
  plan::Cursors at;
  int pieces = 0;
  for (const Duration passed : {Duration{}, Duration::Hours(2), Duration::Minutes(25)}) {
    MoveClock(now_ + passed);
    const auto reading = Open();
    ASSERT_THAT(reading->Look(), IsOk());
    if (at.through.empty()) at = reading->Start(Duration::Hours(36));
    for (;; ++pieces) {
      ASSERT_LT(pieces, 1'000);
      const plan::Cursors next = reading->Next(at, 20'000, std::nullopt);
      if (next == at) break;
      ReadBetween(at, next, times);
      at = next;
    }
  }
  EXPECT_GT(pieces, 4);
  for (auto& [web_id, of] : times) std::ranges::sort(of);
  EXPECT_EQ(times, FinalTimes());
}

/// A piece that is read again after a crash, hours later, is what it was.
TEST_F(ReadingTest, APieceIsTheSameWheneverItIsRead) {
  const auto reading = Open();
  ASSERT_THAT(reading->Look(), IsOk());
  const plan::Cursors from = reading->Start(Duration::Hours(36));
  const plan::Cursors to = reading->Next(from, 0, std::nullopt);
  Times first, again;
  ReadBetween(from, to, first);
  MoveClock(now_ + Duration::Hours(5));
  ReadBetween(from, to, again);
  for (Times* times : {&first, &again}) {
    for (auto& [web_id, of] : *times) std::ranges::sort(of);
  }
  EXPECT_EQ(first, again);
}

TEST_F(ReadingTest, WhatWasReadIsReadASecondTimeWhenItIsOldEnough) {
  constexpr Duration kSecondLook = Duration::Hours(6);
  auto reading = Open();
  ASSERT_THAT(reading->Look(), IsOk());
  const plan::Cursors start = reading->Start(kSecondLook);
  const plan::Cursors first = reading->Next(start, 0, kSecondLook);
  MoveClock(now_ + Duration::Hours(1));
  reading = Open();
  ASSERT_THAT(reading->Look(), IsOk());
  const plan::Cursors second = reading->Next(first, 0, kSecondLook);
  EXPECT_LE(first.looked, kNow - kSecondLook);
  EXPECT_EQ(second.looked, first.looked + Duration::Hours(1));
  Times times;
  ReadBetween(first, second, times);
  const Times looked = TimesWithin({first.looked, second.looked});
  ASSERT_FALSE(looked.empty());
  for (const auto& [web_id, of] : looked) {
    for (const int64_t ticks : of) {
      if (UtcTime{ticks} >= first.through.at(web_id)) continue;
      EXPECT_THAT(times[web_id], testing::Contains(ticks));
    }
  }
}

}  // namespace
}  // namespace pilake::pipeline
