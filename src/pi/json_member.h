// SPDX-License-Identifier: Apache-2.0
// Single members of small JSON texts that are not data: what servers say of failures and tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pilake::pi {

// All of them look for the first member called `name`, at whatever depth. They read any bytes and
// are tolerant: an unfinished string ends with the text.

/// The strings of the member: its text, or the texts of an array joined by "; ". Control characters
/// become spaces.
std::string MemberText(std::string_view json, std::string_view name);

/// The member's whole number, also where it stands in quotes; nothing if there is none.
std::optional<int64_t> MemberNumber(std::string_view json, std::string_view name);

}  // namespace pilake::pi
