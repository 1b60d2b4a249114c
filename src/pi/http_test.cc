// SPDX-License-Identifier: Apache-2.0
#include "pi/http.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <mutex>
#include <semaphore>
#include <thread>

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <zlib.h>

#include "core/matchers.h"
#include "pi/raw_server.h"

namespace pilake::pi {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A loop with its thread, ended at the end of the test.
class RunningLoop {
 public:
  explicit RunningLoop(HttpOptions options)
      : loop_(std::move(HttpLoop::Make(std::move(options)).value())),
        thread_([this](const std::stop_token& stop) { loop_->Run(stop); }) {}

  HttpLoop& operator*() { return *loop_; }
  HttpLoop* operator->() { return loop_.get(); }
  void Stop() {
    thread_.request_stop();
    thread_.join();
  }
  Result<HttpResponse> Get(const std::string& target) {
    return Fetch(*loop_, {.target = target, .body = {}}, {});
  }

 private:
  std::unique_ptr<HttpLoop> loop_;
  std::jthread thread_;
};

HttpOptions OptionsFor(const std::string& url) {
  HttpOptions options;
  options.url = url;
  return options;
}

std::string Message(const Result<HttpResponse>& result) {
  return result ? "" : result.error().message;
}

TEST(HttpLoop, ReturnsTheBodyWithRoomBehindIt) {
  std::string asked;
  RawServer server([&](Connection& peer) {
    asked = peer.ReadRequest();
    peer.SendJson(R"({"Items":[]})");
  });
  RunningLoop loop(OptionsFor(server.url() + "/"));
  const auto response = loop.Get("/system?x=1");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->content_type, "application/json; charset=utf-8");
  EXPECT_EQ(response->body, R"({"Items":[]})");
  EXPECT_GE(response->body.capacity(), response->body.size() + 64);
  EXPECT_EQ(response->wire_bytes, 12);
  EXPECT_EQ(response->url, server.url() + "/system");
  EXPECT_THAT(asked, StartsWith("GET /piwebapi/system?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(asked, AllOf(HasSubstr("\r\nAccept: application/json\r\n"),
                           HasSubstr("\r\nAccept-Encoding: gzip\r\n"),
                           HasSubstr("\r\nUser-Agent: pilake/"), Not(HasSubstr("Authorization"))));
}

TEST(HttpLoop, PostsWithTheHeaderThatGuardsAgainstForgery) {
  std::string asked;
  RawServer server([&](Connection& peer) {
    asked = peer.ReadRequest();
    peer.SendJson("{}");
  });
  RunningLoop loop(OptionsFor(server.url()));
  const std::string body(5000, 'x');
  ASSERT_THAT(Fetch(*loop, {HttpRequest::Method::kPost, "/batch", body}, {}), IsOk());
  EXPECT_THAT(asked, AllOf(StartsWith("POST /piwebapi/batch HTTP/1.1\r\n"),
                           HasSubstr("\r\nX-Requested-With: pilake\r\n"),
                           HasSubstr("\r\nContent-Type: application/json\r\n"),
                           Not(HasSubstr("Expect")), HasSubstr(body)));
}

TEST(HttpLoop, KeepsTheConnectionForTheNextRequest) {
  std::atomic<int> connections = 0;
  RawServer server([&](Connection& peer) {
    ++connections;
    while (!peer.ReadRequest().empty()) peer.SendJson("{}");
  });
  RunningLoop loop(OptionsFor(server.url()));
  for (int i = 0; i < 5; ++i) ASSERT_THAT(loop.Get("/system"), IsOk());
  EXPECT_EQ(connections, 1);
}

TEST(HttpLoop, OpensNoMoreConnectionsThanAllowedAndServesAll) {
  constexpr int kRequests = 20, kAllowed = 3;
  std::atomic<int> open = 0, most = 0;
  RawServer server([&](Connection& peer) {
    while (!peer.ReadRequest().empty()) {
      const int now = ++open;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      --open;
      peer.SendJson("{}");
    }
  });
  HttpOptions options = OptionsFor(server.url());
  options.connections_max = kAllowed;
  RunningLoop loop(options);
  std::latch all(kRequests);
  std::atomic<int> served = 0;
  for (int i = 0; i < kRequests; ++i) {
    loop->Send({.target = "/system", .body = {}}, [&](const Result<HttpResponse>& response) {
      served += response.has_value() ? 1 : 0;
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(served, kRequests);
  EXPECT_LE(most, kAllowed);
}

std::string Gzip(const std::string& text) {
  std::string out(text.size() + 200, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(HttpLoop, InflatesGzipAndCountsTheBytesOfTheWire) {
  const std::string body(3'000'000, ' ');
  const std::string packed = Gzip(body);
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        "Content-Length: " +
        std::to_string(packed.size()) + "\r\n\r\n" + packed);
  });
  RunningLoop loop(OptionsFor(server.url()));
  const auto response = loop.Get("/system");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->body, body);
  EXPECT_GE(response->body.capacity(), body.size() + 64);
  EXPECT_EQ(response->wire_bytes, static_cast<int64_t>(packed.size()));
}

TEST(HttpLoop, ReportsADamagedGzipBodyAsTransient) {
  std::string packed = Gzip(std::string(100'000, 'x'));
  packed[packed.size() / 2] = static_cast<char>(~packed[packed.size() / 2]);
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        "Content-Length: " +
        std::to_string(packed.size()) + "\r\n\r\n" + packed);
  });
  RunningLoop loop(OptionsFor(server.url()));
  EXPECT_THAT(loop.Get("/system"), FailsWith(ErrorKind::kTransient));
}

