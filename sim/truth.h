// SPDX-License-Identifier: Apache-2.0
// The truth: the rows of a perfect copy, straight from the archive, without HTTP or JSON readers.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "sim/plant.h"
#include "sim/reading.h"
#include "sim/script.h"

namespace pilake::sim {

/// The WebID by which tables and truth know the point: IDOnly.
std::string TableWebId(const Plant& plant, const Point& point);

struct TruthOptions {
  PlantOptions plant;
  Readings readings;  ///< `nan`, `blob` and `queued_snapshot` change what a perfect copy holds
  std::optional<UtcTime> at;     ///< as of when; none: now
  std::optional<UtcTime> until;  ///< the latest time of an event; none: `at`
  /// As the archive is once the script has come to its end and all queues are empty, whatever it
  /// may hide then; of events that are not later than `until` all the same.
  bool settled = false;
  Script script;  ///< what happens to the plant
};

/// Writes CSV with a header line:
///
///     tag_webid,tag_name,timestamp,timestamp_100ns,ordinal,value,value_int,value_string,value_code,
///     value_kind,good,questionable,substituted,annotated,units,state
///
/// One line an event that can be read at time `at` and is not later than `until`, ordered by
/// tag_webid, timestamp_100ns, ordinal. Text stands in double quotes, so `""` is empty text and
/// nothing is null; `timestamp` is in whole microseconds; doubles are the shortest that read back
/// the same, or `nan`, `inf`, `-inf`; booleans `true`, `false`. `state` is `snapshot` for what
/// compression may still discard, `archived` for the rest. Needs a few MB, whatever the size of the
/// plant.
Status WriteTruth(const TruthOptions& options, UtcTime now, std::ostream& out);

}  // namespace pilake::sim
