// SPDX-License-Identifier: Apache-2.0
// Future points: how far ahead their forecasts are shown, and when they are read again.
#pragma once

#include <optional>

#include "core/time.h"
#include "plan/coverage.h"
#include "plan/finality.h"

namespace pilake::plan {

/// What a configuration wants of points that take events beyond now. Nothing ahead of now is ever
/// covered, however far it is shown.
struct Future {
  Duration horizon = kAhead;  ///< Shown so far ahead of now; every point is by `kAhead`.
  Duration refresh = Duration::Hours(1);  ///< What lies further ahead is read again so often.
  Duration lookback{};  ///< With it, what passed less than that ago is compared again.

  bool operator==(const Future&) const = default;
};

/// What stands for the current value of a future point, whose own says nothing of what it has
/// ahead: another in each span of `refresh`, and for each `future`. Nothing: there is nothing to
/// read again, neither ahead nor behind.
std::optional<Snapshot> RefreshAt(const Future& future, UtcTime now);

}  // namespace pilake::plan
