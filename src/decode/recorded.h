// SPDX-License-Identifier: Apache-2.0
// The bodies of time-series reads as columns, in one pass (wire §5.4, §6, §7.2).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/events.h"
#include "core/result.h"
#include "core/series.h"

namespace pilake::decode {

/// What a data pipe says became of an event (wire §9.2).
enum class Action : uint8_t {
  kAdd,      ///< new, at the end
  kInsert,   ///< new, before the end
  kUpdate,   ///< in place of the one at that time, or new
  kDelete,   ///< gone
  kRefresh,  ///< from that time on anything may have changed
  kUnknown,
};

/// What one series of a response said.
struct SeriesPage {
  Events events;  ///< in the server's order; every item of the page, none dropped
  /// Why `events` must not be trusted: WebException, Errors, the sub-status of a batch part, a
  /// stream that is missing, an item without a readable time.
  std::optional<Error> failure;
  // Of Stream Updates only (news.h).
  std::string marker{};           ///< to ask with next
  std::vector<Action> actions{};  ///< by event
};

struct Wanted {
  std::string_view web_id;  ///< IDOnly form; a Full WebID in the answer matches it too
  PointType type = PointType::kUnknown;
};

/// Common to all below. `body` as HttpResponse::body (spare capacity of 64 bytes saves a copy).
/// Members may come in any order, unknown ones are skipped. Failures of the whole page:
///   kTransient  cut short, or a WebException at the end of the body (kTooLarge if it says so)
///   kMalformed  not JSON, or not the answer to what was asked
/// Safe on any bytes and from any thread.

/// `streams/{id}/recorded`. WebException and Errors of the body are failures of the page.
Result<SeriesPage> DecodeRecorded(std::string body, PointType type);

/// `streamsets/recorded`: a page for each of `wanted`, in its order, matched by WebId. One that is
/// missing in the answer is a failure of that series; unknown or repeated ones make the whole
/// answer kMalformed. `wanted` has no duplicates.
Result<std::vector<SeriesPage>> DecodeRecordedSet(std::string body, std::span<const Wanted> wanted);

/// The answer to `BuildRecordedBatch`: part "i" is a page of `types[i]`.
Result<std::vector<SeriesPage>> DecodeRecordedBatch(std::string body,
                                                    std::span<const PointType> types);

/// `streamsets/value`: as DecodeRecordedSet, with one event a series.
Result<std::vector<SeriesPage>> DecodeValueSet(std::string body, std::span<const Wanted> wanted);

}  // namespace pilake::decode
