// SPDX-License-Identifier: Apache-2.0
// Ends: up to where each series is final, and what the table lacks of it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "pipeline/run.h"
#include "plan/coverage.h"

namespace pilake::pipeline {

/// Fills `straight`: series that moved lately need not be asked whether they did again, nor for
/// their newest events, since the read that settles them tells. It makes one read of three, at most
/// one in vain. For a pass that follows another soon.
void GoStraight(Run& run);

/// Asks which series changed, and of those the newest events: fills `probed`, `through`, `changed`
/// and `density`. Those that go straight count as changed, up to where they are covered. Series
/// that cannot be asked are quarantined.
Status FindEnds(Run& run);

/// Asks for the newest events of `which`, in order, and takes `density` from them: for series that
/// a run had no reason to ask about.
Status LearnDensities(Run& run, const std::vector<uint32_t>& which);

/// What is final and not covered, by series.
struct Missing {
  std::vector<plan::Ranges> behind;  ///< the covered part
  /// Before the covered part or between; all, if nothing is covered. While the table has a tail a
  /// settling version begins such a series: it is left out.
  std::vector<plan::Ranges> before;
};
Missing FindMissing(const Run& run);

}  // namespace pilake::pipeline
