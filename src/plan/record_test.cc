// SPDX-License-Identifier: Apache-2.0
#include "plan/record.h"

#include "core/matchers.h"

namespace pilake::plan {
namespace {

CoverageRecord SomeRecord() {
  CoverageRecord record{.table_id = "7f1e", .version = 12, .base = "_pilake/coverage-1.parquet"};
  record.overrides["I1DPa"] = {.ranges = {{UtcTime{-5}, UtcTime{20}}, {UtcTime{30}, UtcTime{40}}},
                               .anchor = Instant{UtcTime{39}, 3, 0xfedcba9876543210ull},
                               .probed = Snapshot{UtcTime{44}, 7}};
  record.tail = {"one.parquet", "two.parquet"};
  record.overrides["I1DPb"] = {.ranges = {{UtcTime{1}, UtcTime{2}}}, .looked = UtcTime{-9}};
  record.overrides["I1DPc"] = {
      .probed = Snapshot{UtcTime{3}, 1}, .held = UtcTime{99}, .outage = UtcTime{98}};
  record.overrides["I1DPd"] = {
      .ranges = {{UtcTime{5}, UtcTime{60}}},
      .looks = {
          {.range = {UtcTime{5}, UtcTime{7}}, .reason = LookReason::kOutage, .due = UtcTime{70}},
          {.range = {UtcTime{20}, UtcTime{30}},
           .reason = LookReason::kGone,
           .due = UtcTime{80},
           .attempt = 1,
           .seen = 0xfedcba9876543210ull}}};
  record.overrides["I1DPe"] = {.quarantine = Quarantine{.tag = "\\\\PI\\Größe 100%",
                                                        .reason = "404:\nthere is no such point",
                                                        .since = UtcTime{1},
                                                        .attempts = 4,
                                                        .next_try = UtcTime{9}}};
  return record;
}

TEST(CoverageRecord, ComesBackAsItWasWritten) {
  EXPECT_THAT(ParseRecord(FormatRecord(SomeRecord())), IsOkWith(SomeRecord()));
  const CoverageRecord empty{.table_id = "t"};
  CoverageRecord empty_tail{.table_id = "t", .tail = std::vector<std::string>{}};
  EXPECT_THAT(ParseRecord(FormatRecord(empty_tail)), IsOkWith(empty_tail));
  EXPECT_THAT(ParseRecord(FormatRecord(empty)), IsOkWith(empty));
}

TEST(CoverageRecord, IsRefusedWhenItWasCutAnywhere) {
  const std::string text = FormatRecord(SomeRecord());
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_THAT(ParseRecord(text.substr(0, length)), FailsWith(ErrorKind::kMalformed)) << length;
  }
}

TEST(CoverageRecord, IsRefusedWhenANewerPilakeWroteIt) {
  std::string text = FormatRecord(SomeRecord());
  text.replace(text.find(" 2\n"), 3, " 3\n");
  EXPECT_THAT(ParseRecord(text), FailsWith(ErrorKind::kInvalid));
}

TEST(CoverageRecord, IsRefusedWhenAQuarantineIsDamaged) {
  const auto of = [](std::string_view words) {
    return ParseRecord(fmt::format(
        "pilake-coverage 2\ntable t\nversion 1\nbase -\ntail -\nseries a - quarantine {}\nend 1\n",
        words));
  };
  EXPECT_THAT(of("1 2 3 tag gone%20away"), IsOk());
  for (const char* words : {"1 2 3 tag", "1 2 3 tag %", "1 2 3 tag a%2", "1 2 3 tag %zz",
                            "1 2 3 tag %+1", "1 0 3 tag gone", "1 x 3 tag gone"}) {
    EXPECT_THAT(of(words), FailsWith(ErrorKind::kMalformed)) << words;
  }
}

TEST(CoverageRecord, IsRefusedWhenItsRangesOverlapOrAreEmpty) {
  for (const char* ranges : {"5-5", "9-5", "1-5,5-9", "1-5,3-9", "x", "1-", "1-5,"}) {
    const std::string text =
        fmt::format("pilake-coverage 1\ntable t\nversion 1\nbase -\nseries a {}\nend 1\n", ranges);
    if (std::string_view(ranges) == "1-5,") {
      EXPECT_THAT(ParseRecord(text), IsOk());  // A trailing comma says nothing wrong.
    } else {
      EXPECT_THAT(ParseRecord(text), FailsWith(ErrorKind::kMalformed)) << ranges;
    }
  }
}

TEST(BaseRows, ComeBackAsTheyWereWritten) {
  const Coverage coverage = SomeRecord().overrides;
  EXPECT_THAT(FromBaseRows(ToBaseRows(coverage)), IsOkWith(coverage));
}

TEST(BaseRows, TakeFromBeneathWhatTheCoverageDoesNotHold) {
  const auto at = [](int64_t begin) {
    return SeriesCoverage{.ranges = {{UtcTime{begin}, UtcTime{begin + 5}}}};
  };
  const Coverage above{{"b", at(10)}, {"d", at(20)}};
  const Coverage beneath{{"a", at(30)}, {"b", at(40)}, {"c", at(50)}, {"e", at(60)}};
  const BaseRows rows = ToBaseRows(above, beneath);
  EXPECT_EQ(rows.web_id, (Texts{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(rows.line, (Texts{"30-35", "10-15", "50-55", "20-25", "60-65"}));
}

TEST(BaseRows, AreRefusedWhenDamaged) {
  BaseRows rows = ToBaseRows(SomeRecord().overrides);
  rows.line.pop_back();
  EXPECT_THAT(FromBaseRows(rows), FailsWith(ErrorKind::kMalformed)) << "a line is missing";
  rows.line.push_back("5-5");
  EXPECT_THAT(FromBaseRows(rows), FailsWith(ErrorKind::kMalformed));
}

// What the first format looked like: a table that it wrote must go on.
TEST(BaseRows, OfFormatOneAreStillRead) {
  constexpr int64_t kNone = INT64_MIN;
  const std::vector<std::vector<int64_t>> columns{{-5, 30, 1},   {20, 40, 2},   {39, 39, kNone},
                                                  {3, 3, kNone}, {7, 7, kNone}, {44, 44, kNone},
                                                  {9, 9, kNone}};
  const Coverage expected{{"a",
                           {.ranges = {{UtcTime{-5}, UtcTime{20}}, {UtcTime{30}, UtcTime{40}}},
                            .anchor = Instant{UtcTime{39}, 3, 7},
                            .probed = Snapshot{UtcTime{44}, 9}}},
                          {"b", {.ranges = {{UtcTime{1}, UtcTime{2}}}}}};
  EXPECT_THAT(FromBaseRows1({"a", "a", "b"}, columns), IsOkWith(expected));
  EXPECT_THAT(FromBaseRows1({"a", "a"}, columns), FailsWith(ErrorKind::kMalformed));
}

TEST(CoverageRecord, OfFormatOneIsStillRead) {
  const auto record = ParseRecord(
      "pilake-coverage 1\ntable t\nversion 3\nbase -\nseries a 1-2 anchor 1 1 f probed 9 a\nend "
      "1\n");
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->tail, std::nullopt);
  EXPECT_EQ(record->overrides.at("a").anchor, (Instant{UtcTime{1}, 1, 15}));
}

}  // namespace
}  // namespace pilake::plan
