// SPDX-License-Identifier: Apache-2.0
#include "sim/webid.h"

#include <gmock/gmock.h>

#include "core/matchers.h"

namespace pilake::sim {
namespace {

WebId Point(WebIdType type) {
  WebId id;
  id.type = type;
  id.kind = WebIdKind::kPoint;
  id.server = *ParseGuid("11223344-5566-7788-99aa-bbccddeeff00");
  id.point_id = 4242;
  id.path = "PISRV01\\Sinusoid";
  return id;
}

// The vectors of the wire reference, §3.
TEST(WriteWebId, WritesAPointInEveryForm) {
  EXPECT_EQ(WriteWebId(Point(WebIdType::kFull)),
            "F1DPRDMiEWZViHeZqrvM3e7_AAkhAAAAUElTUlYwMVxTSU5VU09JRA");
  EXPECT_EQ(WriteWebId(Point(WebIdType::kIdOnly)), "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA");
  EXPECT_EQ(WriteWebId(Point(WebIdType::kPathOnly)), "P1DPUElTUlYwMVxTSU5VU09JRA");
  EXPECT_EQ(WriteWebId(Point(WebIdType::kLocalIdOnly)), "L1DPkhAAAA");
  EXPECT_EQ(WriteWebId(Point(WebIdType::kDefaultIdOnly)), "D1DPkhAAAA");
}

TEST(WriteWebId, WritesADataServer) {
  WebId id;
  id.kind = WebIdKind::kDataServer;
  id.server = *ParseGuid("1144d7b4-8d38-4d9b-8ce0-5605828acab5");
  id.path = "EC2AMAZ-5B1B4RL";
  EXPECT_EQ(WriteWebId(id), "F1DStNdEETiNm02M4FYFgorKtQRUMyQU1BWi01QjFCNFJM");
  id.type = WebIdType::kPathOnly;
  id.path = "pisrv01";
  EXPECT_EQ(WriteWebId(id), "P1DSUElTUlYwMQ");
}

TEST(ReadWebId, ReadsAPublishedPoint) {
  const auto id = ReadWebId("F1DPtNdEETiNm02M4FYFgorKtQQwAAAARUMyQU1BWi01QjFCNFJM");
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(id->kind, WebIdKind::kPoint);
  EXPECT_EQ(FormatGuid(id->server), "1144d7b4-8d38-4d9b-8ce0-5605828acab5");
  EXPECT_EQ(id->point_id, 67);
  EXPECT_EQ(id->path, "EC2AMAZ-5B1B4RL");
}

TEST(ReadWebId, GivesBackWhatWasWrittenInEveryForm) {
  for (const auto type : {WebIdType::kFull, WebIdType::kIdOnly, WebIdType::kPathOnly,
                          WebIdType::kLocalIdOnly, WebIdType::kDefaultIdOnly}) {
    const std::string text = WriteWebId(Point(type));
    const auto id = ReadWebId(text);
    ASSERT_THAT(id, IsOk()) << text;
    EXPECT_EQ(WriteWebId(*id), text);
    if (type != WebIdType::kPathOnly) {
      EXPECT_EQ(id->point_id, 4242);
    }
  }
}

TEST(ReadWebId, RefusesWhatIsNone) {
  for (const char* text : {"", "F", "F0DPabc", "X1DPabc", "F1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA",
                           "I1DPRDMiEWZViHeZqrvM3e7_AAkhAA", "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAAx",
                           "I1DPRDMiEWZViHeZqrvM3e7+AAkhAAAA", "P1DP"}) {
    EXPECT_THAT(ReadWebId(text), FailsWith(ErrorKind::kMalformed)) << text;
  }
}

TEST(ReadWebId, KnowsThatOtherObjectsExist) {
  const auto id = ReadWebId("P1EmQUZTUlZcUExBTlRcVU5JVDE");
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(id->kind, WebIdKind::kOther);
}

TEST(ParseWebIdType, TakesAnyCase) {
  EXPECT_THAT(ParseWebIdType("idonly"), IsOkWith(WebIdType::kIdOnly));
  EXPECT_THAT(ParseWebIdType("Short"), FailsWith(ErrorKind::kInvalid));
}

TEST(UpperInvariant, RaisesLettersOfSeveralScriptsAndLeavesTheRest) {
  EXPECT_EQ(UpperInvariant("größe 5 °"), "GRÖßE 5 °");
  EXPECT_EQ(UpperInvariant("нас"), "НАС");
  EXPECT_EQ(UpperInvariant("温🏭"), "温🏭");
}

}  // namespace
}  // namespace pilake::sim
