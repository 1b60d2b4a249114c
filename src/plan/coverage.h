// SPDX-License-Identifier: Apache-2.0
// Coverage: which part of which series the table holds finally. missing = wanted - covered.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/boxed.h"
#include "core/time.h"
#include "plan/instant.h"
#include "plan/look.h"
#include "plan/quarantine.h"

namespace pilake::plan {

/// Disjoint, ascending, never touching, never empty.
using Ranges = std::vector<TimeRange>;

/// Joins `range` to `ranges`; an empty one changes nothing.
void AddRange(Ranges& ranges, TimeRange range);

/// The parts of `wanted` that `covered` lacks, ascending.
Ranges Missing(const Ranges& covered, TimeRange wanted);

/// The parts of `ranges` within `range`, ascending.
Ranges Intersection(const Ranges& ranges, TimeRange range);

bool Overlaps(const Ranges& ranges, TimeRange range);

/// What a bulk probe said the current value of a series is.
struct Snapshot {
  UtcTime time;
  uint64_t digest = 0;

  bool operator==(const Snapshot&) const = default;
};

/// The covered part of one series, how to tell whether it still is what was read, and how sure we
/// are of it.
struct SeriesCoverage {
  Ranges ranges;
  /// The newest covered instant that has rows. The next read starts there and must find it again.
  std::optional<Instant> anchor;
  /// The probe's answer before the last read, if nothing but a new event can make more of the
  /// series final or visible. The same answer again means: nothing to read.
  std::optional<Snapshot> probed;
  /// Events before it are not due for a second look any more.
  std::optional<UtcTime> looked;
  std::vector<Look> looks;  ///< by the time when they are due
  /// Since when the last covered row does not come back: nothing is covered, nothing removed.
  std::optional<UtcTime> held;
  /// Since when the covered part ends in outage states.
  std::optional<UtcTime> outage;
  /// It could not be read when it was asked for last.
  Boxed<Quarantine> quarantine;

  /// Where the open end stands; nothing if no part is covered.
  std::optional<UtcTime> through() const {
    return ranges.empty() ? std::nullopt : std::optional(ranges.back().end);
  }
  bool operator==(const SeriesCoverage&) const = default;
};

/// By the series' IDOnly WebID.
using Coverage = std::map<std::string, SeriesCoverage, std::less<>>;

/// What one finished piece of work changes of a series' coverage. What is not said stays.
struct Advance {
  std::string web_id;
  TimeRange range{};                      ///< Covered from now on; may be empty.
  std::optional<Instant> last_instant{};  ///< Of the rows that were read, if any.
  std::optional<Snapshot> probed{};
  std::optional<UtcTime> looked{};  ///< The second look is done up to here.
  std::vector<Look> looks{};        ///< To be made.
  std::vector<Look> looks_done{};   ///< Those of the coverage that this work has made.
  /// The anchor was repaired: what stands there now, or which instant is the newest now.
  std::optional<Instant> repaired_anchor{};
  /// The archive shows the series otherwise from now on, so that the anchor cannot come back.
  bool forgets_anchor = false;
  std::optional<UtcTime> held{};  ///< Held since; an open end that moves, or a repair, ends it.
  /// The open end moved: the outage it ends in now, if any.
  std::optional<UtcTime> outage{};
  Boxed<Quarantine> quarantine{};  ///< It could not be read.
  bool ends_quarantine = false;    ///< It could.
};

/// Applies `advance`. The anchor only ever moves forward in time, unless it was repaired or is
/// forgotten.
void Apply(Coverage& coverage, const Advance& advance);

/// True if no part of any of `advances` is covered yet: files staged for them are still wanted.
bool StillMissing(const Coverage& coverage, const std::vector<Advance>& advances);

}  // namespace pilake::plan
