// SPDX-License-Identifier: Apache-2.0
// The server's rate limit: so many requests per client address and second (wire §1.8).
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/time.h"

namespace pilake::sim {

/// Counts in windows of one second, of the plant's clock or of the machine's, whichever passes
/// first: a plant whose clock stands still would otherwise refuse for ever. Any thread may call.
class RateLimit {
 public:
  /// 0: no limit.
  explicit RateLimit(int requests_per_second) : limit_(requests_per_second) {}

  /// Counts one request; false if it is above the limit.
  bool Admit(const std::string& client, UtcTime now);

 private:
  struct Window {
    UtcTime begin;
    std::chrono::steady_clock::time_point machine_begin;
    int requests = 0;
  };
  const int limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, Window> windows_;  // guarded by mutex_
};

}  // namespace pilake::sim
