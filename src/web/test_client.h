// SPDX-License-Identifier: Apache-2.0
// A plain, blocking HTTP client of a few lines; for tests only. Shows the wire as it is.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace pilake::web {

/// One TCP connection to 127.0.0.1.
class TestConnection {
 public:
  /// With `patience_millis`, a read that has to wait for longer ends like one at the end, and sets
  /// `silent`.
  explicit TestConnection(uint16_t port, int patience_millis = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = patience_millis / 1000,
                           .tv_usec = patience_millis % 1000 * 1000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestConnection() { ::close(socket_); }
  TestConnection(const TestConnection&) = delete;
  TestConnection& operator=(const TestConnection&) = delete;

  bool connected() const { return connected_; }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  /// One more read into `buffer`; false at the end of the connection, `reset` if it was torn down.
  bool Receive() {
    char piece[65536];
    const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
    silent = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    reset = got < 0 && !silent;
    if (got <= 0) return false;
    buffer.append(piece, static_cast<size_t>(got));
    return true;
  }

  std::string buffer;  ///< received, not yet used
  bool reset = false;
  bool silent = false;

 private:
  int socket_;
  bool connected_ = false;
};

/// An answer, its chunks put together.
struct TestAnswer {
  int status = 0;
  std::string head;  ///< status line and headers, as they came
  std::string body;
  bool chunked = false;
  bool whole = false;  ///< the body ended as its head promised
  bool reset = false;
  bool silent = false;  ///< the server said nothing more for longer than the patience lasts

  bool HasHeader(std::string_view line) const {
    return head.find(std::string(line) + "\r\n") != std::string::npos;
  }
};

namespace test_client_internal {

// Waits until `buffer` has `bytes`.
inline bool Need(TestConnection& connection, size_t bytes) {
  while (connection.buffer.size() < bytes) {
    if (!connection.Receive()) return false;
  }
  return true;
}

inline bool ReadChunks(TestConnection& connection, std::string& body) {
  for (;;) {
    size_t line_end;
    while ((line_end = connection.buffer.find("\r\n")) == std::string::npos) {
      if (!connection.Receive()) return false;
    }
    size_t size = 0;
    std::from_chars(connection.buffer.data(), connection.buffer.data() + line_end, size, 16);
    connection.buffer.erase(0, line_end + 2);
    if (!Need(connection, size + 2)) {
      body += connection.buffer;
      return false;
    }
    body.append(connection.buffer, 0, size);
    connection.buffer.erase(0, size + 2);
    if (size == 0) return true;
  }
}

}  // namespace test_client_internal

/// Sends `request` as it is and reads one answer.
inline TestAnswer Exchange(TestConnection& connection, std::string_view request) {
  TestAnswer answer;
  connection.Send(request);
  size_t head_end;
  while ((head_end = connection.buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!connection.Receive()) {
      answer.head = connection.buffer;
      answer.silent = connection.silent;
      return answer;
    }
  }
  answer.head = connection.buffer.substr(0, head_end + 2);
  connection.buffer.erase(0, head_end + 4);
  std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
  answer.chunked = answer.HasHeader("Transfer-Encoding: chunked");
  if (answer.chunked) {
    answer.whole = test_client_internal::ReadChunks(connection, answer.body);
  } else if (const size_t at = answer.head.find("Content-Length: "); at != std::string::npos) {
    size_t length = 0;
    std::from_chars(answer.head.data() + at + 16, answer.head.data() + answer.head.size(), length);
    answer.whole = test_client_internal::Need(connection, length);
    answer.body = connection.buffer.substr(0, length);
    connection.buffer.erase(0, answer.body.size());
  } else {
    answer.whole = true;
  }
  answer.reset = connection.reset;
  answer.silent = connection.silent;
  return answer;
}

/// GET on a connection of its own. `headers` are whole lines.
inline TestAnswer Get(uint16_t port, std::string_view target, std::string_view headers = "",
                      int patience_millis = 0) {
  TestConnection connection(port, patience_millis);
  return Exchange(connection, fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{}\r\n", target,
                                          port, headers));
}

inline TestAnswer Post(uint16_t port, std::string_view target, std::string_view body,
                       std::string_view headers = "", int patience_millis = 0) {
  TestConnection connection(port, patience_millis);
  return Exchange(
      connection,
      fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n{}\r\n{}",
                  target, port, body.size(), headers, body));
}

}  // namespace pilake::web