/// What comes of a server that answers with exactly these bytes and then closes.
Result<HttpResponse> AnswerTo(const std::string& bytes, bool resets = false) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(bytes);
    if (resets) peer.Reset();
  });
  RunningLoop loop(OptionsFor(server.url()));
  return Judge(loop.Get("/system"));
}

constexpr const char* kHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

TEST(HttpLoop, SeesThatABodyWasCutShort) {
  const std::string head = kHead;
  EXPECT_THAT(AnswerTo(head + "Content-Length: 100\r\n\r\n{\"Items\""),
              FailsWith(ErrorKind::kTransient));
  EXPECT_THAT(AnswerTo(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"Ite\r\n"),
              FailsWith(ErrorKind::kTransient));
  EXPECT_THAT(AnswerTo(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"I"),
              FailsWith(ErrorKind::kTransient));
  EXPECT_THAT(AnswerTo(head + "Content-Length: 100\r\n\r\n{\"Items\"", true),
              FailsWith(ErrorKind::kTransient));
}

TEST(HttpLoop, SeesThatAnAnswerWasCutAnywhereInItsHeaders) {
  const std::string head = std::string(kHead) + "Content-Length: 2\r\n\r\n";
  for (size_t length = 0; length < head.size(); ++length) {
    EXPECT_THAT(AnswerTo(head.substr(0, length)),
                testing::AnyOf(FailsWith(ErrorKind::kTransient), FailsWith(ErrorKind::kMalformed)))
        << "cut after " << length << " bytes";
  }
  EXPECT_THAT(AnswerTo(head + "{}"), IsOk());
}

TEST(HttpLoop, SaysThatGarbageIsNotHttp) {
  const auto answer = AnswerTo("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_THAT(answer, FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(Message(answer), HasSubstr("does not speak HTTP"));
}

TEST(HttpLoop, GivesUpOnAServerThatFallsSilent) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(std::string(kHead) + "Content-Length: 100\r\n\r\n{");
    peer.WaitForClose();
  });
  HttpOptions options = OptionsFor(server.url());
  options.stall_timeout = Duration::Millis(100);
  RunningLoop loop(options);
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kTimedOut));
  EXPECT_THAT(Message(response), HasSubstr("the server sent nothing for 100 ms"));
}

TEST(HttpLoop, GivesUpOnAServerThatDripsForEver) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(std::string(kHead) + "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 1000; ++i) {
      peer.Send(" ");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  HttpOptions options = OptionsFor(server.url());
  options.total_timeout = Duration::Millis(200);
  RunningLoop loop(options);
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kTimedOut));
  EXPECT_THAT(Message(response), HasSubstr("not answered in full within 200 ms"));
}

TEST(HttpLoop, NamesTheHostThatRefusesConnections) {
  std::string url;
  {
    const RawServer gone([](Connection&) {});
    url = gone.url();
  }
  RunningLoop loop(OptionsFor(url));
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kUnreachable));
  EXPECT_THAT(Message(response), HasSubstr("nothing accepts connections at 127.0.0.1:"));
}

TEST(HttpLoop, NamesTheHostThatHasNoAddress) {
  HttpOptions options = OptionsFor("http://no-such-host.invalid/piwebapi");
  options.proxy = "";
  RunningLoop loop(options);
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kUnreachable));
}

TEST(HttpLoop, StopsABodyThatGrowsBeyondTheLimit) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.SendJson(std::string(100'000, ' '));
  });
  HttpOptions options = OptionsFor(server.url());
  options.body_bytes_max = 50'000;
  RunningLoop loop(options);
  EXPECT_THAT(loop.Get("/system"), FailsWith(ErrorKind::kTooLarge));
}

