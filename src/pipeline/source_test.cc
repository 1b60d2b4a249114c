// SPDX-License-Identifier: Apache-2.0
// What a source makes of servers that fail in every way we know of.
#include "pipeline/source.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "decode/catalog.h"
#include "delta/uuid.h"
#include "pi/raw_server.h"

namespace pilake::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kStatus = R"({"State":"Running","ServerTime":"2026-03-04T09:30:00Z"})";
constexpr const char* kJsonHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

std::string Response(std::string_view status, std::string_view type, std::string_view body,
                     std::string_view header = "") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n{}", status,
                     type, header, body.size(), body);
}

/// Sends each answer of `answers` in turn, then good ones; one connection an answer. Counts.
class Script {
 public:
  explicit Script(std::vector<std::string> answers) : answers_(std::move(answers)) {}

  void operator()(pi::Connection& peer) {
    if (peer.ReadRequest().empty()) return;
    const size_t which = asked++;
    if (which >= answers_.size() || answers_[which] == "good") {
      peer.Send(std::string(kJsonHead) + "Connection: close\r\nContent-Length: " +
                std::to_string(std::string_view(kStatus).size()) + "\r\n\r\n" + kStatus);
    } else if (answers_[which] == "reset") {
      peer.Reset();
    } else if (answers_[which] == "silence") {
      peer.WaitForClose();
    } else {
      peer.Send(answers_[which]);
    }
  }

  std::atomic<size_t> asked = 0;

 private:
  const std::vector<std::string> answers_;
};

SourceOptions OptionsFor(const std::string& url) {
  SourceOptions options;
  options.http.url = url;
  options.http.stall_timeout = Duration::Millis(200);
  options.first_pause = Duration::Millis(1);
  options.budget = {
      .in_flight = 4, .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0};
  return options;
}

/// A source in front of a scripted server.
class Bench {
 public:
  explicit Bench(std::vector<std::string> answers)
      : script(std::move(answers)), server_(std::ref(script)), options(OptionsFor(server_.url())) {}

  Source& source() {
    if (!source_) source_ = std::move(Source::Open(options, progress, stop.get_token()).value());
    return *source_;
  }
  Result<decode::SystemStatus> Ask() {
    return source().Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus);
  }

  Script script;

 private:
  pi::RawServer server_;

 public:
  SourceOptions options;
  Progress progress;
  std::stop_source stop;

 private:
  std::unique_ptr<Source> source_;
};

struct BadAnswer {
  const char* what;
  std::string bytes;
};
void PrintTo(const BadAnswer& answer, std::ostream* out) {
  *out << answer.what;
}

class ForAMoment : public testing::TestWithParam<BadAnswer> {};

TEST_P(ForAMoment, IsWaitedOutBySomebodyWhomTheSourceHasAnsweredBefore) {
  const std::string& bad = GetParam().bytes;
  Bench bench({"good", bad, bad, bad});
  ASSERT_THAT(bench.Ask(), IsOk());
  EXPECT_THAT(bench.Ask(), IsOk());
  // After a time-out the canary goes out too, and may be the one that meets a bad answer.
  EXPECT_GE(bench.script.asked, 5u);
  EXPECT_GE(bench.progress.retries, 2);
}

const std::string kCutHead = "HTTP/1.1 200 OK\r\nContent-Ty";
const std::string kCutBody = std::string(kJsonHead) + "Content-Length: 100\r\n\r\n{\"State\"";

