// SPDX-License-Identifier: Apache-2.0
#include "decode/news.h"

#include <gmock/gmock.h>

#include "core/matchers.h"

namespace pilake::decode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kA = "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA";
constexpr std::string_view kB = "I1DPRDMiEWZViHeZqrvM3e7_AAkxAAAA";
const std::vector<Wanted> kWanted{{kA, PointType::kFloat64}, {kB, PointType::kInt32}};
const std::vector<std::string> kMarkers{"0cbbec466f3a42288c8c47112f54b852_0",
                                        "5d1e9a7cf00b4a6c8f1b7a3f0e2d4c11_12"};

std::string Event(int second, const std::string& value, const std::string& more = "") {
  return R"({"Timestamp":"2024-05-01T10:00:0)" + std::to_string(second) + R"(Z","Value":)" + value +
         R"(,"Good":true)" + more + "}";
}

int64_t Tick(int second) {
  return (*ParseUtcTime("2024-05-01T10:00:00Z") + Duration::Seconds(second)).ticks;
}

std::string Stream(std::string_view web_id, const std::string& events) {
  return R"({"WebId":")" + std::string(web_id) + R"(","Name":"X","Items":[)" + events +
         R"(],"Links":{"Self":"…"}})";
}

std::string Message(const std::string& streams) {
  return R"({"Links":{},"Items":[)" + streams + "]}";
}

// ---- channels

TEST(DecodeChannelMessage, TellsOfTheSeriesThatChangedInTheOrderOfTheMessage) {
  const auto news = DecodeChannelMessage(
      Message(Stream(kB, Event(3, "7") + "," + Event(1, "5")) + "," + Stream(kA, Event(2, "1.5"))),
      kWanted);
  ASSERT_THAT(news, IsOk());
  ASSERT_THAT(*news, SizeIs(2));
  EXPECT_EQ((*news)[0].which, 1u);
  EXPECT_THAT((*news)[0].events.ticks, ElementsAre(Tick(3), Tick(1)));
  EXPECT_EQ((*news)[0].events.kind[0], ValueKind::kInt);
  EXPECT_EQ((*news)[1].which, 0u);
  EXPECT_EQ((*news)[1].events.float_at(0), 1.5);
}

TEST(DecodeChannelMessage, TakesTheOneValueOfAStreamToo) {
  const auto news = DecodeChannelMessage(
      Message(R"({"Value":)" + Event(2, "1.5") + R"(,"WebId":")" + std::string(kA) + "\"}"),
      kWanted);
  ASSERT_THAT(news, IsOk());
  ASSERT_THAT(*news, SizeIs(1));
  EXPECT_THAT((*news)[0].events.ticks, ElementsAre(Tick(2)));
}

TEST(DecodeChannelMessage, KnowsEachFormOfAHeartbeat) {
  for (const char* body : {"", "  ", "{}", R"({"Links":{},"Items":[]})"}) {
    const auto news = DecodeChannelMessage(body, kWanted);
    ASSERT_THAT(news, IsOk()) << body;
    EXPECT_THAT(*news, IsEmpty());
  }
}

TEST(DecodeChannelMessage, PassesOverWhatNobodyAskedFor) {
  const auto news =
      DecodeChannelMessage(Message(Stream("I1DPRDMiEWZViHeZqrvM3e7_AAzzAAAA", Event(1, "1")) + "," +
                                   Stream(kA, Event(2, "2"))),
                           kWanted);
  ASSERT_THAT(news, IsOk());
  EXPECT_THAT(*news, SizeIs(1));
}

TEST(DecodeChannelMessage, DropsNothingSilently) {
  EXPECT_THAT(DecodeChannelMessage(Message(Stream(kA, R"({"Value":1})")), kWanted),
              FailsWith(ErrorKind::kMalformed));
  const std::string whole = Message(Stream(kA, Event(1, "1")));
  for (size_t size = 1; size < whole.size(); ++size)
    EXPECT_FALSE(DecodeChannelMessage(whole.substr(0, size), kWanted)) << whole.substr(0, size);
}

// ---- Stream Updates

std::string Registered(std::string_view web_id, const std::string& marker,
                       const std::string& status, const std::string& exception = "null") {
  return R"({"Source":")" + std::string(web_id) + R"(","SourceName":"X","LatestMarker":")" +
         marker + R"(","Status":")" + status + R"(","Exception":)" + exception + "}";
}

TEST(DecodeRegistrations, GivesMarkersWhateverTheirWordForSuccess) {
  const auto pages = DecodeRegistrations(
      Message(Registered(kB, "m_2", "AlreadyRegistered") + "," + Registered(kA, "m_1", "Succeded")),
      kWanted);
  ASSERT_THAT(pages, IsOk());
  EXPECT_EQ((*pages)[0].marker, "m_1");
  EXPECT_EQ((*pages)[1].marker, "m_2");
  EXPECT_FALSE((*pages)[0].failure || (*pages)[1].failure);
}

