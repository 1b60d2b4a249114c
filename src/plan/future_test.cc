// SPDX-License-Identifier: Apache-2.0
#include "plan/future.h"

#include <gtest/gtest.h>

namespace pilake::plan {
namespace {

constexpr UtcTime kNoon{17'900'000'000'000'000 / 864'000'000'000 * 864'000'000'000 +
                        432'000'000'000};

TEST(RefreshAt, ChangesOnceInEachSpan) {
  const Future future{.horizon = Duration::Days(2), .refresh = Duration::Hours(1)};
  const auto first = RefreshAt(future, kNoon);
  ASSERT_TRUE(first);
  EXPECT_EQ(RefreshAt(future, kNoon + Duration::Minutes(59)), first);
  EXPECT_NE(RefreshAt(future, kNoon + Duration::Minutes(60)), first);
}

TEST(RefreshAt, ChangesWithWhatIsWanted) {
  const auto two_days = RefreshAt({.horizon = Duration::Days(2)}, kNoon);
  EXPECT_NE(RefreshAt({.horizon = Duration::Days(3)}, kNoon), two_days);
  EXPECT_NE(RefreshAt({.horizon = Duration::Days(2), .lookback = Duration::Hours(1)}, kNoon),
            two_days);
}

TEST(RefreshAt, IsNothingWhereEveryRunReadsAllThatIsShown) {
  EXPECT_FALSE(RefreshAt({}, kNoon));
  EXPECT_TRUE(RefreshAt({.lookback = Duration::Hours(6)}, kNoon));
}

}  // namespace
}  // namespace pilake::plan
