// SPDX-License-Identifier: Apache-2.0
#include "plan/health.h"

#include <algorithm>
#include <numeric>

#include "plan/signs.h"

namespace pilake::plan {
namespace {

// Fewer rows say nothing of what is a series' way.
constexpr int64_t kFlatRows = 100, kRowsMin = 20;

constexpr Duration kStaleMin = Duration::Hours(1);
constexpr int64_t kStaleGaps = 20;  // of the usual length

}  // namespace

void SeriesHealth::Take(const Events& events, size_t row) {
  ++rows;
  first = std::min(first, events.time(row));
  last = std::max(last, events.time(row));
  const ValueKind kind = events.kind[row];
  if (kind == ValueKind::kSystem && IsOutageState(events.text_at(row))) ++outages;
  if (kind == ValueKind::kSystem || kind == ValueKind::kError ||
      !events.flags[row].Value(Flags::kGood)) {
    ++bad;
    return;
  }
  const uint64_t print = Fingerprint(events, row);
  varies = varies || (value && *value != print);
  value = print;
}

double SeriesHealth::density() const {
  return rows < 2 || last <= first ? 0 : static_cast<double>(rows - 1) / (last - first).seconds();
}

Duration SeriesHealth::usual_gap() const {
  return rows < 2 ? Duration() : (last - first) / (rows - 1);
}

bool SeriesHealth::is_flat() const {
  return rows - bad >= kFlatRows && !varies;
}

bool SeriesHealth::is_stale(UtcTime now) const {
  return rows >= kRowsMin && now - last > std::max(kStaleMin, usual_gap() * kStaleGaps);
}

void Ages::Take(Duration age) {
  const auto bucket = std::ranges::upper_bound(kBounds, age) - kBounds.begin();
  ++counts_[static_cast<size_t>(bucket)];
}

int64_t Ages::rows() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

}  // namespace pilake::plan
