// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard_signs.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pilake::pipeline {
namespace {

TimeRange Hull(TimeRange a, TimeRange b) {
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

}  // namespace

void ShardSigns::Expect(uint32_t series, TimeRange range, std::optional<UtcTime> outage,
                        double density) {
  hull_ = hull_ ? Hull(*hull_, range) : range;
  if (!expected_.empty() && expected_.back().series == series) {
    expected_.back().range = Hull(expected_.back().range, range);
  } else {
    expected_.push_back({series, range, outage, density});
  }
}

const ShardSigns::Expected& ShardSigns::ExpectedOf(uint32_t series) const {
  const auto found = std::ranges::lower_bound(expected_, series, {}, &Expected::series);
  assert(found != expected_.end() && found->series == series);
  return *found;
}

void ShardSigns::Correct(uint32_t series, UtcTime end, double density) {
  const auto found = std::ranges::lower_bound(expected_, series, {}, &Expected::series);
  assert(found != expected_.end() && found->series == series);
  found->range.end = end;
  found->density = density;
}

void ShardSigns::Take(const Rows& rows) {
  if (!activity_) activity_.emplace(*hull_);
  activity_->Take(rows.events, rows.first, rows.last);
  if (signs_ && series_ != rows.series) EndSeries();
  if (!signs_) {
    const Expected& expected = ExpectedOf(rows.series);
    series_ = rows.series;
    signs_.emplace(expected.range, expected.outage, expected.density);
  }
  signs_->Take(rows.events, rows.first, rows.last);
}

void ShardSigns::EndSeries() {
  Told told{.looks = signs_->Looks(now_), .outage = signs_->outage()};
  signs_.reset();
  const bool says_something = !told.looks.empty() || told.outage != ExpectedOf(series_).outage;
  if (says_something) told_.insert_or_assign(series_, std::move(told));
}

void ShardSigns::StartAgain() {
  signs_.reset();
  told_.clear();
  activity_.reset();
}

std::vector<TimeRange> ShardSigns::Silences() {
  // One series alone is judged by its own gaps.
  if (!activity_ || expected_.size() < 2) return {};
  for (const Expected& expected : expected_) {
    if (!expected.range.empty()) activity_->Expect(expected.range, expected.density);
  }
  return activity_->Silences();
}

void ShardSigns::Tell(uint32_t series, plan::Advance& advance) {
  if (signs_) EndSeries();
  if (const auto told = told_.find(series); told != told_.end()) {
    for (const plan::Look& look : told->second.looks) plan::AddLook(advance.looks, look);
    advance.outage = told->second.outage;
  } else {
    advance.outage = ExpectedOf(series).outage;
  }
  if (!silences_) silences_ = Silences();
  for (const TimeRange& silence : *silences_) {
    const TimeRange part{std::max(silence.begin, advance.range.begin),
                         std::min(silence.end, advance.range.end)};
    plan::AddLook(advance.looks, plan::FirstLook(plan::LookReason::kSilence, part, now_));
  }
}

}  // namespace pilake::pipeline
