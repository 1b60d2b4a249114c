// SPDX-License-Identifier: Apache-2.0
// A bare TCP connection to the source, made as HTTP makes its own.
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "core/result.h"
#include "pi/http_curl.h"
#include "pi/http_endpoint.h"

namespace pilake::pi {

/// An open socket.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(other.Release()) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  int descriptor() const { return descriptor_; }
  /// The caller closes it from now on.
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

/// One attempt to connect, with HTTP's names, proxies, time-outs and sentences. A proxy is asked
/// for a tunnel also where HTTP would not need one. Of one thread; `endpoint` outlives it.
class Dial {
 public:
  explicit Dial(const Endpoint& endpoint);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  /// Goes on without waiting. Called again and again, until there is a result.
  std::optional<Result<Socket>> Drive();

 private:
  Result<Socket> Finish(CURLcode code) const;

  const Endpoint& endpoint_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  bool proxy_wants_tls_ = false;
  Multi multi_;
  Easy easy_;
};

}  // namespace pilake::pi
