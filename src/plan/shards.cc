// SPDX-License-Identifier: Apache-2.0
#include "plan/shards.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pilake::plan {
namespace {

// Widths of a slab, widest first. Slabs are aligned to multiples of their width, so that a run that
// is repeated cuts along the same lines.
constexpr std::array<Duration, 7> kWidths{
    Duration::Days(3'650), Duration::Days(360), Duration::Days(90), Duration::Days(30),
    Duration::Days(6),     Duration::Days(1),   Duration::Hours(6)};

TimeRange Intersection(TimeRange a, TimeRange b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

double Rows(const Ranges& ranges, TimeRange slab, double rate) {
  double seconds = 0;
  for (const TimeRange& range : ranges) {
    const TimeRange part = Intersection(range, slab);
    if (!part.empty()) seconds += part.length().seconds();
  }
  return seconds * rate;
}

}  // namespace

ShardCutter::ShardCutter(std::vector<Ranges> missing, double rows, Order order)
    : missing_(std::move(missing)), rows_(rows), order_(order) {
  bool any = false;
  for (const Ranges& ranges : missing_) {
    if (ranges.empty()) continue;
    begin_ = any ? std::min(begin_, ranges.front().begin) : ranges.front().begin;
    end_ = any ? std::max(end_, ranges.back().end) : ranges.back().end;
    any = true;
  }
  series_ = missing_.size();
}

TimeRange ShardCutter::Slab(std::span<const float> density) const {
  TimeRange slab;
  for (const Duration width : kWidths) {
    slab = {begin_, end_};
    if (order_ == Order::kNewestFirst) {
      slab.begin = std::max(begin_, UtcTime{(end_.ticks - 1) / width.ticks * width.ticks});
    } else {
      slab.end = std::min(end_, UtcTime{(begin_.ticks / width.ticks + 1) * width.ticks});
    }
    double rows = 0;
    for (size_t i = 0; i < missing_.size(); ++i) {
      rows += Rows(missing_[i], slab, static_cast<double>(density[i]));
    }
    if (rows <= rows_) break;
  }
  return slab;
}

std::optional<Shard> ShardCutter::Next(std::span<const float> density) {
  Shard shard;
  while (shard.tasks.empty()) {
    if (series_ == missing_.size()) {
      if (end_ <= begin_) return std::nullopt;
      slab_ = Slab(density);
      (order_ == Order::kNewestFirst ? end_ : begin_) =
          order_ == Order::kNewestFirst ? slab_.begin : slab_.end;
      series_ = 0;
    }
    double rows = 0;
    for (; series_ < missing_.size(); ++series_) {
      const double more = Rows(missing_[series_], slab_, static_cast<double>(density[series_]));
      if (rows > 0 && rows + more > rows_ * 1.25) break;
      rows += more;
      for (const TimeRange& range : missing_[series_]) {
        const TimeRange part = Intersection(range, slab_);
        if (part.empty()) continue;
        shard.tasks.push_back(
            {.series = static_cast<uint32_t>(series_), .range = part, .expected = {}});
      }
    }
  }
  return shard;
}

}  // namespace pilake::plan
