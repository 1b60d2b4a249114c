// SPDX-License-Identifier: Apache-2.0
#include "pipeline/part.h"

#include <optional>

namespace pilake::pipeline {

Part MakePart(const std::vector<plan::Task>& tasks, const std::vector<Series>& series,
              const std::vector<float>& density, const plan::PackLimits& limits, UtcTime now) {
  Part part{.limits = limits, .now = now};
  std::optional<uint32_t> last;
  for (const plan::Task& task : tasks) {
    part.rows += task.range.length().seconds() * static_cast<double>(density[task.series]);
    if (last != task.series) {
      part.series.push_back(series[task.series]);
      part.density.push_back(density[task.series]);
      last = task.series;
    } else if (part.stretches.back().range.end == task.range.begin) {
      part.stretches.back().range.end = task.range.end;
      continue;
    }
    part.stretches.push_back({static_cast<uint32_t>(part.series.size() - 1), task.range});
  }
  return part;
}

plan::Shard ShardOf(const Part& part) {
  plan::Shard shard;
  for (const PartStretch& stretch : part.stretches)
    shard.tasks.push_back({.series = stretch.series, .range = stretch.range, .expected = {}});
  return shard;
}

}  // namespace pilake::pipeline
