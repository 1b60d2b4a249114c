// SPDX-License-Identifier: Apache-2.0
#include "delta/trial.h"

#include "delta/kernel.h"

namespace pilake::delta {

std::vector<std::string> TrialSteps() {
  std::vector<std::string> steps;
  pilake_trial_steps(&steps, [](void* context, PilakeText step) noexcept {
    static_cast<std::vector<std::string>*>(context)->push_back(kernel::String(step));
  });
  return steps;
}

}  // namespace pilake::delta
