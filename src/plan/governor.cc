// SPDX-License-Identifier: Apache-2.0
#include "plan/governor.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "plan/failure.h"

namespace pilake::plan {
namespace {

// A lane that asked and was put off is taken to be waiting for so long; it asks again much sooner.
constexpr Duration kStillWaiting = Duration::Seconds(1);
constexpr Duration kYield = Duration::Millis(20);
constexpr Duration kNoRoom = Duration::Millis(100);  // a call that comes home is noticed earlier

// Answers that take so many times as long as usual are a sign of trouble, or of its end.
constexpr double kTroubled = 1.75, kCalm = 1.4;
constexpr double kRatioMax = 3;  // one answer out of character proves little
constexpr int kRoundMin = 4;

constexpr int kOverloadsThatHold = 3;
constexpr Duration kHoldMax = Duration::Seconds(30);

// After a 429 the pace is near that rate again in so many seconds, and twice of it in as many more.
constexpr double kPaceSeconds = 30;
constexpr double kNear = 0.95;

Duration Doubled(Duration first, int times) {
  return std::min(kHoldMax, first * (1 << std::clamp(times, 0, 10)));
}

/// Where one of sizes 0, 1–3, 4–15, 16–63, … belongs.
size_t SizeOf(double amount, size_t sizes) {
  size_t size = 0;
  for (; amount >= 1 && size + 1 < sizes; amount /= 4) ++size;
  return size;
}

// What was used so long ago counts for a third (1/e).
constexpr double kLatelySeconds = 10;

/// The seconds for which a call uses up the tightest of the limits; 0 where there is none.
double SecondsOf(const Load& load, const BudgetLimits& limits) {
  const auto seconds = [](double amount, double rate) { return rate > 0 ? amount / rate : 0; };
  return std::max({seconds(load.calls, limits.calls_per_second),
                   seconds(load.series_reads, limits.series_reads_per_second),
                   seconds(load.events, limits.events_per_second)});
}

/// Requests a second that are gentle in any case.
double LeastPace(const BudgetLimits& limits) {
  constexpr double kUnlimited = 5;
  return limits.calls_per_second > 0 ? std::max(1.0, limits.calls_per_second / 10) : kUnlimited;
}

}  // namespace

double UsualTimes::Ratio(const Load& load, double events, Duration took, UtcTime now) {
  // Answers of one size still differ by up to four times; rough weights take care of that.
  const double work = 1 + load.series_reads * 0.1 + events * 0.001;
  const double seconds_per_work = std::max(1e-9, took.seconds() / work);
  Usual& usual = usual_[static_cast<size_t>(load.shape)][SizeOf(load.series_reads, kSizes)]
                       [SizeOf(events, kSizes)];
  constexpr int kFew = 5;
  if (usual.samples < kFew) {
    ++usual.samples;
    usual.seconds_per_work += (seconds_per_work - usual.seconds_per_work) / usual.samples;
    usual.at = now;
    return 1;
  }
  const double ratio = std::min(kRatioMax, seconds_per_work / usual.seconds_per_work);
  constexpr double kSlowerSeconds = 180, kQuickerSeconds = 30, kGapMax = 10;
  const double gap = std::clamp((now - usual.at).seconds(), 0.0, kGapMax);
  const double weight = 1 - std::exp(-gap / (ratio > 1 ? kSlowerSeconds : kQuickerSeconds));
  usual.seconds_per_work *= 1 + (ratio - 1) * weight;
  usual.at = now;
  return ratio;
}

void Pace::Cut(double requests_per_second, UtcTime resume) {
  met_at_ = requests_per_second;
  resume_ = resume;
}

std::optional<double> Pace::At(UtcTime now, const BudgetLimits& limits) const {
  if (met_at_ <= 0) return std::nullopt;
  const double x = std::max(-1.0, (now - resume_).seconds() / kPaceSeconds - 1);
  constexpr double kLongAgo = 3;
  if (x > kLongAgo) return std::nullopt;
  // Steep at first, flat where the limit was met, steep again beyond.
  const double pace =
      std::max(LeastPace(limits), met_at_ * (kNear + (kNear - 0.5) * std::pow(x, 5)));
  if (limits.calls_per_second > 0 && pace >= limits.calls_per_second) return std::nullopt;
  return pace;
}

Governor::Governor(BudgetLimits limits, UtcTime now)
    : budget_(limits, now),
      shrunk_at_(now),
      grown_at_(now),
      paced_until_(now),
      throttled_at_(now),
      used_at_(now) {}

std::optional<UtcTime> Governor::Start(Lane lane, const Load& load, UtcTime now) {
  if (IsPaused(lane)) {
    Withdraw(lane);
    return kNever;
  }
  const double cost = Cost(load);
  wanted_[Index(lane)] = Wanted{now, cost};
  if (held_until_ && now < *held_until_) return held_until_;
  held_until_.reset();
  if (MustYield(lane, cost, now)) return now + kYield;
  if (const UtcTime ready = budget_.ReadyAt(load, now); ready > now) return ready;
  const auto pace = pace_.At(now, budget_.limits());
  LeakPace(now);
  if (const double seconds = paced_.SecondsUntilReady(pace.value_or(0)); seconds > 0) {
    return now + Duration::Ticks(static_cast<int64_t>(std::ceil(seconds * 1e7)));
  }
  if (in_flight_ >= static_cast<int>(window_)) return now + kNoRoom;

  Withdraw(lane);
  ++in_flight_;
  budget_.Spend(load, now);
  paced_.Add(load.requests());
  recent_.emplace_back(now, load.requests());
  while (recent_.front().first <= now - Duration::Seconds(1)) recent_.pop_front();
  owed_[Index(lane)] = std::max(0.0, owed_[Index(lane)] - cost);
  for (size_t lower = Index(lane) + 1; lower < kLanes; ++lower) {
    if (IsWaiting(lower, now)) {
      owed_[lower] = std::min(wanted_[lower]->cost, owed_[lower] + cost / kLeastShare);
    }
  }
  const double left = StillCounts(now);
  used_.calls = used_.calls * left + load.calls;
  used_.series_reads = used_.series_reads * left + load.series_reads;
  used_.events = used_.events * left + load.events;
  used_at_ = now;
  return std::nullopt;
}

/// How much of what was used until lately counts as used lately.
double Governor::StillCounts(UtcTime now) const {
  return std::exp(-(now - used_at_).seconds() / kLatelySeconds);
}

bool Governor::IsPaused(Lane lane) const {
  return pause_ == Pause::kAll || (pause_ == Pause::kBackfill && lane == Lane::kBackfill);
}

bool Governor::IsWaiting(size_t lane, UtcTime now) const {
  return wanted_[lane] && now - wanted_[lane]->at < kStillWaiting;
}

/// To a more urgent lane that waits, unless this one is owed its share by now; and to a less urgent
/// one that is.
bool Governor::MustYield(Lane lane, double cost, UtcTime now) const {
  const auto is_owed = [&](size_t which, double wanted) { return owed_[which] >= wanted; };
  for (size_t lower = Index(lane) + 1; lower < kLanes; ++lower) {
    if (IsWaiting(lower, now) && is_owed(lower, wanted_[lower]->cost)) return true;
  }
  for (size_t higher = 0; higher < Index(lane); ++higher) {
    if (IsWaiting(higher, now) && !is_owed(Index(lane), cost)) return true;
  }
  return false;
}

/// In seconds of the budget; where there is none, of one that is usual.
double Governor::Cost(const Load& load) const {
  constexpr BudgetLimits kUsual;
  BudgetLimits limits = budget_.limits();
  if (limits.calls_per_second <= 0) limits.calls_per_second = kUsual.calls_per_second;
  if (limits.series_reads_per_second <= 0) {
    limits.series_reads_per_second = kUsual.series_reads_per_second;
  }
  if (limits.events_per_second <= 0) limits.events_per_second = kUsual.events_per_second;
  return SecondsOf(load, limits);
}

void Governor::LeakPace(UtcTime now) {
  const double seconds = std::max(0.0, (now - paced_until_).seconds());
  paced_.Leak(pace_.At(now, budget_.limits()).value_or(0), seconds);
  paced_until_ = std::max(paced_until_, now);
}

void Governor::Finish(const Load& load, const CallEnd& end, UtcTime now) {
  assert(in_flight_ > 0);
  --in_flight_;
  budget_.Settle(load.events, end.events);
  const UtcTime started = now - end.took;
  switch (end.sign) {
    case CallEnd::Sign::kGood:
      return TakeGood(load, end, now);
    case CallEnd::Sign::kBad:
      return;
    case CallEnd::Sign::kLate:
      if (started >= shrunk_at_) ShrinkWindow(0.5, now);
      return;
    case CallEnd::Sign::kOverloaded:
      TakeOverload(end, now);
      if (started >= shrunk_at_) ShrinkWindow(0.5, now);
      return;
    case CallEnd::Sign::kThrottled:
      return TakeThrottled(started, end, now);
  }
}

void Governor::TakeGood(const Load& load, const CallEnd& end, UtcTime now) {
  overloads_in_a_row_ = throttles_in_a_row_ = 0;
  const double ratio = usual_.Ratio(load, end.events, end.took, now);
  if (now - end.took < shrunk_at_) return;  // it tells of the time before
  ++round_answers_;
  round_ratios_ += ratio;
  if (round_answers_ >= std::max<int>(kRoundMin, static_cast<int>(window_))) EndRound(now);
}

void Governor::EndRound(UtcTime now) {
  const double ratio = round_ratios_ / round_answers_;
  round_answers_ = 0;
  round_ratios_ = 0;
  const double window_max = budget_.limits().in_flight;
  if (ratio > kTroubled) {
    ShrinkWindow(0.7, now);
  } else if (is_starting_) {
    window_ = std::min(window_max, window_ * 2);
    is_starting_ = window_ < window_max;
  } else if (ratio < kCalm && now - grown_at_ >= Duration::Seconds(1)) {
    window_ = std::min(window_max, window_ + 1);
    grown_at_ = now;
  }
}

void Governor::ShrinkWindow(double factor, UtcTime now) {
  window_ = std::max(1.0, window_ * factor);
  is_starting_ = false;
  shrunk_at_ = grown_at_ = now;
  round_answers_ = 0;
  round_ratios_ = 0;
}

void Governor::TakeOverload(const CallEnd& end, UtcTime now) {
  Duration pause = std::min(end.retry_after.value_or(Duration{}), kRetryAfterMax);
  if (++overloads_in_a_row_ >= kOverloadsThatHold) {
    pause =
        std::max(pause, Doubled(Duration::Millis(250), overloads_in_a_row_ - kOverloadsThatHold));
  }
  held_until_ = std::max(held_until_.value_or(now), now + pause);
}

void Governor::TakeThrottled(UtcTime started, const CallEnd& end, UtcTime now) {
  const bool was_sent_before_the_cut = started < throttled_at_;
  Duration pause = std::min(end.retry_after.value_or(Duration{}), kRetryAfterMax);
  if (!was_sent_before_the_cut) {
    pause = std::max(pause, Doubled(Duration::Seconds(1), throttles_in_a_row_++));
  }
  held_until_ = std::max(held_until_.value_or(now), now + pause);
  if (was_sent_before_the_cut) return;
  throttled_at_ = now;
  const double measured = std::max(MeasuredRequests(now), LeastPace(budget_.limits()));
  const auto pace = pace_.At(now, budget_.limits());
  LeakPace(now);
  pace_.Cut(pace ? std::min(*pace, measured) : measured, *held_until_);
}

double Governor::MeasuredRequests(UtcTime now) const {
  double requests = 0;
  for (const auto& [at, count] : recent_) {
    if (at > now - Duration::Seconds(1)) requests += count;
  }
  return requests;
}

void Governor::Allow(BudgetLimits limits, Pause pause, UtcTime now) {
  if (pause_ == Pause::kAll && pause != Pause::kAll) {
    // What was usual before may not be so now: feel the way again.
    window_ = 1;
    is_starting_ = true;
  }
  pause_ = pause;
  if (limits == budget_.limits()) return;
  LeakPace(now);
  budget_.SetLimits(limits, now);
  is_starting_ = is_starting_ || limits.in_flight > window_;
  window_ = std::min(window_, static_cast<double>(limits.in_flight));
}

Governor::State Governor::Describe(UtcTime now) const {
  State state{.in_flight = in_flight_,
              .in_flight_max = static_cast<int>(window_),
              .requests_per_second = pace_.At(now, budget_.limits()),
              .used = SecondsOf(used_, budget_.limits()) / kLatelySeconds * StillCounts(now),
              .held_until = std::nullopt,
              .pause = pause_};
  if (held_until_ && *held_until_ > now) state.held_until = held_until_;
  return state;
}

}  // namespace pilake::plan
