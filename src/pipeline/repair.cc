// SPDX-License-Identifier: Apache-2.0
#include "pipeline/repair.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/clock.h"
#include "pipeline/ends.h"
#include "pipeline/inspect.h"
#include "pipeline/rewrite.h"
#include "pipeline/witness.h"
#include "plan/compare.h"
#include "plan/look.h"

// Making looks, in short:
//
//   due = second looks and looks of all series, those that ask for the same time side by side
//   for each batch that fits into memory:
//     compare archive and table
//     missing instants: add; changed: add and drop; gone: drop with proof, else look again
//     nothing to drop, or enough of it? write the added rows, write files anew that hold dropped
//       ones, commit rows, looks done and looks to come as one version

namespace pilake::pipeline {
namespace {

using Kind = plan::Difference::Kind;
using plan::Look;
using plan::LookReason;

// When a look that could not be made, or that waits for a person, is tried again.
constexpr Duration kFailedAgain = Duration::Hours(1);
constexpr Duration kWaitingAgain = Duration::Days(1);

// A file is written anew once for all batches that drop rows of it. What they found waits for that
// no longer than this, which is what a kill costs.
constexpr Duration kUncommittedMax = Duration::Minutes(10);

/// A stretch that is due, and the look that asks for it; none: the second look. Long looks are made
/// slice by slice.
struct Due {
  Stretch stretch;
  std::optional<Look> look;
};

/// The last rows of the table are not in the archive: what answers may lag behind, and then not
/// even all that it shows is final.
bool LacksTheEnd(const plan::Comparison& comparison) {
  return !comparison.is_equal() && comparison.differences.back().kind == Kind::kGone;
}

/// Silence has ended. Some rows are no proof of that: forecasts go on while all else is silent.
bool BringsMore(const Inspected& one) {
  return one.comparison.count(Kind::kMissing) > 0;
}

/// There is something else to repair than rows that are to leave.
bool RepairsSome(const plan::Comparison& comparison) {
  return comparison.count(Kind::kGone) < comparison.differences.size();
}

/// Looks at one series may be made in any order.
Events InOrderOfTime(const Events& events) {
  if (std::ranges::is_sorted(events.ticks)) return events;
  std::vector<size_t> order(events.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t row) { return events.ticks[row]; });
  Events sorted;
  for (const size_t row : order) sorted.Append(events, row, row + 1);
  return sorted;
}

class Looker {
 public:
  Looker(Run& run, ShardReader& reader) : run_(run), reader_(reader), witnesses_(run) {}

  Result<Landing> LookAtAll() {
    for (;;) {
      RETURN_IF_ERROR(FindDue());
      if (due_.empty()) return Landing::kCommitted;
      ASSIGN_OR_RETURN(const Landing landing, LookAtDue());
      if (landing == Landing::kOvertaken || run_.report.is_unfinished) return landing;
    }
  }

 private:
  Result<Landing> LookAtDue() {
    while (!due_.empty() && !run_.HasDoneEnough()) {
      ASSIGN_OR_RETURN(const Landing landing, LookAt(TakeBatch()));
      if (landing == Landing::kOvertaken) return landing;
      SortDue();
    }
    return Commit();
  }

  /// What is due, in slices that fit into memory.
  Status FindDue() {
    GatherDue();
    std::vector<uint32_t> unknown;
    for (const Due& due : due_) {
      const uint32_t i = due.stretch.series;
      if (run_.density[i] <= kDensityMin && asked_.insert(i).second) unknown.push_back(i);
    }
    if (unknown.empty()) return {};
    std::ranges::sort(unknown);
    RETURN_IF_ERROR(LearnDensities(run_, unknown));
    GatherDue();
    return {};
  }

