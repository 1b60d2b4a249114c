// SPDX-License-Identifier: Apache-2.0
// Cursors: how far a reader without a table has come with each series, small enough to travel in
// the offsets of a stream.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "plan/coverage.h"

namespace pilake::plan {

struct Cursors {
  /// By WebID: all events before it have been read. A series that is not in it has not been begun.
  std::map<std::string, UtcTime, std::less<>> through;
  /// Events before it have been read a second time, or were old enough when they were read first.
  UtcTime looked;

  bool operator==(const Cursors&) const = default;
};

/// As bytes, for a library of compression to make small: WebIDs share their beginnings, and times
/// are told by how much they differ. The same cursors are the same bytes.
std::string EncodeCursors(const Cursors& cursors);

/// `kMalformed` for what `EncodeCursors` did not write.
Result<Cursors> DecodeCursors(std::string_view bytes);

/// One series of a stream as it stands.
struct StreamEnd {
  std::string_view web_id;
  std::optional<UtcTime> from;     ///< read up to here; nothing: not begun
  std::optional<UtcTime> through;  ///< final up to here; nothing: nothing of it is
  float density = 0;               ///< events per second
};

/// The end of the next piece of work: everything that is final up to one instant, the latest with
/// which it comes to about `events_max` events (0: any number). At least something if there is
/// anything. `history_from`: where series begin that have not been begun.
///
/// Every cursor that moves stays within what is final, so that reading between two cursors gives
/// the same rows whenever it is done.
std::map<std::string, UtcTime, std::less<>> NextThrough(std::span<const StreamEnd> series,
                                                        UtcTime history_from, double events_max);

}  // namespace pilake::plan
