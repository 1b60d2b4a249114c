// SPDX-License-Identifier: Apache-2.0
#include "pi/channel.h"

#include <poll.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "pi/raw_server.h"
#include "web/certificate.h"
#include "web/server.h"

namespace pilake::pi {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// What one channel told.
class Heard {
 public:
  ChannelHandler Handler() {
    return {.on_open = [this] { Note([this] { ++opens_; }); },
            .on_message =
                [this](std::string message) {
                  Note([&] {
                    has_room_ = has_room_ && message.capacity() >= message.size() + 64;
                    messages_.push_back(std::move(message));
                  });
                },
            .on_end =
                [this](Error error) {
                  Note([&] {
                    ++ends_;
                    end_ = std::move(error);
                  });
                }};
  }

  void WaitForOpen() {
    Wait([this] { return opens_ > 0 || ends_ > 0; });
  }
  void WaitForMessages(size_t count) {
    Wait([this, count] { return messages_.size() >= count || ends_ > 0; });
  }
  Error WaitForEnd() {
    Wait([this] { return ends_ > 0; });
    const std::scoped_lock lock(mutex_);
    return end_.value_or(Error{ErrorKind::kInternal, "it did not end"});
  }

  int opens() {
    const std::scoped_lock lock(mutex_);
    return opens_;
  }
  int ends() {
    const std::scoped_lock lock(mutex_);
    return ends_;
  }
  bool has_room() {
    const std::scoped_lock lock(mutex_);
    return has_room_;
  }
  std::vector<std::string> messages() {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }

 private:
  template <typename Change>
  void Note(Change change) {
    const std::scoped_lock lock(mutex_);
    change();
    news_.notify_all();
  }
  template <typename Condition>
  void Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(news_.wait_for(lock, std::chrono::seconds(60), condition));
  }
  std::mutex mutex_;
  std::condition_variable news_;
  int opens_ = 0, ends_ = 0;  // guarded by mutex_, as the others
  std::vector<std::string> messages_;
  bool has_room_ = true;
  std::optional<Error> end_;
};

/// A loop with its thread, ended at the end of the test.
class RunningLoop {
 public:
  explicit RunningLoop(HttpOptions options)
      : loop_(std::move(ChannelLoop::Make(std::move(options)).value())),
        thread_([this](const std::stop_token& stop) { loop_->Run(stop); }) {}

  ChannelLoop* operator->() { return loop_.get(); }
  uint64_t Open(Heard& heard, Duration silence_max = Duration::Minutes(1)) {
    return loop_->Open({.target = "/streamsets/channel?webId=F1a", .silence_max = silence_max},
                       heard.Handler());
  }
  void Stop() {
    thread_.request_stop();
    thread_.join();
  }

 private:
  std::unique_ptr<ChannelLoop> loop_;
  std::jthread thread_;
};

HttpOptions OptionsFor(const std::string& url) {
  HttpOptions options;
  options.url = url;
  return options;
}

/// How a channel to there ends.
Error EndOf(const HttpOptions& options, Duration silence_max = Duration::Minutes(1)) {
  Heard heard;
  RunningLoop loop(options);
  loop.Open(heard, silence_max);
  return heard.WaitForEnd();
}
Error EndOf(const RawServer& server) {
  return EndOf(OptionsFor(server.url()));
}

// ---- A server that pushes
// ---------------------------------------------------------------------------

/// Says each of its messages, then ends.
class Speaker : public web::Pusher {
 public:
  Speaker(std::vector<std::string> messages, End end) : messages_(std::move(messages)), end_(end) {}

  Turn Next() override {
    return {.messages = std::exchange(messages_, {}),
            .wait = Duration::Seconds(1),
            .end = end_,
            .close_code = 1001};
  }

 private:
  std::vector<std::string> messages_;
  End end_;
};

std::unique_ptr<web::Server> Serve(web::Handler handler, web::Options options = {}) {
  return std::move(web::Server::Start(std::move(options), std::move(handler)).value());
}

