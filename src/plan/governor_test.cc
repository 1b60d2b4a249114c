// SPDX-License-Identifier: Apache-2.0
#include "plan/governor.h"

#include <cmath>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using Sign = CallEnd::Sign;
using testing::Each;
using testing::Ge;

constexpr UtcTime kStart{0};
constexpr BudgetLimits kGentle{};
constexpr BudgetLimits kOnlyInFlight{
    .in_flight = 8, .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0};
constexpr Load kCall{.calls = 1, .series_reads = 20, .events = 500, .shape = Shape::kSet};

Duration Seconds(double seconds) {
  return Duration::Ticks(static_cast<int64_t>(std::llround(seconds * 1e7)));
}

/// A server in simulated time: so many requests in each full second, beyond that 429 at once; and
/// so many workers that take so long for a call, those that find none free waiting in line.
struct Server {
  std::function<double(double second)> requests_per_second = [](double) { return 1e9; };
  std::function<double(double second)> seconds_per_call = [](double) { return 0.05; };
  int workers = 4;
};

struct Tally {
  int calls = 0, good = 0, throttled = 0;
  double allowed = 0;        ///< requests that the server would have taken
  std::vector<int> good_in;  ///< by second
  std::array<int, kLanes> by_lane{};
};

/// Runs calls of `lanes`, each of which always has more to ask, against `server` for `span`.
Tally Drive(Governor& governor, const Server& server, Duration span,
            const std::vector<Lane>& lanes = {Lane::kIncrement}, const Load& load = kCall) {
  struct Home {
    UtcTime at;
    UtcTime started;
    Sign sign;
    bool operator>(const Home& other) const { return at > other.at; }
  };
  std::priority_queue<Home, std::vector<Home>, std::greater<>> under_way;
  std::vector<UtcTime> free_at(static_cast<size_t>(server.workers), kStart);
  Tally tally;
  tally.good_in.resize(static_cast<size_t>(span.seconds()) + 1);
  double second = -1;
  double in_second = 0;
  UtcTime now = kStart;
  while (now < kStart + span) {
    UtcTime next = kStart + span;
    for (const Lane lane : lanes) {
      for (;;) {
        const auto wait = governor.Start(lane, load, now);
        if (wait) {
          EXPECT_GT(*wait, now) << "waiting must end";
          next = std::min(next, *wait);
          break;
        }
        ++tally.calls;
        ++tally.by_lane[static_cast<size_t>(lane)];
        const double at = (now - kStart).seconds();
        if (std::floor(at) > second) second = std::floor(at), in_second = 0;
        if (++in_second > server.requests_per_second(at)) {
          under_way.push({now + Duration::Millis(2), now, Sign::kThrottled});
          continue;
        }
        UtcTime& worker = *std::ranges::min_element(free_at);
        worker = std::max(worker, now) + Seconds(server.seconds_per_call(at));
        under_way.push({worker, now, Sign::kGood});
      }
    }
    if (!under_way.empty()) next = std::min(next, under_way.top().at);
    now = next;
    while (!under_way.empty() && under_way.top().at <= now) {
      const Home home = under_way.top();
      under_way.pop();
      tally.good += home.sign == Sign::kGood ? 1 : 0;
      tally.throttled += home.sign == Sign::kThrottled ? 1 : 0;
      if (home.sign == Sign::kGood) ++tally.good_in[static_cast<size_t>((now - kStart).seconds())];
      governor.Finish(
          load,
          {.sign = home.sign, .events = load.events, .took = now - home.started, .retry_after = {}},
          now);
    }
  }
  while (!under_way.empty()) {
    governor.Finish(
        load, {.sign = Sign::kBad, .events = load.events, .took = {}, .retry_after = {}}, now);
    under_way.pop();
  }
  for (double at = 0.5; at < span.seconds(); ++at) {
    const double most = server.workers / server.seconds_per_call(at);
    tally.allowed += std::min(server.requests_per_second(at), most);
  }
  return tally;
}

double Rate(const Tally& tally, size_t from, size_t to) {
  double sum = 0;
  for (size_t i = from; i < to; ++i) sum += tally.good_in[i];
  return sum / static_cast<double>(to - from);
}

