// SPDX-License-Identifier: Apache-2.0
#include "config/suggest.h"

#include <gmock/gmock.h>

namespace pilake::config {
namespace {

TEST(EditDistance, CountsLettersAddedRemovedChangedAndSwapped) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("path", "paths"), 1U);
  EXPECT_EQ(EditDistance("path", "pat"), 1U);
  EXPECT_EQ(EditDistance("path", "bath"), 1U);
  EXPECT_EQ(EditDistance("path", "ptah"), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(Nearest("inclde", {"exclude", "include"}), "include");
  EXPECT_EQ(Nearest("urll", {"url", "name"}), "url");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(Nearest("colour", {"url", "name"}), "");
  EXPECT_EQ(Nearest(std::string(1000, 'u'), {"url"}), "");
}

}  // namespace
}  // namespace pilake::config
