// SPDX-License-Identifier: Apache-2.0
#include "decode/recorded.h"

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "decode/recorded_paths.h"
#include "decode/wire_samples.h"

namespace pilake::decode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kFirst = "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA";
constexpr std::string_view kSecond = "I1DPRDMiEWZViHeZqrvM3e7_AAkxAAAA";
constexpr std::string_view kThird = "I1DPRDMiEWZViHeZqrvM3e7_AAlBAAAA";

std::vector<std::string> EventsOf(const Result<SeriesPage>& page) {
  EXPECT_THAT(page, IsOk());
  if (!page) return {};
  EXPECT_FALSE(page->failure.has_value());
  return Describe(page->events);
}

TEST(DecodeRecorded, ReadsTheDocumentedPage) {
  EXPECT_THAT(EventsOf(DecodeRecorded(Sample("recorded"), PointType::kFloat32)),
              ElementsAre("2024-05-01T10:00:00Z float 12.300000190734863 | G+ Q- S- A-",
                          "2024-05-01T10:00:00.03125Z system 246 I/O Timeout | G- Q- S- A-",
                          "2024-05-01T10:00:00.0468903Z float 13 | G+ Q+ S+ A+"));
}

TEST(DecodeRecorded, ReadsAnEmptyPage) {
  EXPECT_THAT(EventsOf(DecodeRecorded(Sample("recorded_empty"), PointType::kFloat32)),
              ElementsAre());
}

TEST(DecodeRecorded, TakesMembersInAnyOrderFlagsAsTextAndSkipsTheUnknown) {
  EXPECT_THAT(
      EventsOf(DecodeRecorded(Sample("recorded_any_order"), PointType::kFloat64)),
      ElementsAre("2024-05-01T10:00:00.5Z float 1.5 | G+ S- A+",
                  "2024-05-01T08:00:01Z digital 1 ON | ", "2024-05-01T10:00:02Z float 2 | "));
}

TEST(DecodeRecorded, KeepsEveryValueThatIsNotAsItShouldBe) {
  EXPECT_THAT(
      EventsOf(DecodeRecorded(Sample("recorded_bad_values"), PointType::kFloat32)),
      ElementsAre(
          "2024-05-01T10:00:00Z null  | G-",
          R"(2024-05-01T10:00:01Z error {"Errors":["Calculation Error: [x]"]} | G-)",
          R"(2024-05-01T10:00:02Z error [{"FieldName":"Value","Message":["Cannot convert"]}] | G-)",
          R"(2024-05-01T10:00:03Z array [1, 2.5,"x"] | G+)",
          "2024-05-01T10:00:04Z string Bad Data | G-", "2024-05-01T10:00:05Z int 1 | G+",
          "2024-05-01T10:00:06Z float nan | G-", "2024-05-01T10:00:07Z float -inf | G-",
          "2024-05-01T10:00:08Z float inf | G-", "2024-05-01T10:00:09Z float nan | G-",
          R"(2024-05-01T10:00:10Z error {"Name":"Odd","Value":1.5,"IsSystem":true} | G-)",
          "2024-05-01T10:00:11Z error 1e999 | G+",
          R"(2024-05-01T10:00:12Z error "half \ud800 pair" | G+)",
          "2024-05-01T10:00:13Z system 253 Pt Created | G-"));
}

/// One event with this value, on a point of this type.
std::string OneValue(const std::string& json, PointType type) {
  const auto lines = EventsOf(DecodeRecorded(
      R"({"Items":[{"Timestamp":"2024-05-01T10:00:00Z","Value":)" + json + "}]}", type));
  constexpr size_t kTimeLength = sizeof("2024-05-01T10:00:00Z ") - 1;
  return lines.size() == 1 ? lines[0].substr(kTimeLength, lines[0].size() - kTimeLength - 3) : "";
}