  void GatherDue() {
    due_.clear();
    const UtcTime now = run_.report.now;
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      if (run_.quarantined.contains(i) || failed_.contains(i)) continue;
      const plan::SeriesCoverage& covered = run_.Covered(i);
      if (covered.ranges.empty()) continue;
      if (covered.looked && !covered.held) {
        const auto second =
            plan::DueSecondLook(*covered.looked, *covered.through(), now, run_.options.second_look);
        if (second) due_.push_back({FirstSlice(run_, i, *second), std::nullopt});
      }
      for (const Look& look : covered.looks) {
        const bool is_due = look.due <= now || IsAllowed(look);
        if (is_due && (!covered.held || DecidesAboutHeld(look)))
          due_.push_back({FirstPart(i, look), look});
      }
    }
    SortDue();
  }

  /// A part of what waits for a proof would prove nothing. What was seen of it was read in one part
  /// before, whatever the series' newest events say of its density now; and of a slow series there
  /// is little of it.
  Stretch FirstPart(uint32_t i, const Look& look) const {
    const bool is_whole =
        look.reason == LookReason::kGone && (look.seen != 0 || run_.density[i] <= kDensityMin);
    return is_whole ? Stretch{i, look.range} : FirstSlice(run_, i, look.range);
  }

  /// Time-major, so that the server reads one archive file at a time and many series share a call.
  void SortDue() {
    std::ranges::stable_sort(due_, {}, [](const Due& due) {
      return std::tuple(due.stretch.range.begin, due.stretch.range.end, due.stretch.series);
    });
  }

  /// It waited for a person, who has said now that the rows may leave.
  bool IsAllowed(const Look& look) const {
    return run_.options.allow_deletes && look.reason == LookReason::kGone && look.attempt > 0;
  }

  /// Of a held series it is not known whether the archive that answers is the table's: only the
  /// look that is to find out, or a person, may change its rows.
  static bool DecidesAboutHeld(const Look& look) {
    return look.reason == LookReason::kHeld || look.reason == LookReason::kOrdered;
  }

  /// A batch: as much as fits into memory, of about the same time; nothing in it overlaps.
  std::vector<Due> TakeBatch() {
    std::vector<Due> batch, rest;
    std::map<uint32_t, UtcTime> ends;  // of what the batch holds of each series
    const TimeRange first = due_.front().stretch.range;
    const UtcTime latest = first.end + std::max(first.length() * 2, Duration::Days(1));
    double rows = 0;
    for (Due& due : due_) {
      const Stretch& stretch = due.stretch;
      if (MeetsUncommitted(stretch)) continue;  // it is found due again once that is committed
      const double own =
          stretch.range.length().seconds() * static_cast<double>(run_.density[stretch.series]);
      const bool fits = batch.empty() || (stretch.range.end <= latest && rows + own <= kSliceRows &&
                                          batch.size() < kSlicesMax);
      const auto end = ends.find(stretch.series);
      // They come in the order of their begins.
      const bool overlaps = end != ends.end() && stretch.range.begin < end->second;
      if (!fits || overlaps) {
        rest.push_back(std::move(due));
        continue;
      }
      ends.insert_or_assign(stretch.series, stretch.range.end);
      rows += own;
      batch.push_back(std::move(due));
    }
    due_ = std::move(rest);
    return batch;
  }

  Result<Landing> LookAt(std::vector<Due> batch) {
    std::ranges::stable_sort(batch, {}, [](const Due& due) { return due.stretch.series; });
    if (advances_.empty()) first_uncommitted_ = SteadyNow();

    std::vector<Stretch> stretches;
    std::vector<size_t> of_due;  // by stretch
    for (size_t k = 0; k < batch.size(); ++k) {
      const Stretch& wanted = batch[k].stretch;
      const bool is_foreign = batch[k].look && batch[k].look->reason == LookReason::kForeign;
      if (is_foreign) Purge(run_.series[wanted.series].web_id, wanted.range);
      for (const TimeRange& part :
           plan::Intersection(run_.Covered(wanted.series).ranges, wanted.range)) {
        stretches.push_back({wanted.series, part});
        of_due.push_back(k);
      }
    }
    auto inspected = Inspect(run_, reader_, stretches);
    if (!inspected && inspected.error().kind == ErrorKind::kConflict) {
      // The archive changed while we read it: these looks stay due, and the next run makes them.
      for (const Due& due : batch) failed_.insert(due.stretch.series);
      return Landing::kCommitted;
    }
    if (!inspected) return GiveUp(std::move(inspected).error());
    for (size_t k = 0, at = 0; k < batch.size(); ++k) {
      const size_t first = at;
      for (; at < inspected->size() && of_due[at] == k; ++at) {
        const Status heard = HearWitnesses(batch[k], (*inspected)[at]);
        if (!heard) return GiveUp(heard.error());
      }
      Judge(batch[k], std::span(std::as_const(*inspected)).subspan(first, at - first));
    }
    return MustCommit() ? Commit() : Landing::kCommitted;
  }

