// SPDX-License-Identifier: Apache-2.0
// Kerberos by the system's GSSAPI library, which is looked for when it is needed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pilake::pi {

struct KerberosOptions {
  std::string host;     ///< of the source, whose service is `HTTP` unless `service` says otherwise
  std::string service;  ///< `HTTP/pi.example.com`, `HTTP/pi.example.com@REALM`
  std::string keytab;   ///< a file with the key of `principal`; empty: tickets come from a cache
  std::string principal;  ///< empty: the keytab's first, or the cache's own
  std::string cache;      ///< as in KRB5CCNAME; empty: with a keytab one of our own in memory, else
                          ///< the system's
};

/// Makes SPNEGO tokens for one service as one principal. Of one thread.
///
/// With a keytab, tickets are fetched and, from half of their lives on, replaced; one that could
/// not be replaced is used as long as it is good. Without one, whatever is in the cache at the
/// moment counts, and somebody else replaces it. The KDC is asked in neither case for what is
/// there.
class Kerberos {
 public:
  /// `kInvalid` if this machine has no library (with the packages that bring it) or a name cannot
  /// be one.
  static Result<std::unique_ptr<Kerberos>> Make(KerberosOptions options);
  virtual ~Kerberos() = default;

  /// A token of its own for each call: servers take a second use for a replay. `kUnreachable` if
  /// no KDC answers, else `kAuth`, with cause and cure.
  virtual Result<std::string> MakeToken() = 0;

  /// Forgets the tickets that came by the keytab, as when the service has got a new key. False if
  /// they are not ours to forget.
  virtual bool Forget() = 0;

  /// `alice@PLANT.EXAMPLE.COM`, or what is known of it before the first token.
  virtual const std::string& principal() const = 0;
  /// What tokens are for, as an administrator would write it: `HTTP/pi.example.com`.
  virtual const std::string& service() const = 0;
};

/// What GSSAPI's own `text` means for whoever asks for `service` as `principal`: cause and cure.
Error ExplainKerberos(std::string_view text, const KerberosOptions& options,
                      std::string_view service);

}  // namespace pilake::pi
