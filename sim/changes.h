// SPDX-License-Identifier: Apache-2.0
// Changes: what a data pipe hears of one point between two times (wire §9.2).
#pragma once

#include <cstdint>
#include <functional>

#include "core/time.h"
#include "sim/archive.h"
#include "sim/plant.h"

namespace pilake::sim {

enum class EventAction : uint8_t { kAdd, kInsert, kUpdate, kDelete, kRefresh };

/// What a new event at the end did to the one that was the newest before.
enum class PreviousEvent : uint8_t {
  kNone,  ///< not known: there is none, or it was deleted
  kArchived,
  kDiscarded,  ///< compression threw it away
};

struct Change {
  EventAction action = EventAction::kAdd;
  PreviousEvent previous = PreviousEvent::kNone;
  /// As it is from then on; of a `kDelete`, as it was; of a `kRefresh` only its time means
  /// something.
  Event event;
};

/// Takes one change, whose memory is used again; false: that was enough.
using ChangeSink = std::function<bool(const Change&)>;

/// When what is to be heard of a point was there: after `after`, and not after `until`.
struct Stretch {
  UtcTime after, until;
};

/// Tells `sink` what is to be heard of `point` in `stretch`, in the order in which it came about:
/// all that reaches the snapshot, also what compression discards later, and all that is inserted,
/// edited, deleted or loaded. Queues of the archive, unmounted files and values that cannot be read
/// for a while say nothing here. Where quite another archive stands behind the name from one moment
/// to the next, a pipe hears nothing or, with `tells_swaps`, a `kRefresh`. False if the sink had
/// enough.
///
/// Pure: two stretches that follow one another tell together what one over both tells.
bool TellChanges(const Plant& plant, const Point& point, Stretch stretch, bool tells_swaps,
                 const ChangeSink& sink);

}  // namespace pilake::sim
