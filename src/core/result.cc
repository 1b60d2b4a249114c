// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

namespace pilake {

std::string_view Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient:
      return "transient";
    case ErrorKind::kThrottled:
      return "throttled";
    case ErrorKind::kTimedOut:
      return "timed_out";
    case ErrorKind::kTooLarge:
      return "too_large";
    case ErrorKind::kAuth:
      return "auth";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kMalformed:
      return "malformed";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kCommitUnknown:
      return "commit_unknown";
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kUnreachable:
      return "unreachable";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "unknown";
}

tl::unexpected<Error> Annotate(Error error, std::string_view context) {
  error.message = fmt::format("{}: {}", context, error.message);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace pilake
