// SPDX-License-Identifier: Apache-2.0
#include "plan/name_mask.h"

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

TEST(MatchesMask, SpeaksTheWildcardsOfPi) {
  EXPECT_TRUE(MatchesMask("U1.FIC101.PV", "U1.*"));
  EXPECT_TRUE(MatchesMask("u1.fic101.pv", "U1.*.PV"));
  EXPECT_TRUE(MatchesMask("FIC1", "FIC?"));
  EXPECT_TRUE(MatchesMask("FIC2", "FIC[123]"));
  EXPECT_TRUE(MatchesMask("FIC9", "FIC[!123]"));
  EXPECT_TRUE(MatchesMask("anything", "*"));
  EXPECT_TRUE(MatchesMask("", "*"));
  EXPECT_TRUE(MatchesMask("a*b", "a\\*b"));
  EXPECT_TRUE(MatchesMask("Grün", "gr?n"));
  EXPECT_TRUE(MatchesMask("aaab", "*a*ab"));
}

TEST(MatchesMask, RefusesWhatDiffers) {
  EXPECT_FALSE(MatchesMask("U10.X", "U1.*"));
  EXPECT_FALSE(MatchesMask("FIC", "FIC?"));
  EXPECT_FALSE(MatchesMask("FIC1", "FIC[!123]"));
  EXPECT_FALSE(MatchesMask("axb", "a\\*b"));
  EXPECT_FALSE(MatchesMask("abc", "abcd"));
  EXPECT_FALSE(MatchesMask("abcd", "abc"));
  EXPECT_FALSE(MatchesMask("x", ""));
}

TEST(MatchesMask, EndsQuicklyOnManyStars) {
  EXPECT_FALSE(MatchesMask(std::string(5'000, 'a'), "*a*a*a*a*a*a*a*a*b"));
}

TEST(SameName, KnowsNoCase) {
  EXPECT_TRUE(SameName("U1.Fic101", "u1.FIC101"));
  EXPECT_FALSE(SameName("U1.FIC101", "U1.FIC10"));
  EXPECT_EQ(FoldedName("U1.Fic\u00c4"), "u1.fic\u00c4");
}

}  // namespace
}  // namespace pilake::plan
