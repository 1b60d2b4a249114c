// SPDX-License-Identifier: Apache-2.0
#include "pipeline/settle.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/clock.h"
#include "pipeline/hearer.h"
#include "pipeline/held.h"
#include "pipeline/live_tail.h"
#include "pipeline/probe.h"
#include "pipeline/rewrite.h"
#include "pipeline/shard_signs.h"
#include "plan/finality.h"

// A pass, in short:
//
//   tasks = the changed series, each from where it is covered to a little beyond now
//   read them in key order: rows before `through` to the body's file, the others to the tail's
//     (of a series that was not probed the first page tells what `through` is)
//   of the old tail take over what belongs to series that did not change or could not be read
//   nothing new in it? forget the files. Else commit body + new tail - old tail + coverage

namespace pilake::pipeline {
namespace {

// How often a pass is read again because the archive changed under the reading.
constexpr int kAttemptsMax = 4;

// Of a tail that stays the same, more files than this become one all the same.
constexpr size_t kTailFilesMax = 8;

constexpr UtcTime kNever{std::numeric_limits<int64_t>::max()};

/// A sum over the rows of a tail, whatever their order, that tells whether two tails are the same.
struct TailDigest {
  uint64_t rows = 0;
  uint64_t sum = 0;

  void Add(std::string_view web_id, const Events& events, size_t row) {
    uint64_t hash = std::hash<std::string_view>()(web_id);
    for (const uint64_t part : {static_cast<uint64_t>(events.ticks[row]), Fingerprint(events, row),
                                uint64_t{events.flags[row].bits}}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15ull;
      hash ^= hash >> 29;
    }
    ++rows;
    sum += hash;
  }
  bool operator==(const TailDigest&) const = default;
};

/// Shows each row of the tail that stands now and is of a selected series to `take`.
template <typename Take>
Status VisitTail(const Run& run, const Take& take) {
  ASSIGN_OR_RETURN(const auto tail, run.ledger->ActiveTail());
  std::vector<std::string> files;
  for (const delta::FileFacts& file : tail) files.push_back(file.path);
  if (files.empty()) return {};
  return run.ledger->table().VisitRows({.files = files}, [&](delta::Rows& rows) -> Result<bool> {
    for (size_t row = 0; row < rows.size(); ++row) {
      if (const auto i = run.IndexOf(rows.tag_webid[row])) take(*i, rows.events.time(row));
    }
    return true;
  });
}

class Pass {
 public:
  Pass(Run& run, ShardReader& reader, ShardWriter& writer, std::optional<UtcTime> border)
      : run_(run),
        reader_(reader),
        writer_(writer),
        border_(border),
        newest_(run.series.size(), LiveTail::kNothing),
        signs_(run.report.now) {}

  Result<Settled> Do() {
    before_ = run_.ledger->tail();
    ASSIGN_OR_RETURN(const auto old_tail, run_.ledger->ActiveTail());
    for (const delta::FileFacts& file : old_tail) old_tail_.push_back(file.path);
    PlanTasks();
    if (tasks_.empty() && run_.ledger->tail_is_whole() && !run_.options.hearer) return Settled{};
    RETURN_IF_ERROR(ReadTasks());
    if (auto held = ManyHeld(run_, outcomes_); !held.empty()) {
      writer_.DropShard();
      return Settled{.many_held = std::move(held)};
    }
    std::vector<plan::Advance> advances = TakeOutcomes();
    ForgetReading();
    RETURN_IF_ERROR(TakeOver());
    if (!run_.ledger->tail_is_whole()) RETURN_IF_ERROR(PurgeLostTail());
    ASSIGN_OR_RETURN(const Landing landing, Land(std::move(advances)));
    return Settled{.landing = landing};
  }

 private:
  /// One series of the pass.
  struct Settling {
    UtcTime from;          ///< where its covered part ends
    UtcTime through;       ///< final up to here
    UtcTime end;           ///< read up to here
    bool is_covered;       ///< at all, before this pass
    bool is_open = false;  ///< `through` is not known yet: the first rows tell
  };

