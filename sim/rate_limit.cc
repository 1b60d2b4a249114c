// SPDX-License-Identifier: Apache-2.0
// The server's rate limit: so many requests per client address and second (wire §1.8).
#include "sim/rate_limit.h"

namespace pilake::sim {

bool RateLimit::Admit(const std::string& client, UtcTime now) {
  if (limit_ == 0) return true;
  const auto machine_now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex_);
  Window& window = windows_[client];
  const bool passed = now - window.begin >= Duration::Seconds(1) || now < window.begin ||
                      machine_now - window.machine_begin >= std::chrono::seconds(1);
  if (passed) window = {now, machine_now, 0};
  return ++window.requests <= limit_;
}

}  // namespace pilake::sim
