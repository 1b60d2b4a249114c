// SPDX-License-Identifier: Apache-2.0
#include "plan/budget.h"

#include <algorithm>
#include <cmath>

namespace pilake::plan {
namespace {

// A thread wakes a little late; without this much credit the rate would never be reached.
constexpr double kLatenessSeconds = 0.02;

}  // namespace

BudgetLimits Scaled(BudgetLimits limits, double scale) {
  limits.in_flight = std::max(1, static_cast<int>(std::floor(limits.in_flight * scale + 1e-9)));
  limits.calls_per_second *= scale;
  limits.series_reads_per_second *= scale;
  limits.events_per_second *= scale;
  return limits;
}

void Bucket::Leak(double rate, double seconds) {
  owed_ = rate <= 0 ? 0 : std::max(0.0, owed_ - rate * seconds);
}

void Bucket::Add(double amount) {
  owed_ = std::max(0.0, owed_ + amount);
}

double Bucket::SecondsUntilReady(double rate) const {
  return rate <= 0 ? 0 : std::max(0.0, owed_ / rate - kLatenessSeconds);
}

Budget::Budget(BudgetLimits limits, UtcTime now) : limits_(limits), leaked_until_(now) {}

void Budget::LeakUntil(UtcTime now) {
  const double seconds = std::max(0.0, (now - leaked_until_).seconds());
  leaked_until_ = std::max(leaked_until_, now);
  calls_.Leak(limits_.calls_per_second, seconds);
  series_reads_.Leak(limits_.series_reads_per_second, seconds);
  events_.Leak(limits_.events_per_second, seconds);
}

UtcTime Budget::ReadyAt(const Load& load, UtcTime now) {
  LeakUntil(now);
  const auto wait = [](double needed, const Bucket& bucket, double rate) {
    return needed > 0 ? bucket.SecondsUntilReady(rate) : 0;
  };
  const double seconds =
      std::max({wait(load.calls, calls_, limits_.calls_per_second),
                wait(load.series_reads, series_reads_, limits_.series_reads_per_second),
                wait(load.events, events_, limits_.events_per_second)});
  return now + Duration::Ticks(static_cast<int64_t>(std::ceil(seconds * 1e7)));
}

void Budget::Spend(const Load& load, UtcTime now) {
  LeakUntil(now);
  calls_.Add(load.calls);
  series_reads_.Add(load.series_reads);
  events_.Add(load.events);
}

void Budget::Settle(double estimated_events, double events) {
  events_.Add(events - estimated_events);
}

void Budget::SetLimits(BudgetLimits limits, UtcTime now) {
  LeakUntil(now);
  limits_ = limits;
}

}  // namespace pilake::plan
