// SPDX-License-Identifier: Apache-2.0
// Bytes as the text that headers carry.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pilake::pi {

std::string ToBase64(std::string_view bytes);

/// What base64url stands for, as in a JWT: without padding. Nothing if it is not that.
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace pilake::pi
