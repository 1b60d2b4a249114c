// SPDX-License-Identifier: Apache-2.0
// Rows of `pi_timeseries` read back as columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/events.h"
#include "core/time.h"
#include "delta/file_facts.h"

namespace pilake::delta {

/// Which rows to read.
struct RowFilter {
  std::optional<WebIdRange> web_ids;
  std::optional<TimeRange> range;  ///< by timestamp_100ns
  std::vector<std::string> files;  ///< only rows of these active files; none named: of all files
};

/// Which rows to read, how many and in which order.
struct RowQuery {
  RowFilter where;
  size_t limit = 0;  ///< 0: all; otherwise the first so many of the order
  enum class Order { kAny, kKey } order = Order::kKey;  ///< kAny: as they come, a limit ends early
};

/// The time of a row that has none.
inline constexpr UtcTime kNoTime{std::numeric_limits<int64_t>::min()};

/// Rows as they stand in the table, one index a row over all members.
///
/// Other writers may leave rows as pilake never does: without a key (an empty WebID, `kNoTime`), of
/// a kind that nobody knows (read as kError), with columns that contradict one another. Such rows
/// are marked in `is_ours`; what the members say of them is a reading, not all of the row.
struct Rows {
  std::vector<std::string> tag_webid;
  std::vector<std::string> tag_name;
  Events events;  ///< timestamp_100ns, value*, flags
  std::vector<int32_t> ordinal;
  std::vector<std::optional<double>> value;  ///< the column `value` itself
  std::vector<std::optional<std::string>> units;
  std::vector<UtcTime> ingested;
  std::vector<bool> is_ours;  ///< pilake could have written the row as it stands

  size_t size() const { return events.size(); }
};

}  // namespace pilake::delta
