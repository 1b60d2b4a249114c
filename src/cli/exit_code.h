// SPDX-License-Identifier: Apache-2.0
// What the exit code says to whoever started us.
#pragma once

#include <functional>

#include "core/result.h"

namespace pilake::cli {

enum class Exit : int {
  kDone = 0,
  kFailed = 1,     ///< for good: asking again will not help
  kUsage = 2,      ///< bad usage or configuration
  kLeftOut = 3,    ///< done, but some series were left out
  kDifferent = 4,  ///< table and archive differ
  kTryAgain = 5,   ///< source or store not reachable
  kLags = 6,       ///< the table is further behind than was allowed
  kInterrupted = 130,
};

/// The exit code for a command that could not go on.
constexpr Exit ExitFor(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient:
    case ErrorKind::kThrottled:
    case ErrorKind::kTimedOut:
    case ErrorKind::kUnreachable:
    case ErrorKind::kConflict:
    case ErrorKind::kCommitUnknown:
      return Exit::kTryAgain;
    case ErrorKind::kCancelled:
      return Exit::kInterrupted;
    case ErrorKind::kInvalid:
      return Exit::kUsage;
    default:
      return Exit::kFailed;
  }
}

/// What a subcommand does when it was chosen.
using Command = std::function<Exit()>;

}  // namespace pilake::cli
