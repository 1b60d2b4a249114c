// SPDX-License-Identifier: Apache-2.0
// Filter expressions: the few that tell events by their flags (wire §5.2).
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/archive.h"

namespace pilake::sim {

/// `IsSet('.', "s")` and its like, joined by `or`; without a term everything passes.
class EventFilter {
 public:
  EventFilter() = default;
  /// Knows `IsSet('.', "a")`, `"s"` and `"q"` (annotated, substituted, questionable) and
  /// `BadVal('.')`, `not` before them and `or` between them. `kConflict` for anything else.
  static Result<EventFilter> Parse(std::string_view text);

  bool Passes(const Event& event) const;

 private:
  enum class Flag : uint8_t { kAnnotated, kSubstituted, kQuestionable, kBad };
  struct Term {
    Flag flag;
    bool wanted;
  };
  static bool Has(const Event& event, Flag flag);

  std::vector<Term> terms_;
};

}  // namespace pilake::sim
