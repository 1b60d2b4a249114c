// SPDX-License-Identifier: Apache-2.0
// Which small files of a table are worth being written anew as fewer large ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/time.h"

namespace pilake::plan {

/// What is known of a file that may be merged.
struct MergeFile {
  int64_t bytes = 0;
  int64_t rows = 0;
  UtcTime begin;  ///< of its oldest row
};

struct MergeLimits {
  int64_t file_bytes = 64 << 20;      ///< what a file should be like
  int64_t rows_at_once = 32'000'000;  ///< of one group
  /// Files that the others of their group do not outweigh are merged too, once a day or so: then a
  /// group that makes no whole file yet becomes one, at the price of writing it anew.
  bool takes_heavy = false;
};

/// Files to be merged with one another, by their places in the list, and into how many.
struct MergeGroup {
  std::vector<size_t> files;
  int64_t bytes = 0;
  int64_t rows = 0;
  int64_t into = 1;
};

/// Groups of neighbours in time, oldest first, of files that are less than half of what they should
/// be. A row is written anew no more than some ten times in the life of a table: a group that makes
/// no whole file yet is merged only if that at least doubles its largest one.
std::vector<MergeGroup> GroupsToMerge(const std::vector<MergeFile>& files,
                                      const MergeLimits& limits);

}  // namespace pilake::plan
