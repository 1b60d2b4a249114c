// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pull.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "pipeline/ends.h"
#include "pipeline/hearer.h"
#include "pipeline/held.h"
#include "pipeline/live_tail.h"
#include "pipeline/repair.h"
#include "pipeline/rewrite.h"
#include "pipeline/run.h"
#include "pipeline/settle.h"
#include "pipeline/shard_reader.h"
#include "pipeline/shard_signs.h"
#include "pipeline/shard_writer.h"
#include "plan/finality.h"
#include "plan/name_mask.h"
#include "plan/shards.h"

// Pull, in short:
//
//   now    = ask the source's clocks; stop if they disagree
//   series = resolve the tags
//   ledger = open the table, read what it covers
//   keep the tables of points and digital states; stop if most points are gone
//   probe:   whose current value moved? of those: A, S -> final through
//   until nothing is missing:
//     settle: read what follows the covered part of those; one version moves the open ends and
//       renews the tail        (far behind? first up to the old tail's end, then shard by shard)
//     missing = [history.from, final through) - covered
//     for each shard of missing (increments oldest first, then backfill newest first):
//       read it in key order, write its files        (http, decoding and writing threads)
//       commit files + coverage as one version       (overtaken by another run? plan again)

namespace pilake::pipeline {
namespace {

// How often a shard is read again because the archive changed under the reading.
constexpr int kShardAttemptsMax = 4;

class Puller {
 public:
  Puller(const PullOptions& options, const Clock& clock, Progress& progress, std::stop_token stop)
      : run_{.options = options, .clock = clock, .progress = progress, .stop = std::move(stop)} {}

  Result<PullReport> Pull() {
    const UtcTime started = SteadyNow();
    RETURN_IF_ERROR(Begin(run_, Opening::kCreate));
    RETURN_IF_ERROR(ListenFromNow());
    return Pass(started);
  }

  /// After one that went well.
  Result<PullReport> PullAgain() {
    const UtcTime started = SteadyNow();
    has_released_ = false;
    hears_from_now_ = false;
    RETURN_IF_ERROR(BeginAgain(run_));
    return Pass(started);
  }

  /// After one that went well, if it is heard that something has changed. Asks nothing if not.
  Status LookAgain() {
    ASSIGN_OR_RETURN(const bool is_due, OrderWhatIsHeard());
    if (!is_due) return {};
    RETURN_IF_ERROR(CatchUp(run_));
    ShardReader reader(*run_.source, run_.series, run_.density, run_.limits, run_.progress);
    return Look(reader);
  }

  Result<PullReport> Reread(const RereadOptions& what) {
    const UtcTime started = SteadyNow();
    RETURN_IF_ERROR(Begin(run_, Opening::kExisting));
    Change change;
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      const plan::SeriesCoverage& covered = run_.Covered(i);
      if (covered.ranges.empty() || !what.selects(run_.series[i])) continue;
      TimeRange range =
          what.range.value_or(TimeRange{covered.ranges.front().begin, covered.ranges.back().end});
      range.end = std::min(range.end, covered.ranges.back().end);
      if (range.empty()) continue;
      change.advances.push_back(
          {.web_id = run_.series[i].web_id,
           .looks = {plan::FirstLook(plan::LookReason::kOrdered, range, UtcTime{})}});
    }
    if (change.advances.empty()) {
      return Fail(
          ErrorKind::kInvalid,
          "the table covers nothing of that: no point of the configuration has such a name, "
          "or the time is not covered");
    }
    ASSIGN_OR_RETURN(const Landing ordered, run_.ledger->Commit(std::move(change)));
    if (ordered == Landing::kCommitted) ++run_.report.commits;
    ShardReader reader(*run_.source, run_.series, run_.density, run_.limits, run_.progress);
    RETURN_IF_ERROR(Look(reader));
    return run_.Report(started);
  }

  Result<PullReport> Adopt() {
    const UtcTime started = SteadyNow();
    RETURN_IF_ERROR(Begin(run_, Opening::kAdopt));
    RETURN_IF_ERROR(FindEnds(run_));
    RETURN_IF_ERROR(AdoptRows());
    RETURN_IF_ERROR(ReadWhatIsMissing());
    return run_.Report(started);
  }

