// SPDX-License-Identifier: Apache-2.0
#include "pi/base64.h"

#include <gmock/gmock.h>

namespace pilake::pi {
namespace {

TEST(ToBase64, IsTheTextOfTheStandardsOwnExamples) {  // RFC 4648 §10
  EXPECT_EQ(ToBase64(""), "");
  EXPECT_EQ(ToBase64("f"), "Zg==");
  EXPECT_EQ(ToBase64("fo"), "Zm8=");
  EXPECT_EQ(ToBase64("foo"), "Zm9v");
  EXPECT_EQ(ToBase64("foob"), "Zm9vYg==");
  EXPECT_EQ(ToBase64("\xfb\xff\xfe"), "+//+");
}

TEST(FromBase64Url, GivesTheBytesBack) {
  EXPECT_EQ(FromBase64Url("Zm9vYg"), "foob");
  EXPECT_EQ(FromBase64Url("-__-"), "\xfb\xff\xfe");
  EXPECT_EQ(FromBase64Url(""), "");
}

TEST(FromBase64Url, RefusesWhatIsNone) {
  EXPECT_EQ(FromBase64Url("+//+"), std::nullopt);
  EXPECT_EQ(FromBase64Url("Zm9vY"), std::nullopt);
  EXPECT_EQ(FromBase64Url("Zg=="), std::nullopt);
}

}  // namespace
}  // namespace pilake::pi
