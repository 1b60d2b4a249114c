// SPDX-License-Identifier: Apache-2.0
// Verify: compares the table with the archive and changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/pull.h"

namespace pilake::pipeline {

/// How one series differs.
struct SeriesDifference {
  std::string tag;
  std::string web_id;
  TimeRange range;      ///< from the first difference to behind the last
  int64_t rows = 0;     ///< of the table, in what was compared
  int64_t missing = 0;  ///< rows that only the archive has
  int64_t changed = 0;  ///< rows of instants that both have, and not the same
  int64_t gone = 0;     ///< rows that only the table has
};

struct VerifyReport {
  int64_t series = 0;     ///< compared
  int64_t rows = 0;       ///< of the table, compared in either way
  int64_t rows_read = 0;  ///< of them one by one
  int64_t windows = 0;    ///< whose events the source counted
  int64_t windows_suspect =
      0;                ///< that had to be read, for their counts or flags, or for want of a count
  int64_t scanned = 0;  ///< events that the source looked at for counts and flags, by estimate
  /// Why edits that PI marks may have gone unseen; empty: they were looked for.
  std::string flags_unseen;
  std::vector<SeriesDifference> different;
  std::vector<LeftOut> unreadable;  ///< the archive did not answer for all of them
  int64_t version = 0;              ///< of the table that was compared
  Duration took;
};

/// How a comparison is made.
enum class Depth : uint8_t {
  /// The source counts the events of windows, and shows those that are bad or flagged; what differs
  /// is read. How it counts is learnt from windows that are read in full; where that gives no rule,
  /// rows are compared. Does not see values that were changed without a mark.
  kCounts,
  kRows,  ///< All rows are read and compared, one by one.
};

/// Compares what is covered of `what`, slice by slice; memory stays bounded. What is not final yet
/// is not compared. Fails as `Pull` does when the source cannot be reached.
Result<VerifyReport> Verify(const PullOptions& options, const RereadOptions& what, Depth depth,
                            const Clock& clock, Progress& progress, std::stop_token stop);

}  // namespace pilake::pipeline
