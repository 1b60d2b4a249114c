// SPDX-License-Identifier: Apache-2.0
// The scenes of a script as a client sees them, and as the truth tells them.
#include "sim/story.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/history.h"
#include "sim/recorded.h"
#include "sim/test_seen.h"
#include "sim/test_world.h"

namespace pilake::sim {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::vector<UtcTime> Times(const std::vector<Seen>& events) {
  std::vector<UtcTime> times;
  for (const Seen& event : events) times.push_back(event.time);
  return times;
}

class Scenes : public testing::Test {
 protected:
  void Play(std::string_view script) {
    auto parsed = ParseScript(script);
    ASSERT_THAT(parsed, IsOk());
    auto story = Story::Make(MakePlant("mixed"), *parsed);
    ASSERT_THAT(story, IsOk());
    story_.emplace(std::move(*story));
  }

  // All that is recorded of the tag, up to an hour ahead.
  std::vector<Seen> Recorded(std::string_view tag, std::string_view now) {
    const auto plant = story_->PlantAt(At(now));
    const RecordedQuery all{At("2020-01-01T00:00:00Z"), At(now) + Duration::Hours(1),
                            Boundary::kInside, INT64_MAX};
    RecordedReader reader(*plant, *plant->PointByName(tag), readings_, all, At(now));
    std::vector<Seen> events;
    for (Event event; reader.Next(event);) events.push_back(See(event));
    return events;
  }
  std::vector<Seen> Between(std::string_view tag, std::string_view now, std::string_view from,
                            std::string_view to) {
    auto events = Recorded(tag, now);
    std::erase_if(events, [&](const Seen& e) { return e.time < At(from) || e.time >= At(to); });
    return events;
  }
  Seen Newest(std::string_view tag, std::string_view now) {
    const auto plant = story_->PlantAt(At(now));
    Event event;
    EXPECT_TRUE(History(*plant, *plant->PointByName(tag), At(now)).ReadNewest(event));
    return See(event);
  }

