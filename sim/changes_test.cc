// SPDX-License-Identifier: Apache-2.0
// Whoever applies the changes to what was there before has what is there after (wire §9.2).
#include "sim/changes.h"

#include <algorithm>
#include <compare>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/hash.h"
#include "sim/history.h"
#include "sim/test_seen.h"
#include "sim/test_world.h"

namespace pilake::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Heard {
  EventAction action;
  PreviousEvent previous;
  Seen event;
  auto operator<=>(const Heard&) const = default;
};

void PrintTo(const Heard& heard, std::ostream* out) {
  static constexpr const char* kActions[] = {"Add", "Insert", "Update", "Delete", "Refresh"};
  static constexpr const char* kPrevious[] = {"", " archived", " discarded"};
  *out << kActions[static_cast<int>(heard.action)] << kPrevious[static_cast<int>(heard.previous)]
       << " ";
  PrintTo(heard.event, out);
}

// A copy of one series, kept by the rules of the reference alone.
class Replica {
 public:
  explicit Replica(std::vector<Seen> events) : events_(events.begin(), events.end()) {
    if (!events.empty()) provisional_ = events.back();
  }

  void Apply(const Heard& heard) {
    switch (heard.action) {
      case EventAction::kAdd:
        if (heard.previous == PreviousEvent::kDiscarded) {
          ASSERT_TRUE(provisional_);
          Remove(*provisional_);
        }
        if (heard.previous == PreviousEvent::kNone && provisional_)
          doubtful_.insert(provisional_->time);
        events_.insert(heard.event);
        provisional_ = heard.event;
        break;
      case EventAction::kInsert:
        events_.insert(heard.event);
        break;
      case EventAction::kUpdate:
        Replace(heard.event);
        break;
      case EventAction::kDelete:
        Remove(heard.event);
        if (provisional_ == heard.event) provisional_.reset();
        break;
      case EventAction::kRefresh:
        ADD_FAILURE() << "not in these tests";
        break;
    }
  }

  // Which of several events of one time was meant cannot be told: such times are read again.
  std::vector<Seen> Against(const std::vector<Seen>& truth) const {
    std::vector<Seen> events(events_.begin(), events_.end());
    std::erase_if(events, [&](const Seen& e) { return doubtful_.contains(e.time); });
    std::ranges::copy_if(truth, std::back_inserter(events),
                         [&](const Seen& e) { return doubtful_.contains(e.time); });
    std::ranges::sort(events);
    return events;
  }

 private:
  void Remove(const Seen& event) {
    const auto found = events_.find(event);
    if (found != events_.end())
      events_.erase(found);
    else
      EXPECT_TRUE(doubtful_.contains(event.time)) << testing::PrintToString(event);
  }

  void Replace(const Seen& event) {
    const auto begin = events_.lower_bound({event.time, "", false});
    auto end = begin;
    while (end != events_.end() && end->time == event.time) ++end;
    EXPECT_NE(begin, end) << "nothing to update at " << testing::PrintToString(event);
    if (std::distance(begin, end) > 1) doubtful_.insert(event.time);
    if (provisional_ && provisional_->time == event.time) provisional_ = event;
    if (begin == end) return;
    events_.erase(begin);
    events_.insert(event);
  }

  std::multiset<Seen> events_;
  std::optional<Seen> provisional_;
  std::set<UtcTime> doubtful_;
};

class Changes : public testing::Test {
 protected:
  void Play(std::string_view script, std::string plant = "mixed", int64_t points = 0) {
    auto parsed = ParseScript(script);
    ASSERT_THAT(parsed, IsOk());
    auto story = Story::Make(MakePlant(std::move(plant), points), *parsed);
    ASSERT_THAT(story, IsOk());
    story_.emplace(std::move(*story));
  }

  std::vector<Seen> Truth(const Point& point, UtcTime now) {
    const History history(story_->plant(), point, now, {.veiled = false});
    std::vector<Seen> events;
    Event event;
    for (int64_t at = 0; at < history.end(); ++at) {
      if (!history.Visible(at)) continue;
      history.Read(at, event);
      events.push_back(See(event));
    }
    return events;
  }

  std::vector<Heard> Hear(const Point& point, UtcTime after, UtcTime until,
                          bool tells_swaps = false) {
    std::vector<Heard> all;
    TellChanges(story_->plant(), point, {after, until}, tells_swaps, [&](const Change& change) {
      all.push_back({change.action, change.previous, See(change.event)});
      return true;
    });
    return all;
  }
  std::vector<Heard> Hear(std::string_view tag, std::string_view after, std::string_view until,
                          bool tells_swaps = false) {
    return Hear(*story_->plant().PointByName(tag), At(after), At(until), tells_swaps);
  }

