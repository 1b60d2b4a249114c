// SPDX-License-Identifier: Apache-2.0
#include "sim/batch.h"

#include <gmock/gmock.h>

#include "sim/test_world.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;

class BatchCall : public testing::Test {
 protected:
  json::value Ask(const std::string& body) { return TestWorld::Parse(world_.AskBatch(body)); }
  TestWorld world_{MakePlant("bench", 5)};
};

TEST_F(BatchCall, RunsTheExampleOfTheReference) {
  const json::value answer = Ask(R"(
    {"srv": {"Method":"GET","Resource":"https://elsewhere/piwebapi/dataservers?path=\\\\PISRV"},
     "pt":  {"Method":"GET","Resource":"https://h/piwebapi/points?path=\\\\PISRV\\BENCH.00003&selectedFields=WebId","Headers":{"Cache-Control":"no-cache"}},
     "rec": {"Method":"GET","ParentIds":["pt"],"Parameters":["$.pt.Content.WebId"],"Resource":"https://h/piwebapi/streams/{0}/recorded?maxCount=7"},
     "all": {"Method":"GET","ParentIds":["srv"],"Parameters":["$.srv.Content.Links.Points"],"Resource":"{0}?nameFilter=B*&selectedFields=Items.WebId"},
     "vals":{"Method":"GET","ParentIds":["all"],"Parameters":["$.all.Content.Items[*].WebId"],"RequestTemplate":{"Resource":"https://h/piwebapi/streams/{0}/value"}}})");
  EXPECT_EQ(world_.status, 207);
  for (const char* id : {"srv", "pt", "rec", "all"})
    EXPECT_EQ(answer.at(id).at("Status").as_int64(), 200) << id;
  EXPECT_EQ(answer.at("rec").at("Content").at("Items").as_array().size(), 7U);
  EXPECT_EQ(answer.at("rec").at("Headers").at("Content-Type").as_string(),
            "application/json; charset=utf-8");
  const json::value& values = answer.at("vals");
  EXPECT_EQ(values.at("Status").as_int64(), 207);
  ASSERT_EQ(values.at("Content").at("Items").as_array().size(), 5U);
  EXPECT_EQ(values.at("Content").at("Items").at(4).at("Status").as_int64(), 200);
  EXPECT_TRUE(values.at("Content").at("Items").at(4).at("Content").at("Value").is_double());
}

TEST_F(BatchCall, TakesAResourceFromAnEarlierAnswer) {
  const json::value answer = Ask(R"(
    {"2": {"Method":"GET","ParentIds":["1"],"Resource":"$.1.Content.Items[0].Links.Points"},
     "1": {"Method":"GET","Resource":"https://h/piwebapi/dataservers"},
     "3": {"Method":"GET","ParentIds":["2"],"Parameters":["$['2'].Content.Items[1].Name"],"Resource":"https://h/piwebapi/points?path=\\\\PISRV\\{0}"}})");
  EXPECT_EQ(answer.at("2").at("Content").at("Items").as_array().size(), 5U);
  EXPECT_EQ(answer.at("3").at("Content").at("Name").as_string(), "BENCH.00001");
}

TEST_F(BatchCall, ReportsAFailedPartAndItsChildrenAndRunsTheRest) {
  const json::value answer = Ask(R"(
    {"bad": {"Method":"GET","Resource":"https://h/piwebapi/points?path=\\\\PISRV\\nobody"},
     "kid": {"Method":"GET","ParentIds":["bad"],"Parameters":["$.bad.Content.WebId"],"Resource":"https://h/piwebapi/streams/{0}/value"},
     "grandkid": {"Method":"GET","ParentIds":["kid"],"Resource":"$.kid.Content.Links.Self"},
     "well": {"Method":"GET","Resource":"https://h/piwebapi/system"}})");
  EXPECT_EQ(answer.at("bad").at("Status").as_int64(), 404);
  EXPECT_EQ(answer.at("bad").at("Content").at("Errors").as_array().size(), 1U);
  EXPECT_EQ(answer.at("kid").at("Status").as_int64(), 424);
  EXPECT_EQ(answer.at("grandkid").at("Status").as_int64(), 424);
  EXPECT_EQ(answer.at("well").at("Status").as_int64(), 200);
}

TEST_F(BatchCall, RefusesWhatIsNoBatch) {
  for (
      const char* body :
      {"", "[]", "{", R"({"a":1})", R"({"a":{"Method":"GET"}})",
       R"({"a":{"Resource":"/piwebapi"}})",
       R"({"Requests":[{"Method":"GET","Resource":"/piwebapi"}]})",
       R"({"a":{"Method":"GET","Resource":"/piwebapi","ParentIds":["b"]}})",
       R"({"a":{"Method":"GET","Resource":"/piwebapi","ParentIds":["b"]},"b":{"Method":"GET","Resource":"/piwebapi","ParentIds":["a"]}})"}) {
    Ask(std::string(body));
    EXPECT_EQ(world_.status, 400) << body;
  }
}

TEST_F(BatchCall, RefusesAPathThatSelectsNothing) {
  const json::value answer = Ask(R"(
    {"a": {"Method":"GET","Resource":"https://h/piwebapi/system"},
     "b": {"Method":"GET","ParentIds":["a"],"Parameters":["$.a.Content.Nothing"],"Resource":"https://h/piwebapi/streams/{0}/value"},
     "c": {"Method":"GET","Resource":"https://h/elsewhere"}})");
  EXPECT_EQ(answer.at("b").at("Status").as_int64(), 400);
  EXPECT_EQ(answer.at("c").at("Status").as_int64(), 404);
}

TEST_F(BatchCall, StreamsPartsThatAreLongerThanAPiece) {
  std::string body = "{";
  for (int i = 0; i < 5; ++i) {
    body += fmt::format(
        R"({}"p{}":{{"Method":"GET","Resource":"https://h/piwebapi/streams/{}/recorded?maxCount=9000&startTime=*-1d"}})",
        i == 0 ? "" : ",", i, world_.WebIdOf(fmt::format("BENCH.{:05}", i)));
  }
  const json::value answer = Ask(body + "}");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(answer.at("p" + std::to_string(i)).at("Content").at("Items").as_array().size(),
              9000U);
  }
}

TEST_F(BatchCall, AnswersAnEmptyBatch) {
  EXPECT_EQ(Ask("{}"), json::value(json::object()));
}

}  // namespace
}  // namespace pilake::sim
