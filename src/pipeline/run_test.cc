// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run.h"

#include <gtest/gtest.h>

namespace pilake::pipeline {
namespace {

/// Stands still until it is set.
class HandClock : public Clock {
 public:
  UtcTime Now() const override { return now; }
  bool SleepUntil(UtcTime, const std::stop_token&) const override { return true; }

  UtcTime now{};
};

TEST(RunTime, GivesWhatCanWaitAsMuchTimeAsWhatCouldNot) {
  HandClock clock;
  PullOptions options{.enough_after = Duration::Minutes(1)};
  Progress progress;
  pipeline::Run run{.options = options, .clock = clock, .progress = progress, .stop = {}};
  const UtcTime began = clock.now = UtcTime{} + Duration::Days(1);
  run.began = run.settled = began;
  EXPECT_FALSE(run.HasDoneEnough());
  clock.now = began + Duration::Minutes(1);
  EXPECT_TRUE(run.HasDoneEnough());

  // What is new took five minutes: backfill would never come to its turn otherwise.
  run.settled = clock.now = began + Duration::Minutes(5);
  run.report.is_unfinished = false;
  EXPECT_FALSE(run.HasDoneEnough());
  clock.now = began + Duration::Minutes(9);
  EXPECT_FALSE(run.HasDoneEnough());
  EXPECT_FALSE(run.report.is_unfinished);
  clock.now = began + Duration::Minutes(10);
  EXPECT_TRUE(run.HasDoneEnough());
  EXPECT_TRUE(run.report.is_unfinished);

  options.enough_after.reset();
  EXPECT_FALSE(run.HasDoneEnough()) << "a run that does not stay does all";
}

}  // namespace
}  // namespace pilake::pipeline
