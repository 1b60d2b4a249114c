// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server, with or without TLS, for pages and bodies of any length.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace pilake::web {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  ///< as sent: `GET`
  std::string target;  ///< as sent, still percent-encoded: `/piwebapi/points?path=…`
  Headers headers;
  std::string body;
  std::string client;       ///< the client's address, without port
  size_t head_bytes = 0;    ///< of the request line and all headers
  bool is_upgrade = false;  ///< it asks for a WebSocket

  /// The value of a header, whatever the case of its name; empty if it is not there.
  std::string_view Header(std::string_view name) const;
};

/// A body that is made while it is sent, so that it may be longer than memory. Used by one thread
/// at a time, but not always by the same.
class Body {
 public:
  virtual ~Body() = default;

  /// Appends the next piece (some hundred KB) to `out`; false if this was the last one.
  virtual bool Append(std::string& out) = 0;
  /// Nothing follows what was appended last, and the connection stays open: a bad server's body.
  virtual bool IsStuck() const { return false; }
};

/// How an answer goes wrong on the wire, for servers that play bad ones.
struct Mishap {
  enum class Kind : uint8_t {
    kNone,
    kNoAnswer,  ///< not a byte comes, and the connection stays open
    kHangUp,    ///< the connection ends before the first byte
    kCutHead,   ///< it ends behind the status line
    kCutBody,   ///< it ends `after_bytes` of the body
    kReset,     ///< the same with a TCP reset
    kStall,     ///< nothing more comes `after_bytes` of the body, and the connection stays open
  };
  Kind kind = Kind::kNone;
  uint64_t after_bytes = 0;
  Duration delay;            ///< machine time before the first byte
  Duration pause_per_piece;  ///< and between the pieces
};

/// What stands behind a connection that became a WebSocket: it is asked again and again what is to
/// be sent. Used by one thread at a time, but not always by the same; must not wait.
class Pusher {
 public:
  virtual ~Pusher() = default;

  enum class End : uint8_t {
    kNone,
    kClose,  ///< what was given still goes out, then the code
    kCut,    ///< the connection ends without a word
    kStall,  ///< nothing more comes, and it stays open
  };
  struct Turn {
    std::vector<std::string> messages;  ///< one text frame each
    Duration wait;                      ///< machine time until it is asked again
    End end = End::kNone;
    uint16_t close_code = 1000;
  };
  virtual Turn Next() = 0;
  /// The client does not take what it is sent: how is it to end?
  virtual End TooSlow() { return End::kCut; }
};

struct Response {
  int status = 200;
  Headers headers;               ///< without those that tell the body's length or encoding
  std::string body;              ///< the whole body, unless there are `pieces`
  std::unique_ptr<Body> pieces;  ///< sent chunked, unless the first piece is the last
  Mishap mishap;
  /// 101 instead of all that, for a request that `is_upgrade`; `headers` go with it.
  std::unique_ptr<Pusher> pusher;
  size_t outgoing_bytes_max = 16 << 20;  ///< what a pusher's client may leave untaken
};

/// Answers one request. Called on any of the server's threads; must not wait.
using Handler = std::function<Response(const Request&)>;

/// PEM texts of the certificate and its key.
struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

struct Options {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  ///< 0: any that is free
  int threads = 2;
  std::string server_header = "pilake";
  size_t body_bytes_max = 64 << 20;  ///< of a request; 413 beyond it
  std::optional<TlsIdentity> tls;
};

/// Serves from `Start` until it is destroyed. Bodies are compressed with gzip where the client
/// accepts that. A connection holds one piece of one body at a time.
class Server {
 public:
  /// `kInvalid` if the address cannot be listened on or the certificate cannot be used.
  static Result<std::unique_ptr<Server>> Start(Options options, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  uint64_t bytes_sent() const;  ///< handed to the network: heads and bodies, before TLS

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `Not Found` for 404.
std::string_view ReasonPhrase(int status);

}  // namespace pilake::web
