// SPDX-License-Identifier: Apache-2.0
// Matchers for `Result<T>`; for tests only.
#pragma once

#include <gmock/gmock.h>

#include "core/result.h"

namespace pilake {

inline void PrintTo(const Error& error, std::ostream* os) {
  *os << Name(error.kind) << ": " << error.message;
}

MATCHER(IsOk, "is a value") {
  if (arg.has_value()) return true;
  *result_listener << "fails with " << Name(arg.error().kind) << ": " << arg.error().message;
  return false;
}

MATCHER_P(IsOkWith, value, "is the value " + testing::PrintToString(value)) {
  if (!arg.has_value()) {
    *result_listener << "fails with " << Name(arg.error().kind) << ": " << arg.error().message;
    return false;
  }
  return *arg == value;
}

MATCHER_P(FailsWith, kind, "fails with " + std::string(Name(kind))) {
  if (arg.has_value()) {
    *result_listener << "succeeds";
    return false;
  }
  *result_listener << "fails with " << Name(arg.error().kind) << ": " << arg.error().message;
  return arg.error().kind == kind;
}

}  // namespace pilake
