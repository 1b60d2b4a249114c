// SPDX-License-Identifier: Apache-2.0
// A point's history: its archive under what a script did to it, as of one moment.
//
// Positions count the events of the archive that are there (its indices less the gaps) and, between
// them, those that the script inserted.
#include "sim/history.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/value.h"

namespace pilake::sim {
namespace {

struct IndexRange {
  int64_t begin, end;
  bool contains(int64_t index) const { return begin <= index && index < end; }
};

const Deed* InForce(const Touched& touched, UtcTime now, bool veiled) {
  for (auto deed = touched.deeds.rbegin(); deed != touched.deeds.rend(); ++deed) {
    if (deed->when.contains(now) && (veiled || !deed->passing)) return &*deed;
  }
  return nullptr;
}

// Without a queue, or with one that is up to date, `now`.
UtcTime QueueTime(const Point& point, UtcTime now, Lens lens) {
  return point.fate == nullptr || !lens.veiled ? now : Furthest(point.fate->queue, now);
}

UtcTime ArrivalTime(const Point& point, UtcTime now) {
  return point.fate == nullptr ? now : Furthest(point.fate->arrivals, now);
}

bool LooksEmpty(const Point& point, Lens lens) {
  return lens.veiled && point.trouble == Trouble::kEmpty;
}

}  // namespace

struct History::Overlay {
  /// Events of the archive without a gap: indices [begin, end), counted from `at`.
  struct Segment {
    int64_t begin, end, at;
  };
  /// An event between those of the archive, of which `before` stand before it.
  struct Extra {
    Units time;
    int64_t before;
    const Inserted* inserted;  ///< null: the snapshot, while the queue is behind
    const Deed* deed;
  };

  std::vector<Segment> segments;
  int64_t counted = 0;  ///< events of the archive, gaps left out
  std::vector<Extra> extras;
  std::vector<std::pair<int64_t, const Deed*>> touched;  ///< by index
  std::vector<IndexRange> loose;
  std::vector<std::pair<IndexRange, uint64_t>> altered;  ///< values are from that seed
  bool is_queued = false;
  std::optional<Event> snapshot;  ///< while the queue is behind

  Overlay(const Archive& archive, const Fate& fate, UtcTime now, bool veiled) {
    std::vector<IndexRange> gaps;
    for (const Gap& gap : fate.gone) {
      if (gap.when.contains(now)) gaps.push_back(IndicesOf(archive, gap.events));
    }
    Cut(gaps, archive.end());
    for (const Reseeding& values : fate.values) {
      if (values.from <= now) altered.emplace_back(IndicesOf(archive, values.events), values.seed);
    }
    for (const UnitsRange& range : fate.loose) loose.push_back(IndicesOf(archive, range));
    for (const Touched& event : fate.touched) {
      if (const Deed* deed = InForce(event, now, veiled)) touched.emplace_back(event.index, deed);
    }
    for (const Inserted& event : fate.inserted) {
      const Deed* deed = InForce(event, now, veiled);
      if (deed == nullptr || deed->kind == Deed::Kind::kDelete) continue;
      extras.push_back({event.time, CountBefore(event.index), &event, deed});
    }
    std::vector<UnitsRange> hidden;
    for (const Gap& gap : fate.hidden) {
      if (veiled && gap.when.contains(now)) hidden.push_back(gap.events);
    }
    if (!hidden.empty()) Hide(archive, std::move(gaps), hidden);
  }

  // The newest event of all is the snapshot, which no archive file holds.
  void Hide(const Archive& archive, std::vector<IndexRange> gaps,
            const std::vector<UnitsRange>& hidden) {
    const bool newest_is_extra = !extras.empty() && extras.back().before == counted;
    const int64_t newest = newest_is_extra || counted == 0 ? -1 : IndexOf(counted - 1);
    const Inserted* newest_extra = newest_is_extra ? extras.back().inserted : nullptr;
    for (const UnitsRange& times : hidden) {
      const IndexRange range = IndicesOf(archive, times);
      if (range.contains(newest)) {
        gaps.push_back({range.begin, newest});
        gaps.push_back({newest + 1, range.end});
      } else {
        gaps.push_back(range);
      }
    }
    Cut(std::move(gaps), archive.end());
    std::erase_if(extras, [&](const Extra& extra) {
      const auto hides = [&](const UnitsRange& times) {
        return times.begin <= extra.time && extra.time < times.end;
      };
      return extra.inserted != newest_extra && std::ranges::any_of(hidden, hides);
    });
    for (Extra& extra : extras) extra.before = CountBefore(extra.inserted->index);
  }

