// SPDX-License-Identifier: Apache-2.0
// A program of the operator's that prints a secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace pilake::config {

inline constexpr Duration kCommandTimeMax = Duration::Seconds(30);

/// `text` cut at its spaces. There is no shell, so no quotes and no variables either.
std::vector<std::string> CommandWords(std::string_view text);

/// What the program `words[0]` prints to its standard output, without the white space around it.
///
/// It is found as a shell would find it, gets the other words as its arguments, no input, and this
/// process's environment and standard error. `kInvalid` if it cannot be started, ends with another
/// code than 0, prints nothing or more than 64 KiB, or is not done within `limit`; then it is
/// killed with all that it started. What it printed is in no message. From any thread.
Result<std::string> RunCommand(const std::vector<std::string>& words,
                               Duration limit = kCommandTimeMax);

}  // namespace pilake::config
