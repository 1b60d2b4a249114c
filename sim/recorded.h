// SPDX-License-Identifier: Apache-2.0
// Reads recorded events of one point through a window, in either direction (wire §5.2, §5.3).
#pragma once

#include <cstdint>
#include <optional>

#include "sim/archive.h"
#include "sim/event_filter.h"
#include "sim/history.h"
#include "sim/plant.h"
#include "sim/reading.h"

namespace pilake::sim {

enum class Boundary : uint8_t { kInside, kOutside, kInterpolated };

struct RecordedQuery {
  UtcTime start;
  UtcTime end;  ///< before `start`: the newest first
  Boundary boundary = Boundary::kInside;
  int64_t max_count = 1000;  ///< of those that pass the filter
  EventFilter filter;
};

/// How those who ask the server look at histories.
Lens LensOf(const Readings& readings);

/// Changes an event into what a client gets to see of it under `readings`.
void ShowAsRead(const Point& point, const Readings& readings, Event& event);

/// The events of one query, one by one. The history is seen as of `now` to the end.
class RecordedReader {
 public:
  RecordedReader(const Plant& plant, const Point& point, const Readings& readings,
                 const RecordedQuery& query, UtcTime now);

  /// False at the end, or when `max_count` events were read.
  bool Next(Event& event);
  /// How many events were read for that, those that the filter kept back included.
  int64_t scanned() const { return scanned_; }

 private:
  bool NextInside(Event& event);
  int64_t Advance();  ///< the position after `at_` in the direction of reading
  bool ReadNearest(UtcTime time, bool before, Event& event) const;
  bool ReadInterpolated(UtcTime time, Event& event) const;
  bool ReadEdge(UtcTime time, bool before, Event& event) const;
  bool HasEventAt(UtcTime time) const;

  const Readings& readings_;
  History history_;
  RecordedQuery query_;
  bool descending_;
  bool shows_as_is_;
  int64_t begin_ = 0, end_ = 0;  ///< positions within the window
  int64_t at_ = 0;
  int64_t group_begin_ = 0, group_end_ = 0;  ///< one instant, for stable descending order
  int64_t left_;
  int64_t scanned_ = 0;
  enum class Stage : uint8_t { kFirstEdge, kInside, kLastEdge, kDone } stage_ = Stage::kFirstEdge;
};

/// The newest event at or before `time` that a client may see; false if there is none.
bool ReadAtOrBefore(const History& history, UtcTime time, Event& event);

/// The first position within `readings`' meaning of "at or after `time`".
int64_t FirstFrom(const History& history, const Readings& readings, UtcTime time);
/// One past the last position at or before `time`.
int64_t EndThrough(const History& history, const Readings& readings, UtcTime time);

}  // namespace pilake::sim