  /// Of what is not committed yet the table knows nothing: compared again it would be found again.
  bool MeetsUncommitted(const Stretch& stretch) const {
    const auto repaired = repaired_.find(stretch.series);
    if (repaired == repaired_.end()) return false;
    const auto next = repaired->second.lower_bound(stretch.range.begin);
    return next != repaired->second.end() && *next < stretch.range.end;
  }

  bool MustCommit() const {
    const bool rewrites = !drop_.empty() || !purge_.empty();
    return !rewrites || rows_uncommitted_ >= kSliceRows ||
           SteadyNow() - first_uncommitted_ >= kUncommittedMax;
  }

  /// The source does not answer any more. What was found until then is not lost for that.
  tl::unexpected<Error> GiveUp(Error error) {
    if (!run_.stop.stop_requested()) {
      if (auto landing = Commit(); !landing) return tl::unexpected(std::move(landing).error());
    }
    return tl::unexpected(std::move(error));
  }

  /// Before rows leave, by proof: does the archive hold that time at all?
  Status HearWitnesses(const Due& due, Inspected& one) {
    const bool is_foreign = due.look && due.look->reason == LookReason::kForeign;
    if (one.failure || is_foreign || run_.options.allow_deletes) return {};
    one.begin_is_shown = BeginsPiece(one.stretch);  // if the witnesses, who are asked then, say so
    if (!MayDelete(due, one)) return {};
    const auto times = plan::GoneInSilence(one.comparison, one.archive, kMountedMin);
    ASSIGN_OR_RETURN(const bool shown, witnesses_.Show(one.stretch.series, times));
    one.may_be_unmounted = !shown;
    return {};
  }

  void Purge(const std::string& web_id, TimeRange range) {
    TimeRange& purged = purge_.try_emplace(web_id, range).first->second;
    purged = {std::min(purged.begin, range.begin), std::max(purged.end, range.end)};
  }

  /// What the stretches of one look say.
  void Judge(const Due& due, std::span<const Inspected> parts) {
    const uint32_t i = due.stretch.series;
    const UtcTime now = run_.report.now;
    plan::Advance advance{.web_id = run_.series[i].web_id};
    if (due.look) advance.looks_done.push_back(*due.look);
    const auto failed =
        std::ranges::find_if(parts, [](const Inspected& one) { return one.failure.has_value(); });
    if (failed != parts.end()) {
      failed_.insert(i);
      if (!due.look) return;  // it stays due
      Look again = *due.look;
      again.due = now + kFailedAgain;
      advance.looks.push_back(again);
      advances_.push_back(std::move(advance));
      return;
    }
    const bool found = std::ranges::any_of(parts, BringsMore);
    uint64_t seen = 0;
    if (const auto why = WhyStillHeld(due, parts)) {
      run_.held.insert_or_assign(i, *why);
      if (!parts.empty()) seen = plan::DigestOfGone(parts.back().comparison);
    } else {
      for (const Inspected& one : parts) JudgeStretch(due, one, advance);
    }
    ++run_.report.looks;
    if (due.look) {
      AddFollowing(due, found, seen, advance);
    } else {
      GoOnWithSecondLook(due, advance);
    }
    advances_.push_back(std::move(advance));
  }

