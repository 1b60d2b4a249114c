// SPDX-License-Identifier: Apache-2.0
#include "core/bounded_queue.h"

#include <numeric>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

namespace pilake {
namespace {

TEST(BoundedQueue, HandsOverEverythingInOrderUnderBackPressure) {
  BoundedQueue<int> queue(64);
  std::vector<int> received;
  std::jthread producer([&](const std::stop_token& stop) {
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(queue.Push(i, 16, stop));
    queue.Close();
  });
  const std::stop_token never;
  while (auto item = queue.Pop(never)) received.push_back(*item);
  std::vector<int> expected(10'000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(received, expected);
}

TEST(BoundedQueue, LetsAnItemLargerThanTheBoundPassAlone) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.Push(1, 1'000, {}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(queue.Push(2, 1, stop.get_token()));
  EXPECT_EQ(queue.TryPop(), 1);
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(BoundedQueue, GivesOutWhatItHoldsAfterClosing) {
  BoundedQueue<int> queue(10);
  ASSERT_TRUE(queue.Push(1, 1, {}));
  queue.Close();
  EXPECT_FALSE(queue.Push(2, 1, {}));
  EXPECT_EQ(queue.Pop({}), 1);
  EXPECT_EQ(queue.Pop({}), std::nullopt);
}

}  // namespace
}  // namespace pilake
