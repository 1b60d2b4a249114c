// SPDX-License-Identifier: Apache-2.0
// Counts: whether the number of events that a server counts agrees with the rows of the table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/events.h"

namespace pilake::plan {

/// Rows of one window, counted in each way in which a server's event-weighted `Count` may mean it
/// (which one is not established, wire §13), and a digest of those that carry a flag.
struct Tally {
  static constexpr size_t kRules = 3;
  std::array<int64_t, kRules> by_rule{};  ///< all events, the good ones, the good numbers
  int64_t flagged = 0;                    ///< bad, questionable, substituted or annotated
  uint64_t flagged_digest = 0;            ///< of those rows, whatever their order

  /// Counts row `row`.
  void Add(const Events& events, size_t row);

  int64_t rows() const { return by_rule[0]; }
  bool SameFlagged(const Tally& other) const {
    return flagged == other.flagged && flagged_digest == other.flagged_digest;
  }
};

/// What a server's `Count` counts, as far as it has been held against events that were read.
class CountRules {
 public:
  /// `numbers`: of points whose values are numbers. Of others a count of numbers says nothing.
  explicit CountRules(bool numbers) { may_be_[2] = numbers; }

  /// `count` is what the server said of a window that was read in full.
  void Learn(const Tally& read, int64_t count);

  /// What the server must count if it has what was tallied; nothing where that is not known: never
  /// learnt, no rule fits what was learnt, or those that fit say different things of this window.
  std::optional<int64_t> Expected(const Tally& tally) const;

  /// A window like `tally`, if read, would teach something.
  bool WouldLearn(const Tally& tally) const;

 private:
  std::array<bool, Tally::kRules> may_be_{true, true, true};
  bool has_learnt_ = false;
};

}  // namespace pilake::plan
