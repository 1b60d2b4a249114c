// SPDX-License-Identifier: Apache-2.0
// Follow: keeps the table seconds behind the plant until it is stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/time.h"
#include "pipeline/progress.h"
#include "pipeline/pull.h"
#include "pipeline/stream_state.h"

namespace pilake::pipeline {

struct FollowOptions {
  PullOptions pull;
  Duration commit_every = Duration::Seconds(2);       ///< what was heard is a version after so long
  size_t channels_max = 64;                           ///< WebSockets; 0: none
  Duration hot_updates_every = Duration::Seconds(5);  ///< hot tags without a channel are asked
  Duration updates_every = Duration::Seconds(30);     ///< the others are, by Stream Updates
  Duration sweep_every = Duration::Seconds(10);       ///< current values are asked for
  Duration settle_every = Duration::Minutes(1);       ///< the archive is read
  Duration resolve_every = Duration::Minutes(10);     ///< the tags are resolved anew
  /// After each pass. On the thread of `Follow`.
  std::function<void(const PullReport&)> on_settled{};
  /// Something failed that is tried again: each pass that does, and of other questions the first
  /// until one works. On the thread that met it.
  std::function<void(const Error&)> on_trouble{};
  /// How it hears of the plant has changed: a sentence for the log. On the thread that met it.
  std::function<void(const std::string&)> on_note{};
  /// Asked now and then: other tags to follow from now on. On the thread of `Follow`.
  std::function<std::optional<std::vector<TagSelection>>()> new_tags{};
  StreamState* state = nullptr;  ///< filled if given; outlives it
};

struct FollowReport {
  int64_t passes = 0;         ///< in which the archive was read
  int64_t rows_settled = 0;   ///< that these committed
  int64_t live_rows = 0;      ///< that were in the table before they were settled
  int64_t live_versions = 0;  ///< that brought those
};

/// Pulls as `Pull` does, again and again, and in between hears what is new and adds it to the tail:
/// by channels, Stream Updates and current values, as far as the server permits each. Where it
/// hears that something old has changed, that is read again soon. Ends when it is stopped, with all
/// that was heard committed. What fails for the moment is tried again; fails itself only if the
/// first pass fails for good. A table that shows no tail is pulled only.
///
/// Why nothing is lost: all that is called covered was read from the archive by a pass. What is
/// heard in between only comes earlier (see LiveTail), or says where to read again (see Hearer).
Result<FollowReport> Follow(const FollowOptions& options, const Clock& clock, Progress& progress,
                            std::stop_token stop);

}  // namespace pilake::pipeline