TEST(HttpLoop, CancelsWhatIsOpenAndWhatWaitsWhenStopped) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  });
  HttpOptions options = OptionsFor(server.url());
  options.connections_max = 1;
  RunningLoop loop(options);
  std::latch all(3);
  std::atomic<int> cancelled = 0;
  const auto count = [&](const Result<HttpResponse>& response) {
    if (!response && response.error().kind == ErrorKind::kCancelled) ++cancelled;
    all.count_down();
  };
  loop->Send({.target = "/system", .body = {}}, count);
  loop->Send({.target = "/system", .body = {}}, count);
  loop.Stop();
  loop->Send({.target = "/system", .body = {}}, count);
  all.wait();
  EXPECT_EQ(cancelled, 3);
}

TEST(HttpLoop, CancelsWhatWasSentToALoopThatNeverRan) {
  bool is_cancelled = false;
  {
    auto loop = std::move(HttpLoop::Make(OptionsFor("http://127.0.0.1:1/piwebapi")).value());
    loop->Send({.target = "/system", .body = {}}, [&](const Result<HttpResponse>& response) {
      is_cancelled = !response && response.error().kind == ErrorKind::kCancelled;
    });
  }
  EXPECT_TRUE(is_cancelled);
}

TEST(HttpLoop, LetsNoClosedConnectionEndTheProcess) {
  RawServer server([](Connection& peer) {
    peer.ReadRequest();
    peer.SendJson("{}");
  });
  RunningLoop loop(OptionsFor(server.url()));
  std::latch answered(1);
  bool is_blocked = false;
  loop->Send({.target = "/system", .body = {}}, [&](const Result<HttpResponse>&) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    is_blocked = sigismember(&mask, SIGPIPE) == 1;
    answered.count_down();
  });
  answered.wait();
  EXPECT_TRUE(is_blocked);
}

TEST(Fetch, ReturnsAtOnceWhenTheCallerIsStopped) {
  std::binary_semaphore asked(0);
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    asked.release();
    peer.WaitForClose();
  });
  RunningLoop loop(OptionsFor(server.url()));
  std::stop_source stop;
  std::jthread stopper([&] {
    asked.acquire();
    stop.request_stop();
  });
  EXPECT_THAT(Fetch(*loop, {.target = "/system", .body = {}}, stop.get_token()),
              FailsWith(ErrorKind::kCancelled));
}

TEST(HttpLoop, SendsBasicCredentialsWithoutBeingAsked) {
  std::string asked;
  RawServer server([&](Connection& peer) {
    asked = peer.ReadRequest();
    peer.SendJson("{}");
  });
  HttpOptions options = OptionsFor(server.url());
  options.auth = {AuthOptions::Kind::kBasic, "PLANT\\reader", "s3cret", ""};
  RunningLoop loop(options);
  ASSERT_THAT(loop.Get("/system"), IsOk());
  EXPECT_THAT(asked, HasSubstr("\r\nAuthorization: Basic UExBTlRccmVhZGVyOnMzY3JldA==\r\n"));
}

TEST(HttpLoop, SendsABearerToken) {
  std::string asked;
  RawServer server([&](Connection& peer) {
    asked = peer.ReadRequest();
    peer.SendJson("{}");
  });
  HttpOptions options = OptionsFor(server.url());
  options.auth = {AuthOptions::Kind::kBearer, "", "", "abc.def"};
  RunningLoop loop(options);
  ASSERT_THAT(loop.Get("/system"), IsOk());
  EXPECT_THAT(asked, HasSubstr("\r\nAuthorization: Bearer abc.def\r\n"));
}

/// What a proxy sees of a request to a source behind TLS, and what comes of it.
Result<HttpResponse> ThroughAProxyThatSays(const std::string& answer, std::string& asked) {
  RawServer proxy([&](Connection& peer) {
    asked = peer.ReadRequest();
    peer.Send(answer + "\r\nContent-Length: 0\r\n\r\n");
  });
  HttpOptions options = OptionsFor("https://pi.example.invalid/piwebapi");
  options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  options.auth = {AuthOptions::Kind::kBearer, "", "", "s3cret"};
  RunningLoop loop(options);
  return loop.Get("/system");
}

TEST(HttpLoop, KeepsTheCredentialsFromAProxyThatMakesATunnel) {
  std::string asked;
  const auto response = ThroughAProxyThatSays("HTTP/1.1 403 Forbidden", asked);
  EXPECT_THAT(asked, AllOf(StartsWith("CONNECT pi.example.invalid:443 HTTP/1.1\r\n"),
                           Not(HasSubstr("s3cret"))));
  EXPECT_THAT(response, FailsWith(ErrorKind::kUnreachable));
  EXPECT_THAT(Message(response), AllOf(HasSubstr("403"), HasSubstr("source.proxy")));
  EXPECT_THAT(ThroughAProxyThatSays("HTTP/1.1 407 Who are you", asked),
              FailsWith(ErrorKind::kAuth));
}

