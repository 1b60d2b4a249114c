// SPDX-License-Identifier: Apache-2.0
#include "pipeline/hearer.h"

#include <gmock/gmock.h>

#include "core/clock.h"

namespace pilake::pipeline {
namespace {

using decode::Action;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class HearerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto held = live_.Hold();
    live_.Show({{.web_id = "a"}, {.web_id = "b"}}, {100, LiveTail::kNotNow}, 0);
  }

  static Events At(const std::vector<int64_t>& ticks, ValueKind kind = ValueKind::kInt) {
    Events events;
    for (const int64_t tick : ticks) events.Append(UtcTime{tick}, kind, tick, "", Flags{});
    return events;
  }

  static TimeRange Instant(int64_t tick) { return {UtcTime{tick}, UtcTime{tick + 1}}; }

  LiveTail live_{{}, SystemClock()};
  StreamState state_;
  Hearer hearer_{live_, state_};
};

TEST_F(HearerTest, TakesWhatIsNewInWhateverOrderItIsTold) {
  hearer_.TakeNews("a", At({130, 110, 120}), {});
  EXPECT_EQ(live_.waiting(), 3u);
  EXPECT_FALSE(hearer_.has_doubts());
}

TEST_F(HearerTest, DoubtsWhatComesLate) {
  hearer_.TakeNews("a", At({130, 50, 100}), {});
  EXPECT_EQ(live_.waiting(), 1u);
  EXPECT_THAT(hearer_.TakeDoubts(), ElementsAre(Pair("a", ElementsAre(Instant(50), Instant(100)))));
  EXPECT_THAT(hearer_.TakeDoubts(), IsEmpty());
}

TEST_F(HearerTest, DoubtsWhatIsInsertedEditedAndDeleted) {
  hearer_.TakeNews("a", At({110, 120, 40, 60}),
                   std::vector{Action::kAdd, Action::kUpdate, Action::kInsert, Action::kDelete});
  EXPECT_EQ(live_.waiting(), 2u) << "an update of what is not there is new";
  EXPECT_THAT(hearer_.TakeDoubts(),
              ElementsAre(Pair("a", ElementsAre(Instant(40), Instant(60), Instant(120)))));
}

TEST_F(HearerTest, TakesNothingOfADeletion) {
  hearer_.TakeNews("a", At({110}), std::vector{Action::kDelete});
  EXPECT_EQ(live_.waiting(), 0u);
}

TEST_F(HearerTest, DoubtsAllThatFollowsARefresh) {
  hearer_.TakeNews("a", At({110}), std::vector{Action::kRefresh});
  EXPECT_EQ(live_.waiting(), 0u);
  const Doubts doubts = hearer_.TakeDoubts();
  ASSERT_THAT(doubts, testing::SizeIs(1));
  EXPECT_EQ(doubts.at("a").front().begin, UtcTime{110});
  EXPECT_GT(doubts.at("a").front().end, UtcTime{110} + Duration::Days(100'000));
}

TEST_F(HearerTest, DoubtsWhereAChannelTellsOfASubstitutedValue) {
  Events events;
  Flags flags;
  flags.Set(Flags::kSubstituted, true);
  events.Append(UtcTime{50}, ValueKind::kInt, 1, "", flags);
  hearer_.TakeNews("b", events, {});
  EXPECT_THAT(hearer_.TakeDoubts(), ElementsAre(Pair("b", ElementsAre(Instant(50)))));
}

TEST_F(HearerTest, LearnsNothingFromAnOldCurrentValue) {
  hearer_.TakeValue("a", At({60}));
  EXPECT_FALSE(hearer_.has_doubts());
  hearer_.TakeValue("a", At({160}));
  hearer_.TakeValue("a", At({170}, ValueKind::kError));
  EXPECT_EQ(live_.waiting(), 1u);
}

TEST_F(HearerTest, KeepsDoubtInBounds) {
  for (int64_t tick = 0; tick < 80; tick += 2) hearer_.TakeNews("a", At({tick}), {});
  const Doubts doubts = hearer_.TakeDoubts();
  EXPECT_LE(doubts.at("a").size(), 32u);
  for (int64_t tick = 0; tick < 80; tick += 2)
    EXPECT_TRUE(plan::Overlaps(doubts.at("a"), Instant(tick))) << tick;
}

TEST_F(HearerTest, HasAgainWhatWasGivenBack) {
  hearer_.TakeNews("a", At({50}), {});
  const Doubts doubts = hearer_.TakeDoubts();
  hearer_.GiveBack(doubts);
  EXPECT_EQ(hearer_.TakeDoubts(), doubts);
}

}  // namespace
}  // namespace pilake::pipeline
