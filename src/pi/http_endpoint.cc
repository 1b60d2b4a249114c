// SPDX-License-Identifier: Apache-2.0
#include "pi/http_endpoint.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "pi/http_certificate.h"
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

/// What a proxy's URL may not hold, because it is shown.
Status CheckProxy(const HttpOptions& options) {
  const Url url(curl_url());
  constexpr unsigned kAsCurlDoes = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
  if (options.proxy.empty()) {
    if (options.proxy_username.empty() && options.proxy_password.empty()) return {};
    return Fail(ErrorKind::kInvalid, "source.proxy: a user name needs a source.proxy.url");
  }
  if (curl_url_set(url.get(), CURLUPART_URL, options.proxy.c_str(), kAsCurlDoes) != CURLUE_OK) {
    return Fail(ErrorKind::kInvalid,
                "source.proxy.url is not a URL; write it as http://proxy.example.com:3128");
  }
  if (!Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty()) {
    return Fail(ErrorKind::kInvalid,
                "source.proxy.url holds a user name or password; put them into "
                "source.proxy.username and source.proxy.password");
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

Result<Trust> ReadTrust(const std::vector<std::string>& ca_files) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets any
  Trust trust{.pem = {}, .system = FindSystemTrust([](const char* name) { return getenv(name); })};
  for (const std::string& path : ca_files) {
    ASSIGN_OR_RETURN(const std::string text, ReadCaFile(path));
    trust.pem += text;
  }
  // A PEM text replaces the bundle, so what is in the bundle goes in as well.
  if (!trust.pem.empty() && !trust.system.bundle.empty()) {
    if (const auto system = ReadCaFile(trust.system.bundle)) trust.pem += *system;
  }
  return trust;
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
  if (options.certificate_key.empty()) options.certificate_key = options.certificate;
  ASSIGN_OR_RETURN(Host host, ReadBaseUrl(options.url));
  RETURN_IF_ERROR(CheckProxy(options));
  RETURN_IF_ERROR(CheckCertificate(options));
  ASSIGN_OR_RETURN(Trust trust, ReadTrust(options.ca_files));
  return Endpoint{
      .options = std::move(options), .host = std::move(host), .trust = std::move(trust)};
}

bool KnowsNtlm() {
  return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_NTLM) != 0;
}

Error NotTrusted(const Host& host, long verify_result, std::string_view detail) {
  return {ErrorKind::kInvalid,
          fmt::format("{} ({})", DescribeDistrust(host, verify_result), detail)};
}

std::optional<Error> NotKnownByCertificate(const Endpoint& endpoint, std::string_view detail) {
  constexpr std::string_view kAlerts[] = {"alert certificate required", "alert bad certificate",
                                          "alert unknown ca", "alert certificate expired",
                                          "alert certificate unknown"};
  if (std::ranges::none_of(kAlerts, [&](std::string_view alert) {
        return detail.find(alert) != std::string_view::npos;
      })) {
    return std::nullopt;
  }
  const std::string& ours = endpoint.options.certificate;
  return Error{
      ErrorKind::kAuth,
      fmt::format("{} wants to know us by a certificate, {} ({})", endpoint.host.name_and_port,
                  ours.empty() ? "and has got none; write source.auth.certificate and "
                                 "source.auth.key"
                               : "and does not take that in " + ours,
                  detail)};
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

Error WantedByProxy(const HttpOptions& options) {
  if (options.proxy_username.empty()) {
    return {ErrorKind::kAuth,
            "the proxy wants credentials; write source.proxy.username and source.proxy.password"};
  }
  return {ErrorKind::kAuth, fmt::format("the proxy refused user '{}'; check source.proxy.username "
                                        "and source.proxy.password",
                                        options.proxy_username)};
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
