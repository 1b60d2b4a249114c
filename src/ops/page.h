// SPDX-License-Identifier: Apache-2.0
// The page of a service: how it is, for Prometheus, and for an orchestrator.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "web/server.h"

namespace pilake::ops {

struct Health {
  bool is_good = true;
  std::string why;  ///< in a sentence
};

/// What the page shows; each is called on a thread of the page, whenever somebody asks.
struct PageContent {
  std::function<std::string()> metrics;
  std::function<Health()> alive;
  std::function<Health()> ready;
};

/// Answers GET and HEAD of `/metrics`, `/healthz`, `/readyz` and `/` until it is
/// destroyed. Anybody who reaches the address may read, so it should be one of this machine.
class Page {
 public:
  /// `address` as `127.0.0.1:9464`; `kInvalid` if it cannot be listened on.
  static Result<std::unique_ptr<Page>> Start(const std::string& address, PageContent content);

  uint16_t port() const { return server_->port(); }

 private:
  explicit Page(std::unique_ptr<web::Server> server) : server_(std::move(server)) {}
  std::unique_ptr<web::Server> server_;
};

}  // namespace pilake::ops
