// SPDX-License-Identifier: Apache-2.0
// Connections that become WebSockets.
#include <atomic>
#include <memory>
#include <thread>

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "web/server.h"
#include "web/test_websocket.h"

namespace pilake::web {
namespace {

using testing::HasSubstr;

// Says `text` so many times, then does not know more, or ends.
class Repeater : public Pusher {
 public:
  Repeater(std::string text, int times, End end, std::atomic<int>& gone)
      : text_(std::move(text)), times_(times), end_(end), gone_(gone) {}
  ~Repeater() override { ++gone_; }

  Turn Next() override {
    Turn turn;
    turn.wait = Duration::Millis(1);
    if (times_-- > 0) {
      turn.messages.push_back(text_);
    } else {
      turn.end = end_;
      turn.close_code = 1001;
    }
    return turn;
  }

 private:
  std::string text_;
  int times_;
  End end_;
  std::atomic<int>& gone_;
};

class WebSocket : public testing::Test {
 protected:
  // `/plain` is no WebSocket.
  void Serve(std::string text, int times, Pusher::End end, size_t bytes_max = 1 << 20) {
    auto server = Server::Start({}, [=, this](const Request& request) {
      Response response;
      if (!request.is_upgrade || request.target == "/plain") {
        response.status = 409;
        return response;
      }
      response.headers = {{"Set-Cookie", "A=1"}};
      response.pusher = std::make_unique<Repeater>(text, times, end, gone_);
      response.outgoing_bytes_max = bytes_max;
      return response;
    });
    ASSERT_THAT(server, IsOk());
    server_ = std::move(*server);
  }

  bool IsGone(int count = 1) {
    for (int i = 0; i < 500 && gone_ < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return gone_ == count;
  }

  std::atomic<int> gone_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(WebSocket, SendsMessagesAsWholeTextFramesThenCloses) {
  Serve(std::string(100'000, 'x'), 3, Pusher::End::kClose);
  auto held = std::make_unique<TestSocket>(server_->port(), "/");
  TestSocket& socket = *held;
  EXPECT_EQ(socket.answer.status, 101);
  // The key of RFC 6455's own example, and its answer.
  EXPECT_TRUE(socket.answer.HasHeader("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  EXPECT_TRUE(socket.answer.HasHeader("Set-Cookie: A=1"));
  EXPECT_TRUE(socket.answer.HasHeader("Server: pilake"));
  for (int i = 0; i < 3; ++i) {
    const auto frame = socket.Receive();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, TestFrame::kText);
    EXPECT_TRUE(frame->whole);
    EXPECT_EQ(frame->payload.size(), 100'000U);
  }
  const auto close = socket.Receive();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->kind, TestFrame::kClose);
  EXPECT_EQ(close->code(), 1001);
  socket.Send(TestFrame::kClose, "\x03\xe9");
  EXPECT_FALSE(socket.Receive());
  EXPECT_FALSE(socket.silent());
  held.reset();  // the server waits for it
  EXPECT_TRUE(IsGone());
  EXPECT_GE(server_->bytes_sent(), 300'000U);
}

TEST_F(WebSocket, EndsWithoutAWordWhereItIsCut) {
  Serve("x", 1, Pusher::End::kCut);
  TestSocket socket(server_->port(), "/");
  socket.Receive();
  EXPECT_FALSE(socket.Receive());
  EXPECT_FALSE(socket.silent());
  EXPECT_TRUE(IsGone());
}

TEST_F(WebSocket, StaysOpenWithoutAWordWhereItStalls) {
  Serve("x", 1, Pusher::End::kStall);
  {
    TestSocket socket(server_->port(), "/", "", 300);
    EXPECT_TRUE(socket.Receive());
    EXPECT_FALSE(socket.Receive());
    EXPECT_TRUE(socket.silent());
    EXPECT_EQ(gone_, 0);
  }
  EXPECT_TRUE(IsGone());
}

TEST_F(WebSocket, AnswersPingsAndIgnoresMessages) {
  Serve("x", 0, Pusher::End::kStall);
  TestSocket socket(server_->port(), "/");
  socket.Send(TestFrame::kText, R"({"Action":"Subscribe"})");
  socket.Send(TestFrame::kPing, "hello");
  const auto pong = socket.Receive();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->kind, TestFrame::kPong);
  EXPECT_EQ(pong->payload, "hello");
}

TEST_F(WebSocket, AnswersAClose) {
  Serve("x", 0, Pusher::End::kStall);
  TestSocket socket(server_->port(), "/");
  socket.Send(TestFrame::kClose, "\x03\xe8");
  const auto close = socket.Receive();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->kind, TestFrame::kClose);
  EXPECT_EQ(close->code(), 1000);
  EXPECT_FALSE(socket.Receive());
  EXPECT_FALSE(socket.silent());
}

TEST_F(WebSocket, CutsAClientThatDoesNotTakeWhatItIsSent) {
  Serve(std::string(1 << 20, 'x'), 10'000, Pusher::End::kStall, 4 << 20);
  const TestSocket socket(server_->port(), "/");  // which reads no more than the head
  EXPECT_TRUE(IsGone());
  EXPECT_LT(server_->bytes_sent(), 64U << 20);
}

TEST_F(WebSocket, IsRefusedAsAnyRequest) {
  Serve("x", 1, Pusher::End::kCut);
  EXPECT_EQ(TestSocket(server_->port(), "/plain").answer.status, 409);
  EXPECT_EQ(Get(server_->port(), "/").status, 409);
}

TEST_F(WebSocket, ManyEndWithTheServer) {
  Serve("x", 1, Pusher::End::kStall);
  std::vector<std::unique_ptr<TestSocket>> sockets;
  for (int i = 0; i < 50; ++i)
    sockets.push_back(std::make_unique<TestSocket>(server_->port(), "/"));
  for (auto& socket : sockets) EXPECT_TRUE(socket->Receive());
  server_.reset();
  EXPECT_EQ(gone_, 50);
  for (auto& socket : sockets) EXPECT_FALSE(socket->Receive());
}

}  // namespace
}  // namespace pilake::web
