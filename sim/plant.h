// SPDX-License-Identifier: Apache-2.0
// Plants: named sets of points on one simulated Data Archive, made from a seed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "core/time.h"

namespace pilake::sim {

struct PlantOptions {
  /// `demo`: a lively day of some 200 mixed points, more than two million events.
  /// `mixed`: every type, shape and oddity, on more than 300 points over three days.
  /// `bench`: dense Float32 points.
  /// `wide`: very many points with few events each.
  /// `live`: as many, a tenth of them with an event every other second.
  std::string name = "demo";
  int64_t points = 0;  ///< how many; 0: as many as that plant usually has
  uint64_t seed = 1;
  /// When history begins. By default some hours or days before the plant is made, so two processes
  /// see the same plant only if both are told.
  std::optional<UtcTime> from;
};

/// The Data Archive's own unit of time: 1/65536 s since 1970 (wire §5.7).
using Units = int64_t;
inline constexpr Units kUnitsPerSecond = 65536;

/// How events lie in time: slots of equal length, one event somewhere in each, but for special
/// slots that hold many. The pattern repeats after `slots`.
struct Rhythm {
  struct Special {
    int32_t slot;
    int32_t count;
    bool same_time;  ///< all at one instant, else spread over at most a second
  };
  int32_t slots = 1;
  std::vector<Special> specials;  ///< by slot
};

/// What values a point shows beside ordinary ones.
enum class Temper : uint8_t {
  kCalm,   ///< good values only
  kPlant,  ///< now and then a system state or a flag
  kWild,   ///< everything that the wire knows
};

struct Fate;

/// How a point cannot be read, be it listed or not.
enum class Trouble : uint8_t {
  kNone,
  kEmpty,  ///< it looks as if it had no events
  k404,    ///< the status for the point and its data
  k403,
  k410,
  k500,           ///< the status for its data, always
  kItem,          ///< within a set, its item holds `Errors`; alone it is a 500
  kWebException,  ///< a 200 with a WebException on the stream
  kSilent,        ///< a call that asks for its data is never answered
};

/// One point and the laws of its archive; the events follow from it (`archive.h`).
struct Point {
  std::string name;
  uint64_t seed = 0;
  Units created = 0;  ///< time of its first event, `Pt Created`
  Units slot = 0;     ///< length of a slot
  Units ahead = 0;    ///< its events come so much before their time
  int64_t events_max = INT64_MAX;
  Units creation_date = 0, change_date = 0;  ///< of the point itself, as its attributes say
  float zero = 0;
  float span = 100;
  float process_zero = 0;  ///< what its values move in: zero and span as the plant was made
  float process_span = 100;
  int32_t id = 0;  ///< the Data Archive's PointID
  PointType type = PointType::kFloat32;
  Temper temper = Temper::kCalm;
  uint8_t rhythm = 0;  ///< index into `Plant::rhythms`
  uint8_t units = 0;   ///< index into `Plant::unit_names`
  uint8_t digital_set = 0;
  uint8_t dropped = 0;  ///< of 256 ordinary events, so many fall to compression
  bool step = false;
  bool future = false;
  bool listed = true;   ///< false before it was made and after it was removed
  bool denied = false;  ///< not shown to those who ask
  Trouble trouble = Trouble::kNone;
  std::shared_ptr<const Fate> fate;     ///< what a script does to its events; null: nothing
  std::shared_ptr<const Point> before;  ///< events before `retyped` were stored by that; or null
  Units retyped = 0;
};

struct DigitalState {
  int32_t code;
  std::string name;
};

struct DigitalSet {
  std::string_view name;
  int32_t id;  ///< its number on the Data Archive
  std::vector<DigitalState> states;
  const DigitalState* ByCode(int32_t code) const;
};

using Guid = std::array<uint8_t, 16>;  ///< in .NET's order

class Plant {
 public:
  /// `kInvalid` for a name that no plant has, or a `from` that is not before `now`.
  static Result<Plant> Make(const PlantOptions& options, UtcTime now);

  const std::string& server_name() const { return server_name_; }
  const Guid& server_guid() const { return server_guid_; }
  UtcTime from() const { return from_; }

  /// In the order of their ids, those that are not listed included.
  const std::vector<Point>& points() const { return points_; }
  /// Positions in `points()` of those that are listed and shown, in the order of names.
  const std::vector<uint32_t>& by_name() const { return by_name_; }
  const Point* PointById(int32_t id) const;
  const Point* PointByName(std::string_view name) const;  ///< whatever its case, if it is listed

  const Rhythm& rhythm(const Point& point) const { return rhythms_[point.rhythm]; }
  std::string_view unit_name(const Point& point) const { return unit_names_[point.units]; }
  std::string Descriptor(const Point& point) const;
  std::string PointSource(const Point& point) const;
  std::string Path(const Point& point) const { return "\\\\" + server_name_ + "\\" + point.name; }

  const std::vector<DigitalSet>& digital_sets() const { return digital_sets_; }
  const DigitalSet& digital_set(const Point& point) const {
    return digital_sets_[point.digital_set];
  }
  /// The set `System`, whose states every point can hold (wire §6.3).
  const DigitalSet& system_set() const { return digital_sets_.front(); }

 private:
  friend class PlantBuilder;
  friend class Story;
  Plant() = default;
  void IndexNames();

  std::string server_name_;
  Guid server_guid_{};
  UtcTime from_;
  std::vector<Point> points_;
  std::vector<uint32_t> by_name_;
  std::vector<Rhythm> rhythms_;
  std::vector<std::string> unit_names_;
  std::map<int32_t, std::string> descriptors_, point_sources_;  ///< by id, where a script says so
  std::vector<DigitalSet> digital_sets_;
};

/// Codes of the system states that the archive itself speaks of.
inline constexpr int32_t kScanOff = 238, kIoTimeout = 246, kNoData = 248, kCalcFailed = 249,
                         kPtCreated = 253, kShutdown = 254, kBadInput = 255;

}  // namespace pilake::sim
