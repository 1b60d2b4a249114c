// SPDX-License-Identifier: Apache-2.0
#include "decode/catalog.h"

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "decode/wire_samples.h"

namespace pilake::decode {
namespace {

using testing::HasSubstr;

TEST(DecodeDataServers, ReadsTheDocumentedList) {
  const auto servers = DecodeDataServers(Sample("dataservers"));
  ASSERT_THAT(servers, IsOk());
  ASSERT_EQ(servers->size(), 1u);
  const DataServer& server = servers->front();
  EXPECT_EQ(server.web_id, "F1DSRDMiEWZViHeZqrvM3e7_AAUElTUlYwMQ");
  EXPECT_EQ(server.name, "PISRV01");
  EXPECT_EQ(server.id, "11223344-5566-7788-99aa-bbccddeeff00");
  EXPECT_EQ(server.version, "3.4.440.477");
  EXPECT_TRUE(server.is_connected);
  EXPECT_EQ(FormatUtcTime(server.server_time.value()), "2024-05-01T10:00:00.1234567Z");
}

TEST(DecodePoints, ReadsTheDocumentedList) {
  const auto page = DecodePoints(Sample("points"));
  ASSERT_THAT(page, IsOk());
  EXPECT_TRUE(page->has_next);
  ASSERT_EQ(page->points.size(), 2u);
  const ListedPoint& point = page->points[0];
  EXPECT_EQ(point.id, 4242);
  EXPECT_EQ(point.told_web_id, "F1DPRDMiEWZViHeZqrvM3e7_AAkhAAAAUElTUlYwMVxTSU5VU09JRA");
  EXPECT_EQ(point.series.web_id, "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA");
  EXPECT_EQ(point.series.name, "SINUSOID");
  EXPECT_EQ(point.series.path, R"(\\PISRV01\SINUSOID)");
  EXPECT_EQ(point.series.units, "m3/h");
  EXPECT_EQ(point.series.descriptor, "12 Hour Sine Wave");
  EXPECT_EQ(point.series.type, PointType::kFloat32);
  EXPECT_EQ(point.series.type_name, "Float32");
  EXPECT_EQ(point.series.zero, -5.5);
  EXPECT_EQ(point.series.span, 100.0);
  EXPECT_FALSE(point.series.step);
  const ListedPoint& state = page->points[1];
  EXPECT_EQ(state.series.web_id, "") << "a PathOnly WebID shows no id";
  EXPECT_EQ(state.series.digital_set, "ON_OFF");
  EXPECT_TRUE(state.series.step);
  EXPECT_TRUE(state.series.future);
}

TEST(DecodePoints, KnowsTheLastPageAndTheEmptyOne) {
  const auto page = DecodePoints(R"({"Links":{},"Items":[]})");
  ASSERT_THAT(page, IsOk());
  EXPECT_FALSE(page->has_next);
  EXPECT_TRUE(page->points.empty());
}

TEST(DecodePoints, RefusesAListWithAnUnreadablePoint) {
  EXPECT_THAT(DecodePoints(R"({"Items":[{"WebId":"x","Id":1}]})"),
              FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodePoints(R"({"Items":[{"Name":"x","Id":1}]})"), FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodePoints(R"({"Items":[7]})"), FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodePoints(R"({"Links":{}})"), FailsWith(ErrorKind::kMalformed));
}

TEST(DecodePoints, RefusesAListThatTheServerBrokeOff) {
  const auto page = DecodePoints(
      R"({"Items":[{"WebId":"x","Name":"y"}],"WebException":{"Errors":["Lost it"],"StatusCode":500}})");
  EXPECT_THAT(page, FailsWith(ErrorKind::kTransient));
  EXPECT_THAT(page.error().message, HasSubstr("Lost it"));
}

TEST(DecodePoint, ReadsOnePoint) {
  const auto point = DecodePoint(R"({"WebId":"I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA","Id":4242,)"
                                 R"("Name":"SINUSOID","PointType":"Int64","WebException":null})");
  ASSERT_THAT(point, IsOk());
  EXPECT_EQ(point->series.type, PointType::kInt64);
}

TEST(DecodePointsMultiple, TellsWhichPointIsNotThereAndWhy) {
  const auto points = DecodePointsMultiple(Sample("points_multiple"));
  ASSERT_THAT(points, IsOk());
  ASSERT_EQ(points->size(), 2u);
  EXPECT_EQ((*points)[0].identifier, "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA");
  ASSERT_TRUE((*points)[0].point.has_value());
  EXPECT_EQ((*points)[0].point->series.name, "SINUSOID");
  EXPECT_FALSE((*points)[1].point.has_value());
  EXPECT_EQ((*points)[1].exception, "PI Point not found.");
}

TEST(DecodeSystem, ReadsTitleAndVersion) {
  const auto system = DecodeSystem(Sample("system"));
  ASSERT_THAT(system, IsOk());
  EXPECT_EQ(system->title, "PI Web API 2019 SP1");
  EXPECT_EQ(system->version, "1.13.0.6298");
  EXPECT_THAT(DecodeSystem(R"({"status":"ok"})"), FailsWith(ErrorKind::kMalformed));
}

TEST(DecodeSystemStatus, ReadsTheHostsClock) {
  const auto status = DecodeSystemStatus(Sample("system_status"));
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->state, "Running");
  EXPECT_EQ(FormatUtcTime(status->server_time.value()), "2024-05-01T10:00:00.5Z");
}

TEST(DecodeUserInfo, ReadsWhoWeAre) {
  const auto user = DecodeUserInfo(Sample("system_userinfo"));
  ASSERT_THAT(user, IsOk());
  EXPECT_EQ(user->name, R"(PLANT\reader)");
  EXPECT_EQ(user->identity_type, "WindowsIdentity");
  EXPECT_TRUE(user->is_authenticated);
}

TEST(DecodeUserInfo, TakesAnEmptyAnswerForNobody) {
  const auto user = DecodeUserInfo("");
  ASSERT_THAT(user, IsOk());
  EXPECT_EQ(user->name, "");
  EXPECT_FALSE(user->is_authenticated);
}

TEST(DecodeEnumerationSets, ReadsSetsAndTheirStates) {
  const auto sets = DecodeEnumerationSets(Sample("enumerationsets"));
  ASSERT_THAT(sets, IsOk());
  ASSERT_EQ(sets->size(), 2u);
  EXPECT_EQ((*sets)[0].name, "System");
  const auto values = DecodeEnumerationValues(Sample("enumerationvalues"));
  ASSERT_THAT(values, IsOk());
  ASSERT_EQ(values->size(), 2u);
  EXPECT_EQ((*values)[1].name, "ON");
  EXPECT_EQ((*values)[1].value, 1);
}

TEST(DecodeEnumerationValues, RefusesAStateWithoutItsNumber) {
  EXPECT_THAT(DecodeEnumerationValues(R"({"Items":[{"Name":"ON"}]})"),
              FailsWith(ErrorKind::kMalformed));
}

TEST(DecodeEnumerationBatch, ReadsTheStatesOfEachSetAndWhyThereAreNone) {
  const auto parts =
      DecodeEnumerationBatch(R"({"1":{"Content":{"Errors":["gone"]},"Headers":{},"Status":404},)"
                             R"("0":{"Status":200,"Headers":{},"Content":)" +
                             Sample("enumerationvalues") + "}}");
  ASSERT_THAT(parts, IsOk());
  ASSERT_EQ(parts->size(), 2u);
  ASSERT_THAT(parts->at("0"), IsOk());
  EXPECT_EQ(parts->at("0")->at(1).name, "ON");
  ASSERT_THAT(parts->at("1"), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(parts->at("1").error().message, testing::HasSubstr("gone"));
}

TEST(DecodeEnumerationBatch, RefusesWhatIsNoBatch) {
  EXPECT_THAT(DecodeEnumerationBatch("[1]"), FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeEnumerationBatch(R"({"0":7})"), FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeEnumerationBatch(R"({"0":{"Status":200,"Content":{"Items")"),
              FailsWith(ErrorKind::kTransient));
}

TEST(DecodeCount, TakesNoDataForNone) {
  EXPECT_THAT(
      DecodeCount(
          R"({"Items":[{"Type":"Count","Value":{"Value":{"Name":"No Data","Value":248,"IsSystem":true}}}]})"),
      IsOkWith(0));
  EXPECT_THAT(DecodeCount(R"({"Items":[{"Type":"Count","Value":{"Value":{"Name":"Bad"}}}]})"),
              FailsWith(ErrorKind::kMalformed));
}

TEST(DecodeCountBatch, ReadsEachPartOrSaysWhyNot) {
  const auto counts = DecodeCountBatch(
      R"({"1":{"Status":404,"Content":{"Message":"gone"}},
          "0":{"Status":200,"Content":{"Items":[{"Type":"Count","Value":{"Value":12}}]}}})",
      3);
  ASSERT_THAT(counts, IsOk());
  ASSERT_EQ(counts->size(), 3u);
  EXPECT_THAT((*counts)[0], IsOkWith(12));
  EXPECT_THAT((*counts)[1], FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT((*counts)[2], FailsWith(ErrorKind::kTransient));
  EXPECT_FALSE(DecodeCountBatch("[]", 1));
}

TEST(DecodeCount, ReadsTheNumberInsideTheSummary) {
  EXPECT_THAT(DecodeCount(Sample("summary_count")), IsOkWith(86'400));
  EXPECT_THAT(DecodeCount(R"({"Items":[{"Type":"Total","Value":{"Value":1}}]})"),
              FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeCount(R"({"Items":[{"Type":"Count","Value":{"Value":-1}}]})"),
              FailsWith(ErrorKind::kMalformed));
}

TEST(DecodeConfigurationNumber, TakesBareAndWrappedNumbers) {
  EXPECT_THAT(DecodeConfigurationNumber("150000"), IsOkWith(150'000));
  EXPECT_THAT(DecodeConfigurationNumber(R"({"Name":"MaxReturnedItemsPerCall","Value":150000})"),
              IsOkWith(150'000));
  EXPECT_THAT(DecodeConfigurationNumber(R"("many")"), FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeConfigurationNumber(""), FailsWith(ErrorKind::kMalformed));
}

TEST(Catalog, SeesThatAnyListWasCutShort) {
  const std::string body = Sample("points");
  for (size_t length = 0; length < body.size(); length += 7) {
    EXPECT_THAT(DecodePoints(body.substr(0, length)), FailsWith(ErrorKind::kTransient)) << length;
  }
}

}  // namespace
}  // namespace pilake::decode
