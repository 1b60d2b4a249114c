// SPDX-License-Identifier: Apache-2.0
#include "pi/sign_on.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/trimmed.h"
#include "pi/base64.h"
#include "pi/http_oidc.h"
#include "pi/json_member.h"
#include "pi/kerberos.h"

namespace pilake::pi {
namespace {

using Kind = AuthOptions::Kind;

// After an issuer failed us while the old token is still good.
constexpr Duration kAskIssuerAgain = Duration::Seconds(5);
// A token of a command counts so long at least, or a clock that is ahead would have it run for each
// request; if it has really run out, the answer says so.
constexpr Duration kLifeMin = Duration::Seconds(3);
constexpr Duration kAskKdcAgain = Duration::Seconds(5);  // after a ticket was refused

bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

Status CheckTexts(const AuthOptions& auth) {
  for (const std::string* text : {&auth.username, &auth.password, &auth.token, &auth.token_file}) {
    if (!HasControlCharacter(*text)) continue;
    return Fail(ErrorKind::kInvalid,
                "source.auth: a name, password or token holds a line break or control character");
  }
  return {};
}

Status CheckUser(const AuthOptions& auth) {
  if (auth.username.empty()) return Fail(ErrorKind::kInvalid, "source.auth.username is empty");
  if (auth.username.find(':') != std::string::npos) {
    return Fail(ErrorKind::kInvalid, "source.auth.username '{}' must not hold a colon",
                auth.username);
  }
  return {};
}

/// The same header for every request.
class FixedSignOn : public SignOn {
 public:
  FixedSignOn(std::string identity, std::string authorization,
              std::string cure = "check source.auth")
      : identity_(std::move(identity)),
        authorization_(std::move(authorization)),
        cure_(std::move(cure)) {}

  Result<std::string> Authorization() override { return authorization_; }
  bool Renew(std::string_view /*refused*/) override { return false; }
  std::string Identity() const override { return identity_; }
  std::string Cure() const override { return cure_; }

 private:
  const std::string identity_;
  const std::string authorization_;
  const std::string cure_;
};

/// By libcurl, for each connection.
class NtlmSignOn : public FixedSignOn {
 public:
  explicit NtlmSignOn(const std::string& username)
      : FixedSignOn(fmt::format("user '{}' (NTLM)", username), "") {}

  bool IsOfConnection() const override { return true; }
};

/// A token of its own for each request, made from Kerberos tickets.
class KerberosSignOn : public SignOn {
 public:
  explicit KerberosSignOn(std::unique_ptr<Kerberos> kerberos) : kerberos_(std::move(kerberos)) {}

  Result<std::string> Authorization() override {
    ASSIGN_OR_RETURN(const std::string token, kerberos_->MakeToken());
    return "Negotiate " + ToBase64(token);
  }

  /// The service may have a new key, for which our ticket is not; who is asked too often is the
  /// KDC.
  bool Renew(std::string_view /*refused*/) override {
    const UtcTime now = SteadyNow();
    if (forgotten_at_ && now - *forgotten_at_ < kAskKdcAgain) return true;
    if (!kerberos_->Forget()) return false;
    forgotten_at_ = now;
    return true;
  }

  std::string Identity() const override {
    const std::string& principal = kerberos_->principal();
    return principal.empty() ? "whoever has the Kerberos ticket"
                             : fmt::format("Kerberos principal '{}'", principal);
  }
  std::string Cure() const override {
    return fmt::format(
        "does PI Web API's account have the name {0} (setspn -Q {0}), does its machine's clock go "
        "right, and may this principal sign on there",
        kerberos_->service());
  }

 private:
  std::unique_ptr<Kerberos> kerberos_;
  std::optional<UtcTime> forgotten_at_;
};

/// A token that is asked for anew when it has run out, or was refused.
class TokenSignOn : public SignOn {
 public:
  using Fetch = std::function<Result<Token>()>;

  TokenSignOn(std::string identity, std::string cure, Fetch fetch)
      : identity_(std::move(identity)), cure_(std::move(cure)), fetch_(std::move(fetch)) {}

  Result<std::string> Authorization() override {
    if (header_.empty() || SteadyNow() >= renew_at_) RETURN_IF_ERROR(Replace());
    return header_;
  }

  bool Renew(std::string_view refused) override {
    if (header_ == refused) header_.clear();
    return true;
  }

  std::string Identity() const override { return identity_; }
  std::string Cure() const override { return cure_; }

