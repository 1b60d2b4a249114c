// SPDX-License-Identifier: Apache-2.0
#include "plan/future.h"

#include <algorithm>

namespace pilake::plan {

std::optional<Snapshot> RefreshAt(const Future& future, UtcTime now) {
  if (future.horizon <= kAhead && future.lookback <= Duration{}) return std::nullopt;
  const int64_t span = std::max<int64_t>(1, future.refresh.ticks);
  // Odd numbers, so that no two wishes look alike.
  const uint64_t wish = static_cast<uint64_t>(future.horizon.ticks) * 0x9e3779b97f4a7c15ull +
                        static_cast<uint64_t>(future.lookback.ticks) * 0xc2b2ae3d27d4eb4full;
  return Snapshot{UtcTime{now.ticks - now.ticks % span}, wish};
}

}  // namespace pilake::plan