  void PlanTasks() {
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      if (!run_.changed[i] || run_.IsLeftOut(i)) continue;
      if (border_ && run_.IsStraight(i)) continue;  // it is not far behind
      const plan::SeriesCoverage& covered = run_.Covered(i);
      Settling settling = Begin(i, covered);
      const bool is_cut = border_ && !run_.series[i].future && settling.through >= *border_;
      settling.end = is_cut ? *border_ : run_.ReadsUpTo(i);
      if (settling.from >= settling.end) continue;
      plan::Task task{.series = i, .range = {settling.from, settling.end}};
      // The newest event that was asked for is close to now: of future points there are more.
      // Since then more may have come.
      if (run_.IsStraight(i)) {
        task.newest = run_.report.now;
        task.count_min = PageOfASet();
      } else if (!run_.series[i].future) {
        task.newest =
            run_.probed[i].newest.last.value_or(settling.from) + (SteadyNow() - run_.probed_at);
      }
      if (covered.anchor && settling.is_covered) {
        task.keep_from = settling.from;
        task.range.begin = covered.anchor->time;
        task.expected = plan::Expected{.instant = *covered.anchor, .is_anchor = true};
      }
      const UtcTime through = run_.IsStraight(i) ? FinalAtMost(settling) : settling.through;
      signs_.Expect(i, {settling.from, through}, covered.outage, run_.density[i]);
      tasks_.push_back(std::move(task));
      settlings_.push_back(settling);
    }
  }

  /// As many events as the server gives of each series when it is asked for a whole set of them.
  uint32_t PageOfASet() const {
    constexpr uint32_t kEnough = 1000;
    return std::min(kEnough, run_.limits.items_max / run_.limits.set_series_max);
  }

  UtcTime FinalAtMost(const Settling& settling) const {
    return std::max(settling.from, run_.report.now - run_.options.settle);
  }

  /// A series goes on where it is covered. One that is not begins shortly before it is final, so
  /// that from now on it has a covered end; what lies before is a gap like any other.
  Settling Begin(uint32_t i, const plan::SeriesCoverage& covered) const {
    if (const auto end = covered.through()) {
      return {.from = *end,
              .through = std::max(*end, run_.through[i].value_or(*end)),
              .end = {},
              .is_covered = true};
    }
    const UtcTime history = run_.options.history_from;
    const UtcTime through = std::max(history, run_.through[i].value_or(history));
    const UtcTime shortly = through - std::max(run_.options.settle, Duration::Seconds(1));
    return {.from = std::max(history, shortly), .through = through, .end = {}, .is_covered = false};
  }

  Status ReadTasks() {
    // What stands around now, or does not, says little of how dense a series was before.
    density_ = run_.density;
    const Status status = ReadUntilTheArchiveKeepsStill();
    run_.density = std::move(density_);
    return status;
  }

  Status ReadUntilTheArchiveKeepsStill() {
    for (int attempt = 1;; ++attempt) {
      OpenStraight();
      last_body_.clear();
      digest_ = {};
      body_rows_ = 0;
      std::ranges::fill(newest_, LiveTail::kNothing);
      const auto sort = [&](Rows rows) { return Sort(std::move(rows)); };
      auto outcomes = reader_.Read({.tasks = tasks_}, sort, plan::Lane::kIncrement);
      if (outcomes) {
        outcomes_ = std::move(*outcomes);
        return {};
      }
      if (outcomes.error().kind != ErrorKind::kConflict || attempt == kAttemptsMax)
        return tl::unexpected(std::move(outcomes).error());
      writer_.DropShard();  // the archive changed while we read: the rows cannot be trusted
      signs_.StartAgain();
    }
  }

  void OpenStraight() {
    for (size_t k = 0; k < tasks_.size(); ++k) {
      const uint32_t i = tasks_[k].series;
      if (!run_.IsStraight(i)) continue;
      run_.through[i] = settlings_[k].through = settlings_[k].from;
      settlings_[k].is_open = true;
      signs_.Correct(i, settlings_[k].from, run_.density[i]);
    }
  }

