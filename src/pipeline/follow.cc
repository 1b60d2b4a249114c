// SPDX-License-Identifier: Apache-2.0
#include "pipeline/follow.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "delta/uuid.h"
#include "pipeline/live_tail.h"
#include "pipeline/sweep.h"
#include "pipeline/throttle.h"

// Follow, in short:
//
//   one thread, about once a minute:  pull; what the table shows now is told to the live tail
//   another, every few seconds:       ask for all current values; those newer than what the table
//                                     shows of their series are added to the tail, as one version

namespace pilake::pipeline {
namespace {

constexpr Duration kRetryMax = Duration::Minutes(5);

class Follower {
 public:
  Follower(const FollowOptions& options, const Clock& clock, Progress& progress,
           std::stop_token stop)
      : options_(WithShared(options)),
        clock_(clock),
        progress_(progress),
        stop_(std::move(stop)),
        live_(options_.pull.table, clock),
        sweeper_(options_, live_, clock, sweeping_) {
    if (options_.pull.tail) options_.pull.live = &live_;
  }

  Result<FollowReport> Do() {
    std::optional<std::jthread> listener;
    if (options_.pull.live != nullptr) {
      listener.emplace([this](const std::stop_token& stop) { sweeper_.Loop(stop); });
    }
    const Status pulled = PullUntilStopped();
    listener.reset();  // it commits what it heard
    if (!pulled) return tl::unexpected(pulled.error());
    report_.live_rows = sweeper_.rows();
    report_.live_versions = sweeper_.versions();
    return report_;
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
      auto pulled = pulling.Next();
      if (stop_.stop_requested()) return {};
      if (pulled) {
        pause = options_.settle_every;
        ++report_.passes;
        report_.rows_settled += pulled->rows;
        if (options_.on_settled) options_.on_settled(*pulled);
      } else {
        if (report_.passes == 0 && !MayPass(pulled.error().kind))
          return tl::unexpected(std::move(pulled).error());
        if (options_.on_trouble) options_.on_trouble(pulled.error());
        pause = std::min(pause * 2, std::max(kRetryMax, options_.settle_every));
      }
      if (!clock_.SleepUntil(began + pause, stop_)) return {};
    }
  }

  static bool MayPass(ErrorKind kind) {
    return kind == ErrorKind::kUnreachable || kind == ErrorKind::kTransient;
  }

  FollowOptions options_;
  const Clock& clock_;
  Progress& progress_;
  const std::stop_token stop_;
  LiveTail live_;
  Progress sweeping_;
  Sweeper sweeper_;
  FollowReport report_;
};

}  // namespace

Result<FollowReport> Follow(const FollowOptions& options, const Clock& clock, Progress& progress,
                            std::stop_token stop) {
  return Follower(options, clock, progress, std::move(stop)).Do();
}

}  // namespace pilake::pipeline