web::Handler Says(std::vector<std::string> messages, web::Pusher::End end) {
  return [=](const web::Request&) {
    web::Response response;
    response.pusher = std::make_unique<Speaker>(messages, end);
    return response;
  };
}

std::string UrlOf(const web::Server& server, const std::string& begin = "http://127.0.0.1:") {
  return begin + std::to_string(server.port()) + "/piwebapi";
}

TEST(Channel, TellsMessagesOfAnySizeInOrderUntilTheServerCloses) {
  std::string large(5'000'000, ' ');
  for (size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>('a' + i / 1000 % 26);
  const std::vector<std::string> messages = {R"({"Items":[1]})", "", large, "{}"};
  const auto server = Serve(Says(messages, web::Pusher::End::kClose));
  Heard heard;
  RunningLoop loop(OptionsFor(UrlOf(*server) + "/"));
  loop.Open(heard);
  const Error end = heard.WaitForEnd();
  EXPECT_EQ(end.kind, ErrorKind::kTransient);
  EXPECT_EQ(end.message,
            UrlOf(*server) + "/streamsets/channel: the server closed the channel with code 1001");
  EXPECT_TRUE(heard.messages() == messages);
  EXPECT_TRUE(heard.has_room());
  EXPECT_EQ(heard.opens(), 1);
  loop.Stop();
  EXPECT_EQ(heard.ends(), 1);
}

TEST(Channel, SeesThatItWasCut) {
  const auto server = Serve(Says({}, web::Pusher::End::kCut));
  const Error end = EndOf(OptionsFor(UrlOf(*server)));
  EXPECT_EQ(end.kind, ErrorKind::kTransient);
  EXPECT_THAT(end.message, HasSubstr("the channel was cut"));
}

TEST(Channel, EndsWhenTheServerFallsSilent) {
  const auto server = Serve(Says({"{}"}, web::Pusher::End::kStall));
  const Error end = EndOf(OptionsFor(UrlOf(*server)), Duration::Millis(50));
  EXPECT_EQ(end.kind, ErrorKind::kTimedOut);
  EXPECT_THAT(end.message, HasSubstr("no frame came for 50 ms"));
}

/// The request of a channel opened with these credentials.
web::Request RequestWith(AuthOptions auth) {
  web::Request seen;
  auto server = Serve([&](const web::Request& request) {
    seen = request;
    return web::Response{.status = 503};
  });
  HttpOptions options = OptionsFor(UrlOf(*server));
  options.auth = std::move(auth);
  EndOf(options);
  const std::string port = std::to_string(server->port());
  server.reset();  // whose thread wrote `seen`
  EXPECT_EQ(seen.Header("Host"), "127.0.0.1:" + port);
  return seen;
}

TEST(Channel, AsksAsHttpDoes) {
  const auto nobody = RequestWith({});
  EXPECT_TRUE(nobody.is_upgrade);
  EXPECT_EQ(nobody.method, "GET");
  EXPECT_EQ(nobody.target, "/piwebapi/streamsets/channel?webId=F1a");
  EXPECT_THAT(nobody.Header("User-Agent"), StartsWith("pilake/"));
  EXPECT_EQ(nobody.Header("Authorization"), "");
  EXPECT_EQ(RequestWith({AuthOptions::Kind::kBasic, "PLANT\\reader", "s3cret", ""})
                .Header("Authorization"),
            "Basic UExBTlRccmVhZGVyOnMzY3JldA==");
  EXPECT_EQ(RequestWith({AuthOptions::Kind::kBearer, "", "", "abc.def"}).Header("Authorization"),
            "Bearer abc.def");
}

TEST(Channel, AsksOnceMoreWithANewTokenWhereTheOldOneIsRefused) {
  std::vector<std::string> seen;
  auto server = Serve([&](const web::Request& request) -> web::Response {
    seen.emplace_back(request.Header("Authorization"));
    if (seen.back() != "Bearer new") return {.status = 401};
    return Says({"{}"}, web::Pusher::End::kClose)(request);
  });
  HttpOptions options = OptionsFor(UrlOf(*server));
  options.auth.kind = AuthOptions::Kind::kBearer;
  options.auth.token_command = [old = true]() mutable -> Result<std::string> {
    return std::exchange(old, false) ? "old" : "new";
  };
  EXPECT_EQ(EndOf(options).kind, ErrorKind::kTransient);  // closed by the server, after it opened
  server.reset();
  EXPECT_THAT(seen, testing::ElementsAre("Bearer old", "Bearer new"));
}

struct Refusal {
  const char* what;
  int status;
  web::Headers headers;
  const char* body;
  ErrorKind kind;
  const char* sentence;
};
class ChannelIsRefused : public testing::TestWithParam<Refusal> {};

TEST_P(ChannelIsRefused, AsHttpWouldBe) {
  const auto server = Serve([](const web::Request&) {
    web::Response response{.status = GetParam().status};
    response.headers = GetParam().headers;
    response.body = GetParam().body;
    return response;
  });
  HttpOptions options = OptionsFor(UrlOf(*server));
  options.auth = {AuthOptions::Kind::kBasic, "PLANT\\reader", "s3cret", ""};
  const Error end = EndOf(options);
  EXPECT_EQ(end.kind, GetParam().kind);
  EXPECT_THAT(end.message, AllOf(StartsWith(UrlOf(*server) + "/streamsets/channel: "),
                                 HasSubstr(GetParam().sentence), Not(HasSubstr("s3cret"))));
}

const std::pair<std::string, std::string> kJson = {"Content-Type", "application/json"};
INSTANTIATE_TEST_SUITE_P(
    All, ChannelIsRefused,
    testing::Values(Refusal{"Credentials",
                            401,
                            {{"WWW-Authenticate", "Negotiate"}, {"WWW-Authenticate", "Basic"}},
                            "",
                            ErrorKind::kAuth,
                            R"(user 'PLANT\reader' was refused; check source.auth. The server )"
                            "accepts: Negotiate, Basic"},
                    Refusal{"Redirect",
                            302,
                            {{"Location", "https://login.example.com/"}},
                            "",
                            ErrorKind::kInvalid,
                            "https://login.example.com/"},
                    Refusal{"NoPoint",
                            404,
                            {kJson},
                            R"({"Errors":["Stream not found."]})",
                            ErrorKind::kNotFound,
                            "404 Stream not found."},
                    Refusal{"NoPiWebApi",
                            404,
                            {{"Content-Type", "text/html"}},
                            "<title>nginx</title>",
                            ErrorKind::kInvalid,
                            "source.url"},
                    Refusal{"Static",
                            409,
                            {kJson},
                            R"({"Errors":["Static attribute."]})",
                            ErrorKind::kRefused,
                            "409 Static attribute."},
                    Refusal{"TooOften", 429, {kJson}, "", ErrorKind::kThrottled, "429"},
                    Refusal{"Overload", 503, {}, "", ErrorKind::kTransient, "503"},
                    Refusal{"Unaware",
                            200,
                            {kJson},
                            R"({"Items":[]})",
                            ErrorKind::kMalformed,
                            "does not speak WebSocket (status 200)"}),
    [](const auto& param_info) { return std::string(param_info.param.what); });

// ---- Servers that misbehave
// -------------------------------------------------------------------------

/// Grants the upgrade that the next request asks for.
void Upgrade(const Connection& peer, const std::string& spoilt = "") {
  const std::string request = peer.ReadRequest();
  const std::string label = "Sec-WebSocket-Key: ";
  const size_t at = request.find(label) + label.size();
  const std::string key = request.substr(at, request.find('\r', at) - at) + spoilt +
                          "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH], accept[64];
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  EVP_EncodeBlock(accept, digest, SHA_DIGEST_LENGTH);
  peer.Send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      std::string(reinterpret_cast<const char*>(accept)) + "\r\n\r\n");
}