  Readings readings_;
  std::optional<Story> story_;
};

const char kTag[] = "Dense.Fast";  // some 25 events a minute

TEST_F(Scenes, AnInsertedEventIsThereFromItsMomentOn) {
  Play("insert Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z value 4711.5");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59Z");
  const auto after = Recorded(kTag, "2026-03-02T10:00:00Z");
  EXPECT_THAT(before, Not(Contains(testing::Field(&Seen::value, "4711.5"))));
  EXPECT_THAT(after, Contains(Seen{At("2026-03-02T00:00:00Z"), "4711.5", false}));
  EXPECT_TRUE(std::ranges::is_sorted(Times(after)));
}

TEST_F(Scenes, TimeMayGoBackwards) {
  Play("insert Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z value 4711.5");
  const auto before = Recorded(kTag, "2026-03-02T09:00:00Z");
  Recorded(kTag, "2026-03-02T11:00:00Z");
  EXPECT_EQ(Recorded(kTag, "2026-03-02T09:00:00Z"), before);
}

TEST_F(Scenes, SeveralEventsMayBeInsertedAtOneTime) {
  Play("insert Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z times 3");
  EXPECT_THAT(
      Between(kTag, "2026-03-02T10:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00.0000001Z"),
      SizeIs(3));
}

TEST_F(Scenes, AnEventAheadOfAllOthersIsTheSnapshotAndSendsTheOldOneThroughCompression) {
  Play("insert Dense.Fast event 2026-03-02T10:00:10Z at 2026-03-02T10:00:00Z state \"Shutdown\"");
  EXPECT_THAT(Newest(kTag, "2026-03-02T10:00:00Z").value, HasSubstr("Shutdown"));
  // Over many moments, some snapshot is discarded by such an event.
  int discarded = 0;
  for (int second = 0; second < 60; ++second) {
    const std::string now = fmt::format("2026-03-02T10:{:02}:00Z", second);
    Play("insert Dense.Fast event " + now + " state Shutdown");
    const auto with = Recorded(kTag, now);
    Play("");
    const auto without = Recorded(kTag, now);
    if (with.size() == without.size()) ++discarded;
  }
  EXPECT_GT(discarded, 5);
  EXPECT_LT(discarded, 55);
}

TEST_F(Scenes, AnEditChangesOneEventAndIsFlagged) {
  Play("edit Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z value 4711.5");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59Z");
  auto after = Recorded(kTag, "2026-03-02T10:00:00Z");
  const auto edited = std::ranges::find(after, "4711.5", &Seen::value);
  ASSERT_NE(edited, after.end());
  EXPECT_TRUE(edited->substituted);
  const auto was = std::ranges::find(before, edited->time, &Seen::time);
  ASSERT_NE(was, before.end());
  EXPECT_EQ(std::prev(was)->time, std::prev(edited)->time);
}

TEST_F(Scenes, AnUnmarkedEditIsNotFlagged) {
  Play("edit Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z value 4711.5 unmarked");
  const auto after = Recorded(kTag, "2026-03-02T10:00:00Z");
  const auto edited = std::ranges::find(after, "4711.5", &Seen::value);
  ASSERT_NE(edited, after.end());
  EXPECT_FALSE(edited->substituted);
}

TEST_F(Scenes, OneOfSeveralEventsAtOneTimeIsEdited) {
  Play("edit Dense.Triples event 2026-03-02T00:00:00Z nth 1 at 2026-03-02T10:00:00Z value 777");
  const auto before = Recorded("Dense.Triples", "2026-03-02T09:59:59Z");
  const auto after = Recorded("Dense.Triples", "2026-03-02T10:00:00Z");
  const auto edited = std::ranges::find(after, "777", &Seen::value);
  ASSERT_NE(edited, after.end());
  EXPECT_EQ(std::ranges::count(after, edited->time, &Seen::time), 3);
  EXPECT_EQ(std::prev(edited)->time, edited->time);
  EXPECT_EQ(std::next(edited)->time, edited->time);
  EXPECT_EQ(std::ranges::count(before, edited->time, &Seen::time), 3);
}

TEST_F(Scenes, ADeleteTakesTheWholeInstantUnlessItNamesOne) {
  const auto count = [&](std::string_view script) {
    Play(script);
    return Recorded("Dense.Triples", "2026-03-02T09:59:59Z").size() -
           Between("Dense.Triples", "2026-03-02T10:00:00Z", "2020-01-01T00:00:00Z",
                   "2026-03-02T09:59:59Z")
               .size();
  };
  const size_t none = count("");
  EXPECT_EQ(count("delete Dense.Triples event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z"),
            none + 3);
  EXPECT_EQ(count("delete Dense.Triples event 2026-03-02T00:00:00Z nth 2 at 2026-03-02T10:00:00Z"),
            none + 1);
}

TEST_F(Scenes, WhatWasInsertedCanBeEditedAndDeleted) {
  Play(
      "insert Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T10:00:00Z value 1.25\n"
      "delete Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T12:00:00Z\n"
      "edit Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T11:00:00Z value 2.25\n");
  const auto shown = [&](std::string_view now) {
    const auto events = Between(kTag, now, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00.0000001Z");
    return events.empty() ? "nothing" : events[0].value;
  };
  EXPECT_EQ(shown("2026-03-02T09:00:00Z"), "nothing");
  EXPECT_EQ(shown("2026-03-02T10:30:00Z"), "1.25");
  EXPECT_EQ(shown("2026-03-02T11:30:00Z"), "2.25");
  EXPECT_EQ(shown("2026-03-02T12:30:00Z"), "nothing");
}

TEST_F(Scenes, TheSnapshotCanBeEdited) {
  Play("edit \"Tank 5 Level\" snapshot at 2026-03-02T10:00:00Z value 99.5");
  const Seen before = Newest("Tank 5 Level", "2026-03-02T09:59:59Z");
  EXPECT_EQ(Newest("Tank 5 Level", "2026-03-02T10:00:00Z"), (Seen{before.time, "99.5", true}));
  // Compression does not take it away.
  EXPECT_THAT(Recorded("Tank 5 Level", "2026-03-03T00:00:00Z"),
              Contains(Seen{before.time, "99.5", true}));
}

TEST_F(Scenes, WhenTheSnapshotIsDeletedTheEventBeforeItIsTheNewest) {
  Play("delete Dense.Fast snapshot at 2026-03-02T10:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59.9999999Z");
  const Seen newest = Newest(kTag, "2026-03-02T10:00:00Z");
  EXPECT_EQ(newest, before[before.size() - 2]);
  EXPECT_EQ(Recorded(kTag, "2026-03-02T10:00:00Z").back(), newest);
}

TEST_F(Scenes, ManyRandomPlacesAreChangedOncePerCount) {
  const std::string span = " events 2026-03-01T06:00:00Z 2026-03-02T00:00:00Z";
  Play("insert * count 200" + span + " at 2026-03-02T10:00:00Z\n" +  //
       "edit * count 200" + span + " at 2026-03-02T10:00:00Z\n" +    //
       "delete * count 200" + span + " at 2026-03-02T10:00:00Z\n");
  int64_t more = 0, less = 0, edited = 0;
  for (const Point& point : story_->plant().points()) {
    auto before =
        Between(point.name, "2026-03-02T09:59:59Z", "2020-01-01T00:00:00Z", "2026-03-02T09:00:00Z");
    auto after =
        Between(point.name, "2026-03-02T10:00:00Z", "2020-01-01T00:00:00Z", "2026-03-02T09:00:00Z");
    std::ranges::sort(before);
    std::ranges::sort(after);
    std::vector<Seen> only_before, only_after;
    std::ranges::set_difference(before, after, std::back_inserter(only_before));
    std::ranges::set_difference(after, before, std::back_inserter(only_after));
    less += std::ssize(only_before);
    more += std::ssize(only_after);
    edited += std::ranges::count(only_after, true, &Seen::substituted);
  }
  EXPECT_EQ(more, 400);
  EXPECT_EQ(less, 400);
  EXPECT_GE(edited, 200);
  EXPECT_LT(edited, 215);  // an inserted event may be flagged, too
}

TEST_F(Scenes, ACountCanBeSpreadOverTime) {
  Play(
      "insert Dense.* count 100 events 2026-03-01T06:00:00Z 2026-03-02T00:00:00Z "
      "at 2026-03-02T10:00:00Z spread 10h");
  Story plain(MakePlant("mixed"));
  const auto inserted = [&](std::string_view now) {
    int64_t events = 0;
    for (const Point& point : story_->plant().points()) {
      const RecordedQuery query{At("2026-03-01T00:00:00Z"), At("2026-03-02T01:00:00Z"),
                                Boundary::kInside, INT64_MAX};
      RecordedReader with(story_->plant(), point, readings_, query, At(now));
      RecordedReader without(plain.plant(), *plain.plant().PointByName(point.name), readings_,
                             query, At(now));
      Event event;
      while (with.Next(event)) ++events;
      while (without.Next(event)) --events;
    }
    return events;
  };
  EXPECT_EQ(inserted("2026-03-02T09:00:00Z"), 0);
  EXPECT_GT(inserted("2026-03-02T15:00:00Z"), 30);
  EXPECT_LT(inserted("2026-03-02T15:00:00Z"), 70);
  EXPECT_EQ(inserted("2026-03-02T20:00:00Z"), 100);
}

TEST_F(Scenes, AnEventThatCannotBeReadCanBeReadLater) {
  Play(
      "error Dense.Fast event 2026-03-02T00:00:00Z from 2026-03-02T10:00:00Z to "
      "2026-03-02T11:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:00:00Z");
  auto during = Recorded(kTag, "2026-03-02T10:30:00Z");
  auto after = Recorded(kTag, "2026-03-02T11:00:00Z");
  after.resize(before.size() - 1);
  EXPECT_EQ(after, std::vector<Seen>(before.begin(), before.end() - 1));
  during.resize(before.size() - 1);
  int64_t different = 0;
  for (size_t i = 0; i < during.size(); ++i) different += during[i] != after[i] ? 1 : 0;
  EXPECT_EQ(different, 1);
}

constexpr char kOutage[] = "outage Dense.Fast from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z";

TEST_F(Scenes, NothingComesWhileAnInterfaceIsDown) {
  Play(kOutage);
  const auto before = Recorded(kTag, "2026-03-02T09:59:59.9999999Z");
  EXPECT_EQ(Recorded(kTag, "2026-03-02T10:00:00Z"), before);
  EXPECT_EQ(Recorded(kTag, "2026-03-02T11:59:59Z"), before);
  EXPECT_THAT(Between(kTag, "2026-03-03T00:00:00Z", "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"),
              IsEmpty());
  EXPECT_THAT(Between(kTag, "2026-03-03T00:00:00Z", "2026-03-02T12:00:00Z", "2026-03-02T12:10:00Z"),
              SizeIs(testing::Gt(50)));
}

TEST_F(Scenes, AnInterfaceThatBuffersReturnsEverythingAtOnce) {
  Play(std::string(kOutage) + " buffered");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59.9999999Z");
  EXPECT_EQ(Recorded(kTag, "2026-03-02T11:59:59Z"), before);
  const auto after = Recorded(kTag, "2026-03-02T12:00:00Z");
  Play("");
  EXPECT_EQ(after, Recorded(kTag, "2026-03-02T12:00:00Z"));
}

TEST_F(Scenes, ABufferIsReturnedInOrderOverSomeMinutes) {
  Play(std::string(kOutage) + " buffered over 20m");
  std::vector<Seen> last;
  for (const char* now : {"2026-03-02T12:00:00Z", "2026-03-02T12:05:00Z", "2026-03-02T12:10:00Z",
                          "2026-03-02T12:15:00Z", "2026-03-02T12:19:59Z"}) {
    const auto seen = Recorded(kTag, now);
    EXPECT_GT(seen.size(), last.size() + 100) << now;
    if (!last.empty()) {
      EXPECT_EQ(seen[last.size() - 2], last[last.size() - 2]) << now;
    }
    last = seen;
  }
  EXPECT_GT(last.back().time, At("2026-03-02T12:19:00Z"));
  const auto half = Recorded(kTag, "2026-03-02T12:10:00Z");
  EXPECT_LT(half.back().time, At("2026-03-02T11:15:00Z"));
  EXPECT_GT(half.back().time, At("2026-03-02T11:05:00Z"));
}

TEST_F(Scenes, AnInterfaceMayMarkThatItWentDown) {
  for (const char* how : {" state \"I/O Timeout\"", " state \"I/O Timeout\" buffered"}) {
    Play(kOutage + std::string(how));
    EXPECT_EQ(Newest(kTag, "2026-03-02T11:00:00Z").time, At("2026-03-02T10:00:00Z"));
    const auto state = Between(kTag, "2026-03-03T00:00:00Z", "2026-03-02T10:00:00Z",
                               "2026-03-02T10:00:00.0000001Z");
    ASSERT_THAT(state, SizeIs(1));
    EXPECT_THAT(state[0].value, HasSubstr("I/O Timeout"));
  }
  EXPECT_THAT(Between(kTag, "2026-03-02T12:00:00Z", "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"),
              SizeIs(testing::Gt(1000)));
}

TEST_F(Scenes, ArchivedEventsWaitInTheQueueAndTheNewestDoesNot) {
  Play("queue Dense.Fast from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59.9999999Z");
  const auto during = Recorded(kTag, "2026-03-02T11:30:00Z");
  ASSERT_EQ(during.size(), before.size());
  EXPECT_TRUE(std::equal(before.begin(), before.end() - 1, during.begin()));
  EXPECT_GT(during.back().time, At("2026-03-02T11:29:00Z"));
  EXPECT_EQ(during.back(), Newest(kTag, "2026-03-02T11:30:00Z"));
  const auto after = Recorded(kTag, "2026-03-02T12:00:00Z");
  Play("");
  EXPECT_EQ(after, Recorded(kTag, "2026-03-02T12:00:00Z"));
}

TEST_F(Scenes, TheNewestIsNotAmongTheRecordedWhileTheyQueueIfThatIsTheReading) {
  Play("queue Dense.Fast from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59.9999999Z");
  readings_.hides_queued_snapshot = true;
  EXPECT_EQ(Recorded(kTag, "2026-03-02T11:30:00Z"),
            std::vector<Seen>(before.begin(), before.end() - 1));
  EXPECT_GT(Newest(kTag, "2026-03-02T11:30:00Z").time, At("2026-03-02T11:29:00Z"));
}

TEST_F(Scenes, AQueueMayLagAndDrainFirstInFirstOut) {
  Play("queue Dense.Fast from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z lag 20m over 10m");
  const auto archived_until = [&](std::string_view now) {
    const auto events = Recorded(kTag, now);
    return events[events.size() - 2].time;
  };
  EXPECT_NEAR((At("2026-03-02T10:00:00Z") - archived_until("2026-03-02T10:15:00Z")).seconds(), 0,
              60);
  EXPECT_NEAR((At("2026-03-02T11:10:00Z") - archived_until("2026-03-02T11:30:00Z")).seconds(), 0,
              60);
  EXPECT_NEAR((At("2026-03-02T11:55:00Z") - archived_until("2026-03-02T12:05:00Z")).seconds(), 0,
              60);
  EXPECT_NEAR((At("2026-03-02T12:10:00Z") - archived_until("2026-03-02T12:10:00Z")).seconds(), 0,
              60);
}

TEST_F(Scenes, LateEventsWaitInTheQueueToo) {
  Play(
      "queue Dense.Fast from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z\n"
      "insert Dense.Fast event 2026-03-02T00:00:00Z at 2026-03-02T11:00:00Z value 4711.5");
  const Seen late{At("2026-03-02T00:00:00Z"), "4711.5", false};
  EXPECT_THAT(Recorded(kTag, "2026-03-02T11:30:00Z"), Not(Contains(late)));
  EXPECT_THAT(Recorded(kTag, "2026-03-02T12:00:00Z"), Contains(late));
}

TEST_F(Scenes, APointThatIsAddedIsThereFromThenOn) {
  Play("add Dense.Fast at 2026-03-02T10:00:00Z");
  EXPECT_EQ(story_->PlantAt(At("2026-03-02T09:59:59Z"))->PointByName(kTag), nullptr);
  const auto events = Recorded(kTag, "2026-03-02T11:00:00Z");
  EXPECT_EQ(events.front().time, At("2026-03-02T10:00:00Z"));
  EXPECT_THAT(events.front().value, HasSubstr("Pt Created"));
  EXPECT_THAT(events, SizeIs(testing::Gt(1000)));
  EXPECT_EQ(Recorded(kTag, "2026-03-02T10:00:00Z").size(), 1U);
}

TEST_F(Scenes, TheHistoryOfAPointIsLoadedAfterItWasCreated) {
  Play("add Dense.Fast at 2026-03-02T10:00:00Z history 2026-03-03T10:00:00Z");
  const auto before = Recorded(kTag, "2026-03-03T09:59:59Z");
  EXPECT_EQ(before.front().time, At("2026-03-02T10:00:00Z"));
  const auto after = Recorded(kTag, "2026-03-03T10:00:00Z");
  EXPECT_LT(after.front().time, At("2026-03-01T01:00:00Z"));
  const auto created = std::ranges::count_if(
      after, [](const Seen& e) { return e.value.find("Pt Created") != std::string::npos; });
  EXPECT_EQ(created, 1);
  // What is loaded is not compressed.
  const auto loaded = [&] {
    return Between(kTag, "2026-03-03T10:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T10:00:00Z")
        .size();
  };
  const size_t uncompressed = loaded();
  Play("");
  EXPECT_GT(uncompressed, loaded() * 5 / 4);
}

TEST_F(Scenes, AStretchOfEventsIsLoadedLater) {
  Play("load Dense.Fast events 2026-03-01T10:00:00Z 2026-03-01T12:00:00Z at 2026-03-02T10:00:00Z");
  const auto there = [&](std::string_view now) {
    return Between(kTag, now, "2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z").size();
  };
  EXPECT_EQ(there("2026-03-01T11:00:00Z"), 0U);
  EXPECT_EQ(there("2026-03-02T09:59:59Z"), 0U);
  EXPECT_GT(there("2026-03-02T10:00:00Z"), 2000U);
}

TEST_F(Scenes, WhatAnUnmountedFileHoldsIsNotThereAndTheSnapshotIs) {
  Play(
      "unmount * events 2026-03-01T00:00:00Z 2026-03-02T12:00:00Z from 2026-03-02T10:00:00Z to "
      "2026-03-02T11:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59Z");
  EXPECT_THAT(Recorded(kTag, "2026-03-02T10:30:00Z"), SizeIs(1));
  EXPECT_GT(Newest(kTag, "2026-03-02T10:30:00Z").time, At("2026-03-02T10:29:00Z"));
  const auto after = Recorded(kTag, "2026-03-02T11:00:00Z");
  EXPECT_TRUE(std::equal(before.begin(), before.end() - 1, after.begin()));
}

TEST_F(Scenes, ABackupTakesEverythingBackThatCameSince) {
  Play(
      "insert Dense.Fast event 2026-03-01T12:00:00Z at 2026-03-02T07:00:00Z value 1000\n"
      "insert Dense.Fast event 2026-03-01T13:00:00Z at 2026-03-02T09:00:00Z value 2000\n"
      "edit Dense.Fast event 2026-03-01T14:00:00Z at 2026-03-02T09:00:00Z value 3000\n"
      "restore * backup 2026-03-02T08:00:00Z at 2026-03-02T10:00:00Z\n"
      "insert Dense.Fast event 2026-03-01T15:00:00Z at 2026-03-02T11:00:00Z value 4000\n");
  const auto at_backup = Recorded(kTag, "2026-03-02T08:00:00Z");
  EXPECT_EQ(Recorded(kTag, "2026-03-02T10:00:00Z"), at_backup);
  const auto later = Recorded(kTag, "2026-03-02T12:00:00Z");
  EXPECT_THAT(
      Between(kTag, "2026-03-02T12:00:00Z", "2026-03-02T08:00:00.0000001Z", "2026-03-02T10:00:00Z"),
      IsEmpty());
  const auto has = [&](std::string_view value) {
    return std::ranges::count(later, value, &Seen::value) == 1;
  };
  EXPECT_TRUE(has("1000.0"));
  EXPECT_FALSE(has("2000.0"));
  EXPECT_FALSE(has("3000.0"));
  EXPECT_TRUE(has("4000.0"));
}

TEST_F(Scenes, ABackupTakesBackAHistoryThatWasLoadedSince) {
  Play(
      "add Dense.Fast at 2026-03-01T10:00:00Z history 2026-03-02T09:00:00Z\n"
      "restore * backup 2026-03-02T08:00:00Z at 2026-03-02T10:00:00Z\n");
  EXPECT_LT(Recorded(kTag, "2026-03-02T09:30:00Z").front().time, At("2026-03-01T01:00:00Z"));
  EXPECT_EQ(Recorded(kTag, "2026-03-02T11:00:00Z").front().time, At("2026-03-01T10:00:00Z"));
}

TEST_F(Scenes, TheValuesOfAStretchMayDifferFromOneMomentOn) {
  Play("alter Dense.Fast events 2026-03-01T10:00:00Z 2026-03-01T12:00:00Z at 2026-03-02T10:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59Z");
  const auto after = Recorded(kTag, "2026-03-02T10:00:00Z");
  const size_t size = before.size() - 1;
  int64_t different = 0;
  for (size_t i = 0; i < size; ++i) {
    ASSERT_EQ(before[i].time, after[i].time);
    if (before[i] == after[i]) continue;
    ++different;
    EXPECT_GE(before[i].time, At("2026-03-01T10:00:00Z"));
    EXPECT_LT(before[i].time, At("2026-03-01T12:00:00Z"));
  }
  EXPECT_GT(different, 1500);
}

TEST_F(Scenes, AnotherArchiveHasNothingOfTheFirst) {
  Play("exchange * at 2026-03-02T10:00:00Z");
  const auto before = Recorded(kTag, "2026-03-02T09:59:59Z");
  const auto after = Recorded(kTag, "2026-03-02T10:00:00Z");
  std::vector<UtcTime> both;
  std::ranges::set_intersection(Times(before), Times(after), std::back_inserter(both));
  EXPECT_LE(both.size(), 1U);  // the creation
  EXPECT_NEAR(static_cast<double>(after.size()), static_cast<double>(before.size()), 1000);
}

TEST_F(Scenes, AMemberThatLagsLacksTheNewestHours) {
  Play("failover from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z lag 6h");
  const auto data = [&](std::string_view now, Member member) {
    return story_->DataTimeAt(At(now), member);
  };
  EXPECT_EQ(data("2026-03-02T09:59:59Z", Member::kFirst), At("2026-03-02T09:59:59Z"));
  EXPECT_EQ(data("2026-03-02T10:00:00Z", Member::kFirst), At("2026-03-02T04:00:00Z"));
  EXPECT_EQ(data("2026-03-02T11:00:00Z", Member::kFirst), At("2026-03-02T05:00:00Z"));
  EXPECT_EQ(data("2026-03-02T12:00:00Z", Member::kFirst), At("2026-03-02T12:00:00Z"));
  Play("failover from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z lag 6h frozen split");
  EXPECT_EQ(data("2026-03-02T11:00:00Z", Member::kFirst), At("2026-03-02T11:00:00Z"));
  EXPECT_EQ(data("2026-03-02T11:00:00Z", Member::kLagging), At("2026-03-02T04:00:00Z"));
  EXPECT_TRUE(story_->IsSplitAt(At("2026-03-02T11:00:00Z")));
  EXPECT_FALSE(story_->IsSplitAt(At("2026-03-02T12:00:00Z")));
}

// What happens to points, as the API shows it.
class Points : public testing::Test {
 protected:
  void Play(std::string_view script) {
    world_.emplace(MakePlant("mixed"), script);
    world_->readings.nan = NanAs::kString;
  }
  std::string Ask(std::string_view now, const std::string& target) {
    world_->now = At(now);
    return world_->Ask(target);
  }
  int Status(std::string_view now, const std::string& target) {
    Ask(now, target);
    return world_->status;
  }
  // Names and ids in the list, as one text.
  std::string Listed(std::string_view now, const std::string& filter) {
    const std::string server = TestWorld::Parse(Ask(now, "/dataservers"))
                                   .at("Items")
                                   .at(0)
                                   .at("WebId")
                                   .as_string()
                                   .c_str();
    return Ask(now, "/dataservers/" + server + "/points?nameFilter=" + filter +
                        "&selectedFields=Items.Name;Items.Id");
  }
  boost::json::value Point(std::string_view now, std::string_view tag = kTag) {
    return TestWorld::Parse(Ask(now, "/points/" + world_->WebIdOf(tag)));
  }
  std::string Data() { return "/streams/" + world_->WebIdOf(kTag) + "/recorded?maxCount=1"; }

  std::optional<TestWorld> world_;
};

constexpr char kBefore[] = "2026-03-02T09:59:59Z", kAfter[] = "2026-03-02T10:00:00Z",
               kMuchLater[] = "2026-03-02T12:00:00Z";

TEST_F(Points, PermissionsAreLostAndComeBack) {
  for (const auto& [how, status] : {std::pair("404", 404), {"403", 403}}) {
    Play(fmt::format("deny Dense.* from {} to {} as {}", kAfter, kMuchLater, how));
    EXPECT_EQ(Status(kBefore, Data()), 200);
    EXPECT_EQ(Status(kAfter, Data()), status);
    EXPECT_EQ(Status(kAfter, "/points/" + world_->WebIdOf(kTag)), status);
    EXPECT_EQ(Listed(kAfter, "Dense.*"), R"({"Items":[]})");
    EXPECT_THAT(Listed(kAfter, "Tank*"), HasSubstr("Tank 5 Level"));
    EXPECT_EQ(Status(kMuchLater, Data()), 200);
    EXPECT_THAT(Listed(kMuchLater, "Dense.*"), HasSubstr("Dense.Fast"));
  }
}

TEST_F(Points, DataMayLookEmptyToThoseWithoutPermission) {
  Play(fmt::format("deny * from {} as empty", kAfter));
  EXPECT_THAT(Ask(kAfter, Data()), HasSubstr("\"Items\":[]"));
  EXPECT_EQ(world_->status, 200);
  EXPECT_THAT(Ask(kAfter, "/streams/" + world_->WebIdOf(kTag) + "/value"), HasSubstr("No Data"));
  EXPECT_THAT(Listed(kAfter, "Dense.*"), HasSubstr("Dense.Fast"));
}

TEST_F(Points, APointIsAddedToTheList) {
  Play(fmt::format("add Dense.Fast at {}", kAfter));
  EXPECT_EQ(Listed(kBefore, "Dense.Fast"), R"({"Items":[]})");
  EXPECT_EQ(Status(kBefore, Data()), 404);
  EXPECT_THAT(Listed(kAfter, "Dense.Fast"), HasSubstr("Dense.Fast"));
  EXPECT_EQ(Status(kAfter, Data()), 200);
  EXPECT_THAT(Ask(kAfter, "/points/" + world_->WebIdOf(kTag) + "/attributes/creationdate"),
              HasSubstr(kAfter));
}

TEST_F(Points, ARemovedPointIsNotFoundOrGone) {
  for (const auto& [how, status] : {std::pair("", 404), {" as 404", 404}, {" as 410", 410}}) {
    Play(fmt::format("remove Dense.Fast at {}{}", kAfter, how));
    EXPECT_EQ(Status(kBefore, Data()), 200);
    EXPECT_EQ(Status(kAfter, Data()), status);
    EXPECT_EQ(Listed(kAfter, "Dense.Fast"), R"({"Items":[]})");
  }
}

TEST_F(Points, ARenamedPointKeepsItsIdAndLosesItsPath) {
  Play(fmt::format("rename Dense.Fast at {} name \"Dense Quick\"", kAfter));
  EXPECT_EQ(Point(kAfter).at("Name").as_string(), "Dense Quick");
  EXPECT_EQ(Status(kBefore, "/points?path=%5C%5CPISRV%5CDense.Fast"), 200);
  EXPECT_EQ(Status(kAfter, "/points?path=%5C%5CPISRV%5CDense.Fast"), 404);
  EXPECT_EQ(Status(kAfter, "/points?path=%5C%5CPISRV%5CDense%20Quick"), 200);
  EXPECT_EQ(Status(kAfter, "/points/" + world_->WebIdOf(kTag, WebIdType::kPathOnly)), 404);
  EXPECT_EQ(Status(kAfter, Data()), 200);
}

TEST_F(Points, APointThatIsMadeAgainHasAnotherId) {
  Play(fmt::format("recreate Dense.Fast at {} again {}", kAfter, kMuchLater));
  const std::string first = Listed(kBefore, "Dense.Fast");
  EXPECT_EQ(Listed(kAfter, "Dense.Fast"), R"({"Items":[]})");
  const std::string second = Listed(kMuchLater, "Dense.Fast");
  EXPECT_THAT(second, HasSubstr("Dense.Fast"));
  EXPECT_NE(first, second);
  EXPECT_EQ(Status(kMuchLater, Data()), 404);  // the old id
  const std::string data =
      Ask("2026-03-02T13:00:00Z", "/streams/" + world_->WebIdOf(kTag, WebIdType::kPathOnly) +
                                      "/recorded?startTime=2026-01-01T00:00:00Z&maxCount=2");
  EXPECT_THAT(data,
              HasSubstr("\"Timestamp\":\"2026-03-02T12:00:00Z\",\"Value\":{\"Name\":\"Pt Created"));
}

TEST_F(Points, ATypeChangesAndWhatWasStoredBeforeIsShownInTheNewOne) {
  Play(
      fmt::format("retype Dense.Fast at {0} type Float64\n"
                  "retype Dense.Storm.Int at {0} type Digital set Modes\n",
                  kAfter));
  EXPECT_EQ(Point(kBefore).at("PointType").as_string(), "Float32");
  EXPECT_EQ(Point(kAfter).at("PointType").as_string(), "Float64");
  const std::string window =
      "/recorded?startTime=2026-03-02T09:50:00Z&endTime=2026-03-02T09:51:00Z";
  const std::string stream = "/streams/" + world_->WebIdOf(kTag) + window;
  EXPECT_NE(Ask(kBefore, stream), Ask(kAfter, stream));  // digits of a double of a float
  world_->readings.float_as_double = true;
  EXPECT_EQ(Ask(kBefore, stream), Ask(kAfter, stream));
  const std::string integers = "/streams/" + world_->WebIdOf("Dense.Storm.Int") + window;
  EXPECT_THAT(Ask(kBefore, integers), Not(HasSubstr("\"IsSystem\":false")));
  EXPECT_THAT(Ask(kAfter, integers), HasSubstr("\"IsSystem\":false"));
  EXPECT_EQ(Point(kAfter, "Dense.Storm.Int").at("DigitalSetName").as_string(), "Modes");
}

TEST_F(Points, AStateIsCalledOtherwiseForAllOfHistory) {
  Play(
      fmt::format("relabel OnOff code 1 at {} name RUNNING\n"
                  "insert Forecast.Step event 2026-03-01T10:00:30Z state ON",
                  kAfter));
  const std::string target =
      "/streams/" + world_->WebIdOf("Forecast.Step") + "/recorded?startTime=2026-03-01T00:00:00Z";
  EXPECT_THAT(Ask(kBefore, target), HasSubstr(R"("Name":"ON","Value":1)"));
  EXPECT_THAT(Ask(kAfter, target), Not(HasSubstr(R"("Name":"ON")")));
  EXPECT_THAT(Ask(kAfter, target), HasSubstr(R"("Name":"RUNNING","Value":1)"));
}

TEST_F(Points, AttributesChange) {
  Play(
      fmt::format("set Dense.Fast at {} units furlong descriptor \"was else\" source OPC1 zero 5 "
                  "span 77",
                  kAfter));
  const auto point = Point(kAfter);
  EXPECT_EQ(point.at("EngineeringUnits").as_string(), "furlong");
  EXPECT_EQ(point.at("Descriptor").as_string(), "was else");
  EXPECT_EQ(point.at("Zero").to_number<double>(), 5);
  EXPECT_EQ(point.at("Span").to_number<double>(), 77);
  const std::string attributes = "/points/" + world_->WebIdOf(kTag) + "/attributes/";
  EXPECT_THAT(Ask(kBefore, attributes + "pointsource"), HasSubstr("SIM"));
  EXPECT_THAT(Ask(kAfter, attributes + "pointsource"), HasSubstr("OPC1"));
  EXPECT_THAT(Ask(kAfter, attributes + "changedate"), HasSubstr(kAfter));
  EXPECT_EQ(Point(kBefore).at("EngineeringUnits").as_string(), "%");
}

TEST_F(Points, OnlyAFloat16FollowsItsSpanIntoThePast) {
  Play(fmt::format("set M.Float* at {} span 1000", kAfter));
  const auto changes = [&](std::string_view tag) {
    const std::string target = "/streams/" + world_->WebIdOf(tag) +
                               "/recorded?startTime=2026-03-01T00:00:00Z&endTime=*-1h";
    return Ask(kBefore, target) != Ask(kAfter, target);
  };
  EXPECT_TRUE(changes("M.Float16.000"));
  EXPECT_FALSE(changes("M.Float32.000"));
  EXPECT_FALSE(changes("M.Float64.000"));
}

TEST_F(Points, TheServerIsRenamedOrMoved) {
  Play(fmt::format("server at {} name OTHER\nserver at {} moved", kAfter, kMuchLater));
  EXPECT_EQ(Point(kBefore).at("Path").as_string(), "\\\\PISRV\\Dense.Fast");
  EXPECT_EQ(Point(kAfter).at("Path").as_string(), "\\\\OTHER\\Dense.Fast");
  EXPECT_EQ(Status(kAfter, "/dataservers?name=PISRV"), 404);
  EXPECT_EQ(Status(kAfter, Data()), 200);
  EXPECT_EQ(Status(kMuchLater, Data()), 404);
  EXPECT_EQ(Status(kMuchLater, "/dataservers?name=OTHER"), 200);
}

TEST_F(Points, ClocksAreOffEachByItself) {
  Play(fmt::format("clock archive off 90s from {0}\nclock host off -2h from {0} to {1}", kAfter,
                   kMuchLater));
  const auto archive = [&](std::string_view now) {
    return Ask(now, "/dataservers?selectedFields=Items.ServerTime");
  };
  EXPECT_THAT(archive(kBefore), HasSubstr(kBefore));
  EXPECT_THAT(archive(kAfter), HasSubstr("2026-03-02T10:01:30Z"));
  EXPECT_THAT(archive(kMuchLater), HasSubstr("2026-03-02T12:01:30Z"));
  EXPECT_THAT(Ask(kAfter, "/system/status"), HasSubstr("\"ServerTime\":\"2026-03-02T08:00:00Z\""));
  EXPECT_THAT(Ask(kMuchLater, "/system/status"), HasSubstr(kMuchLater));
  // Events know nothing of it; `*` is what the host takes for now.
  const std::string recorded =
      "/streams/" + world_->WebIdOf(kTag) + "/recorded?maxCount=1&startTime=";
  EXPECT_THAT(Ask(kAfter, recorded + "*-1h"), HasSubstr("2026-03-02T07:00:0"));
  EXPECT_THAT(Ask(kAfter, recorded + "2026-03-02T09:59:50Z&endTime=2026-03-02T11:00:00Z"),
              HasSubstr("2026-03-02T09:59:5"));
}

TEST_F(Points, BothTimesOfAChangeCanBeAskedInAnyOrder) {
  Play(fmt::format("rename Dense.Fast at {} name Quick\nremove Dense.Pairs at {}", kAfter,
                   kMuchLater));
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Point(kMuchLater).at("Name").as_string(), "Quick");
    EXPECT_EQ(Point(kBefore).at("Name").as_string(), "Dense.Fast");
  }
}

