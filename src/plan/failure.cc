// SPDX-License-Identifier: Apache-2.0
#include "plan/failure.h"

#include <algorithm>

namespace pilake::plan {
namespace {

/// Smaller calls find the series that makes a large one fail, or need less of the server.
Step Apart(const FailedCall& failed) {
  return failed.series > 1 ? Step::kSplit : Step::kLeaveOut;
}

/// A failure that may pass.
Step WaitOut(const FailedCall& failed, int attempts_max) {
  switch (failed.source) {
    case SourceState::kNew:
      return failed.attempt < std::min(attempts_max, kFirstAttemptsMax) ? Step::kWait : Step::kStop;
    case SourceState::kAnswers:
      if (failed.series > 1) attempts_max = std::min(attempts_max, kSharedAttemptsMax);
      return failed.attempt < attempts_max ? Step::kWait : Apart(failed);
    case SourceState::kSilent:
      return Step::kWait;
    case SourceState::kGone:
      return Step::kStop;
  }
  return Step::kStop;
}

/// A failure of all calls alike: no series is at fault, whatever else is answered.
Step WaitForAll(const FailedCall& failed) {
  if (failed.source == SourceState::kAnswers) return Step::kWait;
  return WaitOut(failed, kAttemptsMax);
}

}  // namespace

Step NextStep(const FailedCall& failed) {
  switch (failed.kind) {
    case ErrorKind::kTransient:
      return WaitOut(failed, kAttemptsMax);
    case ErrorKind::kMalformed:
      return WaitOut(failed, kMalformedAttemptsMax);
    case ErrorKind::kInvalid:
      // Something else answers in its place, as a login page or a proxy. Of a source that has never
      // answered it is the address that is wrong.
      return failed.source == SourceState::kNew ? Step::kStop : WaitOut(failed, kAttemptsMax);
    case ErrorKind::kThrottled:
    case ErrorKind::kUnreachable:
      return WaitForAll(failed);
    case ErrorKind::kTimedOut:
      if (failed.source == SourceState::kGone || !failed.is_divisible) {
        return WaitOut(failed, kAttemptsMax);
      }
      if (failed.attempt < kTimedOutAttemptsMax) return Step::kWait;
      // A series that gives nothing for an hour gives nothing for a minute of it either.
      return failed.series > 1 || failed.attempt < kAttemptsMax ? Step::kSplit : Step::kLeaveOut;
    case ErrorKind::kTooLarge:
      return failed.is_divisible ? Step::kSplit : Step::kLeaveOut;
    case ErrorKind::kNotFound:
    case ErrorKind::kRefused:
      return failed.series > 1 ? Step::kSeparate : Step::kLeaveOut;
    case ErrorKind::kConflict:
      return Step::kLeaveOut;
    case ErrorKind::kAuth:
    case ErrorKind::kCommitUnknown:
    case ErrorKind::kCancelled:
    case ErrorKind::kInternal:
      return Step::kStop;
  }
  return Step::kStop;
}

Duration RetryPause(Duration first, int retry, double random) {
  const Duration full = std::min(Duration::Seconds(30), first * (1 << std::min(retry - 1, 10)));
  return full / 2 +
         Duration::Ticks(static_cast<int64_t>(static_cast<double>(full.ticks / 2) * random));
}

}  // namespace pilake::plan
