// SPDX-License-Identifier: Apache-2.0
#include "pi/http_endpoint.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "pi/http_curl.h"

namespace pilake::pi {
namespace {

std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

/// The host of a base URL. The URL itself is never printed before it is known to hold no password.
Result<Host> ReadBaseUrl(const std::string& text) {
  const Url url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return Fail(ErrorKind::kInvalid,
                "source.url is not a URL; write it as https://pi.example.com/piwebapi");
  }
  if (!Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty()) {
    return Fail(ErrorKind::kInvalid,
                "source.url holds a user name or password; put them under source.auth");
  }
  Host host;
  host.scheme = Part(url.get(), CURLUPART_SCHEME);
  host.name = Part(url.get(), CURLUPART_HOST);
  host.name_and_port =
      fmt::format("{}:{}", host.name, Part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  const bool has_own_port = !Part(url.get(), CURLUPART_PORT, CURLU_NO_DEFAULT_PORT).empty();
  host.authority = has_own_port ? host.name_and_port : host.name;
  host.path = Part(url.get(), CURLUPART_PATH);
  if (host.path == "/") host.path.clear();
  if (host.scheme != "https" && host.scheme != "http") {
    return Fail(ErrorKind::kInvalid, "source.url '{}' must begin with https://", text);
  }
  if (!Part(url.get(), CURLUPART_QUERY).empty() || !Part(url.get(), CURLUPART_FRAGMENT).empty()) {
    return Fail(ErrorKind::kInvalid,
                "source.url '{}' must end with its path, as in https://pi.example.com/piwebapi",
                text);
  }
  return host;
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

Status CheckAuth(const AuthOptions& auth) {
  if (HasControlCharacter(auth.username) || HasControlCharacter(auth.password) ||
      HasControlCharacter(auth.token)) {
    return Fail(
        ErrorKind::kInvalid,
        "source.auth: user name, password or token holds a line break or control character");
  }
  if (auth.kind == AuthOptions::Kind::kBasic) {
    if (auth.username.empty()) return Fail(ErrorKind::kInvalid, "source.auth.username is empty");
    if (auth.username.find(':') != std::string::npos) {
      return Fail(ErrorKind::kInvalid, "source.auth.username '{}' must not hold a colon",
                  auth.username);
    }
  }
  if (auth.kind == AuthOptions::Kind::kBearer && auth.token.empty()) {
    return Fail(ErrorKind::kInvalid, "source.auth.token is empty");
  }
  return {};
}

std::string Identity(const AuthOptions& auth) {
  switch (auth.kind) {
    case AuthOptions::Kind::kAnonymous:
      return "a caller without credentials";
    case AuthOptions::Kind::kBasic:
      return fmt::format("user '{}'", auth.username);
    case AuthOptions::Kind::kBearer:
      return "the bearer token";
  }
  return {};
}

Result<std::string> ReadCaFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return Fail(ErrorKind::kInvalid, "trust.ca: cannot read {}: {}", path,
                std::generic_category().message(errno));
  }
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "trust.ca: {} holds no certificate in PEM form", path);
  }
  return text + '\n';
}

std::string OrEmpty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

Result<Trust> ReadTrust(const std::vector<std::string>& ca_files) {
  const curl_version_info_data* version = curl_version_info(CURLVERSION_NOW);
  Trust trust{.pem = {},
              .system_bundle = OrEmpty(version->cainfo),
              .system_folder = OrEmpty(version->capath)};
  for (const std::string& path : ca_files) {
    ASSIGN_OR_RETURN(const std::string text, ReadCaFile(path));
    trust.pem += text;
  }
  // A PEM text replaces the bundle (not the folder), so what is in the bundle goes in as well.
  if (!trust.pem.empty() && trust.system_folder.empty() && !trust.system_bundle.empty()) {
    if (const auto system = ReadCaFile(trust.system_bundle)) trust.pem += *system;
  }
  return trust;
}

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

