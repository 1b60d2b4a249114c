// SPDX-License-Identifier: Apache-2.0
// The throttle: the one governor of a process, with the operator's hand on it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/time.h"
#include "pipeline/progress.h"
#include "plan/budget.h"
#include "plan/calendar.h"
#include "plan/governor.h"

namespace pilake::pipeline {

struct ThrottleOptions {
  std::vector<plan::CalendarEntry> calendar;
  Duration calendar_zone;  ///< the calendar's local time is UTC plus this
  /// While this file exists no new call begins; if it holds the word `backfill`, none of a backfill
  /// does. Empty: there is none.
  std::string pause_file;
  const Clock* clock = &SystemClock();  ///< for the calendar; outlives the throttle
  /// Told once, in words for the log, when a long wait begins and when a pause ends; on the thread
  /// that asks for a turn.
  std::function<void(const std::string& sentence)> say;
};

class Throttle;

/// A call that was let in. It counts until it is finished; one that is dropped was called off.
class Turn {
 public:
  Turn(std::shared_ptr<Throttle> throttle, plan::Load load)
      : throttle_(std::move(throttle)), load_(load) {}
  ~Turn() { Finish({.sign = plan::CallEnd::Sign::kBad, .events = load_.events}); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// Once; later ones count for nothing.
  void Finish(const plan::CallEnd& end);

 private:
  std::shared_ptr<Throttle> throttle_;
  plan::Load load_;
};

/// Safe for use from many threads: all sources of a process share one, so that the budget is kept
/// by all lanes together.
class Throttle : public std::enable_shared_from_this<Throttle> {
 public:
  Throttle(plan::BudgetLimits budget, ThrottleOptions options);

  /// A turn for a call of that load at once, or none.
  struct Reply {
    std::shared_ptr<Turn> turn;
    /// Without a turn: when (of `SteadyNow`) to ask again at the latest; earlier if a call of one's
    /// own came home.
    UtcTime ask_again;
  };
  Reply Ask(plan::Lane lane, const plan::Load& load);

  /// The lane has nothing more to ask for at present.
  void Withdraw(plan::Lane lane);

  /// Whether nothing may start because the operator or the calendar says so.
  bool is_paused() const;

  /// Calls in flight that the budget allows at the calendar's most generous hour.
  int in_flight_max() const { return in_flight_max_; }

  /// Writes down how things stand.
  void Show(Progress& progress) const;

 private:
  friend class Turn;

  void Finish(const plan::Load& load, const plan::CallEnd& end);
  void Look(UtcTime now);
  plan::Pause PauseOfFile() const;
  void SayPause(plan::Pause pause, bool is_of_file) const;
  void SayHeld(UtcTime now);

  const plan::BudgetLimits budget_;
  const ThrottleOptions options_;
  const int in_flight_max_;

  mutable std::mutex mutex_;
  plan::Governor governor_;  // this and all below guarded by mutex_
  std::optional<UtcTime> looked_at_;
  plan::Pause pause_ = plan::Pause::kNone;
  UtcTime said_held_until_;
};

}  // namespace pilake::pipeline
