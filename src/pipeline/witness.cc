// SPDX-License-Identifier: Apache-2.0
#include "pipeline/witness.h"

#include <algorithm>

#include "pipeline/probe.h"

namespace pilake::pipeline {
namespace {

constexpr size_t kWitnesses = 20;
constexpr size_t kTimesMax = 32;
// A quarter before a quarter, and one behind it: a gap between events in both is shorter than the
// whole.
constexpr Duration kNear = kMountedMin / 4;

}  // namespace

Result<bool> Witnesses::Show(uint32_t series, const std::vector<UtcTime>& times) {
  if (times.size() > kTimesMax) return false;
  for (const UtcTime time : times) {
    ASSIGN_OR_RETURN(const bool is_shown, ShowAround(series, time));
    if (!is_shown) return false;
  }
  return true;
}

Result<bool> Witnesses::ShowAround(uint32_t series, UtcTime time) {
  const std::vector<uint32_t> witnesses = WitnessesFor(series);
  if (witnesses.empty()) return false;
  const auto [shown, is_new] =
      shown_.try_emplace({witnesses.front(), time.ticks / kNear.ticks}, false);
  if (!is_new) return shown->second;
  const UtcTime begin = UtcTime{time.ticks / kNear.ticks * kNear.ticks}, end = begin + kNear;
  ASSIGN_OR_RETURN(const bool before, HaveEvents(witnesses, {begin - kNear, begin}));
  if (!before) return false;
  ASSIGN_OR_RETURN(const bool behind, HaveEvents(witnesses, {end, end + kNear}));
  shown->second = behind;
  return behind;
}

/// Asks for their newest events before the end of `range`.
Result<bool> Witnesses::HaveEvents(const std::vector<uint32_t>& witnesses, TimeRange range) {
  std::vector<Probed> probed(run_.series.size());
  RETURN_IF_ERROR(
      ProbeNewest(*run_.source, run_.series, witnesses, range.end - Duration::Ticks(1), probed));
  return std::ranges::any_of(witnesses, [&](uint32_t i) {
    return probed[i].newest.last && range.contains(*probed[i].newest.last);
  });
}

/// The densest others of its server.
std::vector<uint32_t> Witnesses::WitnessesFor(uint32_t series) const {
  std::vector<uint32_t> others;
  for (uint32_t i = 0; i < run_.series.size(); ++i) {
    const bool is_other = i != series && !run_.series[i].future && !run_.IsLeftOut(i) &&
                          ServerOf(run_.series[i]) == ServerOf(run_.series[series]);
    if (is_other) others.push_back(i);
  }
  const size_t count = std::min(kWitnesses, others.size());
  std::ranges::partial_sort(others, others.begin() + static_cast<std::ptrdiff_t>(count),
                            std::greater<>(), [&](uint32_t i) { return run_.density[i]; });
  others.resize(count);
  return others;
}

}  // namespace pilake::pipeline
