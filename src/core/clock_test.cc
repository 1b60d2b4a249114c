// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <filesystem>
#include <thread>

#include "core/matchers.h"

namespace pilake {
namespace {

class SharedClockFile : public testing::Test {
 protected:
  std::string path_ = (std::filesystem::path(testing::TempDir()) /
                       testing::UnitTest::GetInstance()->current_test_info()->name())
                          .string();
};

TEST_F(SharedClockFile, StandsStillAtRateZeroUntilMoved) {
  ASSERT_THAT(WriteSharedClock(path_, UtcTime{1'000}, 0), IsOk());
  auto clock = OpenSharedClock(path_);
  ASSERT_THAT(clock, IsOk());
  EXPECT_EQ((*clock)->Now(), UtcTime{1'000});
  ASSERT_THAT(WriteSharedClock(path_, UtcTime{2'000}, 0), IsOk());
  EXPECT_EQ((*clock)->Now(), UtcTime{2'000});
}

TEST_F(SharedClockFile, WakesASleeperWhenTimeIsMoved) {
  ASSERT_THAT(WriteSharedClock(path_, UtcTime{0}, 0), IsOk());
  auto clock = OpenSharedClock(path_);
  ASSERT_THAT(clock, IsOk());
  bool woke = false;
  std::jthread sleeper(
      [&](const std::stop_token& stop) { woke = (*clock)->SleepUntil(UtcTime{500}, stop); });
  ASSERT_THAT(WriteSharedClock(path_, UtcTime{500}, 0), IsOk());
  sleeper.join();
  EXPECT_TRUE(woke);
}

TEST_F(SharedClockFile, RunsAsFastAsItIsTold) {
  ASSERT_THAT(WriteSharedClock(path_, UtcTime{0}, 1e6), IsOk());
  auto clock = OpenSharedClock(path_);
  ASSERT_THAT(clock, IsOk());
  std::stop_source stop;
  EXPECT_TRUE((*clock)->SleepUntil(UtcTime{0} + Duration::Hours(1), stop.get_token()));
}

TEST_F(SharedClockFile, RefusesAFileThatIsNoClock) {
  EXPECT_THAT(OpenSharedClock(path_ + ".missing"), FailsWith(ErrorKind::kInvalid));
}

TEST(SystemClock, StopsSleepingWhenAskedTo) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(SystemClock().SleepFor(Duration::Hours(1), stop.get_token()));
}

}  // namespace
}  // namespace pilake
