// SPDX-License-Identifier: Apache-2.0
#include "pipeline/suspects.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "pi/request.h"
#include "pipeline/counts.h"
#include "pipeline/inspect.h"
#include "plan/counts.h"

// Finding suspects, in short, a month at a time:
//
//   count the table's rows of each series; cut the month into windows of about ten thousand rows
//   tally the table's rows of each window
//   learn how the source counts each type of point: read a few windows, and have them counted
//   have all windows counted; ask for the flagged events of all windows
//   what differs, and what the source cannot count or the rules cannot judge, is suspect

namespace pilake::pipeline {
namespace {

constexpr Duration kSlab = Duration::Days(30);

// A hundred of them go into a call that scans no more than `kScannedMax`.
constexpr int64_t kRowsPerWindow = 10'000;

// Windows of one type that are read to learn how they are counted; small ones.
constexpr size_t kLessons = 4;
constexpr int64_t kLessonRowsMax = 20'000;

// Of events, those that carry a flag, at first guess.
constexpr float kFlaggedShare = 0.02f;

struct Window {
  Stretch stretch;
  plan::Tally table;
  plan::Tally flagged;  // of the archive
  bool is_suspect = false;
};

class Suspecter {
 public:
  Suspecter(Run& run, ShardReader& reader, std::vector<ToCompare> all, VerifyReport& report)
      : run_(run), reader_(reader), all_(std::move(all)), report_(report) {
    for (ToCompare& one : all_) index_.emplace(run_.series[one.series].web_id, one.series);
  }

  Result<std::vector<ToCompare>> Find() {
    if (all_.empty()) return std::move(all_);
    TimeRange hull = all_.front().ranges.front();
    for (const ToCompare& one : all_) {
      hull.begin = std::min(hull.begin, one.ranges.front().begin);
      hull.end = std::max(hull.end, one.ranges.back().end);
    }
    for (TimeRange slab{hull.begin, {}}; slab.begin < hull.end; slab.begin = slab.end) {
      slab.end = std::min(hull.end, slab.begin + kSlab);
      RETURN_IF_ERROR(FindIn(slab));
    }
    std::vector<ToCompare> suspects;
    for (auto& [series, ranges] : suspect_) suspects.push_back({series, std::move(ranges)});
    return suspects;
  }

 private:
  Status FindIn(TimeRange slab) {
    RETURN_IF_ERROR(Cut(slab));
    if (windows_.empty()) return {};
    RETURN_IF_ERROR(TallyTable(slab));
    for (const Window& window : windows_) report_.rows += window.table.rows();
    report_.windows += std::ssize(windows_);
    RETURN_IF_ERROR(LearnToCount());
    RETURN_IF_ERROR(CompareCounts());
    RETURN_IF_ERROR(CompareFlagged());
    for (const Window& window : windows_) {
      if (!window.is_suspect) continue;
      ++report_.windows_suspect;
      plan::AddRange(suspect_[window.stretch.series], window.stretch.range);
    }
    run_.progress.rows_committed = report_.rows;
    return {};
  }

  /// Visits the table's rows within the slab that are to be compared.
  template <typename Visit>
  Status VisitTable(TimeRange slab, const Visit& visit) {
    const auto take = [&](delta::Rows& rows) -> Result<bool> {
      for (size_t row = 0; row < rows.size(); ++row) {
        const auto found = index_.find(rows.tag_webid[row]);
        if (found != index_.end() && slab.contains(rows.events.time(row)))
          visit(found->second, rows, row);
      }
      return true;
    };
    const delta::RowFilter filter{
        .web_ids = delta::WebIdRange{run_.series[all_.front().series].web_id,
                                     run_.series[all_.back().series].web_id},
        .range = slab};
    return run_.ledger->table().VisitRows(filter, take);
  }

  Status Cut(TimeRange slab) {
    std::unordered_map<uint32_t, int64_t> rows;
    RETURN_IF_ERROR(
        VisitTable(slab, [&](uint32_t series, const delta::Rows&, size_t) { ++rows[series]; }));
    windows_.clear();
    for (const ToCompare& one : all_) {
      const plan::Ranges ranges = plan::Intersection(one.ranges, slab);
      const int64_t pieces = 1 + rows[one.series] / kRowsPerWindow;
      const Duration length = slab.length() / pieces + Duration::Ticks(1);
      for (TimeRange range : ranges) {
        while (!range.empty()) {
          const UtcTime end = std::min(range.end, range.begin + length);
          windows_.push_back({.stretch = {one.series, {range.begin, end}}});
          range.begin = end;
        }
      }
    }
    return {};
  }

  Window* Find(uint32_t series, UtcTime time) {
    const auto of_series = std::ranges::equal_range(
        windows_, series, {}, [](const Window& window) { return window.stretch.series; });
    const auto behind = std::ranges::upper_bound(
        of_series, time, {}, [](const Window& window) { return window.stretch.range.begin; });
    if (behind == of_series.begin()) return nullptr;
    Window& window = *std::prev(behind);
    return window.stretch.range.contains(time) ? &window : nullptr;
  }

  Status TallyTable(TimeRange slab) {
    return VisitTable(slab, [&](uint32_t series, const delta::Rows& rows, size_t row) {
      Window* window = Find(series, rows.events.time(row));
      if (window == nullptr) return;
      window->table.Add(rows.events, row);
      if (!rows.is_ours[row]) window->is_suspect = true;
    });
  }