 private:
  Result<PullReport> Pass(UtcTime started) {
    if (run_.options.hearer != nullptr) GoStraight(run_);
    RETURN_IF_ERROR(FindEnds(run_));
    RETURN_IF_ERROR(ReadWhatIsMissing());
    RETURN_IF_ERROR(RememberUnreadable());
    return run_.Report(started);
  }

  /// One shard as it is read.
  struct Work {
    plan::Shard shard{};
    std::vector<TimeRange> missing{};  // by task: what it adds to the coverage
    std::optional<Tail> tail{};        // as it stood when a shard was planned that moves open ends
    ShardSigns signs;
  };

  /// One shard that was read and is to be committed; its rows are in the writer's files.
  struct Done {
    std::vector<plan::Advance> advances;
    std::optional<Tail> tail;
  };

  /// The times of the rows of each series that the table holds, whoever wrote them.
  Result<std::map<std::string, TimeRange>> RowsBySeries() const {
    std::map<std::string, TimeRange> times;
    const auto note = [&](delta::Rows& rows) -> Result<bool> {
      for (size_t row = 0; row < rows.size(); ++row) {
        const UtcTime time = rows.events.time(row), behind = time + Duration::Ticks(1);
        const auto [found, is_new] = times.try_emplace(rows.tag_webid[row], time, behind);
        if (is_new) continue;
        found->second.begin = std::min(found->second.begin, time);
        found->second.end = std::max(found->second.end, behind);
      }
      return true;
    };
    RETURN_IF_ERROR(run_.ledger->table().VisitRows({}, note));
    return times;
  }

  /// Everything that is there counts as covered and is to be compared; what is younger than final
  /// goes, since it comes anew. Series that are not selected are compared once they are.
  Status AdoptRows() {
    run_.progress.stage = "looking at the rows";
    ASSIGN_OR_RETURN(const auto rows, RowsBySeries());
    std::map<std::string, std::optional<UtcTime>, std::less<>> through;
    for (uint32_t i = 0; i < run_.series.size(); ++i)
      through.emplace(run_.series[i].web_id, run_.through[i]);
    Change change{.operation = "MERGE"};
    for (const auto& [web_id, times] : rows) {
      TimeRange range = times;
      if (const auto selected = through.find(web_id); selected != through.end()) {
        if (!selected->second) continue;
        range = {std::min(times.begin, run_.options.history_from), *selected->second};
      }
      if (range.empty()) continue;
      change.advances.push_back(
          {.web_id = web_id,
           .range = range,
           .looked = run_.OldEnough(),
           .looks = {plan::FirstLook(plan::LookReason::kForeign, range, UtcTime{})}});
    }
    const auto keep = [&](std::string_view web_id, UtcTime time) {
      const auto selected = through.find(web_id);
      return selected == through.end() || (selected->second && time < *selected->second);
    };
    constexpr UtcTime kNever{std::numeric_limits<int64_t>::max()};
    ASSIGN_OR_RETURN(Rewritten rewritten,
                     RewriteFiles(run_.ledger->table(), {.times = {UtcTime{}, kNever}}, keep));
    change.add = std::move(rewritten.add);
    change.remove = std::move(rewritten.remove);
    ASSIGN_OR_RETURN(const Landing landing, run_.ledger->Commit(std::move(change)));
    if (landing == Landing::kOvertaken) {
      return Fail(ErrorKind::kTransient, "another writer changed {} meanwhile; try again",
                  run_.ledger->table().url());
    }
    // The changed ends are known now; the anchors come from the looks.
    run_.changed.assign(run_.series.size(), true);
    return {};
  }

