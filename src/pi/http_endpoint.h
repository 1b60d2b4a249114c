// SPDX-License-Identifier: Apache-2.0
// Where a PI Web API is and how to get there, checked: what HTTP and channels share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "pi/http.h"
#include "pi/system_trust.h"

namespace pilake::pi {

inline constexpr const char* kUserAgent = "pilake/" PILAKE_VERSION;
inline constexpr size_t kPadding = 64;  ///< bytes that simdjson may read behind a text

struct Host {
  std::string scheme;         ///< `http` or `https`
  std::string name;           ///< an IPv6 address in its brackets
  std::string name_and_port;  ///< for messages
  std::string authority;      ///< for the Host header: without the scheme's own port
  std::string path;           ///< of the base URL, without trailing slash: `/piwebapi`

  bool is_loopback() const;
};

/// The authorities that may vouch for the host.
struct Trust {
  std::string pem;     ///< the operator's and the system's; empty: the operator has none
  SystemTrust system;  ///< its bundle counts where `pem` is empty, its folder always
};

struct Endpoint {
  HttpOptions options;
  Host host;
  Trust trust;

  /// The URL of `target` for messages: without the query, which can be 8 KB of WebIDs.
  std::string Shown(std::string_view target) const;
};

/// Checks the options but for `auth`, which `MakeSignOn` does, and reads the CA files; `kInvalid`
/// if they cannot work.
Result<Endpoint> CheckEndpoint(HttpOptions options);

/// Whether libcurl can sign on by NTLM.
bool KnowsNtlm();

// The same trouble is told in the same words, whichever library met it; `detail` is what it said.

/// Of a certificate, by the result of OpenSSL's verification.
Error NotTrusted(const Host& host, long verify_result, std::string_view detail);
/// The server sent an alert about our certificate, or about that there is none; nothing if `detail`
/// tells of no such alert.
std::optional<Error> NotKnownByCertificate(const Endpoint& endpoint, std::string_view detail);
/// The TLS handshake failed for another reason.
Error NoTls(const Host& host, std::string_view detail);
/// No connection in time.
Error NoAnswer(const Endpoint& endpoint);
/// The proxy answered with 407.
Error WantedByProxy(const HttpOptions& options);
Error NotHttp(const Host& host, std::string_view detail);
/// Connected, but no byte for `options.stall_timeout`.
Error Stalled(const Endpoint& endpoint, std::string_view url);

}  // namespace pilake::pi
