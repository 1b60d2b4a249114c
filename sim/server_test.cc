// SPDX-License-Identifier: Apache-2.0
#include "sim/server.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "sim/text.h"
#include "sim/webid.h"
#include "web/test_client.h"

namespace pilake::sim {
namespace {

using testing::HasSubstr;
using web::Get;
using web::Post;
using web::TestAnswer;

// A clock that stands still.
class StillClock : public Clock {
 public:
  UtcTime Now() const override { return *ParseUtcTime("2026-03-03T12:00:00Z"); }
  bool SleepUntil(UtcTime, const std::stop_token&) const override { return false; }
};

class OverTheWire : public testing::Test {
 protected:
  void Start(ServerOptions options) {
    options.plant = {"bench", 3, 1, *ParseUtcTime("2026-03-03T00:00:00Z")};
    auto server = Server::Start(std::move(options), clock_);
    ASSERT_THAT(server, IsOk());
    server_ = std::move(*server);
  }
  void StartWithFault(std::string_view fault) {
    ServerOptions options;
    ASSERT_THAT(ApplyFault(fault, options.faults), IsOk());
    Start(std::move(options));
  }
  TestAnswer Ask(const std::string& target, std::string_view headers = "",
                 int patience_millis = 0) {
    return Get(server_->port(), "/piwebapi" + target, headers, patience_millis);
  }
  std::string Recorded(int64_t max_count) {
    return fmt::format("/streams/P1DPUElTUlZcQkVOQ0guMDAwMDA/recorded?maxCount={}", max_count);
  }

