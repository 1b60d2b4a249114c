// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard_signs.h"

#include <algorithm>

namespace pilake::pipeline {
namespace {

TimeRange Hull(TimeRange a, TimeRange b) {
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

}  // namespace

void ShardSigns::Expect(uint32_t series, TimeRange range, std::optional<UtcTime> outage,
                        double density) {
  hull_ = hull_ ? Hull(*hull_, range) : range;
  const auto [found, is_new] = expected_.try_emplace(series, range, outage, density);
  if (!is_new) found->second.range = Hull(found->second.range, range);
}

plan::Signs& ShardSigns::SignsOf(uint32_t series) {
  const auto found = signs_.find(series);
  if (found != signs_.end()) return found->second;
  const Expected& expected = expected_.at(series);
  return signs_.try_emplace(series, expected.range, expected.outage, expected.density)
      .first->second;
}

void ShardSigns::Take(const Rows& rows) {
  if (!activity_) {
    activity_.emplace(*hull_);
    for (const auto& [series, expected] : expected_)
      activity_->Expect(expected.range, expected.density);
  }
  activity_->Take(rows.events, rows.first, rows.last);
  SignsOf(rows.series).Take(rows.events, rows.first, rows.last);
}

void ShardSigns::StartAgain() {
  signs_.clear();
  activity_.reset();
}

void ShardSigns::Tell(uint32_t series, UtcTime now, plan::Advance& advance) {
  const auto signs = signs_.find(series);
  if (signs == signs_.end()) {
    advance.outage = expected_.at(series).outage;
  } else {
    for (const plan::Look& look : signs->second.Looks(now)) plan::AddLook(advance.looks, look);
    advance.outage = signs->second.outage();
  }
  // One series alone is judged by its own gaps.
  if (!silences_) {
    silences_ =
        activity_ && expected_.size() > 1 ? activity_->Silences() : std::vector<TimeRange>();
  }
  for (const TimeRange& silence : *silences_) {
    const TimeRange part{std::max(silence.begin, advance.range.begin),
                         std::min(silence.end, advance.range.end)};
    plan::AddLook(advance.looks, plan::FirstLook(plan::LookReason::kSilence, part, now));
  }
}

}  // namespace pilake::pipeline
