// SPDX-License-Identifier: Apache-2.0
// Health: how plant and historian behave, as the rows of the last days show it. From the table
// alone.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "pipeline/ledger.h"
#include "pipeline/pull.h"
#include "plan/coverage.h"
#include "plan/health.h"

namespace pilake::pipeline {

struct HealthReport {
  TimeRange window;         ///< Its end is the newest time that the table covers.
  int64_t series = 0;       ///< covered
  int64_t silent = 0;       ///< of these, without a row in the window
  int64_t rows = 0;         ///< in the window
  plan::Ages ages;          ///< of rows of the window that are younger than the window's first run
  Duration between_runs{};  ///< usual time from one run that brought rows to the next
  /// Not one row although many were to be expected of all series together.
  plan::Ranges holes;
  std::vector<LeftOut> stale, flat, outages, bad;  ///< the worst first
};

/// Reads the rows of the last `window` twice; holds some hundred bytes a series. `kNotFound`: there
/// is no table; `kInvalid`: it covers nothing.
Result<HealthReport> ReadHealth(const TableOptions& table, Duration window);

}  // namespace pilake::pipeline
