// SPDX-License-Identifier: Apache-2.0
// A text that must not be seen: it has no way onto a stream or into a message but `Reveal()`.
#pragma once

#include <string>
#include <utility>

namespace pilake::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }

  /// The text itself, for the library that sends it. Never for a log or a message.
  const std::string& Reveal() const { return text_; }

 private:
  std::string text_;
};

}  // namespace pilake::config
