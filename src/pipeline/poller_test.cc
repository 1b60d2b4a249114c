// SPDX-License-Identifier: Apache-2.0
#include "pipeline/poller.h"

#include <thread>

#include <gmock/gmock.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "pipeline/resolve.h"
#include "pipeline/source.h"
#include "sim/server.h"

namespace pilake::pipeline {
namespace {

/// A hundred bundles, all of which are due at first.
class PollerTest : public testing::Test {
 protected:
  void SetUp() override {
    sim::ServerOptions server;
    server.plant = {.name = "wide",
                    .points = 17'000,
                    .seed = 1,
                    .from = SystemClock().Now() - Duration::Minutes(10)};
    server.rate_limit = 0;
    server_ = std::move(sim::Server::Start(std::move(server), SystemClock()).value());
    plan::BudgetLimits& budget = options_.pull.source.budget;
    options_.pull.source.http.url = server_->url();
    budget = {.in_flight = 4,
              .calls_per_second = 0,
              .series_reads_per_second = 0,
              .events_per_second = 0};
    Progress progress;
    const auto source = std::move(Source::Open(options_.pull.source, progress, {}).value());
    const auto resolved = Resolve(*source, {{.include = {"*"}}});
    ASSERT_THAT(resolved, IsOk());
    budget.calls_per_second = 25;
    const auto held = live_.Hold();
    live_.Show(resolved->series, std::vector<int64_t>(resolved->series.size(), 0), 0);
  }

  void PollFor(Duration span) {
    Poller poller(options_, live_, hearer_, nullptr, SystemClock(), state_);
    std::jthread thread([&](const std::stop_token& stop) { poller.Loop(stop); });
    SystemClock().SleepFor(span, {});
  }

  std::unique_ptr<sim::Server> server_;
  FollowOptions options_;
  LiveTail live_{{}, SystemClock()};
  StreamState state_;
  Hearer hearer_{live_, state_};
};

TEST_F(PollerTest, LeavesAShareOfTheCallsToThoseWhoReadTheArchive) {
  PollFor(Duration::Seconds(3));
  EXPECT_GT(state_.hearing.calls, 25);
  // 60 % of 75, and a round that has just begun.
  EXPECT_LE(state_.hearing.calls, 45 + 3);
}

}  // namespace
}  // namespace pilake::pipeline
