// SPDX-License-Identifier: Apache-2.0
// The archive: a pure function of point and index. Nothing is stored, any event can be computed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.h"
#include "sim/plant.h"

namespace pilake::sim {

/// How the wire shows a value (wire §6).
enum class Form : uint8_t {
  kSingle,  ///< a Float16 or Float32 number
  kDouble,
  kInteger,
  kBoolean,
  kText,         ///< a string, whatever the point's type
  kState,        ///< `{"Name","Value","IsSystem"}`
  kErrorValue,   ///< `{"Errors":["…"]}` as the value
  kErrorMember,  ///< an `Errors` member beside a null value
  kNull,
  kArray,
};

struct Event {
  UtcTime time;
  Form form = Form::kNull;
  bool good = true, questionable = false, substituted = false, annotated = false;
  bool system = false;  ///< of a state: from the set `System`
  double number = 0;    ///< kSingle, kDouble
  int64_t integer = 0;  ///< kInteger, kBoolean; the code of a kState
  std::string text;     ///< kText, name of a kState, message of an error, JSON of a kArray
};

/// The instant as the wire shows it: the stored multiple of 1/65536 s, rounded to 100 ns.
UtcTime Rendered(Units time);
/// The first instant of the archive that is rendered at or after `time`.
Units FirstAtOrAfter(UtcTime time);

/// The point as it was when it stored what came at `time`: its type may have changed since.
const Point& StoredBy(const Point& point, Units time);

/// The archive of one point as of `now`. Cheap to make; keeps references to plant and point.
class Archive {
 public:
  Archive(const Plant& plant, const Point& point, UtcTime now)
      : Archive(plant, point, now, point.seed) {}
  /// Another archive of the point.
  Archive(const Plant& plant, const Point& point, UtcTime now, uint64_t seed);

  /// Events have indices 0, 1, … in the order of their times.
  Units TimeAt(int64_t index) const;
  /// The first index whose time is at or after `time`, of the events that have come or will come.
  int64_t IndexAtOrAfter(Units time) const;

  /// One past the newest event that has come.
  int64_t end() const { return end_; }
  /// Of what has come, is `index` there to be read? The newest event always is: the snapshot. Those
  /// before it have been through compression.
  bool Visible(int64_t index) const { return index == end_ - 1 || Kept(index); }
  /// True if `index` is the snapshot, that compression may still discard.
  bool IsSnapshot(int64_t index) const { return index == end_ - 1 && !point_.future; }
  /// Does compression let `index` pass?
  bool Kept(int64_t index) const;

  /// Computes event `index` into `event`, whose memory is used again.
  void Read(int64_t index, Event& event) const { Read(index, seed_, event); }
  /// The same with a value from another seed.
  void Read(int64_t index, uint64_t value_seed, Event& event) const;

  const Point& point() const { return point_; }
  uint64_t seed() const { return seed_; }

 private:
  struct Place {
    Units slot_begin;
    int32_t position;  ///< within the slot
    const Rhythm::Special* special;
  };
  Place PlaceOf(int64_t index) const;
  Units TimeOf(int64_t index, const Place& place) const;
  Units Shift(Units own, Units most) const;

  const Plant& plant_;
  const Point& point_;
  const Rhythm& rhythm_;
  uint64_t seed_;
  int64_t events_per_pattern_;
  int64_t end_;
};

}  // namespace pilake::sim
