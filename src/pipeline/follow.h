// SPDX-License-Identifier: Apache-2.0
// Follow: keeps the table seconds behind the plant until it is stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "core/clock.h"
#include "core/result.h"
#include "core/time.h"
#include "pipeline/progress.h"
#include "pipeline/pull.h"

namespace pilake::pipeline {

struct FollowOptions {
  PullOptions pull;
  Duration commit_every = Duration::Seconds(2);    ///< what was heard is a version after so long
  Duration sweep_every = Duration::Seconds(10);    ///< current values are asked for
  Duration settle_every = Duration::Minutes(1);    ///< the archive is read
  Duration resolve_every = Duration::Minutes(10);  ///< the tags are resolved anew
  std::function<void(const PullReport&)> on_settled{};  ///< after each pass
  /// Something failed that is tried again: each pull that does, and of sweeps the first until one
  /// works. On the thread that met it.
  std::function<void(const Error&)> on_trouble{};
};

struct FollowReport {
  int64_t passes = 0;         ///< in which the archive was read
  int64_t rows_settled = 0;   ///< that these committed
  int64_t live_rows = 0;      ///< that were in the table before they were settled
  int64_t live_versions = 0;  ///< that brought those
};

/// Pulls as `Pull` does, again and again, and in between asks for current values and adds those
/// that are new to the tail. Ends when it is stopped, with all that was heard committed. What fails
/// for the moment is tried again; fails itself only if the first pass fails for good. A table that
/// shows no tail is pulled only.
///
/// Why nothing is lost: all that is called covered was read from the archive by a pass. What is
/// heard in between only comes earlier (see LiveTail).
Result<FollowReport> Follow(const FollowOptions& options, const Clock& clock, Progress& progress,
                            std::stop_token stop);

}  // namespace pilake::pipeline
