// SPDX-License-Identifier: Apache-2.0
// A socket server whose every byte a test decides, to misbehave as no decent server would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace pilake::pi {

/// One accepted connection, in the hands of a test's script.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  int socket() const { return socket_; }

  /// The next request, headers and body; empty at the end of the connection.
  std::string ReadRequest() const {
    std::string text;
    size_t headers_end = std::string::npos;
    while (headers_end == std::string::npos) {
      if (!ReadMore(text)) return {};
      headers_end = text.find("\r\n\r\n");
    }
    while (text.size() < headers_end + 4 + ContentLength(text)) {
      if (!ReadMore(text)) return {};
    }
    return text;
  }

  void Send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }

  void SendJson(std::string_view body) const {
    Send("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

  /// Stays silent until the other side closes.
  void WaitForClose() const {
    std::string ignored;
    while (ReadMore(ignored)) {
    }
  }

  /// Ends the connection with a reset instead of a farewell.
  void Reset() const {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  bool ReadMore(std::string& text) const {
    char buffer[4096];
    const ssize_t bytes = recv(socket_, buffer, sizeof buffer, 0);
    if (bytes <= 0) return false;
    text.append(buffer, static_cast<size_t>(bytes));
    return true;
  }

  static size_t ContentLength(const std::string& text) {
    const size_t at = text.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
  }

  int socket_;
};

/// Runs `script` for every connection to a free port of 127.0.0.1, each on a thread of its own.
class RawServer {
 public:
  explicit RawServer(std::function<void(Connection&)> script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int bound = bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (bound != 0 || listen(listener_, 64) != 0) std::abort();
    socklen_t length = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { Accept(); });
  }

  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);  // wakes the acceptor
    acceptor_.join();
    {
      const std::scoped_lock lock(mutex_);
      for (const int open : open_) shutdown(open, SHUT_RDWR);
    }
    workers_.clear();
    close(listener_);
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/piwebapi"; }

 private:
  void Accept() {
    for (;;) {
      const int accepted = accept(listener_, nullptr, nullptr);
      if (accepted < 0) return;
      const std::scoped_lock lock(mutex_);
      open_.push_back(accepted);
      workers_.emplace_back([this, accepted] { Serve(accepted); });
    }
  }

  void Serve(int accepted) {
    Connection connection(accepted);
    script_(connection);
    const std::scoped_lock lock(mutex_);
    std::erase(open_, accepted);
    close(accepted);
  }

  std::function<void(Connection&)> script_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;              // guarded by mutex_
  std::vector<std::jthread> workers_;  // grown by acceptor_ alone, cleared after it has ended
  std::jthread acceptor_;
};

}  // namespace pilake::pi