std::string Authorization(const AuthOptions& auth) {
  switch (auth.kind) {
    case AuthOptions::Kind::kAnonymous:
      return {};
    case AuthOptions::Kind::kBasic:
      return "Basic " + Base64(auth.username + ':' + auth.password);
    case AuthOptions::Kind::kBearer:
      return "Bearer " + auth.token;
  }
  return {};
}

/// What OpenSSL's verification found, as cause and cure.
std::string DescribeDistrust(const Host& host, long verify_result) {
  constexpr long kNotYetValid = 9, kExpired = 10, kSelfSigned = 18, kSelfSignedInChain = 19,
                 kIssuerUnknown = 20, kLeafUnverified = 21;
  switch (verify_result) {
    case kExpired:
      return fmt::format(
          "the certificate of {} has expired; its administrator must renew it (or "
          "this machine's clock is wrong)",
          host.name_and_port);
    case kNotYetValid:
      return fmt::format("the certificate of {} is not valid yet; is this machine's clock right?",
                         host.name_and_port);
    case kSelfSigned:
    case kSelfSignedInChain:
    case kIssuerUnknown:
    case kLeafUnverified:
      return fmt::format(
          "the certificate of {} comes from an authority that is not known here; add "
          "that authority's PEM file to trust.ca",
          host.name_and_port);
    default:
      return fmt::format("the certificate of {} cannot be trusted (is it made for another name?)",
                         host.name_and_port);
  }
}

}  // namespace

bool Host::is_loopback() const {
  return name == "localhost" || name == "[::1]" || name.starts_with("127.");
}

std::string Endpoint::Shown(std::string_view target) const {
  constexpr size_t kShownMax = 300;
  return (options.url + std::string(target.substr(0, target.find('?')))).substr(0, kShownMax);
}

Result<Endpoint> CheckEndpoint(HttpOptions options) {
  InitCurlOnce();
  while (options.url.ends_with('/')) options.url.pop_back();
  ASSIGN_OR_RETURN(Host host, ReadBaseUrl(options.url));
  RETURN_IF_ERROR(CheckAuth(options.auth));
  ASSIGN_OR_RETURN(Trust trust, ReadTrust(options.ca_files));
  Endpoint endpoint{.options = std::move(options),
                    .host = std::move(host),
                    .trust = std::move(trust),
                    .identity = {},
                    .authorization = {}};
  endpoint.identity = Identity(endpoint.options.auth);
  endpoint.authorization = Authorization(endpoint.options.auth);
  return endpoint;
}

Error NotTrusted(const Host& host, long verify_result, std::string_view detail) {
  return {ErrorKind::kInvalid,
          fmt::format("{} ({})", DescribeDistrust(host, verify_result), detail)};
}

Error NoTls(const Host& host, std::string_view detail) {
  if (detail.find("wrong version number") != std::string_view::npos) {
    return {
        ErrorKind::kInvalid,
        fmt::format("{} does not speak TLS; is the port right, or is source.url an http:// one?",
                    host.name_and_port)};
  }
  return {ErrorKind::kUnreachable,
          fmt::format("no TLS connection to {} ({})", host.name_and_port, detail)};
}

Error NoAnswer(const Endpoint& endpoint) {
  return {
      ErrorKind::kUnreachable,
      fmt::format("{} does not answer within {}; is a firewall in between?",
                  endpoint.host.name_and_port, DescribeDuration(endpoint.options.connect_timeout))};
}

Error NotHttp(const Host& host, std::string_view detail) {
  return {ErrorKind::kMalformed,
          fmt::format("what answers at {} does not speak HTTP ({}); check source.url",
                      host.name_and_port, detail)};
}

Error Stalled(const Endpoint& endpoint, std::string_view url) {
  return {ErrorKind::kTimedOut,
          fmt::format("{}: the server sent nothing for {} (source.timeouts.stall)", url,
                      DescribeDuration(endpoint.options.stall_timeout))};
}

}  // namespace pilake::pi
