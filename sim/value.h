// SPDX-License-Identifier: Apache-2.0
// Values: what a point shows at one index, from its seed alone.
#pragma once

#include <cstdint>

#include "sim/archive.h"
#include "sim/plant.h"

namespace pilake::sim {

/// Fills in all of `event` but its time, from `seed` where another one than the point's is wanted.
/// `index` 0 is `Pt Created`.
void MakeValue(const Plant& plant, const Point& point, uint64_t seed, int64_t index, Event& event);
/// The same without anything odd: a good value of the point's own type. Not for `index` 0.
void MakeOrdinaryValue(const Plant& plant, const Point& point, uint64_t seed, int64_t index,
                       Event& event);

/// Turns the value of an event that was stored by another type into what the point's own type shows
/// of it: numbers, and states of the point's own set. Everything else stays as it is.
void FitToType(const Plant& plant, const Point& point, Event& event);

/// True if the event is an ordinary one, as exception and compression tests may drop it: states,
/// errors and flagged values never are.
bool IsOrdinary(const Point& point, uint64_t seed, int64_t index);

}  // namespace pilake::sim
