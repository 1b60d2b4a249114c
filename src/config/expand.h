// SPDX-License-Identifier: Apache-2.0
// `${env:NAME}` and `${file:path}`: values that live outside the configuration file.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace pilake::config {

/// `text` with every `${env:NAME}` and `${file:path}` replaced; `$${` stands for `${` itself. A
/// file's last line break is left out. `kInvalid` names the variable or file that is missing,
/// never a value.
Result<std::string> Expand(std::string_view text, const std::string& folder);

/// `path` as seen from `folder`, unless it is absolute.
std::string FromFolder(const std::string& folder, const std::string& path);

/// The bytes of a regular file of at most 16 MiB; `kInvalid` says what is in the way.
Result<std::string> ReadSmallFile(const std::string& path);

}  // namespace pilake::config
