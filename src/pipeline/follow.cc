// SPDX-License-Identifier: Apache-2.0
#include "pipeline/follow.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "delta/uuid.h"
#include "pipeline/channels.h"
#include "pipeline/hearer.h"
#include "pipeline/live_tail.h"
#include "pipeline/optimize.h"
#include "pipeline/poller.h"
#include "pipeline/throttle.h"
#include "plan/failure.h"

// Follow, in short:
//
//   this thread, about once a minute:  pull; what the table shows now is told to the live tail
//               as soon as it is heard that something old has changed: look there
//               now and then: the small files that these leave become few large ones
//   Channels, Poller:                  hear; what is newer than all that the table shows waits in
//                                      the live tail, what is older casts doubt
//   a thread, every few seconds:       what waits becomes a version of the table

namespace pilake::pipeline {
namespace {

constexpr Duration kRetryMax = Duration::Minutes(5);
// So many files of passes are merged into one.
constexpr int64_t kFilesTogether = 16;
// Rows held while that is done; what else a stream holds is no less.
constexpr int64_t kMergeMemory = 64 << 20;
// What is heard to have changed is read together with what else is heard in that time.
constexpr Duration kDoubtFor = Duration::Seconds(2);

/// Merges the files that passes leave: small ones among themselves soon, so that there are never
/// many, and all that make no whole file yet once a day. So a day leaves as few as if it had been
/// read in one go.
class Caretaker {
 public:
  Caretaker(const FollowOptions& options, const Clock& clock, std::stop_token stop)
      : options_(options), clock_(clock), stop_(std::move(stop)), day_(Day()) {}

  /// After a pass that made so many files.
  void Tend(int64_t files) {
    files_ += files;
    const bool is_new_day = day_ != Day();
    if (is_forbidden_ || (files_ < kFilesTogether && !is_new_day)) return;
    const auto merged =
        Optimize(options_.pull.table,
                 {.limits = {.takes_heavy = is_new_day}, .memory_bytes = kMergeMemory}, stop_);
    files_ = 0;
    day_ = Day();
    if (merged || stop_.stop_requested()) return;
    is_forbidden_ = merged.error().kind == ErrorKind::kInvalid;
    if (options_.on_note) options_.on_note("small files stay: " + merged.error().message);
  }

 private:
  int64_t Day() const { return clock_.Now().ticks / Duration::Days(1).ticks; }

  const FollowOptions& options_;
  const Clock& clock_;
  const std::stop_token stop_;
  int64_t day_;        // of the last time that all were merged
  int64_t files_ = 0;  // since some were
  bool is_forbidden_ = false;
};

/// Those who hear, from when they are made until they are destroyed.
class Listening {
 public:
  Listening(const FollowOptions& options, LiveTail& live, Hearer& hearer, const Clock& clock,
            StreamState& state)
      : options_(options), live_(live), hearer_(hearer), clock_(clock), state_(state) {}

  Status Start() {
    if (options_.channels_max > 0) {
      ASSIGN_OR_RETURN(
          channels_, Channels::Open(options_.pull.source.http, hearer_, state_, options_.on_note));
    }
    poller_.emplace(options_, live_, hearer_, channels_.get(), clock_, state_);
    threads_.emplace_back([this](const std::stop_token& stop) { poller_->Loop(stop); });
    threads_.emplace_back([this](const std::stop_token& stop) { CommitUntilStopped(stop); });
    return {};
  }

  ~Listening() {
    if (!threads_.empty()) threads_.front().request_stop(), threads_.front().join();
    channels_.reset();
    threads_.clear();  // all that came was heard by now, and is committed
  }

  void ChangeTags(const std::vector<TagSelection>& tags) { poller_->ChangeTags(tags); }

 private:
  void CommitUntilStopped(const std::stop_token& stop) {
    while (clock_.SleepFor(options_.commit_every, stop)) Commit(stop);
    Commit(stop);
  }

  void Commit(const std::stop_token& stop) {
    const auto rows = live_.Commit();
    const bool was_in_trouble = std::exchange(is_in_trouble_, !rows);
    if (!rows && !was_in_trouble && !stop.stop_requested() && options_.on_trouble)
      options_.on_trouble(rows.error());
    state_.rows_waiting = static_cast<int64_t>(live_.waiting());
    if (!rows || *rows == 0) return;
    state_.live_rows += *rows;
    ++state_.live_versions;
    state_.newest_heard = live_.newest_committed().ticks;
  }

  const FollowOptions& options_;
  LiveTail& live_;
  Hearer& hearer_;
  const Clock& clock_;
  StreamState& state_;
  std::unique_ptr<Channels> channels_;
  std::optional<Poller> poller_;
  bool is_in_trouble_ = false;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

class Follower {
 public:
  Follower(const FollowOptions& options, const Clock& clock, Progress& progress,
           std::stop_token stop)
      : options_(WithShared(options)),
        clock_(clock),
        progress_(progress),
        stop_(std::move(stop)),
        state_(options.state != nullptr ? *options.state : own_state_),
        live_(options_.pull.table, clock),
        hearer_(live_, state_),
        caretaker_(options_, clock, stop_) {
    if (options_.pull.tail) options_.pull.hearer = &hearer_;
  }

