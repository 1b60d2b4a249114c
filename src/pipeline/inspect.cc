// SPDX-License-Identifier: Apache-2.0
#include "pipeline/inspect.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "plan/finality.h"

namespace pilake::pipeline {
namespace {

/// The stretch that holds a row of the table; nothing if none does.
const Inspected* Find(const Run& run, const std::vector<Inspected>& all, std::string_view web_id,
                      UtcTime time) {
  const auto of_series = std::ranges::equal_range(all, web_id, {}, [&](const Inspected& one) {
    return std::string_view(run.series[one.stretch.series].web_id);
  });
  const auto found = std::ranges::find_if(
      of_series, [&](const Inspected& one) { return one.stretch.range.contains(time); });
  return found == of_series.end() ? nullptr : &*found;
}

/// A stretch at the open end is read beyond it: an event there shows that the archive goes on.
TimeRange ToRead(const Run& run, const Stretch& stretch) {
  const bool is_open_end = stretch.range.end == run.Covered(stretch.series).through();
  return {stretch.range.begin, is_open_end ? run.report.now + plan::kAhead : stretch.range.end};
}

Status ReadArchive(const Run& run, ShardReader& reader, std::vector<Inspected>& all) {
  plan::Shard shard;
  for (const Inspected& one : all)
    shard.tasks.push_back({.series = one.stretch.series, .range = ToRead(run, one.stretch)});
  const auto take = [&](const Rows& rows) {
    const auto begin = rows.events.ticks.begin();
    const auto of_series = std::ranges::equal_range(
        all, rows.series, {}, [](const Inspected& one) { return one.stretch.series; });
    for (Inspected& one : of_series) {
      const auto row_at = [&](UtcTime time) {
        return static_cast<size_t>(std::lower_bound(begin + static_cast<std::ptrdiff_t>(rows.first),
                                                    begin + static_cast<std::ptrdiff_t>(rows.last),
                                                    time.ticks) -
                                   begin);
      };
      const size_t first = row_at(one.stretch.range.begin), last = row_at(one.stretch.range.end);
      if (first < last) one.archive.Append(rows.events, first, last);
      const bool is_last = &one == &of_series.back();
      if (is_last && last < rows.last) one.goes_on = true;
    }
    return true;
  };
  ASSIGN_OR_RETURN(auto outcomes, reader.Read(std::move(shard), take, plan::Lane::kLook));
  for (size_t i = 0; i < all.size(); ++i) all[i].failure = std::move(outcomes[i].failure);
  return {};
}

/// Rows of one stretch as they come out of several files.
struct Gathered {
  Events events;
  std::vector<int32_t> ordinals;

  void Take(const delta::Rows& rows, size_t row) {
    if (rows.is_ours[row]) {
      events.Append(rows.events, row, row + 1);
    } else {
      // pilake never writes such a row, so it equals nothing that the archive can hold.
      events.Append(rows.events.time(row), ValueKind::kError, 0, "not a row of pilake's", Flags{});
    }
    ordinals.push_back(rows.ordinal[row]);
  }

  Events InOrder() {
    std::vector<size_t> order(events.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto key = [&](size_t row) { return std::pair(events.ticks[row], ordinals[row]); };
    if (std::ranges::is_sorted(order, {}, key)) return std::move(events);
    std::ranges::stable_sort(order, {}, key);
    Events sorted;
    sorted.Reserve(order.size());
    for (const size_t row : order) sorted.Append(events, row, row + 1);
    return sorted;
  }
};

Status ReadTable(const Run& run, std::vector<Inspected>& all) {
  const auto web_id_of = [&](uint32_t series) -> const std::string& {
    return run.series[series].web_id;
  };
  TimeRange hull = all.front().stretch.range;
  for (const Inspected& one : all) {
    hull.begin = std::min(hull.begin, one.stretch.range.begin);
    hull.end = std::max(hull.end, one.stretch.range.end);
  }
  std::vector<Gathered> gathered(all.size());
  const auto take = [&](delta::Rows& rows) -> Result<bool> {
    for (size_t row = 0; row < rows.size(); ++row) {
      const Inspected* one = Find(run, all, rows.tag_webid[row], rows.events.time(row));
      if (one != nullptr) gathered[static_cast<size_t>(one - all.data())].Take(rows, row);
    }
    return true;
  };
  const delta::RowFilter filter{.web_ids = delta::WebIdRange{web_id_of(all.front().stretch.series),
                                                             web_id_of(all.back().stretch.series)},
                                .range = hull};
  RETURN_IF_ERROR(run.ledger->table().VisitRows(filter, take));
  for (size_t i = 0; i < all.size(); ++i) all[i].table = gathered[i].InOrder();
  return {};
}

}  // namespace

Stretch FirstSlice(const Run& run, uint32_t series, TimeRange range) {
  // Of a series of which nobody knows yet how dense it is.
  constexpr Duration kUnknownSlice = Duration::Days(30);
  const float density = run.density[series];
  const double ticks = std::min(1e17, kSliceRows / static_cast<double>(density) * 1e7);
  const Duration fits =
      density <= kDensityMin
          ? kUnknownSlice
          : std::max(Duration::Seconds(1), Duration::Ticks(static_cast<int64_t>(ticks)));
  return {series, {range.begin, std::min(range.end, range.begin + fits)}};
}

Result<std::vector<Inspected>> Inspect(Run& run, ShardReader& reader,
                                       const std::vector<Stretch>& stretches) {
  std::vector<Inspected> all;
  for (const Stretch& stretch : stretches) all.push_back({.stretch = stretch});
  if (all.empty()) return all;
  RETURN_IF_ERROR(ReadArchive(run, reader, all));
  RETURN_IF_ERROR(ReadTable(run, all));
  for (Inspected& one : all) one.comparison = plan::Compare(one.archive, one.table, one.goes_on);
  return all;
}

}  // namespace pilake::pipeline