  void GoOnWithSecondLook(const Due& due, plan::Advance& advance) {
    const uint32_t i = due.stretch.series;
    advance.looked = due.stretch.range.end;
    const auto rest = plan::DueSecondLook(*advance.looked, *run_.Covered(i).through(),
                                          run_.report.now, run_.options.second_look);
    if (rest) due_.push_back({FirstSlice(run_, i, *rest), std::nullopt});
  }

  /// The rest of a look that was made in part, and the look after this one. `seen`: as in a look,
  /// for the next one of a held series.
  void AddFollowing(const Due& due, bool found, uint64_t seen, plan::Advance& advance) {
    Look made = *due.look;
    if (due.stretch.range.end < made.range.end) {
      Look rest = made;
      rest.range.begin = made.range.end = due.stretch.range.end;
      rest.seen = 0;
      advance.looks.push_back(rest);
      due_.push_back({FirstPart(due.stretch.series, rest), rest});
    }
    // Of rows that are gone the judging of the stretch says what comes next.
    if (made.reason == LookReason::kGone) return;
    auto next = plan::NextLook(made, run_.report.now, found);
    if (!next) return;
    next->seen = seen;
    advance.looks.push_back(*next);
  }

  /// Of a held series: what speaks against changing anything of it. A later look may prove that the
  /// rows at its end are gone.
  std::optional<std::string> WhyStillHeld(const Due& due, std::span<const Inspected> parts) const {
    if (!due.look || due.look->reason != LookReason::kHeld) return std::nullopt;
    // Of another archive many series would be held, and the run would not have come so far.
    const bool is_other = std::ranges::none_of(parts, [](const Inspected& one) {
      return plan::IsOfOneArchive(one.comparison) || plan::AreFewAndEdited(one.comparison);
    });
    if (is_other) {
      return "hardly one of the rows before the last one is there either: another archive answers. "
             "If it is the right one, run `pilake adopt`";
    }
    const plan::Comparison& last = parts.back().comparison;
    if (!LacksTheEnd(last) || MayDelete(due, parts.back())) return std::nullopt;
    return fmt::format(
        "the archive does not show the last of its rows any more, {} of {} that were compared: a "
        "member that lags behind answers, or they were deleted",
        last.rows_gone(), last.table_rows);
  }

  void JudgeStretch(const Due& due, const Inspected& one, plan::Advance& advance) {
    const plan::Comparison& comparison = one.comparison;
    if (comparison.is_equal()) return RepairAnchor(one, false, advance);
    const uint32_t i = one.stretch.series;
    const uint64_t gone = plan::DigestOfGone(comparison);
    const bool may_delete = MayDelete(due, one);
    if (!run_.no_removes.empty() && !OnlyMissing(comparison)) return Wait(due, one, advance);
    for (const plan::Difference& difference : comparison.differences) {
      if (difference.kind == Kind::kGone && !may_delete) continue;
      if (difference.kind != Kind::kGone) {
        add_[i].Append(one.archive, difference.archive.begin, difference.archive.end);
      }
      if (difference.kind != Kind::kMissing) drop_[run_.series[i].web_id].insert(difference.time);
      repaired_[i].insert(difference.time);
      rows_uncommitted_ += static_cast<double>(difference.archive.size() + difference.table.size());
      Count(difference);
    }
    if (gone != 0 && !may_delete) WaitForProof(due, one, gone, advance);
    RepairAnchor(one, may_delete, advance);
  }

  static bool OnlyMissing(const plan::Comparison& comparison) {
    return comparison.count(Kind::kMissing) == comparison.differences.size();
  }

  /// The table forbids that rows leave it: the repair waits until somebody permits it.
  void Wait(const Due& due, const Inspected& one, plan::Advance& advance) {
    Look again{.range = one.stretch.range,
               .reason = due.look ? due.look->reason : LookReason::kOrdered,
               .due = run_.report.now + kWaitingAgain};
    advance.looks.push_back(again);
    run_.report.gone.push_back({run_.series[one.stretch.series].path, run_.no_removes});
  }

