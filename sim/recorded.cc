// SPDX-License-Identifier: Apache-2.0
// Reads recorded events of one point through a window, in either direction (wire §5.2, §5.3).
#include "sim/recorded.h"

#include <algorithm>
#include <cmath>

namespace pilake::sim {
namespace {

constexpr int64_t kTicksPerSecond = 10'000'000;

// The stored instant itself is compared: the first multiple of 1/65536 s at or after `time`.
Units ExactlyAtOrAfter(UtcTime time) {
  const int64_t seconds = time.ticks / kTicksPerSecond, part = time.ticks % kTicksPerSecond;
  return seconds * kUnitsPerSecond +
         (part * kUnitsPerSecond + kTicksPerSecond - 1) / kTicksPerSecond;
}

bool IsNumber(const Event& event) {
  return event.form == Form::kSingle || event.form == Form::kDouble || event.form == Form::kInteger;
}

double NumberOf(const Event& event) {
  return event.form == Form::kInteger ? static_cast<double>(event.integer) : event.number;
}

}  // namespace

Lens LensOf(const Readings& readings) {
  return {.shows_queued_snapshot = !readings.hides_queued_snapshot};
}

void ShowAsRead(const Point& point, const Readings& readings, Event& event) {
  const bool number = event.form == Form::kSingle || event.form == Form::kDouble;
  if (number && !std::isfinite(event.number) && readings.nan == NanAs::kNull) {
    event.form = Form::kNull;
  }
  if (point.type == PointType::kBlob && event.form == Form::kText &&
      readings.blob == BlobAs::kError) {
    event.form = Form::kErrorMember;
    event.text = "The type of the value is not supported";
  }
}

int64_t FirstFrom(const History& history, const Readings& readings, UtcTime time) {
  const Units from = readings.exact_times ? ExactlyAtOrAfter(time) : FirstAtOrAfter(time);
  return history.PositionAtOrAfter(from);
}

int64_t EndThrough(const History& history, const Readings& readings, UtcTime time) {
  const UtcTime after = time + Duration::Ticks(1);
  const Units end = readings.exact_times ? ExactlyAtOrAfter(after) : FirstAtOrAfter(after);
  return history.PositionAtOrAfter(end);
}

bool ReadAtOrBefore(const History& history, UtcTime time, Event& event) {
  int64_t position = history.PositionAtOrAfter(FirstAtOrAfter(time + Duration::Ticks(1)));
  while (--position >= 0) {
    if (!history.Visible(position)) continue;
    history.Read(position, event);
    return true;
  }
  return false;
}

RecordedReader::RecordedReader(const Plant& plant, const Point& point, const Readings& readings,
                               const RecordedQuery& query, UtcTime now)
    : readings_(readings),
      history_(plant, point, now, LensOf(readings)),
      query_(query),
      descending_(query.end < query.start),
      shows_as_is_(readings.nan != NanAs::kNull && readings.blob != BlobAs::kError),
      left_(query.max_count) {
  const UtcTime low = std::min(query.start, query.end), high = std::max(query.start, query.end);
  begin_ = FirstFrom(history_, readings_, low);
  end_ = std::max(begin_, EndThrough(history_, readings_, high));
  at_ = descending_ ? end_ : begin_ - 1;
  group_begin_ = group_end_ = end_;
}

bool RecordedReader::Next(Event& event) {
  if (left_ <= 0) return false;
  for (;;) {
    bool found = false;
    switch (stage_) {
      case Stage::kFirstEdge:
        stage_ = Stage::kInside;
        found = ReadEdge(query_.start, !descending_, event);
        break;
      case Stage::kInside:
        found = NextInside(event);
        if (!found) stage_ = Stage::kLastEdge;
        break;
      case Stage::kLastEdge:
        stage_ = Stage::kDone;
        found = query_.start != query_.end && ReadEdge(query_.end, descending_, event);
        break;
      case Stage::kDone:
        return false;
    }
    if (!found) continue;
    ++scanned_;
    if (!shows_as_is_) ShowAsRead(history_.point(), readings_, event);
    if (!query_.filter.Passes(event)) continue;
    --left_;
    return true;
  }
}

bool RecordedReader::NextInside(Event& event) {
  for (;;) {
    at_ = Advance();
    if (at_ < begin_ || at_ >= end_) return false;
    if (!history_.Visible(at_)) continue;
    history_.Read(at_, event);
    return true;
  }
}

int64_t RecordedReader::Advance() {
  if (!descending_) return at_ + 1;
  if (!readings_.stable_descending) return at_ - 1;
  if (at_ + 1 < group_end_) return at_ + 1;
  group_end_ = group_begin_;
  if (group_end_ <= begin_) return begin_ - 1;
  group_begin_ = std::max(begin_, history_.PositionAtOrAfter(history_.TimeAt(group_end_ - 1)));
  return group_begin_;
}

bool RecordedReader::HasEventAt(UtcTime time) const {
  const int64_t end = EndThrough(history_, readings_, time);
  for (int64_t i = FirstFrom(history_, readings_, time); i < end; ++i) {
    if (history_.Visible(i)) return true;
  }
  return false;
}

bool RecordedReader::ReadEdge(UtcTime time, bool before, Event& event) const {
  if (query_.boundary == Boundary::kInside || HasEventAt(time)) return false;
  return query_.boundary == Boundary::kOutside ? ReadNearest(time, before, event)
                                               : ReadInterpolated(time, event);
}

bool RecordedReader::ReadNearest(UtcTime time, bool before, Event& event) const {
  if (before) return ReadAtOrBefore(history_, time, event);
  for (int64_t i = FirstFrom(history_, readings_, time); i < history_.end(); ++i) {
    if (!history_.Visible(i)) continue;
    history_.Read(i, event);
    return true;
  }
  return false;
}

// Held where the point steps, has no later event or shows no number; else on the straight line.
bool RecordedReader::ReadInterpolated(UtcTime time, Event& event) const {
  if (!ReadNearest(time, true, event)) return false;
  Event after;
  if (!history_.point().step && IsNumber(event) && ReadNearest(time, false, after) &&
      IsNumber(after)) {
    const double share = (time - event.time).seconds() / (after.time - event.time).seconds();
    event.number = NumberOf(event) + share * (NumberOf(after) - NumberOf(event));
    if (event.form == Form::kInteger)
      event.integer = std::llround(event.number);
    else if (event.form == Form::kSingle)
      event.number = static_cast<double>(static_cast<float>(event.number));
  }
  event.time = time;
  return true;
}

}  // namespace pilake::sim