  // From one random time to the next, for every point: what is heard makes the one truth into the
  // other.
  void ExpectTruthFromChanges(UtcTime from, UtcTime to, uint64_t seed) {
    for (const Point& point : story_->plant().points()) {
      std::vector<UtcTime> times = {from, to};
      for (uint64_t n = 0; n < 6; ++n) {
        const auto ticks = Below(Draw(point.seed ^ seed, n), (to - from).ticks);
        times.push_back(from + Duration::Ticks(ticks));
      }
      std::ranges::sort(times);
      Replica replica(Truth(point, from));
      std::vector<Heard> pieces;
      for (size_t i = 1; i < times.size(); ++i) {
        const auto piece = Hear(point, times[i - 1], times[i]);
        pieces.insert(pieces.end(), piece.begin(), piece.end());
      }
      ASSERT_EQ(pieces, Hear(point, from, to)) << point.name;
      SCOPED_TRACE(point.name);
      for (const Heard& heard : pieces) {
        SCOPED_TRACE(testing::PrintToString(heard));
        replica.Apply(heard);
      }
      auto truth = Truth(point, to);
      std::ranges::sort(truth);
      ASSERT_EQ(replica.Against(truth), truth) << point.name;
      heard_ += pieces.size();
      for (const Heard& heard : pieces) {
        ++actions_[static_cast<size_t>(heard.action)];
        ++previous_[static_cast<size_t>(heard.previous)];
      }
    }
  }

  std::optional<Story> story_;
  size_t heard_ = 0;
  std::array<size_t, 5> actions_{};
  std::array<size_t, 3> previous_{};
};

TEST_F(Changes, MakeOneTruthIntoTheNextWhenNothingHappens) {
  Play("");
  ExpectTruthFromChanges(At("2026-03-01T06:00:00Z"), At("2026-03-01T12:00:00Z"), 1);
  EXPECT_EQ(actions_[0], heard_);  // nothing but adds
  EXPECT_GT(previous_[1], 1000U);
  EXPECT_GT(previous_[2], 1000U);
}

TEST_F(Changes, MakeOneTruthIntoTheNextWhateverIsDone) {
  Play(R"(
insert * count 400 events 2026-03-01T00:00:00Z 2026-03-02T00:00:00Z at 2026-03-01T08:00:00Z spread 6h
insert * pick 60 event 2026-03-01T09:00:00Z
insert * pick 60 seed 2 event 2026-03-01T09:30:00Z at 2026-03-01T09:10:00Z times 3
edit Dense.* count 400 events 2026-03-01T00:00:00Z 2026-03-01T08:00:00Z at 2026-03-01T08:00:00Z spread 6h
delete Dense.* count 400 events 2026-03-01T00:00:00Z 2026-03-01T08:00:00Z at 2026-03-01T08:00:00Z spread 6h
edit Dense.* snapshot at 2026-03-01T09:00:00Z
edit Dense.* snapshot at 2026-03-01T12:00:00Z
delete Dense.* snapshot at 2026-03-01T09:20:00Z
delete Dense.* snapshot at 2026-03-01T09:20:01Z
delete Dense.* snapshot at 2026-03-01T11:20:00Z
delete Dense.* snapshot at 2026-03-01T13:20:00Z
error Dense.* event 2026-03-01T07:00:00Z from 2026-03-01T08:30:00Z to 2026-03-01T09:30:00Z
outage *.* pick 60 from 2026-03-01T09:00:00Z to 2026-03-01T10:00:00Z
outage *.* pick 60 seed 5 from 2026-03-01T09:40:00Z to 2026-03-01T10:40:00Z state "I/O Timeout" buffered over 10m
outage *.* pick 60 seed 6 from 2026-03-01T11:00:00Z to 2026-03-01T11:30:00Z buffered
queue * pick 60 from 2026-03-01T09:00:00Z to 2026-03-01T11:00:00Z lag 20m
load * pick 50 events 2026-03-01T05:00:00Z 2026-03-01T07:00:00Z at 2026-03-01T10:00:00Z
load * pick 50 seed 7 events 2026-03-01T09:30:00Z 2026-03-01T10:30:00Z at 2026-03-01T10:00:00Z
unmount * pick 50 events 2026-03-01T02:00:00Z 2026-03-01T04:00:00Z from 2026-03-01T09:00:00Z to 2026-03-01T11:00:00Z
)");
  ExpectTruthFromChanges(At("2026-03-01T08:00:00Z"), At("2026-03-01T14:00:00Z"), 2);
  for (const EventAction action :
       {EventAction::kAdd, EventAction::kInsert, EventAction::kUpdate, EventAction::kDelete})
    EXPECT_GT(actions_[static_cast<size_t>(action)], 300U);
  EXPECT_GT(previous_[2], 1000U);
}

TEST_F(Changes, MakeOneTruthIntoTheNextWhenPointsAreAddedWithTheirHistory) {
  Play("add * pick 60 at 2026-03-01T09:00:00Z history 2026-03-01T10:00:00Z");
  ExpectTruthFromChanges(At("2026-03-01T08:00:00Z"), At("2026-03-01T11:00:00Z"), 3);
  EXPECT_GT(actions_[1], 1000U);
}

