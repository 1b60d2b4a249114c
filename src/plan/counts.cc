// SPDX-License-Identifier: Apache-2.0
#include "plan/counts.h"

#include <functional>

namespace pilake::plan {

void Tally::Add(const Events& events, size_t row) {
  const Flags flags = events.flags[row];
  const bool is_good = flags.Value(Flags::kGood);
  const bool is_number =
      events.kind[row] == ValueKind::kFloat || events.kind[row] == ValueKind::kInt;
  ++by_rule[0];
  by_rule[1] += is_good ? 1 : 0;
  by_rule[2] += is_good && is_number ? 1 : 0;
  const bool is_flagged = !is_good || flags.Value(Flags::kQuestionable) ||
                          flags.Value(Flags::kSubstituted) || flags.Value(Flags::kAnnotated);
  if (!is_flagged) return;
  ++flagged;
  uint64_t hash = static_cast<uint64_t>(events.ticks[row]) * 0x9e3779b97f4a7c15ull;
  hash = (hash ^ Fingerprint(events, row) ^ flags.bits) * 0x9e3779b97f4a7c15ull;
  flagged_digest += hash ^ hash >> 29;
}

void CountRules::Learn(const Tally& read, int64_t count) {
  has_learnt_ = true;
  for (size_t rule = 0; rule < Tally::kRules; ++rule) {
    if (read.by_rule[rule] != count) may_be_[rule] = false;
  }
}

std::optional<int64_t> CountRules::Expected(const Tally& tally) const {
  std::optional<int64_t> expected;
  if (!has_learnt_) return expected;
  for (size_t rule = 0; rule < Tally::kRules; ++rule) {
    if (!may_be_[rule]) continue;
    if (expected && *expected != tally.by_rule[rule]) return std::nullopt;
    expected = tally.by_rule[rule];
  }
  return expected;
}

bool CountRules::WouldLearn(const Tally& tally) const {
  if (tally.rows() == 0) return false;
  std::optional<int64_t> first;
  for (size_t rule = 0; rule < Tally::kRules; ++rule) {
    if (!may_be_[rule]) continue;
    if (first && *first != tally.by_rule[rule]) return true;
    first = tally.by_rule[rule];
  }
  return first && !has_learnt_;
}

}  // namespace pilake::plan
