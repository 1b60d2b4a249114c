// SPDX-License-Identifier: Apache-2.0
#include "plan/finality.h"

#include <algorithm>

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

bool BoundBySettle(const Newest& newest, UtcTime now, Duration settle) {
  return newest.last && newest.previous && now - settle < ProvenThrough(newest);
}

}  // namespace pilake::plan
