// SPDX-License-Identifier: Apache-2.0
// The signs of doubt in the rows of one shard, series by series and over all of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "pipeline/shard_reader.h"
#include "plan/coverage.h"
#include "plan/signs.h"

namespace pilake::pipeline {

/// Sees the rows of a shard as they pass, in key order, and tells afterwards what of them is to be
/// looked at again. One thread.
class ShardSigns {
 public:
  /// A task of the shard; all of them before the first row. `outage` as in plan::Signs.
  void Expect(uint32_t series, TimeRange range, std::optional<UtcTime> outage, double density);

  void Take(const Rows& rows);

  /// Forgets all rows: the shard is read again.
  void StartAgain();

  /// Adds to `advance`, of series `series`, what is to be looked at again of the part it covers.
  void Tell(uint32_t series, UtcTime now, plan::Advance& advance);

 private:
  struct Expected {
    TimeRange range;
    std::optional<UtcTime> outage;
    double density = 0;
  };
  plan::Signs& SignsOf(uint32_t series);

  std::map<uint32_t, Expected> expected_;  // several tasks of one series count as one
  std::map<uint32_t, plan::Signs> signs_;  // of those that have rows
  std::optional<TimeRange> hull_;
  std::optional<plan::Activity> activity_;
  std::optional<std::vector<TimeRange>> silences_;  // once all rows were seen
};

}  // namespace pilake::pipeline
