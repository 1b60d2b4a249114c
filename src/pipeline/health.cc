// SPDX-License-Identifier: Apache-2.0
#include "pipeline/health.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
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

// A run gives its rows more than one stamp; the next run is not so near.
constexpr Duration kOneRun = Duration::Minutes(1);

// Of what is late, so much must lie between the events of a series on average. Then hardly one of
// its gaps is so long that it makes the event before it look late.
constexpr int64_t kGapsInLate = 10;

struct Patient {
  std::string tag;
  plan::SeriesHealth health;
  UtcTime first_run{std::numeric_limits<int64_t>::max()};  ///< that brought rows of it
};

class Examination {
 public:
  Examination(TimeRange window, Duration settle)
      : window_(window), settle_(settle), activity_(window) {}

  void Take(const delta::Rows& rows) {
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!rows.is_ours[row]) continue;
      Patient& patient = patients_[rows.tag_webid[row]];
      if (patient.tag.empty()) patient.tag = rows.tag_name[row];
      patient.health.Take(rows.events, row);
      patient.first_run = std::min(patient.first_run, rows.ingested[row]);
      stamps_.insert(rows.ingested[row]);
    }
    activity_.Take(rows.events, 0, rows.size());
  }

  /// All rows have passed the first time.
  void CountRuns() {
    if (stamps_.empty()) return;
    int64_t runs = 1;
    for (auto stamp = std::next(stamps_.begin()); stamp != stamps_.end(); ++stamp) {
      if (*stamp - *std::prev(stamp) > kOneRun) ++runs;
    }
    if (runs > 1) between_runs_ = (*stamps_.rbegin() - *stamps_.begin()) / (runs - 1);
  }

  /// The second time. What was in the archive before the first run that brought rows of a series
  /// came by backfill: its age says nothing.
  void TakeAges(const delta::Rows& rows) {
    const Duration late_from = LateFrom();
    for (size_t row = 0; row < rows.size(); ++row) {
      if (!rows.is_ours[row]) continue;
      const Patient& patient = patients_.find(rows.tag_webid[row])->second;
      const bool is_slow = patient.health.usual_gap() * kGapsInLate > late_from;
      if (is_slow || rows.events.time(row) < patient.first_run) continue;
      const Duration age = rows.ingested[row] - rows.events.time(row);
      ages_.Take(age);
      if (age >= late_from) ++late_;
    }
  }

  HealthReport Report(const plan::Coverage& coverage) {
    HealthReport report{.window = window_};
    for (const auto& [web_id, covered] : coverage) {
      if (covered.ranges.empty()) continue;
      ++report.series;
      if (!patients_.contains(web_id)) ++report.silent;
    }
    for (const auto& [web_id, patient] : patients_) {
      report.rows += patient.health.rows;
      activity_.Expect({patient.health.first, patient.health.last}, patient.health.density());
    }
    report.holes = activity_.Silences();
    report.between_runs = between_runs_;
    report.late_from = LateFrom();
    report.ages = ages_;
    report.late = late_;
    report.stale = Named([&](const plan::SeriesHealth& health) { return Stale(health); });
    report.flat = Named(Flat);
    report.outages = Named(Outages);
    report.bad = Named(Bad);
    return report;
  }

 private:
  /// One run may have had nothing to bring.
  Duration LateFrom() const { return settle_ + between_runs_ * 2; }

  /// How much a series stands out, and in words why.
  struct Finding {
    double rank = 0;
    std::string words;
  };

  std::optional<Finding> Stale(const plan::SeriesHealth& health) const {
    if (!health.is_stale(window_.end)) return std::nullopt;
    return Finding{(window_.end - health.last).seconds() * health.density(),
                   fmt::format("nothing since {}; before that {} apart on average",
                               FormatUtcTime(health.last), DescribeDuration(health.usual_gap()))};
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
  const Duration settle_;
  plan::Activity activity_;
  std::map<std::string, Patient, std::less<>> patients_;  // by WebID
  std::set<UtcTime> stamps_;                              // of runs that brought rows
  Duration between_runs_;
  plan::Ages ages_;
  int64_t late_ = 0;
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

Result<HealthReport> ReadHealth(const TableOptions& options, Duration window, Duration settle) {
  ASSIGN_OR_RETURN(const auto ledger, Ledger::OpenExisting(options));
  const std::optional<TimeRange> covered = Covered(ledger->coverage());
  if (!covered) {
    return Fail(ErrorKind::kInvalid, "{} covers nothing yet; `pilake run` fills it",
                ledger->table().url());
  }
  const TimeRange range{std::max(covered->begin, covered->end - window), covered->end};
  Examination examination(range, settle);
  const auto visit = [&](const delta::Rows& rows) -> Result<bool> {
    examination.Take(rows);
    return true;
  };
  RETURN_IF_ERROR(ledger->table().VisitRows({.range = range}, visit));
  examination.CountRuns();
  const auto visit_again = [&](const delta::Rows& rows) -> Result<bool> {
    examination.TakeAges(rows);
    return true;
  };
  RETURN_IF_ERROR(ledger->table().VisitRows({.range = range}, visit_again));
  return examination.Report(ledger->coverage());
}

}  // namespace pilake::pipeline
