// SPDX-License-Identifier: Apache-2.0
// Channels as a client sees them (wire §8).
#include "sim/channel.h"

#include <gmock/gmock.h>

#include "sim/server.h"
#include "sim/test_world.h"
#include "web/test_websocket.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using End = web::Pusher::End;

std::string Text(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

class Channels : public testing::Test {
 protected:
  Channels() { Play(""); }

  void Play(std::string_view script) {
    world_.emplace(MakePlant("mixed"), script);
    world_->readings.nan = NanAs::kString;
    world_->now = At("2026-03-01T10:00:00Z");
  }

  std::unique_ptr<web::Pusher> Open(std::string_view target) {
    auto call = MakeCall(world_->world, "GET", "/piwebapi" + std::string(target),
                         "https://host/piwebapi", world_->now);
    call->is_upgrade = true;
    Answer answer = Route(*call);
    world_->status = answer.status;
    return std::move(answer.pusher);
  }
  std::string Target(std::string_view tag, std::string_view query = "") {
    return "/streams/" + world_->WebIdOf(tag) + "/channel" + std::string(query);
  }
  // What is sent when the time has come.
  web::Pusher::Turn After(web::Pusher& channel, Duration span) {
    world_->now = world_->now + span;
    return channel.Next();
  }
  json::array Items(const std::string& message) {
    return TestWorld::Parse(message).at("Items").as_array();
  }
  // Times of the events of the one series in a message.
  std::vector<std::string> Times(const std::string& message) {
    std::vector<std::string> times;
    const json::array items = Items(message);
    for (const json::value& event : items.at(0).at("Items").as_array())
      times.push_back(Text(event.at("Timestamp")));
    return times;
  }

  std::optional<TestWorld> world_;
};

TEST_F(Channels, TellWhatCameSinceTheLastPollOnceAnIntervalHasPassed) {
  const auto channel = Open(Target("Dense.Fast"));
  ASSERT_NE(channel, nullptr);
  const UtcTime begin = world_->now;
  EXPECT_THAT(After(*channel, Duration::Seconds(1)).messages, IsEmpty());
  std::vector<std::string> heard, expected;
  for (int i = 0; i < 20; ++i) {
    for (const std::string& message : After(*channel, Duration::Seconds(2)).messages) {
      const auto times = Times(message);
      heard.insert(heard.end(), times.begin(), times.end());
    }
  }
  const Point& point = *world_->plant.PointByName("Dense.Fast");
  const Stretch told = {begin, begin + Duration::Seconds(40)};
  TellChanges(world_->plant, point, told, false, [&](const Change& change) {
    expected.push_back(FormatUtcTime(change.event.time));
    return true;
  });
  std::ranges::sort(heard);  // within a message they are in any order
  EXPECT_EQ(heard, expected);
  EXPECT_FALSE(heard.empty());
  EXPECT_EQ(world_->tally.message_events, heard.size());
}

TEST_F(Channels, ShowSeriesAsTheReferenceDoes) {
  const auto channel = Open(Target("Dense.Fast"));
  const auto turn = After(*channel, Duration::Minutes(1));
  ASSERT_THAT(turn.messages, SizeIs(1));
  const json::value body = TestWorld::Parse(turn.messages[0]);
  EXPECT_THAT(body.at("Links").as_object(), IsEmpty());
  const json::value& item = body.at("Items").at(0);
  EXPECT_EQ(Text(item.at("Name")), "Dense.Fast");
  EXPECT_EQ(Text(item.at("Path")).substr(0, 2), "\\\\");
  const json::value& event = item.at("Items").at(0);
  for (const char* member : {"Timestamp", "Value", "UnitsAbbreviation", "Good", "Questionable",
                             "Substituted", "Annotated"})
    EXPECT_TRUE(event.as_object().contains(member)) << member;
}

TEST_F(Channels, LeaveOutSeriesWithoutNews) {
  const auto channel = Open("/streamsets/channel?webId=" + world_->WebIdOf("One.Event") +
                            "&webId=" + world_->WebIdOf("Dense.Fast"));
  const auto turn = After(*channel, Duration::Minutes(1));
  ASSERT_THAT(turn.messages, SizeIs(1));
  const json::array items = Items(turn.messages[0]);
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(Text(items[0].at("Name")), "Dense.Fast");
}

TEST_F(Channels, BeginWithTheCurrentValuesForThoseWhoAsk) {
  const auto channel =
      Open("/streamsets/channel?includeInitialValues=true&webId=" + world_->WebIdOf("No.Events") +
           "&webId=" + world_->WebIdOf("Dense.Fast"));
  const auto turn = channel->Next();
  ASSERT_THAT(turn.messages, SizeIs(1));
  const json::array items = Items(turn.messages[0]);
  ASSERT_THAT(items, SizeIs(2));
  const json::value value = world_->AskJson("/streams/" + world_->WebIdOf("Dense.Fast") + "/value");
  EXPECT_EQ(items[1].at("Items").at(0), value);
  EXPECT_THAT(channel->Next().messages, IsEmpty());
}

TEST_F(Channels, BeatAfterSoManyPollsWithoutNews) {
  const auto channel = Open(Target("One.Event", "?heartbeatRate=3"));
  EXPECT_THAT(After(*channel, Duration::Seconds(4)).messages, IsEmpty());
  EXPECT_THAT(After(*channel, Duration::Seconds(2)).messages,
              ElementsAre(R"({"Links":{},"Items":[]})"));
  EXPECT_THAT(After(*channel, Duration::Seconds(4)).messages, IsEmpty());
  world_->readings.heartbeat = Heartbeat::kEmptyObject;
  EXPECT_THAT(After(*channel, Duration::Seconds(2)).messages, ElementsAre("{}"));
  world_->readings.heartbeat = Heartbeat::kEmptyFrame;
  EXPECT_THAT(After(*channel, Duration::Seconds(6)).messages, ElementsAre(""));
  const auto silent = Open(Target("One.Event"));
  EXPECT_THAT(After(*silent, Duration::Minutes(1)).messages, IsEmpty());
}

TEST_F(Channels, MixTheOrderOfEventsUnlessThatIsNotTheReading) {
  const auto mixed = Open(Target("Dense.Fast"));
  const auto ordered = Open(Target("Dense.Fast"));
  world_->now = world_->now + Duration::Minutes(5);
  const auto one = Times(mixed->Next().messages.at(0));
  world_->readings.channel_in_order = true;
  const auto other = Times(ordered->Next().messages.at(0));
  EXPECT_TRUE(std::ranges::is_sorted(other));
  EXPECT_FALSE(std::ranges::is_sorted(one));
  EXPECT_THAT(one, testing::UnorderedElementsAreArray(other));
}

TEST_F(Channels, TellDeletionsAsTheReadingSays) {
  Play("delete One.Event event 2026-03-01T00:00:00Z at 2026-03-01T10:00:01Z");
  const auto as_event = Open(Target("One.Event")), as_null = Open(Target("One.Event")),
             as_nothing = Open(Target("One.Event"));
  world_->now = world_->now + Duration::Seconds(2);
  EXPECT_FALSE(Items(as_event->Next().messages.at(0))[0].at("Items").at(0).at("Value").is_null());
  world_->readings.channel_delete = DeletedAs::kNull;
  EXPECT_TRUE(Items(as_null->Next().messages.at(0))[0].at("Items").at(0).at("Value").is_null());
  world_->readings.channel_delete = DeletedAs::kNothing;
  EXPECT_THAT(as_nothing->Next().messages, IsEmpty());
}

TEST_F(Channels, ShowOneValueAnItemIfThatIsTheReading) {
  world_->readings.channel_single_values = true;
  const auto channel = Open(Target("Dense.Fast"));
  const json::array items = Items(After(*channel, Duration::Minutes(1)).messages.at(0));
  EXPECT_GT(items.size(), 1U);
  for (const json::value& item : items) EXPECT_TRUE(item.at("Value").is_object());
}

TEST_F(Channels, EndWithARestartAndAFailoverThatLosesPipes) {
  Play(
      "restart at 2026-03-01T10:00:05Z\n"
      "failover from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z lag 1h");
  const auto cut = Open(Target("Dense.Fast")), closed = Open(Target("Dense.Fast"));
  world_->now = world_->now + Duration::Seconds(6);
  EXPECT_EQ(cut->Next().end, End::kCut);
  world_->readings.closes_channels = true;
  const auto turn = closed->Next();
  EXPECT_EQ(turn.end, End::kClose);
  EXPECT_EQ(turn.close_code, 1001);
  const auto later = Open(Target("Dense.Fast"));
  EXPECT_EQ(After(*later, Duration::Hours(1)).end, End::kNone);
  world_->readings.failover_loses_pipes = true;
  EXPECT_EQ(later->Next().end, End::kClose);
}

TEST_F(Channels, AreStruckByTheFaultsForMessages) {
  const auto strike = [&](std::string_view fault) {
    FaultOptions options;
    EXPECT_THAT(ApplyFault(std::string(fault) + "=1", options), IsOk());
    FaultPlan plan(options);
    World world{world_->world.story, world_->readings, 150'000,         world_->now,   std::nullopt,
                world_->tally,       world_->pipes,    world_->updates, world_->clock, plan};
    auto call = MakeCall(world, "GET", "/piwebapi" + Target("Dense.Fast"), "", world_->now);
    call->is_upgrade = true;
    Answer answer = Route(*call);
    return After(*answer.pusher, Duration::Minutes(1));
  };
  EXPECT_THAT(strike("message_dropped").messages, IsEmpty());
  EXPECT_THAT(strike("message_twice").messages, SizeIs(2));
  EXPECT_EQ(strike("channel_cut").end, End::kCut);
  EXPECT_EQ(strike("channel_closed").end, End::kClose);
  EXPECT_EQ(strike("channel_stall").end, End::kStall);
  EXPECT_EQ(world_->tally.faults[static_cast<size_t>(Fault::kChannelStall)], 1U);
}

TEST_F(Channels, AreRefusedBeforeTheUpgrade) {
  EXPECT_EQ(Open("/streams/nonsense/channel"), nullptr);
  EXPECT_EQ(world_->status, 400);
  EXPECT_EQ(Open("/streamsets/channel"), nullptr);
  EXPECT_EQ(world_->status, 400);
  EXPECT_EQ(Open("/streamsets/channel?webId=nonsense"), nullptr);
  EXPECT_EQ(world_->status, 400);
  EXPECT_EQ(Open(Target("Dense.Fast", "?heartbeatRate=often")), nullptr);
  EXPECT_EQ(world_->status, 400);
  EXPECT_EQ(Open("/streams/channel"), nullptr);
  EXPECT_EQ(world_->status, 404);
  world_->Ask(Target("Dense.Fast"));  // which is no WebSocket
  EXPECT_EQ(world_->status, 400);
}

// Over the wire: a clock that goes with the machine's, but a thousand times as fast.
class QuickClock : public Clock {
 public:
  UtcTime Now() const override { return begin_ + (SteadyNow() - real_) * 1000; }
  bool SleepUntil(UtcTime, const std::stop_token&) const override { return false; }

 private:
  const UtcTime begin_ = At("2026-03-03T12:00:00Z"), real_ = SteadyNow();
};

TEST(ChannelOverTheWire, PushesToThoseWhoMayListen) {
  const QuickClock clock;
  ServerOptions options;
  options.plant = {"bench", 3, 1, At("2026-03-03T00:00:00Z")};
  options.basic = {"reader", "secret"};
  const auto server = Server::Start(std::move(options), clock);
  ASSERT_THAT(server, IsOk());
  const std::string target = "/piwebapi/streams/P1DPUElTUlZcQkVOQ0guMDAwMDA/channel";
  EXPECT_EQ(web::TestSocket((*server)->port(), target).answer.status, 401);
  {
    web::TestSocket socket((*server)->port(), target,
                           "Authorization: Basic cmVhZGVyOnNlY3JldA==\r\n");
    ASSERT_EQ(socket.answer.status, 101);
    const auto frame = socket.Receive();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, web::TestFrame::kText);
    EXPECT_FALSE(TestWorld::Parse(frame->payload).at("Items").as_array().empty());
  }
  EXPECT_EQ((*server)->counters().channels, 1U);
  EXPECT_GE((*server)->counters().messages, 1U);
}

}  // namespace
}  // namespace pilake::sim