  bool MayDelete(const Due& due, const Inspected& one) const {
    const uint64_t gone = plan::DigestOfGone(one.comparison);
    if (gone == 0) return false;
    // Where another engine wrote, the table is in doubt and not the archive: one look is enough.
    const bool is_foreign = due.look && due.look->reason == LookReason::kForeign;
    const uint64_t seen = is_foreign ? gone : due.look ? due.look->seen : 0;
    if (run_.options.allow_deletes && seen == gone) return true;
    if (one.may_be_unmounted) return false;
    return (is_foreign && plan::MayReplace(one.comparison)) ||
           plan::MayDelete(one.comparison, seen, one.begin_is_shown);
  }

  void Count(const plan::Difference& difference) {
    PullReport& report = run_.report;
    if (difference.kind == Kind::kMissing) report.rows_added_late += Rows(difference.archive);
    if (difference.kind == Kind::kChanged) report.rows_changed += Rows(difference.archive);
    if (difference.kind == Kind::kGone) report.rows_deleted += Rows(difference.table);
  }
  static int64_t Rows(const plan::RowSpan& span) { return static_cast<int64_t>(span.size()); }

  /// The same stretch is read again in an hour; of one too small to prove anything, a wider one.
  void WaitForProof(const Due& due, const Inspected& one, uint64_t gone, plan::Advance& advance) {
    const plan::Comparison& comparison = one.comparison;
    const auto rows_gone = static_cast<int64_t>(comparison.rows_gone());
    const UtcTime now = run_.report.now;
    Look look = plan::FirstLook(LookReason::kGone, one.stretch.range, now);
    look.seen = gone;
    const bool is_proved =
        due.look && due.look->reason == LookReason::kGone && due.look->seen == gone;
    if (LacksFrame(due, one) && RepairsSome(comparison) && due.look->attempt == 0) {
      // What is repaired now frames them.
      Look again = plan::FirstLook(LookReason::kForeign, one.stretch.range, UtcTime{});
      again.attempt = 1;
      advance.looks.push_back(again);
      return;
    }
    const TimeRange around = Around(one.stretch);
    if (LacksFrame(due, one) && around != one.stretch.range &&
        FirstSlice(run_, one.stretch.series, around).range == around) {
      advance.looks.push_back(plan::FirstLook(LookReason::kForeign, around, UtcTime{}));
      return;
    }
    if (const auto wider = Widened(one);
        wider && !plan::MayDelete(comparison, gone, BeginsPiece(one.stretch))) {
      look.range = *wider;
      look.seen = 0;  // more may be gone of it: that is seen at once, so that the hour counts
      look.due = now;
    } else if (is_proved) {
      look.due = now + kWaitingAgain;
      look.attempt = 1;
      run_.report.gone.push_back(
          {run_.series[one.stretch.series].path,
           fmt::format("{} of {} rows between {} and {} are not in the archive any more: {}. Look "
                       "there; if it is right, run with --allow-deletes",
                       rows_gone, comparison.table_rows, FormatUtcTime(one.stretch.range.begin),
                       FormatUtcTime(one.stretch.range.end),
                       one.may_be_unmounted
                           ? "nor is anything else of that time, as if a file of the archive were "
                             "not mounted"
                           : "too many, or at the edge of what it shows")});
    }
    advance.looks.push_back(look);
  }

  /// Rows that another engine may have invented stand at the edge of what it touched: what is
  /// beyond tells at once whether they do.
  static bool LacksFrame(const Due& due, const Inspected& one) {
    return due.look && due.look->reason == LookReason::kForeign &&
           std::ranges::any_of(one.comparison.differences, [](const plan::Difference& difference) {
             return difference.kind == Kind::kGone && !difference.is_framed;
           });
  }

