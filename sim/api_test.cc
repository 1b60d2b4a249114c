// SPDX-License-Identifier: Apache-2.0
#include "sim/api.h"

#include <gmock/gmock.h>

#include "sim/test_world.h"
#include "sim/text.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Api : public testing::Test {
 protected:
  Api() { world_.readings.nan = NanAs::kString; }  // what this reader of JSON takes

  std::vector<std::string> NamesOf(const json::value& body) {
    std::vector<std::string> names;
    for (const json::value& item : body.at("Items").as_array())
      names.emplace_back(item.at("Name").as_string());
    return names;
  }
  std::string ServerId() {
    return std::string(world_.AskJson("/dataservers").at("Items").at(0).at("WebId").as_string());
  }

  TestWorld world_{MakePlant("mixed")};
  const std::string fast_ = world_.WebIdOf("Dense.Fast"), slow_ = world_.WebIdOf("Tank 5 Level");
};

TEST_F(Api, SaysWhatCirculatesButIsNotTheApi) {
  for (const char* target :
       {"/streams/channel", "/uoms", "/streams/x/calculated", "/api/v1/stream/recorded?tagNames=a",
        "/assetdatabases", "/eventframes/x/acknowledgements", "/tables/x/rows",
        "/points/x/y/z/w"}) {
    EXPECT_THAT(world_.Ask(target), HasSubstr("\"Message\":\"No HTTP resource was found"))
        << target;
    EXPECT_EQ(world_.status, 404) << target;
  }
}

