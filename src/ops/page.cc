// SPDX-License-Identifier: Apache-2.0
#include "ops/page.h"

#include <charconv>
#include <utility>

#include "ops/metrics.h"

namespace pilake::ops {
namespace {

constexpr std::string_view kIndex =
    "pilake\n"
    "/metrics  for Prometheus\n"
    "/healthz  200 while it is alive\n"
    "/readyz   200 while the table is up to date\n";

web::Response Text(int status, std::string body, std::string_view type = "text/plain") {
  return {.status = status,
          .headers = {{"Content-Type", std::string(type)}, {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

web::Response Text(const Health& health) {
  constexpr int kOk = 200, kUnavailable = 503;
  return Text(health.is_good ? kOk : kUnavailable, health.why + "\n");
}

web::Response Answer(const web::Request& request, const PageContent& content) {
  constexpr int kOk = 200, kNotFound = 404, kNotAllowed = 405;
  const std::string path = request.target.substr(0, request.target.find('?'));
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (!is_read) {
    web::Response refused = Text(kNotAllowed, "this page can only be read\n");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  if (path == "/metrics") return Text(kOk, content.metrics(), kMetricsType);
  if (path == "/healthz") return Text(content.alive());
  if (path == "/readyz") return Text(content.ready());
  if (path == "/") return Text(kOk, std::string(kIndex));
  return Text(kNotFound, std::string(kIndex));
}

}  // namespace

Result<std::unique_ptr<Page>> Page::Start(const std::string& address, PageContent content) {
  const size_t colon = address.rfind(':');
  const std::string port_text = address.substr(colon == std::string::npos ? 0 : colon + 1);
  std::string host = colon == std::string::npos ? "" : address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (host.empty() || error != std::errc() || end != port_text.data() + port_text.size())
    return Fail(ErrorKind::kInvalid, "'{}' is no address such as 127.0.0.1:9464", address);
  auto server =
      web::Server::Start({.address = host, .port = port, .threads = 1, .server_header = "pilake"},
                         [content = std::move(content)](const web::Request& request) {
                           return Answer(request, content);
                         });
  if (!server) return tl::unexpected(std::move(server).error());
  return std::unique_ptr<Page>(new Page(std::move(*server)));
}

}  // namespace pilake::ops
