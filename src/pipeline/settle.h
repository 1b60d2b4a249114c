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
/// committed on the very tail that a pass up to `border` left, or on what was heard on top of it:
/// such rows are not older than the run, and shards end before it began.
///
/// `border`, if given, must lie behind every row of the old tail that is older than now, but for
/// those of future points, which are always read to their end: other series that are final beyond
/// it are read up to there only and leave no row in the tail, but for what was heard since.
Result<Settled> Settle(Run& run, ShardReader& reader, ShardWriter& writer,
                       std::optional<UtcTime> border);

/// One tick behind the newest row of the tail that is older than now, forecasts aside; nothing if
/// it has no such row.
Result<std::optional<UtcTime>> TailEnd(const Run& run);

/// By series: the ticks of its newest row in the tail that stands now; LiveTail::kNothing if it has
/// none.
Result<std::vector<int64_t>> NewestOfTail(const Run& run);

}  // namespace pilake::pipeline
