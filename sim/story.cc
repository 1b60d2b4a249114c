// SPDX-License-Identifier: Apache-2.0
// The story: a plant and what a script does to it, at any time.
//
//   scenes ─► points that come later ─► which tags each scene is about
//     about events: a fate for each point
//     about points and the server: applied in order, when asked
#include "sim/story.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "sim/fate.h"
#include "sim/hash.h"
#include "sim/text.h"

namespace pilake::sim {
namespace {

constexpr uint64_t kPick = 0x7069636bULL, kWho = 0x77686fULL, kGuid = 0x67756964ULL;

bool IsAboutEvents(const Scene& scene) {
  return scene.verb < Verb::kUnreadable || scene.verb == Verb::kAdd;
}

bool IsAboutTags(const Scene& scene) {
  return scene.verb < Verb::kRelabel;
}

bool ChangesWhatThereIs(const Scene& scene) {
  return scene.verb >= Verb::kUnreadable && scene.verb <= Verb::kServer;
}

// The time by which all that the scene does is done.
UtcTime EndOf(const Scene& scene) {
  UtcTime end = scene.when.end < kEndOfTime ? scene.when.end + scene.over : scene.when.begin;
  if (scene.when.begin == kBeginningOfTime) end = std::max(end, scene.events.begin);
  end = std::max({end, scene.again.value_or(end), scene.history.value_or(end)});
  return end + scene.spread;
}

bool CanBecome(PointType from, PointType to) {
  const auto keeps_text = [](PointType type) {
    return type == PointType::kString || type == PointType::kTimestamp || type == PointType::kBlob;
  };
  return !keeps_text(from) && from != to;
}

using Builders = std::map<uint32_t, FateBuilder>;

FateBuilder& BuilderOf(const Plant& plant, uint32_t tag, Builders& builders) {
  return builders.try_emplace(tag, plant, plant.points()[tag]).first->second;
}

// Tags with more events to choose from are chosen more often, up to a point.
Status AddCount(const Plant& plant, const Scene& scene, const std::vector<uint32_t>& tags,
                Builders& builders) {
  std::vector<int64_t> room;  // running sums
  int64_t sum = 0;
  for (const uint32_t tag : tags)
    room.push_back(sum += FateBuilder(plant, plant.points()[tag]).RoomFor(scene));
  if (sum == 0)
    return Fail(ErrorKind::kInvalid, "line {}: there are no such events of '{}'", scene.line,
                scene.tags);
  for (int64_t n = 0; n < scene.count; ++n) {
    const int64_t at = Below(Draw(scene.seed ^ kWho, static_cast<uint64_t>(n)), sum);
    const auto chosen = std::ranges::upper_bound(room, at) - room.begin();
    BuilderOf(plant, tags[static_cast<size_t>(chosen)], builders).AddDrawn(scene, n);
  }
  return {};
}

}  // namespace

// The last few that were asked for: what is asked jumps about little.
struct Story::Views {
  std::mutex mutex;
  std::deque<std::pair<size_t, std::shared_ptr<const Plant>>> plants;  // guarded by mutex
};

Story::Story(Plant plant)
    : plant_(std::make_shared<Plant>(std::move(plant))), views_(std::make_shared<Views>()) {}

Result<Story> Story::Make(Plant plant, const Script& script) {
  Story story(std::move(plant));
  const auto originals = story.plant_->points().size();
  for (uint32_t i = 0; i < originals; ++i) story.origins_.push_back(i);
  for (const Scene& scene : script) {
    if (scene.verb == Verb::kRecreate) story.AddNewcomers(scene);
  }
  Builders builders;
  for (const Scene& scene : script) {
    RETURN_IF_ERROR(story.Include(scene));
    if (!IsAboutEvents(scene)) continue;
    const std::vector<uint32_t> tags = story.TagsOf(scene);
    if (scene.count > 0) {
      RETURN_IF_ERROR(AddCount(*story.plant_, scene, tags, builders));
    } else {
      for (const uint32_t tag : tags) BuilderOf(*story.plant_, tag, builders).Add(scene);
    }
  }
  for (auto& [tag, builder] : builders) {
    ASSIGN_OR_RETURN(story.plant_->points_[tag].fate, std::move(builder).Build());
  }
  std::ranges::sort(story.turns_);
  return story;
}

// In the order of ids. A point that is made again plays where the first one would.
std::vector<uint32_t> Story::TagsOf(const Scene& scene) const {
  std::vector<uint32_t> tags;
  for (uint32_t i = 0; i < origins_.size() && origins_[i] == i; ++i) {
    if (MatchesName(scene.tags, plant_->points()[i].name)) tags.push_back(i);
  }
  if (scene.pick > 0 && scene.pick < std::ssize(tags)) {
    std::ranges::sort(tags, {}, [&](uint32_t i) { return Draw(scene.seed ^ kPick, i); });
    tags.resize(static_cast<size_t>(scene.pick));
    std::ranges::sort(tags);
  }
  const size_t first = tags.size();
  for (uint32_t i = 0; i < origins_.size(); ++i) {
    const auto end = tags.begin() + static_cast<ptrdiff_t>(first);
    if (origins_[i] != i && std::binary_search(tags.begin(), end, origins_[i])) tags.push_back(i);
  }
  return tags;
}

Status Story::Include(const Scene& scene) {
  end_ = std::max(end_, EndOf(scene));
  if (scene.verb == Verb::kFault)
    faults_.push_back({scene.fault, scene.rate, scene.when, scene.first_call, scene.last_call});
  if (scene.verb == Verb::kFailover) failovers_.push_back(scene);
  if (scene.verb == Verb::kClock) clocks_.push_back(scene);
  if (scene.verb == Verb::kRestart) restarts_.push_back(scene);
  std::vector<uint32_t> tags;
  if (IsAboutTags(scene)) tags = TagsOf(scene);
  if (IsAboutTags(scene) && tags.empty())
    return Fail(ErrorKind::kInvalid, "line {}: no tag is called '{}'", scene.line, scene.tags);
  if (!ChangesWhatThereIs(scene)) return {};
  RETURN_IF_ERROR(Check(scene, tags));
  changes_.push_back({scene, std::move(tags)});
  for (const UtcTime turn : {scene.when.begin, scene.when.end, scene.again.value_or(kEndOfTime)})
    turns_.push_back(turn);
  return {};
}

Status Story::Check(const Scene& scene, const std::vector<uint32_t>& tags) const {
  const auto has_set = [&](const std::string& name) {
    return std::ranges::find(plant_->digital_sets(), name, &DigitalSet::name) !=
           plant_->digital_sets().end();
  };
  if (scene.verb == Verb::kRename && tags.size() != 1)
    return Fail(ErrorKind::kInvalid, "line {}: only one tag at a time can have that name",
                scene.line);
  if (scene.verb == Verb::kRetype) {
    for (const uint32_t tag : tags) {
      const Point& point = plant_->points()[tag];
      if (!CanBecome(point.type, scene.type))
        return Fail(ErrorKind::kInvalid, "line {}: {} is of type {} and cannot become {}",
                    scene.line, point.name, Name(point.type), Name(scene.type));
    }
    if (scene.set && !has_set(*scene.set))
      return Fail(ErrorKind::kInvalid, "line {}: no set is called '{}'", scene.line, *scene.set);
  }
  if (scene.verb == Verb::kRelabel) {
    const auto set = std::ranges::find(plant_->digital_sets(), scene.tags, &DigitalSet::name);
    if (set == plant_->digital_sets().end() ||
        set->ByCode(static_cast<int32_t>(scene.code)) == nullptr)
      return Fail(ErrorKind::kInvalid, "line {}: no set '{}' has a state {}", scene.line,
                  scene.tags, scene.code);
  }
  return {};
}

// Points that are made again are other points: with ids of their own, behind all others.
void Story::AddNewcomers(const Scene& scene) {
  for (const uint32_t tag : TagsOf(scene)) {
    if (origins_[tag] != tag) continue;
    Point point = plant_->points_[tag];
    point.id = plant_->points_.back().id + 1;
    point.seed = Mix(point.seed ^ static_cast<uint64_t>(point.id));
    point.created = FirstAtOrAfter(scene.again.value_or(scene.when.begin));
    point.creation_date = point.change_date = point.created;
    point.listed = false;
    plant_->points_.push_back(std::move(point));
    origins_.push_back(tag);
  }
  plant_->IndexNames();
}

UtcTime Story::DataTimeAt(UtcTime now, Member member) const {
  UtcTime data = now;
  for (const Scene& scene : failovers_) {
    if (!scene.when.contains(now) || (scene.split && member == Member::kFirst)) continue;
    data = std::min(data, (scene.frozen ? scene.when.begin : now) - *scene.lag);
  }
  return data;
}

// In order; those that do not concern the member are left out.
std::vector<UtcTime> Story::FailoversIn(Stretch stretch, Member member) const {
  std::vector<UtcTime> turns;
  for (const Scene& scene : failovers_) {
    if (scene.split && member == Member::kFirst) continue;
    for (const UtcTime turn : {scene.when.begin, scene.when.end}) {
      if (stretch.after < turn && turn <= stretch.until) turns.push_back(turn);
    }
  }
  std::ranges::sort(turns);
  return turns;
}

bool Story::FailsOverIn(Stretch stretch, Member member) const {
  return !FailoversIn(stretch, member).empty();
}

std::vector<Stretch> Story::DataStretches(Stretch stretch, Member member) const {
  std::vector<Stretch> stretches;
  UtcTime after = stretch.after;
  std::vector<UtcTime> turns = FailoversIn(stretch, member);
  turns.push_back(stretch.until + Duration::Ticks(1));
  for (const UtcTime turn : turns) {
    const UtcTime until = turn - Duration::Ticks(1);
    if (after < until) stretches.push_back({DataTimeAt(after, member), DataTimeAt(until, member)});
    after = turn;
  }
  return stretches;
}

bool Story::RestartsIn(Stretch stretch) const {
  return std::ranges::any_of(restarts_, [&](const Scene& scene) {
    return stretch.after < scene.when.begin && scene.when.begin <= stretch.until;
  });
}

bool Story::IsDownAt(UtcTime now) const {
  return std::ranges::any_of(restarts_, [&](const Scene& scene) {
    return scene.when.begin <= now && now < scene.when.begin + scene.over;
  });
}

bool Story::IsSplitAt(UtcTime now) const {
  return std::ranges::any_of(
      failovers_, [&](const Scene& scene) { return scene.split && scene.when.contains(now); });
}

UtcTime Story::ClockAt(std::string_view whose, UtcTime now) const {
  UtcTime shown = now;
  for (const Scene& scene : clocks_) {
    if (scene.tags == whose && scene.when.contains(now)) shown = shown + scene.off;
  }
  return shown;
}

std::shared_ptr<const Plant> Story::PlantAt(UtcTime now) const {
  if (changes_.empty()) return plant_;
  const auto turn = static_cast<size_t>(std::ranges::upper_bound(turns_, now) - turns_.begin());
  const std::scoped_lock lock(views_->mutex);
  for (const auto& [at, plant] : views_->plants) {
    if (at == turn) return plant;
  }
  auto plant = std::make_shared<Plant>(*plant_);
  for (const Cast& change : changes_) Change(*plant, change, now);
  plant->IndexNames();
  constexpr size_t kKept = 4;
  if (views_->plants.size() == kKept) views_->plants.pop_back();
  views_->plants.emplace_front(turn, plant);
  return plant;
}

void Story::Change(Plant& plant, const Cast& change, UtcTime now) {
  const Scene& scene = change.scene;
  for (const uint32_t tag : change.tags) ChangePoint(plant, plant.points_[tag], scene, now);
  if (!scene.when.contains(now)) return;
  if (scene.verb == Verb::kServer && scene.name) plant.server_name_ = *scene.name;
  if (scene.verb == Verb::kServer && scene.moved) {
    for (size_t i = 0; i < plant.server_guid_.size(); ++i)
      plant.server_guid_[i] ^= static_cast<uint8_t>(Draw(scene.seed ^ kGuid, i));
  }
  if (scene.verb == Verb::kRelabel) {
    auto set = std::ranges::find(plant.digital_sets_, scene.tags, &DigitalSet::name);
    std::ranges::find(set->states, static_cast<int32_t>(scene.code), &DigitalState::code)->name =
        *scene.name;
  }
}

void Story::ChangePoint(Plant& plant, Point& point, const Scene& scene, UtcTime now) {
  const bool begun = scene.when.begin <= now, in_force = scene.when.contains(now);
  const Units begin = FirstAtOrAfter(scene.when.begin);
  switch (scene.verb) {
    case Verb::kUnreadable:
      if (in_force) point.trouble = scene.trouble;
      return;
    case Verb::kDeny:
      if (!in_force) return;
      point.trouble = scene.trouble;
      point.denied = scene.trouble != Trouble::kEmpty;
      return;
    case Verb::kAdd:
      point.listed &= begun;
      point.creation_date = point.change_date = begin;
      return;
    case Verb::kRemove:
      if (!begun) return;
      point.listed = false;
      point.trouble = scene.trouble;
      return;
    case Verb::kRecreate: {
      const bool is_new = point.created == FirstAtOrAfter(scene.again.value_or(scene.when.begin));
      if (is_new) point.listed = now >= scene.again.value_or(scene.when.begin);
      if (!is_new && begun) point.listed = false;
      return;
    }
    default:
      break;
  }
  if (!in_force) return;
  point.change_date = begin;
  if (scene.verb == Verb::kRename) point.name = *scene.name;
  if (scene.verb == Verb::kRetype) Retype(plant, point, scene);
  if (scene.verb == Verb::kSet) SetAttributes(plant, point, scene);
}

// What it stored so far stays as it was stored.
void Story::Retype(Plant& plant, Point& point, const Scene& scene) {
  point.before = std::make_shared<const Point>(point);
  point.retyped = FirstAtOrAfter(scene.when.begin);
  point.type = scene.type;
  if (scene.set) {
    const auto set = std::ranges::find(plant.digital_sets_, *scene.set, &DigitalSet::name);
    point.digital_set = static_cast<uint8_t>(set - plant.digital_sets_.begin());
  }
}

void Story::SetAttributes(Plant& plant, Point& point, const Scene& scene) {
  point.zero = scene.zero.value_or(point.zero);
  point.span = scene.span.value_or(point.span);
  if (scene.descriptor) plant.descriptors_[point.id] = *scene.descriptor;
  if (scene.source) plant.point_sources_[point.id] = *scene.source;
  if (!scene.units) return;
  auto known = std::ranges::find(plant.unit_names_, *scene.units);
  if (known == plant.unit_names_.end()) known = plant.unit_names_.insert(known, *scene.units);
  point.units = static_cast<uint8_t>(known - plant.unit_names_.begin());
}

}  // namespace pilake::sim
