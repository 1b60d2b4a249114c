// SPDX-License-Identifier: Apache-2.0
// One value of the configuration file, read as the type that its key asks for.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/expand.h"
#include "config/secret.h"
#include "config/yaml.h"
#include "core/result.h"
#include "core/time.h"

namespace pilake::config {

/// Each `To…` writes its target or returns what was expected instead, as words that continue
/// "must be …" or stand alone. A secret's text is never quoted.
class Value {
 public:
  /// `node` and `outside` must outlive this.
  Value(const YamlNode& node, const Outside& outside, bool is_secret)
      : node_(node), outside_(outside), is_secret_(is_secret) {}

  const std::string& folder() const { return outside_.folder; }

  Status ToText(std::string* target) const;
  Status ToSecret(Secret* target) const;
  /// A list of texts; a single text is a list of one.
  Status ToTexts(std::vector<std::string>* target) const;
  Status ToSecrets(std::map<std::string, Secret>* target) const;
  Status ToWhole(int64_t min, int64_t max, int64_t* target) const;
  Status ToSpan(Duration min, Duration max, Duration* target) const;
  /// `25%`, as 25.
  Status ToPercent(int64_t min, int64_t max, int64_t* target) const;
  /// `07:30`, since midnight; `24:00` is the end of the day.
  Status ToTimeOfDay(Duration* target) const;
  /// `UTC`, or what local time is ahead of it: `+01:00`, `-05:30`.
  Status ToZone(Duration* target) const;
  /// Days of the week and spans of them, Monday first: `mon-fri`, `[sat, sun]`.
  Status ToDays(std::array<bool, 7>* target) const;
  /// An instant (`2026-01-01T00:00:00Z`) or a date, whose midnight in UTC is meant; from 1970 on.
  Status ToTime(UtcTime* target) const;
  /// A program and its arguments: a list of words, or a text that is cut at its spaces.
  Status ToCommand(std::vector<std::string>* target) const;
  /// A path seen from the folder of the configuration file.
  Status ToPath(std::string* target) const;

  template <typename T>
  Status ToChoice(const std::vector<std::pair<std::string_view, T>>& choices, T* target) const {
    ASSIGN_OR_RETURN(const std::string text, Text());
    for (const auto& [name, choice] : choices) {
      if (name == text) {
        *target = choice;
        return {};
      }
    }
    std::vector<std::string_view> names;
    for (const auto& choice : choices) names.push_back(choice.first);
    return NotOneOf(names);
  }

 private:
  Result<std::string> Text() const;
  tl::unexpected<Error> Expected(std::string_view what) const;
  tl::unexpected<Error> NotOneOf(const std::vector<std::string_view>& names) const;

  const YamlNode& node_;
  const Outside& outside_;
  bool is_secret_;
};

}  // namespace pilake::config