TEST(DecodeRecorded, TypesValuesByThePoint) {
  EXPECT_EQ(OneValue("42", PointType::kInt32), "int 42");
  EXPECT_EQ(OneValue("9223372036854775807", PointType::kInt64), "int 9223372036854775807");
  EXPECT_EQ(OneValue("42", PointType::kFloat64), "float 42");
  EXPECT_EQ(OneValue("4.5", PointType::kInt16), "float 4.5");
  EXPECT_EQ(OneValue("0.1", PointType::kFloat32), "float 0.10000000149011612");
  EXPECT_EQ(OneValue("0.1", PointType::kFloat16), "float 0.10000000149011612");
  EXPECT_EQ(OneValue("0.1", PointType::kFloat64), "float 0.1");
  EXPECT_EQ(OneValue(R"("a\"\u00e9\n")", PointType::kString), "string a\"\u00e9\n");
  EXPECT_EQ(OneValue(R"("")", PointType::kString), "string ");
  EXPECT_EQ(OneValue(R"("2024-05-01T10:00:00Z")", PointType::kTimestamp),
            "timestamp 2024-05-01T10:00:00Z");
  EXPECT_EQ(OneValue(R"("AQID")", PointType::kBlob), "blob AQID");
  EXPECT_EQ(OneValue("[1,2]", PointType::kBlob), "array [1,2]");
  EXPECT_EQ(OneValue("{}", PointType::kFloat32), "error {}");
  EXPECT_EQ(
      OneValue(R"({ "Value" : 1 , "IsSystem" : "true" , "Name" : "A\tB" })", PointType::kString),
      "system 1 A\tB");
  EXPECT_EQ(OneValue(R"({"Name":"A","Value":1})", PointType::kDigital),
            R"(error {"Name":"A","Value":1})");
  EXPECT_EQ(OneValue("7", PointType::kUnknown), "int 7");
  EXPECT_EQ(OneValue("7e0", PointType::kUnknown), "float 7");
  EXPECT_EQ(OneValue("18446744073709551615", PointType::kUnknown), "float 1.8446744073709552e+19");
  EXPECT_EQ(OneValue("\"x\"", PointType::kUnknown), "string x");
}

TEST(DecodeRecorded, IsNotFooledByNaNInsideStrings) {
  EXPECT_EQ(OneValue(R"("is NaN, \"Infinity\": NaN")", PointType::kString),
            R"(string is NaN, "Infinity": NaN)");
}

TEST(DecodeRecorded, TrustsNothingBeforeAWebException) {
  const auto page = DecodeRecorded(Sample("recorded_web_exception"), PointType::kFloat32);
  EXPECT_THAT(page, FailsWith(ErrorKind::kTransient));
  EXPECT_THAT(page.error().message, HasSubstr("Timeout expired while reading the archive."));
}

TEST(DecodeRecorded, AsksForLessWhenTheArchiveSaysSo) {
  EXPECT_THAT(DecodeRecorded(R"({"Items":[],"WebException":{"Errors":["[-11091] Event collection )"
                             R"(exceeded the maximum allowed"],"StatusCode":500}})",
                             PointType::kFloat32),
              FailsWith(ErrorKind::kTooLarge));
}

TEST(DecodeRecorded, FailsTheSeriesOnAnEventWithoutReadableTime) {
  for (const std::string& body :
       {Sample("recorded_no_time"),
        std::string(R"({"Items":[{"Timestamp":"yesterday","Value":1}]})"),
        std::string(R"({"Items":[{"Timestamp":5,"Value":1}]})"),
        std::string(R"({"Items":[{"Timestamp":null,"Value":1}]})"), std::string(R"({"Items":[7]})"),
        std::string(R"({"Items":[{"Timestamp":"2024-05-01T10:00:00Z","Value":1,"Value":2}]})")}) {
    const auto page = DecodeRecorded(body, PointType::kFloat32);
    ASSERT_THAT(page, IsOk()) << body;
    ASSERT_TRUE(page->failure.has_value()) << body;
    EXPECT_EQ(page->failure->kind, ErrorKind::kMalformed);
  }
}

TEST(DecodeRecorded, SeesEveryWayToBeCutShort) {
  const std::string complaint =
      R"({"Items":[],"WebException":{"Errors":["slow", {"a": [1]} , []]}})";
  for (const std::string& body : {Sample("recorded"), complaint}) {
    for (size_t length = 0; length < body.size(); ++length) {
      EXPECT_THAT(DecodeRecorded(body.substr(0, length), PointType::kFloat32),
                  FailsWith(ErrorKind::kTransient))
          << "cut after " << length << " bytes";
    }
  }
}

