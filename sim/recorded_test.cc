// SPDX-License-Identifier: Apache-2.0
#include "sim/recorded.h"

#include <map>

#include <gmock/gmock.h>

#include "sim/event_json.h"
#include "sim/test_world.h"

namespace pilake::sim {
namespace {

using testing::IsEmpty;

struct Seen {
  UtcTime time;
  std::string value;
  bool operator==(const Seen&) const = default;
};

void PrintTo(const Seen& seen, std::ostream* os) {
  *os << FormatUtcTime(seen.time) << " " << seen.value;
}

class Recorded : public testing::Test {
 protected:
  std::vector<Seen> Read(std::string_view name, RecordedQuery query,
                         UtcTime now = At("2026-03-03T12:00:00Z")) const {
    RecordedReader reader(plant_, *plant_.PointByName(name), readings_, query, now);
    std::vector<Seen> events;
    Event event;
    while (reader.Next(event)) {
      std::string value;
      AppendValue(event, readings_, value);
      events.push_back({event.time, std::move(value)});
    }
    return events;
  }

  static RecordedQuery Window(std::string_view start, std::string_view end,
                              int64_t max_count = INT64_MAX) {
    return {At(start), At(end), Boundary::kInside, max_count};
  }

  const Plant plant_ = MakePlant("mixed");
  Readings readings_;
};

TEST_F(Recorded, IncludesBothEndsOfTheWindow) {
  const auto all = Read("Dense.Triples", Window("2026-03-02T00:00:00Z", "2026-03-02T00:10:00Z"));
  ASSERT_GT(all.size(), 20U);
  const RecordedQuery exact{all[3].time, all[6].time, Boundary::kInside, INT64_MAX};
  const auto between = Read("Dense.Triples", exact);
  EXPECT_EQ(between.front().time, all[3].time);
  EXPECT_EQ(between.back().time, all[6].time);
  const RecordedQuery within{all[3].time + Duration::Ticks(1), all[6].time - Duration::Ticks(1),
                             Boundary::kInside, INT64_MAX};
  for (const Seen& event : Read("Dense.Triples", within)) {
    EXPECT_GT(event.time, all[3].time);
    EXPECT_LT(event.time, all[6].time);
  }
}

TEST_F(Recorded, StopsAtMaxCountInTheMiddleOfOneInstant) {
  const auto all = Read("Dense.Triples", Window("2026-03-02T00:00:00Z", "2026-03-02T00:10:00Z"));
  const auto page =
      Read("Dense.Triples", Window("2026-03-02T00:00:00Z", "2026-03-02T00:10:00Z", 7));
  ASSERT_EQ(page.size(), 7U);
  EXPECT_TRUE(std::equal(page.begin(), page.end(), all.begin()));
  EXPECT_EQ(all[6].time, all[7].time);  // the page ends within a run of one time
}

TEST_F(Recorded, ReadsBackwardsWhenTheEndIsBeforeTheStart) {
  for (const char* name : {"Dense.Fast", "Dense.Storm", "Dense.LongRun", "Dense.Triples"}) {
    auto forward = Read(name, Window("2026-03-02T00:00:00Z", "2026-03-02T09:00:00Z"));
    const auto backward = Read(name, Window("2026-03-02T09:00:00Z", "2026-03-02T00:00:00Z"));
    std::ranges::reverse(forward);
    EXPECT_EQ(forward, backward) << name;
  }
}

TEST_F(Recorded, KeepsTheOrderWithinAnInstantBackwardsIfThatIsTheReading) {
  readings_.stable_descending = true;
  const auto forward =
      Read("Dense.Triples", Window("2026-03-02T00:00:00Z", "2026-03-02T09:00:00Z"));
  auto backward = Read("Dense.Triples", Window("2026-03-02T09:00:00Z", "2026-03-02T00:00:00Z"));
  ASSERT_EQ(forward.size(), backward.size());
  EXPECT_GT(backward.front().time, backward.back().time);
  std::map<UtcTime, std::vector<Seen>> instants;
  for (const Seen& event : backward) instants[event.time].push_back(event);
  std::vector<Seen> turned;
  for (const auto& [time, events] : instants)
    turned.insert(turned.end(), events.begin(), events.end());
  EXPECT_EQ(turned, forward);
}

TEST_F(Recorded, ShowsTheSnapshotAndNothingAfterNow) {
  const UtcTime now = At("2026-03-03T12:00:00Z");
  const auto events = Read(
      "Dense.Fast",
      {now - Duration::Minutes(5), now + Duration::Minutes(15), Boundary::kInside, INT64_MAX}, now);
  ASSERT_FALSE(events.empty());
  EXPECT_LE(events.back().time, now);
  EXPECT_GT(events.back().time, now - Duration::Minutes(1));
}

TEST_F(Recorded, ShowsEventsThatRunAheadOnlyToThoseWhoAskForThem) {
  const UtcTime now = At("2026-03-03T12:00:00Z");
  const auto to_now =
      Read("Ahead.9min", {now - Duration::Hours(1), now, Boundary::kInside, INT64_MAX}, now);
  const auto beyond = Read(
      "Ahead.9min",
      {now - Duration::Hours(1), now + Duration::Minutes(15), Boundary::kInside, INT64_MAX}, now);
  EXPECT_LE(to_now.back().time, now);
  EXPECT_GT(beyond.back().time, now + Duration::Minutes(8));
  EXPECT_LE(beyond.back().time, now + Duration::Minutes(10));
}

TEST_F(Recorded, AddsTheNeighboursOutsideTheWindow) {
  const auto all = Read("Dense.Fast", Window("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z"));
  RecordedQuery query{all[5].time + Duration::Ticks(1), all[8].time - Duration::Ticks(1),
                      Boundary::kOutside, INT64_MAX};
  ASSERT_LT(all[5].time, all[6].time);
  ASSERT_LT(all[7].time, all[8].time);
  const auto outside = Read("Dense.Fast", query);
  EXPECT_EQ(outside, std::vector<Seen>(all.begin() + 5, all.begin() + 9));
  query = {all[5].time, all[8].time, Boundary::kOutside, INT64_MAX};  // the ends are there already
  EXPECT_EQ(Read("Dense.Fast", query), std::vector<Seen>(all.begin() + 5, all.begin() + 9));
}

TEST_F(Recorded, MakesUpValuesAtTheEndsWhenInterpolating) {
  const RecordedQuery query{At("2026-03-02T00:00:00.1Z"), At("2026-03-02T00:10:00.1Z"),
                            Boundary::kInterpolated, INT64_MAX};
  const auto events = Read("Dense.Pairs", query);
  EXPECT_EQ(events.front().time, query.start);
  EXPECT_EQ(events.back().time, query.end);
}

TEST_F(Recorded, ComparesExactTimesIfThatIsTheReading) {
  readings_.exact_times = true;
  // 2 units are 30.5176 µs and rendered .0000305: a window that ends there misses the event.
  const auto all = Read("Dense.Fast", Window("2026-03-02T00:00:00Z", "2026-03-02T02:00:00Z"));
  int64_t missed = 0;
  for (const Seen& event : all) {
    if (Read("Dense.Fast", {event.time, event.time, Boundary::kInside, 10}).empty()) ++missed;
    // An archive tick of overlap finds it again.
    ASSERT_FALSE(Read("Dense.Fast",
                      {event.time - kArchiveTick, event.time + kArchiveTick, Boundary::kInside, 10})
                     .empty());
  }
  EXPECT_GT(missed, std::ssize(all) / 4);
}

TEST_F(Recorded, IsEmptyWhereThereIsNothing) {
  EXPECT_THAT(Read("No.Events", Window("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z")), IsEmpty());
  EXPECT_THAT(Read("Dense.Fast", Window("2020-03-01T00:00:00Z", "2020-03-03T00:00:00Z")),
              IsEmpty());
  EXPECT_THAT(Read("Dense.Fast", Window("2027-03-01T00:00:00Z", "2027-03-03T00:00:00Z")),
              IsEmpty());
  EXPECT_EQ(Read("One.Event", Window("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z")).size(), 1U);
}

// The paging rule of the reference (wire §5.5), in its simplest form: no event is lost or doubled.
TEST_F(Recorded, CanBePagedWithoutLossBySkippingWhatWasSeenAtTheCursor) {
  const RecordedQuery whole = Window("2026-03-02T00:00:00Z", "2026-03-02T12:00:00Z");
  for (const char* name : {"Dense.Fast", "Dense.Storm", "Dense.Triples", "Dense.LongRun"}) {
    const int64_t page_size = std::string_view(name) == "Dense.LongRun" ? 1400 : 100;
    const auto all = Read(name, whole);
    std::vector<Seen> paged;
    RecordedQuery query = whole;
    query.max_count = page_size;
    int64_t skip = 0;
    for (;;) {
      const auto page = Read(name, query);
      paged.insert(paged.end(), page.begin() + std::min(skip, std::ssize(page)), page.end());
      if (std::ssize(page) < page_size) break;
      ASSERT_LT(query.start, page.back().time);
      query.start = page.back().time;
      skip = std::ranges::count(page, query.start, &Seen::time);
    }
    EXPECT_EQ(paged, all) << name;
  }
}

}  // namespace
}  // namespace pilake::sim
