// SPDX-License-Identifier: Apache-2.0
// Channels of one PI Web API: WebSockets on which the server pushes; one attempt per call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "pi/http.h"

namespace pilake::pi {

struct ChannelRequest {
  std::string target;    ///< path and query below the base URL, as `HttpRequest::target`
  Duration silence_max;  ///< no frame, not even a ping, for so long ends the channel
};

/// What a channel tells, on the loop's thread. None of them may block; all must be there.
struct ChannelHandler {
  std::function<void()> on_open;
  /// One whole text message, empty ones too (heartbeats); capacity >= size + 64, as simdjson likes.
  std::function<void(std::string message)> on_message;
  std::function<void(Error)> on_end;  ///< once and last, also if it never opened
};

/// The channels of one source. They get to it as `HttpLoop` does: the same names, proxies, trust,
/// credentials and time-outs, and the same sentences if that fails. How a channel ends:
///   kUnreachable  no connection (DNS, refused, no answer, proxy)
///   kAuth         a proxy that wants credentials before it makes a tunnel
///   kTransient    cut, or closed by the server, whose code and reason are in the text
///   kTimedOut     the request was not answered, or no frame came for `silence_max`
///   kInvalid      TLS that cannot be trusted; a proxy that cannot be used for channels
///   kMalformed    what answers does not speak WebSocket, or sends what is no text, or a message
///                 of more than 64 MiB (or `body_bytes_max`, if that is less)
///   kCancelled    `Close`, or the loop was stopped
/// A request that is answered in plain HTTP ends as `Judge` says of that answer.
class ChannelLoop {
 public:
  /// Checks the options as `HttpLoop::Make` does. Opens nothing yet.
  static Result<std::unique_ptr<ChannelLoop>> Make(HttpOptions options);
  /// Whatever had not ended ends with `kCancelled`. `Run` must have returned.
  ~ChannelLoop();
  ChannelLoop(const ChannelLoop&) = delete;
  ChannelLoop& operator=(const ChannelLoop&) = delete;

  /// The loop's thread lives here until `stop` is requested; then all channels, and those opened
  /// later, end with `kCancelled`. The servers get a second to take leave. Called once.
  void Run(const std::stop_token& stop);

  /// From any thread; returns what `Close` wants to know. If the loop has ended, `on_end` is called
  /// at once, by the caller's thread.
  uint64_t Open(ChannelRequest request, ChannelHandler handler);

  /// From any thread: the channel ends with `kCancelled`, unless it has ended.
  void Close(uint64_t id);

 private:
  class Impl;
  explicit ChannelLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilake::pi
