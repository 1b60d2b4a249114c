// SPDX-License-Identifier: Apache-2.0
// The signs of doubt in the rows of one shard, series by series and over all of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pipeline/shard_reader.h"
#include "plan/coverage.h"
#include "plan/signs.h"

namespace pilake::pipeline {

/// Sees the rows of a shard as they pass, in key order, and tells afterwards what of them is to be
/// looked at again. One thread.
class ShardSigns {
 public:
  explicit ShardSigns(UtcTime now) : now_(now) {}

  /// A task of the shard, in key order; all of them before the first row. `outage` as in
  /// plan::Signs.
  void Expect(uint32_t series, TimeRange range, std::optional<UtcTime> outage, double density);

  /// Of a series that was expected: where it ends in truth, not later than was said, and how dense
  /// it is. Before its first row.
  void Correct(uint32_t series, UtcTime end, double density);

  void Take(const Rows& rows);

  /// Forgets all rows: the shard is read again.
  void StartAgain();

  /// Adds to `advance`, of series `series`, what is to be looked at again of the part it covers.
  /// All rows have passed.
  void Tell(uint32_t series, plan::Advance& advance);

 private:
  struct Expected {
    uint32_t series = 0;
    TimeRange range;
    std::optional<UtcTime> outage;
    double density = 0;
  };
  struct Told {
    std::vector<plan::Look> looks;
    std::optional<UtcTime> outage;
  };
  const Expected& ExpectedOf(uint32_t series) const;
  std::vector<TimeRange> Silences();
  void EndSeries();

  UtcTime now_;
  std::vector<Expected> expected_;  // several tasks of one series are one
  uint32_t series_ = 0;             // whose rows are passing
  std::optional<plan::Signs> signs_;
  std::map<uint32_t, Told> told_;  // of the few series whose rows say something
  std::optional<TimeRange> hull_;
  std::optional<plan::Activity> activity_;
  std::optional<std::vector<TimeRange>> silences_;  // once all rows were seen
};

}  // namespace pilake::pipeline
