// SPDX-License-Identifier: Apache-2.0
// The poller: asks what is new, by Stream Updates or by current values, where no channel tells it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/time.h"
#include "pipeline/channels.h"
#include "pipeline/follow.h"
#include "pipeline/hearer.h"
#include "pipeline/live_tail.h"
#include "pipeline/roster.h"
#include "pipeline/stream_state.h"
#include "pipeline/throttle.h"

namespace pilake::pipeline {

/// Asks bundle after bundle, each again after a while: the hot ones soonest, the others spread over
/// that time. A bundle is asked by Stream Updates; series that cannot be registered, and all if the
/// server knows no such thing, by their current values.
///
/// A marker that is lost is asked for anew. What was told in between is not asked for here: it
/// comes with the archive. An answer that did not come is asked for again by the same marker.
///
/// Also keeps the roster: whom the passes have resolved is followed from here on, by the channels
/// as well.
///
/// For one thread at a time, but for `ChangeTags`.
class Poller {
 public:
  /// All of them outlive this; `channels` may be none.
  Poller(const FollowOptions& options, LiveTail& live, Hearer& hearer, Channels* channels,
         const Clock& clock, StreamState& state)
      : options_(options),
        live_(live),
        hearer_(hearer),
        channels_(channels),
        clock_(clock),
        state_(state),
        tags_(options.pull.tags),
        random_(std::random_device{}()) {}

  /// Asks until it is stopped. Failures are told and tried again.
  void Loop(const std::stop_token& stop);

  /// What is wished of the series from now on. From any thread.
  void ChangeTags(std::vector<TagSelection> tags);

 private:
  /// How a bundle is heard of here.
  struct Ear {
    const Bundle* bundle = nullptr;  ///< of `roster_`
    UtcTime due;
    bool by_updates = false;  ///< at least one of its series, at present
  };

  void TakeSeries();
  void TakeRoster(std::shared_ptr<const Roster> roster);
  bool HasChannel(uint64_t id) const;
  void Forget(const Ear& ear);
  Duration RestAfter(int64_t calls, UtcTime began) const;
  double AllowedCalls() const;
  size_t RoundMax() const;
  std::vector<Ear*> TakeDue(UtcTime now);
  Duration WishedPauseOf(const Ear& ear) const;
  Duration PauseOf(const Ear& ear) const;
  Status Ask(const std::vector<Ear*>& ears, const std::stop_token& stop);
  Status TryUpdates(const std::vector<Ear*>& ears);
  Status Register(const std::vector<Ear*>& ears);
  Status AskUpdates(const std::vector<Ear*>& ears);
  void SendUpdates(uint64_t id, const std::vector<uint32_t>& which,
                   std::vector<std::string> markers);
  Status Sweep(const std::vector<Ear*>& ears);
  bool MayRegister(uint32_t i) const;
  void Tell(const Status& status, const std::stop_token& stop);
  void Count();
  void Stretch(double hot_calls, double other_calls);
  const Series& SeriesAt(uint32_t i) const { return (*roster_->series)[i]; }

  const FollowOptions& options_;
  LiveTail& live_;
  Hearer& hearer_;
  Channels* const channels_;
  const Clock& clock_;
  StreamState& state_;

  std::mutex mutex_;
  std::vector<TagSelection> tags_;  // guarded by mutex_
  bool tags_changed_ = false;       // guarded by mutex_

  // Of the asking thread.
  std::unique_ptr<Source> source_;
  std::shared_ptr<const Roster> roster_ = std::make_shared<const Roster>();
  std::map<uint64_t, Ear> ears_;                          // by bundle
  std::unordered_map<std::string, std::string> markers_;  // by WebID
  std::unordered_map<std::string, UtcTime> deaf_;  // by WebID: not to be registered until then
  bool knows_updates_ = false;
  UtcTime updates_again_;                 // until then the server is not asked for updates
  UtcTime again_;                         // after a round that failed
  int failures_ = 0;                      // in a row
  double hot_stretch_ = 1, stretch_ = 1;  // of the pauses, so that the budget holds them
  UtcTime sweep_again_;                   // a sweep leaves as much time to the others as it took
  std::minstd_rand random_;
};

}  // namespace pilake::pipeline
