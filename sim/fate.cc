// SPDX-License-Identifier: Apache-2.0
// Fate: what a script does to the events of one point, ready to be looked up at any time.
//
// Which event a line means is settled here once: the tasks are done in the order of their times,
// each on the history as those before have left it.
#include "sim/fate.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "sim/hash.h"
#include "sim/history.h"
#include "sim/value.h"

namespace pilake::sim {
namespace {

constexpr uint64_t kWhere = 0x7768657265ULL, kNew = 0x6e6577ULL;
constexpr Duration kTick = Duration::Ticks(1);

// As the archive is, whatever hides it.
constexpr Lens kUnveiled = {.veiled = false};

constexpr TimeRange kForEver{kBeginningOfTime, kEndOfTime};
constexpr UnitsRange kAlways{INT64_MIN, INT64_MAX};

UnitsRange UnitsOf(const TimeRange& range) {
  return {FirstAtOrAfter(range.begin), FirstAtOrAfter(range.end)};
}

uint64_t LineOf(const Scene& scene) {
  return static_cast<uint64_t>(scene.line) << 32;
}

int64_t FirstVisible(const History& history, Units from) {
  int64_t position = history.PositionAtOrAfter(from);
  while (position < history.end() && !history.Visible(position)) ++position;
  return position;
}

bool SameValue(const Event& a, const Event& b) {
  return a.form == b.form && a.number == b.number && a.integer == b.integer && a.text == b.text;
}

Event StateEvent(const DigitalState& state, bool system) {
  Event event;
  event.form = Form::kState;
  event.integer = state.code;
  event.text = state.name;
  event.system = system;
  event.good = !system;
  return event;
}

template <typename Number>
bool ReadAll(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

uint64_t SeedAt(const Point& point, UtcTime now) {
  uint64_t seed = point.seed;
  if (point.fate == nullptr) return seed;
  for (const Reseeding& archive : point.fate->archives) {
    if (archive.from <= now) seed = archive.seed;
  }
  return seed;
}

UtcTime Lag::At(UtcTime now) const {
  // What comes at the very beginning does not come any more.
  const UtcTime stop = when.begin - kTick;
  const auto standing = [&](UtcTime at) { return behind ? std::max(stop, at - *behind) : stop; };
  if (now < when.begin) return now;
  if (now < when.end) return standing(now);
  if (now >= when.end + drain) return now;
  const UtcTime from = standing(when.end - kTick);
  const double share = (now - when.end).seconds() / drain.seconds();
  const double way = static_cast<double>((when.end + drain - from).ticks);
  return from + Duration::Ticks(static_cast<int64_t>(share * way));
}

UtcTime Furthest(const std::vector<Lag>& lags, UtcTime now) {
  UtcTime furthest = now;
  for (const Lag& lag : lags) furthest = std::min(furthest, lag.At(now));
  return furthest;
}

FateBuilder::FateBuilder(const Plant& plant, const Point& point) : plant_(plant), point_(point) {
  point_.fate = fate_;
}

void FateBuilder::Add(const Scene& scene) {
  is_empty_ = false;
  switch (scene.verb) {
    case Verb::kInsert: {
      const bool in_time = scene.when.begin == kBeginningOfTime;
      for (int64_t i = 0; i < scene.times; ++i)
        tasks_.push_back({&scene, in_time ? scene.events.begin : scene.when.begin, -1});
      return;
    }
    case Verb::kEdit:
    case Verb::kDelete:
    case Verb::kError:
      tasks_.push_back({&scene, scene.when.begin, -1});
      return;
    case Verb::kOutage: {
      const UnitsRange lost = {FirstAtOrAfter(scene.when.begin) + point_.ahead,
                               FirstAtOrAfter(scene.when.end) + point_.ahead};
      if (scene.buffered)
        fate_->arrivals.push_back({scene.when, std::nullopt, scene.over});
      else
        fate_->gone.push_back({lost, kForEver});
      if (scene.value.kind != WrittenValue::Kind::kNone)
        tasks_.push_back({&scene, scene.when.begin, -1});
      return;
    }
    case Verb::kQueue:
      fate_->queue.push_back({scene.when, scene.lag, scene.over});
      return;
    case Verb::kLoad: {
      const UnitsRange events = UnitsOf(scene.events);
      fate_->gone.push_back({events, {kBeginningOfTime, scene.when.begin}, true});
      fate_->loose.push_back(events);
      return;
    }
    case Verb::kAdd: {
      const UnitsRange events = {kAlways.begin, FirstAtOrAfter(scene.when.begin)};
      fate_->gone.push_back({events, {kBeginningOfTime, scene.history.value_or(kEndOfTime)}, true});
      if (scene.history) {  // it was created later than the plant makes it
        fate_->loose.push_back(events);
        fate_->gone.push_back({{point_.created, point_.created + 1}, kForEver});
      }
      tasks_.push_back({&scene, scene.when.begin, -1});
      return;
    }
    case Verb::kUnmount:
      fate_->hidden.push_back({UnitsOf(scene.events), scene.when});
      return;
    case Verb::kAlter:
      fate_->values.push_back(
          {scene.when.begin, Mix(scene.seed ^ LineOf(scene) ^ point_.seed), UnitsOf(scene.events)});
      return;
    case Verb::kRestore:
    case Verb::kExchange:
      tasks_.push_back({&scene, scene.when.begin, -1});
      return;
    default:
      return;  // not about events
  }
}

void FateBuilder::AddDrawn(const Scene& scene, int64_t n) {
  is_empty_ = false;
  const auto share = static_cast<double>(Draw(scene.seed ^ kWhere, static_cast<uint64_t>(n)) >> 11);
  const auto late = static_cast<int64_t>(share * 0x1p-53 * static_cast<double>(scene.spread.ticks));
  tasks_.push_back({&scene, scene.when.begin + Duration::Ticks(late), n});
}

int64_t FateBuilder::RoomFor(const Scene& scene) const {
  constexpr int64_t kEnough = 64;
  const History history(plant_, point_, scene.when.begin, kUnveiled);
  const int64_t end = history.PositionAtOrAfter(FirstAtOrAfter(scene.events.end));
  int64_t room = 0;
  for (int64_t at = history.PositionAtOrAfter(FirstAtOrAfter(scene.events.begin));
       at < end && room < kEnough; ++at) {
    room += history.Visible(at) ? 1 : 0;
  }
  return room;
}

Result<std::shared_ptr<const Fate>> FateBuilder::Build() && {
  std::ranges::stable_sort(tasks_, {}, &Task::at);
  for (const Task& task : tasks_) {
    if (auto done = Do(task); !done) {
      return Fail(ErrorKind::kInvalid, "line {}: {} {}", task.scene->line, point_.name,
                  done.error().message);
    }
  }
  if (is_empty_) return std::shared_ptr<const Fate>();
  return std::shared_ptr<const Fate>(std::move(fate_));
}

Status FateBuilder::Do(const Task& task) {
  switch (task.scene->verb) {
    case Verb::kInsert:
    case Verb::kOutage:
    case Verb::kAdd:
      return Insert(task);
    case Verb::kRestore:
      Restore(task);
      return {};
    case Verb::kExchange:
      Exchange(task);
      return {};
    default:
      return Change(task);
  }
}

// What came or was done since the backup is gone.
void FateBuilder::Restore(const Task& task) {
  const UtcTime backup = task.scene->backup;
  const auto first_after = [&](UtcTime time) {
    return FirstAtOrAfter(Furthest(fate_->arrivals, time) + kTick) + point_.ahead;
  };
  const UnitsRange lost = {first_after(backup), first_after(task.at - kTick)};
  const TimeRange from_now_on = {task.at, kEndOfTime};
  fate_->gone.push_back({lost, from_now_on});
  const std::vector<Gap> gaps = fate_->gone;
  for (const Gap& gap : gaps) {
    const bool loaded_since = gap.when.end > backup && gap.when.end <= task.at;
    if (gap.ends_by_loading && loaded_since) fate_->gone.push_back({gap.events, from_now_on});
  }
  EndDeeds(backup, task.at, false);
}

void FateBuilder::Exchange(const Task& task) {
  fate_->archives.push_back({task.at, SeedOf(task), kAlways});
  EndDeeds(kBeginningOfTime, task.at, true);
}

// Those that were begun after `after` and before `at`.
void FateBuilder::EndDeeds(UtcTime after, UtcTime at, bool passing_too) {
  const auto end = [&](Touched& touched) {
    for (Deed& deed : touched.deeds) {
      const bool concerned = deed.when.begin > after && deed.when.begin < at;
      if (concerned && (passing_too || !deed.passing)) deed.when.end = std::min(deed.when.end, at);
    }
  };
  std::ranges::for_each(fate_->touched, end);
  std::ranges::for_each(fate_->inserted, end);
}

uint64_t FateBuilder::SeedOf(const Task& task) const {
  return Mix(point_.seed ^ Mix(task.scene->seed ^ LineOf(*task.scene)) ^
             static_cast<uint64_t>(task.draw));
}

Status FateBuilder::Insert(const Task& task) {
  const Scene& scene = *task.scene;
  Inserted event;
  if (scene.verb != Verb::kInsert) {
    event.time = FirstAtOrAfter(scene.when.begin);
  } else if (task.draw < 0) {
    event.time = FirstAtOrAfter(scene.events.begin);
  } else {
    const Units begin = FirstAtOrAfter(scene.events.begin), end = FirstAtOrAfter(scene.events.end);
    const double share = static_cast<double>(Draw(SeedOf(task), 0) >> 11) * 0x1p-53;
    event.time = begin + static_cast<Units>(share * static_cast<double>(end - begin));
  }
  event.index =
      Archive(plant_, point_, task.at, SeedAt(point_, task.at)).IndexAtOrAfter(event.time + 1);
  ASSIGN_OR_RETURN(Deed deed, DeedFor(task, event.index));
  event.deeds.push_back(std::move(deed));
  const auto at = std::ranges::upper_bound(fate_->inserted, event.time, {}, &Inserted::time);
  fate_->inserted.insert(at, std::move(event));
  return {};
}

Status FateBuilder::Change(const Task& task) {
  const History history(plant_, point_, task.at, kUnveiled);
  return task.draw < 0 ? ChangeNamed(task, history) : ChangeDrawn(task, history);
}

// An event of the archive that no line has touched, at or after a random time.
Status FateBuilder::ChangeDrawn(const Task& task, const History& history) {
  constexpr uint64_t kTries = 200;
  const Scene& scene = *task.scene;
  const Units begin = FirstAtOrAfter(scene.events.begin), end = FirstAtOrAfter(scene.events.end);
  for (uint64_t n = 0; n < kTries; ++n) {
    const double share = static_cast<double>(Draw(SeedOf(task), n) >> 11) * 0x1p-53;
    const Units time = begin + static_cast<Units>(share * static_cast<double>(end - begin));
    const int64_t position = FirstVisible(history, time);
    if (position == history.end() || history.TimeAt(position) >= end) continue;
    const int64_t index = history.OriginAt(position).index;
    const bool touched = std::ranges::binary_search(fate_->touched, index, {}, &Touched::index);
    if (index < 0 || touched) continue;
    return ChangeEvents(task, history, {position});
  }
  return Fail(ErrorKind::kInvalid,
              "has too few events left there; take more tags or a longer time");
}

Status FateBuilder::ChangeNamed(const Task& task, const History& history) {
  const Scene& scene = *task.scene;
  const int64_t first = scene.snapshot ? history.NewestPosition()
                                       : FirstVisible(history, FirstAtOrAfter(scene.events.begin));
  if (first < 0 || first == history.end())
    return Fail(ErrorKind::kInvalid, "has no such event at {}", FormatUtcTime(task.at));
  const Units time = history.TimeAt(first);
  std::vector<int64_t> positions;
  for (int64_t at = first; at < history.end() && history.TimeAt(at) == time; ++at) {
    if (history.Visible(at)) positions.push_back(at);
  }
  if (scene.verb != Verb::kDelete || scene.nth) {
    const int64_t nth = scene.nth.value_or(0);
    if (nth >= std::ssize(positions))
      return Fail(ErrorKind::kInvalid, "has only {} events at {}", positions.size(),
                  FormatUtcTime(Rendered(time)));
    positions = {positions[static_cast<size_t>(nth)]};
  }
  return ChangeEvents(task, history, positions);
}

// What `history` says is read before the fate is written, on which it looks.
Status FateBuilder::ChangeEvents(const Task& task, const History& history,
                                 const std::vector<int64_t>& positions) {
  std::vector<std::pair<History::Origin, Deed>> deeds;
  for (const int64_t position : positions) {
    const History::Origin origin = history.OriginAt(position);
    ASSIGN_OR_RETURN(Deed deed, DeedFor(task, origin.inserted != nullptr ? origin.inserted->index
                                                                         : origin.index));
    if (deed.kind == Deed::Kind::kOrdinary) MakeDiffer(history, position, deed);
    deeds.emplace_back(origin, std::move(deed));
  }
  for (auto& [origin, deed] : deeds) {
    if (origin.inserted != nullptr) {
      const auto at = origin.inserted - fate_->inserted.data();
      fate_->inserted[static_cast<size_t>(at)].deeds.push_back(std::move(deed));
      continue;
    }
    auto at = std::ranges::lower_bound(fate_->touched, origin.index, {}, &Touched::index);
    if (at == fate_->touched.end() || at->index != origin.index)
      at = fate_->touched.insert(at, {origin.index, {}});
    at->deeds.push_back(std::move(deed));
  }
  return {};
}

// An edit that changes nothing would be none.
void FateBuilder::MakeDiffer(const History& history, int64_t position, Deed& deed) const {
  Event before, after;
  history.Read(position, before);
  for (int tries = 0; tries < 50; ++tries) {
    MakeOrdinaryValue(plant_, point_, deed.seed, deed.draw, after);
    if (!SameValue(before, after)) return;
    deed.seed = Mix(deed.seed);
  }
}

Result<Deed> FateBuilder::DeedFor(const Task& task, int64_t index) const {
  const Scene& scene = *task.scene;
  Deed deed;
  deed.when = {task.at, kEndOfTime};
  deed.seed = SeedOf(task) ^ kNew;
  deed.draw = std::max<int64_t>(1, index);
  switch (scene.verb) {
    case Verb::kDelete:
      deed.kind = Deed::Kind::kDelete;
      return deed;
    case Verb::kError:
      deed.when.end = scene.when.end;
      deed.passing = true;
      deed.shown.form = Form::kErrorMember;
      deed.shown.good = false;
      deed.shown.text = "[-11059] No good data available for the event";
      return deed;
    case Verb::kAdd:
      deed.shown = StateEvent(*plant_.system_set().ByCode(kPtCreated), true);
      return deed;
    case Verb::kEdit:
      deed.substituted = !scene.unmarked;
      deed.kind = Deed::Kind::kOrdinary;
      break;
    default:
      deed.kind = Deed::Kind::kDraw;
      break;
  }
  if (scene.value.kind != WrittenValue::Kind::kNone) {
    deed.kind = Deed::Kind::kShow;
    ASSIGN_OR_RETURN(deed.shown, Written(scene));
  }
  return deed;
}

Result<Event> FateBuilder::Written(const Scene& scene) const {
  const std::string& text = scene.value.text;
  Event event;
  if (scene.value.kind == WrittenValue::Kind::kState) {
    if (point_.type == PointType::kDigital) {
      for (const DigitalState& state : plant_.digital_set(point_).states) {
        if (state.name == text) return StateEvent(state, false);
      }
    }
    for (const DigitalState& state : plant_.system_set().states) {
      if (state.name == text) return StateEvent(state, true);
    }
    return Fail(ErrorKind::kInvalid, "knows no state '{}'", text);
  }
  switch (point_.type) {
    case PointType::kFloat16:
    case PointType::kFloat32:
      event.form = Form::kSingle;
      if (float number = 0; ReadAll(text, number)) {
        event.number = static_cast<double>(number);
        return event;
      }
      break;
    case PointType::kFloat64:
      event.form = Form::kDouble;
      if (ReadAll(text, event.number)) return event;
      break;
    case PointType::kInt16:
    case PointType::kInt32:
    case PointType::kInt64:
      event.form = Form::kInteger;
      if (ReadAll(text, event.integer)) return event;
      break;
    case PointType::kString:
    case PointType::kTimestamp:
    case PointType::kBlob:
      event.form = Form::kText;
      event.text = text;
      return event;
    case PointType::kDigital:
    case PointType::kUnknown:
      break;
  }
  return Fail(ErrorKind::kInvalid, "is of type {} and cannot show '{}'", Name(point_.type), text);
}

}  // namespace pilake::sim
