// SPDX-License-Identifier: Apache-2.0
// Where this system keeps the certificates of the authorities that it trusts.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace pilake::pi {

struct SystemTrust {
  std::string bundle;  ///< one PEM file with all of them; empty = none found
  std::string folder;  ///< one file each, named by OpenSSL's hashes; empty = none found
};

/// The value of an environment variable; nullptr or empty = not set.
using Environment = std::function<const char*(const char*)>;

/// `SSL_CERT_FILE` and `SSL_CERT_DIR` where they are set, as for OpenSSL's own programs and for the
/// object stores; else where distributions keep them: a binary that runs on all of them cannot have
/// been told when it was built. `root` is what the system's paths are below.
SystemTrust FindSystemTrust(const Environment& environment,
                            const std::filesystem::path& root = "/");

}  // namespace pilake::pi
