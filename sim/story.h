// SPDX-License-Identifier: Apache-2.0
// The story: a plant and what a script does to it, at any time.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "sim/changes.h"
#include "sim/faults.h"
#include "sim/plant.h"
#include "sim/script.h"

namespace pilake::sim {

/// Which member of a collective answers, where a script has two of them behind one address.
enum class Member : uint8_t { kFirst, kLagging };

/// A pure function of plant, script and time: nothing is stored, going back in time works. Any
/// thread may ask.
class Story {
 public:
  /// Nothing happens to `plant`.
  explicit Story(Plant plant);
  /// `kInvalid` names the line that asks for a tag or an event that is not there.
  static Result<Story> Make(Plant plant, const Script& script);

  /// Whoever is ever in the story, as the plant was made; points that come later are not listed.
  const Plant& plant() const { return *plant_; }
  /// The points and their properties as of `now`.
  std::shared_ptr<const Plant> PlantAt(UtcTime now) const;
  /// As of when `member` knows the events, at `now`.
  UtcTime DataTimeAt(UtcTime now, Member member) const;
  /// What `member` comes to know of in `stretch`, in the archive's own time: it leaps back, or
  /// ahead, where another member of the collective takes over.
  std::vector<Stretch> DataStretches(Stretch stretch, Member member) const;
  bool FailsOverIn(Stretch stretch, Member member) const;
  /// Are there two members behind the address at `now`?
  bool IsSplitAt(UtcTime now) const;
  /// Does the web host lose its memory in `stretch`? Is it away at `now`?
  bool RestartsIn(Stretch stretch) const;
  bool IsDownAt(UtcTime now) const;
  /// What the clock of the web host, and that of the Data Archive, shows at `now`.
  UtcTime HostTimeAt(UtcTime now) const { return ClockAt("host", now); }
  UtcTime ArchiveTimeAt(UtcTime now) const { return ClockAt("archive", now); }

  /// The faults of the script, beside those of the command line.
  const std::vector<FaultRule>& faults() const { return faults_; }
  /// When the last line has taken effect and everything has drained.
  UtcTime end() const { return end_; }

 private:
  struct Views;
  // A scene, and the positions in `points()` of the tags that it is about.
  struct Cast {
    Scene scene;
    std::vector<uint32_t> tags;
  };
  void AddNewcomers(const Scene& scene);
  std::vector<uint32_t> TagsOf(const Scene& scene) const;
  Status Include(const Scene& scene);
  UtcTime ClockAt(std::string_view whose, UtcTime now) const;
  Status Check(const Scene& scene, const std::vector<uint32_t>& tags) const;
  static void Change(Plant& plant, const Cast& change, UtcTime now);
  static void ChangePoint(Plant& plant, Point& point, const Scene& scene, UtcTime now);
  static void Retype(Plant& plant, Point& point, const Scene& scene);
  static void SetAttributes(Plant& plant, Point& point, const Scene& scene);

  std::shared_ptr<Plant> plant_;
  std::vector<uint32_t> origins_;  ///< by position in `points()`: whom it follows, or itself
  std::vector<Cast> changes_;      ///< the scenes that change what there is
  std::vector<UtcTime> turns_;     ///< when one of those begins or ends, in order
  std::vector<UtcTime> FailoversIn(Stretch stretch, Member member) const;

  std::vector<Scene> failovers_, clocks_, restarts_;
  std::vector<FaultRule> faults_;
  UtcTime end_{INT64_MIN};
  std::shared_ptr<Views> views_;
};

}  // namespace pilake::sim