  Status ReadWhatIsMissing() {
    run_.progress.stage = "reading";
    ShardReader reader(*run_.source, run_.series, run_.density, run_.limits, run_.progress);
    // Files are named and written on another thread than commits are made: each has its own handle.
    ASSIGN_OR_RETURN(const auto files,
                     delta::Table::Open(run_.options.table.url, run_.options.table.store));
    ShardWriter writer(*files, run_.series, static_cast<int64_t>(run_.options.rows_per_shard),
                       run_.clock.Now(), run_.stop);
    do {
      must_plan_again_ = false;
      if (run_.ShowsTail()) {
        RETURN_IF_ERROR(SettleAll(reader, writer));
      } else if (run_.ledger->tail() && run_.no_removes.empty()) {
        RETURN_IF_ERROR(EndTail());
      }
      RETURN_IF_ERROR(ReadMissing(What::kIncrement, reader, writer));
      run_.settled = run_.clock.Now();
      if (!must_plan_again_) RETURN_IF_ERROR(Look(reader));
      RETURN_IF_ERROR(ReadMissing(What::kBackfill, reader, writer));
    } while (must_plan_again_);
    return {};
  }

  /// Moves the open ends in one version. After a long stop that would be a version of millions of
  /// rows, and a kill would cost them all: then the old tail is settled first, what follows comes
  /// shard by shard, and the new tail last.
  Status SettleAll(ShardReader& reader, ShardWriter& writer) {
    const bool is_far_behind = IncrementRows() > run_.options.rows_per_shard;
    if (is_far_behind) {
      SuspendLive();
      ASSIGN_OR_RETURN(const auto border, TailEnd(run_));
      if (border) RETURN_IF_ERROR(SettleOnce(reader, writer, border));
      if (!must_plan_again_) RETURN_IF_ERROR(ReadMissing(What::kIncrement, reader, writer));
    }
    return must_plan_again_ ? Status() : SettleOnce(reader, writer, std::nullopt);
  }

  /// What happens from now on is shown while the run reads what came before, however long that
  /// takes. Nothing that is heard is older than the run then, and so than all that it covers shard
  /// by shard. Who listens already goes on as he does.
  Status ListenFromNow() {
    const bool shows_tail = run_.ShowsTail() && run_.ledger->tail() && run_.ledger->tail_is_whole();
    if (run_.options.hearer == nullptr || !shows_tail) return {};
    LiveTail& live = run_.options.hearer->live();
    if (live.is_listening()) return {};
    const auto held = live.Hold();
    if (const auto caught_up = run_.ledger->CatchUp(); !caught_up)
      return tl::unexpected(caught_up.error());
    ASSIGN_OR_RETURN(std::vector<int64_t> newest, NewestOfTail(run_));
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      const plan::SeriesCoverage& covered = run_.Covered(i);
      const bool is_known = newest[i] != LiveTail::kNothing || !covered.ranges.empty();
      const bool may_hear =
          is_known && !run_.series[i].future && !covered.held && !covered.quarantine;
      newest[i] = may_hear ? std::max(newest[i], run_.report.now.ticks - 1) : LiveTail::kNotNow;
    }
    live.Show(run_.series, std::move(newest), run_.ledger->table().version());
    hears_from_now_ = true;
    return {};
  }

  /// Shards that move open ends need a tail that keeps still, or rows in it that are all newer.
  void SuspendLive() {
    if (run_.options.hearer == nullptr || hears_from_now_) return;
    LiveTail& live = run_.options.hearer->live();
    const auto held = live.Hold();
    live.Suspend();
  }

  Status SettleOnce(ShardReader& reader, ShardWriter& writer, std::optional<UtcTime> border) {
    ASSIGN_OR_RETURN(const Settled settled, Settle(run_, reader, writer, border));
    if (settled.landing == Landing::kOvertaken) must_plan_again_ = true;
    return settled.many_held.empty() ? Status() : JudgeManyHeld(settled.many_held, reader);
  }