  /// Finds A and S in the first rows of a series that was not probed. They are of one page, so of
  /// one moment; had it been cut short, S would be one of those that follow, which is as good. What
  /// later pages bring is of later moments: in between the archive's queue may have brought events
  /// that were not there when the first page passed them, so of those nothing is final yet.
  void FindThrough(Settling& settling, const Rows& rows) {
    settling.is_open = false;
    if (!rows.is_begin) return;
    const uint32_t i = rows.series;
    const plan::Instant& anchor = *run_.Covered(i).anchor;
    const auto& ticks = rows.events.ticks;
    const size_t count = rows.last - rows.first;
    const plan::Newest newest{.last = UtcTime{ticks[rows.last - 1]},
                              .previous = count > 1 ? UtcTime{ticks[rows.last - 2]} : anchor.time};
    const auto through = plan::FinalThrough(newest, run_.report.now, run_.options.settle);
    settling.through = std::max(settling.from, *through);
    run_.through[i] = settling.through;
    // The anchor is one more.
    density_[i] = DensityOf(count, *newest.last - anchor.time).value_or(density_[i]);
    signs_.Correct(i, settling.through, density_[i]);
  }

  /// Hands rows to the part of the table where they belong.
  bool Sort(Rows rows) {
    Settling& settling = OfSeries(rows.series);
    if (settling.is_open) FindThrough(settling, rows);
    const auto& ticks = rows.events.ticks;
    newest_[rows.series] = ticks[rows.last - 1];
    const auto begin = ticks.begin() + static_cast<std::ptrdiff_t>(rows.first);
    const auto end = ticks.begin() + static_cast<std::ptrdiff_t>(rows.last);
    const auto border =
        static_cast<size_t>(std::lower_bound(begin, end, settling.through.ticks) - ticks.begin());
    if (border < rows.last) {
      Rows tail{.series = rows.series, .events = {}, .first = 0, .last = rows.last - border};
      tail.events.Append(rows.events, border, rows.last);
      const std::string& web_id = run_.series[rows.series].web_id;
      for (size_t row = 0; row < tail.last; ++row) digest_.Add(web_id, tail.events, row);
      if (!writer_.Append(std::move(tail), Place::kTail)) return false;
    }
    if (border == rows.first) return true;
    rows.last = border;
    body_rows_ += border - rows.first;
    last_body_.insert_or_assign(rows.series, LastInstant(rows));
    signs_.Take(rows);
    return writer_.Append(std::move(rows), Place::kBody);
  }

  Settling& OfSeries(uint32_t series) {
    const auto task = std::ranges::lower_bound(tasks_, series, {}, &plan::Task::series);
    return settlings_[static_cast<size_t>(task - tasks_.begin())];
  }

  std::vector<plan::Advance> TakeOutcomes() {
    std::vector<plan::Advance> advances;
    for (size_t k = 0; k < outcomes_.size(); ++k) {
      const TaskOutcome& outcome = outcomes_[k];
      const Settling& settling = settlings_[k];
      const uint32_t i = outcome.series;
      const std::string& web_id = run_.series[i].web_id;
      if (outcome.failure) run_.LeaveOut(i, *outcome.failure);
      // What was not read stays in the tail as it was.
      const bool is_cut = settling.end == border_ || run_.KnowsWhatIsAhead(i);
      taken_over_from_[web_id] = outcome.failure ? std::max(settling.from, outcome.read.end)
                                                 : (is_cut ? settling.end : kNever);
      plan::Advance advance{.web_id = web_id};
      const UtcTime end = std::min(settling.through, std::max(settling.from, outcome.read.end));
      advance.range = {settling.from, end};
      if (const auto last = last_body_.find(i); last != last_body_.end())
        advance.last_instant = last->second;
      const bool is_whole = !outcome.failure && settling.end != border_;
      if (is_whole) {
        advance.probed = run_.SettledSnapshot(i);
        run_.LookBack(i, advance);
      }
      if (!run_.Covered(i).looked) advance.looked = run_.OldEnough();
      if (!advance.range.empty()) signs_.Tell(i, advance);
      if (outcome.failure && outcome.failure->kind == ErrorKind::kConflict) Hold(run_, i, advance);
      if (IsNews(i, advance)) advances.push_back(std::move(advance));
    }
    return advances;
  }