TEST(DecodeRegistrations, TellsWhyThereIsNone) {
  const auto pages = DecodeRegistrations(
      Message(Registered(kA, "", "Failed", R"({"Errors":["The point is asleep"]})") + "," +
              Registered(kB, "", "Succeeded")),
      kWanted);
  ASSERT_THAT(pages, IsOk());
  ASSERT_TRUE((*pages)[0].failure && (*pages)[1].failure);
  EXPECT_THAT((*pages)[0].failure->message, HasSubstr("The point is asleep"));
  EXPECT_THAT((*pages)[1].failure->message, HasSubstr("no marker"));
}

std::string Retrieved(const std::string& requested, const std::string& latest,
                      const std::string& events, std::string_view source = "") {
  return R"({"Events":)" + events + R"(,"RequestedMarker":")" + requested + R"(","Source":")" +
         std::string(source) + R"(","LatestMarker":")" + latest + R"(","Status":"Updated"})";
}

TEST(DecodeUpdates, TellsWhatHappenedToEachEvent) {
  const std::string events =
      "[" + Event(1, "1", R"(,"Action":"Add","PreviousEventAction":"PreviousEventArchived")") +
      "," + Event(2, "2", R"(,"Action":"Insert")") + "," + Event(3, "3", R"(,"Action":"Update")") +
      R"(,{"Action":"Delete","Timestamp":"2024-05-01T10:00:04Z"})" +
      R"(,{"Action":"Refresh","Timestamp":"2024-05-01T10:00:05Z","Value":null},)" +
      Event(6, "6", R"(,"Action":"Something")") + "]";
  const auto pages = DecodeUpdates(
      Message(Retrieved(kMarkers[1], "n_2", "[]") + "," + Retrieved(kMarkers[0], "n_1", events)),
      kWanted, kMarkers);
  ASSERT_THAT(pages, IsOk());
  const SeriesPage& first = pages->front();
  EXPECT_FALSE(first.failure);
  EXPECT_EQ(first.marker, "n_1");
  EXPECT_THAT(first.events.ticks,
              ElementsAre(Tick(1), Tick(2), Tick(3), Tick(4), Tick(5), Tick(6)));
  EXPECT_THAT(first.actions, ElementsAre(Action::kAdd, Action::kInsert, Action::kUpdate,
                                         Action::kDelete, Action::kRefresh, Action::kUnknown));
  EXPECT_EQ(first.events.kind[0], ValueKind::kFloat) << "the type is that of the wanted series";
  EXPECT_EQ((*pages)[1].marker, "n_2");
  EXPECT_TRUE((*pages)[1].events.empty());
}

TEST(DecodeUpdates, FindsTheSeriesByItsSourceWhereNoMarkerIsRepeated) {
  const auto pages = DecodeUpdates(Message(Retrieved("", "n_2", "null", kB) + "," +
                                           Retrieved("", "n_1", "[" + Event(1, "1") + "]", kA)),
                                   kWanted, kMarkers);
  ASSERT_THAT(pages, IsOk());
  EXPECT_EQ((*pages)[0].marker, "n_1");
  EXPECT_THAT((*pages)[0].events.ticks, ElementsAre(Tick(1)));
  EXPECT_EQ((*pages)[1].marker, "n_2");
}

TEST(DecodeUpdates, FailsAMarkerThatIsLostAndOneThatIsLeftOut) {
  const std::string lost =
      R"({"RequestedMarker":")" + kMarkers[0] +
      R"(","LatestMarker":"","Status":"Failed","Exception":{"Errors":["Cache not found"]}})";
  const auto pages = DecodeUpdates(Message(lost), kWanted, kMarkers);
  ASSERT_THAT(pages, IsOk());
  ASSERT_TRUE((*pages)[0].failure && (*pages)[1].failure);
  EXPECT_THAT((*pages)[0].failure->message, HasSubstr("Cache not found"));
  EXPECT_THAT((*pages)[1].failure->message, HasSubstr("left this series out"));
}

TEST(DecodeUpdates, FailsASeriesOfWhichAnEventHasNoTime) {
  const auto pages =
      DecodeUpdates(Message(Retrieved(kMarkers[0], "n_1", R"([{"Action":"Add","Value":1}])") + "," +
                            Retrieved(kMarkers[1], "n_2", "[]")),
                    kWanted, kMarkers);
  ASSERT_THAT(pages, IsOk());
  EXPECT_TRUE((*pages)[0].failure);
  EXPECT_FALSE((*pages)[1].failure);
}

TEST(DecodeUpdates, IsNotFooledByACutBody) {
  const std::string whole = Message(Retrieved(kMarkers[0], "n_1", "[" + Event(1, "1") + "]") + "," +
                                    Retrieved(kMarkers[1], "n_2", "[]"));
  ASSERT_THAT(DecodeUpdates(whole, kWanted, kMarkers), IsOk());
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(DecodeUpdates(whole.substr(0, size), kWanted, kMarkers));
  EXPECT_THAT(DecodeUpdates(Message(Retrieved(kMarkers[0], "n_1", "[]") + "," +
                                    Retrieved(kMarkers[0], "n_1", "[]")),
                            kWanted, kMarkers),
              FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeUpdates(R"({"Errors":["No"]})", kWanted, kMarkers),
              FailsWith(ErrorKind::kTransient));
}

}  // namespace
}  // namespace pilake::decode