constexpr char kText = '\x81', kBinary = '\x82', kClose = '\x88', kPing = '\x89', kPong = '\x8a';

std::string Frame(char kind, const std::string& payload) {
  return std::string{kind, static_cast<char>(payload.size())} + payload;
}

/// The next frame of a client, which is short: its kind and its payload, unmasked.
std::string ReadFrame(const Connection& peer) {
  char head[6];
  if (recv(peer.socket(), head, sizeof head, MSG_WAITALL) != sizeof head) return "";
  std::string payload(static_cast<size_t>(head[1] & 0x7f), '\0');
  if (!payload.empty()) recv(peer.socket(), payload.data(), payload.size(), MSG_WAITALL);
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ head[2 + i % 4]);
  }
  return head[0] + payload;
}

TEST(Channel, TellsWhyTheServerClosedBeforeThatHangsUp) {
  std::latch told(1);
  RawServer server([&](Connection& peer) {
    Upgrade(peer);
    peer.Send(Frame(kClose, "\x03\xf3pool recycled"));
    told.wait();
  });
  Heard heard;
  RunningLoop loop(OptionsFor(server.url()));
  loop.Open(heard);
  const Error end = heard.WaitForEnd();
  told.count_down();
  EXPECT_EQ(end.kind, ErrorKind::kTransient);
  EXPECT_THAT(end.message, HasSubstr("closed the channel with code 1011: pool recycled"));
}

