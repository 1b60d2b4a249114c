// SPDX-License-Identifier: Apache-2.0
// Settle: one version that moves the open ends of the series that changed and renews the tail.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "pipeline/shard_writer.h"

namespace pilake::pipeline {

/// What became of a pass.
struct Settled {
  Landing landing = Landing::kCommitted;
  std::vector<uint32_t> many_held{};  ///< see `ManyHeld`; if any, nothing was committed
};

/// Reads the changed series from where they are covered up to `Run::ReadsUpTo`, or up to
/// `border`, and commits as one version: what is final goes to the body, what is younger into the
/// new tail, the old tail goes out. Rows of the old tail whose series did not change, or could not
/// be read, move over as they are, and so do rows that were heard while the archive was read and
/// are newer than all that it showed (see LiveTail).
///
/// Why no reader ever sees a row twice or a series with a gap: rows of a tail are never before the
/// covered end of their series, rows of the body never behind it, and both change in this one
/// version. While the table has a tail nothing else moves an open end, but for shards that are
/// committed on the very tail that a pass up to `border` left, which holds no row of their series.
///
/// `border`, if given, must lie behind every row of the old tail but for those of future points,
/// which are always read to their end: other series that are final beyond it are read up to there
/// only and leave no row in the tail.
Result<Settled> Settle(Run& run, ShardReader& reader, ShardWriter& writer,
                       std::optional<UtcTime> border);

/// One tick behind the newest row of the tail that stands now, forecasts aside; nothing if it has
/// no such row.
Result<std::optional<UtcTime>> TailEnd(const Run& run);

}  // namespace pilake::pipeline
