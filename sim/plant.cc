// SPDX-License-Identifier: Apache-2.0
// Plants: named sets of points on one simulated Data Archive, made from a seed.
#include "sim/plant.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/archive.h"
#include "sim/hash.h"
#include "sim/webid.h"

namespace pilake::sim {
namespace {

constexpr Units kSecond = kUnitsPerSecond, kMinute = 60 * kSecond, kHour = 60 * kMinute;

// Indices into Rhythms().
enum RhythmIndex : uint8_t { kEven, kPairs, kTriples, kSevens, kSprinkled, kStorm, kLongRun };

std::vector<Rhythm> Rhythms() {
  return {
      {1, {}},
      {1, {{0, 2, true}}},
      {1, {{0, 3, true}}},
      {1, {{0, 7, true}}},
      {40, {{13, 3, true}, {27, 7, true}}},
      {700, {{100, 1500, false}, {300, 3, true}, {301, 1200, false}}},
      {900, {{200, 1300, true}, {350, 7, true}}},
  };
}

// Indices into UnitNames().
enum UnitIndex : uint8_t {
  kNone,
  kCelsius,
  kBar,
  kFlow,
  kPercent,
  kKilowatt,
  kRpm,
  kQuoted,
  kMicro
};

std::vector<std::string> UnitNames() {
  return {"", "°C", "bar", "m3/h", "%", "kW", "1/min", "\"Hg", "µS/cm"};
}

std::vector<DigitalSet> DigitalSets() {
  return {
      {"System",
       0,
       {{0, "?"},
        {193, "Bad"},
        {211, "Access Denied"},
        {kScanOff, "Scan Off"},
        {239, "Over Range"},
        {240, "Under Range"},
        {kIoTimeout, "I/O Timeout"},
        {247, "Arc Off-line"},
        {kNoData, "No Data"},
        {kCalcFailed, "Calc Failed"},
        {250, "Bad Total"},
        {251, "No Result"},
        {kPtCreated, "Pt Created"},
        {kShutdown, "Shutdown"},
        {kBadInput, "Bad Input"},
        {311, "Intf Shut"},
        {313, "Filtered"}}},
      {"Modes", 1, {{0, "Manual"}, {1, "Auto"}, {2, "Cascade"}, {3, "Program"}, {4, "Computer"}}},
      {"OnOff", 2, {{0, "OFF"}, {1, "ON"}}},
      {"Ventil Überwachung",
       3,
       {{0, "zu \"fest\""}, {1, "geöffnet"}, {2, "läuft \\ hängt"}, {3, ""}}},
      {"BatchAct", 4, {{0, "Inactive"}, {1, "Active"}, {2, "Held, waiting"}}},
  };
}

// Another seed is another archive, so it has another GUID.
Guid MakeGuid(uint64_t seed) {
  Guid guid{};
  for (size_t i = 0; i < guid.size(); ++i) {
    guid[i] = static_cast<uint8_t>(Draw(seed ^ 0x67756964ULL, i / 8) >> i % 8 * 8);
  }
  return guid;
}

UtcTime FloorTo(UtcTime time, Duration step) {
  return {time.ticks - time.ticks % step.ticks};
}

}  // namespace

const DigitalState* DigitalSet::ByCode(int32_t code) const {
  const auto found = std::ranges::find(states, code, &DigitalState::code);
  return found == states.end() ? nullptr : &*found;
}

/// Lays out the points of one plant after another law.
class PlantBuilder {
 public:
  PlantBuilder(const PlantOptions& options, UtcTime from) : seed_(options.seed) {
    plant_.server_name_ = "PISRV";
    plant_.server_guid_ = MakeGuid(options.seed);
    plant_.from_ = from;
    plant_.rhythms_ = Rhythms();
    plant_.unit_names_ = UnitNames();
    plant_.digital_sets_ = DigitalSets();
  }

  void Demo(int64_t count);
  void Mixed(int64_t count);
  void Bench(int64_t count);
  void Wide(int64_t count);
  void Live(int64_t count);
  void Heavy(int64_t count);
  void Slow(int64_t count);