  static IndexRange IndicesOf(const Archive& archive, const UnitsRange& range) {
    return {std::min(archive.IndexAtOrAfter(range.begin), archive.end()),
            std::min(archive.IndexAtOrAfter(range.end), archive.end())};
  }

  // What is left of `end` events without the gaps.
  void Cut(std::vector<IndexRange> gaps, int64_t end) {
    std::ranges::sort(gaps, {}, &IndexRange::begin);
    gaps.push_back({end, end});
    segments.clear();
    counted = 0;
    int64_t from = 0;
    for (const IndexRange& gap : gaps) {
      if (gap.begin > from) {
        segments.push_back({from, gap.begin, counted});
        counted += gap.begin - from;
      }
      from = std::max(from, gap.end);
    }
  }

  /// Of the events of the archive that are there, how many stand before `index`?
  int64_t CountBefore(int64_t index) const {
    const auto after = std::ranges::upper_bound(segments, index, {}, &Segment::begin);
    if (after == segments.begin()) return 0;
    const Segment& segment = *std::prev(after);
    return segment.at + std::min(index, segment.end) - segment.begin;
  }

  int64_t IndexOf(int64_t count) const {
    const auto after = std::ranges::upper_bound(segments, count, {}, &Segment::at);
    const Segment& segment = *std::prev(after);
    return segment.begin + count - segment.at;
  }

  int64_t end() const { return counted + std::ssize(extras); }

  /// The extra at `position`, or the index of the archive's event there.
  struct Stand {
    const Extra* extra;
    int64_t index;
  };
  Stand At(int64_t position) const {
    int64_t low = 0, high = std::ssize(extras);
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (extras[static_cast<size_t>(middle)].before + middle < position)
        low = middle + 1;
      else
        high = middle;
    }
    if (low < std::ssize(extras)) {
      const Extra& extra = extras[static_cast<size_t>(low)];
      if (extra.before + low == position) return {&extra, -1};
    }
    return {nullptr, IndexOf(position - low)};
  }

  bool Holds(const Origin& origin) const {
    if (origin.inserted == nullptr) return CountBefore(origin.index) < counted;
    return std::ranges::find(extras, origin.inserted, &Extra::inserted) != extras.end();
  }

  const Deed* TouchedAt(int64_t index) const {
    const auto found =
        std::ranges::lower_bound(touched, index, {}, &std::pair<int64_t, const Deed*>::first);
    return found == touched.end() || found->first != index ? nullptr : found->second;
  }

  uint64_t ValueSeedOf(int64_t index, uint64_t seed) const {
    for (const auto& [range, other] : altered) {
      if (range.contains(index)) seed = other;
    }
    return seed;
  }

  void DropLast() {
    if (!extras.empty() && extras.back().before == counted) {
      extras.pop_back();
    } else if (counted > 0) {
      --counted;
      if (--segments.back().end == segments.back().begin) segments.pop_back();
    }
  }
};

History::History(const Plant& plant, const Point& point, UtcTime now, Lens lens)
    : History(plant, point, LooksEmpty(point, lens) ? kBeginningOfTime : now,
              QueueTime(point, now, lens), lens) {}

// `archived`: what came to the archive until then is in it.
History::History(const Plant& plant, const Point& point, UtcTime now, UtcTime archived, Lens lens)
    : plant_(plant),
      archive_(plant, point, ArrivalTime(point, std::min(now, archived)), SeedAt(point, archived)),
      end_(archive_.end()) {
  if (point.fate == nullptr || now == kBeginningOfTime) return;
  overlay_ = std::make_unique<Overlay>(archive_, *point.fate, archived, lens.veiled);
  if (archived < now) {
    lens.veiled = false;
    PutSnapshotBehindQueue(History(plant, point, now, lens), lens);
  }
  end_ = overlay_->end();
}

History::~History() = default;

