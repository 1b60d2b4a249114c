// SPDX-License-Identifier: Apache-2.0
#include "pi/http_oidc.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "pi/http_curl.h"
#include "pi/json_member.h"

namespace pilake::pi {
namespace {

constexpr Duration kAnswerTimeMax = Duration::Seconds(20);
constexpr size_t kAnswerBytesMax = size_t{1} << 20;
constexpr long kOk = 200;

size_t OnBody(char* data, size_t size, size_t count, void* self) {
  auto& body = *static_cast<std::string*>(self);
  if (body.size() + size * count > kAnswerBytesMax) return 0;  // ends the transfer
  body.append(data, size * count);
  return size * count;
}

std::string Escape(CURL* easy, const std::string& text) {
  char* escaped = curl_easy_escape(easy, text.data(), static_cast<int>(text.size()));
  if (escaped == nullptr) return {};
  std::string copy(escaped);
  curl_free(escaped);
  return copy;
}

std::string Escape(const std::string& text) {
  const Easy easy(curl_easy_init());
  return Escape(easy.get(), text);
}

/// What an issuer says of its refusal (RFC 6749 §5.2).
std::string Reason(const HttpResponse& response) {
  std::string reason = MemberText(response.body, "error").substr(0, 100);
  const std::string description = MemberText(response.body, "error_description").substr(0, 300);
  if (!description.empty()) reason += (reason.empty() ? "" : ": ") + description;
  return reason.empty() ? fmt::format("status {}", response.status) : reason;
}

}  // namespace

Result<std::unique_ptr<OidcIssuer>> OidcIssuer::Make(const Endpoint& source) {
  HttpOptions options = source.options;
  const AuthOptions& auth = options.auth;
  if (auth.client_id.empty()) return Fail(ErrorKind::kInvalid, "source.auth.client_id is empty");
  if (!auth.issuer.empty()) options.url = auth.issuer;
  auto issuer = CheckEndpoint(std::move(options));
  if (!issuer) return Annotate(issuer.error(), "source.auth.issuer");
  return std::unique_ptr<OidcIssuer>(new OidcIssuer(std::move(*issuer)));
}

OidcIssuer::OidcIssuer(Endpoint issuer) : issuer_(std::move(issuer)) {}

Result<Token> OidcIssuer::Fetch() {
  if (token_endpoint_.empty()) RETURN_IF_ERROR(Discover());
  std::string form = "grant_type=client_credentials";
  if (!auth().scope.empty()) form += "&scope=" + Escape(auth().scope);
  if (knows_us_by_form_) {
    form += "&client_id=" + Escape(auth().client_id);
    form += "&client_secret=" + Escape(auth().client_secret);
  }
  auto response = Ask(token_endpoint_, &form, !knows_us_by_form_);
  if (!response) {
    token_endpoint_.clear();  // it may have moved
    return tl::unexpected(std::move(response).error());
  }
  Token token{.text = MemberText(response->body, "access_token"), .lifetime = {}};
  if (response->status != kOk || token.text.empty()) {
    return Fail(ErrorKind::kAuth,
                "the issuer {} gives client '{}' no token: {}; check source.auth.client_id, "
                "client_secret and scope",
                issuer_.options.url, auth().client_id, Reason(*response));
  }
  if (const auto seconds = MemberNumber(response->body, "expires_in")) {
    constexpr int64_t kLongestSeconds = 366 * 86'400;
    token.lifetime = Duration::Seconds(std::clamp<int64_t>(*seconds, 0, kLongestSeconds));
  }
  return token;
}

Status OidcIssuer::Discover() {
  const std::string url = issuer_.options.url + "/.well-known/openid-configuration";
  ASSIGN_OR_RETURN(const HttpResponse response, Ask(url, nullptr, false));
  const std::string endpoint = MemberText(response.body, "token_endpoint");
  if (response.status != kOk || !endpoint.starts_with("http")) {
    return Fail(ErrorKind::kInvalid,
                "{} does not tell where tokens are to be had (status {}); check "
                "source.auth.issuer",
                url, response.status);
  }
  if (issuer_.host.scheme == "https" && !endpoint.starts_with("https://")) {
    return Fail(ErrorKind::kInvalid,
                "the issuer {} wants our secret at {}, without TLS; have that corrected",
                issuer_.options.url, endpoint);
  }
  const std::string ways = MemberText(response.body, "token_endpoint_auth_methods_supported");
  knows_us_by_form_ = !ways.empty() && ways.find("client_secret_basic") == std::string::npos;
  token_endpoint_ = endpoint;
  return {};
}

Result<HttpResponse> OidcIssuer::Ask(const std::string& url, const std::string* form,
                                     bool names_client) {
  const Easy easy(curl_easy_init());
  std::array<char, CURL_ERROR_SIZE> error_text{};
  HttpResponse response;
  SetConnect(easy.get(), issuer_);
  SetTrust(easy.get(), issuer_.trust);
  SetCertificate(easy.get(), issuer_.options);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, Millis(kAnswerTimeMax));
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, error_text.data());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &response.body);
  const HeaderList headers(curl_slist_append(nullptr, "Accept: application/json"));
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_HEADEROPT, long{CURLHEADER_SEPARATE});
  if (form != nullptr) {
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(form->size()));
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, form->c_str());
  }
  if (names_client) {  // RFC 6749 §2.3.1: escaped, then as Basic has it
    curl_easy_setopt(easy.get(), CURLOPT_HTTPAUTH, long{CURLAUTH_BASIC});
    curl_easy_setopt(easy.get(), CURLOPT_USERNAME, Escape(auth().client_id).c_str());
    curl_easy_setopt(easy.get(), CURLOPT_PASSWORD, Escape(auth().client_secret).c_str());
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) {
    Error why = FromCurl(code, easy.get(), error_text.data(), url, issuer_);
    if (why.kind != ErrorKind::kInvalid && why.kind != ErrorKind::kAuth) {
      why.kind = ErrorKind::kUnreachable;
    }
    return Annotate(std::move(why), "source.auth.issuer");
  }
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &response.status);
  constexpr long kTooManyRequests = 429, kItsOwnFailure = 500;
  if (response.status == kTooManyRequests || response.status >= kItsOwnFailure) {
    return Fail(ErrorKind::kUnreachable, "the issuer failed: {} answered with status {}", url,
                response.status);
  }
  return response;
}

}  // namespace pilake::pi