TEST(Channel, AnswersPingsAndTakesThemForSignsOfLife) {
  constexpr int kPings = 8;
  std::atomic<int> pongs = 0;
  RawServer server([&](Connection& peer) {
    Upgrade(peer);
    for (int i = 0; i < kPings; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      peer.Send(Frame(kPing, "?"));
      if (ReadFrame(peer) == std::string{kPong, '?'}) ++pongs;
    }
    peer.Send(Frame(kText, "{}"));
    peer.WaitForClose();
  });
  Heard heard;
  RunningLoop loop(OptionsFor(server.url()));
  loop.Open(heard, Duration::Millis(300));
  heard.WaitForMessages(1);
  EXPECT_THAT(heard.messages(), ElementsAre("{}"));
  EXPECT_EQ(pongs, kPings);
  EXPECT_EQ(heard.WaitForEnd().kind, ErrorKind::kTimedOut);
}

TEST(Channel, SeesThatAMessageWasCutShort) {
  const RawServer server([](Connection& peer) {
    Upgrade(peer);
    peer.Send(Frame(kText, R"({"Items":[]})").substr(0, 9));
    peer.Reset();
  });
  EXPECT_EQ(EndOf(server).kind, ErrorKind::kTransient);
}

TEST(Channel, PutsTheFragmentsOfAMessageTogether) {
  RawServer server([](Connection& peer) {
    Upgrade(peer);
    peer.Send(Frame('\x01', "{\"Items\"") + Frame(kPing, "") + Frame('\x80', ":[]}"));
    while (ReadFrame(peer).starts_with(kPong)) {
    }
  });
  Heard heard;
  RunningLoop loop(OptionsFor(server.url()));
  loop.Open(heard);
  heard.WaitForMessages(1);
  EXPECT_THAT(heard.messages(), ElementsAre(R"({"Items":[]})"));
}

TEST(Channel, RefusesBinaryMessagesAndSaysSo) {
  std::string last;
  {
    const RawServer server([&](Connection& peer) {
      Upgrade(peer);
      peer.Send(Frame(kBinary, "x"));
      last = ReadFrame(peer);
    });
    const Error end = EndOf(server);
    EXPECT_EQ(end.kind, ErrorKind::kMalformed);
    EXPECT_THAT(end.message, HasSubstr("binary"));
  }
  EXPECT_EQ(last, std::string(1, kClose) + "\x03\xeb");
}

TEST(Channel, RefusesAMessageBeyondTheLimitBeforeAllOfItCame) {
  std::string last;
  {
    const RawServer server([&](Connection& peer) {
      Upgrade(peer);
      peer.Send(std::string{kText, '\x7f', 0, 0, 0, 1, 0, 0, 0, 0} + std::string(101, 'x'));
      last = ReadFrame(peer);
    });
    HttpOptions options = OptionsFor(server.url());
    options.body_bytes_max = 100;
    const Error end = EndOf(options);
    EXPECT_EQ(end.kind, ErrorKind::kMalformed);
    EXPECT_THAT(end.message, HasSubstr("larger than 100 bytes"));
  }
  EXPECT_EQ(last, std::string(1, kClose) + "\x03\xf1");
}

