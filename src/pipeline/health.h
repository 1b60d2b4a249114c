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
  Duration between_runs{};  ///< usual time from one run that brought rows to the next
  Duration late_from{};     ///< A row this old or older did not come when its time was covered.
  /// Of rows that did not come by backfill, and of series with events often enough: an archive
  /// shows an event only once the next one has come.
  plan::Ages ages;
  int64_t late = 0;  ///< of these rows
  /// Next to nothing although many rows were to be expected of all series together.
  plan::Ranges holes;
  std::vector<LeftOut> stale, flat, outages, bad;  ///< the worst first
};

/// Reads the rows of the last `window` twice; holds some hundred bytes a series. `settle`: the age
/// at which events are final. `kNotFound`: there is no table; `kInvalid`: it covers nothing.
Result<HealthReport> ReadHealth(const TableOptions& table, Duration window, Duration settle);

}  // namespace pilake::pipeline