INSTANTIATE_TEST_SUITE_P(
    All, ForAMoment,
    testing::Values(
        BadAnswer{"500", Response("500 Oops", "application/json", R"({"Errors":["Oops"]})")},
        BadAnswer{"502 of a proxy", Response("502 Bad Gateway", "text/html", "<h1>Bad</h1>")},
        BadAnswer{"503", Response("503 Busy", "text/html", "<h1>The service is unavailable</h1>")},
        BadAnswer{"504", Response("504 Gateway Time-out", "text/html", "<h1>Time-out</h1>")},
        BadAnswer{"a body cut short", kCutBody}, BadAnswer{"a head cut short", kCutHead},
        BadAnswer{"a head without a body", std::string(kJsonHead) + "Content-Length: 0\r\n\r\n"},
        BadAnswer{"nothing at all", ""}, BadAnswer{"a reset", "reset"},
        BadAnswer{"silence", "silence"},
        BadAnswer{"a log-in page", Response("200 OK", "text/html", "<title>Sign in</title>")},
        BadAnswer{"a redirect to a log-in page",
                  Response("302 Found", "text/html", "", "Location: https://sso.example.com/\r\n")},
        BadAnswer{"a service that is stopped",
                  Response("404 Not Found", "text/html", "<h1>No</h1>")},
        BadAnswer{"a gateway that forbids", Response("403 Forbidden", "text/html", "<h1>No</h1>")},
        BadAnswer{"broken JSON", Response("200 OK", "application/json", "{\"State\":,,}")},
        BadAnswer{
            "a WebException",
            Response("200 OK", "application/json",
                     R"({"WebException":{"Errors":["[-10722] time-out"],"StatusCode":500}})")}));

TEST(Source, WaitsAsLongAsTheServerAsksAfterTooMany) {
  Bench bench({"good", Response("429 Too Many", "application/json", R"({"Errors":["Rate limit"]})",
                                "Retry-After: 2\r\n")});
  ASSERT_THAT(bench.Ask(), IsOk());
  const UtcTime before = SteadyNow();
  EXPECT_THAT(bench.Ask(), IsOk());
  EXPECT_GE(SteadyNow() - before, Duration::Seconds(2));
}

