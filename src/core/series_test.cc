// SPDX-License-Identifier: Apache-2.0
#include "core/series.h"

#include <optional>
#include <vector>

#include "core/matchers.h"

namespace pilake {
namespace {

// The test vectors of wire §3.
TEST(PointWebId, MintsTheIdOnlyFormFromAServersWebId) {
  EXPECT_THAT(PointWebId("I1DSRDMiEWZViHeZqrvM3e7_AA", 4242),
              IsOkWith("I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA"));
  EXPECT_THAT(PointWebId("F1DStNdEETiNm02M4FYFgorKtQRUMyQU1BWi01QjFCNFJM", 67),
              IsOkWith("I1DPtNdEETiNm02M4FYFgorKtQQwAAAA"));
}

TEST(PointWebId, RefusesAWebIdWithoutAServersGuid) {
  for (const char* text : {"", "P1DSUElTUlYwMQ", "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA", "I1DS"}) {
    EXPECT_THAT(PointWebId(text, 1), FailsWith(ErrorKind::kMalformed)) << text;
  }
}

TEST(ParsePointType, KnowsTheTypesOfPi) {
  EXPECT_EQ(ParsePointType("Float32"), PointType::kFloat32);
  EXPECT_EQ(ParsePointType("Timestamp"), PointType::kTimestamp);
  EXPECT_EQ(ParsePointType("Vector9"), PointType::kUnknown);
}

TEST(FindSeries, FindsASeriesByItsWebIdAmongThoseInKeyOrder) {
  std::vector<Series> series(3);
  series[0].web_id = "I1DPa";
  series[1].web_id = "I1DPc";
  series[2].web_id = "I1DPe";
  EXPECT_EQ(FindSeries(series, "I1DPa"), 0);
  EXPECT_EQ(FindSeries(series, "I1DPe"), 2);
  for (const char* absent : {"", "I1DPb", "I1DPf"})
    EXPECT_EQ(FindSeries(series, absent), std::nullopt) << absent;
  EXPECT_EQ(FindSeries({}, "I1DPa"), std::nullopt);
}

TEST(ServerOf, IsTheFirstPartOfThePath) {
  Series series;
  series.path = R"(\\PISRV01\U1.TEMP)";
  EXPECT_EQ(ServerOf(series), R"(\\PISRV01)");
  series.path = "";
  EXPECT_EQ(ServerOf(series), "");
}

}  // namespace
}  // namespace pilake
