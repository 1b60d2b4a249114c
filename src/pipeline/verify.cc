// SPDX-License-Identifier: Apache-2.0
#include "pipeline/verify.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/ends.h"
#include "pipeline/inspect.h"
#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "pipeline/suspects.h"

namespace pilake::pipeline {
namespace {

using Kind = plan::Difference::Kind;

class Verifier {
 public:
  Verifier(const PullOptions& options, const Clock& clock, Progress& progress, std::stop_token stop)
      : run_{.options = options, .clock = clock, .progress = progress, .stop = std::move(stop)} {}

  Result<VerifyReport> Do(const RereadOptions& what, Depth depth) {
    const UtcTime started = SteadyNow();
    RETURN_IF_ERROR(Begin(run_, Opening::kExisting));
    run_.progress.stage = "comparing";
    Select(what);
    ShardReader reader(*run_.source, run_.series, run_.density, run_.limits, run_.progress);
    std::vector<uint32_t> which;
    for (const ToCompare& compare : rest_) which.push_back(compare.series);
    RETURN_IF_ERROR(LearnDensities(run_, which));
    if (depth == Depth::kCounts) {
      ASSIGN_OR_RETURN(rest_, FindSuspects(run_, reader, std::move(rest_), report_));
    }
    while (!rest_.empty()) RETURN_IF_ERROR(CompareSome(reader));
    for (auto& [i, difference] : different_) report_.different.push_back(std::move(difference));
    if (depth == Depth::kRows) report_.rows = report_.rows_read;
    report_.version = run_.ledger->table().version();
    report_.took = SteadyNow() - started;
    return std::move(report_);
  }

 private:
  void Select(const RereadOptions& what) {
    for (uint32_t i = 0; i < run_.series.size(); ++i) {
      if (!what.selects(run_.series[i])) continue;
      plan::Ranges ranges = run_.Covered(i).ranges;
      if (what.range) ranges = plan::Intersection(ranges, *what.range);
      if (!ranges.empty()) rest_.push_back({i, std::move(ranges)});
    }
    report_.series = static_cast<int64_t>(rest_.size());
  }

  /// The next slice of as many series as fit into memory; most begin at the same time, and many go
  /// into one call.
  Status CompareSome(ShardReader& reader) {
    std::vector<Stretch> stretches;
    double rows = 0;
    for (ToCompare& compare : rest_) {
      const Stretch slice = FirstSlice(run_, compare.series, compare.ranges.front());
      rows += slice.range.length().seconds() * static_cast<double>(run_.density[compare.series]);
      if (!stretches.empty() && (rows > kSliceRows || stretches.size() == kSlicesMax)) break;
      stretches.push_back(slice);
    }
    Advance(stretches);
    std::ranges::sort(stretches, {}, &Stretch::series);
    ASSIGN_OR_RETURN(const auto inspected, Inspect(run_, reader, stretches));
    for (const Inspected& one : inspected) Take(one);
    return {};
  }

  /// `compared` are the first slices of the first series of the rest.
  void Advance(const std::vector<Stretch>& compared) {
    for (size_t k = 0; k < compared.size(); ++k) {
      plan::Ranges& ranges = rest_[k].ranges;
      ranges.front().begin = compared[k].range.end;
      if (ranges.front().empty()) ranges.erase(ranges.begin());
    }
    std::erase_if(rest_, [](const ToCompare& compare) { return compare.ranges.empty(); });
    // Those that are compared wait until the others are as far.
    std::ranges::stable_sort(rest_, {}, [](const ToCompare& compare) {
      return std::pair(compare.ranges.front().begin, compare.series);
    });
  }

  void Take(const Inspected& one) {
    const uint32_t i = one.stretch.series;
    if (one.failure) {
      if (run_.quarantined.emplace(i, one.failure->message).second)
        report_.unreadable.push_back({run_.series[i].path, one.failure->message});
      return;
    }
    report_.rows_read += static_cast<int64_t>(one.comparison.table_rows);
    run_.progress.rows_committed = report_.rows_read;
    if (one.comparison.is_equal()) return;
    SeriesDifference& difference = different_[i];
    if (difference.tag.empty()) {
      difference.tag = run_.series[i].path;
      difference.web_id = run_.series[i].web_id;
      difference.range.begin = one.comparison.differences.front().time;
    }
    difference.range.end = one.comparison.differences.back().time + Duration::Ticks(1);
    difference.rows += static_cast<int64_t>(one.comparison.table_rows);
    for (const plan::Difference& at : one.comparison.differences) {
      const auto archive = static_cast<int64_t>(at.archive.size());
      if (at.kind == Kind::kMissing) difference.missing += archive;
      if (at.kind == Kind::kChanged) difference.changed += archive;
      if (at.kind == Kind::kGone) difference.gone += static_cast<int64_t>(at.table.size());
    }
  }

  Run run_;
  std::vector<ToCompare> rest_;
  std::map<uint32_t, SeriesDifference> different_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> Verify(const PullOptions& options, const RereadOptions& what, Depth depth,
                            const Clock& clock, Progress& progress, std::stop_token stop) {
  return Verifier(options, clock, progress, std::move(stop)).Do(what, depth);
}

}  // namespace pilake::pipeline