  Result<FollowReport> Do() {
    if (options_.pull.hearer != nullptr) {
      listening_.emplace(options_, live_, hearer_, clock_, state_);
      RETURN_IF_ERROR(listening_->Start());
    }
    const Status pulled = PullUntilStopped();
    listening_.reset();  // it commits what it heard
    if (!pulled) return tl::unexpected(pulled.error());
    return FollowReport{.passes = state_.passes,
                        .rows_settled = state_.rows_settled,
                        .live_rows = state_.live_rows,
                        .live_versions = state_.live_versions};
  }

 private:
  /// All handles of this process are one writer to the table, and one client to the source.
  static FollowOptions WithShared(FollowOptions options) {
    options.pull.table.writer = delta::NewUuid();
    options.pull.enough_after = options.settle_every;
    options.pull.throttle =
        std::make_shared<Throttle>(options.pull.source.budget, options.pull.source.throttle);
    return options;
  }

  Status PullUntilStopped() {
    Pulling pulling(options_.pull, options_.resolve_every, clock_, progress_, stop_);
    Duration pause = options_.settle_every;
    for (;;) {
      const UtcTime began = clock_.Now();
      const auto pulled = pulling.Next();
      if (stop_.stop_requested()) return {};
      if (!pulled && state_.passes == 0 && !MayPass(pulled.error().kind))
        return tl::unexpected(pulled.error());
      Tell(pulled);
      if (pulled) caretaker_.Tend(pulled->files);
      pause = pulled ? options_.settle_every : PauseAfter(pulled.error(), pause);
      if (!WaitUntil(began + pause, pulling)) return {};
    }
  }

  void Tell(const Result<PullReport>& pulled) {
    state_.alive_at = SystemClock().Now().ticks;
    state_.is_in_trouble = !pulled;
    if (!pulled) {
      ++state_.troubles;
      state_.is_caught_up = false;
      SuspendLive();
      if (options_.on_trouble) options_.on_trouble(pulled.error());
      return;
    }
    ++state_.passes;
    state_.rows_settled += pulled->rows;
    state_.is_caught_up = !pulled->is_unfinished;
    state_.settled_at = pulled->now.ticks;
    state_.version = pulled->version;
    state_.series = pulled->series;
    state_.series_held = static_cast<int64_t>(pulled->held.size());
    state_.series_quarantined = static_cast<int64_t>(pulled->quarantined.size());
    state_.series_unresolved =
        static_cast<int64_t>(pulled->unresolved.size() + pulled->points.vanished.size());
    state_.series_silent = pulled->series_silent;
    if (options_.on_settled) options_.on_settled(*pulled);
  }

  /// Where a pass fails nobody else is to ask on: what it met they would meet.
  void SuspendLive() {
    const auto held = live_.Hold();
    live_.Suspend();
  }

  Duration PauseAfter(const Error& error, Duration pause) const {
    if (error.kind == ErrorKind::kAuth) return std::max(plan::kAuthPause, options_.settle_every);
    return std::min(pause * 2, std::max(kRetryMax, options_.settle_every));
  }

  /// Until the next pass; what is heard to have changed meanwhile is looked at. False if stopped.
  bool WaitUntil(UtcTime next, Pulling& pulling) {
    for (;;) {
      const UtcTime now = clock_.Now();
      if (now >= next) return !stop_.stop_requested();
      if (!clock_.SleepUntil(std::min(next, now + kDoubtFor), stop_)) return false;
      if (TakeNewTags(pulling)) return true;
      if (!hearer_.has_doubts()) continue;
      const Status looked = pulling.Look();
      if (!looked && !stop_.stop_requested() && options_.on_trouble)
        options_.on_trouble(looked.error());
      if (!looked) return !stop_.stop_requested();
    }
  }

  bool TakeNewTags(Pulling& pulling) {
    auto tags = options_.new_tags ? options_.new_tags() : std::nullopt;
    if (!tags) return false;
    options_.pull.tags = std::move(*tags);
    pulling.BeginAnew();
    if (listening_) listening_->ChangeTags(options_.pull.tags);
    return true;
  }

  static bool MayPass(ErrorKind kind) {
    return kind == ErrorKind::kUnreachable || kind == ErrorKind::kTransient;
  }

  FollowOptions options_;
  const Clock& clock_;
  Progress& progress_;
  const std::stop_token stop_;
  StreamState own_state_;
  StreamState& state_;
  LiveTail live_;
  Hearer hearer_;
  Caretaker caretaker_;
  std::optional<Listening> listening_;
};

}  // namespace

Result<FollowReport> Follow(const FollowOptions& options, const Clock& clock, Progress& progress,
                            std::stop_token stop) {
  return Follower(options, clock, progress, std::move(stop)).Do();
}

}  // namespace pilake::pipeline
