// SPDX-License-Identifier: Apache-2.0
// Changes: what a data pipe hears of one point between two times (wire §9.2).
//
//   the stretch is cut at the turns of the point's fate; at a turn deeds are told, and after it the
//   events that arrive until the next one
#include "sim/changes.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "sim/fate.h"
#include "sim/history.h"

namespace pilake::sim {
namespace {

constexpr Duration kTick = Duration::Ticks(1);
constexpr Lens kUnveiled = {.veiled = false};

// How many events of the archive that stands there at `which` have come by `time`.
int64_t ArrivedBy(const Plant& plant, const Point& point, UtcTime time, UtcTime which) {
  if (point.fate == nullptr) return Archive(plant, point, time).end();
  return Archive(plant, point, Furthest(point.fate->arrivals, time), SeedAt(point, which)).end();
}

bool IsSwap(const Gap& gap) {
  return gap.when.begin > kBeginningOfTime;
}

bool IsLoad(const Gap& gap) {
  return gap.ends_by_loading && gap.when.end < kEndOfTime;
}

bool IsTold(const Deed& deed, UtcTime at) {
  return !deed.passing && deed.when.begin == at;
}

std::vector<UtcTime> TurnsOf(const Fate& fate, Stretch stretch) {
  std::vector<UtcTime> turns;
  const auto add = [&](UtcTime time) {
    if (stretch.after < time && time <= stretch.until) turns.push_back(time);
  };
  const auto add_deeds = [&](const Touched& touched) {
    for (const Deed& deed : touched.deeds) add(deed.when.begin);
  };
  std::ranges::for_each(fate.touched, add_deeds);
  std::ranges::for_each(fate.inserted, add_deeds);
  for (const Gap& gap : fate.gone) {
    if (IsSwap(gap)) add(gap.when.begin);
    if (IsLoad(gap)) add(gap.when.end);
  }
  for (const Reseeding& archive : fate.archives) add(archive.from);
  for (const Reseeding& values : fate.values) add(values.from);
  std::ranges::sort(turns);
  turns.erase(std::ranges::unique(turns).begin(), turns.end());
  return turns;
}

// From when on events are other ones than before, if another archive stands there at `turn`.
std::optional<Units> SwappedFrom(const Point& point, UtcTime turn) {
  std::optional<Units> from;
  const auto add = [&](Units units) { from = std::min(from.value_or(units), units); };
  const Fate& fate = *point.fate;
  for (const Gap& gap : fate.gone) {
    if (IsSwap(gap) && gap.when.begin == turn) add(gap.events.begin);
  }
  for (const Reseeding& values : fate.values) {
    if (values.from == turn) add(values.events.begin);
  }
  for (const Reseeding& archive : fate.archives) {
    if (archive.from == turn) add(point.created);
  }
  return from;
}

bool IsSame(const History::Origin& a, const History::Origin& b) {
  return a.index == b.index && a.inserted == b.inserted;
}

// The position of an event of that time; negative if it is not there.
int64_t Find(const History& history, const History::Origin& origin, Units time) {
  for (int64_t at = history.PositionAtOrAfter(time);
       at < history.end() && history.TimeAt(at) == time; ++at) {
    if (IsSame(history.OriginAt(at), origin)) return at;
  }
  return -1;
}

// What compression does to an event behind which another one comes.
PreviousEvent FateOf(const History& history, int64_t position) {
  if (position < 0 || history.IsDeleted(position)) return PreviousEvent::kNone;
  return history.Visible(position) ? PreviousEvent::kArchived : PreviousEvent::kDiscarded;
}

class Teller {
 public:
  Teller(const Plant& plant, const Point& point, const ChangeSink& sink)
      : plant_(plant), point_(point), sink_(sink) {}

  // The events that come while nothing turns, from the archive's event `first` on.
  bool Arrivals(int64_t first, UtcTime until) {
    const History history(plant_, point_, until, kUnveiled);
    int64_t begin = history.end(), newest = -1;
    for (int64_t at = history.end() - 1; at >= 0; --at) {
      const History::Origin origin = history.OriginAt(at);
      if (origin.inserted == nullptr && origin.index < first) break;
      if (origin.inserted != nullptr)
        newest = std::max(newest, at);
      else
        begin = at;
    }
    for (int64_t at = begin; at < history.end(); ++at) {
      if (history.OriginAt(at).inserted != nullptr || history.IsDeleted(at)) continue;
      if (at > newest) {
        if (!Tell(EventAction::kAdd, FateOf(history, at - 1), history, at)) return false;
      } else if (history.Visible(at)) {  // what was inserted before has a later time
        if (!Tell(EventAction::kInsert, PreviousEvent::kNone, history, at)) return false;
      }
    }
    return true;
  }

  // What is done at `turn`, to events that were there before it.
  bool Deeds(UtcTime turn, bool tells_swaps) {
    const History before(plant_, point_, turn - kTick, kUnveiled);
    const History after(plant_, point_, turn, kUnveiled);
    const auto swapped_from = SwappedFrom(point_, turn);
    if (swapped_from && tells_swaps && !Refresh(*swapped_from)) return false;
    const Archive archive(plant_, point_, turn, SeedAt(point_, turn));
    fresh_.clear();
    for (const Touched& touched : point_.fate->touched) {
      if (!IsDoneAt(touched, turn)) continue;
      if (!Compare(before, after, {touched.index, nullptr}, archive.TimeAt(touched.index)))
        return false;
    }
    for (const Inserted& inserted : point_.fate->inserted) {
      if (IsDoneAt(inserted, turn) && !Compare(before, after, {-1, &inserted}, inserted.time))
        return false;
    }
    const int64_t arrived = ArrivedBy(plant_, point_, turn - kTick, turn);
    for (const Gap& gap : point_.fate->gone) {
      if (IsLoad(gap) && gap.when.end == turn) AddLoaded(before, after, gap.events, arrived);
    }
    return Uncovered(before, after) && Fresh(after, arrived);
  }

