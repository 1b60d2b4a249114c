// SPDX-License-Identifier: Apache-2.0
#include "sim/script.h"

#include <gmock/gmock.h>

#include "sim/test_world.h"

namespace pilake::sim {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string Complaint(std::string_view text) {
  const auto script = ParseScript(text);
  EXPECT_FALSE(script) << text;
  return script ? "" : script.error().message;
}

TEST(ParseScript, ReadsOneSceneALine) {
  const auto script = ParseScript(
      "# a night\n"
      "\n"
      "outage U1.* from 2026-03-01T00:00:00Z to 2026-03-01T03:00:00Z state \"I/O Timeout\" "
      "buffered over 10m\n"
      "   edit \"Tank 5 Level\" event 2026-03-01T05:00:00Z at 2026-03-02T00:00:00Z value 12.5 # "
      "why\n");
  ASSERT_THAT(script, IsOk());
  ASSERT_THAT(*script, SizeIs(2));
  const Scene& outage = script->at(0);
  EXPECT_EQ(outage.line, 3);
  EXPECT_EQ(outage.verb, Verb::kOutage);
  EXPECT_EQ(outage.tags, "U1.*");
  EXPECT_EQ(outage.when.begin, At("2026-03-01T00:00:00Z"));
  EXPECT_EQ(outage.when.end, At("2026-03-01T03:00:00Z"));
  EXPECT_EQ(outage.value.text, "I/O Timeout");
  EXPECT_TRUE(outage.buffered);
  EXPECT_EQ(outage.over, Duration::Minutes(10));
  const Scene& edit = script->at(1);
  EXPECT_EQ(edit.line, 4);
  EXPECT_EQ(edit.tags, "Tank 5 Level");
  EXPECT_TRUE(edit.one_event);
  EXPECT_EQ(edit.value.kind, WrittenValue::Kind::kNumber);
}

TEST(ParseScript, ReadsQuotesWithinQuotes) {
  const auto script = ParseScript(R"(insert "a \"b\" \\ c" event 2026-03-01T05:00:00Z value "#")");
  ASSERT_THAT(script, IsOk());
  EXPECT_EQ(script->at(0).tags, R"(a "b" \ c)");
  EXPECT_EQ(script->at(0).value.text, "#");
  EXPECT_EQ(script->at(0).value.kind, WrittenValue::Kind::kText);
}

TEST(ParseScript, NamesEveryLineThatIsWrong) {
  const std::string complaint = Complaint(
      "party U1.*\n"
      "queue * from 2026-03-01T00:00:00Z to 2026-03-01T01:00:00Z\n"
      "outage * from yesterday to 2026-03-01T01:00:00Z\n");
  EXPECT_THAT(complaint, HasSubstr("line 1: no scene is called 'party'; there are insert, edit"));
  EXPECT_THAT(complaint, Not(HasSubstr("line 2")));
  EXPECT_THAT(complaint, HasSubstr("line 3: 'yesterday' is not a time"));
}

TEST(ParseScript, SaysWhatASceneNeedsAndTakes) {
  EXPECT_THAT(Complaint("outage"), HasSubstr("'outage' needs a name filter for tags behind it"));
  EXPECT_THAT(Complaint("outage *"), HasSubstr("'outage' needs 'from'"));
  EXPECT_THAT(Complaint("edit * at 2026-03-01T00:00:00Z"),
              HasSubstr("'edit' needs 'event' or 'snapshot' or 'count'"));
  EXPECT_THAT(Complaint("edit * snapshot event 2026-03-01T00:00:00Z at 2026-03-01T00:00:00Z"),
              HasSubstr("takes only one of"));
  EXPECT_THAT(Complaint("queue * form 2026-03-01T00:00:00Z"),
              HasSubstr("'queue' does not know 'form'; it takes from, to, lag, over, pick, seed"));
  EXPECT_THAT(Complaint("delete * at"), HasSubstr("'at' needs 1 behind it"));
  EXPECT_THAT(Complaint("delete * count 5 at 2026-03-01T00:00:00Z"),
              HasSubstr("'count' and 'events' go together"));
  EXPECT_THAT(Complaint("outage * from 2026-03-02T00:00:00Z to 2026-03-01T00:00:00Z"),
              HasSubstr("it ends before it begins"));
  EXPECT_THAT(Complaint("fault 418 rate 1"), HasSubstr("no fault is called '418'; there are 401"));
  EXPECT_THAT(Complaint("fault 500 rate 7"), HasSubstr("between 0 and 1"));
  EXPECT_THAT(Complaint("insert \"a event"), HasSubstr("a quote is not closed"));
  EXPECT_THAT(Complaint("unreadable * as odd"), HasSubstr("'odd' is none of 404, 403, 410"));
}

TEST(ReadScript, NamesTheFile) {
  const auto script = ReadScript("/nowhere/plant.script");
  ASSERT_FALSE(script);
  EXPECT_THAT(script.error().message, HasSubstr("/nowhere/plant.script"));
}

}  // namespace
}  // namespace pilake::sim
