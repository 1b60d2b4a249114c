// SPDX-License-Identifier: Apache-2.0
// Shards: some series × one time range that should fill one file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/time.h"
#include "plan/coverage.h"
#include "plan/packing.h"

namespace pilake::plan {

/// What a shard reads, in key order.
struct Shard {
  std::vector<Task> tasks;
};

/// Cuts what is missing into shards, time-major, so that the server reads one archive file at a
/// time.
class ShardCutter {
 public:
  enum class Order {
    kNewestFirst,  ///< Backfill: the youngest data, which people wait for, comes first.
    kOldestFirst,  ///< Increments: each part follows what is covered already.
  };

  /// `missing[i]` belongs to series i; series stand in key order. A shard aims at `rows` rows.
  ShardCutter(std::vector<Ranges> missing, double rows, Order order);

  /// The next shard; nothing when all is handed out. `density` in events per second, by series.
  std::optional<Shard> Next(std::span<const float> density);

 private:
  /// The next slab of time, as wide as the target of rows permits.
  TimeRange Slab(std::span<const float> density) const;

  std::vector<Ranges> missing_;
  double rows_;
  Order order_;
  UtcTime begin_, end_;  // what is still to be cut lies in [begin_, end_)
  TimeRange slab_{};     // being cut by series
  size_t series_ = 0;    // next series of the slab
};

}  // namespace pilake::plan
