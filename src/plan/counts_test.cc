// SPDX-License-Identifier: Apache-2.0
#include "plan/counts.h"

#include <random>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

Flags Good(bool good) {
  Flags flags;
  flags.Set(Flags::kGood, good);
  for (const uint8_t flag : {Flags::kQuestionable, Flags::kSubstituted, Flags::kAnnotated})
    flags.Set(flag, false);
  return flags;
}

/// 10 good numbers, 3 good texts, 2 bad numbers, 1 substituted number.
Events SomeEvents() {
  Events events;
  int64_t at = 1'000;
  const auto add = [&](int count, ValueKind kind, Flags flags) {
    for (int i = 0; i < count; ++i) events.Append(UtcTime{++at}, kind, i, "", flags);
  };
  add(10, ValueKind::kInt, Good(true));
  add(3, ValueKind::kString, Good(true));
  add(2, ValueKind::kInt, Good(false));
  Flags substituted = Good(true);
  substituted.Set(Flags::kSubstituted, true);
  add(1, ValueKind::kInt, substituted);
  return events;
}

Tally TallyOf(const Events& events) {
  Tally tally;
  for (size_t row = 0; row < events.size(); ++row) tally.Add(events, row);
  return tally;
}

TEST(Tally, CountsInEachWay) {
  const Tally tally = TallyOf(SomeEvents());
  EXPECT_THAT(tally.by_rule, testing::ElementsAre(16, 14, 11));
  EXPECT_EQ(tally.flagged, 3);
}

TEST(Tally, TellsFlaggedRowsThatDiffer) {
  const Events events = SomeEvents();
  Events edited = events;
  edited.number.back() = 77;
  Events moved = events;
  moved.ticks.back() += 1;
  Events unmarked = events;
  unmarked.flags.back() = Good(true);
  EXPECT_TRUE(TallyOf(events).SameFlagged(TallyOf(events)));
  EXPECT_FALSE(TallyOf(events).SameFlagged(TallyOf(edited)));
  EXPECT_FALSE(TallyOf(events).SameFlagged(TallyOf(moved)));
  EXPECT_FALSE(TallyOf(events).SameFlagged(TallyOf(unmarked)));
}

TEST(CountRules, KnowNothingBeforeTheyLearn) {
  EXPECT_EQ(CountRules(true).Expected(TallyOf(SomeEvents())), std::nullopt);
}

TEST(CountRules, LearnWhichEventsTheServerCounts) {
  const Tally tally = TallyOf(SomeEvents());
  for (const int64_t count : tally.by_rule) {
    CountRules rules(true);
    EXPECT_TRUE(rules.WouldLearn(tally));
    rules.Learn(tally, count);
    EXPECT_EQ(rules.Expected(tally), count);
    EXPECT_FALSE(rules.WouldLearn(tally));
  }
}

TEST(CountRules, TakeNoCountOfNumbersForOneOfTexts) {
  const Tally tally = TallyOf(SomeEvents());
  CountRules rules(false);
  rules.Learn(tally, tally.by_rule[2]);
  EXPECT_EQ(rules.Expected(tally), std::nullopt);
  EXPECT_EQ(rules.Expected({}), std::nullopt);
}

TEST(CountRules, SayNothingWhereThoseThatFitDiffer) {
  Tally plain;  // taught by events that tell the rules not apart
  plain.by_rule = {5, 5, 5};
  CountRules rules(true);
  rules.Learn(plain, 5);
  EXPECT_EQ(rules.Expected(plain), 5);
  const Tally mixed = TallyOf(SomeEvents());
  EXPECT_EQ(rules.Expected(mixed), std::nullopt);
  EXPECT_TRUE(rules.WouldLearn(mixed));
}

TEST(CountRules, TrustNoServerThatCountsSomethingElse) {
  const Tally tally = TallyOf(SomeEvents());
  CountRules rules(true);
  rules.Learn(tally, 15);
  EXPECT_EQ(rules.Expected(tally), std::nullopt);
  EXPECT_FALSE(rules.WouldLearn(tally));
  EXPECT_EQ(rules.Expected({}), std::nullopt);
}

}  // namespace
}  // namespace pilake::plan
