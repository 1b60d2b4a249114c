// SPDX-License-Identifier: Apache-2.0
// Words about the configuration, made from the table of keys so that they cannot grow stale.
#pragma once

#include <string>

namespace pilake::config {

/// docs/configuration.md, whole.
std::string ConfigurationPage();

/// The commented file that `pilake init` writes. It parses as it stands.
std::string StarterText();

}  // namespace pilake::config
