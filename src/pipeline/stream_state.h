// SPDX-License-Identifier: Apache-2.0
// How a stream stands, for whoever shows it. Written by the stream's threads, read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "pipeline/progress.h"

namespace pilake::pipeline {

struct StreamState {
  std::atomic<int64_t> series{0};  ///< selected
  // Of those, how they are heard of at present; the rest is read with the archive only.
  std::atomic<int64_t> series_by_channel{0};
  std::atomic<int64_t> series_by_updates{0};
  std::atomic<int64_t> series_by_sweep{0};
  std::atomic<int64_t> series_held{0};         ///< the last covered row did not come back
  std::atomic<int64_t> series_quarantined{0};  ///< could not be read
  std::atomic<int64_t> series_unresolved{0};   ///< named, and not given by the source
  std::atomic<int64_t> series_silent{0};       ///< silent out of character, or in an outage

  std::atomic<int64_t> channels_open{0};
  std::atomic<int64_t> channels_wanted{0};
  std::atomic<int64_t> channels_lost{0};    ///< that ended though they were wanted, ever
  std::atomic<int64_t> messages_queued{0};  ///< of channels, not read yet
  std::atomic<int64_t> message_bytes_queued{0};
  std::atomic<int64_t> messages_dropped{
      0};  ///< the queue was full: they come from the archive, ever

  Progress hearing;                       ///< what is asked to hear of new events
  std::atomic<int64_t> events_heard{0};   ///< of all ways, ever
  std::atomic<int64_t> rows_waiting{0};   ///< heard, and not committed yet
  std::atomic<int64_t> live_rows{0};      ///< committed before they were settled, ever
  std::atomic<int64_t> live_versions{0};  ///< that brought those, ever
  std::atomic<int64_t> newest_heard{0};   ///< time of the newest event committed, ticks since 1970

  std::atomic<int64_t> passes{0};        ///< in which the archive was read to the end, ever
  std::atomic<int64_t> rows_settled{0};  ///< that these committed, ever
  std::atomic<int64_t> settled_at{0};    ///< the source's time at the last of them, ticks
  std::atomic<int64_t> version{0};       ///< of the table, as the last pass left it
  std::atomic<int64_t> doubts{0};        ///< stretches heard to have changed, to be read again
  std::atomic<int64_t> troubles{0};      ///< passes that failed, ever
  std::atomic<bool> is_caught_up{false};
  std::atomic<bool> is_in_trouble{false};
  std::atomic<int64_t> alive_at{0};  ///< when a pass ended or failed last, ticks of this machine
};

}  // namespace pilake::pipeline