TEST(HttpLoop, NamesUserAndAcceptedMethodsButNoSecretWhenRefused) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n"
        "WWW-Authenticate: Basic realm=\"pi\"\r\nContent-Length: 0\r\n\r\n");
  });
  HttpOptions options = OptionsFor(server.url());
  options.auth = {AuthOptions::Kind::kBasic, "PLANT\\reader", "s3cret", ""};
  RunningLoop loop(options);
  const auto response = Judge(loop.Get("/system"));
  EXPECT_THAT(response, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(Message(response),
              AllOf(HasSubstr("user 'PLANT\\reader' was refused"), HasSubstr("source.auth"),
                    HasSubstr("Negotiate, Basic realm=\"pi\""), Not(HasSubstr("s3cret"))));
}

/// Answers 401 to every other token but `good`; what it was asked with.
class Guard {
 public:
  explicit Guard(std::string good) : good_(std::move(good)) {}

  const std::vector<std::string>& seen() const { return seen_; }
  void operator()(Connection& peer) {
    for (std::string asked; !(asked = peer.ReadRequest()).empty();) {
      const size_t begin = asked.find("Bearer ") + std::string_view("Bearer ").size();
      seen_.push_back(asked.substr(begin, asked.find("\r\n", begin) - begin));
      if (seen_.back() == good_) {
        peer.SendJson(R"({"body":")" + asked.substr(asked.rfind('\n') + 1) + "\"}");
      } else {
        peer.Send(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n");
      }
    }
  }

 private:
  std::string good_;
  std::vector<std::string> seen_;
};

/// Options whose command gives `tokens` in turn, the last one again and again.
HttpOptions WithTokens(const std::string& url, std::vector<std::string> tokens) {
  HttpOptions options = OptionsFor(url);
  options.auth.kind = AuthOptions::Kind::kBearer;
  options.auth.token_command = [tokens, next = size_t{0}]() mutable -> Result<std::string> {
    return tokens[std::min(next++, tokens.size() - 1)];
  };
  return options;
}

TEST(HttpLoop, AsksOnceMoreWithANewTokenWhereTheOldOneIsRefused) {
  Guard guard("new");
  RawServer server(std::ref(guard));
  RunningLoop loop(WithTokens(server.url(), {"old", "new"}));
  const auto response = Fetch(
      *loop, {.method = HttpRequest::Method::kPost, .target = "/batch", .body = "{all of it}"}, {});
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, R"({"body":"{all of it}"})");
  loop.Stop();
  EXPECT_THAT(guard.seen(), testing::ElementsAre("old", "new"));
}

TEST(HttpLoop, AsksNoThirdTimeWhenTheNewTokenIsRefusedToo) {
  Guard guard("another");
  RawServer server(std::ref(guard));
  RunningLoop loop(WithTokens(server.url(), {"first", "second", "third"}));
  const auto response = Judge(loop.Get("/system"));
  EXPECT_THAT(response, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(Message(response), AllOf(HasSubstr("source.auth.token_command was refused"),
                                       HasSubstr("The server accepts: Bearer")));
  loop.Stop();
  EXPECT_THAT(guard.seen(), testing::ElementsAre("first", "second"));
}

TEST(HttpLoop, SendsNothingWhenThereAreNoCredentials) {
  std::atomic<int> connections = 0;
  RawServer server([&](Connection&) { ++connections; });
  HttpOptions options = OptionsFor(server.url());
  options.auth.kind = AuthOptions::Kind::kBearer;
  options.auth.token_file = "/no/such/token";
  RunningLoop loop(options);
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(Message(response), HasSubstr("/no/such/token"));
  EXPECT_EQ(connections, 0);
}

TEST(HttpLoop, TellsTheProxyAndOnlyTheProxyWhoItShallTakeUsFor) {
  std::vector<std::string> asked;
  RawServer proxy([&](Connection& peer) {
    asked.push_back(peer.ReadRequest());
    peer.Send(
        "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
        "Content-Length: 0\r\n\r\n");
    asked.push_back(peer.ReadRequest());
    peer.SendJson("{}");
  });
  HttpOptions options = OptionsFor("http://pi.example.invalid/piwebapi");
  options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  options.proxy_username = "worker";
  options.proxy_password = "pr0xy";
  RunningLoop loop(options);
  ASSERT_THAT(Judge(loop.Get("/system")), IsOk());
  loop.Stop();
  EXPECT_THAT(asked, testing::ElementsAre(
                         Not(HasSubstr("Proxy-Authorization")),
                         HasSubstr("\r\nProxy-Authorization: Basic d29ya2VyOnByMHh5\r\n")));
}

TEST(HttpLoop, NeverFollowsARedirect) {
  std::atomic<int> requests = 0;
  RawServer server([&](Connection& peer) {
    while (!peer.ReadRequest().empty()) {
      ++requests;
      peer.Send(
          "HTTP/1.1 302 Found\r\nLocation: https://login.example.com/\r\n"
          "Content-Length: 0\r\n\r\n");
    }
  });
  RunningLoop loop(OptionsFor(server.url()));
  const auto response = Judge(loop.Get("/system"));
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("https://login.example.com/"));
  EXPECT_EQ(requests, 1);
}

