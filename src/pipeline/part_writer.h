// SPDX-License-Identifier: Apache-2.0
// Reads a part and writes it into files of the table, for the one who commits them.
#pragma once

#include <stop_token>

#include "core/clock.h"
#include "core/result.h"
#include "pipeline/part.h"
#include "pipeline/pull.h"

namespace pilake::pipeline {

/// Reads `part` and writes its rows into files in the folder of the table, which exists; commits
/// nothing. Any process may do it, for a run that is under way in another. Starts threads and joins
/// them. Fails as `Pull` does; `kTransient`: do it again.
Result<WrittenPart> WritePart(const PullOptions& options, const Part& part, const Clock& clock,
                              std::stop_token stop);

}  // namespace pilake::pipeline