  /// It is most of what a pass over many series holds, and the commit needs room of its own.
  void ForgetReading() {
    // With `{}` they would keep their memory.
    tasks_ = decltype(tasks_)();
    settlings_ = decltype(settlings_)();
    outcomes_ = decltype(outcomes_)();
    last_body_ = decltype(last_body_)();
    signs_ = ShardSigns(run_.report.now);
  }

  /// False for an advance that would change nothing. A series of which nothing is covered keeps
  /// being asked, unless it has just its newest event: then the probe tells when there is more.
  bool IsNews(uint32_t i, plan::Advance& advance) const {
    const plan::SeriesCoverage& covered = run_.Covered(i);
    const bool will_be_covered = !covered.ranges.empty() || !advance.range.empty();
    if (!will_be_covered && run_.probed[i].newest.previous) advance.probed.reset();
    const bool is_newly_held = advance.held && !covered.held;
    return !advance.range.empty() || is_newly_held ||
           (advance.probed && advance.probed != covered.probed);
  }

  /// Streams the old tail: what of it belongs to the new one goes to a file of its own.
  Status TakeOver() {
    const plan::Coverage& coverage = run_.ledger->coverage();
    const auto visit = [&](delta::Rows& rows) -> Result<bool> {
      for (size_t row = 0; row < rows.size(); ++row) {
        const std::string& web_id = rows.tag_webid[row];
        old_digest_.Add(web_id, rows.events, row);
        UtcTime from{std::numeric_limits<int64_t>::min()};
        if (const auto bound = taken_over_from_.find(web_id); bound != taken_over_from_.end()) {
          from = bound->second;
        } else if (const auto covered = coverage.find(web_id); covered != coverage.end()) {
          from = covered->second.through().value_or(from);
        }
        if (rows.events.time(row) < from) continue;
        RETURN_IF_ERROR(TakeOver(rows, row));
      }
      return true;
    };
    if (old_tail_.empty()) return {};
    return run_.ledger->table().VisitRows({.files = old_tail_}, visit);
  }

  Status TakeOver(const delta::Rows& rows, size_t row) {
    digest_.Add(rows.tag_webid[row], rows.events, row);
    if (!taken_over_) {
      ASSIGN_OR_RETURN(taken_over_, run_.ledger->table().NewFile());
    }
    if (const auto i = run_.IndexOf(rows.tag_webid[row]))
      newest_[*i] = std::max(newest_[*i], rows.events.ticks[row]);
    return taken_over_->Append(rows, row, row + 1);
  }

  /// The files that live versions added to the tail since the pass began; nothing if another writer
  /// did more than that.
  Result<std::optional<std::vector<std::string>>> Heard() {
    if (!before_) return std::vector<std::string>();
    const bool was_whole = run_.ledger->tail_is_whole();
    RETURN_IF_ERROR(run_.ledger->CatchUp());
    const Tail& now = run_.ledger->tail();
    const bool goes_on = now && now->size() >= before_->size() &&
                         std::equal(before_->begin(), before_->end(), now->begin());
    if (!goes_on || run_.ledger->tail_is_whole() != was_whole) return std::nullopt;
    const auto first = now->begin() + static_cast<std::ptrdiff_t>(before_->size());
    return std::vector<std::string>(first, now->end());
  }

