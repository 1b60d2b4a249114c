// SPDX-License-Identifier: Apache-2.0
// A whole issuer, whose tokens run out, is in tests/company.
#include "pi/http_oidc.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "pi/raw_server.h"

namespace pilake::pi {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Answers each request with the next of `answers`, JSON or a whole response; what it was asked.
class ScriptedIssuer {
 public:
  explicit ScriptedIssuer(std::vector<std::string> answers)
      : answers_(std::move(answers)), server_([this](Connection& peer) { Serve(peer); }) {}

  Result<Token> Fetch() {
    HttpOptions options;
    options.url = "http://127.0.0.1:1/piwebapi";
    options.auth.kind = AuthOptions::Kind::kOidc;
    options.auth.issuer = server_.url();
    options.auth.client_id = "pi lake";
    options.auth.client_secret = "s3cret/+";
    options.auth.scope = "system";
    return OidcIssuer::Make(CheckEndpoint(std::move(options)).value()).value()->Fetch();
  }
  std::string url() const { return server_.url(); }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  void Serve(Connection& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      asked_.push_back(std::move(request));
      std::string answer = answers_.at(asked_.size() - 1);
      const size_t here = answer.find("HERE");
      if (here != std::string::npos) answer.replace(here, 4, server_.url());
      if (answer.starts_with("HTTP/")) {
        peer.Send(answer);
      } else {
        peer.SendJson(answer);
      }
    }
  }

  std::vector<std::string> answers_;
  std::vector<std::string> asked_;
  RawServer server_;
};

constexpr const char* kDiscovered = R"({"token_endpoint":"HERE/token"})";
constexpr const char* kGiven =
    R"({"access_token":"abc.def","expires_in":30,"token_type":"Bearer"})";

TEST(OidcIssuer, IsAskedWhereTokensAreToBeHadAndThenForOne) {
  ScriptedIssuer issuer({kDiscovered, kGiven});
  const auto token = issuer.Fetch();
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->text, "abc.def");
  EXPECT_EQ(token->lifetime, Duration::Seconds(30));
  EXPECT_THAT(
      issuer.asked(),
      ElementsAre(StartsWith("GET /piwebapi/.well-known/openid-configuration HTTP/1.1\r\n"),
                  // "pi%20lake:s3cret%2F%2B"
                  AllOf(StartsWith("POST /piwebapi/token HTTP/1.1\r\n"),
                        HasSubstr("Authorization: Basic cGklMjBsYWtlOnMzY3JldCUyRiUyQg==\r\n"),
                        HasSubstr("\r\n\r\ngrant_type=client_credentials&scope=system"))));
}

TEST(OidcIssuer, IsToldTheSecretInTheFormWhereItKnowsNoOtherWay) {
  ScriptedIssuer issuer({R"({"token_endpoint":"HERE/token",
                             "token_endpoint_auth_methods_supported":["client_secret_post"]})",
                         kGiven});
  ASSERT_THAT(issuer.Fetch(), IsOk());
  EXPECT_THAT(issuer.asked().back(),
              AllOf(HasSubstr("&client_id=pi%20lake&client_secret=s3cret%2F%2B"),
                    Not(HasSubstr("Authorization"))));
}

TEST(OidcIssuer, SaysInItsOwnWordsWhyThereIsNoToken) {
  ScriptedIssuer issuer({kDiscovered,
                         "HTTP/1.1 401 Unauthorized\r\nContent-Length: 62\r\n\r\n"
                         R"({"error":"invalid_client","error_description":"wrong secret."})"});
  const auto token = issuer.Fetch();
  EXPECT_THAT(token, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(token.error().message,
              AllOf(HasSubstr("client 'pi lake' no token: invalid_client: wrong secret"),
                    HasSubstr("source.auth.client_id"), Not(HasSubstr("s3cret"))));
}

TEST(OidcIssuer, IsNoneWhereNothingTellsOfTokens) {
  ScriptedIssuer issuer({"{}"});
  const auto token = issuer.Fetch();
  EXPECT_THAT(token, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(token.error().message,
              AllOf(HasSubstr("/.well-known/openid-configuration does not tell where tokens"),
                    HasSubstr("source.auth.issuer")));
}

TEST(OidcIssuer, IsWorthAnotherTryWhereItFailsItself) {
  ScriptedIssuer issuer({kDiscovered, "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"});
  EXPECT_THAT(issuer.Fetch(), FailsWith(ErrorKind::kUnreachable));
}

}  // namespace
}  // namespace pilake::pi