TEST(Channel, SaysThatBrokenFramesAreNoWebSocket) {
  const RawServer server([](Connection& peer) {
    Upgrade(peer);
    peer.Send(Frame('\xf1', "{}"));  // bits that nobody agreed on
    ReadFrame(peer);
  });
  const Error end = EndOf(server);
  EXPECT_EQ(end.kind, ErrorKind::kMalformed);
  EXPECT_THAT(end.message, HasSubstr("does not speak WebSocket"));
}

TEST(Channel, SaysThatAWrongAnswerToTheUpgradeIsNoWebSocket) {
  const RawServer server([](Connection& peer) { Upgrade(peer, "spoilt"); });
  const Error end = EndOf(server);
  EXPECT_EQ(end.kind, ErrorKind::kMalformed);
  EXPECT_THAT(end.message, HasSubstr("does not speak WebSocket"));
}

TEST(Channel, SaysThatGarbageIsNotHttp) {
  const RawServer server([](Connection& peer) {
    peer.ReadRequest();
    peer.Send("SSH-2.0-OpenSSH_9.2\r\n");
  });
  const Error end = EndOf(server);
  EXPECT_EQ(end.kind, ErrorKind::kMalformed);
  EXPECT_THAT(end.message, HasSubstr("does not speak HTTP"));
}

TEST(Channel, SeesThatTheAnswerToTheUpgradeWasCutShort) {
  for (const char* answer :
       {"", "HTTP/1.1 101 Swi", "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n"}) {
    const RawServer server([&](Connection& peer) {
      peer.ReadRequest();
      peer.Send(answer);
    });
    EXPECT_EQ(EndOf(server).kind, ErrorKind::kTransient) << answer;
  }
}

TEST(Channel, GivesUpOnAServerThatDoesNotAnswer) {
  const RawServer server([](Connection& peer) { peer.WaitForClose(); });
  HttpOptions options = OptionsFor(server.url());
  options.stall_timeout = Duration::Millis(50);
  const Error end = EndOf(options);
  EXPECT_EQ(end.kind, ErrorKind::kTimedOut);
  EXPECT_THAT(end.message, HasSubstr("the server sent nothing for 50 ms"));
}

TEST(Channel, NamesTheHostThatRefusesConnections) {
  std::string url;
  {
    const RawServer gone([](Connection&) {});
    url = gone.url();
  }
  const Error end = EndOf(OptionsFor(url));
  EXPECT_EQ(end.kind, ErrorKind::kUnreachable);
  EXPECT_THAT(end.message, HasSubstr("nothing accepts connections at 127.0.0.1:"));
}

// ---- TLS
// --------------------------------------------------------------------------------------------

/// A server with a certificate of its own authority for 127.0.0.1.
class ChannelTls : public testing::Test {
 protected:
  void Start(const std::string& address = "127.0.0.1") {
    const UtcTime now = SystemClock().Now();
    const TimeRange today = {now - Duration::Days(1), now + Duration::Days(1)};
    auto generated = web::GenerateIdentity(today).value();
    ca_file_ = testing::TempDir() + "pilake_channel_test_" + std::to_string(getpid()) + ".pem";
    std::ofstream(ca_file_) << generated.ca_pem;
    server_ = Serve(Says({"{}"}, web::Pusher::End::kClose),
                    {.address = address, .tls = std::move(generated.identity)});
    options_ = OptionsFor(UrlOf(*server_, "https://" + address + ":"));
    options_.ca_files = {ca_file_};
  }
  ~ChannelTls() override { std::filesystem::remove(ca_file_); }

  std::string ca_file_;
  std::unique_ptr<web::Server> server_;
  HttpOptions options_;
};

TEST_F(ChannelTls, TrustsACertificateOfTheOperatorsOwnAuthority) {
  Start();
  Heard heard;
  RunningLoop loop(options_);
  loop.Open(heard);
  EXPECT_THAT(heard.WaitForEnd().message, HasSubstr("code 1001"));
  EXPECT_THAT(heard.messages(), ElementsAre("{}"));
}