// An edit at a moment at which an event comes, and an insert of the time of an event.
TEST_F(Changes, MakeOneTruthIntoTheNextAtTheVeryInstantOfAnEvent) {
  Play("");
  const Point& point = *story_->plant().PointByName("Dense.Fast");
  const Archive archive(story_->plant(), point, At("2026-03-01T10:00:00Z"));
  std::string script;
  for (int64_t back = 1; back < 60; ++back) {
    const std::string time = FormatUtcTime(Rendered(archive.TimeAt(archive.end() - back)));
    script += fmt::format("{} at {}\n",
                          back % 3 == 0   ? "edit Dense.Fast snapshot"
                          : back % 3 == 1 ? "delete Dense.Fast snapshot"
                                          : fmt::format("insert Dense.Fast event {}", time),
                          time);
  }
  Play(script);
  ExpectTruthFromChanges(At("2026-03-01T09:00:00Z"), At("2026-03-01T11:00:00Z"), 4);
  EXPECT_GT(actions_[1], 5U);
  EXPECT_EQ(actions_[2] + actions_[3], 0U);  // they come as they are, or not at all
}

TEST_F(Changes, TellAnEditAsSubstitutedUnlessItIsUnmarked) {
  Play(
      "edit Dense.Fast snapshot at 2026-03-01T10:00:00Z\n"
      "edit Dense.Fast event 2026-03-01T08:00:00Z at 2026-03-01T10:00:01Z unmarked");
  auto heard = Hear("Dense.Fast", "2026-03-01T09:59:00Z", "2026-03-01T10:01:00Z");
  std::erase_if(heard, [](const Heard& h) { return h.action == EventAction::kAdd; });
  ASSERT_THAT(heard, SizeIs(2));
  EXPECT_EQ(heard[0].action, EventAction::kUpdate);
  EXPECT_TRUE(heard[0].event.substituted);
  EXPECT_EQ(heard[1].action, EventAction::kUpdate);
  EXPECT_FALSE(heard[1].event.substituted);
}

TEST_F(Changes, AreHeardAtOnceWhileTheArchiveQueues) {
  const std::string_view from = "2026-03-01T09:00:00Z", to = "2026-03-01T10:00:00Z";
  Play("");
  const auto free = Hear("Dense.Fast", from, to);
  Play("queue Dense.Fast from 2026-03-01T09:00:00Z to 2026-03-01T11:00:00Z");
  EXPECT_EQ(Hear("Dense.Fast", from, to), free);
  EXPECT_FALSE(free.empty());
}

TEST_F(Changes, TellOfAnotherArchiveBehindTheNameOnlyIfThatIsTheReading) {
  Play(
      "restore Dense.Fast backup 2026-03-01T08:00:00Z at 2026-03-01T10:00:00Z\n"
      "alter Dense.Fast events 2026-03-01T05:00:00Z 2026-03-01T06:00:00Z at 2026-03-01T11:00:00Z\n"
      "exchange Dense.Fast at 2026-03-01T12:00:00Z");
  const std::string_view from = "2026-03-01T09:30:00Z", to = "2026-03-01T12:30:00Z";
  const auto silent = Hear("Dense.Fast", from, to);
  std::vector<Heard> told = Hear("Dense.Fast", from, to, true);
  std::vector<UtcTime> refreshed;
  for (const Heard& heard : told) {
    if (heard.action == EventAction::kRefresh) refreshed.push_back(heard.event.time);
  }
  std::erase_if(told, [](const Heard& h) { return h.action == EventAction::kRefresh; });
  EXPECT_EQ(told, silent);
  ASSERT_THAT(refreshed, SizeIs(3));
  EXPECT_GT(refreshed[0], At("2026-03-01T08:00:00Z"));
  EXPECT_LT(refreshed[0], At("2026-03-01T08:00:01Z"));
  EXPECT_EQ(refreshed[1], At("2026-03-01T05:00:00Z"));
  const Point& point = *story_->plant().PointByName("Dense.Fast");
  EXPECT_EQ(refreshed[2], Rendered(point.created));
}

TEST_F(Changes, EndWhenTheSinkHadEnough) {
  Play("");
  int count = 0;
  const Point& point = *story_->plant().PointByName("Dense.Fast");
  const Stretch day = {At("2026-03-01T00:00:00Z"), At("2026-03-02T00:00:00Z")};
  EXPECT_FALSE(
      TellChanges(story_->plant(), point, day, false, [&](const Change&) { return ++count < 7; }));
  EXPECT_EQ(count, 7);
}

TEST_F(Changes, AreNoneOfAStretchThatIsEmptyOrRunsBackwards) {
  Play("");
  EXPECT_THAT(Hear("Dense.Fast", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"), IsEmpty());
  EXPECT_THAT(Hear("Dense.Fast", "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z"), IsEmpty());
}

}  // namespace
}  // namespace pilake::sim