 private:
  static bool IsDoneAt(const Touched& touched, UtcTime turn) {
    return std::ranges::any_of(touched.deeds, [&](const Deed& deed) { return IsTold(deed, turn); });
  }

  bool Tell(EventAction action, PreviousEvent previous, const History& history, int64_t position) {
    change_.action = action;
    change_.previous = previous;
    history.Read(position, change_.event);
    return sink_(change_);
  }

  bool Refresh(Units from) {
    change_ = {.action = EventAction::kRefresh, .previous = PreviousEvent::kNone, .event = {}};
    change_.event.time = Rendered(std::max(from, point_.created));
    return sink_(change_);
  }

  // An event that was or is there: edited, deleted, or a fresh one.
  bool Compare(const History& before, const History& after, const History::Origin& origin,
               Units time) {
    const int64_t was = Find(before, origin, time), is = Find(after, origin, time);
    const bool was_there = was >= 0 && before.Visible(was);
    const bool is_there = is >= 0 && !after.IsDeleted(is);
    if (was_there && is_there) return Tell(EventAction::kUpdate, PreviousEvent::kNone, after, is);
    if (was_there) return Tell(EventAction::kDelete, PreviousEvent::kNone, before, was);
    // One of the archive that comes at this moment is told as such.
    if (is_there && (origin.inserted != nullptr || was >= 0)) fresh_.push_back(is);
    return true;
  }

  void AddLoaded(const History& before, const History& after, const UnitsRange& events,
                 int64_t arrived) {
    for (int64_t at = after.PositionAtOrAfter(events.begin);
         at < after.end() && after.TimeAt(at) < events.end; ++at) {
      const History::Origin origin = after.OriginAt(at);
      if (origin.inserted != nullptr || origin.index >= arrived || !after.Visible(at)) continue;
      if (Find(before, origin, after.TimeAt(at)) < 0) fresh_.push_back(at);
    }
  }

  // Where the newest event of all was an inserted one and is deleted, the one before it is the
  // snapshot again, whatever compression did to it.
  bool Uncovered(const History& before, const History& after) {
    const int64_t newest = after.end() - 1;
    if (newest < 0 || !after.Visible(newest)) return true;
    const History::Origin origin = after.OriginAt(newest);
    const int64_t was = Find(before, origin, after.TimeAt(newest));
    if (was < 0 || before.Visible(was) || before.IsDeleted(was)) return true;
    return Tell(EventAction::kAdd, PreviousEvent::kNone, after, newest);
  }

  // Tells the events that stand at `fresh_` since this moment, in the order of their times.
  bool Fresh(const History& after, int64_t arrived) {
    std::ranges::sort(fresh_);
    fresh_.erase(std::ranges::unique(fresh_).begin(), fresh_.end());
    if (fresh_.empty()) return true;
    auto [newest, is_sure] = NewestBut(after, arrived);
    for (const int64_t at : fresh_) {
      if (at < newest) {
        if (!Tell(EventAction::kInsert, PreviousEvent::kNone, after, at)) return false;
        continue;
      }
      const auto previous = is_sure ? FateOf(after, newest) : PreviousEvent::kNone;
      if (!Tell(EventAction::kAdd, previous, after, at)) return false;
      newest = at;
      is_sure = true;
    }
    return true;
  }

  struct Newest {
    int64_t position = -1;
    bool is_sure = true;  ///< false if one that was newer has been deleted
  };
  // Of those that are not fresh and have not just come.
  Newest NewestBut(const History& after, int64_t arrived) const {
    Newest newest;
    for (int64_t at = after.end() - 1; at >= 0; --at) {
      const History::Origin origin = after.OriginAt(at);
      if (origin.inserted == nullptr && origin.index >= arrived) continue;
      if (std::ranges::binary_search(fresh_, at)) continue;
      if (after.IsDeleted(at)) {
        newest.is_sure = false;
      } else if (newest.is_sure || after.Visible(at)) {
        newest.position = at;
        break;
      }
    }
    return newest;
  }

  const Plant& plant_;
  const Point& point_;
  const ChangeSink& sink_;
  std::vector<int64_t> fresh_;
  Change change_;
};

}  // namespace

bool TellChanges(const Plant& plant, const Point& point, Stretch stretch, bool tells_swaps,
                 const ChangeSink& sink) {
  if (stretch.until <= stretch.after) return true;
  Teller teller(plant, point, sink);
  std::vector<UtcTime> turns;
  if (point.fate != nullptr) turns = TurnsOf(*point.fate, stretch);
  turns.push_back(stretch.until + kTick);
  UtcTime after = stretch.after;
  for (const UtcTime turn : turns) {
    const UtcTime until = turn - kTick;
    const int64_t first = ArrivedBy(plant, point, after, until);
    const bool nothing_comes = first == ArrivedBy(plant, point, until, until);
    if (!nothing_comes && !teller.Arrivals(first, until)) return false;
    if (turn <= stretch.until && !teller.Deeds(turn, tells_swaps)) return false;
    after = until;  // what arrives at the turn itself comes behind its deeds
  }
  return true;
}

}  // namespace pilake::sim