TEST_F(ChannelTls, RefusesAnUnknownAuthorityAndSaysWhereToAddIt) {
  Start();
  options_.ca_files.clear();
  const Error end = EndOf(options_);
  EXPECT_EQ(end.kind, ErrorKind::kInvalid);
  EXPECT_THAT(end.message, HasSubstr("trust.ca"));
}

TEST_F(ChannelTls, SaysThatACertificateIsForAnotherName) {
  Start("127.0.0.2");
  const Error end = EndOf(options_);
  EXPECT_EQ(end.kind, ErrorKind::kInvalid);
  EXPECT_THAT(end.message, HasSubstr("another name"));
}

TEST(Channel, SaysThatAPlainServerDoesNotSpeakTls) {
  const RawServer server([](Connection& peer) { peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const Error end =
      EndOf(OptionsFor("https://127.0.0.1:" + std::to_string(server.port()) + "/piwebapi"));
  EXPECT_EQ(end.kind, ErrorKind::kInvalid);
  EXPECT_THAT(end.message, HasSubstr("does not speak TLS"));
}

TEST(Channel, GivesUpOnAServerThatDoesNotAnswerInTls) {
  const RawServer server([](Connection& peer) { peer.WaitForClose(); });
  HttpOptions options =
      OptionsFor("https://127.0.0.1:" + std::to_string(server.port()) + "/piwebapi");
  options.connect_timeout = Duration::Millis(100);
  const Error end = EndOf(options);
  EXPECT_EQ(end.kind, ErrorKind::kUnreachable);
  EXPECT_THAT(end.message, HasSubstr("does not answer within 100 ms"));
}

TEST(ChannelLoop, RefusesOptionsThatCannotWork) {
  HttpOptions options = OptionsFor("https://host/piwebapi");
  options.auth.kind = AuthOptions::Kind::kBearer;
  EXPECT_THAT(ChannelLoop::Make(options), FailsWith(ErrorKind::kInvalid));
  const std::string path =
      testing::TempDir() + "pilake_channel_test_broken_" + std::to_string(getpid()) + ".pem";
  std::ofstream(path) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  options = OptionsFor("https://host/piwebapi");
  options.ca_files = {path};
  EXPECT_THAT(ChannelLoop::Make(options), FailsWith(ErrorKind::kInvalid));
  std::filesystem::remove(path);
}

// ---- Proxies
// ----------------------------------------------------------------------------------------

/// Carries bytes both ways until either side ends.
void Relay(int a, int b) {
  pollfd ends[] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  char buffer[4096];
  while (poll(ends, 2, -1) > 0) {
    for (const int from : {0, 1}) {
      if (ends[from].revents == 0) continue;
      const ssize_t bytes = recv(ends[from].fd, buffer, sizeof buffer, 0);
      if (bytes <= 0) return;
      send(ends[1 - from].fd, buffer, static_cast<size_t>(bytes), MSG_NOSIGNAL);
    }
  }
}

/// A proxy whose tunnels all lead to `port` of 127.0.0.1; `asked` is what it was asked for last.
RawServer Proxy(uint16_t port, std::string& asked) {
  return RawServer([=, &asked](Connection& peer) {
    asked = peer.ReadRequest();
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(port);
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int onward = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(onward, reinterpret_cast<sockaddr*>(&target), sizeof target) == 0) {
      peer.Send("HTTP/1.1 200 Connection established\r\n\r\n");
      Relay(peer.socket(), onward);
    }
    close(onward);
  });
}

std::string ProxyUrl(const RawServer& proxy, const std::string& scheme = "http") {
  return scheme + "://127.0.0.1:" + std::to_string(proxy.port());
}

TEST(Channel, GoesThroughATunnelOfAProxyThatLearnsNoSecret) {
  std::string asked;
  const auto server = Serve(Says({"{}"}, web::Pusher::End::kClose));
  const RawServer proxy = Proxy(server->port(), asked);
  HttpOptions options = OptionsFor("http://pi.example.invalid:8080/piwebapi");
  options.proxy = ProxyUrl(proxy);
  options.auth = {AuthOptions::Kind::kBearer, "", "", "s3cret"};
  EXPECT_THAT(EndOf(options).message, HasSubstr("code 1001"));
  EXPECT_THAT(asked, AllOf(StartsWith("CONNECT pi.example.invalid:8080 HTTP/1.1\r\n"),
                           HasSubstr("\r\nUser-Agent: pilake/"), Not(HasSubstr("s3cret"))));
}

TEST_F(ChannelTls, GoesThroughATunnelOfAProxy) {
  Start();
  std::string asked;
  const RawServer proxy = Proxy(server_->port(), asked);
  options_.proxy = ProxyUrl(proxy);
  EXPECT_THAT(EndOf(options_).message, HasSubstr("code 1001"));
  EXPECT_THAT(asked, StartsWith("CONNECT 127.0.0.1:"));
}

Error EndBehindAProxyThatSays(const std::string& answer) {
  const RawServer proxy([&](Connection& peer) {
    peer.ReadRequest();
    peer.Send(answer + "\r\nContent-Length: 0\r\n\r\n");
  });
  HttpOptions options = OptionsFor("https://pi.example.invalid/piwebapi");
  options.proxy = ProxyUrl(proxy);
  return EndOf(options);
}

TEST(Channel, TellsThatTheProxyRefusesTheTunnel) {
  const Error forbidden = EndBehindAProxyThatSays("HTTP/1.1 403 Forbidden");
  EXPECT_EQ(forbidden.kind, ErrorKind::kUnreachable);
  EXPECT_THAT(forbidden.message, AllOf(HasSubstr("cannot get to pi.example.invalid:443"),
                                       HasSubstr("403"), HasSubstr("source.proxy")));
  EXPECT_EQ(EndBehindAProxyThatSays("HTTP/1.1 407 Who are you").kind, ErrorKind::kAuth);
  EXPECT_EQ(EndBehindAProxyThatSays("HTTP/1.1 401 Not you").kind, ErrorKind::kAuth);
}

TEST(Channel, SaysThatAProxyOverTlsCannotBeUsed) {
  const RawServer proxy([](Connection& peer) { peer.WaitForClose(); });
  HttpOptions options = OptionsFor("http://pi.example.invalid/piwebapi");
  options.proxy = ProxyUrl(proxy, "https");
  const Error end = EndOf(options);
  EXPECT_EQ(end.kind, ErrorKind::kInvalid);
  EXPECT_THAT(end.message, HasSubstr("source.proxy"));
}

/// Sets a variable of the environment while it lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(Channel, TakesTheProxyOfTheEnvironmentByTheSchemeOfTheSource) {
  const auto refuses = [](std::atomic<int>& count) {
    return [&count](Connection& peer) {
      peer.ReadRequest();
      ++count;
      peer.Send("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n");
    };
  };
  std::atomic<int> plain = 0, secure = 0;
  const RawServer for_plain(refuses(plain)), for_secure(refuses(secure));
  const Environment http_proxy("http_proxy", ProxyUrl(for_plain));
  const Environment https_proxy("https_proxy", ProxyUrl(for_secure));
  const Environment no_proxy("no_proxy", "other.invalid");
  EndOf(OptionsFor("https://pi.example.invalid/piwebapi"));
  EXPECT_EQ(secure, 1);
  EXPECT_EQ(plain, 0);
  EndOf(OptionsFor("http://pi.example.invalid/piwebapi"));
  EXPECT_EQ(plain, 1);
  EXPECT_THAT(EndOf(OptionsFor("https://other.invalid/piwebapi")).message,
              HasSubstr("no address is known for host 'other.invalid'"));
  EXPECT_EQ(EndOf(OptionsFor("https://127.0.0.1:1/piwebapi")).kind, ErrorKind::kUnreachable);
  EXPECT_EQ(secure, 1);
}

