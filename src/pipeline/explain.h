// SPDX-License-Identifier: Apache-2.0
// Explain: why a value is, or is not, in the table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/events.h"
#include "delta/rows.h"
#include "pipeline/pull.h"
#include "plan/coverage.h"

namespace pilake::pipeline {

struct Explanation {
  std::string tag;
  std::string web_id;
  TimeRange window;        ///< what was looked at: wide enough to hold something, up to two days
  Events archive;          ///< what PI says of it now
  delta::Rows table;       ///< what the table holds of it, the tail included
  std::string unreadable;  ///< why PI says nothing, if it does not
  plan::SeriesCoverage coverage;
  UtcTime now;  ///< the source's
  /// One sentence each, the most telling first.
  std::vector<std::string> because;
};

/// Explains the instant `time` of the point named `tag` (its whole name, in any case). `kInvalid`
/// if the configuration selects no such point.
Result<Explanation> Explain(const PullOptions& options, const std::string& tag, UtcTime time,
                            const Clock& clock, Progress& progress, std::stop_token stop);

}  // namespace pilake::pipeline
