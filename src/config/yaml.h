// SPDX-License-Identifier: Apache-2.0
// YAML text -> a tree that remembers its lines and forgets nothing, not even keys given twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pilake::config {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  int line = 1;        ///< where it begins; for a member of a map, where its name stands
  std::string name{};  ///< as a member of a map
  std::string text{};  ///< of a scalar
  std::vector<YamlNode>
      items{};  ///< of a list or map, in the order of the file, duplicates included
};

/// What is wrong, and on which line of the file.
struct Finding {
  int line = 1;
  std::string text;
};

/// The single document in `text` (empty text is a null node), or why it is none, in words for
/// someone who does not know the grammar. Anchors, aliases and keys that are no text are refused.
tl::expected<YamlNode, Finding> ParseYaml(std::string_view text);

/// What to write instead of "DOMAIN\user".
inline constexpr std::string_view kBackslashHint =
    R"(a backslash inside double quotes is an escape; write 'DOMAIN\user' in single quotes)";

/// `nothing`, `a text`, `a list`, `a map`.
std::string_view Describe(YamlNode::Kind kind);

}  // namespace pilake::config