  /// The covered piece that the stretch is a part of.
  TimeRange PieceOf(const Stretch& stretch) const {
    const auto& pieces = run_.Covered(stretch.series).ranges;
    const auto piece = std::ranges::find_if(pieces, [&](const TimeRange& one) {
      return one.begin <= stretch.range.begin && stretch.range.end <= one.end;
    });
    return piece == pieces.end() ? stretch.range : *piece;
  }

  bool BeginsPiece(const Stretch& stretch) const {
    return stretch.range.begin == PieceOf(stretch).begin;
  }

  /// Four times as long, within the covered piece.
  TimeRange Around(const Stretch& stretch) const {
    const TimeRange range = stretch.range, piece = PieceOf(stretch);
    const Duration more = std::max(range.length() * 3 / 2, Duration::Seconds(1));
    return {std::max(piece.begin, range.begin - more), std::min(piece.end, range.end + more)};
  }

  /// As long as that. None if even all of the piece would be too small, if that could not be looked
  /// at in one part, or if a person has said that so many may leave. Nor is it for little more: the
  /// piece grows with every run, and what cannot be proved would never be told.
  std::optional<TimeRange> Widened(const Inspected& one) const {
    const TimeRange around = Around(one.stretch);
    const auto rows_gone = static_cast<double>(one.comparison.rows_gone());
    const bool proves_nothing = rows_gone * 100 > RowsOf(one, PieceOf(one.stretch));
    const Look look{.range = around, .reason = LookReason::kGone};
    const bool fits =
        RowsOf(one, around) <= kSliceRows && FirstPart(one.stretch.series, look).range == around;
    const bool is_wider = around.length() * 4 > one.stretch.range.length() * 5;
    if (run_.options.allow_deletes || proves_nothing || !fits || !is_wider) return std::nullopt;
    return around;
  }

  /// Of the table, by what one stretch holds.
  static double RowsOf(const Inspected& one, TimeRange range) {
    return static_cast<double>(one.comparison.table_rows) * range.length().seconds() /
           one.stretch.range.length().seconds();
  }

  /// The newest covered instant may have been edited or deleted: the next read must meet what
  /// stands there now.
  void RepairAnchor(const Inspected& one, bool may_delete, plan::Advance& advance) const {
    const plan::SeriesCoverage& covered = run_.Covered(one.stretch.series);
    const bool reaches_the_end = one.stretch.range.end == covered.through();
    if (!reaches_the_end || one.archive.empty()) return;
    const bool keeps_gone = plan::DigestOfGone(one.comparison) != 0 && !may_delete;
    // A row that waits for proof is still the newest of the table, and must come back.
    if (keeps_gone && one.comparison.differences.back().kind == Kind::kGone) return;
    size_t begin = one.archive.size() - 1;
    while (begin > 0 && one.archive.ticks[begin - 1] == one.archive.ticks.back()) --begin;
    const plan::Instant newest = plan::InstantOf(one.archive, begin, one.archive.size());
    if (covered.anchor != newest || covered.held) advance.repaired_anchor = newest;
  }

  Result<Landing> Commit() {
    Change change{.advances = std::exchange(advances_, {}), .operation = "MERGE"};
    ASSIGN_OR_RETURN(change.add, WriteAdded());
    if (!drop_.empty() || !purge_.empty()) {
      ASSIGN_OR_RETURN(Rewritten rewritten, RewriteDropped());
      change.remove = std::move(rewritten.remove);
      change.add.insert(change.add.end(), rewritten.add.begin(), rewritten.add.end());
    }
    add_.clear();
    drop_.clear();
    purge_.clear();
    repaired_.clear();
    rows_uncommitted_ = 0;
    if (change.advances.empty()) return Landing::kCommitted;
    ASSIGN_OR_RETURN(const Landing landing, run_.ledger->Commit(std::move(change)));
    if (landing == Landing::kCommitted) ++run_.report.commits;
    return landing;
  }