 private:
  Status Replace() {
    const UtcTime now = SteadyNow();
    Result<Token> token = fetch_();
    if (!token && !header_.empty() && now < ends_at_) {
      renew_at_ = now + kAskIssuerAgain;
      return {};
    }
    header_.clear();
    if (!token) return tl::unexpected(std::move(token).error());
    if (token->text.empty() || HasControlCharacter(token->text)) {
      return Fail(ErrorKind::kAuth, "{} is empty or holds a control character; {}", identity_,
                  cure_);
    }
    header_ = "Bearer " + token->text;
    const Duration lifetime = token->lifetime.value_or(Duration::Days(36'500));
    ends_at_ = now + lifetime;
    renew_at_ = ends_at_ - RenewalMargin(lifetime);
    return {};
  }

  const std::string identity_;
  const std::string cure_;
  const Fetch fetch_;
  std::string header_;  // empty: to be asked for
  UtcTime renew_at_;
  UtcTime ends_at_;
};

/// Whoever keeps the file replaces it when he likes, so it counts for one request only.
Result<Token> ReadTokenFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return Fail(ErrorKind::kAuth, "source.auth.token_file: cannot read {}: {}", path,
                std::generic_category().message(errno));
  }
  return Token{.text = std::string(Trimmed(text)), .lifetime = Duration{}};
}

std::unique_ptr<SignOn> FromCommand(std::function<Result<std::string>()> command) {
  return std::make_unique<TokenSignOn>(
      "the bearer token of source.auth.token_command", "check what that command prints",
      [command = std::move(command)]() -> Result<Token> {
        auto text = command();
        if (!text) {
          return Fail(ErrorKind::kAuth, "source.auth.token_command: {}", text.error().message);
        }
        auto lifetime = LifetimeOfJwt(*text, SystemClock().Now());
        if (lifetime) lifetime = std::max(*lifetime, kLifeMin);
        return Token{.text = std::move(*text), .lifetime = lifetime};
      });
}

Result<std::unique_ptr<SignOn>> MakeBearer(const AuthOptions& auth) {
  if (auth.token_command) return FromCommand(auth.token_command);
  if (!auth.token_file.empty()) {
    const std::string path = auth.token_file;
    return std::make_unique<TokenSignOn>(fmt::format("the bearer token in {}", path),
                                         "is it still good, and meant for PI Web API",
                                         [path] { return ReadTokenFile(path); });
  }
  if (auth.token.empty()) return Fail(ErrorKind::kInvalid, "source.auth.token is empty");
  return std::make_unique<FixedSignOn>("the bearer token", "Bearer " + auth.token,
                                       "is it still good, and meant for PI Web API");
}

Result<std::unique_ptr<SignOn>> MakeOidc(const Endpoint& endpoint) {
  ASSIGN_OR_RETURN(std::shared_ptr<OidcIssuer> issuer, OidcIssuer::Make(endpoint));
  return std::make_unique<TokenSignOn>(
      fmt::format("client '{}'", endpoint.options.auth.client_id),
      "does PI Web API trust that issuer, and are there mappings for that client",
      [issuer] { return issuer->Fetch(); });
}

Result<std::unique_ptr<SignOn>> MakeKerberos(const Endpoint& endpoint) {
  const AuthOptions& auth = endpoint.options.auth;
  ASSIGN_OR_RETURN(auto kerberos, Kerberos::Make({.host = endpoint.host.name,
                                                  .service = auth.service,
                                                  .keytab = auth.keytab,
                                                  .principal = auth.principal,
                                                  .cache = auth.cache}));
  return std::make_unique<KerberosSignOn>(std::move(kerberos));
}

Result<std::unique_ptr<SignOn>> MakeNtlm(const AuthOptions& auth) {
  RETURN_IF_ERROR(CheckUser(auth));
  if (!KnowsNtlm()) {
    return Fail(ErrorKind::kInvalid,
                "source.auth.kind ntlm: the libcurl of this machine was built without NTLM; use "
                "kerberos");
  }
  return std::make_unique<NtlmSignOn>(auth.username);
}

}  // namespace

Result<std::unique_ptr<SignOn>> MakeSignOn(const Endpoint& endpoint) {
  const AuthOptions& auth = endpoint.options.auth;
  RETURN_IF_ERROR(CheckTexts(auth));
  switch (auth.kind) {
    case Kind::kAnonymous:
      return std::make_unique<FixedSignOn>(
          "a caller without credentials", "",
          "say who asks, as by source.auth.kind kerberos where Negotiate is accepted");
    case Kind::kBasic: {
      RETURN_IF_ERROR(CheckUser(auth));
      return std::make_unique<FixedSignOn>(
          fmt::format("user '{}'", auth.username),
          "Basic " + ToBase64(auth.username + ':' + auth.password));
    }
    case Kind::kBearer:
      return MakeBearer(auth);
    case Kind::kOidc:
      return MakeOidc(endpoint);
    case Kind::kKerberos:
      return MakeKerberos(endpoint);
    case Kind::kNtlm:
      return MakeNtlm(auth);
  }
  return Fail(ErrorKind::kInternal, "no such kind of sign-on");
}

std::optional<Duration> LifetimeOfJwt(std::string_view token, UtcTime now) {
  const size_t first = token.find('.');
  const size_t second = token.find('.', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const auto claims = FromBase64Url(token.substr(first + 1, second - first - 1));
  const auto end_seconds = claims ? MemberNumber(*claims, "exp") : std::nullopt;
  constexpr int64_t kLatestSeconds = 253'402'300'799;  // the end of the year 9999
  if (!end_seconds || *end_seconds < 0 || *end_seconds > kLatestSeconds) return std::nullopt;
  return UtcTime{} + Duration::Seconds(*end_seconds) - now;
}

Duration RenewalMargin(Duration lifetime) {
  return std::min(Duration::Minutes(1), lifetime / 3);
}

}  // namespace pilake::pi