  /// What was heard since the last time: what is newer than all that the archive showed goes over.
  /// The rest is in the archive, or compression dropped it. False if another writer came between.
  Result<bool> TakeOverHeard() {
    ASSIGN_OR_RETURN(const auto heard, Heard());
    if (!heard) return false;
    if (heard->empty()) return true;
    before_->insert(before_->end(), heard->begin(), heard->end());
    has_heard_ = true;
    std::pair<std::string, int64_t> last;  // taken over
    const auto visit = [&](delta::Rows& rows) -> Result<bool> {
      for (size_t row = 0; row < rows.size(); ++row) {
        const std::string& web_id = rows.tag_webid[row];
        const int64_t ticks = rows.events.ticks[row];
        const auto i = run_.IndexOf(web_id);
        const bool is_of_last_instant = last.second == ticks && last.first == web_id;
        if (i && ticks <= newest_[*i] && !is_of_last_instant) continue;
        RETURN_IF_ERROR(TakeOver(rows, row));
        last = {web_id, ticks};
      }
      return true;
    };
    RETURN_IF_ERROR(run_.ledger->table().VisitRows({.files = *heard}, visit));
    return true;
  }

  /// Tells the one who hears what the table shows now.
  void ShowNewest() {
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      const auto through = run_.Covered(i).through();
      // The current value of a point without events is no event either.
      const bool has_events = through || newest_[i] != LiveTail::kNothing;
      if (run_.series[i].future || run_.IsLeftOut(i) || !has_events) {
        newest_[i] = LiveTail::kNotNow;
      } else if (through) {
        newest_[i] = std::max(newest_[i], through->ticks - 1);
      }
    }
    run_.options.hearer->live().Show(run_.series, std::move(newest_),
                                     run_.ledger->table().version());
  }

  /// Makes the version. Who hears has to wait only for the last of it: what he told while the
  /// archive was read, minutes perhaps, has been taken over by then and stands in finished files.
  ///
  /// Why nothing is lost or stands twice by that: live versions only add files, each newer in all
  /// its series than the one before, so it does not matter in how many goes they are taken over.
  /// `before_` names those that were; whoever holds the lock finds the rest of them and adds no
  /// more, and the version lands only on a tail of just these files.
  Result<Landing> Land(std::vector<plan::Advance> advances) {
    Change change{.advances = std::move(advances)};
    ASSIGN_OR_RETURN(bool goes_on, TakeOverHeard());
    if (goes_on && HasNews()) {
      RETURN_IF_ERROR(FinishFiles(change));
      RETURN_IF_ERROR(run_.ledger->Stage(change));
      ASSIGN_OR_RETURN(goes_on, TakeOverHeard());
      if (goes_on) RETURN_IF_ERROR(FinishFiles(change));
    }
    ASSIGN_OR_RETURN(const Landing landing,
                     goes_on ? LandHeld(std::move(change)) : Landing::kOvertaken);
    if (landing == Landing::kOvertaken) writer_.DropShard();
    RETURN_IF_ERROR(run_.ledger->KeepHouse());
    return landing;
  }

  /// No live version is made meanwhile.
  Result<Landing> LandHeld(Change change) {
    Hearer* hearer = run_.options.hearer;
    const auto held = hearer != nullptr ? hearer->live().Hold() : std::unique_lock<std::mutex>();
    ASSIGN_OR_RETURN(const bool goes_on, TakeOverHeard());
    if (!goes_on) return Landing::kOvertaken;
    ASSIGN_OR_RETURN(const Landing landing, Commit(std::move(change)));
    if (hearer != nullptr && landing == Landing::kCommitted && !border_) ShowNewest();
    return landing;
  }

  /// Another engine merged files of the tail with others: their rows may be anywhere now. What
  /// stands behind the covered end of its series was the tail's; this version brings it anew.
  Status PurgeLostTail() {
    const plan::Coverage& coverage = run_.ledger->coverage();
    UtcTime begin = kNever;
    for (const auto& [web_id, covered] : coverage)
      begin = std::min(begin, covered.through().value_or(run_.options.history_from));
    begin = std::min(begin, run_.options.history_from);
    ASSIGN_OR_RETURN(
        rewritten_, RewriteFiles(run_.ledger->table(), {.but = old_tail_, .times = {begin, kNever}},
                                 [&](std::string_view web_id, UtcTime time) {
                                   const auto covered = coverage.find(web_id);
                                   if (covered == coverage.end()) return true;
                                   const auto through = covered->second.through();
                                   return through && time < *through;
                                 }));
    return {};
  }

