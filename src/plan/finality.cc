// SPDX-License-Identifier: Apache-2.0
#include "plan/finality.h"

#include <algorithm>
#include <array>

namespace pilake::plan {
namespace {

UtcTime ProvenThrough(const Newest& newest) {
  return std::min(*newest.previous + Duration::Ticks(1), *newest.last);
}

}  // namespace

std::optional<UtcTime> FinalThrough(const Newest& newest, UtcTime now, Duration settle) {
  if (!newest.last || !newest.previous) return std::nullopt;
  return std::min(ProvenThrough(newest), now - settle);
}

int ReadsDue(Duration silence) {
  static constexpr std::array kSteps{Duration::Hours(1), Duration::Hours(6), Duration::Hours(36),
                                     Duration::Days(7)};
  return static_cast<int>(std::ranges::upper_bound(kSteps, silence) - kSteps.begin());
}

bool BoundBySettle(const Newest& newest, UtcTime now, Duration settle) {
  return newest.last && newest.previous && now - settle < ProvenThrough(newest);
}

}  // namespace pilake::plan
