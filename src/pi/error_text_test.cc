// SPDX-License-Identifier: Apache-2.0
#include "pi/error_text.h"

#include <gmock/gmock.h>

namespace pilake::pi {
namespace {

constexpr std::string_view kJson = "application/json; charset=utf-8";

TEST(ErrorText, JoinsTheErrorsOfPiWebApi) {
  EXPECT_EQ(ErrorText(R"({"Errors":["The point is gone.","Ask \"again\"\nlater \u00e9"]})", kJson),
            "The point is gone.; Ask \"again\" later \u00e9");
}

TEST(ErrorText, ReadsTheMessageOfTheFramework) {
  EXPECT_EQ(ErrorText(R"({"Message":"An error has occurred.","ExceptionMessage":"Time-out",)"
                      R"("StackTrace":"at X"})",
                      kJson),
            "An error has occurred. Time-out");
}

TEST(ErrorText, TakesTheTitleOfAPage) {
  EXPECT_EQ(
      ErrorText("<HTML><HEAD><TITLE>Bad Request</TITLE></HEAD><BODY>x</BODY></HTML>", "text/html"),
      "Bad Request");
}

TEST(ErrorText, StripsThePageWithoutATitle) {
  EXPECT_EQ(ErrorText("<html><body><h1>Service\r\n Unavailable</h1></body>", "text/html"),
            "Service Unavailable");
}

TEST(ErrorText, ShowsTheBeginningOfAnythingElseOnOneLine) {
  EXPECT_EQ(ErrorText("no healthy\n\tupstream\x01", "text/plain"), "no healthy upstream");
  EXPECT_EQ(ErrorText("", ""), "");
}

TEST(ErrorText, NeverGrowsLongNorCutsACharacter) {
  std::string body = R"({"Errors":[")";
  for (int i = 0; i < 1000; ++i) body += "\u00e9";
  const std::string text = ErrorText(body + "\"]}", kJson);
  EXPECT_LE(text.size(), kErrorTextMax);
  EXPECT_TRUE(text.ends_with("\u00e9..."));
}

TEST(ErrorText, SurvivesBodiesThatAreCutAnywhere) {
  const std::string body = R"({"Errors":["a\u00e9\"b", "c"],"Message":"d"})";
  for (size_t length = 0; length <= body.size(); ++length) {
    EXPECT_LE(ErrorText(body.substr(0, length), kJson).size(), body.size());
  }
}

TEST(IsPiError, KnowsPiWebApisOwnWordsFromThoseOfOthers) {
  EXPECT_TRUE(IsPiError(R"({"Errors":["Not found."]})", kJson));
  EXPECT_TRUE(IsPiError(R"({"Message":"No HTTP resource was found."})", kJson));
  EXPECT_FALSE(IsPiError("<html><title>404</title>\"Message\":\"x\"</html>", "text/html"));
  EXPECT_FALSE(IsPiError(R"({"path":"/x","status":404})", kJson));
  EXPECT_FALSE(IsPiError("", ""));
}

}  // namespace
}  // namespace pilake::pi
