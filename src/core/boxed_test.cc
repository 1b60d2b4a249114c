// SPDX-License-Identifier: Apache-2.0
#include "core/boxed.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace pilake {
namespace {

using Text = Boxed<std::string>;

TEST(Boxed, CopiesItsValueAndComparesIt) {
  const Text none, one(std::string("one"));
  Text copy = one;
  EXPECT_EQ(copy, one);
  EXPECT_NE(&*copy, &*one);
  copy.emplace() = "two";
  EXPECT_EQ(*one, "one");
  EXPECT_FALSE(copy == one);
  EXPECT_FALSE(copy == none);
  copy = none;
  EXPECT_FALSE(copy);
  EXPECT_EQ(copy, none);
}

TEST(Boxed, MovesWithoutACopyAndCanBeEmptied) {
  Text one(std::string("one"));
  const std::string* const at = &*one;
  Text moved = std::move(one);
  EXPECT_EQ(&*moved, at);
  moved.reset();
  EXPECT_FALSE(moved);
  EXPECT_EQ(sizeof(Text), sizeof(void*));
}

}  // namespace
}  // namespace pilake
