// SPDX-License-Identifier: Apache-2.0
// A point's history: its archive under what a script did to it, as of one moment.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/archive.h"
#include "sim/fate.h"
#include "sim/plant.h"

namespace pilake::sim {

/// How a history is looked at.
struct Lens {
  /// Does what hides events from readers hide them: archive queues, files that are not mounted,
  /// values that cannot be read for a while?
  bool veiled = true;
  /// While the queue is behind, is the newest event shown among the recorded ones?
  bool shows_queued_snapshot = true;
};

/// The events of one point as of `now`, at positions 0, 1, … in the order of their times. Cheap to
/// make; keeps references to plant and point.
class History {
 public:
  History(const Plant& plant, const Point& point, UtcTime now, Lens lens = {});
  ~History();

  int64_t end() const { return end_; }
  Units TimeAt(int64_t position) const {
    return overlay_ == nullptr ? archive_.TimeAt(position) : OverlaidTimeAt(position);
  }
  /// The first position whose time is at or after `time`, at most `end()`.
  int64_t PositionAtOrAfter(Units time) const;
  /// Is the event there to be read? The newest is, unless it was deleted; those before it have been
  /// through compression.
  bool Visible(int64_t position) const {
    return overlay_ == nullptr ? archive_.Visible(position) : OverlaidVisible(position);
  }
  /// True if it is the snapshot, that compression may still discard.
  bool IsSnapshot(int64_t position) const;
  /// True if someone deleted it: it keeps its position.
  bool IsDeleted(int64_t position) const;
  /// Computes the event into `event`, whose memory is used again.
  void Read(int64_t position, Event& event) const {
    if (overlay_ == nullptr)
      archive_.Read(position, event);
    else
      ReadOverlaid(position, event);
  }
  /// The position of the newest event that is visible; negative if there is none.
  int64_t NewestPosition() const;
  /// The newest event, be it among the recorded ones or not; false if there is none.
  bool ReadNewest(Event& event) const;

  const Point& point() const { return archive_.point(); }

  /// What stands at a position: an event of the archive, or one that the script inserted.
  struct Origin {
    int64_t index = -1;
    const Inserted* inserted = nullptr;
  };
  Origin OriginAt(int64_t position) const;

 private:
  struct Overlay;
  History(const Plant& plant, const Point& point, UtcTime now, UtcTime archived, Lens lens);
  Units OverlaidTimeAt(int64_t position) const;
  bool OverlaidVisible(int64_t position) const;
  void ReadOverlaid(int64_t position, Event& event) const;
  void ReadDeed(const Deed& deed, Event& event) const;
  void PutSnapshotBehindQueue(const History& now, Lens lens);

  const Plant& plant_;
  Archive archive_;
  std::unique_ptr<Overlay> overlay_;  ///< null: the archive as it is
  int64_t end_;
};

}  // namespace pilake::sim
