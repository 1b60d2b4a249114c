// SPDX-License-Identifier: Apache-2.0
#include "pi/http_dial.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace pilake::pi {
namespace {

/// The proxy that curl would take from the environment for an https:// URL; empty = none.
std::string ProxyForHttps() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
    if (value != nullptr && value[0] != '\0') return value;
  }
  return {};
}

/// Called before curl begins with TLS, which for an http:// URL it only does with a proxy: what
/// came out of that would not be a socket to speak on.
CURLcode RefuseTls(CURL* /*easy*/, void* /*context*/, void* wants_tls) {
  *static_cast<bool*>(wants_tls) = true;
  return CURLE_ABORTED_BY_CALLBACK;
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

Dial::Dial(const Endpoint& endpoint)
    : endpoint_(endpoint), multi_(curl_multi_init()), easy_(curl_easy_init()) {
  CURL* easy = easy_.get();
  SetConnect(easy, endpoint);
  // Always http, so that curl leaves TLS to us; then it would take the proxy for http, too.
  curl_easy_setopt(easy, CURLOPT_URL, ("http://" + endpoint.host.name_and_port).c_str());
  const bool asks_environment = endpoint.options.proxy.empty() && !endpoint.host.is_loopback();
  if (asks_environment && endpoint.host.scheme == "https") {
    curl_easy_setopt(easy, CURLOPT_PROXY, ProxyForHttps().c_str());
  }
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, RefuseTls);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &proxy_wants_tls_);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_multi_add_handle(multi_.get(), easy);
}

Dial::~Dial() {
  curl_multi_remove_handle(multi_.get(), easy_.get());
}

std::optional<Result<Socket>> Dial::Drive() {
  int running = 0, left = 0;
  curl_multi_perform(multi_.get(), &running);
  const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
  if (message == nullptr) return std::nullopt;
  return Finish(message->data.result);
}

Result<Socket> Dial::Finish(CURLcode code) const {
  if (proxy_wants_tls_) {
    return Fail(ErrorKind::kInvalid,
                "channels cannot go through a proxy that itself is spoken to by TLS; write "
                "source.proxy as http://…");
  }
  if (code != CURLE_OK) {
    return tl::unexpected(
        FromCurl(code, easy_.get(), error_text_.data(), endpoint_.options.url, endpoint_));
  }
  curl_socket_t curls_own = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &curls_own);
  Socket socket(fcntl(curls_own, F_DUPFD_CLOEXEC, 0));
  if (socket.descriptor() < 0) {
    return Fail(ErrorKind::kTransient, "{}: no further connection can be held: {}",
                endpoint_.options.url, std::generic_category().message(errno));
  }
  return socket;
}

}  // namespace pilake::pi
