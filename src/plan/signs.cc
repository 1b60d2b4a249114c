// SPDX-License-Identifier: Apache-2.0
#include "plan/signs.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace pilake::plan {
namespace {

constexpr Duration kSilenceMin = Duration::Hours(1);

// Neighbouring errors, or outages, become one look, unless so many rows stand between them that two
// reads of a few rows are less work for the server than one that brings them all.
constexpr Duration kNeighbours = Duration::Hours(1);
constexpr int64_t kNeighbourRows = 20;

// Forecasts, and what a point server makes of itself, go on while all of the plant is silent: so
// much of what is expected still counts as nothing.
constexpr double kTrickle = 0.02;

// Buffered data is back within so long after data is good again; later nobody waits for it.
constexpr Duration kOutageLooks = Duration::Hours(25);

}  // namespace

bool IsOutageState(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kStates{
      "I/O Timeout", "Shutdown",     "Intf Shut",    "Comm Fail",  "Not Connect",
      "Scan Off",    "Scan Timeout", "Arc Off-line", "Arc Offline"};
  return std::ranges::find(kStates, name) != kStates.end();
}

void Signs::Stretches::Add(TimeRange range, int64_t begins_in, int64_t ends_in) {
  const bool is_near = !ranges.empty() && range.begin - ranges.back().end < kNeighbours &&
                       begins_in - last_row <= kNeighbourRows;
  if (is_near) {
    ranges.back().end = range.end;
  } else {
    ranges.push_back(range);
  }
  last_row = ends_in;
}

void Signs::Take(const Events& events, size_t first, size_t last) {
  for (size_t row = first; row < last; ++row, ++rows_) {
    const UtcTime time = events.time(row);
    if (previous_) TakeGap({*previous_, time});
    previous_ = time;
    const ValueKind kind = events.kind[row];
    const bool is_system = kind == ValueKind::kSystem;
    const TimeRange instant{time, time + Duration::Ticks(1)};
    if (kind == ValueKind::kError) errors_.Add(instant, rows_, rows_);
    if (is_system && events.text_at(row) == "Pt Created") created_ = time;
    if (is_system && IsOutageState(events.text_at(row))) {
      if (!outage_) {
        outage_ = time;
        outage_row_ = rows_;
      }
    } else if (outage_ && events.flags[row].Value(Flags::kGood)) {
      outages_.Add({*outage_, instant.end}, outage_row_, rows_);
      outage_.reset();
    }
  }
}

void Signs::TakeGap(TimeRange gap) {
  if (gap.length() > longest_gap_.length()) {
    second_gap_ = longest_gap_.length();
    longest_gap_ = gap;
  } else {
    second_gap_ = std::max(second_gap_, gap.length());
  }
}

std::vector<Look> Signs::Looks(UtcTime now) const {
  std::vector<Look> looks;
  for (const TimeRange& outage : outages_.ranges) {
    if (now - outage.end >= kOutageLooks) continue;
    Look look = FirstLook(LookReason::kOutage, outage, outage.end);
    if (look.due <= now) look = *NextLook(look, outage.end, false);
    AddLook(looks, look);
  }
  for (const TimeRange& error : errors_.ranges)
    AddLook(looks, FirstLook(LookReason::kErrorValue, error, now));
  if (created_ && window_.begin < *created_) {
    AddLook(looks, FirstLook(LookReason::kCreated, {window_.begin, *created_}, now));
  }
  const Duration gap = longest_gap_.length();
  const bool is_out_of_character =
      gap >= kSilenceMin && gap > second_gap_ * 3 && gap.seconds() * density_ >= kSilenceEvents;
  if (is_out_of_character) {
    AddLook(looks, FirstLook(LookReason::kSilence,
                             {longest_gap_.begin + Duration::Ticks(1), longest_gap_.end}, now));
  }
  return looks;
}

Activity::Activity(TimeRange window)
    : window_(window),
      width_(Duration::Ticks(
          std::max<int64_t>(1, (window.length().ticks + static_cast<int64_t>(kBuckets) - 1) /
                                   static_cast<int64_t>(kBuckets)))),
      counts_(kBuckets),
      rates_(kBuckets + 1) {}

size_t Activity::BucketOf(UtcTime time) const {
  const int64_t bucket = (time - window_.begin).ticks / width_.ticks;
  return static_cast<size_t>(std::clamp<int64_t>(bucket, 0, static_cast<int64_t>(kBuckets)));
}

void Activity::Expect(TimeRange range, double density) {
  const double per_bucket = density * width_.seconds();
  // Of a bucket that it covers in part only nothing is expected.
  const size_t begin = BucketOf(range.begin + width_ - Duration::Ticks(1));
  const size_t end = BucketOf(range.end);
  if (begin >= end) return;
  rates_[begin] += per_bucket;
  rates_[end] -= per_bucket;
}

void Activity::Take(const Events& events, size_t first, size_t last) {
  for (size_t row = first; row < last; ++row) {
    const UtcTime time = events.time(row);
    if (window_.contains(time)) ++counts_[std::min(BucketOf(time), kBuckets - 1)];
  }
}

std::vector<TimeRange> Activity::Silences() const {
  std::vector<double> expected(kBuckets);
  std::partial_sum(rates_.begin(), rates_.end() - 1, expected.begin());
  const double total = std::accumulate(counts_.begin(), counts_.end(), 0.0);
  const double total_expected = std::accumulate(expected.begin(), expected.end(), 0.0);
  if (total_expected <= 0) return {};
  // A rule that promised more than the window holds is believed as far as it held.
  const double belief = std::min(1.0, total / total_expected);
  std::vector<TimeRange> silences;
  for (size_t i = 0; i < kBuckets;) {
    size_t end = i;
    double missing = 0;
    const auto is_silent = [&](size_t bucket) {
      // Sums of what is expected may end a little below zero.
      return counts_[bucket] == 0 || counts_[bucket] <= kTrickle * expected[bucket] * belief;
    };
    for (; end < kBuckets && is_silent(end); ++end) missing += expected[end] * belief;
    // A stretch at the window's border may go on beyond it, or be the time before the first point.
    const bool is_inside = i > 0 && end < kBuckets;
    const auto length = static_cast<int64_t>(end - i);
    if (is_inside && missing >= kSilenceEvents && width_ * length >= kSilenceMin) {
      silences.push_back({window_.begin + width_ * static_cast<int64_t>(i),
                          window_.begin + width_ * static_cast<int64_t>(end)});
    }
    i = std::max(end, i + 1);
  }
  return silences;
}

}  // namespace pilake::plan