TEST_F(Api, ListsPointsPageByPageUntilAnEmptyOne) {
  const std::string base = "/dataservers/" + ServerId() + "/points?maxCount=100";
  std::vector<std::string> names;
  for (int start = 0;; start += 100) {
    const json::value page = world_.AskJson(base + "&startIndex=" + std::to_string(start));
    const auto more = NamesOf(page);
    EXPECT_EQ(page.at("Links").as_object().contains("Next"), start + 100 < 340);
    if (more.empty()) break;
    names.insert(names.end(), more.begin(), more.end());
  }
  EXPECT_THAT(names, SizeIs(world_.plant.points().size()));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST_F(Api, LeadsFromPageToPageByItsLinks) {
  const std::string start = "https://host/piwebapi";
  std::string url = start + "/dataservers/" + ServerId() +
                    "/points?nameFilter=M.*&maxCount=70&selectedFields=Items.Name;Links.Next";
  size_t points = 0;
  while (!url.empty()) {
    const json::value page = world_.AskJson(std::string_view(url).substr(start.size()));
    points += page.at("Items").as_array().size();
    const json::value* next = page.at("Links").as_object().if_contains("Next");
    url = next == nullptr ? "" : std::string(next->as_string());
  }
  size_t expected = 0;
  for (const Point& point : world_.plant.points()) expected += point.name.starts_with("M.") ? 1 : 0;
  EXPECT_EQ(points, expected);
}

TEST_F(Api, FiltersPointsByName) {
  EXPECT_THAT(NamesOf(world_.AskJson("/dataservers/" + ServerId() + "/points?nameFilter=dense.t*")),
              ElementsAre("Dense.Triples"));
  EXPECT_THAT(
      NamesOf(world_.AskJson("/dataservers/" + ServerId() + "/points?nameFilter=100%25%20open")),
      ElementsAre("100% open"));
}

TEST_F(Api, FindsAPointByPathAndByEveryFormOfWebId) {
  for (const char* name : {"A+B=C", "R&D#7", "100% open", "Größe Ä°", "slash/in/name"}) {
    const json::value point =
        world_.AskJson("/points?path=" + PercentEncode("\\\\pisrv\\" + std::string(name)));
    EXPECT_EQ(world_.status, 200) << name;
    EXPECT_EQ(point.at("Name").as_string(), name);
    for (const auto type : {WebIdType::kFull, WebIdType::kIdOnly, WebIdType::kPathOnly,
                            WebIdType::kLocalIdOnly, WebIdType::kDefaultIdOnly}) {
      EXPECT_EQ(world_.AskJson("/points/" + world_.WebIdOf(name, type)), point);
    }
  }
}

TEST_F(Api, WritesWebIdsInTheFormThatWasAskedFor) {
  EXPECT_EQ(world_.AskJson("/points/" + fast_ + "?webIdType=IDOnly").at("WebId").as_string(),
            fast_);
  EXPECT_EQ(world_.AskJson("/points/" + fast_).at("WebId").as_string(),
            world_.WebIdOf("Dense.Fast", WebIdType::kFull));
  world_.Ask("/points/" + fast_ + "?webIdType=Short");
  EXPECT_EQ(world_.status, 400);
}

TEST_F(Api, AnswersMultipleWith207WhenOneIsMissing) {
  const json::value body =
      world_.AskJson("/points/multiple?webId=" + fast_ + "&path=%5C%5CPISRV%5Cnobody");
  EXPECT_EQ(world_.status, 207);
  EXPECT_TRUE(body.at("Items").at(0).at("Exception").is_null());
  EXPECT_EQ(body.at("Items").at(0).at("IdentifierType").as_string(), "WebId");
  EXPECT_TRUE(body.at("Items").at(1).at("Object").is_null());
  EXPECT_EQ(body.at("Items").at(1).at("Exception").at("Errors").as_array().size(), 1U);
  world_.Ask("/points/multiple?webId=" + fast_);
  EXPECT_EQ(world_.status, 200);
}

TEST_F(Api, RefusesAnUnknownPointAttribute) {
  world_.Ask("/points/" + fast_ + "/attributes?name=pointtype&name=nonsense");
  EXPECT_EQ(world_.status, 400);
}

TEST_F(Api, CutsRecordedDataAtAThousandAndSaysNothingAboutIt) {
  const json::value body =
      world_.AskJson("/streams/" + fast_ + "/recorded?selectedFields=Items.Timestamp");
  EXPECT_THAT(body.at("Items").as_array(), SizeIs(1000));
  EXPECT_EQ(body.as_object().size(), 1U);
}

TEST_F(Api, RefusesAMaxCountAboveTheLimitInTheVendorsWords) {
  EXPECT_EQ(world_.Ask("/streams/" + fast_ + "/recorded?maxCount=150001"),
            R"({"Errors":["Parameter 'maxCount' is greater than the maximum allowed (150000)."]})");
  EXPECT_EQ(world_.status, 400);
  world_.Ask("/streams/" + fast_ + "/recorded?maxCount=150000&endTime=*-2d");
  EXPECT_EQ(world_.status, 200);
}

TEST_F(Api, HoldsWhatItsReadingSaysAgainstTheLimitOfASet) {
  const std::string set = "/streamsets/recorded?selectedFields=Items.Items.Good&webId=" + fast_ +
                          "&webId=" + slow_ + "&maxCount=";
  const auto status = [&](ItemsLimit limit, const char* max_count) {
    world_.readings.items_limit = limit;
    world_.Ask(set + max_count);
    return world_.status;
  };
  EXPECT_EQ(status(ItemsLimit::kStreamsTimesMaxCount, "75000"), 200);
  EXPECT_EQ(status(ItemsLimit::kStreamsTimesMaxCount, "75001"), 400);
  EXPECT_EQ(status(ItemsLimit::kMaxCount, "75001"), 200);
  EXPECT_EQ(status(ItemsLimit::kMaxCount, "150001"), 400);
  EXPECT_EQ(status(ItemsLimit::kProduced, "75001"), 200);
}

TEST_F(Api, AnswersASetInTheOrderOfTheCallUnlessSorted) {
  const std::string set =
      "/streamsets/value?selectedFields=Items.Name&webId=" + slow_ + "&webId=" + fast_;
  EXPECT_THAT(NamesOf(world_.AskJson(set)), ElementsAre("Tank 5 Level", "Dense.Fast"));
  EXPECT_THAT(NamesOf(world_.AskJson(set + "&sortField=Name")),
              ElementsAre("Dense.Fast", "Tank 5 Level"));
  EXPECT_THAT(NamesOf(world_.AskJson(set + "&sortField=Name&sortOrder=Descending")),
              ElementsAre("Tank 5 Level", "Dense.Fast"));
  world_.readings.set_by_name = true;
  EXPECT_THAT(NamesOf(world_.AskJson(set)), ElementsAre("Dense.Fast", "Tank 5 Level"));
}

TEST_F(Api, LetsOneUnknownWebIdSpoilASetOrNot) {
  const std::string set =
      "/streamsets/recorded?webId=" + fast_ + "&webId=I1DP" + std::string(28, 'A');
  world_.Ask(set);
  EXPECT_EQ(world_.status, 400);
  world_.readings.unknown_webid_in_set = UnknownInSet::kWhole404;
  world_.Ask(set);
  EXPECT_EQ(world_.status, 404);
  world_.readings.unknown_webid_in_set = UnknownInSet::kItemErrors;
  const json::value body = world_.AskJson(set);
  EXPECT_EQ(world_.status, 200);
  EXPECT_FALSE(body.at("Items").at(0).as_object().contains("WebException"));
  EXPECT_THAT(body.at("Items").at(0).at("Items").as_array(), SizeIs(1000));
  EXPECT_EQ(body.at("Items").at(1).at("WebException").at("StatusCode").as_int64(), 404);
}

TEST_F(Api, EndsAFailedBodyWithAWebExceptionThatHasToBeSelected) {
  world_.late_failure.after_items = 10;
  const std::string target = "/streams/" + fast_ + "/recorded?selectedFields=Items.Good";
  EXPECT_FALSE(world_.AskJson(target).as_object().contains("WebException"));
  const json::value named = world_.AskJson(target + ";WebException");
  EXPECT_EQ(named.at("WebException").at("StatusCode").as_int64(), 500);
  EXPECT_THAT(named.at("Items").as_array(), SizeIs(10));
  world_.readings.webexception_needs_selecting = false;
  EXPECT_TRUE(world_.AskJson(target).as_object().contains("WebException"));
}

TEST_F(Api, FailsOneStreamOfASetWhenThatIsTheFault) {
  world_.late_failure = {.after_items = 10, .one_stream = true};
  const json::value body =
      world_.AskJson("/streamsets/recorded?webId=" + fast_ + "&webId=" + slow_);
  EXPECT_FALSE(body.as_object().contains("WebException"));
  EXPECT_TRUE(body.at("Items").at(0).as_object().contains("WebException"));
  EXPECT_FALSE(body.at("Items").at(1).as_object().contains("WebException"));
  EXPECT_GT(body.at("Items").at(1).at("Items").as_array().size(), 10U);
}

TEST_F(Api, CountsEventsAsTheyAreRecorded) {
  world_.readings.counted = Counted::kAll;
  const json::value body =
      world_.AskJson("/streams/" + fast_ +
                     "/summary?summaryType=Count&calculationBasis=EventWeighted&startTime=*-1h");
  const json::value recorded =
      world_.AskJson("/streams/" + fast_ + "/recorded?startTime=*-1h&maxCount=100000");
  EXPECT_EQ(static_cast<size_t>(body.at("Items").at(0).at("Value").at("Value").as_int64()),
            recorded.at("Items").as_array().size());
  world_.Ask("/streams/" + fast_ + "/summary?summaryType=Average");
  EXPECT_EQ(world_.status, 409);
}

TEST_F(Api, CountsWhatTheReadingSays) {
  const std::string window = "startTime=2026-03-01T00:00:00Z&endTime=2026-03-01T06:00:00Z";
  for (const char* tag : {"M.Int32.001", "M.Digital.001", "M.String.001"}) {
    const std::string stream = "/streams/" + world_.WebIdOf(tag);
    int64_t all = 0, good = 0, numbers = 0;
    const json::value recorded = world_.AskJson(stream + "/recorded?maxCount=100000&" + window);
    for (const json::value& event : recorded.at("Items").as_array()) {
      ++all;
      if (!event.at("Good").as_bool()) continue;
      ++good;
      numbers += event.at("Value").is_number() ? 1 : 0;
    }
    ASSERT_GT(good, 0);
    ASSERT_GT(all, good);
    const std::string count =
        stream + "/summary?summaryType=Count&calculationBasis=EventWeighted&" + window;
    for (const auto& [counted, events] :
         {std::pair(Counted::kAll, all), {Counted::kGood, good}, {Counted::kNumbers, numbers}}) {
      world_.readings.counted = counted;
      EXPECT_EQ(world_.AskJson(count).at("Items").at(0).at("Value").at("Value").as_int64(), events)
          << tag;
    }
  }
}

TEST_F(Api, CountsTheEndsOfAWindowAsTheBasisSays) {
  const std::string stream = "/streams/" + world_.WebIdOf("Dense.Pairs");
  const json::value recorded = world_.AskJson(stream + "/recorded?startTime=*-1h&maxCount=20");
  const json::array& events = recorded.at("Items").as_array();
  const auto time = [](const json::value& event) {
    return std::string(event.at("Timestamp").as_string());
  };
  const auto at = [&](const json::value& edge) {
    return std::ranges::count(events, time(edge), time);
  };
  const std::string ends = "&startTime=" + time(events.front()) + "&endTime=" + time(events.back());
  world_.readings.counted = Counted::kAll;
  const auto count = [&](const std::string& basis) {
    const json::value body = world_.AskJson(
        stream + "/summary?summaryType=Count&calculationBasis=EventWeighted" + basis + ends);
    return body.at("Items").at(0).at("Value").at("Value").as_int64();
  };
  const int64_t all = count("IncludeBothEnds");
  EXPECT_GE(all, 20);
  EXPECT_EQ(count(""), all);
  EXPECT_EQ(count("ExcludeEarliestEvent"), all - at(events.front()));
  EXPECT_EQ(count("ExcludeMostRecentEvent"), all - at(events.back()));
}

TEST_F(Api, MaySayNoDataWhereThereIsNothingToCount) {
  const std::string count = "/streams/" + world_.WebIdOf("No.Events") +
                            "/summary?summaryType=Count&calculationBasis=EventWeighted";
  const auto value = [&] { return world_.AskJson(count).at("Items").at(0).at("Value"); };
  EXPECT_EQ(value().at("Value").as_int64(), 0);
  world_.readings.no_count_of_none = true;
  EXPECT_EQ(value().at("Value").at("Name").as_string(), "No Data");
}

TEST_F(Api, FiltersEventsByTheirFlags) {
  const std::string stream = "/streams/" + world_.WebIdOf("M.Float32.001"),
                    window = "startTime=2026-03-01T00:00:00Z&endTime=2026-03-03T00:00:00Z";
  const json::value all = world_.AskJson(stream + "/recorded?maxCount=100000&" + window);
  const auto with = [&](auto... flags) {
    json::array events;
    for (const json::value& event : all.at("Items").as_array()) {
      if ((event.at(flags).as_bool() || ...)) events.push_back(event);
    }
    return events;
  };
  world_.readings.counted = Counted::kAll;
  const auto check = [&](const std::string& filter, const json::array& events) {
    const std::string asked = window + "&filterExpression=" + PercentEncode(filter);
    const json::value got = world_.AskJson(stream + "/recorded?maxCount=100000&" + asked);
    EXPECT_FALSE(events.empty()) << filter;
    EXPECT_EQ(got.at("Items").as_array(), events) << filter;
    const json::value counted = world_.AskJson(
        stream + "/summary?summaryType=Count&calculationBasis=EventWeighted&" + asked);
    EXPECT_EQ(counted.at("Items").at(0).at("Value").at("Value").as_int64(), std::ssize(events));
    const json::value few = world_.AskJson(stream + "/recorded?maxCount=1&" + asked);
    EXPECT_EQ(few.at("Items").as_array().size(), 1U);
  };
  check("IsSet('.', \"a\")", with("Annotated"));
  check("isset('.',\"S\")", with("Substituted"));
  check("IsSet('.', \"s\") or IsSet('.', \"a\")", with("Substituted", "Annotated"));
  check("not BadVal('.')", with("Good"));
  for (const char* wrong : {"'.' > 5", "IsSet('.', \"x\")", "IsSet('.', \"a\") or", "or"}) {
    world_.Ask(stream + "/recorded?filterExpression=" + PercentEncode(wrong));
    EXPECT_EQ(world_.status, 409) << wrong;
  }
}

TEST_F(Api, ShowsTheSnapshotAsValueAndTheLastEventAsEnd) {
  const std::string forecast = world_.WebIdOf("Forecast.Load");
  const auto time = [&](const std::string& target) {
    return std::string(world_.AskJson(target).at("Timestamp").as_string());
  };
  EXPECT_LE(time("/streams/" + forecast + "/value"), FormatUtcTime(world_.now));
  EXPECT_GT(time("/streams/" + forecast + "/end"), FormatUtcTime(world_.now + Duration::Hours(40)));
  EXPECT_EQ(time("/streams/" + fast_ + "/value"), time("/streams/" + fast_ + "/end"));
  const json::value nothing = world_.AskJson("/streams/" + world_.WebIdOf("No.Events") + "/value");
  EXPECT_EQ(nothing.at("Value").at("Name").as_string(), "No Data");
  EXPECT_FALSE(nothing.at("Good").as_bool());
}

TEST_F(Api, RefusesWhatPointsDoNotHave) {
  for (const char* query : {"desiredUnits=bar", "filterExpression='.'>5", "associations=Cats"}) {
    world_.Ask("/streams/" + fast_ + "/recorded?" + query);
    EXPECT_EQ(world_.status, 409) << query;
  }
  world_.Ask("/streams/" + fast_ + "/recorded?startTime=whenever");
  EXPECT_EQ(world_.status, 400);
  world_.Ask("/streams/" + fast_ + "/recorded?boundaryType=Near");
  EXPECT_EQ(world_.status, 400);
  world_.Ask("/streams/" + fast_ + "/recorded?maxCount=ten");
  EXPECT_EQ(world_.status, 400);
}

TEST_F(Api, ReadsBlobsAsItsReadingSays) {
  const std::string blob = world_.WebIdOf("M.Blob.000"),
                    recorded = "/streams/" + blob + "/recorded?startTime=*-2d";
  world_.Ask(recorded);
  EXPECT_EQ(world_.status, 200);
  world_.readings.blob = BlobAs::kNotImplemented;
  world_.Ask(recorded);
  EXPECT_EQ(world_.status, 501);
  EXPECT_EQ(world_.AskJson("/streamsets/recorded?webId=" + blob)
                .at("Items")
                .at(0)
                .at("WebException")
                .at("StatusCode")
                .as_int64(),
            501);
  world_.readings.blob = BlobAs::kError;
  EXPECT_THAT(world_.Ask(recorded), HasSubstr(R"("Errors":[{"FieldName":"Value")"));
}

TEST_F(Api, TellsAnnotationsToThoseWhoAsk) {
  const std::string recorded = "/streams/" + fast_ + "/recorded?startTime=*-2d&maxCount=20000";
  EXPECT_THAT(world_.Ask(recorded), testing::Not(HasSubstr("\"Annotations\"")));
  EXPECT_THAT(world_.Ask(recorded + "&associations=Annotations"),
              HasSubstr("\"Annotations\":[{\"Id\":"));
}

TEST_F(Api, RendersShuffledAndExtraMembersAsJsonStill) {
  const std::string target =
      "/streamsets/recorded?webId=" + fast_ + "&webId=" + slow_ + "&startTime=*-1d&maxCount=5000";
  const json::value plain = world_.AskJson(target);
  world_.readings.shuffled_members = world_.readings.extra_members = true;
  const std::string text = world_.Ask(target);
  const json::value strange = TestWorld::Parse(text);
  ASSERT_EQ(strange.at("Items").as_array().size(), plain.at("Items").as_array().size());
  EXPECT_THAT(strange.at("Items").at(0).at("Items").as_array(),
              SizeIs(plain.at("Items").at(0).at("Items").as_array().size()));
  EXPECT_LT(text.find("UnitsAbbreviation"),
            text.find("\"Items\":[{", text.find("\"Items\":[{") + 1));
}

// One tag that cannot be read, in each way, in the middle of two that can.
class Unreadable : public testing::Test {
 protected:
  struct Asked {
    int status;
    json::value body;
  };
  void Play(std::string_view how) {
    world_.emplace(MakePlant("mixed"), fmt::format("unreadable Dense.Pairs as {}", how));
    world_->readings.nan = NanAs::kString;
    set_ = "?maxCount=2&webId=" + world_->WebIdOf("Dense.Fast") +
           "&webId=" + world_->WebIdOf("Dense.Pairs") +
           "&webId=" + world_->WebIdOf("Dense.Triples");
    alone_ = "/streams/" + world_->WebIdOf("Dense.Pairs") + "/recorded?maxCount=2";
  }
  int Status(const std::string& target) {
    world_->Ask(target);
    return world_->status;
  }
  json::array Set(const std::string& action) {
    const json::value body = world_->AskJson("/streamsets/" + action + set_);
    EXPECT_EQ(world_->status, 200);
    return body.at("Items").as_array();
  }
  std::string Point() { return "/points/" + world_->WebIdOf("Dense.Pairs"); }

  std::optional<TestWorld> world_;
  std::string set_, alone_;
};

TEST_F(Unreadable, PointsThatAreGoneOrForbiddenFailAsUnknownOnesDo) {
  for (const int status : {404, 403, 410}) {
    Play(std::to_string(status));
    EXPECT_EQ(Status(alone_), status);
    EXPECT_EQ(Status(Point()), status);
    EXPECT_EQ(Status("/points/multiple" + set_), 207);
    world_->readings.unknown_webid_in_set = UnknownInSet::kWhole400;
    EXPECT_EQ(Status("/streamsets/recorded" + set_), 400);
    world_->readings.unknown_webid_in_set = UnknownInSet::kWhole404;
    EXPECT_EQ(Status("/streamsets/recorded" + set_), status);
    world_->readings.unknown_webid_in_set = UnknownInSet::kItemErrors;
    for (const char* action : {"recorded", "value"}) {
      const json::array items = Set(action);
      EXPECT_EQ(items.at(1).at("WebException").at("StatusCode").as_int64(), status);
      EXPECT_FALSE(items.at(2).as_object().contains("WebException"));
    }
    // It is listed all the same.
    EXPECT_THAT(
        world_->Ask(
            "/dataservers/" +
            std::string(world_->AskJson("/dataservers").at("Items").at(0).at("WebId").as_string()) +
            "/points?nameFilter=Dense.Pairs"),
        HasSubstr("Dense.Pairs"));
  }
}

TEST_F(Unreadable, DataMayFailWhereThePointDoesNot) {
  Play("500");
  EXPECT_EQ(Status(Point()), 200);
  EXPECT_EQ(Status(alone_), 500);
  EXPECT_EQ(Status("/streamsets/recorded" + set_), 500);
  EXPECT_EQ(Status("/streamsets/value" + set_), 500);
}

TEST_F(Unreadable, OneStreamMayHoldErrors) {
  Play("item");
  EXPECT_EQ(Status(Point()), 200);
  EXPECT_EQ(Status(alone_), 500);
  for (const char* action : {"recorded", "value"}) {
    const json::array items = Set(action);
    EXPECT_EQ(items.at(1).at("Errors").as_array().size(), 1U);
    EXPECT_EQ(items.at(1).at("Name").as_string(), "Dense.Pairs");
    EXPECT_FALSE(items.at(0).as_object().contains("Errors"));
  }
}

TEST_F(Unreadable, OneStreamMayEndWithAWebException) {
  Play("webexception");
  EXPECT_EQ(world_->AskJson(alone_).at("WebException").at("StatusCode").as_int64(), 500);
  EXPECT_EQ(world_->status, 200);
  for (const char* action : {"recorded", "value"}) {
    const json::array items = Set(action);
    EXPECT_EQ(items.at(1).at("WebException").at("StatusCode").as_int64(), 500);
    EXPECT_FALSE(items.at(2).as_object().contains("WebException"));
  }
}

TEST_F(Unreadable, PartsOfABatchHaveTheStatusThatTheCallWouldHave) {
  Play("403");
  const json::value batch = TestWorld::Parse(world_->AskBatch(
      R"({"a":{"Method":"GET","Resource":"https://h/piwebapi)" + alone_ + R"("}})"));
  EXPECT_EQ(batch.at("a").at("Status").as_int64(), 403);
}

}  // namespace
}  // namespace pilake::sim
