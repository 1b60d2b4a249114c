// SPDX-License-Identifier: Apache-2.0
#include "plan/signs.h"

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimeRange kDay{UtcTime{}, UtcTime{} + Duration::Days(1)};
constexpr UtcTime At(int64_t minutes) {
  return UtcTime{} + Duration::Minutes(minutes);
}

Flags Good(bool good) {
  Flags flags;
  flags.Set(Flags::kGood, good);
  return flags;
}
void AddValue(Events& events, int64_t minutes) {
  events.Append(At(minutes), ValueKind::kInt, 1, "", Good(true));
}
void AddState(Events& events, int64_t minutes, std::string_view name) {
  events.Append(At(minutes), ValueKind::kSystem, 246, name, Good(false));
}

Signs Read(const Events& events, std::optional<UtcTime> outage = {}, double density = 0) {
  Signs signs(kDay, outage, density);
  // In pieces, as pages come.
  const size_t middle = events.size() / 2;
  signs.Take(events, 0, middle);
  signs.Take(events, middle, events.size());
  return signs;
}

TEST(Signs, AskForALookWhereBufferedDataReturnsBehindAnOutage) {
  Events events;
  AddValue(events, 1);
  AddState(events, 10, "I/O Timeout");
  AddState(events, 20, "Shutdown");
  AddValue(events, 30);
  const Signs signs = Read(events);
  EXPECT_EQ(signs.outage(), std::nullopt);
  const TimeRange outage{At(10), At(30) + Duration::Ticks(1)};
  const auto looks = signs.Looks(At(40));
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_EQ(looks[0].reason, LookReason::kOutage);
  EXPECT_EQ(looks[0].range, outage);
  EXPECT_EQ(looks[0].due, outage.end + Duration::Hours(1));
  // Read two hours later, only the second look is left; read two days later, none.
  EXPECT_EQ(Read(events).Looks(At(150))[0].due, outage.end + Duration::Hours(24));
  EXPECT_THAT(Read(events).Looks(At(3'000)), IsEmpty());
}

TEST(Signs, RememberAnOutageAcrossReads) {
  Events before, after;
  AddValue(before, 1);
  AddState(before, 10, "Intf Shut");
  const Signs first = Read(before);
  EXPECT_EQ(first.outage(), At(10));
  EXPECT_THAT(first.Looks(At(20)), IsEmpty());
  AddValue(after, 60);
  const auto looks = Read(after, first.outage()).Looks(At(61));
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_EQ(looks[0].range.begin, At(10));
}

TEST(Signs, AskForTheEmptyTimeBeforeAPointWasCreated) {
  Events events;
  AddState(events, 600, "Pt Created");
  AddValue(events, 601);
  const auto looks = Read(events).Looks(At(700));
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_EQ(looks[0].reason, LookReason::kCreated);
  EXPECT_EQ(looks[0].range, (TimeRange{kDay.begin, At(600)}));
}

TEST(Signs, AskAgainForValuesThatCouldNotBeTold) {
  Events events;
  events.Append(At(5), ValueKind::kError, 0, "Calculation Error", Good(false));
  events.Append(At(6), ValueKind::kError, 0, "Calculation Error", Good(false));
  AddValue(events, 7);
  events.Append(At(500), ValueKind::kError, 0, "Calculation Error", Good(false));
  const auto looks = Read(events).Looks(At(600));
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks[0].range, (TimeRange{At(5), At(6) + Duration::Ticks(1)}));
  EXPECT_EQ(looks[1].range, (TimeRange{At(500), At(500) + Duration::Ticks(1)}));
}

/// Four hours in which every half hour there is an error and an outage state, and that many good
/// rows every minute.
std::vector<Look> LooksAtDoubtfulHours(int64_t rows_a_minute) {
  Events events;
  for (int64_t minute = 0; minute < 240; ++minute) {
    if (minute % 30 == 15) {
      events.Append(At(minute), ValueKind::kError, 0, "Calculation Error", Good(false));
      AddState(events, minute, "I/O Timeout");
    }
    for (int64_t i = 0; i < rows_a_minute; ++i) {
      events.Append(At(minute) + Duration::Seconds(i + 1), ValueKind::kInt, i, "", Good(true));
    }
  }
  AddValue(events, 240);
  return Read(events).Looks(At(250));
}

Duration LengthOf(const std::vector<Look>& looks) {
  Duration length;
  for (const Look& look : looks) length = length + look.range.length();
  return length;
}

TEST(Signs, AskOnlyForWhatIsDoubtfulOfADenseSeries) {
  const auto looks = LooksAtDoubtfulHours(20);
  EXPECT_EQ(looks.size(), 16u);
  EXPECT_LT(LengthOf(looks), Duration::Minutes(1));
}

TEST(Signs, AskAtOnceForWhatIsDoubtfulOfASlowSeries) {
  const auto looks = LooksAtDoubtfulHours(0);
  EXPECT_LE(looks.size(), 3u);
  EXPECT_GT(LengthOf(looks), Duration::Hours(6));
}

TEST(Signs, SeeSilenceThatIsOutOfCharacterOnly) {
  Events steady, broken;
  for (int64_t minute = 0; minute < 1'000; ++minute) {
    AddValue(steady, minute);
    if (minute < 300 || minute >= 700) AddValue(broken, minute);
  }
  const double density = 1.0 / 60;
  EXPECT_THAT(Read(steady, {}, density).Looks(At(1'000)), IsEmpty());
  const auto looks = Read(broken, {}, density).Looks(At(1'000));
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_EQ(looks[0].reason, LookReason::kSilence);
  EXPECT_EQ(looks[0].range, (TimeRange{At(299) + Duration::Ticks(1), At(700)}));
  // A slow point is silent for hours as a matter of course.
  EXPECT_THAT(Read(broken, {}, density / 100).Looks(At(1'000)), IsEmpty());
}

TEST(Activity, FindsWhereAllSeriesWereSilentTogether) {
  Activity activity(kDay);
  for (int series = 0; series < 50; ++series) {
    Events events;
    activity.Expect(kDay, 1.0 / 420);
    for (int64_t minute = series % 7; minute < 1'440; minute += 7) {
      if (minute < 400 || minute >= 600) AddValue(events, minute);
    }
    activity.Take(events, 0, events.size());
  }
  const auto silences = activity.Silences();
  ASSERT_EQ(silences.size(), 1u);
  EXPECT_LE(silences[0].begin, At(404));
  EXPECT_GE(silences[0].end, At(596));
}

TEST(Activity, IsNotDeceivedByForecastsThatGoOn) {
  Activity activity(kDay);
  for (int series = 0; series < 200; ++series) {
    Events events;
    activity.Expect(kDay, 1.0 / 420);
    const bool is_forecast = series == 0;
    for (int64_t minute = series % 7; minute < 1'440; minute += 7) {
      if (is_forecast || minute < 400 || minute >= 600) AddValue(events, minute);
    }
    activity.Take(events, 0, events.size());
  }
  const auto silences = activity.Silences();
  ASSERT_EQ(silences.size(), 1u);
  EXPECT_LE(silences[0].begin, At(404));
  EXPECT_GE(silences[0].end, At(596));
}

TEST(Activity, ExpectsNothingWhereASeriesIsNotRead) {
  Activity activity(kDay);
  for (int series = 0; series < 50; ++series) {
    // One half is read up to noon, the other half from two o'clock on.
    const int64_t begin = series % 2 == 0 ? 0 : 840, end = series % 2 == 0 ? 720 : 1'440;
    activity.Expect({At(begin), At(end)}, 1.0 / 420);
    Events events;
    for (int64_t minute = begin; minute < end; minute += 7) AddValue(events, minute);
    activity.Take(events, 0, events.size());
  }
  EXPECT_THAT(activity.Silences(), IsEmpty());
}

TEST(Activity, IsNotSurprisedByFewEvents) {
  Activity activity(kDay);
  activity.Expect(kDay, 1);  // which was a mistake
  Events events;
  for (const int64_t minute : {5, 300, 700, 1'400}) AddValue(events, minute);
  activity.Take(events, 0, events.size());
  EXPECT_THAT(activity.Silences(), IsEmpty());
  EXPECT_THAT(Activity(kDay).Silences(), IsEmpty());
}

}  // namespace
}  // namespace pilake::plan
