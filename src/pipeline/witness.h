// SPDX-License-Identifier: Apache-2.0
// Witnesses: series that show whether the archive holds a stretch of time at all. Where a file of
// it is not mounted, every series looks as if its rows had been deleted.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "pipeline/run.h"

namespace pilake::pipeline {

/// No file of an archive holds less than this.
inline constexpr Duration kMountedMin = Duration::Hours(1);

class Witnesses {
 public:
  explicit Witnesses(Run& run) : run_(run) {}

  /// True if others of the server of `series` have events before each of those times and behind it,
  /// less than `kMountedMin` apart. False too where there are more times than may be asked for.
  /// Times that lie close together are asked for once in the life of this.
  Result<bool> Show(uint32_t series, const std::vector<UtcTime>& times);

 private:
  Result<bool> ShowAround(uint32_t series, UtcTime time);
  Result<bool> HaveEvents(const std::vector<uint32_t>& witnesses, TimeRange range);
  std::vector<uint32_t> WitnessesFor(uint32_t series) const;

  Run& run_;
  std::map<std::pair<uint32_t, int64_t>, bool> shown_;  // by the first witness and the time
};

}  // namespace pilake::pipeline