  Result<std::vector<delta::DataFile>> WriteAdded() {
    std::vector<delta::DataFile> files;
    if (add_.empty()) return files;
    ASSIGN_OR_RETURN(auto file, run_.ledger->table().NewFile());
    for (const auto& [i, events] : add_) {
      const Events sorted = InOrderOfTime(events);
      RETURN_IF_ERROR(file->Append(run_.series[i], sorted, 0, sorted.size(), 0, run_.clock.Now()));
    }
    ASSIGN_OR_RETURN(delta::DataFile done, file->Finish());
    files.push_back(std::move(done));
    return files;
  }

  Result<Rewritten> RewriteDropped() {
    RewriteScope scope{.but = run_.ledger->tail().value_or(std::vector<std::string>())};
    std::optional<TimeRange> times;
    const auto widen = [&](std::string_view web_id, TimeRange range) {
      times = times
                  ? TimeRange{std::min(times->begin, range.begin), std::max(times->end, range.end)}
                  : range;
      if (!scope.web_ids) scope.web_ids = delta::WebIdRange::Only(web_id);
      scope.web_ids->first = std::min(scope.web_ids->first, std::string(web_id));
      scope.web_ids->last = std::max(scope.web_ids->last, std::string(web_id));
    };
    for (const auto& [web_id, instants] : drop_)
      widen(web_id, {*instants.begin(), *instants.rbegin() + Duration::Ticks(1)});
    for (const auto& [web_id, range] : purge_) widen(web_id, range);
    scope.times = *times;
    return RewriteFiles(run_.ledger->table(), scope, [&](std::string_view web_id, UtcTime time) {
      if (const auto dropped = drop_.find(web_id);
          dropped != drop_.end() && dropped->second.contains(time)) {
        return false;
      }
      return !IsForeign(web_id, time);
    });
  }

  /// A row where another engine wrote and nothing is covered, before the open end: it is none of
  /// ours, and would stand twice once that part is read.
  bool IsForeign(std::string_view web_id, UtcTime time) const {
    const auto purged = purge_.find(web_id);
    if (purged == purge_.end() || !purged->second.contains(time)) return false;
    const auto covered = run_.ledger->coverage().find(web_id);
    if (covered == run_.ledger->coverage().end()) return false;
    const auto& ranges = covered->second.ranges;
    return time < ranges.back().end && !plan::Overlaps(ranges, {time, time + Duration::Ticks(1)});
  }

  Run& run_;
  ShardReader& reader_;
  Witnesses witnesses_;
  std::vector<Due> due_;
  std::set<uint32_t> asked_;   // how dense they are
  std::set<uint32_t> failed_;  // could not be looked at in this run

  // Found, and not committed yet.
  UtcTime first_uncommitted_;
  double rows_uncommitted_ = 0;
  std::map<uint32_t, std::set<UtcTime>> repaired_;  // instants of `add_` and `drop_`
  std::map<uint32_t, Events> add_;
  std::map<std::string, std::set<UtcTime>, std::less<>> drop_;
  std::map<std::string, TimeRange, std::less<>> purge_;
  std::vector<plan::Advance> advances_;
};

}  // namespace

Result<Landing> MakeLooks(Run& run, ShardReader& reader) {
  return Looker(run, reader).LookAtAll();
}

Result<size_t> CountEdited(Run& run, ShardReader& reader, const std::vector<uint32_t>& series) {
  std::vector<Stretch> stretches;
  for (const uint32_t i : series) {
    const plan::SeriesCoverage& covered = run.Covered(i);
    const auto look = std::ranges::find(covered.looks, LookReason::kHeld, &Look::reason);
    if (look != covered.looks.end()) stretches.push_back({i, look->range});
  }
  const auto inspected = Inspect(run, reader, stretches);
  if (!inspected && inspected.error().kind == ErrorKind::kConflict) return size_t{0};
  if (!inspected) return tl::unexpected(inspected.error());
  return static_cast<size_t>(std::ranges::count_if(*inspected, [](const Inspected& one) {
    return !one.failure && plan::IsOfOneArchive(one.comparison) && !LacksTheEnd(one.comparison);
  }));
}

}  // namespace pilake::pipeline