std::string ComplaintOf(std::string_view script) {
  const auto story = Story::Make(MakePlant("mixed"), *ParseScript(script));
  EXPECT_FALSE(story) << script;
  return story ? "" : story.error().message;
}

TEST(Story, NamesTheLineThatAsksForWhatIsNotThere) {
  EXPECT_THAT(ComplaintOf("\nqueue Nobody from 2026-03-02T10:00:00Z to 2026-03-02T12:00:00Z"),
              HasSubstr("line 2: no tag is called 'Nobody'"));
  EXPECT_THAT(ComplaintOf("edit One.Event event 2026-03-02T10:00:00Z at 2026-03-02T12:00:00Z"),
              HasSubstr("line 1: One.Event has no such event"));
  EXPECT_THAT(
      ComplaintOf("edit Dense.Triples event 2026-03-02T10:00:00Z nth 3 at 2026-03-02T12:00:00Z"),
      HasSubstr("has only 3 events at 2026-03-02T10:00:"));
  EXPECT_THAT(ComplaintOf("insert Dense.Fast event 2026-03-02T10:00:00Z value \"much\""),
              HasSubstr("is of type Float32 and cannot show 'much'"));
  EXPECT_THAT(ComplaintOf("insert Dense.Fast event 2026-03-02T10:00:00Z state Happy"),
              HasSubstr("knows no state 'Happy'"));
  EXPECT_THAT(ComplaintOf("rename Dense.* at 2026-03-02T10:00:00Z name X"),
              HasSubstr("line 1: only one tag at a time"));
  EXPECT_THAT(ComplaintOf("retype M.String.* at 2026-03-02T10:00:00Z type Float32"),
              HasSubstr("is of type String and cannot become Float32"));
  EXPECT_THAT(ComplaintOf("retype Dense.Fast at 2026-03-02T10:00:00Z type Digital set Nobody"),
              HasSubstr("no set is called 'Nobody'"));
  EXPECT_THAT(ComplaintOf("relabel OnOff code 7 at 2026-03-02T10:00:00Z name X"),
              HasSubstr("no set 'OnOff' has a state 7"));
  EXPECT_THAT(ComplaintOf("edit One.Event count 5 events 2026-02-01T00:00:00Z "
                          "2026-03-02T10:00:00Z at 2026-03-02T12:00:00Z"),
              HasSubstr("has too few events left there"));
}

TEST(Story, LeavesAPlantAloneWithoutAScript) {
  const Story story(MakePlant("mixed"));
  EXPECT_EQ(story.PlantAt(At("2026-03-02T00:00:00Z")).get(), &story.plant());
  for (const Point& point : story.plant().points()) EXPECT_EQ(point.fate, nullptr);
}

}  // namespace
}  // namespace pilake::sim
