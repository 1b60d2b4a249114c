// SPDX-License-Identifier: Apache-2.0
#include "sim/text.h"

#include <gmock/gmock.h>

namespace pilake::sim {
namespace {

using testing::Eq;
using testing::Optional;

TEST(MatchesName, KnowsTheWildcardsOfNameFilters) {
  EXPECT_TRUE(MatchesName("", "anything"));
  EXPECT_TRUE(MatchesName("u1.*", "U1.FIC-101.PV"));
  EXPECT_TRUE(MatchesName("*.PV", "U1.FIC-101.PV"));
  EXPECT_TRUE(MatchesName("U?.*", "U1.X"));
  EXPECT_TRUE(MatchesName("U[12].X", "u2.x"));
  EXPECT_TRUE(MatchesName("U[!12].X", "U3.X"));
  EXPECT_TRUE(MatchesName("a\\*b", "A*B"));
  EXPECT_TRUE(MatchesName("?roiß", "ßroiß"));
  EXPECT_FALSE(MatchesName("U1", "U1.FIC"));
  EXPECT_FALSE(MatchesName("U[!12].X", "U2.X"));
  EXPECT_FALSE(MatchesName("a\\*b", "AxB"));
  EXPECT_FALSE(MatchesName("U?.*", "U12.X"));
}

TEST(PercentDecode, ReadsWhatBrowsersWrite) {
  EXPECT_THAT(PercentDecode("a%20b%2Bc+d", true), Optional(Eq("a b+c d")));
  EXPECT_THAT(PercentDecode("a+d", false), Optional(Eq("a+d")));
  EXPECT_THAT(PercentDecode("100%25", false), Optional(Eq("100%")));
  EXPECT_EQ(PercentDecode("100%", false), std::nullopt);
  EXPECT_EQ(PercentDecode("%zz", false), std::nullopt);
}

TEST(PercentEncode, GivesWhatDecodesToTheSame) {
  const std::string text = "A+B=C & 100% \\\\PISRV\\Größe";
  EXPECT_THAT(PercentDecode(PercentEncode(text), true), Optional(Eq(text)));
}

}  // namespace
}  // namespace pilake::sim