// ---- The end
// ----------------------------------------------------------------------------------------

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors)));
}

TEST(Channel, IsClosedFromAnotherThreadWithAFarewell) {
  std::string last;
  {
    RawServer server([&](Connection& peer) {
      Upgrade(peer);
      last = ReadFrame(peer);
      peer.Send(Frame(kClose, "\x03\xe8"));
    });
    Heard heard;
    RunningLoop loop(OptionsFor(server.url()));
    const uint64_t id = loop.Open(heard);
    heard.WaitForOpen();
    loop->Close(id);
    loop->Close(id);
    EXPECT_EQ(heard.WaitForEnd().kind, ErrorKind::kCancelled);
    loop.Stop();
    EXPECT_EQ(heard.ends(), 1);
  }
  EXPECT_EQ(last, std::string(1, kClose) + "\x03\xe8");
}

TEST(Channel, IsClosedBeforeTheServerAnswered) {
  std::atomic<bool> is_asked = false;
  RawServer server([&](Connection& peer) {
    peer.ReadRequest();
    is_asked = true;
    is_asked.notify_all();
    peer.WaitForClose();
  });
  Heard heard;
  RunningLoop loop(OptionsFor(server.url()));
  const uint64_t id = loop.Open(heard);
  is_asked.wait(false);
  loop->Close(id);
  EXPECT_EQ(heard.WaitForEnd().kind, ErrorKind::kCancelled);
  EXPECT_EQ(heard.opens(), 0);
}

