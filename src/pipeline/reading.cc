// SPDX-License-Identifier: Apache-2.0
#include "pipeline/reading.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "pipeline/dimensions.h"
#include "pipeline/probe.h"
#include "pipeline/run.h"
#include "plan/coverage.h"
#include "plan/finality.h"
#include "plan/name_mask.h"
#include "plan/shards.h"

namespace pilake::pipeline {
namespace {

// Less than this is not worth a task of its own.
constexpr double kRowsMin = 20'000;
// Pieces that a part is put together from: small enough that parts come out even.
constexpr double kPiecesPerPart = 4;

/// Puts pieces into parts so that all have about as many rows: the largest first, each to the part
/// that has least.
std::vector<std::vector<plan::Task>> Even(std::vector<std::vector<plan::Task>> pieces,
                                          const std::vector<double>& rows, size_t parts) {
  std::vector<size_t> order(pieces.size());
  for (size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t k) { return rows[k]; });
  std::vector<std::vector<plan::Task>> even(std::min(parts, pieces.size()));
  std::vector<double> filled(even.size());
  for (const size_t k : order) {
    const auto least = static_cast<size_t>(std::ranges::min_element(filled) - filled.begin());
    filled[least] += rows[k];
    even[least].insert(even[least].end(), pieces[k].begin(), pieces[k].end());
  }
  return even;
}

class Cutter {
 public:
  explicit Cutter(const Run& run)
      : series_(run.series),
        density_(run.density),
        limits_(run.limits),
        now_(run.report.now),
        in_flight_max_(run.options.source.budget.in_flight) {}

  std::vector<Part> Cut(std::vector<plan::Ranges> missing, const Cutting& cutting) const {
    double rows = 0;
    for (size_t i = 0; i < missing.size(); ++i) {
      for (const TimeRange& range : missing[i]) rows += RowsOf({static_cast<uint32_t>(i), range});
    }
    const size_t wanted = std::min(PartsMax(cutting), static_cast<size_t>(rows / kRowsMin) + 1);
    plan::ShardCutter cutter(std::move(missing),
                             std::max(rows / (static_cast<double>(wanted) * kPiecesPerPart), 1.0),
                             plan::ShardCutter::Order::kOldestFirst);
    std::vector<std::vector<plan::Task>> pieces;
    std::vector<double> sizes;
    while (auto shard = cutter.Next(density_)) {
      double size = 0;
      for (const plan::Task& task : shard->tasks) size += RowsOf({task.series, task.range});
      pieces.push_back(std::move(shard->tasks));
      sizes.push_back(size);
    }
    std::vector<Part> parts;
    for (std::vector<plan::Task>& tasks : Even(std::move(pieces), sizes, wanted))
      parts.push_back(PartOf(std::move(tasks)));
    const size_t at_once =
        cutting.at_once == 0 ? parts.size() : std::min(cutting.at_once, parts.size());
    for (Part& part : parts) part.share = 1.0 / static_cast<double>(at_once);
    return parts;
  }

 private:
  /// A task has one call in flight at least, so more of them at once would be more than allowed.
  size_t PartsMax(const Cutting& cutting) const {
    const size_t parts = std::max<size_t>(cutting.parts, 1);
    const auto in_flight = static_cast<size_t>(std::max(in_flight_max_, 1));
    const bool fits = cutting.at_once != 0 && cutting.at_once <= in_flight;
    return fits ? parts : std::min(parts, in_flight);
  }

  double RowsOf(const PartStretch& stretch) const {
    return stretch.range.length().seconds() * static_cast<double>(density_[stretch.series]);
  }

  Part PartOf(std::vector<plan::Task> tasks) const {
    std::ranges::sort(
        tasks, {}, [](const plan::Task& task) { return std::pair(task.series, task.range.begin); });
    return MakePart(tasks, series_, density_, limits_, now_);
  }

  const std::vector<Series>& series_;
  const std::vector<float>& density_;
  const plan::PackLimits& limits_;
  const UtcTime now_;
  const int in_flight_max_;
};

/// In steps, since each is a read of every series.
UtcTime LookedAt(UtcTime now, Duration second_look) {
  const int64_t step = std::max(std::min(Duration::Hours(1), second_look / 4).ticks, int64_t{1});
  return {(now - second_look).ticks / step * step};
}

bool IsWanted(const Wanted& wanted, const Series& series) {
  const bool is_named =
      wanted.names.empty() || std::ranges::any_of(wanted.names, [&](const std::string& mask) {
        return plan::MatchesMask(series.name, mask);
      });
  return is_named && (wanted.web_ids.empty() ||
                      std::ranges::find(wanted.web_ids, series.web_id) != wanted.web_ids.end());
}

}  // namespace

struct Reading::Impl {
  Run run;
  std::vector<std::optional<plan::Snapshot>>
      known{};  ///< by series, when its newest were asked for
  std::vector<plan::Newest> newest{};

