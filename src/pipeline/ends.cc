// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ends.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "core/clock.h"
#include "pipeline/probe.h"
#include "pipeline/shard_reader.h"
#include "plan/finality.h"

namespace pilake::pipeline {
namespace {

bool WantsMore(const Run& run, uint32_t i, UtcTime through) {
  return !plan::Missing(run.Covered(i).ranges, {run.options.history_from, through}).empty();
}

/// A table that is to show a tail and has none yet, or lost some of it to another engine, needs it
/// of every series.
bool TailIsWhole(const Run& run) {
  if (!run.ShowsTail()) return true;
  return run.ledger && run.ledger->tail() && run.ledger->tail_is_whole();
}

/// What answers for future points: their current value says nothing of what they have ahead.
void AddRefreshes(Run& run) {
  for (size_t i = 0; i < run.series.size(); ++i) {
    if (run.series[i].future)
      run.probed[i].snapshot = plan::RefreshAt(run.options.future, run.report.now);
  }
}

/// What was read of a series with the same current value depends on where the history begins: if
/// that moved, all are asked again. One event alone is never covered, so only this tells. And it
/// depends on when it was read: what waited in the archive's queue then may be there now.
void AddHistoryAndSilence(Run& run) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ull;
  const auto begin = static_cast<uint64_t>(run.options.history_from.ticks);
  for (size_t i = 0; i < run.probed.size(); ++i) {
    auto& snapshot = run.probed[i].snapshot;
    if (!snapshot) continue;
    snapshot->digest ^= begin * kOdd;
    if (run.series[i].future) continue;
    const auto reads = static_cast<uint64_t>(plan::ReadsDue(run.report.now - snapshot->time));
    snapshot->digest ^= reads * (kOdd << 1);
  }
}

/// The newest covered end: when the table was brought up to date last, or a little before.
UtcTime NewestCovered(const Run& run) {
  UtcTime newest{};
  for (uint32_t i = 0; i < run.series.size(); ++i)
    newest = std::max(newest, run.Covered(i).through().value_or(UtcTime{}));
  return newest;
}

/// It moved so lately before the table was last brought up to date, `newest`, that it most likely
/// did again since, and little came since.
bool MovedLately(const Run& run, uint32_t i, UtcTime newest) {
  // A stream reads again within minutes, and what was killed, however often, is started again soon.
  constexpr Duration kLately = Duration::Minutes(15), kSoon = Duration::Hours(1);
  const auto through = run.Covered(i).through();
  return through && newest - *through <= kLately &&
         run.report.now - newest <= run.options.settle + kSoon;
}

/// Nothing of it is missing or doubtful but what is newer than all that is covered.
bool IsInOrder(const Run& run, uint32_t i) {
  const plan::SeriesCoverage& covered = run.Covered(i);
  return covered.anchor && !covered.held && !covered.quarantine &&
         !WantsMore(run, i, *covered.through());
}

/// All series but those that could not be read and are not to be tried yet: these are named.
std::vector<uint32_t> ToBeAsked(Run& run, bool tail_is_whole) {
  std::vector<uint32_t> asked;
  for (uint32_t i = 0; i < run.series.size(); ++i) {
    const auto& quarantine = run.Covered(i).quarantine;
    const bool waits = quarantine && tail_is_whole && !run.options.try_all &&
                       !plan::IsDue(*quarantine, run.report.now);
    if (!waits) {
      asked.push_back(i);
      continue;
    }
    run.waiting.insert(i);
    run.quarantined.emplace(
        i, fmt::format("{} (since {}; not asked for again before {})", quarantine->reason,
                       FormatUtcTime(quarantine->since), FormatUtcTime(quarantine->next_try)));
  }
  return asked;
}

}  // namespace

void GoStraight(Run& run) {
  if (!run.ShowsTail() || !TailIsWhole(run)) return;
  run.straight.resize(run.series.size());
  const UtcTime newest = NewestCovered(run);
  for (uint32_t i = 0; i < run.series.size(); ++i)
    run.straight[i] = !run.series[i].future && MovedLately(run, i, newest) && IsInOrder(run, i);
}

Status FindEnds(Run& run) {
  run.progress.stage = "asking what changed";
  const size_t count = run.series.size();
  run.probed.resize(count);
  run.through.resize(count);
  run.changed.resize(count);
  const bool tail_is_whole = TailIsWhole(run);
  const std::vector<uint32_t> all = ToBeAsked(run, tail_is_whole);
  std::vector<uint32_t> doubtful;
  std::ranges::copy_if(all, std::back_inserter(doubtful),
                       [&](uint32_t i) { return !run.IsStraight(i); });
  RETURN_IF_ERROR(ProbeSnapshots(*run.source, run.series, doubtful, run.probed));
  AddRefreshes(run);
  AddHistoryAndSilence(run);
  std::vector<uint32_t> asked;
  for (const uint32_t i : all) {
    const plan::SeriesCoverage& covered = run.Covered(i);
    run.through[i] = covered.through();
    if (run.probed[i].failure) continue;
    // A future point may have an event that is close ahead now, whatever was read before.
    const bool is_same = tail_is_whole && !run.series[i].future && run.probed[i].snapshot &&
                         covered.probed == run.probed[i].snapshot;
    run.changed[i] = !is_same;
    if (!is_same) ++run.report.series_changed;
    if (run.IsStraight(i)) continue;
    if (!is_same || (run.through[i] && WantsMore(run, i, *run.through[i]))) asked.push_back(i);
  }
  const UtcTime ahead = run.report.now + plan::kAhead;
  run.probed_at = SteadyNow();
  RETURN_IF_ERROR(ProbeNewest(*run.source, run.series, asked, ahead, run.probed));
  for (const uint32_t i : asked) {
    const Probed& probed = run.probed[i];
    if (probed.failure) continue;
    run.density[i] = std::max(kDensityMin, probed.density);
    const auto through = plan::FinalThrough(probed.newest, run.report.now, run.options.settle);
    // The open end never moves backwards.
    if (through && (!run.through[i] || *run.through[i] < *through)) run.through[i] = through;
  }
  for (const uint32_t i : all) {
    if (run.probed[i].failure) run.quarantined.emplace(i, run.probed[i].failure->message);
    if (!run.through[i]) ++run.report.series_without_final_rows;
  }
  return {};
}

Status LearnDensities(Run& run, const std::vector<uint32_t>& which) {
  std::vector<Probed> probed(run.series.size());
  RETURN_IF_ERROR(ProbeNewest(*run.source, run.series, which, run.report.now, probed));
  for (const uint32_t i : which) run.density[i] = std::max(kDensityMin, probed[i].density);
  return {};
}

Missing FindMissing(const Run& run) {
  const size_t count = run.series.size();
  Missing missing{.behind = std::vector<plan::Ranges>(count),
                  .before = std::vector<plan::Ranges>(count)};
  for (uint32_t i = 0; i < count; ++i) {
    if (run.IsLeftOut(i) || !run.through[i]) continue;
    const plan::SeriesCoverage& covered = run.Covered(i);
    if (covered.ranges.empty() && run.ShowsTail()) continue;
    for (const TimeRange& range :
         plan::Missing(covered.ranges, {run.options.history_from, *run.through[i]})) {
      const bool follows = !covered.ranges.empty() && range.begin >= covered.ranges.back().end;
      (follows ? missing.behind : missing.before)[i].push_back(range);
    }
  }
  return missing;
}

}  // namespace pilake::pipeline
