// SPDX-License-Identifier: Apache-2.0
// Accidents on order, for tests: see bridge/src/trial.rs.
#pragma once

#include <string>
#include <vector>

namespace pilake::delta {

/// The steps at which `PILAKE_TRIAL=die=STEP` makes a process die.
std::vector<std::string> TrialSteps();

}  // namespace pilake::delta