TEST(HttpLoop, GoesBackToTheMemberThatSetACookieOnEveryConnection) {
  // Two members behind one address: without the cookie a call goes to either of them.
  constexpr int kCalls = 40;
  std::atomic<int> strays = 0, connections = 0;
  // Nobody is answered before there are two, or a quick server would need but one.
  std::latch two(2);
  RawServer server([&](Connection& peer) {
    if (++connections <= 2) two.count_down();
    for (std::string asked = peer.ReadRequest(); !asked.empty(); asked = peer.ReadRequest()) {
      const bool is_first = asked.find("/first") != std::string::npos;
      if (!is_first && asked.find("Cookie: member=b") == std::string::npos) ++strays;
      if (!is_first) two.wait();
      peer.Send(std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n") +
                (is_first ? "Set-Cookie: member=b; path=/\r\n" : "") +
                "Content-Length: 2\r\n\r\n{}");
    }
  });
  RunningLoop loop(OptionsFor(server.url()));
  ASSERT_THAT(loop.Get("/first"), IsOk());
  std::latch all(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    loop->Send({.target = "/next", .body = {}},
               [&](const Result<HttpResponse>&) { all.count_down(); });
  }
  all.wait();
  EXPECT_EQ(strays, 0);
  EXPECT_GT(connections, 1);
}

TEST(HttpLoop, AsksOnANewConnectionAfterOneThatFellSilent) {
  // Half open: a firewall forgot the connection, so what is sent on it is never heard of again.
  std::atomic<int> connections = 0;
  RawServer server([&](Connection& peer) {
    const bool is_first = ++connections == 1;
    peer.ReadRequest();
    peer.SendJson("{}");
    if (is_first) return peer.WaitForClose();
    while (!peer.ReadRequest().empty()) peer.SendJson("{}");
  });
  HttpOptions options = OptionsFor(server.url());
  options.stall_timeout = Duration::Millis(150);
  RunningLoop loop(options);
  ASSERT_THAT(loop.Get("/system"), IsOk());
  EXPECT_THAT(loop.Get("/system"), FailsWith(ErrorKind::kTimedOut));
  EXPECT_THAT(loop.Get("/system"), IsOk());
  EXPECT_EQ(connections, 2);
}

TEST(HttpLoop, SaysThatTheHandshakeFailedWhereTlsIsCutShort) {
  RawServer server([](Connection& peer) { peer.ReadRequest(); });
  HttpOptions options =
      OptionsFor("https://127.0.0.1:" + std::to_string(server.port()) + "/piwebapi");
  options.connect_timeout = Duration::Millis(300);
  RunningLoop loop(options);
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kUnreachable));
  EXPECT_THAT(Message(response), HasSubstr("does not answer within"));
}

TEST(HttpLoop, TellsHowLongTheServerWantsUsToWait) {
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Type: application/json"
        "\r\nContent-Length: 39\r\n\r\n{\"Errors\":[\"Rate limit was reached.  \"]}");
  });
  RunningLoop loop(OptionsFor(server.url()));
  auto response = loop.Get("/system");
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->retry_after, Duration::Seconds(7));
  const auto judged = Judge(std::move(response));
  EXPECT_THAT(judged, FailsWith(ErrorKind::kThrottled));
  EXPECT_THAT(Message(judged), HasSubstr("429 Rate limit was reached."));
}

struct BadOptions {
  const char* what;
  HttpOptions options;
  const char* sentence;
};
class HttpLoopRefuses : public testing::TestWithParam<BadOptions> {};

