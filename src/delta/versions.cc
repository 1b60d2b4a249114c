// SPDX-License-Identifier: Apache-2.0
#include "delta/versions.h"

namespace pilake::delta {

std::string_view KernelVersion() {
  return PILAKE_KERNEL_VERSION;
}

}  // namespace pilake::delta