TEST(Source, AsksOnceOnlyWhenCredentialsAreRefused) {
  // A second try with a password that is refused brings an account nearer to being locked.
  Bench bench({"good", Response("401 Unauthorized", "application/json", "{}",
                                "WWW-Authenticate: Negotiate\r\n")});
  ASSERT_THAT(bench.Ask(), IsOk());
  const auto answer = bench.Ask();
  EXPECT_THAT(answer, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(answer.error().message, HasSubstr("source.auth"));
  EXPECT_EQ(bench.script.asked, 2u);
}

TEST(Source, TakesALoginPageForAWrongAddressIfNothingElseEverAnswered) {
  const std::string page = Response("200 OK", "text/html", "<title>Sign in</title>");
  Bench bench({page, page});
  const auto answer = bench.Ask();
  EXPECT_THAT(answer, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(answer.error().message, AllOf(HasSubstr("Sign in"), HasSubstr("source.url")));
  EXPECT_EQ(bench.script.asked, 1u);
}

TEST(Source, TriesAServerThatHasNeverAnsweredAFewTimes) {
  Bench bench(std::vector<std::string>(20, "reset"));
  EXPECT_THAT(bench.Ask(), FailsWith(ErrorKind::kTransient));
  EXPECT_EQ(bench.script.asked, static_cast<size_t>(plan::kFirstAttemptsMax));
}

TEST(Source, SaysThatTheSourceIsGoneWhenPatienceIsOver) {
  for (const std::string& bad : {Response("500 Oops", "application/json", "{}"),
                                 Response("200 OK", "text/html", "<title>Sign in</title>")}) {
    std::vector<std::string> answers(10'000, bad);
    answers.front() = "good";
    Bench bench(std::move(answers));
    bench.options.patience = Duration::Millis(300);
    ASSERT_THAT(bench.Ask(), IsOk());
    const UtcTime before = SteadyNow();
    const auto answer = bench.Ask();
    EXPECT_THAT(answer, FailsWith(ErrorKind::kUnreachable));
    EXPECT_THAT(answer.error().message, HasSubstr("no good answer for 300 ms"));
    EXPECT_GE(SteadyNow() - before, Duration::Millis(300));
  }
}

TEST(Source, SaysThatTheSourceIsGoneWhenNothingListensAnyMore) {
  Progress progress;
  std::unique_ptr<Source> source;
  {
    const pi::RawServer server([](pi::Connection& peer) {
      if (!peer.ReadRequest().empty()) peer.SendJson(kStatus);
    });
    SourceOptions options = OptionsFor(server.url());
    options.patience = Duration::Millis(300);
    source = std::move(Source::Open(options, progress, {}).value());
    ASSERT_THAT(source->Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus), IsOk());
  }
  const auto answer = source->Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus);
  EXPECT_THAT(answer, FailsWith(ErrorKind::kUnreachable));
  EXPECT_THAT(answer.error().message, HasSubstr("nothing accepts connections"));
}

/// A bulk call for one series, that reads anything.
Call BulkCall(uint64_t id, const std::string& path, plan::Lane lane = plan::Lane::kIncrement) {
  return {.id = id,
          .request = {.target = path, .body = {}},
          .load = {.calls = 1, .series_reads = 1},
          .decode = [](const std::string&) -> Result<Pages> { return Pages(); },
          .lane = lane};
}

/// Answers by path; every connection is kept.
template <typename Answer>
auto ByPath(Answer answer) {
  return [answer](pi::Connection& peer) {
    for (std::string asked = peer.ReadRequest(); !asked.empty(); asked = peer.ReadRequest()) {
      peer.Send(answer(asked.substr(0, asked.find('\r'))));
    }
  };
}

std::string Good() {
  return Response("200 OK", "application/json", kStatus);
}
std::string Oops() {
  return Response("500 Oops", "application/json", R"({"Errors":["Oops"]})");
}

TEST(Source, LeavesOutTheOnlyCallThatFailsWhileTheServiceIsWell) {
  const pi::RawServer server(ByPath([](const std::string& asked) {
    return asked.find("/sick") != std::string::npos ? Oops() : Good();
  }));
  Progress progress;
  auto source = std::move(Source::Open(OptionsFor(server.url()), progress, {}).value());
  ASSERT_THAT(source->Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus), IsOk());
  source->Send(BulkCall(1, "/sick"));
  const auto answer = source->Next();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 1u);
  EXPECT_THAT(answer->pages, FailsWith(ErrorKind::kTransient));
  EXPECT_EQ(answer->step, plan::Step::kLeaveOut);
  EXPECT_GE(answer->tries.attempt, plan::kAttemptsMax);
}

TEST(Source, LeavesNothingOutWhileTheWholeServiceIsIll) {
  std::atomic<int> asked_while_ill = 0;
  const pi::RawServer server(ByPath([&](const std::string& asked) {
    const bool is_first = asked.find("/system/status") != std::string::npos && asked_while_ill == 0;
    return is_first || asked_while_ill++ >= 60 ? Good() : Oops();
  }));
  Progress progress;
  auto source = std::move(Source::Open(OptionsFor(server.url()), progress, {}).value());
  ASSERT_THAT(source->Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus), IsOk());
  constexpr uint64_t kCalls = 5;
  for (uint64_t id = 1; id <= kCalls; ++id) source->Send(BulkCall(id, "/streams"));
  for (uint64_t i = 0; i < kCalls; ++i) EXPECT_THAT(source->Next()->pages, IsOk());
}

TEST(Source, KeepsAnswersThatComeWhileItAsksForSomethingElse) {
  const pi::RawServer server(ByPath([](const std::string&) { return Good(); }));
  Progress progress;
  auto source = std::move(Source::Open(OptionsFor(server.url()), progress, {}).value());
  for (uint64_t id = 1; id <= 20; ++id) source->Send(BulkCall(id, "/streams"));
  EXPECT_THAT(source->Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus), IsOk());
  uint64_t sum = 0;
  while (const auto answer = source->Next()) sum += answer->id;
  EXPECT_EQ(sum, 210u);
}

