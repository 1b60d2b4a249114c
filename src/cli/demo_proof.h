// SPDX-License-Identifier: Apache-2.0
// The demo's proof: the table against what the simulated archive says by itself.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "delta/table.h"
#include "sim/truth.h"

namespace pilake::cli {

struct Proof {
  int64_t series = 0;
  int64_t rows = 0;       ///< of the archive, all compared
  int64_t different = 0;  ///< rows that the table lacks, has too much or has otherwise
};

/// Compares every row of the plant, as its archive is at `now`, with the table: time, ordinal,
/// kind, value, text and code. Nothing of it went over HTTP or through our reader.
Result<Proof> ProveEqual(const sim::TruthOptions& truth, UtcTime now, const delta::Table& table);

}  // namespace pilake::cli