/// `before`, then `within` from second 120 to second 300, then `before` again.
std::function<double(double)> Dips(double before, double within) {
  return [=](double at) { return at >= 120 && at < 300 ? within : before; };
}

TEST(Governor, ReachesTheBudgetOfAServerThatIsWell) {
  Governor governor(kGentle, kStart);
  const Tally tally = Drive(governor, {}, Duration::Minutes(5));
  EXPECT_EQ(tally.throttled, 0);
  EXPECT_GE(Rate(tally, 10, 300), 25 * 0.98);
  for (const int in_one_second : tally.good_in) EXPECT_LE(in_one_second, 27);
}

TEST(Governor, BeginsWithOneCallInFlightAndDoubles) {
  Governor governor(kOnlyInFlight, kStart);
  EXPECT_EQ(governor.Start(Lane::kIncrement, kCall, kStart), std::nullopt);
  EXPECT_NE(governor.Start(Lane::kIncrement, kCall, kStart), std::nullopt);
  const CallEnd good{
      .sign = Sign::kGood, .events = 500, .took = Duration::Millis(50), .retry_after = {}};
  UtcTime now = kStart;
  for (int i = 0; i < 12; ++i) {
    now = now + Duration::Millis(50);
    governor.Finish(kCall, good, now);
    ASSERT_EQ(governor.Start(Lane::kIncrement, kCall, now), std::nullopt);
  }
  EXPECT_EQ(governor.Describe(now).in_flight_max, 8);
}

