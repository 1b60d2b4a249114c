// SPDX-License-Identifier: Apache-2.0
// The archive: a pure function of point and index. Nothing is stored, any event can be computed.
#include "sim/archive.h"

#include <algorithm>

#include "sim/hash.h"
#include "sim/value.h"

namespace pilake::sim {
namespace {

constexpr int64_t kTicksPerSecond = 10'000'000;

// Division that rounds down for what lies before 1970, too.
constexpr int64_t FloorDiv(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

int64_t EventsPerPattern(const Rhythm& rhythm) {
  int64_t events = rhythm.slots;
  for (const auto& special : rhythm.specials) events += special.count - 1;
  return events;
}

// Two draws a point and index: one for when, one for what, so that neither shows in the other.
constexpr uint64_t kWhen = 0x7768656eULL, kDropped = 0x64726f70ULL;

}  // namespace

UtcTime Rendered(Units time) {
  const int64_t seconds = FloorDiv(time, kUnitsPerSecond);
  const int64_t part = time - seconds * kUnitsPerSecond;
  return {seconds * kTicksPerSecond +
          (part * kTicksPerSecond + kUnitsPerSecond / 2) / kUnitsPerSecond};
}

Units FirstAtOrAfter(UtcTime time) {
  const int64_t seconds = FloorDiv(time.ticks, kTicksPerSecond);
  const int64_t part = time.ticks - seconds * kTicksPerSecond;
  Units units = seconds * kUnitsPerSecond + part * kUnitsPerSecond / kTicksPerSecond;
  while (Rendered(units) < time) ++units;
  return units;
}

const Point& StoredBy(const Point& point, Units time) {
  const Point* storing = &point;
  while (storing->before != nullptr && time < storing->retyped) storing = storing->before.get();
  return *storing;
}

Archive::Archive(const Plant& plant, const Point& point, UtcTime now, uint64_t seed)
    : plant_(plant),
      point_(point),
      rhythm_(plant.rhythm(point)),
      seed_(seed),
      events_per_pattern_(EventsPerPattern(rhythm_)),
      end_(IndexAtOrAfter(FirstAtOrAfter(now + Duration::Ticks(1)) + point.ahead)) {}

Archive::Place Archive::PlaceOf(int64_t index) const {
  const Units first_slot = point_.created + 1;
  const int64_t n = index - 1;  // index 0 is `Pt Created`, before the first slot
  if (rhythm_.specials.empty()) return {first_slot + n * point_.slot, 0, nullptr};
  const int64_t pattern = n / events_per_pattern_;
  int64_t rest = n % events_per_pattern_;
  const Units begin = first_slot + pattern * rhythm_.slots * point_.slot;
  for (const auto& special : rhythm_.specials) {
    if (rest < special.slot) break;
    if (rest < special.slot + special.count) {
      return {begin + special.slot * point_.slot, static_cast<int32_t>(rest - special.slot),
              &special};
    }
    rest -= special.count - 1;
  }
  return {begin + rest * point_.slot, 0, nullptr};
}

// Where in its slot a special one begins: another archive has other times there, too.
Units Archive::Shift(Units own, Units most) const {
  return seed_ == point_.seed ? own : Below(Draw(seed_, 0), most);
}

Units Archive::TimeOf(int64_t index, const Place& place) const {
  if (place.special == nullptr) {
    return place.slot_begin + Below(Draw(seed_ ^ kWhen, static_cast<uint64_t>(index)), point_.slot);
  }
  if (place.special->same_time) return place.slot_begin + Shift(point_.slot / 2, point_.slot);
  const Units length = std::min<Units>(point_.slot, kUnitsPerSecond);
  return place.slot_begin + Shift(0, point_.slot - length) +
         place.position * length / place.special->count;
}

Units Archive::TimeAt(int64_t index) const {
  if (index == 0) return point_.created;
  return TimeOf(index, PlaceOf(index));
}

int64_t Archive::IndexAtOrAfter(Units time) const {
  if (time <= point_.created) return 0;
  // Every slot before that of `time` lies wholly before it, every slot after it wholly behind.
  const int64_t slot = (time - (point_.created + 1)) / point_.slot;
  const int64_t pattern = slot / rhythm_.slots;
  const int64_t slot_in_pattern = slot % rhythm_.slots;
  int64_t low = 1 + pattern * events_per_pattern_ + slot_in_pattern;
  int32_t count = 1;
  for (const auto& special : rhythm_.specials) {
    if (special.slot < slot_in_pattern) low += special.count - 1;
    if (special.slot == slot_in_pattern) count = special.count;
  }
  int64_t high = low + count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (TimeAt(middle) < time)
      low = middle + 1;
    else
      high = middle;
  }
  return std::min(low, point_.events_max);
}

bool Archive::Kept(int64_t index) const {
  if (point_.dropped == 0 || index == 0) return true;
  if ((Draw(seed_ ^ kDropped, static_cast<uint64_t>(index)) & 0xff) >= point_.dropped) return true;
  return PlaceOf(index).special != nullptr || !IsOrdinary(point_, seed_, index);
}

void Archive::Read(int64_t index, uint64_t value_seed, Event& event) const {
  const Units time = TimeAt(index);
  event.time = Rendered(time);
  if (point_.before == nullptr || time >= point_.retyped) {
    MakeValue(plant_, point_, value_seed, index, event);
  } else {
    MakeValue(plant_, StoredBy(point_, time), value_seed, index, event);
    FitToType(plant_, point_, event);
  }
}

}  // namespace pilake::sim
