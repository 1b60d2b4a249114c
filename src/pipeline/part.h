// SPDX-License-Identifier: Apache-2.0
// A part: what one task reads, as plain values that may travel to another process.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "delta/file_writer.h"
#include "plan/coverage.h"
#include "plan/packing.h"
#include "plan/shards.h"

namespace pilake::pipeline {

/// One series of a part × one time range.
struct PartStretch {
  uint32_t series = 0;  ///< of the part
  TimeRange range;
};

/// What one task reads. Plain values: another process may read it.
struct Part {
  std::vector<Series> series;          ///< in key order, each once
  std::vector<PartStretch> stretches;  ///< in key order; those of one series do not touch
  std::vector<float> density;          ///< by series, events per second
  double rows = 0;                     ///< about so many
  double share = 1;  ///< of the budget: what the parts read at one time have is no more than all
  plan::PackLimits limits;
  UtcTime now;  ///< the source's, when it was planned
};

/// The part that reads `tasks`, which stand in key order, of `series`.
Part MakePart(const std::vector<plan::Task>& tasks, const std::vector<Series>& series,
              const std::vector<float>& density, const plan::PackLimits& limits, UtcTime now);

/// What a `ShardReader` over the part's series is to read.
plan::Shard ShardOf(const Part& part);

/// What a part brought that was read and written elsewhere. Files that nobody commits are litter
/// for `pilake vacuum`.
struct WrittenPart {
  std::vector<delta::DataFile> files;
  /// By series: the ranges that the files hold completely, the last instant within them as the
  /// anchor, what is to be looked at again, and why what is lacking could not be read.
  plan::Coverage coverage;
};

/// Who reads and writes the parts of a backfill instead of the run, in any order.
struct HandOut {
  /// So many are read at a time at most; each is given that share of the budget.
  size_t at_once = 1;
  /// Has the parts written and gives each to `commit`, on the thread that called. What it has not
  /// given when it comes back is for the next run.
  std::function<Status(const std::vector<Part>& parts,
                       const std::function<Status(const WrittenPart&)>& commit)>
      write{};
};

}  // namespace pilake::pipeline