TEST(ChannelLoop, LeavesNoConnectionBehind) {
  const auto server = Serve(Says({}, web::Pusher::End::kStall));
  std::vector<Heard> all(5);
  Heard first;  // opens what the loop itself keeps
  RunningLoop loop(OptionsFor(UrlOf(*server)));
  loop.Open(first);
  first.WaitForOpen();
  const size_t before = OpenDescriptors();
  for (Heard& heard : all) {
    const uint64_t id = loop.Open(heard);
    heard.WaitForOpen();
    loop->Close(id);
    heard.WaitForEnd();
  }
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (OpenDescriptors() > before && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(ChannelLoop, EndsManyChannelsAtOnceWhenStopped) {
  constexpr size_t kChannels = 200;
  const auto server = Serve(Says({"{}"}, web::Pusher::End::kStall));
  std::vector<Heard> heard(kChannels);
  RunningLoop loop(OptionsFor(UrlOf(*server)));
  for (Heard& one : heard) loop.Open(one);
  for (Heard& one : heard) one.WaitForMessages(1);
  const auto begin = std::chrono::steady_clock::now();
  loop.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  for (Heard& one : heard) {
    EXPECT_EQ(one.WaitForEnd().kind, ErrorKind::kCancelled);
    EXPECT_EQ(one.opens(), 1);
    EXPECT_EQ(one.ends(), 1);
  }
}

TEST(ChannelLoop, DoesNotWaitLongForAServerThatTakesNoLeave) {
  RawServer server([](Connection& peer) {
    Upgrade(peer);
    peer.WaitForClose();
  });
  Heard heard;
  RunningLoop loop(OptionsFor(server.url()));
  loop.Open(heard);
  heard.WaitForOpen();
  const auto begin = std::chrono::steady_clock::now();
  loop.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(heard.WaitForEnd().kind, ErrorKind::kCancelled);
}

TEST(ChannelLoop, EndsAtOnceWhatIsOpenedAfterIt) {
  RunningLoop loop(OptionsFor("http://127.0.0.1:1/piwebapi"));
  loop.Stop();
  Heard heard;
  loop.Open(heard);
  EXPECT_EQ(heard.ends(), 1);
  EXPECT_EQ(heard.WaitForEnd().kind, ErrorKind::kCancelled);
}

TEST(ChannelLoop, EndsWhatWasOpenedInALoopThatNeverRan) {
  Heard heard;
  {
    const auto loop = std::move(ChannelLoop::Make(OptionsFor("http://127.0.0.1:1/x")).value());
    loop->Close(loop->Open({.target = "/c", .silence_max = Duration::Seconds(1)}, heard.Handler()));
  }
  EXPECT_EQ(heard.ends(), 1);
  EXPECT_EQ(heard.WaitForEnd().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace pilake::pi
