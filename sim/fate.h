// SPDX-License-Identifier: Apache-2.0
// Fate: what a script does to the events of one point, ready to be looked up at any time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/time.h"
#include "sim/archive.h"
#include "sim/plant.h"
#include "sim/script.h"

namespace pilake::sim {

/// Half-open, in the archive's own unit.
struct UnitsRange {
  Units begin = 0, end = 0;
};

/// A stretch of time through which something comes late: it stands still at `begin`, or runs
/// `behind`, until `end`; then it catches up within `drain`.
struct Lag {
  TimeRange when;
  std::optional<Duration> behind;
  Duration drain;

  /// How far it has come at `now`. Never backwards as `now` grows.
  UtcTime At(UtcTime now) const;
};
/// The furthest behind of several; `now` if there are none.
UtcTime Furthest(const std::vector<Lag>& lags, UtcTime now);

/// Events of the archive that are not there at some times.
struct Gap {
  UnitsRange events;
  TimeRange when;
  bool ends_by_loading = false;  ///< someone writes them then, out of order
};

/// From `from` on, something is drawn from another seed.
struct Reseeding {
  UtcTime from;
  uint64_t seed = 0;
  UnitsRange events;  ///< whose values; of another archive: all
};

/// One thing that is done to one event.
struct Deed {
  enum class Kind : uint8_t {
    kDraw,      ///< it shows what the point's laws draw from `seed` and `draw`
    kOrdinary,  ///< the same, and nothing odd
    kShow,      ///< it shows `shown`
    kDelete,
  };
  TimeRange when;  ///< by the plant's clock
  Kind kind = Kind::kShow;
  bool substituted = false;
  bool passing = false;  ///< a failure to read: nothing that the archive holds
  uint64_t seed = 0;
  int64_t draw = 0;
  Event shown;
};

/// Of the deeds done to one event, in the order of their times, the last in force decides.
struct Touched {
  int64_t index = 0;  ///< of an event of the archive; or before which an inserted one stands
  std::vector<Deed> deeds;
};
struct Inserted : Touched {
  Units time = 0;
};

class History;

struct Fate {
  std::vector<Lag> arrivals;        ///< of events at the server
  std::vector<Lag> queue;           ///< of archived events in the archive
  std::vector<Reseeding> archives;  ///< other archives in its place, one after the other
  std::vector<Reseeding> values;    ///< the same events with other values
  std::vector<Gap> hidden;          ///< events that it holds and does not show, the newest excepted
  std::vector<Gap> gone;            ///< events that the archive does not hold
  std::vector<UnitsRange> loose;    ///< events that came out of order: compression never saw them
  std::vector<Touched> touched;     ///< by index
  std::vector<Inserted> inserted;   ///< by time; of one time, in the order in which they came
};

/// What the archive of `point` is made from, as of `now`.
uint64_t SeedAt(const Point& point, UtcTime now);

/// Puts together the fate of one point, scene by scene.
class FateBuilder {
 public:
  /// Both have to outlive the builder.
  FateBuilder(const Plant& plant, const Point& point);

  /// What the scene does to this point, all of it.
  void Add(const Scene& scene);
  /// One event of a scene with a `count`: number `n` of its draws.
  void AddDrawn(const Scene& scene, int64_t n);
  /// Of the events that such a scene can choose from, about how many are here.
  int64_t RoomFor(const Scene& scene) const;

  /// Null if nothing happens to the point. `kInvalid` names the line that asks for an event that
  /// is not there.
  Result<std::shared_ptr<const Fate>> Build() &&;

 private:
  // A scene's work on one event, done at its time.
  struct Task {
    const Scene* scene;
    UtcTime at;
    int64_t draw;  ///< -1: the scene names its event
  };
  Status Do(const Task& task);
  Status Insert(const Task& task);
  void Restore(const Task& task);
  void Exchange(const Task& task);
  void EndDeeds(UtcTime after, UtcTime at, bool passing_too);
  Status Change(const Task& task);
  Status ChangeDrawn(const Task& task, const History& history);
  Status ChangeNamed(const Task& task, const History& history);
  Status ChangeEvents(const Task& task, const History& history,
                      const std::vector<int64_t>& positions);
  void MakeDiffer(const History& history, int64_t position, Deed& deed) const;
  Result<Deed> DeedFor(const Task& task, int64_t index) const;
  Result<Event> Written(const Scene& scene) const;
  uint64_t SeedOf(const Task& task) const;

  const Plant& plant_;
  Point point_;  ///< with the fate so far
  std::shared_ptr<Fate> fate_ = std::make_shared<Fate>();
  std::vector<Task> tasks_;
  bool is_empty_ = true;
};

}  // namespace pilake::sim
