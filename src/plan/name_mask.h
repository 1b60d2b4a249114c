// SPDX-License-Identifier: Apache-2.0
// Name masks with PI's wildcards: `*` any run, `?` one character, `[ab]`, `[!ab]`, `\` escapes.
#pragma once

#include <string>
#include <string_view>

namespace pilake::plan {

/// Whether `name` matches `mask`; without regard to case, as PI compares (wire §1.5). Characters
/// beyond ASCII must be the same bytes; `?` matches one UTF-8 character.
bool MatchesMask(std::string_view name, std::string_view mask);

/// Names that differ in the case of ASCII letters only are one name to PI.
bool SameName(std::string_view a, std::string_view b);
/// What `SameName` names have in common, to look them up by.
std::string FoldedName(std::string_view name);

}  // namespace pilake::plan
