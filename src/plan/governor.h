// SPDX-License-Identifier: Apache-2.0
// The governor: which call may start when, within the budget and below it when the server suffers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "core/time.h"
#include "plan/budget.h"
#include "plan/calendar.h"

namespace pilake::plan {

/// What calls are for, the most urgent first. A lane gets what those before it leave, and in any
/// case one part in `kLeastShare` of what they take, so that it never starves.
enum class Lane : uint8_t { kLive, kIncrement, kLook, kBackfill };
inline constexpr size_t kLanes = 4;
inline constexpr double kLeastShare = 20;

/// How a call came home.
struct CallEnd {
  enum class Sign : uint8_t {
    kGood,        ///< an answer; `took` tells how the server is
    kBad,         ///< a failure that tells nothing about load, or a call that was called off
    kLate,        ///< no answer in time, which was a long wait already
    kOverloaded,  ///< no connection, 503
    kThrottled,   ///< 429: the limit is per address, others behind ours are hurt too
  };
  Sign sign = Sign::kGood;
  double events = 0;
  Duration took{};  ///< from the request being sent to the end of its answer
  std::optional<Duration> retry_after{};
};

/// What the server's answers of one kind usually take, so that a large page is no sign of trouble.
/// Learns within seconds that the server is quicker than thought, and within minutes that it is
/// slower for good.
class UsualTimes {
 public:
  /// How many times as long as usual an answer took; 1 while nothing is usual yet.
  double Ratio(const Load& load, double events, Duration took, UtcTime now);

 private:
  struct Usual {
    int samples = 0;
    double seconds_per_work = 0;
    UtcTime at;
  };
  static constexpr size_t kSizes = 12;  // each four times the one before
  std::array<std::array<std::array<Usual, kSizes>, kSizes>, kShapes> usual_{};
};

/// Requests a second after the server said "too many" (429): half of what was asked then, soon near
/// it again, slowly past it, and then quickly on, until the budget is what counts (as TCP CUBIC
/// does it). So a limit is met seldom, and one that was lifted is used within minutes.
class Pace {
 public:
  /// The server said "too many" of `requests_per_second`; nothing starts before `resume`.
  void Cut(double requests_per_second, UtcTime resume);
  /// What may start in a second; nothing: no limit but the budget's.
  std::optional<double> At(UtcTime now, const BudgetLimits& limits) const;

 private:
  double met_at_ = 0;
  UtcTime resume_;
};

/// One for all that a process asks of a server. It has no clock and no thread: time is passed in.
///
/// Below the budget it moves by three signs. The number of calls in flight begins at one, doubles
/// up to the budget, shrinks while answers take much longer than usual or not come, and grows by
/// one a second when they are as usual again. 429 halves the requests a second. `Retry-After`, 429
/// and a server that fails several times in a row hold all calls.
class Governor {
 public:
  Governor(BudgetLimits limits, UtcTime now);

  static constexpr UtcTime kNever{std::numeric_limits<int64_t>::max()};

  /// Starts a call at `now` and returns nothing, or says when to ask again at the latest; earlier
  /// if a call came home. `kNever`: paused.
  std::optional<UtcTime> Start(Lane lane, const Load& load, UtcTime now);

  /// The lane has nothing more to ask for at present.
  void Withdraw(Lane lane) { wanted_[Index(lane)].reset(); }

  /// A call that was started with `load` came home.
  void Finish(const Load& load, const CallEnd& end, UtcTime now);

  /// What calendar and operator allow from `now` on.
  void Allow(BudgetLimits limits, Pause pause, UtcTime now);

  /// For people.
  struct State {
    int in_flight = 0;
    int in_flight_max = 0;                      ///< at present; the budget's or fewer
    std::optional<double> requests_per_second;  ///< at present, if fewer than the budget's
    double used = 0;  ///< of the tightest of the budget's rates, lately; 1 is all of it
    std::optional<UtcTime> held_until;  ///< no call starts before
    Pause pause = Pause::kNone;
  };
  State Describe(UtcTime now) const;

 private:
  struct Wanted {
    UtcTime at;
    double cost = 0;
  };

  static size_t Index(Lane lane) { return static_cast<size_t>(lane); }
  bool IsPaused(Lane lane) const;
  bool MustYield(Lane lane, double cost, UtcTime now) const;
  bool IsWaiting(size_t lane, UtcTime now) const;
  double Cost(const Load& load) const;
  double StillCounts(UtcTime now) const;
  void LeakPace(UtcTime now);
  void TakeGood(const Load& load, const CallEnd& end, UtcTime now);
  void TakeOverload(const CallEnd& end, UtcTime now);
  void TakeThrottled(UtcTime started, const CallEnd& end, UtcTime now);
  void EndRound(UtcTime now);
  void ShrinkWindow(double factor, UtcTime now);
  double MeasuredRequests(UtcTime now) const;

  Budget budget_;
  Pause pause_ = Pause::kNone;
  int in_flight_ = 0;

  // Calls in flight.
  double window_ = 1;
  bool is_starting_ = true;  // the window doubles
  UtcTime shrunk_at_, grown_at_;
  UsualTimes usual_;
  int round_answers_ = 0;
  double round_ratios_ = 0;

  // Requests a second.
  Pace pace_;
  Bucket paced_;
  UtcTime paced_until_;
  std::deque<std::pair<UtcTime, double>> recent_;  // requests of the last second

  // Holding all.
  std::optional<UtcTime> held_until_;
  UtcTime throttled_at_;
  int overloads_in_a_row_ = 0, throttles_in_a_row_ = 0;

  // Lanes.
  std::array<std::optional<Wanted>, kLanes> wanted_{};
  std::array<double, kLanes> owed_{};

  Load used_;  // lately
  UtcTime used_at_;
};

}  // namespace pilake::plan