  /// Those of windows of about so many events, in the order of `which`.
  Result<std::vector<Result<int64_t>>> Count(const std::vector<Window*>& which) {
    std::vector<CountWindow> asked;
    for (const Window* window : which) {
      asked.push_back({.series = window->stretch.series,
                       .range = window->stretch.range,
                       .events = window->table.rows()});
      report_.scanned += window->table.rows();
    }
    return AskCounts(*run_.source, run_.series, asked);
  }

  PointType TypeOf(const Window& window) const { return run_.series[window.stretch.series].type; }

  plan::CountRules& RulesOf(const Window& window) {
    const PointType type = TypeOf(window);
    const bool is_number = type <= PointType::kInt64;
    return rules_.try_emplace(type, is_number).first->second;
  }

  /// Reads a few windows of each type in full and learns how the source counts them.
  Status LearnToCount() {
    std::map<PointType, std::vector<Window*>> lessons;
    for (Window& window : windows_) {
      auto& of_type = lessons[TypeOf(window)];
      if (of_type.size() < kLessons && window.table.rows() <= kLessonRowsMax &&
          RulesOf(window).WouldLearn(window.table)) {
        of_type.push_back(&window);
      }
    }
    std::vector<Window*> all;
    for (const auto& [type, windows] : lessons)
      all.insert(all.end(), windows.begin(), windows.end());
    if (all.empty()) return {};
    std::ranges::sort(all);  // windows stand in key order
    std::vector<Stretch> stretches;
    for (const Window* window : all) stretches.push_back(window->stretch);
    ASSIGN_OR_RETURN(const auto read, Inspect(run_, reader_, stretches));
    ASSIGN_OR_RETURN(const auto counts, Count(all));
    for (size_t k = 0; k < all.size(); ++k) {
      if (read[k].failure || !counts[k]) continue;
      plan::Tally archive;
      for (size_t row = 0; row < read[k].archive.size(); ++row) archive.Add(read[k].archive, row);
      RulesOf(*all[k]).Learn(archive, *counts[k]);
    }
    return {};
  }

  Status CompareCounts() {
    std::vector<Window*> counted;
    for (Window& window : windows_) {
      if (RulesOf(window).Expected(window.table)) {
        counted.push_back(&window);
      } else {
        window.is_suspect = true;
      }
    }
    ASSIGN_OR_RETURN(const auto counts, Count(counted));
    for (size_t k = 0; k < counted.size(); ++k) {
      Window& window = *counted[k];
      if (!counts[k] || *counts[k] != RulesOf(window).Expected(window.table))
        window.is_suspect = true;
    }
    return {};
  }

  /// Edits that PI marks, annotations, and bad events that the source may leave out of its counts.
  Status CompareFlagged() {
    if (!report_.flags_unseen.empty()) return SuspectWhatIsNotCounted();
    plan::Shard shard;
    std::vector<Window*> asked;
    for (Window& window : windows_) {
      if (window.is_suspect) continue;
      asked.push_back(&window);
      report_.scanned += window.table.rows();
      shard.tasks.push_back({.series = window.stretch.series, .range = window.stretch.range});
    }
    if (asked.empty()) return {};
    std::vector<float> density(run_.series.size(), kDensityMin);
    for (const Window* window : asked) {
      const auto rows = static_cast<float>(std::max<int64_t>(1, window->table.rows()));
      const auto seconds = static_cast<float>(window->stretch.range.length().seconds());
      float& of_series = density[window->stretch.series];
      of_series = std::max(of_series, rows / seconds * kFlaggedShare);
    }
    ShardReader reader(*run_.source, run_.series, density, run_.limits, run_.progress);
    const auto take = [&](const Rows& rows) {
      for (size_t row = rows.first; row < rows.last; ++row) {
        if (Window* window = Find(rows.series, rows.events.time(row)))
          window->flagged.Add(rows.events, row);
      }
      return true;
    };
    ASSIGN_OR_RETURN(const auto outcomes, reader.ReadFiltered(std::move(shard), pi::kFlaggedOnly,
                                                              take, plan::Lane::kLook));
    const bool all_failed = std::ranges::all_of(
        outcomes, [](const TaskOutcome& outcome) { return outcome.failure.has_value(); });
    if (all_failed) {
      report_.flags_unseen = outcomes.front().failure->message;
      return SuspectWhatIsNotCounted();
    }
    for (size_t k = 0; k < asked.size(); ++k) {
      const bool is_read = !outcomes[k].failure;
      if (!is_read || !asked[k]->flagged.SameFlagged(asked[k]->table)) asked[k]->is_suspect = true;
    }
    return {};
  }

  /// Without the filter, rows that the source leaves out of its counts are not compared yet.
  Status SuspectWhatIsNotCounted() {
    for (Window& window : windows_) {
      const auto expected = RulesOf(window).Expected(window.table);
      if (expected && *expected != window.table.rows()) window.is_suspect = true;
    }
    return {};
  }

  Run& run_;
  ShardReader& reader_;
  std::vector<ToCompare> all_;  // in key order
  VerifyReport& report_;
  std::unordered_map<std::string, uint32_t> index_;
  std::map<PointType, plan::CountRules> rules_;
  std::vector<Window> windows_;  // of the slab, in key order
  std::map<uint32_t, plan::Ranges> suspect_;
};

}  // namespace

Result<std::vector<ToCompare>> FindSuspects(Run& run, ShardReader& reader,
                                            std::vector<ToCompare> all, VerifyReport& report) {
  return Suspecter(run, reader, std::move(all), report).Find();
}

}  // namespace pilake::pipeline