TEST_P(HttpLoopRefuses, OptionsThatCannotWork) {
  const auto loop = HttpLoop::Make(GetParam().options);
  ASSERT_FALSE(loop.has_value());
  EXPECT_EQ(loop.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(loop.error().message,
              AllOf(HasSubstr(GetParam().sentence), Not(HasSubstr("s3cret"))));
}

HttpOptions WithAuth(AuthOptions auth) {
  HttpOptions options = OptionsFor("https://host/piwebapi");
  options.auth = std::move(auth);
  return options;
}

HttpOptions WithCa(std::string path) {
  HttpOptions options = OptionsFor("https://host/piwebapi");
  options.ca_files = {std::move(path)};
  return options;
}

HttpOptions WithProxy(std::string url, std::string username = "") {
  HttpOptions options = OptionsFor("https://host/piwebapi");
  options.proxy = std::move(url);
  options.proxy_username = std::move(username);
  return options;
}

HttpOptions WithCertificate(std::string path) {
  HttpOptions options = OptionsFor("https://host/piwebapi");
  options.certificate = std::move(path);
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    All, HttpLoopRefuses,
    testing::Values(
        BadOptions{"NoUrl", OptionsFor(""), "source.url"},
        BadOptions{"NoScheme", OptionsFor("pi.example.com/piwebapi"), "source.url"},
        BadOptions{"OtherScheme", OptionsFor("ftp://host/piwebapi"), "https://"},
        BadOptions{"Credentials", OptionsFor("https://a:s3cret@host/piwebapi"), "source.auth"},
        BadOptions{"Query", OptionsFor("https://host/piwebapi?x=1"), "end with its path"},
        BadOptions{"NoUser", WithAuth({AuthOptions::Kind::kBasic, "", "s3cret", ""}), "username"},
        BadOptions{"Colon", WithAuth({AuthOptions::Kind::kBasic, "a:b", "s3cret", ""}), "colon"},
        BadOptions{"LineBreak", WithAuth({AuthOptions::Kind::kBearer, "", "", "s3cret\n"}),
                   "line break"},
        BadOptions{"NoToken", WithAuth({AuthOptions::Kind::kBearer, "", "", ""}), "token"},
        BadOptions{"ProxyHoldsCredentials", WithProxy("http://a:s3cret@proxy:3128"),
                   "source.proxy.username"},
        BadOptions{"NoProxyForTheUser", WithProxy("", "me"), "source.proxy.url"},
        BadOptions{"NoCertificate", WithCertificate("/no/such/file.pem"), "/no/such/file.pem"},
        BadOptions{"NoCa", WithCa("/no/such/file.pem"), "/no/such/file.pem"},
        BadOptions{"NotACa", WithCa(PILAKE_SOURCE_DIR "/CMakeLists.txt"), "PEM"}),
    [](const auto& param_info) { return std::string(param_info.param.what); });

// ---- TLS
// -----------------------------------------------------------------------------------------

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

/// A certificate for `name`, signed by itself, valid between the two offsets from now in seconds.
Certificate MakeCertificate(EVP_PKEY* key, const std::string& name, long from, long until) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("pilake test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name.c_str());
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

/// Serves one empty JSON object a connection over TLS and keeps its certificate in `ca_file`.
class TlsServer {
 public:
  /// With `client`, it lets in only who shows that certificate.
  TlsServer(const std::string& name, long from, long until, X509* client = nullptr)
      : context_(SSL_CTX_new(TLS_server_method())) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = MakeCertificate(key.get(), name, from, until);
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    if (client != nullptr) {
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), client);
    }
    ca_file_ = testing::TempDir() + "pilake_http_test_" + std::to_string(getpid()) + ".pem";
    FILE* file = fopen(ca_file_.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    fclose(file);
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to clients that hung up
    server_ = std::make_unique<RawServer>([this](Connection& peer) { Serve(peer); });
  }
  ~TlsServer() {
    server_.reset();
    std::filesystem::remove(ca_file_);
  }

  const std::string& ca_file() const { return ca_file_; }
  HttpOptions Trusting(std::vector<std::string> ca_files) const {
    HttpOptions options =
        OptionsFor("https://127.0.0.1:" + std::to_string(server_->port()) + "/piwebapi");
    options.ca_files = std::move(ca_files);
    return options;
  }

 private:
  void Serve(Connection& peer) {
    SSL* ssl = SSL_new(context_.get());
    SSL_set_fd(ssl, peer.socket());
    char buffer[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, buffer, sizeof buffer) > 0) {
      const std::string answer = std::string(kHead) + "Content-Length: 2\r\n\r\n{}";
      SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
      SSL_shutdown(ssl);
    } else {  // closing on a request that nobody read would take back the alert as well
      shutdown(peer.socket(), SHUT_WR);
      while (read(peer.socket(), buffer, sizeof buffer) > 0) {
      }
    }
    SSL_free(ssl);
  }

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::string ca_file_;
  std::unique_ptr<RawServer> server_;
};

constexpr long kDay = 86'400;

TEST(HttpLoopTls, TrustsACertificateOfTheOperatorsOwnAuthority) {
  const TlsServer server("IP:127.0.0.1", -kDay, kDay);
  RunningLoop loop(server.Trusting({server.ca_file()}));
  EXPECT_THAT(Judge(loop.Get("/system")), IsOk());
}