  Status AskNewest(const std::vector<uint32_t>& which) {
    run.probed.resize(run.series.size());
    RETURN_IF_ERROR(
        ProbeNewest(*run.source, run.series, which, run.report.now + plan::kAhead, run.probed));
    for (const uint32_t i : which) {
      if (!run.probed[i].failure) run.density[i] = std::max(kDensityMin, run.probed[i].density);
    }
    return {};
  }

  std::vector<Part> Cut(std::vector<plan::Ranges> missing, const Cutting& cutting) const {
    return Cutter(run).Cut(std::move(missing), cutting);
  }
};

Reading::Reading(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reading::~Reading() = default;

Result<std::unique_ptr<Reading>> Reading::Open(const PullOptions& options, const Clock& clock,
                                               Progress& progress, std::stop_token stop) {
  auto impl = std::unique_ptr<Impl>(new Impl{
      .run = {.options = options, .clock = clock, .progress = progress, .stop = std::move(stop)}});
  RETURN_IF_ERROR(Begin(impl->run, Opening::kNone));
  impl->known.resize(impl->run.series.size());
  impl->newest.resize(impl->run.series.size());
  return std::unique_ptr<Reading>(new Reading(std::move(impl)));
}

const std::vector<Series>& Reading::series() const {
  return impl_->run.series;
}
const std::vector<LeftOut>& Reading::unresolved() const {
  return impl_->run.report.unresolved;
}
UtcTime Reading::now() const {
  return impl_->run.report.now;
}

Result<std::vector<plan::ShownSet>> Reading::States(std::vector<std::string>& notes) {
  const Run& run = impl_->run;
  return AskForStates(*run.source, run.servers, run.series, notes);
}

Result<std::vector<Part>> Reading::Plan(const Wanted& wanted, const Cutting& cutting) {
  Run& run = impl_->run;
  std::vector<plan::Ranges> missing(run.series.size());
  std::vector<uint32_t> asked;
  for (uint32_t i = 0; i < run.series.size(); ++i) {
    if (wanted.range.empty() || !IsWanted(wanted, run.series[i])) continue;
    asked.push_back(i);
    missing[i] = {wanted.range};
  }
  RETURN_IF_ERROR(impl_->AskNewest(asked));
  return impl_->Cut(std::move(missing), cutting);
}

Status Reading::Look() {
  Run& run = impl_->run;
  RETURN_IF_ERROR(CatchUp(run));
  std::vector<uint32_t> all(run.series.size());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  run.probed.clear();
  run.probed.resize(run.series.size());
  RETURN_IF_ERROR(ProbeSnapshots(*run.source, run.series, all, run.probed));
  std::vector<uint32_t> moved;
  for (const uint32_t i : all) {
    const bool has_moved =
        run.series[i].future || !impl_->known[i] || run.probed[i].snapshot != impl_->known[i];
    if (!run.probed[i].failure && has_moved) moved.push_back(i);
  }
  RETURN_IF_ERROR(impl_->AskNewest(moved));
  for (const uint32_t i : moved) {
    if (run.probed[i].failure) continue;
    impl_->newest[i] = run.probed[i].newest;
    impl_->known[i] = run.probed[i].snapshot;
  }
  return {};
}

plan::Cursors Reading::Start(Duration second_look) const {
  return {.through = {}, .looked = LookedAt(now(), second_look)};
}

plan::Cursors Reading::Next(const plan::Cursors& from, double events_max,
                            std::optional<Duration> second_look) const {
  const Run& run = impl_->run;
  std::vector<plan::StreamEnd> ends;
  ends.reserve(run.series.size());
  for (uint32_t i = 0; i < run.series.size(); ++i) {
    const auto found = from.through.find(run.series[i].web_id);
    ends.push_back(
        {.web_id = run.series[i].web_id,
         .from = found == from.through.end() ? std::nullopt : std::optional(found->second),
         .through = plan::FinalThrough(impl_->newest[i], run.report.now, run.options.settle),
         .density = run.density[i]});
  }
  plan::Cursors next{.through = plan::NextThrough(ends, run.options.history_from, events_max),
                     .looked = from.looked};
  // What is not selected any more keeps its place, for the day on which it is again.
  next.through.insert(from.through.begin(), from.through.end());
  const bool is_all = next.through == from.through || events_max <= 0;
  if (second_look && is_all) next.looked = std::max(from.looked, LookedAt(now(), *second_look));
  return next;
}

Result<Reading::Between> Reading::PlanBetween(const plan::Cursors& from, const plan::Cursors& to,
                                              const Cutting& cutting) {
  Run& run = impl_->run;
  Between between;
  std::vector<plan::Ranges> missing(run.series.size());
  std::vector<uint32_t> unknown;
  const TimeRange looked{from.looked, to.looked};
  for (const auto& [web_id, through] : to.through) {
    const auto before = from.through.find(web_id);
    const bool is_begun = before != from.through.end();
    const UtcTime begin = is_begun ? before->second : run.options.history_from;
    plan::Ranges ranges;
    // Only what was read before: the rest is old when it is read for the first time.
    if (is_begun)
      plan::AddRange(
          ranges, {std::max(looked.begin, run.options.history_from), std::min(looked.end, begin)});
    plan::AddRange(ranges, {begin, through});
    if (ranges.empty()) continue;
    const auto i = run.IndexOf(web_id);
    if (!i) {
      between.gone.push_back(web_id);
      continue;
    }
    missing[*i] = std::move(ranges);
    if (run.density[*i] <= kDensityMin) unknown.push_back(*i);
  }
  RETURN_IF_ERROR(impl_->AskNewest(unknown));
  between.parts = impl_->Cut(std::move(missing), cutting);
  return between;
}

// ---------------------------------------------------------------------------------------------

PullOptions WithShare(PullOptions options, double share) {
  options.source.budget = plan::Scaled(options.source.budget, share);
  options.throttle = nullptr;
  return options;
}

namespace {

constexpr size_t kQueuedBytes = size_t{64} << 20;
constexpr size_t kBytesPerRow = 110;  // of a block, about
// How often a part is read again while none of its rows has been given yet.
constexpr int kAttemptsMax = 4;

}  // namespace

PartReader::PartReader(const PullOptions& options, Part part, const Clock& clock)
    : options_(WithShare(options, part.share)),
      part_(std::move(part)),
      blocks_(kQueuedBytes),
      ingested_(clock.Now()),
      thread_([this](const std::stop_token& stop) { Read(stop); }) {}

PartReader::~PartReader() = default;

std::optional<Result<PartReader::Block>> PartReader::Next(Duration patience) {
  auto block = blocks_.PopUntil(std::chrono::steady_clock::now() + patience.chrono(), {});
  if (block) return Result<Block>(std::move(*block));
  if (!blocks_.is_closed()) return std::nullopt;
  // Closed after the last block was pushed, so none can have come in between.
  if (auto last = blocks_.TryPop()) return Result<Block>(std::move(*last));
  if (!status_) return Result<Block>(tl::unexpected(status_.error()));
  return Result<Block>(nullptr);
}

void PartReader::Read(const std::stop_token& stop) {
  status_ = ReadAll(stop);
  blocks_.Close();
}

Status PartReader::ReadAll(const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const auto source, Source::Open(options_.source, progress_, stop));
  std::vector<float> density = part_.density;
  ShardReader reader(*source, part_.series, density, part_.limits, progress_);
  const plan::Shard shard = ShardOf(part_);
  for (int attempt = 1;; ++attempt) {
    bool has_given = false;
    open_ = std::make_unique<delta::RowBlock>();
    const auto take = [&](const Rows& rows) {
      const bool is_full = rows.last - rows.first > open_->room();
      if (is_full) has_given = true;
      return Take(rows, stop);
    };
    auto outcomes = reader.Read(shard, take, plan::Lane::kBackfill);
    if (outcomes) {
      std::set<uint32_t> named;
      for (const TaskOutcome& outcome : *outcomes) {
        if (outcome.failure && named.insert(outcome.series).second)
          left_out_.push_back({part_.series[outcome.series].path, outcome.failure->message});
      }
      HandOver(stop);
      return {};
    }
    const bool has_changed = outcomes.error().kind == ErrorKind::kConflict;
    if (!has_changed) return tl::unexpected(std::move(outcomes).error());
    if (has_given || attempt == kAttemptsMax)
      return Fail(ErrorKind::kTransient, "the archive changed while it was read; read it again: {}",
                  outcomes.error().message);
  }
}

/// False if nobody wants rows any more.
bool PartReader::Take(const Rows& rows, const std::stop_token& stop) {
  const Series& series = part_.series[rows.series];
  int32_t ordinal = 0;  // rows hold instants whole
  for (size_t begin = rows.first; begin < rows.last;) {
    const size_t end = std::min(begin + open_->room(), rows.last);
    const int32_t last = open_->Append(series, rows.events, begin, end, ordinal, ingested_);
    const bool time_goes_on =
        end < rows.last && rows.events.ticks[end] == rows.events.ticks[end - 1];
    ordinal = time_goes_on ? last + 1 : 0;
    if (open_->room() == 0 && !HandOver(stop)) return false;
    begin = end;
  }
  return true;
}

bool PartReader::HandOver(const std::stop_token& stop) {
  if (open_->rows() == 0) return true;
  const size_t bytes = open_->rows() * kBytesPerRow;
  const bool is_taken =
      blocks_.Push(std::exchange(open_, std::make_unique<delta::RowBlock>()), bytes, stop);
  return is_taken;
}

}  // namespace pilake::pipeline
