// SPDX-License-Identifier: Apache-2.0
#include "core/texts.h"

#include <gmock/gmock.h>

namespace pilake {
namespace {

TEST(Texts, ComeBackAsTheyWerePutIn) {
  Texts texts{"", "one", "", "three"};
  ASSERT_EQ(texts.size(), 4u);
  EXPECT_EQ(texts[0], "");
  EXPECT_EQ(texts[1], "one");
  EXPECT_EQ(texts[2], "");
  EXPECT_EQ(texts[3], "three");
  texts.pop_back();
  texts.push_back("two");
  EXPECT_EQ(texts, (Texts{"", "one", "", "two"}));
  EXPECT_EQ(texts.bytes(), "onetwo");
  EXPECT_THAT(texts.ends(), testing::ElementsAre(0, 0, 3, 3, 6));
  EXPECT_TRUE(Texts().empty());
}

}  // namespace
}  // namespace pilake
