// SPDX-License-Identifier: Apache-2.0
#include "pi/sign_on.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "pi/base64.h"

namespace pilake::pi {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = AuthOptions::Kind;

Endpoint EndpointFor(AuthOptions auth) {
  HttpOptions options;
  options.url = "https://pi.example.com/piwebapi";
  options.auth = std::move(auth);
  return CheckEndpoint(std::move(options)).value();
}

/// A JWT that runs out after `lifetime`, as far as its claims go; they hold `mark` too.
std::string Jwt(Duration lifetime, int mark) {
  const int64_t end = (SystemClock().Now() + lifetime).ticks / 10'000'000;
  std::string claims = ToBase64(fmt::format(R"({{"mark":{},"exp":{}}})", mark, end));
  while (claims.ends_with('=')) claims.pop_back();
  return "e30." + claims + ".c2ln";
}

/// A command that gives tokens of `lifetime`, each another one.
struct Issuer {
  Duration lifetime;
  bool fails = false;
  int asked = 0;

  AuthOptions auth() {
    return {.kind = Kind::kBearer,
            .username = "",
            .password = "",
            .token = "",
            .token_command = [this]() -> Result<std::string> {
              ++asked;
              if (fails) return Fail(ErrorKind::kInvalid, "'issue' ended with code 1");
              return Jwt(lifetime, asked);
            }};
  }
};

TEST(SignOn, AsksTheCommandOnceForManyRequests) {
  Issuer issuer{.lifetime = Duration::Hours(1)};
  const auto sign_on = MakeSignOn(EndpointFor(issuer.auth())).value();
  const std::string first = *sign_on->Authorization();
  EXPECT_EQ(first, "Bearer " + Jwt(Duration::Hours(1), 1));
  EXPECT_EQ(*sign_on->Authorization(), first);
  EXPECT_EQ(issuer.asked, 1);
}

/// Asks on until the command was asked so often, for five seconds at most; the last answer.
std::string AskUntil(SignOn& sign_on, const Issuer& issuer, int asked) {
  const UtcTime begin = SteadyNow();
  std::string last = *sign_on.Authorization();
  while (issuer.asked < asked && SteadyNow() - begin < Duration::Seconds(5)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    last = *sign_on.Authorization();
  }
  return last;
}

TEST(SignOn, AsksTheCommandAgainBeforeATokenRunsOut) {
  Issuer issuer{.lifetime = Duration::Seconds(3)};
  const auto sign_on = MakeSignOn(EndpointFor(issuer.auth())).value();
  const UtcTime begin = SteadyNow();
  const std::string first = *sign_on->Authorization();
  EXPECT_NE(AskUntil(*sign_on, issuer, 2), first);
  EXPECT_LT(SteadyNow() - begin, Duration::Seconds(3));
}

TEST(SignOn, AsksTheCommandNotForEachRequestWhereAClockIsAhead) {
  Issuer issuer{.lifetime = Duration::Hours(-1)};
  const auto sign_on = MakeSignOn(EndpointFor(issuer.auth())).value();
  for (int i = 0; i < 10; ++i) ASSERT_THAT(sign_on->Authorization(), IsOk());
  EXPECT_EQ(issuer.asked, 1);
}

TEST(SignOn, AsksTheCommandAgainOnceForAllThatWereRefusedWithOneToken) {
  Issuer issuer{.lifetime = Duration::Hours(1)};
  const auto sign_on = MakeSignOn(EndpointFor(issuer.auth())).value();
  const std::string first = *sign_on->Authorization();
  EXPECT_TRUE(sign_on->Renew(first));
  const std::string second = *sign_on->Authorization();
  EXPECT_NE(second, first);
  EXPECT_TRUE(sign_on->Renew(first));
  EXPECT_EQ(*sign_on->Authorization(), second);
  EXPECT_EQ(issuer.asked, 2);
}

TEST(SignOn, GoesOnWithAGoodTokenWhileTheCommandFails) {
  Issuer issuer{.lifetime = Duration::Seconds(4)};
  const auto sign_on = MakeSignOn(EndpointFor(issuer.auth())).value();
  const std::string first = *sign_on->Authorization();
  issuer.fails = true;
  EXPECT_EQ(AskUntil(*sign_on, issuer, 2), first);
  EXPECT_EQ(*sign_on->Authorization(), first);
  EXPECT_EQ(issuer.asked, 2) << "it is asked again after a pause";
}

TEST(SignOn, SaysWhatFailedWhenThereIsNoToken) {
  Issuer issuer{.lifetime = Duration::Hours(1), .fails = true};
  const auto sign_on = MakeSignOn(EndpointFor(issuer.auth())).value();
  const auto none = sign_on->Authorization();
  EXPECT_THAT(none, FailsWith(ErrorKind::kAuth));
  EXPECT_EQ(none.error().message, "source.auth.token_command: 'issue' ended with code 1");
}

TEST(SignOn, RefusesATokenThatWouldBreakTheHeader) {
  AuthOptions auth = Issuer{}.auth();
  auth.token_command = []() -> Result<std::string> { return "s3cret\r\nX-Evil: yes"; };
  const auto none = MakeSignOn(EndpointFor(auth)).value()->Authorization();
  EXPECT_THAT(none, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(none.error().message,
              AllOf(HasSubstr("control character"), Not(HasSubstr("s3cret"))));
}

class SignOnByFile : public testing::Test {
 protected:
  SignOnByFile() {
    AuthOptions auth;
    auth.kind = Kind::kBearer;
    auth.token_file = path_;
    sign_on_ = MakeSignOn(EndpointFor(std::move(auth))).value();
  }
  ~SignOnByFile() override { std::filesystem::remove(path_); }
  void Write(const std::string& text) const { std::ofstream(path_) << text; }

  const std::string path_ = testing::TempDir() + "pilake_sign_on_test_" + std::to_string(getpid());
  std::unique_ptr<SignOn> sign_on_;
};

TEST_F(SignOnByFile, TakesWhateverStandsThereNow) {
  Write("first\n");
  EXPECT_EQ(*sign_on_->Authorization(), "Bearer first");
  Write("second");
  EXPECT_EQ(*sign_on_->Authorization(), "Bearer second");
}

TEST_F(SignOnByFile, NamesTheFileThatIsMissingOrEmpty) {
  EXPECT_THAT(sign_on_->Authorization(), FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(sign_on_->Authorization().error().message,
              AllOf(HasSubstr("source.auth.token_file"), HasSubstr(path_), HasSubstr("No such")));
  Write("\n");
  EXPECT_THAT(sign_on_->Authorization().error().message,
              AllOf(HasSubstr(path_), HasSubstr("empty")));
}

TEST(LifetimeOfJwt, IsUntilItsEnd) {
  const UtcTime now = SystemClock().Now();
  const auto lifetime = LifetimeOfJwt(Jwt(Duration::Minutes(10), 1), now);
  ASSERT_TRUE(lifetime);
  EXPECT_LE(*lifetime, Duration::Minutes(10));
  EXPECT_GE(*lifetime, Duration::Minutes(10) - Duration::Seconds(2));
}

TEST(LifetimeOfJwt, IsUnknownOfAnythingElse) {
  for (const char* token : {"", "opaque", "a.b", "a.!.c", "e30.e30.c2ln", ".."}) {
    EXPECT_EQ(LifetimeOfJwt(token, {}), std::nullopt) << token;
  }
}

TEST(RenewalMargin, IsAMinuteOrAThirdOfAShortLife) {
  EXPECT_EQ(RenewalMargin(Duration::Hours(1)), Duration::Minutes(1));
  EXPECT_EQ(RenewalMargin(Duration::Seconds(30)), Duration::Seconds(10));
}

}  // namespace
}  // namespace pilake::pi
