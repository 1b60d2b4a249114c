// SPDX-License-Identifier: Apache-2.0
// What of a series is final, and what may still change.
#pragma once

#include <optional>

#include "core/time.h"

namespace pilake::plan {

/// The newest events of one series, asked up to a little beyond now.
struct Newest {
  std::optional<UtcTime> last;      ///< S: the snapshot, which compression may still drop.
  std::optional<UtcTime> previous;  ///< A: the newest event before S; it has passed compression.
};

/// How far beyond the server's clock the newest events are asked for: ordinary points accept events
/// up to ten minutes ahead (wire §5.6).
inline constexpr Duration kAhead = Duration::Minutes(15);

/// The exclusive bound below which every event of the series is final.
///
/// A passed compression when S arrived, and with it everything before; S itself may be dropped when
/// the next event comes. The bound is therefore min(now - settle, A + 1 tick, S): S bounds when
/// both share one time. Fewer than two events prove nothing, an empty answer least of all: no
/// bound.
std::optional<UtcTime> FinalThrough(const Newest& newest, UtcTime now, Duration settle);

/// How often a series that has been silent for so long is to have been read since its newest event
/// came, although its current value stayed the same. While events wait in the archive's queue it
/// shows the newest one already and those before it not yet, and nothing tells when it does. Grows
/// by one now and then, ever more slowly, and not beyond a week.
int ReadsDue(Duration silence);

/// Whether the bound was set by `settle` and would move with time alone, without a new event.
bool BoundBySettle(const Newest& newest, UtcTime now, Duration settle);

}  // namespace pilake::plan