  StillClock clock_;
  std::unique_ptr<Server> server_;
};

TEST_F(OverTheWire, LooksLikeTheVendorsServer) {
  Start({});
  const TestAnswer answer = Ask("/system");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.HasHeader("Server: Microsoft-HTTPAPI/2.0"));
  EXPECT_TRUE(answer.HasHeader("Content-Type: application/json; charset=utf-8"));
  EXPECT_THAT(answer.body,
              HasSubstr(fmt::format("http://127.0.0.1:{}/piwebapi/system", server_->port())));
  EXPECT_EQ(Get(server_->port(), "/PIWebAPI/System/Status?SelectedFields=State").body,
            R"({"State":"Running"})");
  EXPECT_EQ(server_->url(), fmt::format("http://127.0.0.1:{}/piwebapi", server_->port()));
}

TEST_F(OverTheWire, StreamsLongBodiesAndCountsThem) {
  Start({});
  const TestAnswer answer = Ask(Recorded(100'000));
  EXPECT_TRUE(answer.chunked);
  EXPECT_TRUE(answer.whole);
  EXPECT_GT(answer.body.size(), 10'000'000U);
  EXPECT_EQ(answer.body.back(), '}');
  const ServerCounters counters = server_->counters();
  EXPECT_EQ(counters.events, 100'000U);
  EXPECT_EQ(counters.series_reads, 1U);
  EXPECT_EQ(counters.recorded_calls, 1U);
  EXPECT_GE(counters.bytes, answer.body.size());
}

TEST_F(OverTheWire, AnswersOverlongRequestsInHtml) {
  Start({});
  const TestAnswer url = Ask("/system?x=" + std::string(16'384, 'a'));
  EXPECT_EQ(url.status, 400);
  EXPECT_THAT(url.head, HasSubstr("Content-Type: text/html"));
  EXPECT_THAT(url.body, HasSubstr("Request Too Long"));
  const TestAnswer segment = Ask("/streams/F1DP" + std::string(257, 'A') + "/recorded");
  EXPECT_EQ(segment.status, 400);
  EXPECT_THAT(segment.body, HasSubstr("Invalid URL"));
}

TEST_F(OverTheWire, WantsAHeaderAgainstForgedPosts) {
  Start({});
  EXPECT_EQ(Post(server_->port(), "/piwebapi/batch", "{}").status, 400);
  EXPECT_EQ(Post(server_->port(), "/piwebapi/batch", "{}", "X-Requested-With: pilake\r\n").status,
            207);
  EXPECT_EQ(Ask("/batch").status, 405);
}

TEST_F(OverTheWire, AnswersForgedPostsAsItsReadingSays) {
  ServerOptions options;
  options.readings.csrf_status = 403;
  Start(std::move(options));
  EXPECT_EQ(Post(server_->port(), "/piwebapi/batch", "{}").status, 403);
}

TEST_F(OverTheWire, LimitsRequestsPerSecond) {
  ServerOptions options;
  options.rate_limit = 5;
  Start(std::move(options));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask("/system").status, 200);
  const TestAnswer limited = Ask("/system");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.body, R"({"Errors":["Rate limit was reached"]})");
}

TEST_F(OverTheWire, CountsBatchPartsAgainstTheRateLimitIfThatIsTheReading) {
  const std::string_view batch =
      R"({"a":{"Method":"GET","Resource":"https://h/piwebapi/system"},"b":{"Method":"GET","Resource":"https://h/piwebapi/system"}})";
  ServerOptions options;
  options.rate_limit = 2;
  Start(options);
  EXPECT_THAT(Post(server_->port(), "/piwebapi/batch", batch, "X-Requested-With: x\r\n").body,
              HasSubstr("\"Status\":429"));
  options.readings.batch_parts_limited = false;
  Start(options);
  EXPECT_THAT(Post(server_->port(), "/piwebapi/batch", batch, "X-Requested-With: x\r\n").body,
              testing::Not(HasSubstr("\"Status\":429")));
  EXPECT_EQ(server_->counters().batch_parts, 2U);
}

TEST_F(OverTheWire, ChallengesWhoIsNotKnown) {
  ServerOptions options;
  options.basic = {"PLANT\\reader", "pass:word"};
  Start(std::move(options));
  const TestAnswer challenge = Ask("/system/userinfo");
  EXPECT_EQ(challenge.status, 401);
  EXPECT_THAT(challenge.head,
              HasSubstr("WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm="));
  EXPECT_EQ(Ask("/system/userinfo", "Authorization: Basic UExBTlRccmVhZGVyOndyb25n\r\n").status,
            401);
  const TestAnswer known =
      Ask("/system/userinfo", "Authorization: Basic UExBTlRccmVhZGVyOnBhc3M6d29yZA==\r\n");
  EXPECT_EQ(known.status, 200);
  EXPECT_THAT(known.body, HasSubstr(R"("Name":"PLANT\\reader")"));
}

TEST_F(OverTheWire, RefusesAndCountsWhatWouldWrite) {
  Start({});
  const std::string headers = "X-Requested-With: x\r\n";
  EXPECT_EQ(
      Post(server_->port(), "/piwebapi/streams/P1DPUElTUlZcQkVOQ0guMDAwMDA/recorded", "[]", headers)
          .status,
      403);
  EXPECT_EQ(Post(server_->port(), "/piwebapi/nowhere", "[]", headers).status, 404);
  const std::string batch =
      R"({"w":{"Method":"POST","Resource":"https://h/piwebapi/streams/P1DPUElTUlZcQkVOQ0guMDAwMDA/value","Content":"{}"}})";
  EXPECT_THAT(Post(server_->port(), "/piwebapi/batch", batch, headers).body,
              HasSubstr("\"Status\":403"));
  EXPECT_EQ(server_->counters().writes_refused, 3U);
}

TEST_F(OverTheWire, FailsWithTheStatusOfTheFault) {
  for (const auto& [fault, status] : {std::pair("401=1", 401),
                                      {"429=1", 429},
                                      {"500=1", 500},
                                      {"502=1", 502},
                                      {"503=1", 503},
                                      {"504=1", 504},
                                      {"html403=1", 403},
                                      {"html502=1", 502}}) {
    StartWithFault(fault);
    EXPECT_EQ(Ask("/system").status, status);
  }
}

TEST_F(OverTheWire, AnswersTwoHundredWithoutMeaningIt) {
  StartWithFault("empty200=1");
  EXPECT_EQ(Ask("/system").status, 200);
  EXPECT_EQ(Ask("/system").body, "");
  StartWithFault("html200=1");
  EXPECT_THAT(Ask("/system").head, HasSubstr("Content-Type: text/html"));
  ServerOptions garbage;
  garbage.garbage = true;
  Start(std::move(garbage));
  EXPECT_THAT(Ask("/system").head, HasSubstr("application/json"));
  ServerOptions login;
  login.login_page = true;
  Start(std::move(login));
  EXPECT_THAT(Ask("/system").body, HasSubstr("<form"));
}

TEST_F(OverTheWire, SaysNothingOrStopsInItsMiddle) {
  constexpr int kPatience = 200;
  StartWithFault("hang_up=1");
  EXPECT_EQ(Ask("/system", "", kPatience).head, "");
  StartWithFault("cut_head=1");
  EXPECT_EQ(Ask("/system", "", kPatience).head, "HTTP/1.1 200 OK\r\n");
  StartWithFault("no_answer=1");
  EXPECT_TRUE(Ask("/system", "", kPatience).silent);
  StartWithFault("stall=1");
  const TestAnswer answer = Ask(Recorded(50'000), "", kPatience);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.silent);
}

TEST_F(OverTheWire, CountsTheFaultsThatStruck) {
  ServerOptions options;
  options.faults.rules = {{.fault = Fault::k500, .rate = 1, .first_call = 2, .last_call = 4}};
  Start(std::move(options));
  std::vector<int> statuses;
  for (int i = 0; i < 7; ++i) statuses.push_back(Ask("/system").status);
  EXPECT_THAT(statuses, testing::ElementsAre(200, 200, 500, 500, 500, 200, 200));
  auto expected = std::array<uint64_t, kFaultKinds>{};
  expected[static_cast<size_t>(Fault::k500)] = 3;
  EXPECT_EQ(server_->counters().faults, expected);
}

// An empty answer has no item behind which it could fail.
TEST_F(OverTheWire, CountsAWebExceptionOnlyWhereItWasSeen) {
  StartWithFault("webexception=1");
  const auto struck = [&] {
    return server_->counters().faults[static_cast<size_t>(Fault::kWebException)];
  };
  uint64_t seen = 0;
  for (int i = 0; i < 30; ++i) {
    if (Ask(Recorded(3)).body.find("WebException") != std::string::npos) ++seen;
  }
  EXPECT_GT(seen, 2U);
  EXPECT_EQ(struck(), seen);
}

TEST_F(OverTheWire, LetsAScriptSayWhenFaultsStrike) {
  ServerOptions options;
  options.script = *ParseScript(
      "fault 503 rate 1 from 2026-03-03T11:00:00Z to 2026-03-03T13:00:00Z\n"
      "fault 500 rate 1 from 2026-03-03T13:00:00Z\n");
  Start(std::move(options));
  EXPECT_EQ(Ask("/system").status, 503);
}

TEST_F(OverTheWire, PutsEverySecondCallOnALaggingMemberUnlessItHasACookie) {
  ServerOptions options;
  options.script =
      *ParseScript("failover from 2026-03-03T11:00:00Z to 2026-03-03T13:00:00Z lag 2h split");
  Start(std::move(options));
  const std::string value = "/streams/P1DPUElTUlZcQkVOQ0guMDAwMDA/value?selectedFields=Timestamp";
  const std::string one = Ask(value).body, two = Ask(value).body;
  EXPECT_THAT(one, HasSubstr("2026-03-03T11:59:59"));
  EXPECT_THAT(two, HasSubstr("2026-03-03T09:59:59"));
  EXPECT_TRUE(Ask(value).HasHeader("Set-Cookie: PIMEMBER=0; path=/piwebapi"));
  EXPECT_TRUE(Ask(value).HasHeader("Set-Cookie: PIMEMBER=1; path=/piwebapi"));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Ask(value, "Cookie: a=b; PIMEMBER=0\r\n").body, one);
    EXPECT_EQ(Ask(value, "Cookie: PIMEMBER=1\r\n").body, two);
  }
  EXPECT_THAT(Ask(value, "Cookie: PIMEMBER=1\r\n").head, testing::Not(HasSubstr("Set-Cookie")));
}

TEST_F(OverTheWire, NeverAnswersABatchOfWhichAPartDoesNot) {
  ServerOptions options;
  options.script = *ParseScript("unreadable BENCH.00001 as silent");
  Start(std::move(options));
  const std::string batch = R"({"a":{"Method":"GET","Resource":"https://h/piwebapi/system"},)"
                            R"("b":{"Method":"GET","Resource":)"
                            R"("https://h/piwebapi/streams/P1DPUElTUlZcQkVOQ0guMDAwMDE/value"}})";
  const TestAnswer answer =
      Post(server_->port(), "/piwebapi/batch", batch, "X-Requested-With: x\r\n", 200);
  EXPECT_EQ(answer.status, 207);
  EXPECT_TRUE(answer.silent);
}

TEST_F(OverTheWire, BreaksBodiesOffInTheirMiddle) {
  StartWithFault("truncate=1");
  TestAnswer answer = Ask(Recorded(50'000));
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.whole);
  EXPECT_FALSE(Ask("/system").whole);
  StartWithFault("reset=1");
  answer = Ask(Recorded(50'000));
  EXPECT_FALSE(answer.whole);
  EXPECT_TRUE(answer.reset);
}

TEST_F(OverTheWire, EndsBodiesWithAWebException) {
  StartWithFault("webexception=1");
  const TestAnswer answer = Ask(Recorded(50'000));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(answer.body, HasSubstr(R"("WebException":{"Errors":[)"));
}

TEST_F(OverTheWire, FailsPartsOfABatch) {
  StartWithFault("part500=1");
  const TestAnswer answer = Post(server_->port(), "/piwebapi/batch",
                                 R"({"a":{"Method":"GET","Resource":"https://h/piwebapi/system"}})",
                                 "X-Requested-With: x\r\n");
  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(answer.body, HasSubstr("\"Status\":500"));
}

TEST_F(OverTheWire, ListsAHundredThousandPointsQuickly) {
  ServerOptions options;
  options.plant = {"wide", 100'000, 1, *ParseUtcTime("2026-03-03T00:00:00Z")};
  auto server = Server::Start(std::move(options), clock_);
  ASSERT_THAT(server, IsOk());
  size_t bytes = 0, pages = 0;
  for (int start = 0; start < 100'000; start += 10'000) {
    WebId id;
    id.type = WebIdType::kPathOnly;
    id.kind = WebIdKind::kDataServer;
    id.path = "PISRV";
    const TestAnswer page =
        Get((*server)->port(),
            fmt::format("/piwebapi/dataservers/{}/"
                        "points?maxCount=10000&startIndex={}&selectedFields=Items.WebId;Items.Name",
                        WriteWebId(id), start));
    EXPECT_EQ(page.status, 200);
    bytes += page.body.size();
    ++pages;
  }
  EXPECT_EQ(pages, 10U);
  EXPECT_GT(bytes, 100'000U * 60);
}

TEST_F(OverTheWire, WritesItsAuthorityWhereAClientCanFindIt) {
  ServerOptions options;
  options.tls_folder = (std::filesystem::path(testing::TempDir()) / "tls").string();
  Start(options);
  EXPECT_THAT(server_->url(), HasSubstr("https://127.0.0.1:"));
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(options.tls_folder) / "ca.pem"));
}

TEST(Server, SaysWhyItCannotStart) {
  const StillClock clock;
  ServerOptions options;
  options.plant.name = "petrol";
  EXPECT_THAT(Server::Start(options, clock), FailsWith(ErrorKind::kInvalid));
  options = {};
  options.tls_folder = "/proc/nowhere";
  EXPECT_THAT(Server::Start(options, clock), FailsWith(ErrorKind::kInvalid));
}

TEST_F(OverTheWire, RegistersForUpdatesWithTheHeaderAgainstForgedPostsAndNotInABatch) {
  Start({});
  const std::string target = "/piwebapi/streams/P1DPUElTUlZcQkVOQ0guMDAwMDA/updates";
  EXPECT_EQ(Post(server_->port(), target, "").status, 400);
  EXPECT_EQ(Post(server_->port(), target, "", "X-Requested-With: pilake\r\n").status, 200);
  const TestAnswer batch =
      Post(server_->port(), "/piwebapi/batch",
           R"({"a":{"Method":"POST","Resource":"https://h)" + target + R"("}})",
           "X-Requested-With: pilake\r\n");
  EXPECT_THAT(batch.body, HasSubstr("\"Status\":403"));
  const ServerCounters counters = server_->counters();
  EXPECT_EQ(counters.registrations, 1U);
  EXPECT_EQ(counters.writes_refused, 1U);
}

TEST_F(OverTheWire, IsAwayWhileItRestarts) {
  ServerOptions options;
  options.script = *ParseScript("restart at 2026-03-03T11:59:00Z over 2m");
  Start(std::move(options));
  EXPECT_EQ(Ask("/system").status, 503);
}

}  // namespace
}  // namespace pilake::sim
