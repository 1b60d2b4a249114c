// SPDX-License-Identifier: Apache-2.0
// The hearer: sorts what was heard of into what is new and what casts doubt on what is old.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "core/events.h"
#include "core/time.h"
#include "decode/news.h"
#include "pipeline/live_tail.h"
#include "pipeline/stream_state.h"
#include "plan/coverage.h"

namespace pilake::pipeline {

/// By WebID: when something is heard to have changed. Of what is not settled yet it means nothing,
/// since that is read anyway.
using Doubts = std::map<std::string, plan::Ranges, std::less<>>;

/// All ways of hearing end here. Nothing that is heard is taken for the truth: new events come
/// early by it, and doubt only says where to read the archive again. Safe for use from many
/// threads.
class Hearer {
 public:
  /// Both outlive this.
  Hearer(LiveTail& live, StreamState& state) : live_(live), state_(state) {}

  /// The current value of a series. That it is old says nothing.
  void TakeValue(std::string_view web_id, const Events& event);

  /// What a data pipe told, in any order; with `actions`, by event, if it tells them.
  void TakeNews(std::string_view web_id, const Events& events,
                std::span<const decode::Action> actions);

  bool has_doubts() const;
  /// All of it, once. Whoever could not do anything about it gives it back.
  Doubts TakeDoubts();
  void GiveBack(const Doubts& doubts);

  LiveTail& live() { return live_; }

 private:
  void Doubt(std::string_view web_id, TimeRange range);

  LiveTail& live_;
  StreamState& state_;
  mutable std::mutex mutex_;
  Doubts doubts_;  // guarded by mutex_
};

}  // namespace pilake::pipeline
