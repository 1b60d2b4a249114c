// SPDX-License-Identifier: Apache-2.0
// Every body agrees with the vendor's own definitions (testdata/pi-web-api-2018sp1.paths.json).
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "sim/test_world.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;
using testing::IsSubsetOf;

std::string Text(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

class Contract : public testing::Test {
 protected:
  Contract() {
    std::ifstream file(PILAKE_SOURCE_DIR "/testdata/pi-web-api-2018sp1.paths.json");
    std::stringstream text;
    text << file.rdbuf();
    contract_ = TestWorld::Parse(text.str());
    world_.readings.nan = NanAs::kString;  // what this reader of JSON takes
  }

  // The members of `body` are among those of the definition. With `complete`, and the other way
  // round, but for what is only there when something failed.
  void ExpectDefinition(const json::value& body, std::string_view definition,
                        bool complete = true) {
    std::vector<std::string> known, shown;
    for (const json::value& name :
         contract_.at("definitions").at({definition.data(), definition.size()}).as_array())
      known.push_back(Text(name));
    for (const auto& [name, value] : body.as_object()) shown.emplace_back(name);
    EXPECT_THAT(shown, IsSubsetOf(known)) << definition;
    if (!complete) return;
    for (const char* rare : {"WebException", "Errors", "Annotations", "Ambiguous", "Substitute",
                             "SerializeDescription", "SerializeId", "SerializeLinks",
                             "SerializePath", "SerializeWebId"}) {
      std::erase(known, rare);
    }
    EXPECT_THAT(known, IsSubsetOf(shown)) << definition;
  }

  // `{"Links":{},"Items":[…]}`; the items.
  json::array Items(const json::value& body) {
    for (const auto& [name, value] : body.as_object())
      EXPECT_TRUE(name == "Items" || name == "Links") << name;
    EXPECT_FALSE(body.at("Items").as_array().empty());
    return body.at("Items").as_array();
  }

  void ExpectEvents(const json::array& events) {
    EXPECT_FALSE(events.empty());
    for (const json::value& event : events) ExpectDefinition(event, "ExtendedTimedValue");
  }

  // Asserts that the vendor knows the call, and asks it.
  json::value Ask(std::string_view path, std::string_view query = "") {
    std::string target(path);
    for (const auto& [mark, value] : marks_) {
      if (const size_t at = target.find(mark); at != std::string::npos)
        target.replace(at, mark.size(), value);
    }
    const json::object& paths = contract_.at("paths").as_object();
    EXPECT_TRUE(paths.contains({path.data(), path.size()})) << path;
    EXPECT_TRUE(paths.at({path.data(), path.size()}).as_object().contains("get")) << path;
    json::value body = world_.AskJson(target + std::string(query));
    EXPECT_EQ(world_.status, 200) << target << query;
    return body;
  }

  TestWorld world_{MakePlant("mixed")};
  json::value contract_;
  std::map<std::string, std::string> marks_ = {{"{webId}", world_.WebIdOf("Dense.Fast")}};
};

TEST_F(Contract, HoldsForTheServiceItself) {
  const json::value landing = Ask("/");
  ExpectDefinition(landing, "Landing");
  ExpectDefinition(landing.at("Links"), "LandingLinks");
  const json::value system = Ask("/system");
  ExpectDefinition(system, "SystemLanding");
  ExpectDefinition(system.at("Links"), "SystemLandingLinks");
  ExpectDefinition(Ask("/system/status"), "SystemStatus");
  ExpectDefinition(Ask("/system/userinfo"), "UserInfo");
  const json::value versions = Ask("/system/versions");
  for (const auto& [product, version] : versions.as_object()) ExpectDefinition(version, "Version");
  marks_["{key}"] = "MaxReturnedItemsPerCall";
  EXPECT_EQ(Ask("/system/configuration/{key}").as_int64(), 150'000);
}

TEST_F(Contract, HoldsForDataServersAndPoints) {
  const json::value server = Items(Ask("/dataservers"))[0];
  ExpectDefinition(server, "DataServer");
  ExpectDefinition(server.at("Links"), "DataServerLinks");
  marks_["{webId}"] = Text(server.at("WebId"));
  ExpectDefinition(Ask("/dataservers/{webId}"), "DataServer");
  const json::value list = Ask("/dataservers/{webId}/points", "?maxCount=3&startIndex=3");
  ExpectDefinition(list.at("Links"), "PaginationLinks", false);
  for (const json::value& point : Items(list)) {
    ExpectDefinition(point, "Point");
    ExpectDefinition(point.at("Links"), "PointLinks");
  }
  marks_["{webId}"] = world_.WebIdOf("Dense.Fast");
  ExpectDefinition(Ask("/points/{webId}"), "Point");
  ExpectDefinition(Ask("/points", "?path=%5C%5CPISRV%5CDense.Fast"), "Point");
  const json::value multiple =
      Items(Ask("/points/multiple", "?webId=" + world_.WebIdOf("Dense.Fast")))[0];
  ExpectDefinition(multiple, "Item[Point]");
  ExpectDefinition(multiple.at("Object"), "Point");
  for (const json::value& attribute : Items(Ask("/points/{webId}/attributes"))) {
    ExpectDefinition(attribute, "PointAttribute");
    ExpectDefinition(attribute.at("Links"), "PointAttributeLinks");
  }
  marks_["{name}"] = "pointtype";
  EXPECT_EQ(Text(Ask("/points/{webId}/attributes/{name}").at("Value")), "Float32");
}

TEST_F(Contract, HoldsForDigitalStates) {
  marks_["{webId}"] = Text(Items(Ask("/dataservers"))[0].at("WebId"));
  const json::array sets = Items(Ask("/dataservers/{webId}/enumerationsets"));
  for (const json::value& set : sets) {
    ExpectDefinition(set, "EnumerationSet");
    ExpectDefinition(set.at("Links"), "EnumerationSetLinks", false);
  }
  marks_["{webId}"] = Text(sets[0].at("WebId"));
  ExpectDefinition(Ask("/enumerationsets/{webId}"), "EnumerationSet");
  const json::array values = Items(Ask("/enumerationsets/{webId}/enumerationvalues"));
  for (const json::value& value : values) {
    ExpectDefinition(value, "EnumerationValue");
    ExpectDefinition(value.at("Links"), "EnumerationValueLinks", false);
  }
  marks_["{webId}"] = Text(values[3].at("WebId"));
  EXPECT_EQ(Ask("/enumerationvalues/{webId}"), values[3]);
}

TEST_F(Contract, HoldsForStreams) {
  const json::value recorded = Ask("/streams/{webId}/recorded", "?maxCount=500");
  json::object known = recorded.as_object();
  known.erase("Links");  // the definition has none, captured bodies do
  ExpectDefinition(known, "ExtendedTimedValues");
  ExpectEvents(recorded.at("Items").as_array());
  ExpectDefinition(Ask("/streams/{webId}/value"), "TimedValue");
  ExpectDefinition(Ask("/streams/{webId}/end"), "TimedValue");
  const json::value summary = Items(
      Ask("/streams/{webId}/summary", "?summaryType=Count&calculationBasis=EventWeighted"))[0];
  ExpectDefinition(summary, "SummaryValue");
  ExpectDefinition(summary.at("Value"), "TimedValue");
}

TEST_F(Contract, HoldsForStreamSets) {
  const std::string query =
      "?webId=" + world_.WebIdOf("Dense.Fast") + "&webId=" + world_.WebIdOf("Dense.Triples");
  for (const json::value& stream : Items(Ask("/streamsets/recorded", query))) {
    ExpectDefinition(stream, "StreamValues");
    ExpectDefinition(stream.at("Links"), "StreamValuesLinks");
    ExpectEvents(stream.at("Items").as_array());
  }
  for (const json::value& stream : Items(Ask("/streamsets/value", query))) {
    ExpectDefinition(stream, "StreamValue");
    ExpectDefinition(stream.at("Value"), "TimedValue");
  }
  for (const json::value& stream : Items(Ask("/streamsets/end", query)))
    ExpectDefinition(stream, "StreamValues");
  for (const json::value& stream : Items(Ask("/streamsets/summary", query + "&summaryType=Count")))
    ExpectDefinition(stream, "StreamSummaries");
}

TEST_F(Contract, HoldsForFailures) {
  ExpectDefinition(world_.AskJson("/streams/nonsense/recorded"), "Errors", false);
  EXPECT_EQ(world_.status, 400);
  world_.late_failure.after_items = 3;
  const json::value failed = Ask("/streams/{webId}/recorded", "?maxCount=500");
  ExpectDefinition(failed.at("WebException"), "WebException");
  EXPECT_EQ(failed.at("Items").as_array().size(), 3U);
}

TEST_F(Contract, HoldsForBatches) {
  const json::value batch = TestWorld::Parse(
      world_.AskBatch(R"({"a":{"Method":"GET","Resource":"https://x/piwebapi/system"}})"));
  EXPECT_EQ(world_.status, 207);
  ExpectDefinition(batch.at("a"), "Response");
}

// Later versions add the links, which the reference shows.
TEST_F(Contract, StreamUpdates) {
  const std::string target = "/streams/" + world_.WebIdOf("Dense.Fast") + "/updates";
  json::value registered = world_.PostJson(target);
  registered.as_object().erase("Links");
  ExpectDefinition(registered, "StreamUpdatesRegister");
  marks_["{marker}"] = Text(registered.at("LatestMarker"));
  world_.now = world_.now + Duration::Minutes(1);
  json::value retrieved = Ask("/streams/updates/{marker}");
  retrieved.as_object().erase("Links");
  ExpectDefinition(retrieved, "StreamUpdatesRetrieve");
  EXPECT_FALSE(retrieved.at("Events").as_array().empty());
  for (const json::value& event : retrieved.at("Events").as_array())
    ExpectDefinition(event, "DataPipeEvent");
  const json::value set = Ask("/streamsets/updates", "?marker=" + marks_["{marker}"]);
  for (json::value item : Items(set)) {
    item.as_object().erase("Links");
    ExpectDefinition(item, "StreamUpdatesRetrieve");
  }
}

}  // namespace
}  // namespace pilake::sim
