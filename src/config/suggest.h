// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known word that a mistyped one is nearest to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pilake::config {

/// How many letters must be added, removed, changed or swapped with their neighbour.
size_t EditDistance(std::string_view a, std::string_view b);

/// The nearest of `known`, or nothing where none is near enough to be meant.
std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace pilake::config
