// SPDX-License-Identifier: Apache-2.0
// `${env:NAME}`, `${file:path}` and `${command:…}`: values that live outside the configuration
// file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pilake::config {

/// What a configuration may take from outside of its file.
struct Outside {
  std::string folder;  ///< where relative paths begin
  bool runs_commands = false;
};

/// `text` with every `${env:NAME}`, `${file:path}` and `${command:program words…}` replaced; `$${`
/// stands for `${` itself. A file's last line break is left out, and all white space around what a
/// program prints. `kInvalid` names the variable, file or program that is missing, never a value.
Result<std::string> Expand(std::string_view text, const Outside& outside);

/// `words` with a program that is named by a relative path as seen from `folder`.
std::vector<std::string> FromFolder(const std::string& folder, std::vector<std::string> words);

/// `path` as seen from `folder`, unless it is absolute.
std::string FromFolder(const std::string& folder, const std::string& path);

/// The bytes of a regular file of at most 16 MiB; `kInvalid` says what is in the way.
Result<std::string> ReadSmallFile(const std::string& path);

}  // namespace pilake::config
