// SPDX-License-Identifier: Apache-2.0
// The load that the historian's owner allows, and when the next call fits into it.
#pragma once

#include <cstdint>

#include "core/time.h"

namespace pilake::plan {

/// What the server feels, per second. A rate of zero is no limit.
struct BudgetLimits {
  int in_flight = 4;
  double calls_per_second = 25;
  double series_reads_per_second = 1'000;
  double events_per_second = 50'000;

  bool operator==(const BudgetLimits&) const = default;
};

/// A part of the budget, or a multiple; at least one call in flight. What has no limit keeps none.
BudgetLimits Scaled(BudgetLimits limits, double scale);

/// Ways of asking that cost the server alike, event by event.
enum class Shape : uint8_t { kOther, kValues, kSingle, kSet, kBatch };
inline constexpr size_t kShapes = 5;

/// One call's share of the budget.
struct Load {
  double calls = 0;
  double series_reads = 0;
  double events = 0;
  Shape shape = Shape::kOther;

  /// What a rate limit may count: each part of a batch is a request of its own (wire §1.8).
  double requests() const { return shape == Shape::kBatch ? series_reads : calls; }
};

/// What was asked for under one rate and has not run out yet. One thread.
class Bucket {
 public:
  /// What `rate` a second lets run out in `seconds`; a rate of zero: all.
  void Leak(double rate, double seconds);
  void Add(double amount);
  /// Until all has run out, but for what a caller that wakes late may catch up.
  double SecondsUntilReady(double rate) const;

 private:
  double owed_ = 0;
};

/// A bucket for each limit: the next call that needs some of it starts when what was asked for has
/// run out at the allowed rate. So in any span the starts keep within each limit, but for the one
/// call that was let in last, however large; nothing is saved up for a burst, and no call waits for
/// ever. What reads nothing of the archive does not wait for those that do. One thread.
class Budget {
 public:
  Budget(BudgetLimits limits, UtcTime now);

  /// The earliest time, not before `now`, at which a call of that load may start.
  UtcTime ReadyAt(const Load& load, UtcTime now);

  /// The call starts at `now`; what it will bring is an estimate until `Settle`.
  void Spend(const Load& load, UtcTime now);

  /// The call brought `events` instead of the estimate.
  void Settle(double estimated_events, double events);

  /// Other limits from `now` on; what is owed stays owed.
  void SetLimits(BudgetLimits limits, UtcTime now);

  const BudgetLimits& limits() const { return limits_; }

 private:
  void LeakUntil(UtcTime now);

  BudgetLimits limits_;
  UtcTime leaked_until_;
  Bucket calls_, series_reads_, events_;
};

}  // namespace pilake::plan
