// SPDX-License-Identifier: Apache-2.0
// Optimize: small files of the table become few large ones that are sorted by their key.
#pragma once

#include <cstdint>
#include <stop_token>

#include "core/result.h"
#include "pipeline/ledger.h"
#include "plan/merging.h"

namespace pilake::pipeline {

struct OptimizeOptions {
  plan::MergeLimits limits;
  int64_t memory_bytes = 256 << 20;  ///< rows that are held at a time, by estimate
  bool dry_run = false;  ///< only tells what would be merged; nothing is read or written
};

struct OptimizeReport {
  int64_t files_merged = 0;
  int64_t files_made = 0;  ///< in a dry run by estimate
  int64_t rows = 0;
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  int64_t commits = 0;
  int64_t overtaken = 0;  ///< groups of files that another writer changed first, and that stay
  int64_t version = 0;    ///< of the table now
};

/// Merges files of the body, neighbours in time first, in one version a group. Rows, coverage and
/// tail stay as they are; whoever writes meanwhile is not held up. Memory: some hundred megabytes.
/// Safe to kill: what was not committed is litter. `kInvalid` if something forbids that files leave
/// the table.
Result<OptimizeReport> Optimize(const TableOptions& table, const OptimizeOptions& options,
                                const std::stop_token& stop);

}  // namespace pilake::pipeline
