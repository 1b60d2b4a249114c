// SPDX-License-Identifier: Apache-2.0
// Small things done to text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pilake::sim {

std::vector<std::string_view> Split(std::string_view text, char separator);
std::string_view Trim(std::string_view text);

/// Equal but for the case of ASCII letters.
bool SameText(std::string_view a, std::string_view b);

/// All of `text` as a decimal integer.
std::optional<int64_t> ParseInteger(std::string_view text);

/// `%41` becomes `A`; in queries `+` becomes a space. Nothing if a `%` is not followed by two
/// digits.
std::optional<std::string> PercentDecode(std::string_view text, bool in_query);
/// For one value within a query or one segment of a path.
std::string PercentEncode(std::string_view text);

/// Does `text` match a name filter (wire §1.5): `*`, `?`, `[ab]`, `[!ab]`, `\` escapes, any case?
bool MatchesName(std::string_view filter, std::string_view text);

}  // namespace pilake::sim