  /// So many series lost their last row that another archive may answer. A few of them are looked
  /// at: if most were edits, so are the others, and the run goes on with them; else it ends here,
  /// before any row is touched.
  Status JudgeManyHeld(const std::vector<uint32_t>& held, ShardReader& reader) {
    Change change;
    const std::vector<uint32_t> sample = SampleOfHeld(held);
    for (const uint32_t i : sample) {
      plan::Advance advance{.web_id = run_.series[i].web_id};
      Hold(run_, i, advance);
      if (!run_.Covered(i).held) change.advances.push_back(std::move(advance));
    }
    Landing landing = Landing::kCommitted;
    if (!change.advances.empty()) {
      ASSIGN_OR_RETURN(landing, run_.ledger->Commit(std::move(change)));
    }
    if (landing == Landing::kOvertaken) {
      must_plan_again_ = true;
      return {};
    }
    ASSIGN_OR_RETURN(const size_t edited, CountEdited(run_, reader, sample));
    if (edited * 2 <= sample.size()) {
      return Fail(ErrorKind::kUnreachable,
                  "{} of {} series do not find their last rows again, and of {} that were looked "
                  "at {} do not fit the archive either: a restored archive, another one, or a "
                  "member that lags behind answers at {}. No row was changed; a member that lags "
                  "catches up by itself. If this archive is the right one, run `pilake adopt`",
                  held.size(), run_.series.size(), sample.size(), sample.size() - edited,
                  run_.source->url());
    }
    run_.trusts_many_held = true;
    must_plan_again_ = true;
    return {};
  }

  /// What is heard to have changed is due at once, and stands in the table until it was looked at.
  /// False if there is no such thing.
  Result<bool> OrderWhatIsHeard() {
    if (run_.options.hearer == nullptr) return false;
    const Doubts doubts = run_.options.hearer->TakeDoubts();
    Change change;
    for (const auto& [web_id, ranges] : doubts) {
      const auto i = run_.IndexOf(web_id);
      if (!i) continue;
      plan::Advance advance{.web_id = web_id};
      for (const TimeRange& range : ranges) {
        for (const TimeRange& part : plan::Intersection(run_.Covered(*i).ranges, range))
          advance.looks.push_back(plan::FirstLook(plan::LookReason::kHeard, part, UtcTime{}));
      }
      if (!advance.looks.empty()) change.advances.push_back(std::move(advance));
    }
    if (change.advances.empty()) return false;
    const auto landing = run_.ledger->Commit(std::move(change));
    if (!landing || *landing == Landing::kOvertaken) run_.options.hearer->GiveBack(doubts);
    if (!landing) return tl::unexpected(landing.error());
    if (*landing == Landing::kCommitted) ++run_.report.commits;
    return true;
  }

  /// Doubt comes after what is new and before what is old. A held series that a look released can
  /// go on at once.
  Status Look(ShardReader& reader) {
    if (const auto ordered = OrderWhatIsHeard(); !ordered) return tl::unexpected(ordered.error());
    run_.progress.stage = "looking again";
    const int64_t reads_before = run_.progress.series_reads;
    const int64_t events_before = run_.progress.events;
    ASSIGN_OR_RETURN(const Landing landing, MakeLooks(run_, reader));
    run_.report.look_reads += run_.progress.series_reads - reads_before;
    run_.report.look_events += run_.progress.events - events_before;
    run_.progress.stage = "reading";
    const size_t released =
        std::erase_if(run_.held, [&](const auto& held) { return !run_.Covered(held.first).held; });
    // Once: a series that is held again and again is not for this run to settle.
    const bool can_go_on = released > 0 && !std::exchange(has_released_, true);
    if (landing == Landing::kOvertaken || can_go_on) must_plan_again_ = true;
    return {};
  }

