// SPDX-License-Identifier: Apache-2.0
#include "web/server.h"

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "web/test_client.h"

namespace pilake::web {
namespace {

using testing::HasSubstr;

// A body of `pieces` pieces of `bytes` each.
class CountedBody : public Body {
 public:
  CountedBody(int pieces, size_t bytes) : left_(pieces), bytes_(bytes) {}
  bool Append(std::string& out) override {
    out.append(bytes_, static_cast<char>('a' + left_ % 26));
    return --left_ > 0;
  }

 private:
  int left_;
  size_t bytes_;
};

std::unique_ptr<Server> Serve(Handler handler, Options options = {}) {
  auto server = Server::Start(std::move(options), std::move(handler));
  EXPECT_THAT(server, IsOk());
  return std::move(*server);
}

Handler Pieces(int pieces, size_t bytes, Mishap mishap = {}) {
  return [=](const Request&) {
    Response response;
    response.headers = {{"Content-Type", "text/plain"}};
    response.pieces = std::make_unique<CountedBody>(pieces, bytes);
    response.mishap = mishap;
    return response;
  };
}

TEST(Server, HandsTheRequestToTheHandlerAndItsAnswerBack) {
  const auto server = Serve([](const Request& request) {
    Response response;
    response.status = 404;
    response.headers = {{"X-Method", request.method}};
    response.body = request.target + "|" + std::string(request.Header("x-thing")) + "|" +
                    request.client + "|" + request.body;
    return response;
  });
  const TestAnswer answer = Post(server->port(), "/a%20b?c=d", "hello", "X-Thing: 7\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.head, HasSubstr("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(answer.HasHeader("X-Method: POST"));
  EXPECT_TRUE(answer.HasHeader("Server: pilake"));
  EXPECT_EQ(answer.body, "/a%20b?c=d|7|127.0.0.1|hello");
}

TEST(Server, TellsTheLengthOfABodyThatFitsOnePiece) {
  const auto server = Serve(Pieces(1, 1000));
  const TestAnswer answer = Get(server->port(), "/");
  EXPECT_FALSE(answer.chunked);
  EXPECT_TRUE(answer.HasHeader("Content-Length: 1000"));
  EXPECT_TRUE(answer.whole);
}

TEST(Server, SendsALongBodyInChunksAndEndsIt) {
  const auto server = Serve(Pieces(50, 300'000));
  const TestAnswer answer = Get(server->port(), "/");
  EXPECT_TRUE(answer.chunked);
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body.size(), 15'000'000U);
  EXPECT_GE(server->bytes_sent(), 15'000'000U);
}

TEST(Server, CompressesForThoseWhoAcceptIt) {
  const auto server = Serve(Pieces(3, 100'000));
  const TestAnswer answer = Get(server->port(), "/", "Accept-Encoding: deflate, gzip\r\n");
  EXPECT_TRUE(answer.HasHeader("Content-Encoding: gzip"));
  EXPECT_TRUE(answer.whole);
  EXPECT_LT(answer.body.size(), 10'000U);
  EXPECT_EQ(answer.body.substr(0, 2), "\x1f\x8b");
}

TEST(Server, KeepsTheConnectionForTheNextRequest) {
  const auto server = Serve(Pieces(2, 10));
  TestConnection connection(server->port());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Exchange(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").body.size(), 20U);
  }
  EXPECT_TRUE(Exchange(connection, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                  .HasHeader("Connection: close"));
  EXPECT_FALSE(connection.Receive());
  EXPECT_FALSE(connection.reset);
}

TEST(Server, CutsABodyShortWhenToldTo) {
  const auto server =
      Serve(Pieces(10, 1000, {.kind = Mishap::Kind::kCutBody, .after_bytes = 2500}));
  const TestAnswer answer = Get(server->port(), "/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.whole);
  EXPECT_FALSE(answer.reset);
  EXPECT_EQ(answer.body.size(), 2500U);
}

TEST(Server, ResetsAConnectionWhenToldTo) {
  const auto server = Serve(Pieces(10, 1000, {.kind = Mishap::Kind::kReset, .after_bytes = 2500}));
  const TestAnswer answer = Get(server->port(), "/");
  EXPECT_FALSE(answer.whole);
  EXPECT_TRUE(answer.reset);
}

TEST(Server, PromisesMoreThanItSendsWhenAKnownLengthIsCut) {
  const auto server = Serve(Pieces(1, 1000, {.kind = Mishap::Kind::kCutBody, .after_bytes = 10}));
  const TestAnswer answer = Get(server->port(), "/");
  EXPECT_TRUE(answer.HasHeader("Content-Length: 1000"));
  EXPECT_FALSE(answer.whole);
  EXPECT_EQ(answer.body.size(), 10U);
}

TEST(Server, HangsUpBeforeTheFirstByteWhenToldTo) {
  const auto server = Serve(Pieces(1, 1000, {.kind = Mishap::Kind::kHangUp}));
  const TestAnswer answer = Get(server->port(), "/", "", 5000);
  EXPECT_EQ(answer.head, "");
  EXPECT_FALSE(answer.silent);
}

TEST(Server, EndsBehindTheStatusLineWhenToldTo) {
  const auto server = Serve(Pieces(1, 1000, {.kind = Mishap::Kind::kCutHead}));
  const TestAnswer answer = Get(server->port(), "/", "", 5000);
  EXPECT_EQ(answer.head, "HTTP/1.1 200 OK\r\n");
  EXPECT_FALSE(answer.silent);
}

TEST(Server, NeverAnswersWhenToldTo) {
  const auto server = Serve(Pieces(1, 1000, {.kind = Mishap::Kind::kNoAnswer}));
  const TestAnswer answer = Get(server->port(), "/", "", 50);
  EXPECT_EQ(answer.head, "");
  EXPECT_TRUE(answer.silent);
}

TEST(Server, FallsSilentWithinABodyWhenToldTo) {
  const auto server = Serve(Pieces(10, 1000, {.kind = Mishap::Kind::kStall, .after_bytes = 2500}));
  const TestAnswer answer = Get(server->port(), "/", "", 200);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.silent);
  EXPECT_EQ(answer.body.size(), 2500U);
}

TEST(Server, WaitsBeforeTheFirstByteWhenToldTo) {
  const auto server = Serve(Pieces(1, 10, {.delay = Duration::Millis(120)}));
  EXPECT_TRUE(Get(server->port(), "/", "", 40).silent);
  EXPECT_TRUE(Get(server->port(), "/", "", 5000).whole);
}

TEST(Server, EndsWhileConnectionsAreHeldOpen) {
  auto server = Serve(Pieces(1, 1000, {.kind = Mishap::Kind::kNoAnswer}));
  TestConnection connection(server->port(), 50);
  EXPECT_TRUE(Exchange(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").silent);
  server.reset();
  EXPECT_FALSE(connection.Receive());
  EXPECT_FALSE(connection.silent);
}

TEST(Server, RefusesWhatIsNotHttp) {
  const auto server = Serve(Pieces(1, 1));
  TestConnection connection(server->port());
  EXPECT_EQ(Exchange(connection, "\x01\x02 nonsense\r\n\r\n").status, 400);
}

TEST(Server, RefusesBodiesBeyondItsLimit) {
  Options options;
  options.body_bytes_max = 100;
  const auto server = Serve(Pieces(1, 1), std::move(options));
  EXPECT_EQ(Post(server->port(), "/", std::string(101, 'x')).status, 413);
  EXPECT_EQ(Post(server->port(), "/", std::string(100, 'x')).status, 200);
}

TEST(Server, StopsInTheMiddleOfABodyThatNobodyReads) {
  auto server = Serve(Pieces(1'000'000, 100'000));
  TestConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(connection.Receive());
  server.reset();  // must not hang
  EXPECT_EQ(server, nullptr);
}

TEST(Server, SaysWhyItCannotListen) {
  const auto first = Serve(Pieces(1, 1));
  Options options;
  options.port = first->port();
  const auto second = Server::Start(std::move(options), Pieces(1, 1));
  EXPECT_THAT(second, FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::web
