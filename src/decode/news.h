// SPDX-License-Identifier: Apache-2.0
// What tells of change: messages of channels (wire §8.1) and the answers of Stream Updates (wire
// §9), as columns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/events.h"
#include "core/result.h"
#include "decode/recorded.h"

namespace pilake::decode {

/// News of one series.
struct SeriesNews {
  uint32_t which = 0;  ///< index into what was wanted
  Events events;       ///< in the server's order, which need not be that of time
};

/// One message of a channel: of the series that changed, some perhaps more than once. A message
/// without any, `{}` and an empty text are heartbeats. Series that were not wanted are passed over:
/// nobody asked. `kMalformed` if an event has no readable time, `kTransient` if it is cut short.
Result<std::vector<SeriesNews>> DecodeChannelMessage(std::string body,
                                                     std::span<const Wanted> wanted);

/// The answer to `BuildRegister`: a page for each of `wanted`, without events, with the marker to
/// ask with or why there is none. Failures of the whole as in recorded.h.
Result<std::vector<SeriesPage>> DecodeRegistrations(std::string body,
                                                    std::span<const Wanted> wanted);

/// The answer to `BuildUpdates`: a page for each of `markers`, whose series is `wanted[i]`, matched
/// by RequestedMarker, or by Source where there is none. Its `marker` is that to ask with next.
/// What is new is told by the events, whatever the Status says.
Result<std::vector<SeriesPage>> DecodeUpdates(std::string body, std::span<const Wanted> wanted,
                                              std::span<const std::string> markers);

}  // namespace pilake::decode