// Snapshots do not queue: behind what is archived stands the newest event of all.
void History::PutSnapshotBehindQueue(const History& now, Lens lens) {
  overlay_->is_queued = true;
  overlay_->DropLast();
  const int64_t newest = now.NewestPosition();
  if (newest < 0) return;
  now.Read(newest, overlay_->snapshot.emplace());
  if (lens.shows_queued_snapshot && !overlay_->Holds(now.OriginAt(newest))) {
    overlay_->extras.push_back({now.TimeAt(newest), overlay_->counted, nullptr, nullptr});
  }
}

int64_t History::NewestPosition() const {
  int64_t position = end_ - 1;
  while (position >= 0 && !Visible(position)) --position;
  return position;
}

int64_t History::PositionAtOrAfter(Units time) const {
  const int64_t index = std::min(archive_.IndexAtOrAfter(time), archive_.end());
  if (overlay_ == nullptr) return index;
  const auto extra = std::ranges::lower_bound(overlay_->extras, time, {}, &Overlay::Extra::time);
  return std::min(overlay_->CountBefore(index), overlay_->counted) +
         (extra - overlay_->extras.begin());
}

bool History::IsSnapshot(int64_t position) const {
  if (position != end_ - 1 || archive_.point().future) return false;
  if (overlay_ == nullptr || !overlay_->is_queued) return true;
  const Overlay::Extra* extra = overlay_->At(position).extra;
  return extra != nullptr && extra->inserted == nullptr;
}

bool History::IsDeleted(int64_t position) const {
  if (overlay_ == nullptr) return false;
  const auto [extra, index] = overlay_->At(position);
  const Deed* deed = extra == nullptr ? overlay_->TouchedAt(index) : nullptr;
  return deed != nullptr && deed->kind == Deed::Kind::kDelete;
}

Units History::OverlaidTimeAt(int64_t position) const {
  const auto [extra, index] = overlay_->At(position);
  return extra != nullptr ? extra->time : archive_.TimeAt(index);
}

bool History::OverlaidVisible(int64_t position) const {
  const auto [extra, index] = overlay_->At(position);
  if (extra != nullptr) return true;
  if (const Deed* deed = overlay_->TouchedAt(index)) return deed->kind != Deed::Kind::kDelete;
  if (position == end_ - 1 && !overlay_->is_queued) return true;
  if (archive_.Kept(index)) return true;
  return std::ranges::any_of(overlay_->loose,
                             [index = index](const IndexRange& r) { return r.contains(index); });
}

void History::ReadOverlaid(int64_t position, Event& event) const {
  const auto [extra, index] = overlay_->At(position);
  if (extra == nullptr) {
    archive_.Read(index, overlay_->ValueSeedOf(index, archive_.seed()), event);
    if (const Deed* deed = overlay_->TouchedAt(index)) ReadDeed(*deed, event);
  } else if (extra->deed != nullptr) {
    event.time = Rendered(extra->time);
    ReadDeed(*extra->deed, event);
  } else {
    event = *overlay_->snapshot;
  }
}

// All but the time.
void History::ReadDeed(const Deed& deed, Event& event) const {
  const UtcTime time = event.time;
  const Point& storing = StoredBy(point(), FirstAtOrAfter(deed.when.begin));
  switch (deed.kind) {
    case Deed::Kind::kDraw:
      MakeValue(plant_, storing, deed.seed, deed.draw, event);
      break;
    case Deed::Kind::kOrdinary:
      MakeOrdinaryValue(plant_, storing, deed.seed, deed.draw, event);
      break;
    case Deed::Kind::kShow:
      event = deed.shown;
      break;
    case Deed::Kind::kDelete:
      break;
  }
  if (point().before != nullptr || event.form == Form::kState) FitToType(plant_, point(), event);
  event.time = time;
  event.substituted |= deed.substituted;
}

bool History::ReadNewest(Event& event) const {
  if (overlay_ != nullptr && overlay_->snapshot) {
    event = *overlay_->snapshot;
    return true;
  }
  const int64_t newest = NewestPosition();
  if (newest >= 0) Read(newest, event);
  return newest >= 0;
}

History::Origin History::OriginAt(int64_t position) const {
  if (overlay_ == nullptr) return {position, nullptr};
  const auto [extra, index] = overlay_->At(position);
  return extra != nullptr ? Origin{-1, extra->inserted} : Origin{index, nullptr};
}

}  // namespace pilake::sim
