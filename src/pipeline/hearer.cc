// SPDX-License-Identifier: Apache-2.0
#include "pipeline/hearer.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace pilake::pipeline {
namespace {

using decode::Action;

// Of a series that is doubted in more places than this, all between the first and the last is.
constexpr size_t kPlacesMax = 32;

constexpr UtcTime kNever{std::numeric_limits<int64_t>::max()};

TimeRange At(UtcTime time) {
  return {time, time + Duration::Ticks(1)};
}

/// What the event says of the past, whether it is new or not.
bool IsOfThePast(const Events& events, size_t row, Action action) {
  const Flags flags = events.flags[row];
  const bool is_edited = flags.Said(Flags::kSubstituted) && flags.Value(Flags::kSubstituted);
  return action == Action::kInsert || action == Action::kUpdate || action == Action::kDelete ||
         is_edited;
}

Events InOrderOfTime(const Events& events, std::vector<size_t> rows) {
  std::ranges::stable_sort(rows, {}, [&](size_t row) { return events.ticks[row]; });
  Events sorted;
  for (const size_t row : rows) sorted.Append(events, row, row + 1);
  return sorted;
}

}  // namespace

void Hearer::TakeValue(std::string_view web_id, const Events& event) {
  // What cannot be told now is for a pass to tell.
  if (event.empty() || event.kind.front() == ValueKind::kError) return;
  state_.events_heard += static_cast<int64_t>(live_.Hear(web_id, event));
}

void Hearer::TakeNews(std::string_view web_id, const Events& events,
                      std::span<const Action> actions) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < events.size(); ++row) {
    const Action action = actions.empty() ? Action::kUnknown : actions[row];
    const UtcTime time = events.time(row);
    if (action == Action::kRefresh) Doubt(web_id, {time, kNever});
    if (IsOfThePast(events, row, action)) Doubt(web_id, At(time));
    const bool is_an_event = action != Action::kDelete && action != Action::kRefresh;
    if (is_an_event && events.kind[row] != ValueKind::kError) rows.push_back(row);
  }
  state_.events_heard += static_cast<int64_t>(events.size());
  const Events fresh = InOrderOfTime(events, std::move(rows));
  const size_t old = fresh.size() - live_.Hear(web_id, fresh);
  // Late, or told before.
  for (size_t row = 0; row < old; ++row) Doubt(web_id, At(fresh.time(row)));
}

void Hearer::Doubt(std::string_view web_id, TimeRange range) {
  const std::lock_guard lock(mutex_);
  auto found = doubts_.find(web_id);
  if (found == doubts_.end()) found = doubts_.emplace(web_id, plan::Ranges()).first;
  plan::Ranges& ranges = found->second;
  const size_t before = ranges.size();
  plan::AddRange(ranges, range);
  if (ranges.size() > kPlacesMax) ranges = {{ranges.front().begin, ranges.back().end}};
  state_.doubts += static_cast<int64_t>(ranges.size()) - static_cast<int64_t>(before);
}

void Hearer::GiveBack(const Doubts& doubts) {
  for (const auto& [web_id, ranges] : doubts) {
    for (const TimeRange& range : ranges) Doubt(web_id, range);
  }
}

bool Hearer::has_doubts() const {
  const std::lock_guard lock(mutex_);
  return !doubts_.empty();
}

Doubts Hearer::TakeDoubts() {
  const std::lock_guard lock(mutex_);
  state_.doubts = 0;
  return std::exchange(doubts_, {});
}

}  // namespace pilake::pipeline
