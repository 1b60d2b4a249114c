// SPDX-License-Identifier: Apache-2.0
// What reads of one stream and of sets of streams share.
#pragma once

#include "sim/api.h"
#include "sim/archive.h"
#include "sim/recorded.h"

namespace pilake::sim {

/// The parameters of a recorded call, checked.
Result<RecordedQuery> ReadRecordedQuery(const Call& call);
/// 409 for units and associations that points do not have.
Status RefuseUnsupported(const Call& call);
/// How reading the data of a point fails.
struct ReadFailure {
  int status = 0;  ///< 0: it does not
  std::string text;
};
ReadFailure FailureOf(const Call& call, const Point& point);
/// An answer that never comes.
Answer Silence();

/// The snapshot, or the value at the parameter `time`.
Result<Event> ReadValue(const Call& call, const Point& point);
/// The snapshot, or of a future point the value at `now`; as of `data` in the archive's own time.
Event ReadCurrent(const World& world, const Plant& plant, const Point& point, UtcTime data,
                  UtcTime now);
/// The last event, be it in the future.
Event ReadEnd(const Call& call, const Point& point);
/// The summary `Count`: of events if weighted by events, else of seconds.
Result<Event> ReadCount(const Call& call, const Point& point);
/// `[{"Type":"Count","Value":{…}}]`
void WriteCountItems(JsonWriter& json, const Event& count);

// Stream Updates (api_updates.cc).
Result<Answer> RegisterStream(const Call& call, const Point& point);
Result<Answer> RegisterStreams(const Call& call);
Result<Answer> RetrieveStream(const Call& call, std::string_view marker);
Result<Answer> RetrieveStreams(const Call& call);

}  // namespace pilake::sim