TEST(DecodeRecorded, RefusesWhatIsNotTheAnswer) {
  for (const char* body :
       {"[]", "7", "null", "<html></html>", "{}", R"({"Items":null})", R"({"Items":{}})",
        R"({"Items":[]} x)", R"({"Items":[]}{})", "{\"Items\":[],\"x\":\"\xff\"}",
        "\xef\xbb\xbfgarbage", R"({"Items":[{"Timestamp":"2024-05-01T10:00:00Z","Value":tru}]})",
        R"({"Items":[],"Items":[]})"}) {
    const auto page = DecodeRecorded(body, PointType::kFloat32);
    const bool is_malformed = page ? page->failure && page->failure->kind == ErrorKind::kMalformed
                                   : page.error().kind == ErrorKind::kMalformed;
    EXPECT_TRUE(is_malformed) << body;
  }
}

TEST(DecodeRecorded, NeedsNoSpareCapacity) {
  std::string body = Sample("recorded");
  body.shrink_to_fit();
  EXPECT_EQ(EventsOf(DecodeRecorded(std::move(body), PointType::kFloat32)).size(), 3u);
}

TEST(DecodeRecordedSet, AnswersInTheOrderOfTheQuestionAndMatchesFullWebIds) {
  const std::vector<Wanted> wanted{{kSecond, PointType::kInt64}, {kFirst, PointType::kFloat64}};
  const auto pages = DecodeRecordedSet(Sample("streamset_recorded"), wanted);
  ASSERT_THAT(pages, IsOk());
  ASSERT_EQ(pages->size(), 2u);
  EXPECT_THAT(Describe((*pages)[0].events),
              ElementsAre("2024-05-01T10:00:00.0000153Z int 9007199254740993 | G+ Q- S- A-"));
  EXPECT_THAT(Describe((*pages)[1].events),
              ElementsAre("2024-05-01T10:00:00Z float 1.5 | G+ Q- S- A-"));
}

TEST(DecodeRecordedSet, KeepsTheFailureOfOneStreamFromTheOthers) {
  const std::vector<Wanted> wanted{{kFirst, PointType::kFloat64}, {kSecond, PointType::kFloat64}};
  const auto pages = DecodeRecordedSet(Sample("streamset_recorded_one_failed"), wanted);
  ASSERT_THAT(pages, IsOk());
  EXPECT_FALSE((*pages)[0].failure.has_value());
  EXPECT_EQ((*pages)[0].events.size(), 1u);
  ASSERT_TRUE((*pages)[1].failure.has_value());
  EXPECT_EQ((*pages)[1].failure->kind, ErrorKind::kNotFound);
  EXPECT_THAT((*pages)[1].failure->message, HasSubstr("The point was not found."));
}

TEST(DecodeRecordedSet, NamesTheSeriesThatTheServerLeftOut) {
  const std::vector<Wanted> wanted{{kFirst, {}}, {kThird, {}}, {kSecond, {}}};
  const auto pages = DecodeRecordedSet(Sample("streamset_recorded"), wanted);
  ASSERT_THAT(pages, IsOk());
  EXPECT_FALSE((*pages)[0].failure.has_value());
  EXPECT_TRUE((*pages)[1].failure.has_value());
  EXPECT_FALSE((*pages)[2].failure.has_value());
}

TEST(DecodeRecordedSet, RefusesStreamsThatWereNotAskedForOrComeTwice) {
  EXPECT_THAT(DecodeRecordedSet(Sample("streamset_recorded"), std::vector<Wanted>{{kFirst, {}}}),
              FailsWith(ErrorKind::kMalformed));
  const std::vector<Wanted> wanted{{"a", {}}, {"b", {}}};
  EXPECT_THAT(
      DecodeRecordedSet(R"({"Items":[{"WebId":"a","Items":[]},{"WebId":"a","Items":[]}]})", wanted),
      FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeRecordedSet(R"({"Items":[{"Items":[]}]})", wanted),
              FailsWith(ErrorKind::kMalformed));
}

TEST(DecodeRecordedSet, TrustsNothingBeforeATopLevelWebException) {
  EXPECT_THAT(DecodeRecordedSet(R"({"Items":[{"WebId":"a","Items":[]}],)"
                                R"("WebException":{"Errors":["x"],"StatusCode":403}})",
                                std::vector<Wanted>{{"a", {}}}),
              FailsWith(ErrorKind::kTransient));
}

TEST(DecodeRecordedSet, AnswersAnEmptyQuestion) {
  const auto pages = DecodeRecordedSet(R"({"Items":[]})", {});
  ASSERT_THAT(pages, IsOk());
  EXPECT_TRUE(pages->empty());
}