  /// Whether a version would show other rows than the one before.
  bool HasNews() const {
    const bool is_same_tail = before_ && run_.ledger->tail_is_whole() && digest_ == old_digest_ &&
                              !has_heard_ && old_tail_.size() <= kTailFilesMax;
    return !is_same_tail || body_rows_ > 0;
  }

  /// What was written since the last time goes into `change`.
  Status FinishFiles(Change& change) {
    if (!change.tail) {
      writer_.EndShard();
      ASSIGN_OR_RETURN(ShardFiles files, writer_.TakeShard());
      body_ = std::move(files.body);
      change.add = body_;
      change.tail = std::move(files.tail);
      change.remove = std::move(rewritten_.remove);
      change.add.insert(change.add.end(), rewritten_.add.begin(), rewritten_.add.end());
    }
    if (!taken_over_) return {};
    ASSIGN_OR_RETURN(delta::DataFile file, std::exchange(taken_over_, nullptr)->Finish());
    change.tail->push_back(std::move(file));
    return {};
  }

  Result<Landing> Commit(Change change) {
    if (HasNews()) {
      RETURN_IF_ERROR(FinishFiles(change));
    } else {
      writer_.DropShard();
      taken_over_.reset();
      if (change.advances.empty()) return Landing::kCommitted;
    }
    change.tail_before = before_;
    change.leaves_house = true;
    const auto changed_series = static_cast<int64_t>(change.advances.size());
    ASSIGN_OR_RETURN(const Landing landing, run_.ledger->Commit(std::move(change)));
    if (landing == Landing::kCommitted) run_.Landed(body_, changed_series);
    return landing;
  }

  Run& run_;
  ShardReader& reader_;
  ShardWriter& writer_;
  const std::optional<UtcTime> border_;

  Tail before_;                        // as it stands
  std::vector<std::string> old_tail_;  // its files that are still active
  std::vector<plan::Task> tasks_;      // in key order
  std::vector<Settling> settlings_;    // by task
  std::vector<TaskOutcome> outcomes_;  // by task
  std::unordered_map<uint32_t, plan::Instant> last_body_;
  std::unordered_map<std::string_view, UtcTime> taken_over_from_;
  std::unique_ptr<delta::FileWriter> taken_over_;
  TailDigest digest_, old_digest_;
  std::vector<float> density_;   // by series: as it is believed after this pass
  std::vector<int64_t> newest_;  // by series: ticks of the newest row that the table will show
  bool has_heard_ = false;       // rows came while the archive was read
  size_t body_rows_ = 0;
  ShardSigns signs_;
  Rewritten rewritten_;
  std::vector<delta::DataFile> body_;
};

}  // namespace

Result<Settled> Settle(Run& run, ShardReader& reader, ShardWriter& writer,
                       std::optional<UtcTime> border) {
  return Pass(run, reader, writer, border).Do();
}

Result<std::optional<UtcTime>> TailEnd(const Run& run) {
  std::optional<UtcTime> end;
  RETURN_IF_ERROR(VisitTail(run, [&](uint32_t i, UtcTime time) {
    if (time >= run.report.now || run.series[i].future) return;
    end = std::max(end.value_or(time), time + Duration::Ticks(1));
  }));
  return end;
}

Result<std::vector<int64_t>> NewestOfTail(const Run& run) {
  std::vector<int64_t> newest(run.series.size(), LiveTail::kNothing);
  RETURN_IF_ERROR(VisitTail(
      run, [&](uint32_t i, UtcTime time) { newest[i] = std::max(newest[i], time.ticks); }));
  return newest;
}

}  // namespace pilake::pipeline