  Plant Finish() && {
    for (Point& point : plant_.points_) {
      point.process_zero = point.zero;
      point.process_span = point.span;
      point.creation_date = point.change_date = point.created;
    }
    std::ranges::sort(plant_.points_, {}, &Point::id);
    plant_.points_.shrink_to_fit();
    plant_.IndexNames();
    return std::move(plant_);
  }

 private:
  // A point with its identity; the rest is the caller's to set before the next.
  Point& Add(std::string name, int32_t id) {
    Point point;
    point.name = std::move(name);
    point.id = id;
    point.seed = Draw(seed_ ^ 0x706f696e74ULL, static_cast<uint64_t>(id));
    point.created = FirstAtOrAfter(plant_.from_);
    point.slot = kMinute;
    plant_.points_.push_back(std::move(point));
    return plant_.points_.back();
  }

  void MixedLattice(int64_t count);
  void MixedOddities();

  uint64_t seed_;
  Plant plant_;
};

void PlantBuilder::Bench(int64_t count) {
  for (int64_t n = 0; n < count; ++n) {
    Point& point = Add(fmt::format("BENCH.{:05}", n), static_cast<int32_t>(n + 1));
    point.slot = kSecond / 10;
    point.units = static_cast<uint8_t>(1 + n % 6);
    point.zero = static_cast<float>(n % 5 * 10);
    point.span = static_cast<float>(50 << n % 4);
    point.temper = Temper::kPlant;
  }
}

void PlantBuilder::Wide(int64_t count) {
  for (int64_t n = 0; n < count; ++n) {
    Point& point = Add(fmt::format("W{:07}.PV", n), static_cast<int32_t>(n + 1));
    const auto draw = Draw(seed_ ^ 0x77696465ULL, static_cast<uint64_t>(n));
    point.slot = (2 + Below(draw, 240)) * kMinute;
    point.units = static_cast<uint8_t>(1 + n % 6);
    point.temper = Temper::kPlant;
    if (n % 10 == 7) point.type = PointType::kInt32;
    if (n % 10 == 8) {
      point.type = PointType::kDigital;
      point.digital_set = static_cast<uint8_t>(1 + n / 10 % 2);
      point.step = true;
    }
    if (n % 10 == 9) point.events_max = 1;  // silent since it was made
  }
}

// One of ten points has an event every other second, the others one in a minute and a half.
void PlantBuilder::Live(int64_t count) {
  const int64_t hot = (count + 9) / 10;
  for (int64_t n = 0; n < count; ++n) {
    const bool is_hot = n < hot;
    Point& point = Add(fmt::format("{}.{:06}", is_hot ? "HOT" : "COLD", is_hot ? n : n - hot),
                       static_cast<int32_t>(n + 1));
    point.slot = is_hot ? 2 * kSecond : 90 * kSecond;
    point.units = static_cast<uint8_t>(1 + n % 6);
    point.temper = Temper::kPlant;
  }
}

// Three of ten points live, from an event every other second to one a day, as many in each octave;
// the others have never had an event, or only the first, or have fallen silent.
void PlantBuilder::Heavy(int64_t count) {
  for (int64_t n = 0; n < count; ++n) {
    Point& point = Add(fmt::format("H{:06}.PV", n), static_cast<int32_t>(n + 1));
    const auto draw = [&](uint64_t what, int64_t below) {
      return Below(Draw(seed_ ^ 0x6865617679ULL ^ what, static_cast<uint64_t>(n)), below);
    };
    constexpr Units kDensest = 2 * kSecond;
    const int64_t octave = draw(1, 15);
    point.slot = (kDensest << octave) + draw(2, kDensest << octave);
    point.units = static_cast<uint8_t>(1 + n % 6);
    point.temper = Temper::kPlant;
    point.dropped = static_cast<uint8_t>(draw(3, 3) * 50);
    if (draw(4, 20) == 0) point.rhythm = kSprinkled;
    const int64_t kind = draw(5, 10);
    if (kind == 0) point.type = PointType::kInt32;
    if (kind == 1) {
      point.type = PointType::kDigital;
      point.digital_set = static_cast<uint8_t>(1 + n % 2);
      point.step = true;
    }
    const int64_t life = draw(6, 100);
    if (life < 10) point.events_max = 0;
    if (life >= 10 && life < 55) point.events_max = 1;
    if (life >= 55 && life < 70) point.events_max = 2 + draw(7, 500);
  }
}

// An event every few hours to every few weeks.
void PlantBuilder::Slow(int64_t count) {
  for (int64_t n = 0; n < count; ++n) {
    Point& point = Add(fmt::format("S{:05}.LAB", n), static_cast<int32_t>(n + 1));
    const auto draw = Draw(seed_ ^ 0x736c6f77ULL, static_cast<uint64_t>(n));
    const Units shortest = 6 * kHour << n % 7;
    point.slot = shortest + Below(draw, shortest);
    point.units = static_cast<uint8_t>(1 + n % 6);
    point.temper = Temper::kPlant;
    if (n % 5 == 3) point.type = PointType::kString;
    if (n % 5 == 4) point.rhythm = kPairs;
    point.step = true;
  }
}

void PlantBuilder::Demo(int64_t count) {
  struct Kind {
    std::string_view loop, suffix;
    PointType type;
    UnitIndex units;
    float zero, span;
    Units slot;
  };
  // Five loops a unit; some 2.4 million events a day.
  static constexpr Kind kKinds[] = {
      {"FIC", "PV", PointType::kFloat32, kFlow, 0, 250, 3 * kSecond},
      {"TI", "PV", PointType::kFloat32, kCelsius, -20, 400, 8 * kSecond},
      {"PI", "PV", PointType::kFloat64, kBar, 0, 16, 4 * kSecond},
      {"EI", "PWR", PointType::kFloat32, kKilowatt, 0, 1200, 4 * kSecond},
      {"SI", "SPD", PointType::kInt32, kRpm, 0, 1, 6 * kSecond},
      {"XV", "MODE", PointType::kDigital, kNone, 0, 4, 5 * kMinute},
      {"FIC", "SP", PointType::kFloat32, kFlow, 0, 250, 10 * kMinute},
      {"BA", "STEP", PointType::kString, kNone, 0, 0, 15 * kMinute},
  };
  constexpr auto kKindCount = static_cast<int64_t>(std::size(kKinds));
  for (int64_t n = 0; n < count; ++n) {
    const Kind& kind = kKinds[n % kKindCount];
    const int64_t unit = 1 + n / kKindCount / 5, loop = 101 + n / kKindCount % 5 * 10;
    Point& point = Add(fmt::format("U{}.{}-{}.{}", unit, kind.loop, loop, kind.suffix),
                       static_cast<int32_t>(n + 101));
    point.type = kind.type;
    point.units = kind.units;
    point.zero = kind.zero;
    point.span = kind.span;
    point.slot = kind.slot;
    point.temper = Temper::kPlant;
    point.digital_set = kind.type == PointType::kDigital ? 1 : 0;
    point.step = kind.type == PointType::kDigital || kind.type == PointType::kString;
    point.dropped = kind.slot < kMinute ? 40 : 0;
    if (n % kKindCount == 0) point.rhythm = kSprinkled;
  }
}

void PlantBuilder::Mixed(int64_t count) {
  MixedOddities();
  MixedLattice(count);
}

// Every type with every rhythm and several densities.
void PlantBuilder::MixedLattice(int64_t count) {
  static constexpr PointType kTypes[] = {
      PointType::kFloat32, PointType::kFloat64, PointType::kInt32,     PointType::kDigital,
      PointType::kFloat16, PointType::kString,  PointType::kTimestamp, PointType::kInt16,
      PointType::kInt64,   PointType::kBlob};
  static constexpr uint8_t kRhythms[] = {kEven, kEven,      kSprinkled, kTriples,
                                         kEven, kSprinkled, kSevens};
  static constexpr Units kSlots[] = {2 * kMinute,  5 * kMinute,  kMinute,
                                     10 * kMinute, 20 * kMinute, 3 * kMinute};
  for (int64_t n = 0; static_cast<int64_t>(plant_.points_.size()) < count; ++n) {
    const PointType type = kTypes[n % std::ssize(kTypes)];
    const int64_t turn = n / std::ssize(kTypes);
    Point& point =
        Add(fmt::format("M.{}.{:03}", Name(type), turn), static_cast<int32_t>(2000 + 3 * n));
    point.type = type;
    point.rhythm = kRhythms[turn % std::ssize(kRhythms)];
    point.slot = kSlots[(n + turn) % std::ssize(kSlots)];
    if (point.rhythm == kTriples || point.rhythm == kSevens) point.slot *= 4;
    point.temper = Temper::kWild;
    point.units = static_cast<uint8_t>(type == PointType::kDigital ? 0 : (turn + n) % 9);
    point.zero = static_cast<float>(turn % 3 * 25 - 50);
    point.span = static_cast<float>(type == PointType::kInt32 ? 1000 : 10 << turn % 5);
    point.digital_set = static_cast<uint8_t>(type == PointType::kDigital ? 1 + turn % 4 : 0);
    point.dropped = static_cast<uint8_t>(turn % 4 * 60);
    point.step = type == PointType::kDigital || type == PointType::kString;
    if (turn % 9 == 5) point.created += 30 * kHour + n * kMinute;  // made in mid-history
    if (turn % 9 == 7) point.ahead = (2 + n % 8) * kMinute;        // its clock runs fast
    if (turn % 11 == 10) point.events_max = 1;                     // only `Pt Created`
  }
}

// The points that each stand for one thing.
void PlantBuilder::MixedOddities() {
  int32_t id = 500;
  const auto add = [&](std::string name, PointType type) -> Point& {
    Point& point = Add(std::move(name), id += 7);
    point.type = type;
    point.temper = Temper::kWild;
    point.units = kPercent;
    return point;
  };
  {  // more than a thousand events within one second, again and again
    Point& point = add("Dense.Storm", PointType::kFloat32);
    point.rhythm = kStorm;
    point.slot = 30 * kSecond;
  }
  {
    Point& point = add("Dense.Storm.Int", PointType::kInt32);
    point.rhythm = kStorm;
    point.slot = kMinute;
    point.dropped = 100;
  }
  {  // 1300 events at one exact time: more than the default page
    Point& point = add("Dense.LongRun", PointType::kFloat64);
    point.rhythm = kLongRun;
    point.slot = kMinute;
  }
  {
    Point& point = add("Dense.LongRun.Text", PointType::kString);
    point.rhythm = kLongRun;
    point.slot = 3 * kMinute;
  }
  {  // dense and even: windows far longer than a page
    Point& point = add("Dense.Fast", PointType::kFloat32);
    point.slot = 3 * kSecond;
    point.rhythm = kSprinkled;
    point.dropped = 80;
  }
  {
    Point& point = add("Dense.Pairs", PointType::kFloat32);
    point.slot = 10 * kSecond;
    point.rhythm = kPairs;
  }
  {
    Point& point = add("Dense.Triples", PointType::kInt16);
    point.slot = 15 * kSecond;
    point.rhythm = kTriples;
  }
  static constexpr std::string_view kNames[] = {
      "Tank 5 Level", "100% open", "A+B=C",           "R&D#7", "slash/in/name", "Größe Ä°",
      "温度.01",      "Насос-1",   "a,b (c) <d> ~e!", "🏭.1",  "UPPER.lower",   "colon:at@dollar$"};
  for (const std::string_view name : kNames) {
    Point& point = add(std::string(name), PointType::kFloat32);
    point.units = kQuoted;
    point.slot = 15 * kMinute;
  }
  add("No.Events", PointType::kFloat32).events_max = 0;
  add("No.Events.Digital", PointType::kDigital).events_max = 0;
  add("One.Event", PointType::kFloat32).events_max = 1;
  add("Two.Events", PointType::kInt32).events_max = 2;
  {  // its last event is long ago
    Point& point = add("Fell.Silent", PointType::kFloat32);
    point.events_max = 900;
  }
  {  // a forecast: events up to two days ahead
    Point& point = add("Forecast.Load", PointType::kFloat32);
    point.future = true;
    point.ahead = 48 * kHour;
    point.slot = 15 * kMinute;
  }
  {
    Point& point = add("Forecast.Step", PointType::kDigital);
    point.future = true;
    point.ahead = 12 * kHour;
    point.slot = 30 * kMinute;
    point.digital_set = 2;
    point.step = true;
  }
  {  // the most that an ordinary point may run ahead
    Point& point = add("Ahead.9min", PointType::kFloat64);
    point.ahead = 9 * kMinute + 59 * kSecond;
    point.slot = 20 * kSecond;
    point.dropped = 128;
  }
}

Result<Plant> Plant::Make(const PlantOptions& options, UtcTime now) {
  struct Law {
    std::string_view name;
    int64_t points;
    Duration floor, history;
    void (PlantBuilder::*build)(int64_t);
  };
  static constexpr Law kLaws[] = {
      {"demo", 200, Duration::Hours(1), Duration::Hours(24), &PlantBuilder::Demo},
      {"mixed", 340, Duration::Days(1), Duration::Days(3), &PlantBuilder::Mixed},
      {"bench", 200, Duration::Hours(1), Duration::Hours(3), &PlantBuilder::Bench},
      {"wide", 100'000, Duration::Days(1), Duration::Days(2), &PlantBuilder::Wide},
      {"live", 100'000, Duration::Minutes(1), Duration::Minutes(30), &PlantBuilder::Live},
      {"heavy", 2'000, Duration::Days(1), Duration::Days(2), &PlantBuilder::Heavy},
      {"slow", 200, Duration::Days(1), Duration::Days(90), &PlantBuilder::Slow},
  };
  const auto* law = std::ranges::find(kLaws, options.name, &Law::name);
  if (law == std::end(kLaws)) {
    return Fail(ErrorKind::kInvalid,
                "no plant is called '{}'; there are demo, mixed, bench, wide, live, heavy and slow",
                options.name);
  }
  const UtcTime from = options.from.value_or(FloorTo(now, law->floor) - law->history);
  if (from >= now) {
    return Fail(ErrorKind::kInvalid, "the plant's history would begin at {}, after now ({})",
                FormatUtcTime(from), FormatUtcTime(now));
  }
  constexpr int64_t kPointsMax = 10'000'000;
  if (options.points < 0 || options.points > kPointsMax) {
    return Fail(ErrorKind::kInvalid, "a plant has 1 to {} points, not {}", kPointsMax,
                options.points);
  }
  PlantBuilder builder(options, from);
  (builder.*law->build)(options.points == 0 ? law->points : options.points);
  return std::move(builder).Finish();
}

void Plant::IndexNames() {
  by_name_.clear();
  by_name_.reserve(points_.size());
  std::vector<std::string> folded(points_.size());
  for (uint32_t i = 0; i < points_.size(); ++i) {
    if (!points_[i].listed || points_[i].denied) continue;
    by_name_.push_back(i);
    folded[i] = UpperInvariant(points_[i].name);
  }
  std::ranges::sort(by_name_, {}, [&](uint32_t i) -> const std::string& { return folded[i]; });
}

const Point* Plant::PointById(int32_t id) const {
  const auto found = std::ranges::lower_bound(points_, id, {}, &Point::id);
  return found == points_.end() || found->id != id ? nullptr : &*found;
}

const Point* Plant::PointByName(std::string_view name) const {
  const std::string wanted = UpperInvariant(name);
  const auto found = std::ranges::lower_bound(
      by_name_, wanted, {}, [&](uint32_t i) { return UpperInvariant(points_[i].name); });
  if (found == by_name_.end() || UpperInvariant(points_[*found].name) != wanted) return nullptr;
  return &points_[*found];
}

std::string Plant::PointSource(const Point& point) const {
  const auto told = point_sources_.find(point.id);
  return told == point_sources_.end() ? "SIM" : told->second;
}

std::string Plant::Descriptor(const Point& point) const {
  if (const auto told = descriptors_.find(point.id); told != descriptors_.end())
    return told->second;
  switch (point.id % 5) {
    case 0:
      return "";
    case 1:
      return fmt::format("{} of point {}", unit_name(point).empty() ? "State" : "Value", point.id);
    case 2:
      return "says \"hello\" \\ and goes";
    case 3:
      return "Meßwert Nr. " + std::to_string(point.id);
    default:
      return "line 1\nline 2";
  }
}

}  // namespace pilake::sim
