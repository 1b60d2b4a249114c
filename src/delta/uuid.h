// SPDX-License-Identifier: Apache-2.0
// Random names for files and commits.
#pragma once

#include <string>

namespace pilake::delta {

/// A random (version 4) UUID in lower case with dashes.
std::string NewUuid();

}  // namespace pilake::delta