/// A certificate of its own authority and its key, in one file or in two.
class OwnCertificate {
 public:
  OwnCertificate() : key_(EVP_EC_gen("P-256")) {
    certificate_ = MakeCertificate(key_.get(), "DNS:pilake", -60, 3600);
    Save("cert", [&](FILE* file) { PEM_write_X509(file, certificate_.get()); });
    Save("key", [&](FILE* file) {
      PEM_write_PrivateKey(file, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    Save("locked", [&](FILE* file) {
      PEM_write_PrivateKey(file, key_.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                           const_cast<char*>("s3cret"));
    });
  }
  ~OwnCertificate() { std::filesystem::remove_all(folder_); }

  X509* certificate() const { return certificate_.get(); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  template <typename Write>
  void Save(const std::string& name, Write write) const {
    std::filesystem::create_directories(folder_);
    FILE* file = fopen(path(name).c_str(), "w");
    write(file);
    fclose(file);
  }

  const std::string folder_ =
      testing::TempDir() + "pilake_http_test_own_" + std::to_string(getpid());
  Key key_;
  Certificate certificate_;
};

TEST(HttpLoopTls, ShowsItsCertificateToAServerThatWantsOne) {
  const OwnCertificate own;
  const TlsServer server("IP:127.0.0.1", -60, 3600, own.certificate());
  HttpOptions options = server.Trusting({server.ca_file()});
  const auto unknown = RunningLoop(options).Get("/system");
  EXPECT_THAT(unknown, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(Message(unknown), AllOf(HasSubstr("wants to know us by a certificate"),
                                      HasSubstr("write source.auth.certificate")));
  options.certificate = own.path("cert");
  options.certificate_key = own.path("key");
  EXPECT_THAT(RunningLoop(options).Get("/system"), IsOk());
}

TEST(HttpLoopTls, RefusesAKeyThatIsLockedOrAnothers) {
  const OwnCertificate own;
  HttpOptions options = OptionsFor("https://host/piwebapi");
  options.certificate = own.path("cert");
  options.certificate_key = own.path("locked");
  EXPECT_THAT(HttpLoop::Make(options), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(HttpLoop::Make(options).error().message, HasSubstr("is locked by a password"));
  options.certificate_key.clear();
  EXPECT_THAT(HttpLoop::Make(options).error().message, HasSubstr("is not the private key of"));
}

TEST(HttpLoopTls, RefusesAnUnknownAuthorityAndSaysWhereToAddIt) {
  const TlsServer server("IP:127.0.0.1", -kDay, kDay);
  RunningLoop loop(server.Trusting({}));
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("trust.ca"));
}

TEST(HttpLoopTls, SaysThatACertificateHasExpired) {
  const TlsServer server("IP:127.0.0.1", -2 * kDay, -kDay);
  RunningLoop loop(server.Trusting({server.ca_file()}));
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("has expired"));
}

TEST(HttpLoopTls, SaysThatACertificateIsNotValidYet) {
  const TlsServer server("IP:127.0.0.1", kDay, 2 * kDay);
  RunningLoop loop(server.Trusting({server.ca_file()}));
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("not valid yet"));
}

TEST(HttpLoopTls, SaysThatACertificateIsForAnotherName) {
  const TlsServer server("DNS:other.example.com", -kDay, kDay);
  RunningLoop loop(server.Trusting({server.ca_file()}));
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("another name"));
}

TEST(HttpLoopTls, SaysThatAPlainServerDoesNotSpeakTls) {
  RawServer server([](Connection& peer) { peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  RunningLoop loop(OptionsFor("https://127.0.0.1:" + std::to_string(server.port()) + "/piwebapi"));
  const auto response = loop.Get("/system");
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("does not speak TLS"));
}

// ---- Judge
// ---------------------------------------------------------------------------------------

struct Verdict {
  const char* what;
  long status;
  const char* content_type;
  const char* body;
  ErrorKind kind;
  const char* sentence;
};
class JudgeSays : public testing::TestWithParam<Verdict> {};

TEST_P(JudgeSays, WhatToDo) {
  const Verdict& verdict = GetParam();
  HttpResponse response;
  response.status = verdict.status;
  response.content_type = verdict.content_type;
  response.body = verdict.body;
  response.url = "https://host/piwebapi/x";
  response.identity = "user 'u'";
  const auto judged = Judge(std::move(response));
  EXPECT_THAT(judged, FailsWith(verdict.kind));
  EXPECT_THAT(Message(judged),
              AllOf(StartsWith("https://host/piwebapi/x: "), HasSubstr(verdict.sentence)));
}

constexpr const char* kJsonType = "application/json; charset=utf-8";
INSTANTIATE_TEST_SUITE_P(
    All, JudgeSays,
    testing::Values(
        Verdict{"EmptyBody", 200, kJsonType, "", ErrorKind::kTransient, "cut short"},
        Verdict{"NoContentType", 200, "", "{}", ErrorKind::kTransient, "content type"},
        Verdict{"LoginPage", 200, "text/html", "<html><title>Sign in</title></html>",
                ErrorKind::kInvalid, "'Sign in'"},
        Verdict{"OtherType", 200, "text/plain", "hello", ErrorKind::kMalformed, "text/plain"},
        Verdict{
            "TooMany", 400, kJsonType,
            R"({"Errors":["Parameter 'maxCount' is greater than the maximum allowed (150000)."]})",
            ErrorKind::kTooLarge, "maximum allowed (150000)"},
        Verdict{"ArchiveLimit", 500, kJsonType,
                R"({"Errors":["[-11091] Event collection exceeded the maximum allowed"]})",
                ErrorKind::kTooLarge, "-11091"},
        Verdict{"LongUrl", 400, "text/html",
                "<HTML><TITLE>Bad Request</TITLE><BODY><h2>Bad Request - Request Too Long</h2>",
                ErrorKind::kTooLarge, "Request Too Long"},
        Verdict{"BadTime", 400, kJsonType, R"({"Errors":["The specified startTime is invalid."]})",
                ErrorKind::kRefused, "400 The specified startTime"},
        Verdict{"Forbidden", 403, kJsonType, R"({"Errors":["No access."]})", ErrorKind::kRefused,
                "user 'u' may not read this: No access."},
        Verdict{"NoPoint", 404, kJsonType, R"({"Errors":["PI Point not found."]})",
                ErrorKind::kNotFound, "PI Point not found."},
        Verdict{"NoPiWebApi", 404, "text/html", "<html><title>404 - nginx</title></html>",
                ErrorKind::kInvalid, "source.url, which usually ends in /piwebapi"},
        Verdict{"Gone", 410, kJsonType, R"({"Errors":["Gone."]})", ErrorKind::kNotFound,
                "410 Gone."},
        Verdict{"Unsupported", 409, kJsonType, R"({"Errors":["No."]})", ErrorKind::kRefused,
                "409 No."},
        Verdict{"RateLimit", 429, kJsonType, R"({"Errors":["Rate limit was reached"]})",
                ErrorKind::kThrottled, "429 Rate limit"},
        Verdict{"ServerError", 500, kJsonType, R"({"Message":"An error has occurred."})",
                ErrorKind::kTransient, "500 An error has occurred."},
        Verdict{"NotSerialisable", 501, kJsonType, R"({"Errors":["Type."]})", ErrorKind::kRefused,
                "501 Type."},
        Verdict{"Gateway", 502, "text/html", "<html><h1>Bad gateway</h1></html>",
                ErrorKind::kTransient, "502 Bad gateway"},
        Verdict{"ArchiveTimeOut", 502, kJsonType,
                R"({"Errors":["[-10722] PINET: Timeout on PI RPC or System Call"]})",
                ErrorKind::kTimedOut, "-10722"},
        Verdict{"GatewayTimeOut", 504, "text/html", "<html><h1>Gateway Time-out</h1></html>",
                ErrorKind::kTimedOut, "504 Gateway Time-out"},
        Verdict{"GatewayForbids", 403, "text/html", "<html><h1>Blocked</h1></html>",
                ErrorKind::kInvalid, "a gateway or web server in front"},
        Verdict{"TooLargeForAProxy", 413, "text/html", "<html><h1>Too large</h1></html>",
                ErrorKind::kTooLarge, "413"},
        Verdict{"Overload", 503, "", "", ErrorKind::kTransient, "503"}),
    [](const auto& param_info) { return std::string(param_info.param.what); });

TEST(Judge, PassesJsonOnUntouched) {
  for (const long status : {200L, 207L}) {
    HttpResponse response;
    response.status = status;
    response.content_type = "application/json";
    response.body = "{}";
    const auto judged = Judge(std::move(response));
    ASSERT_THAT(judged, IsOk());
    EXPECT_EQ(judged->body, "{}");
  }
}

TEST(Judge, AcceptsThatNobodyIsAnEmptyAnswer) {
  HttpResponse response;
  response.status = 204;
  EXPECT_THAT(Judge(std::move(response)), IsOk());
}

TEST(Judge, PassesFailuresOn) {
  EXPECT_THAT(Judge(Fail(ErrorKind::kUnreachable, "no")), FailsWith(ErrorKind::kUnreachable));
}

}  // namespace
}  // namespace pilake::pi
