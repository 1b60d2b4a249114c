// SPDX-License-Identifier: Apache-2.0
// Counts: asks the source how many events windows hold, many windows a call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "pipeline/source.h"

namespace pilake::pipeline {

/// A window of one series and about how many events the source must look at to count it.
struct CountWindow {
  uint32_t series = 0;
  TimeRange range;
  int64_t events = 0;
};

/// A call scans no more than so many events, by estimate; a window of more goes alone.
inline constexpr int64_t kScannedMax = 1'000'000;

/// By window: the number of events, or why the source does not tell. Fails when the source gives
/// no answers at all any more.
Result<std::vector<Result<int64_t>>> AskCounts(Source& source, const std::vector<Series>& series,
                                               std::span<const CountWindow> windows);

}  // namespace pilake::pipeline
