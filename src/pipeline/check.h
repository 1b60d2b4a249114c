// SPDX-License-Identifier: Apache-2.0
// Check: asks in a few calls whether a run would work, before one is tried.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "pipeline/pull.h"

namespace pilake::pipeline {

/// What one part of the preflight found.
struct Finding {
  enum class State { kGood, kDoubtful, kBad };
  std::string subject;  ///< `source`, `identity`, `clocks`, …
  State state = State::kGood;
  std::string detail;                     ///< what is so; of a bad one cause and cure
  ErrorKind kind = ErrorKind::kInternal;  ///< of a bad one
  std::string name = {};                  ///< of a bad one that `Diagnoses()` lists
};

/// Looks at source and table without changing either: the table's folder gets a probe file that is
/// removed again. Parts that depend on one that is bad are left out.
std::vector<Finding> Check(const PullOptions& options, const Clock& clock, std::stop_token stop);

}  // namespace pilake::pipeline
