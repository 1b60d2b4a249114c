// SPDX-License-Identifier: Apache-2.0
// HTTP to one PI Web API: all transfers of a source on one thread; one attempt per call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace pilake::pi {

/// As whom we ask; what does not belong to `kind` stays empty.
struct AuthOptions {
  enum class Kind { kAnonymous, kBasic, kBearer, kOidc, kKerberos, kNtlm };
  Kind kind = Kind::kAnonymous;
  std::string username;  ///< of kBasic and kNtlm: `DOMAIN\user` or UPN
  std::string password;
  std::string token;            ///< of kBearer, without the word "Bearer"; or one of:
  std::string token_file = {};  ///< read for each request
  /// Asked when there is none, before the last (a JWT) runs out and when it was refused, by the
  /// threads of the loops. May take its time.
  std::function<Result<std::string>()> token_command = {};
  std::string issuer = {};  ///< of kOidc; empty: the source itself tells, as PI Web API does
  std::string client_id = {};
  std::string client_secret = {};
  std::string scope = {};
  std::string service = {};  ///< of kKerberos; these as in `KerberosOptions`
  std::string keytab = {};
  std::string principal = {};
  std::string cache = {};
};

struct HttpOptions {
  std::string url;  ///< `https://host/piwebapi`; a trailing slash is taken off
  AuthOptions auth;
  std::vector<std::string> ca_files;  ///< PEM files trusted beside the system's
  std::string proxy;                  ///< empty = the environment's; never for a loopback host
  std::string proxy_username;         ///< empty = what the proxy's URL holds, or nobody
  std::string proxy_password;
  std::string certificate;      ///< a PEM file by which a TLS server knows us; empty = none
  std::string certificate_key;  ///< its PEM file; empty = it stands with the certificate
  int connections_max = 4;      ///< transfers at a time; more of them wait in the loop
  bool gzip = true;
  Duration connect_timeout = Duration::Seconds(10);  ///< DNS, TCP and TLS
  Duration stall_timeout = Duration::Minutes(2);     ///< no byte for so long
  Duration total_timeout = Duration::Minutes(15);
  int64_t body_bytes_max = int64_t{1} << 30;  ///< more than this is `kTooLarge`
};

struct HttpRequest {
  enum class Method { kGet, kPost };
  Method method = Method::kGet;
  std::string target;  ///< path and query below the base URL, beginning with `/`
  std::string body;    ///< JSON of a POST
};

struct HttpResponse {
  long status = 0;
  std::string content_type;
  std::string body;        ///< capacity >= size + 64, so that simdjson needs no copy of it
  int64_t wire_bytes = 0;  ///< of the body as it travelled (compressed)
  Duration server_time;    ///< from the request being sent to the first byte of the answer
  Duration total_time;
  std::optional<Duration> retry_after;
  std::string url;         ///< what was asked, for messages; holds no secret
  std::string identity;    ///< who asked, for messages: `user 'PLANT\reader'`, `nobody`, …
  std::string cure;        ///< where to look when that one is refused, for messages: `check …`
  std::string challenges;  ///< the WWW-Authenticate headers, comma separated
  std::string location;    ///< where a redirect, which is never followed, points
};

using HttpDone = std::function<void(Result<HttpResponse>)>;

/// The transfers of one source (libcurl multi): keep-alive, cookies kept and shared, TLS always
/// verified, no redirects, no retries; but a 401 to credentials of which there may be newer ones is
/// answered with those, once. A transport failure is an Error with a sentence for people:
///   kUnreachable  no connection (DNS, refused, no answer, proxy)
///   kAuth         no credentials to be had, or none for a proxy that wants some for a tunnel
///   kTransient    cut after connecting
///   kTimedOut     connected, but silent for too long or not done in time
///   kInvalid      TLS that cannot be trusted, a URL that cannot work
///   kMalformed    what answers does not speak HTTP
///   kTooLarge     a body beyond `body_bytes_max`
///   kCancelled    the loop was stopped
/// Any HTTP status is a response; `Judge` says what it means.
class HttpLoop {
 public:
  /// Checks the options and reads the CA files; `kInvalid` if they cannot work. Opens nothing yet.
  static Result<std::unique_ptr<HttpLoop>> Make(HttpOptions options);
  /// Whatever was not answered fails with `kCancelled`. `Run` must have returned.
  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  /// The loop's thread lives here until `stop` is requested; then fails what is open or waiting,
  /// and all that comes later, with `kCancelled`. Called once.
  void Run(const std::stop_token& stop);

  /// From any thread. `done` is called exactly once, on the loop's thread (on the caller's, at
  /// once, if the loop has ended), and must not block.
  void Send(HttpRequest request, HttpDone done);

  /// The base URL without trailing slash; batch parts need it.
  const std::string& url() const;

 private:
  class Impl;
  explicit HttpLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Sends and waits, for callers with a thread of their own. `Run` must be running elsewhere.
Result<HttpResponse> Fetch(HttpLoop& loop, HttpRequest request, const std::stop_token& stop);

/// What status and headers mean (wire §1.6, §1.7): a 2xx with JSON (or 204) is passed on; all else
/// becomes an Error of the kind that says what to do, in the server's own words plus the cure:
///   kTransient  5xx, an empty or headless 200 (a response cut inside its headers)
///   kThrottled  429           kTimedOut  504, a time-out between PI Web API and the archive
///   kTooLarge   more asked than the server allows in one call
///   kAuth       401, 407      kNotFound  404, 410 told by PI Web API
///   kRefused    400, 403, 409, 501 told by PI Web API
///   kInvalid    something else answers in its place: a redirect, a page for people, a gateway
///   kMalformed  a 200 of another content type
/// A `Retry-After` must be taken from the response before judging. A 2xx still proves nothing about
/// its content: `decode` looks for WebException and Errors.
Result<HttpResponse> Judge(Result<HttpResponse> response);

}  // namespace pilake::pi