TEST(Source, NeverHasMoreCallsUnderWayThanTheBudgetAllows) {
  std::atomic<int> open = 0, most = 0;
  const pi::RawServer server(ByPath([&](const std::string&) {
    const int now = ++open;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    --open;
    return Good();
  }));
  Progress progress;
  SourceOptions options = OptionsFor(server.url());
  options.budget.in_flight = 3;
  const auto throttle = std::make_shared<Throttle>(options.budget, options.throttle);
  // Two sources of one process share the budget.
  std::vector<std::jthread> owners;
  for (int k = 0; k < 2; ++k) {
    owners.emplace_back([&] {
      auto source = std::move(Source::Open(options, progress, {}, throttle).value());
      for (uint64_t id = 1; id <= 60; ++id) source->Send(BulkCall(id, "/streams"));
      while (source->Next()) {
      }
    });
  }
  owners.clear();
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
}

class WithPauseFile : public testing::Test {
 protected:
  WithPauseFile()
      : server_(ByPath([this](const std::string&) {
          ++asked_;
          return Good();
        })),
        options_(OptionsFor(server_.url())) {
    options_.throttle.pause_file = path_;
    options_.throttle.say = [this](const std::string& sentence) { said_.push_back(sentence); };
  }
  ~WithPauseFile() override { std::filesystem::remove(path_); }

  void Pause(const std::string& word) { std::ofstream(path_) << word; }

  const std::string path_ = testing::TempDir() + "/pause-" + delta::NewUuid();
  std::atomic<int> asked_ = 0;
  std::vector<std::string> said_;
  Progress progress_;
  pi::RawServer server_;
  SourceOptions options_;
};

TEST_F(WithPauseFile, BeginsNoCallWhileItExistsAndSaysSoOnce) {
  Pause("");
  auto source = std::move(Source::Open(options_, progress_, {}).value());
  source->Send(BulkCall(1, "/streams"));
  std::jthread operator_([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
    EXPECT_EQ(asked_, 0);
    EXPECT_STREQ(progress_.waiting.load(), "paused");
    std::filesystem::remove(path_);
  });
  EXPECT_THAT(source->Next()->pages, IsOk());
  EXPECT_EQ(asked_, 1);
  ASSERT_EQ(said_.size(), 2u);
  EXPECT_THAT(said_[0], AllOf(HasSubstr("paused"), HasSubstr(path_)));
  EXPECT_THAT(said_[1], HasSubstr("no longer paused"));
}

TEST_F(WithPauseFile, HoldsABackfillAloneIfItSaysSo) {
  Pause("backfill\n");
  auto source = std::move(Source::Open(options_, progress_, {}).value());
  source->Send(BulkCall(1, "/streams", plan::Lane::kBackfill));
  source->Send(BulkCall(2, "/streams", plan::Lane::kIncrement));
  EXPECT_EQ(source->Next()->id, 2u);
  std::filesystem::remove(path_);
  EXPECT_EQ(source->Next()->id, 1u);
}

