// SPDX-License-Identifier: Apache-2.0
// Stream Updates as a client sees them (wire §9).
#include "sim/updates.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/test_world.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;
using testing::Each;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

std::string Text(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

class StreamUpdates : public testing::Test {
 protected:
  explicit StreamUpdates(std::string_view script = "") { Play(script); }

  void Play(std::string_view script) {
    world_.emplace(MakePlant("mixed"), script);
    world_->readings.nan = NanAs::kString;
    world_->now = At("2026-03-01T10:00:00Z");
  }
  void Advance(Duration span) { world_->now = world_->now + span; }

  json::value Register(std::string_view tag = "Dense.Fast") {
    return world_->PostJson("/streams/" + world_->WebIdOf(tag) + "/updates");
  }
  std::string MarkerOf(const json::value& item) { return Text(item.at("LatestMarker")); }
  json::value Poll(const std::string& marker, std::string_view query = "") {
    return world_->AskJson("/streams/updates/" + marker + std::string(query));
  }
  // The events that a set of markers tells of, with the error of an item.
  json::value PollSet(const std::vector<std::string>& markers) {
    std::string query;
    for (const std::string& marker : markers) query += "&marker=" + marker;
    return world_->AskJson("/streamsets/updates?" + query.substr(1)).at("Items");
  }
  void ExpectLost(const std::string& marker, int status = 404) {
    const json::value body = Poll(marker);
    EXPECT_EQ(world_->status, status);
    EXPECT_THAT(body.at("Errors").as_array(), SizeIs(1));
  }

  std::optional<TestWorld> world_;
};

TEST_F(StreamUpdates, BeginWithARegistration) {
  const json::value body = Register();
  EXPECT_EQ(world_->status, 200);
  EXPECT_EQ(Text(body.at("Source")),
            Text(world_->AskJson("/points/" + world_->WebIdOf("Dense.Fast")).at("WebId")));
  EXPECT_EQ(Text(body.at("SourceName")), "Dense.Fast");
  EXPECT_EQ(Text(body.at("Status")), "Succeeded");
  EXPECT_TRUE(body.at("Exception").is_null());
  EXPECT_THAT(MarkerOf(body), MatchesRegex("[0-9a-f]{32}_0"));
  const std::string link = "https://host/piwebapi/streams/updates/" + MarkerOf(body);
  EXPECT_EQ(Text(body.at("Links").at("Updates")), link);
  EXPECT_EQ(Text(Register("Dense.Pairs").at("Status")), "Succeeded");
}

TEST_F(StreamUpdates, TellWhereToPollInTheHeader) {
  const std::string marker = MarkerOf(Register());
  const web::Headers headers = world_->headers;
  EXPECT_THAT(headers, testing::Contains(testing::Pair(
                           "Location", "https://host/piwebapi/streams/updates/" + marker)));
}

TEST_F(StreamUpdates, TellWhatCameSinceTheMarkerAndNothingFromBefore) {
  const UtcTime begin = world_->now;
  std::string marker = MarkerOf(Register());
  std::vector<std::string> heard, expected;
  for (int i = 0; i < 20; ++i) {
    Advance(Duration::Millis(700));
    const json::value body = Poll(marker);
    EXPECT_EQ(Text(body.at("RequestedMarker")), marker);
    for (const json::value& event : body.at("Events").as_array())
      heard.push_back(Text(event.at("Timestamp")) + Text(event.at("Action")) +
                      Text(event.at("PreviousEventAction")));
    marker = MarkerOf(body);
    EXPECT_THAT(marker, testing::EndsWith(fmt::format("_{}", heard.size())));
  }
  const Point& point = *world_->plant.PointByName("Dense.Fast");
  TellChanges(world_->plant, point, {begin, world_->now}, false, [&](const Change& change) {
    static constexpr const char* kPrevious[] = {"None", "PreviousEventArchived",
                                                "PreviousEventDiscarded"};
    expected.push_back(FormatUtcTime(change.event.time) + "Add" +
                       kPrevious[static_cast<size_t>(change.previous)]);
    return true;
  });
  EXPECT_EQ(heard, expected);
  EXPECT_THAT(heard, Not(SizeIs(0)));
  EXPECT_EQ(world_->tally.updates, heard.size());
  EXPECT_EQ(world_->tally.update_polls, 20U);
}

TEST_F(StreamUpdates, KeepTheMarkerWhileNothingComes) {
  const std::string marker = MarkerOf(Register("One.Event"));
  Advance(Duration::Minutes(5));
  const json::value body = Poll(marker);
  EXPECT_EQ(MarkerOf(body), marker);
  EXPECT_THAT(body.at("Events").as_array(), SizeIs(0));
}

TEST_F(StreamUpdates, CanBeReadAgainFromAnOlderMarkerAndGrow) {
  const std::string first = MarkerOf(Register());
  size_t count = 0;
  for (int i = 0; i < 40; ++i) {
    Advance(Duration::Seconds(20));
    const size_t now = Poll(first).at("Events").as_array().size();
    EXPECT_GT(now, count);
    count = now;
  }
}

TEST_F(StreamUpdates, ForgetMarkersThatWereNotUsedForLong) {
  const std::string first = MarkerOf(Register());
  std::string marker = first;
  for (int i = 0; i < 15; ++i) {
    Advance(Duration::Seconds(20));
    marker = MarkerOf(Poll(marker));
  }
  EXPECT_EQ(Text(Poll(first).at("Status")), "Updated");
  marker = MarkerOf(Poll(first));
  for (int i = 0; i < 16; ++i) {
    Advance(Duration::Seconds(20));
    marker = MarkerOf(Poll(marker));
  }
  ExpectLost(first, 409);
  world_->readings.stale_marker = 404;
  ExpectLost(first, 404);
  EXPECT_EQ(Text(Poll(marker).at("Status")), "Updated");
}

TEST_F(StreamUpdates, AreRegisteredOnceHoweverOftenOneAsks) {
  const std::string first = MarkerOf(Register());
  const json::value again = Register();
  EXPECT_EQ(Text(again.at("Status")), "AlreadyRegistered");
  EXPECT_EQ(MarkerOf(again), first);
  Advance(Duration::Seconds(10));
  const std::string later = MarkerOf(Register());
  EXPECT_NE(later, first);
  EXPECT_EQ(MarkerOf(Poll(first)), later);  // what came meanwhile is not lost
  EXPECT_THAT(Poll(later).at("Events").as_array(), SizeIs(0));
}

TEST_F(StreamUpdates, TellEditsInsertsAndDeletions) {
  Play(
      "edit Dense.Fast event 2026-03-01T08:00:00Z at 2026-03-01T10:00:00.1Z\n"
      "insert Dense.Fast event 2026-03-01T08:00:00.5Z at 2026-03-01T10:00:00.2Z\n"
      "delete Dense.Fast event 2026-03-01T09:00:00Z at 2026-03-01T10:00:00.3Z");
  const std::string marker = MarkerOf(Register());
  Advance(Duration::Millis(400));
  std::vector<std::string> told;
  const json::value body = Poll(marker);
  for (const json::value& event : body.at("Events").as_array()) {
    if (Text(event.at("Action")) == "Add") continue;
    EXPECT_EQ(Text(event.at("PreviousEventAction")), "None");
    told.push_back(Text(event.at("Action")) + (event.at("Substituted").as_bool() ? " S" : ""));
  }
  EXPECT_THAT(told, testing::ElementsAre("Update S", "Insert", "Delete"));
}

TEST_F(StreamUpdates, AreLostWhenNobodyAsksForLong) {
  const std::string marker = MarkerOf(Register());
  Advance(world_->pipes.idle);
  EXPECT_EQ(Text(Poll(marker).at("Status")), "Updated");
  Advance(world_->pipes.idle + Duration::Ticks(1));
  ExpectLost(marker);
  EXPECT_EQ(Text(Register().at("Status")), "Succeeded");
}

TEST_F(StreamUpdates, AreLostWithARestart) {
  Play("restart at 2026-03-01T10:00:05Z");
  const std::string marker = MarkerOf(Register());
  Advance(Duration::Seconds(4));
  EXPECT_EQ(Text(Poll(marker).at("Status")), "Updated");
  Advance(Duration::Seconds(1));
  ExpectLost(marker);
  world_->readings.lost_marker = 409;
  ExpectLost(marker, 409);
  EXPECT_EQ(Text(Register().at("Status")), "Succeeded");
}

TEST_F(StreamUpdates, TellTwiceOrNeverWhatMembersOfACollectiveDoNotShare) {
  Play("failover from 2026-03-01T10:00:10Z to 2026-03-01T10:00:20Z lag 1h");
  std::string marker = MarkerOf(Register());
  Advance(Duration::Seconds(15));
  const json::array events = Poll(marker).at("Events").as_array();
  EXPECT_GT(Text(events.front().at("Timestamp")), "2026-03-01T10:00:00");
  EXPECT_LT(Text(events.back().at("Timestamp")), "2026-03-01T09:00:15");
  EXPECT_GT(Text(events.back().at("Timestamp")), "2026-03-01T09:00:10");
  Advance(Duration::Seconds(10));
  const json::value later = Poll(MarkerOf(Poll(marker)));
  EXPECT_THAT(later.at("Events").as_array(), SizeIs(0));
  world_->readings.failover_loses_pipes = true;
  ExpectLost(marker);
}

TEST_F(StreamUpdates, BelongToOneOfTwoWebHosts) {
  Play("failover from 2026-03-01T09:00:00Z to 2026-03-01T12:00:00Z lag 1h split");
  const std::string first = MarkerOf(Register());
  world_->member = Member::kLagging;
  ExpectLost(first);
  const json::value other = Register();
  EXPECT_EQ(Text(other.at("Status")), "Succeeded");
  Advance(Duration::Seconds(5));
  EXPECT_LT(Text(Poll(MarkerOf(other)).at("Events").at(0).at("Timestamp")), "2026-03-01T09:10");
  world_->member = Member::kFirst;
  EXPECT_GT(Text(Poll(first).at("Events").at(0).at("Timestamp")), "2026-03-01T10:00");
}

TEST_F(StreamUpdates, KnowNoMarkerButTheirOwn) {
  ExpectLost("nonsense", 409);
  ExpectLost("0cbbec466f3a42288c8c47112f54b852", 409);
  ExpectLost("0cbbec466f3a42288c8c47112f54b852_-1", 409);
  ExpectLost("0cbbec466f3a42288c8c47112f54b85g_1", 409);
  ExpectLost("0cbbec466f3a42288c8c47112f54b852_12");
  const std::string marker = MarkerOf(Register());
  ExpectLost(marker + "7", 409);
}

TEST_F(StreamUpdates, FailWhenTooManyEventsWait) {
  world_->pipes.pending_max = 3;
  const std::string marker = MarkerOf(Register());
  Advance(Duration::Minutes(1));
  const json::value body = Poll(marker);
  EXPECT_EQ(world_->status, 200);
  EXPECT_EQ(MarkerOf(body), "");
  EXPECT_EQ(Text(body.at("Status")), "Failed");
  EXPECT_THAT(body.at("Events").as_array(), SizeIs(0));
  EXPECT_THAT(Text(body.at("Exception").at("Errors").at(0)), HasSubstr("3 updates"));
  ExpectLost(marker);
  world_->readings.overflow_is_lost = true;
  const std::string again = MarkerOf(Register());
  Advance(Duration::Minutes(1));
  ExpectLost(again);
}

TEST_F(StreamUpdates, FailForAPointThatIsTakenAway) {
  Play(
      "deny Dense.Fast from 2026-03-01T10:00:05Z to 2026-03-01T10:00:30Z as 403\n"
      "deny Dense.Pairs from 2026-03-01T10:00:05Z to 2026-03-01T10:00:30Z as empty\n"
      "remove Dense.Triples at 2026-03-01T10:00:05Z");
  const std::string denied = MarkerOf(Register()), empty = MarkerOf(Register("Dense.Pairs")),
                    removed = MarkerOf(Register("Dense.Triples"));
  Advance(Duration::Seconds(10));
  const json::value items = PollSet({denied, empty, removed});
  EXPECT_EQ(Text(items.at(0).at("Status")), "Failed");
  EXPECT_EQ(MarkerOf(items.at(0)), "");
  EXPECT_EQ(Text(items.at(0).at("RequestedMarker")), denied);
  EXPECT_EQ(MarkerOf(items.at(1)), empty);  // as if nothing came
  EXPECT_EQ(MarkerOf(items.at(2)), "");
  Advance(Duration::Seconds(30));
  ExpectLost(denied);
}

TEST_F(StreamUpdates, OfASetFailOneByOne) {
  const std::string good = MarkerOf(Register());
  const std::string strange = "0cbbec466f3a42288c8c47112f54b852_12";
  Advance(Duration::Seconds(10));
  const json::value items = PollSet({strange, good});
  EXPECT_EQ(world_->status, 200);
  EXPECT_EQ(MarkerOf(items.at(0)), "");
  EXPECT_EQ(items.at(0).at("Exception").at("Errors").as_array().size(), 1U);
  EXPECT_NE(MarkerOf(items.at(1)), "");
  EXPECT_TRUE(items.at(1).at("Exception").is_null());
  EXPECT_FALSE(items.at(1).at("Events").as_array().empty());
}

TEST_F(StreamUpdates, OfASetAreRegisteredAllOrNone) {
  Play("unreadable Dense.Pairs as 500");
  const std::string both = "/streamsets/updates?webId=" + world_->WebIdOf("Dense.Fast") +
                           "&webId=" + world_->WebIdOf("Dense.Pairs");
  const json::value items = world_->PostJson(both).at("Items");
  EXPECT_EQ(Text(items.at(0).at("Status")), "Succeeded");
  EXPECT_EQ(Text(items.at(1).at("Status")), "Failed");
  EXPECT_EQ(MarkerOf(items.at(1)), "");
  EXPECT_EQ(items.at(1).at("Exception").at("Errors").as_array().size(), 1U);
  world_->PostJson("/streamsets/updates?webId=" + world_->WebIdOf("Dense.Triples") +
                   "&webId=nonsense");
  EXPECT_EQ(world_->status, 400);
  EXPECT_EQ(Text(Register("Dense.Triples").at("Status")), "Succeeded");  // it was not yet
  world_->PostJson("/streamsets/updates");
  EXPECT_EQ(world_->status, 400);
}

TEST_F(StreamUpdates, AreForgottenWhereAFaultStrikes) {
  const std::string marker = MarkerOf(Register());
  world_->fault = Fault::kMarkersLost;
  ExpectLost(marker);
  EXPECT_EQ(world_->tally.faults[static_cast<size_t>(Fault::kMarkersLost)], 1U);
  world_->fault = Fault::kNone;
  ExpectLost(marker);
}

TEST_F(StreamUpdates, AskForARefreshIfThatIsTheReading) {
  Play("exchange Dense.Fast at 2026-03-01T10:00:05Z");
  world_->readings.refreshes_swapped = true;
  const std::string marker = MarkerOf(Register());
  Advance(Duration::Seconds(6));
  std::vector<std::string> actions;
  const json::value body = Poll(marker);
  for (const json::value& event : body.at("Events").as_array())
    actions.push_back(Text(event.at("Action")));
  EXPECT_THAT(actions, testing::Contains("Refresh").Times(1));
}

TEST_F(StreamUpdates, ShowOnlyWhatIsSelected) {
  const std::string marker = MarkerOf(Register());
  Advance(Duration::Seconds(3));
  const std::string body =
      world_->Ask("/streams/updates/" + marker + "?selectedFields=LatestMarker;Events.Action");
  EXPECT_THAT(body,
              MatchesRegex(
                  R"(\{"LatestMarker":"[0-9a-f]*_[0-9]*","Events":\[(\{"Action":"Add"\},?)+\]\})"));
  const std::string times =
      world_->Ask("/streams/updates/" + marker + "?selectedFields=Events.Timestamp");
  EXPECT_THAT(times, MatchesRegex(R"(\{"Events":\[(\{"Timestamp":"[^"]*"\},?)+\]\})"));
}

TEST_F(StreamUpdates, AreRegisteredByPostAndFetchedByGet) {
  const std::string target = "/streams/" + world_->WebIdOf("Dense.Fast") + "/updates";
  world_->Ask(target, "GET");
  EXPECT_EQ(world_->status, 405);
  world_->readings.registered_status = 201;
  world_->Ask(target, "POST");
  EXPECT_EQ(world_->status, 201);
}

}  // namespace
}  // namespace pilake::sim
