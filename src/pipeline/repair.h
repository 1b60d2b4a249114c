// SPDX-License-Identifier: Apache-2.0
// Repair: looks at what is doubtful, and makes the table equal to the archive there.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "pipeline/run.h"
#include "pipeline/shard_reader.h"

namespace pilake::pipeline {

/// Makes all looks that are due: reads the stretch from the archive, compares it with the table,
/// and commits what differs together with the looks that are done and those that follow.
///
/// Events that the table lacks are added; instants that differ are replaced; rows that the archive
/// does not show leave by proof only (plan::MayDelete), or by `PullOptions::allow_deletes`, and
/// wait otherwise. A stretch that cannot be read is looked at again in an hour. `kOvertaken`:
/// another run came between; what was found is left to the next run.
Result<Landing> MakeLooks(Run& run, ShardReader& reader);

/// Of those held series, given in key order, how many were edited: rows before the last one are as
/// they were, and another archive would not have them. Changes nothing.
Result<size_t> CountEdited(Run& run, ShardReader& reader, const std::vector<uint32_t>& series);

}  // namespace pilake::pipeline