  /// What could not be read goes into quarantine; what could be again, or is not selected any more,
  /// leaves it.
  Status RememberUnreadable() {
    Change change;
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      if (run_.waiting.contains(i)) continue;
      const auto& before = run_.Covered(i).quarantine;
      plan::Advance advance{.web_id = run_.series[i].web_id};
      if (const auto failed = run_.quarantined.find(i); failed != run_.quarantined.end()) {
        advance.quarantine =
            plan::Quarantined(before, run_.series[i].path, failed->second, run_.report.now);
      } else if (before) {
        advance.ends_quarantine = true;
      } else {
        continue;
      }
      change.advances.push_back(std::move(advance));
    }
    for (const auto& [web_id, covered] : run_.ledger->coverage()) {
      if (covered.quarantine && !run_.IndexOf(web_id))
        change.advances.push_back({.web_id = web_id, .ends_quarantine = true});
    }
    if (change.advances.empty()) return {};
    // It covers nothing, so that no other run can overtake it.
    ASSIGN_OR_RETURN(const Landing landing, run_.ledger->Commit(std::move(change)));
    if (landing == Landing::kCommitted) ++run_.report.commits;
    return {};
  }

  /// The table shows final rows only from now on.
  Status EndTail() {
    ASSIGN_OR_RETURN(const Landing landing,
                     run_.ledger->Commit({.ends_tail = true, .tail_before = run_.ledger->tail()}));
    if (landing == Landing::kOvertaken) must_plan_again_ = true;
    return {};
  }

  double IncrementRows() const {
    double rows = 0;
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      const auto end = run_.Covered(i).through();
      if (!end || !run_.through[i] || run_.IsLeftOut(i)) continue;
      rows += (*run_.through[i] - *end).seconds() * static_cast<double>(run_.density[i]);
    }
    return rows;
  }

  int64_t RowsIn(const std::vector<plan::Ranges>& missing) const {
    double rows = 0;
    for (size_t i = 0; i < missing.size(); ++i) {
      for (const TimeRange& range : missing[i])
        rows += range.length().seconds() * static_cast<double>(run_.density[i]);
    }
    return static_cast<int64_t>(rows);
  }

  /// Increments oldest first, backfill newest first; nothing once the run must plan again.
  enum class What : uint8_t { kIncrement, kBackfill };
  Status ReadMissing(What what, ShardReader& reader, ShardWriter& writer) {
    if (must_plan_again_) return {};
    using Order = plan::ShardCutter::Order;
    Missing missing = FindMissing(run_);
    run_.progress.rows_expected =
        run_.progress.rows_read + RowsIn(missing.behind) + RowsIn(missing.before);
    const bool is_increment = what == What::kIncrement;
    plan::ShardCutter cutter(std::move(is_increment ? missing.behind : missing.before),
                             run_.options.rows_per_shard,
                             is_increment ? Order::kOldestFirst : Order::kNewestFirst);
    if (!is_increment && run_.options.hand_out) return HandOutShards(cutter);
    return ReadShards(cutter, is_increment ? plan::Lane::kIncrement : plan::Lane::kBackfill, reader,
                      writer);
  }

  /// The shards are read and written elsewhere; each is still a version of its own.
  Status HandOutShards(plan::ShardCutter& cutter) {
    const HandOut& hand_out = *run_.options.hand_out;
    std::vector<Part> parts;
    while (auto shard = cutter.Next(run_.density)) {
      std::erase_if(shard->tasks,
                    [&](const plan::Task& task) { return run_.IsLeftOut(task.series); });
      if (shard->tasks.empty()) continue;
      parts.push_back(
          MakePart(shard->tasks, run_.series, run_.density, run_.limits, run_.report.now));
    }
    if (parts.empty()) return {};
    for (Part& part : parts)
      part.share = 1.0 / static_cast<double>(std::min(hand_out.at_once, parts.size()));
    return hand_out.write(parts,
                          [&](const WrittenPart& written) { return CommitWritten(written); });
  }

  /// Files and coverage of a shard that was written elsewhere, as one version.
  Status CommitWritten(const WrittenPart& written) {
    Change change{.add = written.files, .is_older_than_live = hears_from_now_};
    for (const auto& [web_id, covered] : written.coverage) {
      const auto i = run_.IndexOf(web_id);
      if (!i || !run_.through[*i])
        return Fail(ErrorKind::kInvalid, "a part of another run: {} is none of its series", web_id);
      if (covered.quarantine) run_.LeaveOut(*i, {ErrorKind::kRefused, covered.quarantine->reason});
      for (const TimeRange& range : covered.ranges) {
        plan::Advance advance{.web_id = web_id, .range = range};
        if (covered.anchor && range.contains(covered.anchor->time))
          advance.last_instant = covered.anchor;
        advance.looks = covered.looks;
        advance.outage = covered.outage;
        Complete(*i, advance);
        change.advances.push_back(std::move(advance));
      }
    }
    if (change.advances.empty()) return {};
    const auto changed_series = static_cast<int64_t>(written.coverage.size());
    ASSIGN_OR_RETURN(const Landing landing, run_.ledger->Commit(change));
    if (landing == Landing::kOvertaken) {
      must_plan_again_ = true;
    } else {
      run_.Landed(written.files, changed_series);
    }
    return {};
  }

  /// What else an advance says that reads up to `advance.range`'s end.
  void Complete(uint32_t i, plan::Advance& advance) {
    if (advance.range.end == *run_.through[i]) {
      advance.probed = run_.SettledSnapshot(i);
      run_.LookBack(i, advance);
    }
    if (!run_.Covered(i).looked) advance.looked = run_.OldEnough();
  }

  /// Reads shard after shard; the files of one are finished and committed while the next is read.
  Status ReadShards(plan::ShardCutter& cutter, plan::Lane lane, ShardReader& reader,
                    ShardWriter& writer) {
    std::optional<Done> written;
    while (!must_plan_again_) {
      auto shard = cutter.Next(run_.density);
      if (!shard || (lane == plan::Lane::kBackfill && run_.HasDoneEnough())) break;
      Work work = Anchored(std::move(shard->tasks));
      ASSIGN_OR_RETURN(Done done, ReadOne(std::move(work), lane, reader, writer));
      if (!many_held_.empty()) {
        writer.DropShard();
        break;
      }
      if (written) RETURN_IF_ERROR(CommitOne(std::move(*written), writer));
      if (!writer.EndShard()) return tl::unexpected(writer.TakeShard().error());
      written = std::move(done);
    }
    if (written) RETURN_IF_ERROR(CommitOne(std::move(*written), writer));
    if (many_held_.empty()) return {};
    return JudgeManyHeld(std::exchange(many_held_, {}), reader);
  }

  /// A task that goes on where the covered part ends begins at the anchor, which must come back as
  /// it was: the price is one row a read (see plan::Expected).
  Work Anchored(std::vector<plan::Task> tasks) const {
    Work work{.signs = ShardSigns(run_.report.now)};
    work.missing.reserve(tasks.size());
    work.shard.tasks.reserve(tasks.size());
    for (plan::Task& task : tasks) {
      if (run_.IsLeftOut(task.series)) continue;
      work.missing.push_back(task.range);
      const plan::SeriesCoverage& covered = run_.Covered(task.series);
      const bool follows = !covered.ranges.empty() && covered.ranges.back().end == task.range.begin;
      if (follows) work.tail = run_.ledger->tail();
      work.signs.Expect(task.series, task.range, follows ? covered.outage : std::nullopt,
                        run_.density[task.series]);
      if (follows && covered.anchor) {
        task.keep_from = task.range.begin;
        task.range.begin = covered.anchor->time;
        task.expected = plan::Expected{.instant = *covered.anchor, .is_anchor = true};
      }
      work.shard.tasks.push_back(std::move(task));
    }
    return work;
  }

  Result<Done> ReadOne(Work work, plan::Lane lane, ShardReader& reader, ShardWriter& writer) {
    for (int attempt = 1;; ++attempt) {
      const auto take = [&](Rows rows) {
        work.signs.Take(rows);
        return writer.Append(std::move(rows));
      };
      auto outcomes = reader.Read(work.shard, take, lane);
      if (outcomes) {
        many_held_ = ManyHeld(run_, *outcomes);
        return many_held_.empty() ? TakeOutcomes(work, *outcomes) : Done();
      }
      if (outcomes.error().kind != ErrorKind::kConflict || attempt == kShardAttemptsMax) {
        return tl::unexpected(std::move(outcomes).error());
      }
      writer.DropShard();  // the archive changed while we read: the rows cannot be trusted
      work.signs.StartAgain();
    }
  }

  Done TakeOutcomes(Work& work, const std::vector<TaskOutcome>& outcomes) {
    Done done{.advances = {}, .tail = std::move(work.tail)};
    done.advances.reserve(outcomes.size());
    for (size_t k = 0; k < outcomes.size(); ++k) {
      const TaskOutcome& outcome = outcomes[k];
      const uint32_t i = outcome.series;
      if (outcome.failure) run_.LeaveOut(i, *outcome.failure);
      const TimeRange range{work.missing[k].begin, std::min(work.missing[k].end, outcome.read.end)};
      plan::Advance advance{.web_id = run_.series[i].web_id};
      const bool is_held = outcome.failure && outcome.failure->kind == ErrorKind::kConflict;
      if (is_held && !run_.Covered(i).held) {
        Hold(run_, i, advance);
        done.advances.push_back(std::move(advance));
        continue;
      }
      if (range.empty()) continue;
      advance.range = range;
      advance.last_instant = outcome.last_instant;
      Complete(i, advance);
      work.signs.Tell(i, advance);
      done.advances.push_back(std::move(advance));
    }
    return done;
  }

  Status CommitOne(Done done, ShardWriter& writer) {
    ASSIGN_OR_RETURN(const ShardFiles files, writer.TakeShard());
    if (done.advances.empty()) return {};
    const auto changed_series = static_cast<int64_t>(done.advances.size());
    ASSIGN_OR_RETURN(const Landing landing,
                     run_.ledger->Commit({.add = files.body,
                                          .tail_before = std::move(done.tail),
                                          .is_older_than_live = hears_from_now_,
                                          .advances = std::move(done.advances)}));
    if (landing == Landing::kOvertaken) {
      must_plan_again_ = true;
      return {};
    }
    run_.Landed(files.body, changed_series);
    return {};
  }

  Run run_;
  bool must_plan_again_ = false;
  bool has_released_ = false;
  bool hears_from_now_ = false;      // nothing that is heard is older than this run
  std::vector<uint32_t> many_held_;  // of the shard that was read last
};

}  // namespace

