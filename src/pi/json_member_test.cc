// SPDX-License-Identifier: Apache-2.0
#include "pi/json_member.h"

#include <gmock/gmock.h>

namespace pilake::pi {
namespace {

TEST(MemberText, ReadsTextsAndListsOfThem) {
  EXPECT_EQ(MemberText(R"({"a": "b\"c", "d":["e", "f"]})", "a"), "b\"c");
  EXPECT_EQ(MemberText(R"({"a": "b", "d":["e", "f"]})", "d"), "e; f");
  EXPECT_EQ(MemberText(R"({"a_b": "no", "a": "yes"})", "a"), "yes");
  EXPECT_EQ(MemberText(R"({"a": 1})", "a"), "");
  EXPECT_EQ(MemberText(R"({"a": "never ends)", "a"), "never ends");
}

TEST(MemberNumber, ReadsWholeNumbersInQuotesToo) {
  EXPECT_EQ(MemberNumber(R"({"expires_in": 30})", "expires_in"), 30);
  EXPECT_EQ(MemberNumber(R"({"expires_in":"3600"})", "expires_in"), 3600);
  EXPECT_EQ(MemberNumber(R"({"expires_in": null})", "expires_in"), std::nullopt);
  EXPECT_EQ(MemberNumber(R"({"expires": 1})", "expires_in"), std::nullopt);
  EXPECT_EQ(MemberNumber(R"({"expires_in":)", "expires_in"), std::nullopt);
}

}  // namespace
}  // namespace pilake::pi
