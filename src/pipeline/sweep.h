// SPDX-License-Identifier: Apache-2.0
// Sweep: asks for the current values of all series again and again, and hands on those that moved.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "core/clock.h"
#include "core/result.h"
#include "pipeline/follow.h"
#include "pipeline/live_tail.h"
#include "pipeline/progress.h"
#include "pipeline/throttle.h"

namespace pilake::pipeline {

/// Hears of change by sweeps, and commits what it heard. For one thread at a time.
class Sweeper {
 public:
  /// All of them outlive this.
  Sweeper(const FollowOptions& options, LiveTail& live, const Clock& clock, Progress& progress)
      : options_(options), live_(live), clock_(clock), progress_(progress) {}

  /// Sweeps until it is stopped. Failures are told and tried again.
  void Loop(const std::stop_token& stop);

  int64_t rows() const { return rows_; }
  int64_t versions() const { return versions_; }

 private:
  Status Sweep(const std::stop_token& stop);
  Status CommitIfDue();
  void Tell(const Status& status, const std::stop_token& stop);

  const FollowOptions& options_;
  LiveTail& live_;
  const Clock& clock_;
  Progress& progress_;
  std::unique_ptr<Source> source_;
  UtcTime committed_;
  bool is_in_trouble_ = false;
  int64_t rows_ = 0, versions_ = 0;
};

}  // namespace pilake::pipeline
