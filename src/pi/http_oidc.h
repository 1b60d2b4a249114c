// SPDX-License-Identifier: Apache-2.0
// Tokens of an OpenID Connect issuer, by the client credentials grant.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "pi/http_endpoint.h"
#include "pi/sign_on.h"

namespace pilake::pi {

/// Of one thread.
class OidcIssuer {
 public:
  /// Checks what `source` says of issuer and client; `kInvalid` if that cannot work. The issuer is
  /// reached as the source is: by its proxy, trusting the same authorities.
  static Result<std::unique_ptr<OidcIssuer>> Make(const Endpoint& source);

  /// Asks for a token, and for the way to it if that is not known yet; half a minute at most.
  /// `kAuth` if the issuer refuses, `kUnreachable` if it does not answer, or only with a failure of
  /// its own, `kInvalid` if what answers is no issuer.
  Result<Token> Fetch();

 private:
  explicit OidcIssuer(Endpoint issuer);
  const AuthOptions& auth() const { return issuer_.options.auth; }
  Status Discover();
  Result<HttpResponse> Ask(const std::string& url, const std::string* form, bool names_client);

  Endpoint issuer_;             // as the source, at the address of the issuer
  std::string token_endpoint_;  // empty: not known yet
  bool knows_us_by_form_ = false;
};

}  // namespace pilake::pi
