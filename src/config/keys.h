// SPDX-License-Identifier: Apache-2.0
// The one table of all keys: from it come parsing, "did you mean", the document and the starter.
#pragma once

#include <span>
#include <string_view>

#include "config/config.h"
#include "config/value.h"

namespace pilake::config {

struct Key {
  std::string_view path;      ///< `source.budget.in_flight`; keys of a tag group begin with `tags.`
  std::string_view type;      ///< in words, unit included
  std::string_view fallback;  ///< the default as one would write it; empty: none
  bool is_required;
  bool is_secret;
  std::string_view sentence;
  Status (*read)(const Value& value, Config& config);  ///< A tag group is `config.tags.back()`.
};

/// In the order of the document; keys of one section stand together.
std::span<const Key> Keys();

}  // namespace pilake::config
