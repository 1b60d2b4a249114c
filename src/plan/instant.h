// SPDX-License-Identifier: Apache-2.0
// An instant: all events of one series at one exact time, remembered by count and digest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/events.h"
#include "core/time.h"

namespace pilake::plan {

/// Enough of what stood at one time to see later whether it still stands there.
struct Instant {
  UtcTime time;
  int64_t count = 0;
  uint64_t digest = 0;

  bool operator==(const Instant&) const = default;
};

/// The events `[begin, end)` of `events`, which share one time.
inline Instant InstantOf(const Events& events, size_t begin, size_t end) {
  Instant instant{events.time(begin), static_cast<int64_t>(end - begin), 0};
  for (size_t i = begin; i < end; ++i) {
    instant.digest = instant.digest * 0x9e3779b97f4a7c15ull + Fingerprint(events, i);
  }
  return instant;
}

}  // namespace pilake::plan
