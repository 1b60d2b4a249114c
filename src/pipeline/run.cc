// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "decode/catalog.h"
#include "pi/request.h"
#include "pipeline/dimensions.h"
#include "pipeline/resolve.h"
#include "pipeline/shard_reader.h"

namespace pilake::pipeline {
namespace {

// Clocks further apart than this make "now" meaningless: nothing is covered then.
constexpr Duration kClocksApartMax = Duration::Seconds(60);

/// Nothing could be called final by clocks that disagree.
Result<UtcTime> AskNow(Source& source) {
  ASSIGN_OR_RETURN(const Clocks clocks, AskClocks(source));
  if (clocks.apart > kClocksApartMax) {
    return Fail(ErrorKind::kInvalid,
                "the source's clocks are {} apart ({}): nothing can be called final. Have them set",
                DescribeDuration(clocks.apart), clocks.detail);
  }
  return clocks.now;
}

/// What others switched on in the table may forbid that rows leave it: then it shows no tail, and
/// repairs wait. A tail that stands already would stay for ever: that stops the run.
Status FindHindrances(Run& run) {
  using Effect = delta::Hindrance::Effect;
  run.no_removes.clear();
  ASSIGN_OR_RETURN(const auto hindrances, run.ledger->table().Hindrances());
  for (const delta::Hindrance& hindrance : hindrances) {
    if (hindrance.effect < Effect::kNoDataRemoves) continue;
    run.no_removes = hindrance.sentence;
    const Tail& tail = run.ledger->tail();
    if (tail && !tail->empty()) {
      return Fail(ErrorKind::kInvalid,
                  "{}. The table has a tail of rows that are not final, which could not be "
                  "replaced any more: nothing was changed",
                  hindrance.sentence);
    }
  }
  return {};
}

class Beginning {
 public:
  Beginning(Run& run, Opening opening) : run_(run), opening_(opening) {}

  Status Do() {
    run_.began = run_.settled = run_.clock.Now();
    run_.progress.stage = "asking for the tags";
    ASSIGN_OR_RETURN(run_.source, Source::Open(run_.options.source, run_.progress, run_.stop,
                                               run_.options.throttle));
    ASSIGN_OR_RETURN(run_.report.now, AskNow(*run_.source));
    ASSIGN_OR_RETURN(Resolved resolved, Resolve(*run_.source, run_.options.tags));
    for (const Unresolved& tag : resolved.unresolved) {
      run_.report.unresolved.push_back({tag.tag, tag.reason});
    }
    if (resolved.series.empty()) {
      return Fail(
          ErrorKind::kInvalid,
          "the tags of the configuration select no point that {} shows to us: correct the masks "
          "under `tags`, or have the PI administrator grant read access",
          run_.source->url());
    }
    // Only now: a run that the source refuses leaves no new table behind.
    run_.progress.stage = "opening the table";
    ASSIGN_OR_RETURN(run_.ledger, OpenLedger());
    const bool keeps_points = opening_ == Opening::kCreate || opening_ == Opening::kAdopt;
    if (keeps_points) RETURN_IF_ERROR(RememberPoints(resolved));
    run_.series = std::move(resolved.series);
    run_.servers = std::move(resolved.servers);
    run_.report.series = static_cast<int64_t>(run_.series.size());
    run_.progress.series = run_.report.series;
    run_.density.assign(run_.series.size(), kDensityMin);
    run_.limits.items_max = ItemsMax();
    run_.limits.set_series_max = SetSeriesMax();
    run_.limits.only = run_.options.only_transport;
    return run_.ledger ? FindHindrances(run_) : Status();
  }

 private:
  Result<std::unique_ptr<Ledger>> OpenLedger() const {
    switch (opening_) {
      case Opening::kCreate:
        return Ledger::Open(run_.options.table);
      case Opening::kExisting:
        return Ledger::OpenExisting(run_.options.table);
      case Opening::kLook: {
        auto ledger = Ledger::OpenExisting(run_.options.table);
        if (!ledger && ledger.error().kind == ErrorKind::kNotFound) return nullptr;
        return ledger;
      }
      case Opening::kNone:
        return nullptr;
      case Opening::kAdopt:
        return Ledger::OpenUntrusted(run_.options.table);
    }
    return Fail(ErrorKind::kInternal, "no such way to open a table");
  }