TEST(Governor, MeetsARateLimitThatHalvesAndRecoversSeldomAndUsesMostOfIt) {
  for (const double limit : {20.0, 100.0, 1'000.0}) {
    Governor governor(kOnlyInFlight, kStart);
    Server server{.requests_per_second = Dips(limit, limit / 2),
                  .seconds_per_call = [](double) { return 0.002; }};
    const Tally tally = Drive(governor, server, Duration::Seconds(600));
    EXPECT_LT(tally.throttled, tally.calls * 0.01) << limit;
    EXPECT_GT(tally.good, tally.allowed * 0.8) << limit;
    // Minutes after the limit is lifted it is used again.
    EXPECT_GT(Rate(tally, 420, 600), limit * 0.8) << limit;
  }
}

TEST(Governor, HalvesAtOnceWhenTheServerSaysTooMany) {
  Governor governor(kOnlyInFlight, kStart);
  Server server{.requests_per_second = [](double at) { return at < 60 ? 1e9 : 40.0; },
                .seconds_per_call = [](double) { return 0.05; },
                .workers = 4};
  const Tally tally = Drive(governor, server, Duration::Seconds(66));
  EXPECT_GT(Rate(tally, 50, 60), 75);
  EXPECT_LE(Rate(tally, 61, 66), 40);
}

TEST(Governor, KeepsCallsInFlightLowWhileAServerIsSlowAndGivesItAllItCanDo) {
  // A line of calls at two workers: more in flight than that only makes the line longer.
  Governor governor(kOnlyInFlight, kStart);
  Server server{.seconds_per_call = Dips(0.05, 0.2), .workers = 2};
  const Tally tally = Drive(governor, server, Duration::Seconds(600));
  EXPECT_GT(tally.good, tally.allowed * 0.8);
}

TEST(Governor, YieldsWhenAnswersTakeLongerThanUsual) {
  Governor governor(kOnlyInFlight, kStart);
  Drive(governor, {.workers = 8}, Duration::Seconds(60));
  EXPECT_EQ(governor.Describe(kStart + Duration::Seconds(60)).in_flight_max, 8);
  // Others burden the server: each call takes four times as long, however few we send.
  Server slow{.seconds_per_call = [](double) { return 0.2; }, .workers = 8};
  UtcTime now = kStart + Duration::Seconds(60);
  for (int i = 0; i < 40; ++i) {
    while (!governor.Start(Lane::kIncrement, kCall, now)) {
    }
    now = now + Duration::Millis(200);
    governor.Finish(
        kCall,
        {.sign = Sign::kGood, .events = 500, .took = Duration::Millis(200), .retry_after = {}},
        now);
  }
  EXPECT_LE(governor.Describe(now).in_flight_max, 2);
}

TEST(Governor, TakesLargePagesForNoSignOfTrouble) {
  Governor governor(kOnlyInFlight, kStart);
  std::minstd_rand random(3);
  UtcTime now = kStart;
  for (int i = 0; i < 2'000; ++i) {
    const double events = std::exp(std::uniform_real_distribution<>(0, 11.5)(random));
    const Load load{.calls = 1, .series_reads = 1, .events = events, .shape = Shape::kSingle};
    ASSERT_EQ(governor.Start(Lane::kIncrement, load, now), std::nullopt);
    const Duration took = Seconds(0.02 + events * 2e-5);
    now = now + took;
    governor.Finish(load, {.sign = Sign::kGood, .events = events, .took = took, .retry_after = {}},
                    now);
  }
  EXPECT_EQ(governor.Describe(now).in_flight_max, 8);
}

TEST(Governor, HoldsAllForAsLongAsTheServerAsks) {
  Governor governor(kGentle, kStart);
  ASSERT_EQ(governor.Start(Lane::kBackfill, kCall, kStart), std::nullopt);
  governor.Finish(
      kCall,
      {.sign = Sign::kThrottled, .events = 0, .took = {}, .retry_after = Duration::Seconds(7)},
      kStart);
  EXPECT_EQ(governor.Start(Lane::kLive, kCall, kStart), kStart + Duration::Seconds(7));
  EXPECT_EQ(governor.Start(Lane::kLive, kCall, kStart + Duration::Seconds(7)), std::nullopt);
}

TEST(Governor, FollowsNoServerIntoTheNextDay) {
  Governor governor(kGentle, kStart);
  ASSERT_EQ(governor.Start(Lane::kLive, kCall, kStart), std::nullopt);
  governor.Finish(
      kCall, {.sign = Sign::kOverloaded, .events = 0, .took = {}, .retry_after = Duration::Days(1)},
      kStart);
  EXPECT_EQ(governor.Start(Lane::kLive, kCall, kStart), kStart + Duration::Minutes(10));
}

TEST(Governor, LeavesAServerThatFailsAgainAndAgainAloneForLongerAndLonger) {
  Governor governor(kGentle, kStart);
  UtcTime now = kStart;
  Duration longest;
  for (int i = 0; i < 30; ++i) {
    UtcTime asked = now;
    while (const auto wait = governor.Start(Lane::kIncrement, kCall, now)) now = *wait;
    longest = std::max(longest, now - asked);
    governor.Finish(kCall, {.sign = Sign::kOverloaded, .events = 0, .took = {}, .retry_after = {}},
                    now);
  }
  EXPECT_EQ(longest, Duration::Seconds(30));
  while (const auto wait = governor.Start(Lane::kIncrement, kCall, now)) now = *wait;
  governor.Finish(kCall, {.sign = Sign::kGood, .events = 500, .took = {}, .retry_after = {}}, now);
  EXPECT_LT(*governor.Start(Lane::kIncrement, kCall, now), now + Duration::Seconds(1));
}

TEST(Governor, LetsTheUrgentGoFirstAndStarvesNobody) {
  Governor governor(kGentle, kStart);
  const Tally tally =
      Drive(governor, {}, Duration::Minutes(10), {Lane::kLive, Lane::kIncrement, Lane::kBackfill});
  const double all = tally.calls;
  EXPECT_GE(tally.by_lane[0], 0.85 * all);
  EXPECT_GE(tally.by_lane[1], 0.03 * all);
  EXPECT_GE(tally.by_lane[3], 0.03 * all);
  EXPECT_NEAR(tally.good, 25 * 600, 25 * 600 * 0.03) << "sharing costs nothing";
}

TEST(Governor, GivesALaneAllThatTheOthersLeave) {
  Governor governor(kGentle, kStart);
  const Tally tally = Drive(governor, {}, Duration::Minutes(1), {Lane::kBackfill});
  EXPECT_NEAR(tally.good, 25 * 60, 60);
}

TEST(Governor, PausesBackfillAloneOrAll) {
  Governor governor(kGentle, kStart);
  governor.Allow(kGentle, Pause::kBackfill, kStart);
  EXPECT_EQ(governor.Start(Lane::kBackfill, kCall, kStart), Governor::kNever);
  EXPECT_EQ(governor.Start(Lane::kIncrement, kCall, kStart), std::nullopt);
  governor.Allow(kGentle, Pause::kAll, kStart);
  EXPECT_EQ(governor.Start(Lane::kLive, kCall, kStart), Governor::kNever);
  governor.Allow(kGentle, Pause::kNone, kStart);
  governor.Finish(kCall, {}, kStart);
  EXPECT_EQ(governor.Start(Lane::kBackfill, kCall, kStart + Duration::Seconds(1)), std::nullopt);
}

TEST(Governor, KeepsTheBudgetOfTheHour) {
  Governor governor(kGentle, kStart);
  governor.Allow(Scaled(kGentle, 0.2), Pause::kNone, kStart);
  const Tally tally = Drive(governor, {}, Duration::Minutes(1));
  EXPECT_NEAR(tally.good, 5 * 60, 6);
}

/// Servers, loads and lanes at random: time always goes on, the budget is kept, something comes.
TEST(Governor, NeverStandsStillWhateverTheServerDoes) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::minstd_rand random(seed);
    const auto draw = [&](double from, double to) {
      return std::uniform_real_distribution<>(from, to)(random);
    };
    const BudgetLimits limits{.in_flight = 1 + static_cast<int>(draw(0, 16)),
                              .calls_per_second = draw(0, 1) < 0.3 ? 0 : draw(1, 200),
                              .series_reads_per_second = draw(0, 1) < 0.5 ? 0 : draw(100, 5'000),
                              .events_per_second = draw(0, 1) < 0.5 ? 0 : draw(1e3, 1e5)};
    Governor governor(limits, kStart);
    const double limit = draw(1, 300), slow = draw(0.001, 0.5);
    const Server server{
        .requests_per_second = Dips(limit, limit / 2),
        .seconds_per_call = [=](double at) { return std::fmod(at, 50) < 10 ? slow : 0.01; },
        .workers = 1 + static_cast<int>(draw(0, 8))};
    const Load load{.calls = 1,
                    .series_reads = draw(1, 180),
                    .events = draw(0, 40'000),
                    .shape = static_cast<Shape>(seed % kShapes)};
    const Tally tally = Drive(governor, server, Duration::Minutes(8),
                              {Lane::kLive, Lane::kLook, Lane::kBackfill}, load);
    EXPECT_GT(tally.good, 0) << seed;
    const double seconds = 480;
    if (limits.calls_per_second > 0) {
      EXPECT_LE(tally.calls, limits.calls_per_second * seconds + 2) << seed;
    }
    if (limits.events_per_second > 0) {
      EXPECT_LE((tally.calls - 1) * load.events, limits.events_per_second * (seconds + 0.1))
          << seed;
    }
    // Those who wait get their part.
    if (tally.calls > 500) {
      EXPECT_GT(tally.by_lane[3], 0.02 * tally.calls) << seed;
    }
  }
}

TEST(Governor, SaysHowMuchOfTheTightestLimitIsUsed) {
  Governor governor(kGentle, kStart);
  const auto make = [&](Lane lane, const Load& load, UtcTime now) {
    if (!governor.Start(lane, load, now)) governor.Finish(load, {.took = Seconds(0.01)}, now);
    governor.Withdraw(lane);
  };
  UtcTime now = kStart;
  for (int i = 0; i < 3'000; ++i, now = now + Duration::Millis(20)) {
    if (i % 4 == 0) make(Lane::kLive, {.calls = 1}, now);
    if (i % 10 == 1) make(Lane::kIncrement, {.calls = 1, .series_reads = 180}, now);
  }
  EXPECT_NEAR(governor.Describe(now).used, 0.9, 0.05);
}

}  // namespace
}  // namespace pilake::plan