TEST_F(WithPauseFile, EndsAtOnceWhenItIsStopped) {
  Pause("");
  std::stop_source stop;
  auto source = std::move(Source::Open(options_, progress_, stop.get_token()).value());
  source->Send(BulkCall(1, "/streams"));
  std::jthread operator_([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  const UtcTime before = SteadyNow();
  EXPECT_THAT(source->Next()->pages, FailsWith(ErrorKind::kCancelled));
  EXPECT_THAT(source->Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus),
              FailsWith(ErrorKind::kCancelled));
  EXPECT_LT(SteadyNow() - before, Duration::Seconds(2));
}

TEST(Source, KeepsTheCalendar) {
  std::atomic<int> asked = 0;
  const pi::RawServer server(ByPath([&](const std::string&) {
    ++asked;
    return Good();
  }));
  Progress progress;
  SourceOptions options = OptionsFor(server.url());
  options.throttle.calendar = {plan::CalendarEntry{.pause = plan::Pause::kAll}};  // all day
  std::vector<std::string> said;
  options.throttle.say = [&](const std::string& sentence) { said.push_back(sentence); };
  std::stop_source stop;
  auto source = std::move(Source::Open(options, progress, stop.get_token()).value());
  source->Send(BulkCall(1, "/streams"));
  std::jthread operator_([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop.request_stop();
  });
  EXPECT_THAT(source->Next()->pages, FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(asked, 0);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("paused by the calendar"));
}

/// A server whose series it gives or refuses as `gives` says.
class Witnesses : public testing::Test {
 protected:
  Witnesses()
      : server_(ByPath([this](const std::string& asked) {
          if (asked.find("/system/userinfo") != std::string::npos) {
            return Response("200 OK", "application/json",
                            R"({"IdentityType":"WindowsIdentity","Name":"PLANT\\reader",)"
                            R"("IsAuthenticated":true})");
          }
          ++values_asked_;
          if (!gives_)
            return Response("403 Forbidden", "application/json", R"({"Errors":["No."]})");
          return Response("200 OK", "application/json",
                          fmt::format(R"({{"Items":[{{"WebId":"{}","Value":{{"Timestamp":)"
                                      R"("2026-03-04T09:30:00Z","Value":1.5,"Good":true}}}}]}})",
                                      Named(0).web_id));
        })) {
    source_ = std::move(Source::Open(OptionsFor(server_.url()), progress_, {}).value());
  }

  static Series Named(int i) {
    Series series;
    series.web_id = PointWebId("F1DSRDMiEWZViHeZqrvM3e7_AA", i).value();
    series.path = fmt::format(R"(\\PISRV01\TAG{})", i);
    return series;
  }

  /// Leaves so many series out, until that fails.
  Status LeaveOutMany(int count, ErrorKind kind) {
    for (int i = 1; i <= count; ++i) {
      RETURN_IF_ERROR(source_->LeaveOut(Named(i), {kind, fmt::format("no {}", i)}));
    }
    return {};
  }

  std::atomic<bool> gives_ = true;
  std::atomic<int> values_asked_ = 0;
  Progress progress_;
  pi::RawServer server_;
  std::unique_ptr<Source> source_;
};

TEST_F(Witnesses, SpeakForAServerWhoseSickSeriesStandTogether) {
  source_->Served(Named(0));
  EXPECT_THAT(LeaveOutMany(100, ErrorKind::kRefused), IsOk());
  EXPECT_EQ(values_asked_, 100 / plan::Streak::kDoubtedAfter);
}

TEST_F(Witnesses, ShowThatAPermissionWasTakenInMidRun) {
  source_->Served(Named(0));
  gives_ = false;
  const auto status = LeaveOutMany(100, ErrorKind::kRefused);
  EXPECT_THAT(status, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(R"(\\PISRV01 refused all of 25 series)"),
                                            HasSubstr(R"('PLANT\reader')"), HasSubstr("no 25")));
}

TEST_F(Witnesses, ShowThatAnArchiveWentAway) {
  source_->Served(Named(0));
  gives_ = false;
  const auto status = LeaveOutMany(100, ErrorKind::kTransient);
  EXPECT_THAT(status, FailsWith(ErrorKind::kUnreachable));
  EXPECT_THAT(status.error().message, HasSubstr("is its archive running?"));
}

TEST_F(Witnesses, AreNotAskedWhileOthersAreServedInBetween) {
  gives_ = false;
  for (int i = 1; i <= 200; ++i) {
    source_->Served(Named(0));
    EXPECT_THAT(LeaveOutMany(10, ErrorKind::kRefused), IsOk());
  }
  EXPECT_EQ(values_asked_, 0);
}

}  // namespace
}  // namespace pilake::pipeline
