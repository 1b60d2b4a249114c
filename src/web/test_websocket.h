// SPDX-License-Identifier: Apache-2.0
// A WebSocket client that shows what came frame by frame; for tests only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "web/test_client.h"

namespace pilake::web {

struct TestFrame {
  enum Kind : uint8_t { kText = 1, kClose = 8, kPing = 9, kPong = 10 };
  uint8_t kind = 0;
  bool whole = false;  ///< the message is not continued in another frame
  std::string payload;
  /// Of a close.
  int code() const {
    if (payload.size() < 2) return 1005;
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
};

class TestSocket {
 public:
  /// Asks for an upgrade; `answer.status` is 101 if it was granted. `headers` are whole lines.
  explicit TestSocket(uint16_t port, std::string_view target, std::string_view headers = "",
                      int patience_millis = 5000)
      : connection_(port, patience_millis) {
    answer = Exchange(connection_,
                      fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
                                  target, port, headers));
  }

  /// The next frame; none at the end of the connection, or when patience is over (`silent()`).
  std::optional<TestFrame> Receive() {
    using test_client_internal::Need;
    std::string& buffer = connection_.buffer;
    if (!Need(connection_, 2)) return std::nullopt;
    const auto byte = [&](size_t at) -> uint64_t { return static_cast<unsigned char>(buffer[at]); };
    size_t head = 2;
    uint64_t size = byte(1) & 0x7f;
    const size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (more > 0) {
      head += more;
      if (!Need(connection_, head)) return std::nullopt;
      size = 0;
      for (size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
    }
    if (!Need(connection_, head + size)) return std::nullopt;
    TestFrame frame{static_cast<uint8_t>(byte(0) & 0x0f), (byte(0) & 0x80) != 0,
                    buffer.substr(head, size)};
    buffer.erase(0, head + size);
    return frame;
  }

  /// One short frame, masked as a client has to.
  void Send(TestFrame::Kind kind, std::string_view payload) {
    std::string bytes = {
        static_cast<char>(0x80 | kind), static_cast<char>(0x80 | payload.size()), 1, 2, 3, 4};
    for (size_t i = 0; i < payload.size(); ++i)
      bytes += static_cast<char>(payload[i] ^ static_cast<char>(1 + i % 4));
    connection_.Send(bytes);
  }

  bool silent() const { return connection_.silent; }

  TestAnswer answer;

 private:
  TestConnection connection_;
};

}  // namespace pilake::web
