// SPDX-License-Identifier: Apache-2.0
// What one run knows: the source and the table it speaks to, the series, and what it found of each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/series.h"
#include "core/time.h"
#include "decode/catalog.h"
#include "pipeline/ledger.h"
#include "pipeline/probe.h"
#include "pipeline/progress.h"
#include "pipeline/pull.h"
#include "pipeline/source.h"
#include "plan/finality.h"
#include "plan/packing.h"

namespace pilake::pipeline {

/// Shared by the steps of one run, on its one thread. Vectors are by series, in key order.
struct Run {
  const PullOptions& options;
  const Clock& clock;
  Progress& progress;
  std::stop_token stop;

  std::unique_ptr<Ledger> ledger{};  ///< none: there is no table (`Opening::kLook`, `kNone`)
  std::unique_ptr<Source> source{};
  plan::PackLimits limits{};
  std::vector<Series> series{};
  std::vector<decode::DataServer> servers{};  ///< all that the source shows
  std::vector<float> density{};
  std::vector<Probed> probed{};
  /// Up to where each series is final now; nothing while that is not known of it.
  std::vector<std::optional<UtcTime>> through{};
  /// Those whose newest events were asked for: something of them may be new.
  std::vector<bool> changed{};
  /// Of those: they were not asked for their newest events, nor for their current value. They moved
  /// lately, so that one read from the last covered row on tells all of it. Empty: there are none.
  std::vector<bool> straight{};
  std::map<uint32_t, std::string> held{};         ///< and why
  std::map<uint32_t, std::string> quarantined{};  ///< could not be read, and why
  /// In quarantine, and not asked for in this run; `quarantined` names them too.
  std::set<uint32_t> waiting{};
  bool trusts_many_held = false;  ///< A sample of them was looked at: they were edits.
  /// Why no row may leave the table, as another tool set it; empty: rows may.
  std::string no_removes{};
  PullReport report{};
  UtcTime began{};      ///< by `clock`
  UtcTime settled{};    ///< by `clock`: since when it does what can wait
  UtcTime probed_at{};  ///< by SteadyNow: when the newest events were asked for

  /// By its WebID; nothing if it is not selected.
  std::optional<uint32_t> IndexOf(std::string_view web_id) const;

  /// Not read again in this run, but for looks at a held one.
  bool IsLeftOut(uint32_t i) const { return held.contains(i) || quarantined.contains(i); }

  bool IsStraight(uint32_t i) const { return !straight.empty() && straight[i]; }

  const plan::SeriesCoverage& Covered(uint32_t i) const {
    static const plan::SeriesCoverage kNothing;
    if (!ledger) return kNothing;
    const auto found = ledger->coverage().find(series[i].web_id);
    return found == ledger->coverage().end() ? kNothing : found->second;
  }

  /// By the kind of failure: `kConflict` means that the last covered row did not come back.
  void LeaveOut(uint32_t i, const Error& error) {
    (error.kind == ErrorKind::kConflict ? held : quarantined).emplace(i, error.message);
  }

  /// What the probe said, if the same answer next time means that there is nothing to read: not
  /// while the newest event is so young that what precedes it may still be on its way. Of a future
  /// point see plan::RefreshAt.
  std::optional<plan::Snapshot> SettledSnapshot(uint32_t i) const {
    if (series[i].future) return probed[i].snapshot;
    const std::optional<UtcTime> last = probed[i].newest.last;
    const bool is_settled = last && *last <= report.now - options.settle;
    return is_settled ? probed[i].snapshot : std::nullopt;
  }

  /// The tail holds what a future point has further ahead as it was read in this span of `refresh`.
  bool KnowsWhatIsAhead(uint32_t i) const {
    const bool tail_is_whole = ledger && ledger->tail() && ledger->tail_is_whole();
    return series[i].future && probed[i].snapshot && tail_is_whole &&
           Covered(i).probed == probed[i].snapshot;
  }

  /// Up to where a series is read whose newest events are wanted.
  UtcTime ReadsUpTo(uint32_t i) const {
    const bool is_near = !series[i].future || KnowsWhatIsAhead(i);
    return report.now + (is_near ? plan::kAhead : std::max(plan::kAhead, options.future.horizon));
  }

  /// Forecasts that have passed are compared once more with each refresh, which `advance` is of.
  void LookBack(uint32_t i, plan::Advance& advance) const {
    const plan::SeriesCoverage& covered = Covered(i);
    const bool is_refresh = series[i].future && advance.probed && advance.probed != covered.probed;
    if (!is_refresh || !covered.through()) return;
    const TimeRange passed{report.now - options.future.lookback, *covered.through()};
    if (!passed.empty())
      advance.looks.push_back(plan::FirstLook(plan::LookReason::kForecast, passed, report.now));
  }

  /// Events before it are so old that what came late or was edited is there already when they are
  /// read for the first time.
  UtcTime OldEnough() const { return report.now - options.second_look.after; }

  /// What is left is for the next run; remembers that something is. What can wait gets as much time
  /// as what could not, so that it ends some day however tight the budget is.
  bool HasDoneEnough() {
    const bool is_enough =
        options.enough_after &&
        clock.Now() - settled >= std::max(*options.enough_after, settled - began);
    if (is_enough) report.is_unfinished = true;
    return is_enough;
  }

  bool ShowsTail() const { return options.tail && no_removes.empty(); }

  /// Counts a version that landed and tells of it.
  void Landed(const std::vector<delta::DataFile>& files, int64_t changed_series);

  /// The report, with what was left out; the run is over. `started` by SteadyNow.
  PullReport Report(UtcTime started);
};

/// How a run comes by its table.
enum class Opening : uint8_t {
  kCreate,    ///< makes it if there is none
  kExisting,  ///< it must be there
  kLook,      ///< looks at it if it is there, and makes none
  kNone,      ///< it has none: rows go elsewhere
  kAdopt,     ///< it must be there, and what it says of its coverage does not count
};

/// What every run begins with: asks the source's clocks, resolves the tags, opens the table. Fails
/// where nothing could be called final, nothing is selected, or the table cannot be used; of the
/// source's refusals none leaves a new table behind.
Status Begin(Run& run, Opening opening);

/// Within a run: asks the clocks and looks at what others did to the table, if it has one.
Status CatchUp(Run& run);

/// Begins another pass of a run whose last one went well: asks the clocks and looks at what others
/// did to the table. The tags stay as they were resolved, and so does what is known of densities.
Status BeginAgain(Run& run);

}  // namespace pilake::pipeline
