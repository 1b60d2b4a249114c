// SPDX-License-Identifier: Apache-2.0
#include "pipeline/held.h"

#include <algorithm>

#include "plan/look.h"

namespace pilake::pipeline {
namespace {

// How many rows before one that did not come back are looked at.
constexpr double kHeldRows = 500;

// So many series that do not find their last row again may be another archive that answers.
constexpr size_t kHeldMin = 10;
constexpr double kHeldShare = 0.1;

constexpr size_t kSample = 20;

}  // namespace

void Hold(const Run& run, uint32_t series, plan::Advance& advance) {
  const plan::SeriesCoverage& covered = run.Covered(series);
  advance.held = run.report.now;
  if (covered.held) return;  // its look is waiting
  const double seconds = kHeldRows / static_cast<double>(run.density[series]);
  const Duration back = std::clamp(Duration::Ticks(static_cast<int64_t>(seconds * 1e7)),
                                   Duration::Hours(1), Duration::Days(90));
  const UtcTime begin = std::max(covered.ranges.back().begin, covered.anchor->time - back);
  advance.looks.push_back(
      plan::FirstLook(plan::LookReason::kHeld, {begin, covered.ranges.back().end}, run.report.now));
}

std::vector<uint32_t> ManyHeld(const Run& run, std::span<const TaskOutcome> outcomes) {
  std::vector<uint32_t> held;
  if (run.trusts_many_held) return held;
  for (const TaskOutcome& outcome : outcomes) {
    if (outcome.failure && outcome.failure->kind == ErrorKind::kConflict)
      held.push_back(outcome.series);
  }
  const double share = kHeldShare * static_cast<double>(outcomes.size());
  if (held.size() <= kHeldMin || static_cast<double>(held.size()) <= share) held.clear();
  return held;
}

std::vector<uint32_t> SampleOfHeld(const std::vector<uint32_t>& held) {
  std::vector<uint32_t> sample;
  const size_t step = std::max<size_t>(1, held.size() / kSample);
  for (size_t k = 0; k < held.size(); k += step) sample.push_back(held[k]);
  return sample;
}

}  // namespace pilake::pipeline
