// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sweep.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "pipeline/probe.h"

namespace pilake::pipeline {

void Sweeper::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const UtcTime began = clock_.Now();
    Tell(Sweep(stop), stop);
    // Of many tags a sweep takes long and goes before all else: half of the time is for the others.
    const UtcTime ended = clock_.Now();
    const UtcTime next = std::max(began + options_.sweep_every, ended + (ended - began));
    // What was heard last is not to wait for the next sweep.
    while (live_.waiting() > 0 && committed_ + options_.commit_every < next) {
      if (!clock_.SleepUntil(committed_ + options_.commit_every, stop)) break;
      Tell(CommitIfDue(), stop);
    }
    clock_.SleepUntil(next, stop);
  }
  committed_ = UtcTime{};
  Tell(CommitIfDue(), {});
}

void Sweeper::Tell(const Status& status, const std::stop_token& stop) {
  if (stop.stop_requested()) return;
  const bool was_in_trouble = std::exchange(is_in_trouble_, !status);
  if (!status && !was_in_trouble && options_.on_trouble) options_.on_trouble(status.error());
}

Status Sweeper::Sweep(const std::stop_token& stop) {
  const LiveTail::SeriesList series = live_.series();
  if (!series) return {};
  if (!source_) {
    ASSIGN_OR_RETURN(source_,
                     Source::Open(options_.pull.source, progress_, stop, options_.pull.throttle));
  }
  std::vector<uint32_t> which;
  for (uint32_t i = 0; i < series->size(); ++i) {
    if (!(*series)[i].future) which.push_back(i);
  }
  Status committed;
  const Status asked = AskValues(*source_, *series, which, [&](uint32_t i, const Events& event) {
    // What cannot be told now is for a pass to tell.
    if (event.kind.front() != ValueKind::kError) live_.Hear(series, i, event);
    if (committed) committed = CommitIfDue();
  });
  if (!asked) source_.reset();  // with the calls that are still under way
  return asked ? committed : asked;
}

Status Sweeper::CommitIfDue() {
  if (clock_.Now() - committed_ < options_.commit_every) return {};
  committed_ = clock_.Now();
  ASSIGN_OR_RETURN(const int64_t rows, live_.Commit());
  rows_ += rows;
  if (rows > 0) ++versions_;
  return {};
}

}  // namespace pilake::pipeline