size_t PullReport::left_out() const {
  return held.size() + gone.size() + quarantined.size() + unresolved.size() +
         points.vanished.size();
}

bool RereadOptions::selects(const Series& series) const {
  if (!web_ids.empty()) return std::ranges::find(web_ids, series.web_id) != web_ids.end();
  return tags.empty() || std::ranges::any_of(tags, [&](const std::string& mask) {
           return plan::MatchesMask(series.name, mask);
         });
}

Result<PullReport> Pull(const PullOptions& options, const Clock& clock, Progress& progress,
                        std::stop_token stop) {
  return Puller(options, clock, progress, std::move(stop)).Pull();
}

struct Pulling::Impl {
  const PullOptions& options;
  const Duration resolve_every;
  const Clock& clock;
  Progress& progress;
  const std::stop_token stop;

  std::unique_ptr<Puller> puller{};  ///< none: begin from the beginning
  UtcTime resolved{};
};

Pulling::Pulling(const PullOptions& options, Duration resolve_every, const Clock& clock,
                 Progress& progress, std::stop_token stop)
    : impl_(new Impl{options, resolve_every, clock, progress, std::move(stop)}) {}
Pulling::~Pulling() = default;

Result<PullReport> Pulling::Next() {
  Impl& impl = *impl_;
  if (impl.clock.Now() - impl.resolved >= impl.resolve_every) impl.puller.reset();
  const bool is_anew = !impl.puller;
  if (is_anew) {
    impl.resolved = impl.clock.Now();
    impl.puller = std::make_unique<Puller>(impl.options, impl.clock, impl.progress, impl.stop);
  }
  auto report = is_anew ? impl.puller->Pull() : impl.puller->PullAgain();
  if (!report) impl.puller.reset();
  return report;
}

void Pulling::BeginAnew() {
  impl_->puller.reset();
}

Status Pulling::Look() {
  Impl& impl = *impl_;
  if (!impl.puller) return {};
  const Status looked = impl.puller->LookAgain();
  if (!looked) impl.puller.reset();
  return looked;
}

Result<PullReport> Adopt(const PullOptions& options, const Clock& clock, Progress& progress,
                         std::stop_token stop) {
  return Puller(options, clock, progress, std::move(stop)).Adopt();
}

Result<PullReport> Reread(const PullOptions& options, const RereadOptions& what, const Clock& clock,
                          Progress& progress, std::stop_token stop) {
  return Puller(options, clock, progress, std::move(stop)).Reread(what);
}

}  // namespace pilake::pipeline
