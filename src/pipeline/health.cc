// SPDX-License-Identifier: Apache-2.0
#include "pipeline/health.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "plan/signs.h"

namespace pilake::pipeline {
namespace {

// Of the rows of a series, from which on it is named.
constexpr double kBadShare = 0.1;

struct Patient {
  std::string tag;
  plan::SeriesHealth health;
};

class Examination {
 public:
  explicit Examination(TimeRange window) : window_(window), activity_(window) {}

  void Take(const delta::Rows& rows) {
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!rows.is_ours[row]) continue;
      Patient& patient = patients_[rows.tag_webid[row]];
      if (patient.tag.empty()) patient.tag = rows.tag_name[row];
      patient.health.Take(rows.events, row);
      runs_.insert(rows.ingested[row]);
    }
    activity_.Take(rows.events, 0, rows.size());
  }

  /// The second time. What was in the archive before the first run that the window knows of came
  /// by backfill: its age says nothing.
  void TakeAges(const delta::Rows& rows) {
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!rows.is_ours[row] || rows.events.time(row) < *runs_.begin()) continue;
      ages_.Take(rows.ingested[row] - rows.events.time(row));
    }
  }

  HealthReport Report(int64_t series) {
    HealthReport report{.window = window_, .series = series};
    report.silent = series - static_cast<int64_t>(patients_.size());
    for (const auto& [web_id, patient] : patients_) {
      report.rows += patient.health.rows;
      activity_.Expect({patient.health.first, patient.health.last}, patient.health.density());
    }
    report.holes = activity_.Silences();
    report.ages = ages_;
    if (runs_.size() > 1) {
      report.between_runs =
          (*runs_.rbegin() - *runs_.begin()) / static_cast<int64_t>(runs_.size() - 1);
    }
    report.stale = Named([&](const plan::SeriesHealth& health) { return Stale(health); });
    report.flat = Named(Flat);
    report.outages = Named(Outages);
    report.bad = Named(Bad);
    return report;
  }

 private:
  /// How much a series stands out, and in words why.
  struct Finding {
    double rank = 0;
    std::string words;
  };

  std::optional<Finding> Stale(const plan::SeriesHealth& health) const {
    if (!health.is_stale(window_.end)) return std::nullopt;
    const Duration usual = (health.last - health.first) / (health.rows - 1);
    return Finding{(window_.end - health.last).seconds() * health.density(),
                   fmt::format("nothing since {}; before that {} apart on average",
                               FormatUtcTime(health.last), DescribeDuration(usual))};
  }

  static std::optional<Finding> Flat(const plan::SeriesHealth& health) {
    if (!health.is_flat()) return std::nullopt;
    const int64_t good = health.rows - health.bad;
    return Finding{static_cast<double>(good), fmt::format("{} rows of one value", good)};
  }

  static std::optional<Finding> Outages(const plan::SeriesHealth& health) {
    if (health.outages == 0) return std::nullopt;
    return Finding{static_cast<double>(health.outages),
                   fmt::format("{} rows say that no data came", health.outages)};
  }

  static std::optional<Finding> Bad(const plan::SeriesHealth& health) {
    const double share = static_cast<double>(health.bad) / static_cast<double>(health.rows);
    if (share < kBadShare) return std::nullopt;
    return Finding{share, fmt::format("{} of {} rows are not good", health.bad, health.rows)};
  }

  /// The series of which `find` has something to say, the worst first.
  template <typename Find>
  std::vector<LeftOut> Named(Find find) const {
    std::vector<std::pair<double, LeftOut>> found;
    for (const auto& [web_id, patient] : patients_) {
      if (auto finding = find(patient.health))
        found.emplace_back(finding->rank, LeftOut{patient.tag, std::move(finding->words)});
    }
    std::ranges::stable_sort(found, std::greater(), &std::pair<double, LeftOut>::first);
    std::vector<LeftOut> named;
    for (auto& [rank, one] : found) named.push_back(std::move(one));
    return named;
  }

  const TimeRange window_;
  plan::Activity activity_;
  std::map<std::string, Patient, std::less<>> patients_;  // by WebID
  std::set<UtcTime> runs_;                                // that brought rows
  plan::Ages ages_;
};

/// From the oldest to the newest time that the table covers.
std::optional<TimeRange> Covered(const plan::Coverage& coverage) {
  std::optional<TimeRange> hull;
  for (const auto& [web_id, series] : coverage) {
    if (series.ranges.empty()) continue;
    const TimeRange range{series.ranges.front().begin, series.ranges.back().end};
    if (!hull) hull = range;
    hull = TimeRange{std::min(hull->begin, range.begin), std::max(hull->end, range.end)};
  }
  return hull;
}

}  // namespace

Result<HealthReport> ReadHealth(const TableOptions& options, Duration window) {
  ASSIGN_OR_RETURN(const auto ledger, Ledger::OpenExisting(options));
  const std::optional<TimeRange> covered = Covered(ledger->coverage());
  if (!covered) {
    return Fail(ErrorKind::kInvalid, "{} covers nothing yet; `pilake run` fills it",
                ledger->table().url());
  }
  const TimeRange range{std::max(covered->begin, covered->end - window), covered->end};
  Examination examination(range);
  const auto visit = [&](const delta::Rows& rows) -> Result<bool> {
    examination.Take(rows);
    return true;
  };
  RETURN_IF_ERROR(ledger->table().VisitRows({.range = range}, visit));
  const auto visit_again = [&](const delta::Rows& rows) -> Result<bool> {
    examination.TakeAges(rows);
    return true;
  };
  RETURN_IF_ERROR(ledger->table().VisitRows({.range = range}, visit_again));
  return examination.Report(std::ranges::count_if(
      ledger->coverage(), [](const auto& entry) { return !entry.second.ranges.empty(); }));
}

}  // namespace pilake::pipeline