TEST(DecodeRecordedBatch, GivesEachPartItsOwnFate) {
  const std::vector<PointType> types(5, PointType::kFloat64);
  const auto pages = DecodeRecordedBatch(Sample("batch"), types);
  ASSERT_THAT(pages, IsOk());
  EXPECT_FALSE((*pages)[0].failure.has_value());
  EXPECT_THAT(Describe((*pages)[0].events),
              ElementsAre("2024-05-01T10:00:00Z float 1.5 | G+ Q- S- A-"));
  EXPECT_EQ((*pages)[1].failure->kind, ErrorKind::kNotFound);
  EXPECT_THAT((*pages)[1].failure->message, HasSubstr("The specified point was not found."));
  EXPECT_EQ((*pages)[2].failure->kind, ErrorKind::kTooLarge);
  EXPECT_EQ((*pages)[3].failure->kind, ErrorKind::kTransient);
  EXPECT_EQ((*pages)[4].failure->kind, ErrorKind::kTransient) << "a part that was left out";
}

TEST(DecodeRecordedBatch, RefusesPartsThatWereNotAskedFor) {
  EXPECT_THAT(DecodeRecordedBatch(Sample("batch"), std::vector<PointType>(2)),
              FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeRecordedBatch(R"({"0x":{"Status":200,"Content":{"Items":[]}}})",
                                  std::vector<PointType>(1)),
              FailsWith(ErrorKind::kMalformed));
}

TEST(DecodeRecordedBatch, DoesNotTakeAPartWithoutStatusOrContentForAnEmptyOne) {
  for (const char* part :
       {R"({"Content":{"Items":[]}})", R"({"Status":200})", R"({"Status":200,"Content":null})",
        R"({"Status":200,"Content":{}})", R"({"Status":302,"Content":{"Items":[]}})"}) {
    const auto pages =
        DecodeRecordedBatch(fmt::format(R"({{"0":{}}})", part), std::vector<PointType>(1));
    ASSERT_THAT(pages, IsOk()) << part;
    EXPECT_TRUE((*pages)[0].failure.has_value()) << part;
  }
}

TEST(DecodeValueSet, ReadsOneEventOfEachSeries) {
  const std::vector<Wanted> wanted{
      {kFirst, PointType::kFloat64}, {kSecond, PointType::kInt32}, {kThird, PointType::kInt32}};
  const auto pages = DecodeValueSet(Sample("streamset_value"), wanted);
  ASSERT_THAT(pages, IsOk());
  EXPECT_THAT(Describe((*pages)[0].events),
              ElementsAre("2024-05-01T10:00:00Z float 1.5 | G+ Q- S- A-"));
  EXPECT_THAT(Describe((*pages)[1].events), ElementsAre("2024-05-01T10:00:01Z int 42 | G+"));
  ASSERT_TRUE((*pages)[2].failure.has_value());
  EXPECT_THAT((*pages)[2].failure->message, HasSubstr("The point is gone."));
}

TEST(DecodeValueSet, DoesNotTakeTwoValuesOrNoneForOne) {
  for (const char* stream :
       {R"({"WebId":"a"})", R"({"WebId":"a","Value":null})", R"({"WebId":"a","Items":[]})",
        R"({"WebId":"a","Value":{"Value":1}})",
        R"({"WebId":"a","Value":{"Timestamp":"2024-05-01T10:00:00Z"},"Items":[]})"}) {
    const auto pages =
        DecodeValueSet(fmt::format(R"({{"Items":[{}]}})", stream), std::vector<Wanted>{{"a", {}}});
    ASSERT_THAT(pages, IsOk()) << stream;
    EXPECT_TRUE((*pages)[0].failure.has_value()) << stream;
  }
}

TEST(WantedIndex, FindsSeriesInAndOutOfOrder) {
  const std::vector<Wanted> wanted{{"c", {}}, {"a", {}}, {"b", {}}};
  WantedIndex index(wanted);
  EXPECT_EQ(index.Find("c"), 0u);
  EXPECT_EQ(index.Find("b"), 2u);
  EXPECT_EQ(index.Find("a"), 1u);
  EXPECT_EQ(index.Find("b"), 2u);
  EXPECT_EQ(index.Find("d"), std::nullopt);
}

}  // namespace
}  // namespace pilake::decode
