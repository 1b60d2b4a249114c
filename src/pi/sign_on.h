// SPDX-License-Identifier: Apache-2.0
// Sign-on: as whom a source is asked, decided here for HTTP and for channels alike.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"
#include "pi/http_endpoint.h"

namespace pilake::pi {

/// Who asks. One for each loop, of that loop's thread: credentials and connections of two
/// identities never meet.
class SignOn {
 public:
  virtual ~SignOn() = default;

  /// The value of the Authorization header of one request; empty: it has none. A secret.
  ///
  /// Never used for a second request where the server would take that for a replay. May have to ask
  /// somebody for it (a program, an issuer, a KDC), which takes milliseconds as a rule, and half a
  /// minute where nobody answers; in good time before the old one has run out, which goes on being
  /// used if it is not to be had. `kAuth` where the operator must do something, `kUnreachable`
  /// where somebody does not answer.
  virtual Result<std::string> Authorization() = 0;

  /// A request with this `Authorization` was answered with 401. True if the next `Authorization`
  /// will be another one, so that asking once more makes sense.
  virtual bool Renew(std::string_view refused) = 0;

  /// Who asks, for messages: `user 'PLANT\reader'`.
  virtual std::string Identity() const = 0;

  /// True where libcurl signs on by itself, once for each connection, with what `AuthOptions` hold
  /// (NTLM); then there is no `Authorization`, and nothing but libcurl can ask.
  virtual bool IsOfConnection() const { return false; }

  /// Where to look when it is refused, for messages; continues a sentence: `check …`.
  virtual std::string Cure() const = 0;
};

/// Checks what `endpoint` says of us, which it outlives. `kInvalid` if it cannot work.
Result<std::unique_ptr<SignOn>> MakeSignOn(const Endpoint& endpoint);

/// A bearer token and how long it will be good for; nothing if that is not known.
struct Token {
  std::string text;
  std::optional<Duration> lifetime;
};

/// The lifetime that a JWT tells of itself, seen from `now`, this machine's; nothing if it is none
/// or tells none.
std::optional<Duration> LifetimeOfJwt(std::string_view token, UtcTime now);

/// How long before its end a token is replaced.
Duration RenewalMargin(Duration lifetime);

}  // namespace pilake::pi
