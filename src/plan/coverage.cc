// SPDX-License-Identifier: Apache-2.0
#include "plan/coverage.h"

#include <algorithm>

namespace pilake::plan {

void AddRange(Ranges& ranges, TimeRange range) {
  if (range.empty()) return;
  // Everything that overlaps or touches `range` melts into it.
  const auto first = std::ranges::lower_bound(ranges, range.begin, {}, &TimeRange::end);
  auto last = first;
  for (; last != ranges.end() && last->begin <= range.end; ++last) {
    range.begin = std::min(range.begin, last->begin);
    range.end = std::max(range.end, last->end);
  }
  ranges.insert(ranges.erase(first, last), range);
}

Ranges Missing(const Ranges& covered, TimeRange wanted) {
  Ranges missing;
  for (const TimeRange& range : covered) {
    if (wanted.empty() || range.begin >= wanted.end) break;
    if (range.end <= wanted.begin) continue;
    if (wanted.begin < range.begin) missing.push_back({wanted.begin, range.begin});
    wanted.begin = range.end;
  }
  if (!wanted.empty()) missing.push_back(wanted);
  return missing;
}

Ranges Intersection(const Ranges& ranges, TimeRange range) {
  Ranges parts;
  for (const TimeRange& piece : ranges) {
    const TimeRange part{std::max(piece.begin, range.begin), std::min(piece.end, range.end)};
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

bool Overlaps(const Ranges& ranges, TimeRange range) {
  if (range.empty()) return false;
  return std::ranges::any_of(ranges, [&](const TimeRange& covered) {
    return covered.begin < range.end && range.begin < covered.end;
  });
}

void Apply(Coverage& coverage, const Advance& advance) {
  SeriesCoverage& series = coverage[advance.web_id];
  const auto through_before = series.through();
  AddRange(series.ranges, advance.range);
  if (advance.last_instant &&
      (!series.anchor || series.anchor->time < advance.last_instant->time)) {
    series.anchor = advance.last_instant;
  }
  if (advance.forgets_anchor) {
    series.anchor.reset();
    series.held.reset();
  }
  if (advance.repaired_anchor) {
    series.anchor = advance.repaired_anchor;
    series.held.reset();
  }
  // What a probe said before the open end moved says nothing of what lies behind it now.
  if (advance.probed || series.through() != through_before) series.probed = advance.probed;
  if (advance.looked)
    series.looked = std::max(series.looked.value_or(*advance.looked), *advance.looked);
  for (const Look& done : advance.looks_done) std::erase(series.looks, done);
  for (const Look& look : advance.looks) AddLook(series.looks, look);
  if (series.through() != through_before) {
    series.held.reset();
    series.outage = advance.outage;
  }
  if (advance.held && !series.held) series.held = advance.held;
  if (advance.quarantine) series.quarantine = advance.quarantine;
  if (advance.ends_quarantine) series.quarantine.reset();
  if (!series.held) {
    std::erase_if(series.looks, [](const Look& look) { return look.reason == LookReason::kHeld; });
  }
}

bool StillMissing(const Coverage& coverage, const std::vector<Advance>& advances) {
  return std::ranges::none_of(advances, [&](const Advance& advance) {
    const auto found = coverage.find(advance.web_id);
    return found != coverage.end() && Overlaps(found->second.ranges, advance.range);
  });
}

}  // namespace pilake::plan
