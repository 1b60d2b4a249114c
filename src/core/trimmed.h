// SPDX-License-Identifier: Apache-2.0
// Trimmed: a text without the white space around it.
#pragma once

#include <string_view>

namespace pilake {

/// A part of `text`, without spaces, tabs and line breaks at its ends.
inline std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace pilake