  Status RememberPoints(Resolved& resolved) {
    run_.progress.stage = "looking at the points";
    ASSIGN_OR_RETURN(DimensionUrls urls, DimensionsBeside(run_.options.table.url));
    const DimensionOptions options{
        .urls = std::move(urls),
        .store = run_.options.table.store,
        .accept_vanished = run_.options.accept_vanished,
        .on_shown_anew = [this](const auto& web_ids) { return ReadAnew(web_ids); }};
    ASSIGN_OR_RETURN(run_.report.points, KeepDimensions(*run_.source, options, run_.options.tags,
                                                        run_.report.now, resolved));
    return {};
  }

  /// All of their rows are to be compared with what the archive shows now, and replaced.
  Status ReadAnew(const std::set<std::string>& web_ids) {
    Change change;
    for (const std::string& web_id : web_ids) {
      const auto covered = run_.ledger->coverage().find(web_id);
      if (covered == run_.ledger->coverage().end() || covered->second.ranges.empty()) continue;
      const auto& ranges = covered->second.ranges;
      const TimeRange all{ranges.front().begin, ranges.back().end};
      change.advances.push_back(
          {.web_id = web_id,
           .looks = {plan::FirstLook(plan::LookReason::kOrdered, all, UtcTime{})},
           .forgets_anchor = true});
    }
    if (change.advances.empty()) return {};
    ASSIGN_OR_RETURN(const Landing landing, run_.ledger->Commit(std::move(change)));
    if (landing == Landing::kCommitted) return {};
    return Fail(ErrorKind::kTransient, "another writer changed {} meanwhile; try again",
                run_.ledger->table().url());
  }

  /// The server's own limit if we may read it, else its default.
  uint32_t ItemsMax() {
    const auto number = run_.source->Ask(pi::BuildConfiguration("MaxReturnedItemsPerCall"),
                                         decode::DecodeConfigurationNumber, 1);
    if (!number || *number < 1) return run_.limits.items_max;
    return static_cast<uint32_t>(std::min<int64_t>(*number, 1'000'000));
  }

  uint32_t SetSeriesMax() const {
    std::vector<std::string_view> web_ids;
    for (const Series& series : run_.series) {
      if (web_ids.size() == 400) break;
      web_ids.push_back(series.web_id);
    }
    // All WebIDs in IDOnly form have one length, so what fits of the first fits of any.
    return static_cast<uint32_t>(
        std::max<size_t>(1, pi::WebIdsThatFit(run_.source->url(), web_ids)));
  }

  Run& run_;
  const Opening opening_;
};

}  // namespace

Status Begin(Run& run, Opening opening) {
  return Beginning(run, opening).Do();
}

Status CatchUp(Run& run) {
  run.began = run.settled = run.clock.Now();
  ASSIGN_OR_RETURN(run.report.now, AskNow(*run.source));
  if (!run.ledger) return {};
  RETURN_IF_ERROR(run.ledger->CatchUp());
  return FindHindrances(run);
}

Status BeginAgain(Run& run) {
  run.held.clear();
  run.quarantined.clear();
  run.waiting.clear();
  run.trusts_many_held = false;
  run.probed.clear();
  run.through.clear();
  run.changed.clear();
  run.straight.clear();
  // Of the tags it is still true.
  run.report = {.series = run.report.series,
                .unresolved = std::move(run.report.unresolved),
                .points = std::move(run.report.points)};
  return CatchUp(run);
}

std::optional<uint32_t> Run::IndexOf(std::string_view web_id) const {
  return FindSeries(series, web_id);
}

void Run::Landed(const std::vector<delta::DataFile>& files, int64_t changed_series) {
  CommitNews news{.version = ledger->table().version(),
                  .files = static_cast<int64_t>(files.size()),
                  .series = changed_series};
  for (const delta::DataFile& file : files) {
    news.rows += file.rows;
    report.bytes += file.bytes;
  }
  ++report.commits;
  report.files += news.files;
  report.rows += news.rows;
  if (options.on_commit) options.on_commit(news);
  progress.rows_committed = report.rows;
}

PullReport Run::Report(UtcTime started) {
  for (const auto& [i, reason] : held) report.held.push_back({series[i].path, reason});
  for (const auto& [i, reason] : quarantined)
    report.quarantined.push_back({series[i].path, reason});
  for (uint32_t i = 0; i < series.size(); ++i) {
    const plan::SeriesCoverage& covered = Covered(i);
    const bool is_silent =
        covered.outage || std::ranges::any_of(covered.looks, [](const auto& look) {
          return look.reason == plan::LookReason::kSilence;
        });
    if (is_silent) ++report.series_silent;
  }
  report.notes = ledger->TakeNotes();
  report.version = ledger->table().version();
  report.took = SteadyNow() - started;
  return report;
}

}  // namespace pilake::pipeline
