// SPDX-License-Identifier: Apache-2.0
#include "pi/http_curl.h"

#include <cassert>
#include <utility>

#include <fmt/format.h>

namespace pilake::pi {
namespace {

Error RefusedByProxy(const Endpoint& endpoint, long status, std::string_view detail) {
  constexpr long kUnauthorized = 401;  // nobody but the proxy answers yet, and some say it so
  constexpr long kProxyWantsCredentials = 407;
  if (status == kProxyWantsCredentials || status == kUnauthorized) {
    return WantedByProxy(endpoint.options);
  }
  return {ErrorKind::kUnreachable,
          fmt::format("cannot get to {} through the proxy ({}); check source.proxy",
                      endpoint.host.name_and_port, detail)};
}

/// Whatever way the proxy offers, curl takes the best one that it knows.
void SetProxyUser(CURL* easy, const HttpOptions& options) {
  if (options.proxy_username.empty()) return;
  curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, options.proxy_username.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, options.proxy_password.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_ANY);
}

}  // namespace

void InitCurlOnce() {
  static const CURLcode kResult = curl_global_init(CURL_GLOBAL_DEFAULT);
  assert(kResult == CURLE_OK);
  (void)kResult;
}

Duration Micros(CURL* easy, CURLINFO what) {
  curl_off_t micros = 0;
  curl_easy_getinfo(easy, what, &micros);
  return Duration::Micros(micros);
}

long Millis(Duration duration) {
  return static_cast<long>(duration.ticks / 10'000);
}

void SetConnect(CURL* easy, const Endpoint& endpoint) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, kUserAgent);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Millis(endpoint.options.connect_timeout));
  if (!endpoint.options.proxy.empty()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, endpoint.options.proxy.c_str());
    SetProxyUser(easy, endpoint.options);
  } else if (endpoint.host.is_loopback()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
}

void SetTrust(CURL* easy, Trust& trust) {
  const auto path = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  curl_easy_setopt(easy, CURLOPT_CAPATH, path(trust.system.folder));
  curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, path(trust.system.folder));
  curl_easy_setopt(easy, CURLOPT_CAINFO, path(trust.system.bundle));
  curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, path(trust.system.bundle));
  if (trust.pem.empty()) return;
  curl_blob blob{trust.pem.data(), trust.pem.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &blob);
}

void SetCertificate(CURL* easy, const HttpOptions& options) {
  if (options.certificate.empty()) return;
  curl_easy_setopt(easy, CURLOPT_SSLCERT, options.certificate.c_str());
  curl_easy_setopt(easy, CURLOPT_SSLKEY, options.certificate_key.c_str());
}

bool WasConnected(CURL* easy) {
  return Micros(easy, CURLINFO_PRETRANSFER_TIME_T) > Duration{};
}

Error FromCurl(CURLcode code, CURL* easy, const char* error_text, std::string_view url,
               const Endpoint& endpoint) {
  const Host& host = endpoint.host;
  const std::string detail = error_text[0] != '\0' ? error_text : curl_easy_strerror(code);
  if (auto unknown = NotKnownByCertificate(endpoint, detail)) return std::move(*unknown);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {
          ErrorKind::kUnreachable,
          fmt::format("no address is known for host '{}'; check source.url and this machine's DNS",
                      host.name)};
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return {ErrorKind::kUnreachable,
              fmt::format("cannot get to {} through the proxy ({}); check source.proxy",
                          host.name_and_port, detail)};
    case CURLE_COULDNT_CONNECT:
      return {ErrorKind::kUnreachable,
              fmt::format("nothing accepts connections at {} ({}); is PI Web API running there and "
                          "the port open?",
                          host.name_and_port, detail)};
    case CURLE_OPERATION_TIMEDOUT:
      if (!WasConnected(easy)) return NoAnswer(endpoint);
      return {ErrorKind::kTimedOut,
              fmt::format("{}: not answered in full within {} (source.timeouts.total)", url,
                          DescribeDuration(endpoint.options.total_timeout))};
    case CURLE_PEER_FAILED_VERIFICATION: {
      long verify_result = 0;
      curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify_result);
      return NotTrusted(host, verify_result, detail);
    }
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::kInvalid, fmt::format("trust.ca cannot be used: {}", detail)};
    case CURLE_SSL_CONNECT_ERROR:
      return NoTls(host, detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return NotHttp(host, detail);
    case CURLE_URL_MALFORMAT:
      return {ErrorKind::kInvalid, fmt::format("{} is not a URL that can be asked for", url)};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return {ErrorKind::kInternal, fmt::format("{}: {}", url, detail)};
    default:
      break;
  }
  long proxy_status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (proxy_status >= 300) return RefusedByProxy(endpoint, proxy_status, detail);
  return {ErrorKind::kTransient, fmt::format("{}: the transfer was cut short ({})", url, detail)};
}

}  // namespace pilake::pi
