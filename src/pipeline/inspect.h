// SPDX-License-Identifier: Apache-2.0
// Inspect: reads stretches of series from the archive and from the table and compares them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/events.h"
#include "core/result.h"
#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "plan/compare.h"

namespace pilake::pipeline {

/// A stretch that is to be compared. It lies within what the series covers.
struct Stretch {
  uint32_t series = 0;
  TimeRange range;
};

/// Rows that are compared at once, by estimate: they are held twice. And in how many stretches.
inline constexpr double kSliceRows = 400'000;
inline constexpr size_t kSlicesMax = 20'000;

/// The first part of `range` that holds about so many rows.
Stretch FirstSlice(const Run& run, uint32_t series, TimeRange range);

/// What archive and table hold of it.
struct Inspected {
  Stretch stretch;
  Events archive, table;
  plan::Comparison comparison;
  bool goes_on = false;  ///< The archive has events behind the stretch, where the series is open.
  std::optional<Error> failure;  ///< The archive did not answer for all of it: nothing is proved.
  /// Rows are gone and nothing shows that the archive holds that time: left to the one who asks.
  bool may_be_unmounted = false;
  /// Nothing before it is covered, and the archive is known to hold that time: what is gone at its
  /// begin needs no row before it to be proved.
  bool begin_is_shown = false;
};

/// Compares the stretches, which stand in key order and do not overlap. Holds all their rows in
/// memory, twice: ask for as much as fits. `kConflict` if the archive changed under the reading.
Result<std::vector<Inspected>> Inspect(Run& run, ShardReader& reader,
                                       const std::vector<Stretch>& stretches);

}  // namespace pilake::pipeline
