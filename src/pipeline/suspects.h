// SPDX-License-Identifier: Apache-2.0
// Suspects: the windows of which counts or flagged events say that archive and table may differ.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "pipeline/verify.h"
#include "plan/coverage.h"

namespace pilake::pipeline {

/// What of one series is still to be compared, ascending.
struct ToCompare {
  uint32_t series = 0;
  plan::Ranges ranges;
};

/// Has the source count and filter what is to be compared, window by window, and returns what must
/// be read: where it differs from the table, and where the source cannot tell. Adds to `report`
/// what was counted.
Result<std::vector<ToCompare>> FindSuspects(Run& run, ShardReader& reader,
                                            std::vector<ToCompare> all, VerifyReport& report);

}  // namespace pilake::pipeline
