// SPDX-License-Identifier: Apache-2.0
// Forecast: says what a run would ask of the historian and bring into the table, before it does.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "pipeline/progress.h"
#include "pipeline/pull.h"
#include "plan/forecast.h"

namespace pilake::pipeline {

/// What one group of the configuration's tags costs.
struct GroupForecast {
  std::string name;    ///< its first masks or points
  int64_t series = 0;  ///< none counts in two groups: the first that selects it has it
  int64_t silent = 0;  ///< nothing of them is to be read
  plan::Cost cost;
  int64_t bytes = 0;  ///< in the table
};

struct Forecast {
  UtcTime now;   ///< the source's
  UtcTime from;  ///< the history's begin
  std::vector<GroupForecast> groups;
  plan::Cost overhead;     ///< listing the points, asking what changed, the newest events
  plan::Cost total;        ///< groups and overhead
  int64_t table_rows = 0;  ///< that are there already
  double bytes_per_row = 0;
  std::optional<Duration> takes;   ///< at least; nothing: years, or the calendar never allows it
  const char* bound_by = nullptr;  ///< the limit of the budget that makes it take so long, if any
  int64_t sampled_series = 0;
  int64_t sampled_events = 0;
  std::vector<LeftOut> unreadable;
  Duration took;
};

/// Samples the archive: of up to two thousand series, those with many events first, the events of a
/// few windows at random places of what is missing. Changes nothing, and makes no table. Fails as
/// `Pull` does.
Result<Forecast> MakeForecast(const PullOptions& options, const Clock& clock, Progress& progress,
                              std::stop_token stop);

}  // namespace pilake::pipeline
