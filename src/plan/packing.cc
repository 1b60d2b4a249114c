// SPDX-License-Identifier: Apache-2.0
#include "plan/packing.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace pilake::plan {
namespace {

/// Head-room over the estimate, so that most pages come whole at the first try.
uint32_t MaxCountFor(double events, uint32_t count_min, uint32_t items_max) {
  const double wanted = std::max(std::ceil(events * 1.5) + 20, static_cast<double>(count_min));
  return static_cast<uint32_t>(std::min(wanted, static_cast<double>(items_max)));
}

// A set is one request to the server, while each part of a batch may count against its rate limit
// (wire §7.3): several sets are better than one batch.
constexpr size_t kSetWorth = 8;

/// A growing run of tasks, measured as one call of either kind.
struct Run {
  size_t count = 0;
  TimeRange hull{};
  double rate_sum = 0, rate_max = 0;
  double events = 0;       ///< estimated, each series in its own window
  uint32_t count_min = 0;  ///< the largest of theirs
  uint64_t own_items = 0;  ///< sum of what each series would ask for in its own window

  void Add(const Task& task, double rate, uint32_t items_max) {
    hull = count == 0 ? task.range
                      : TimeRange{std::min(hull.begin, task.range.begin),
                                  std::max(hull.end, task.range.end)};
    const double own = rate * task.range.length().seconds();
    ++count;
    rate_sum += rate;
    rate_max = std::max(rate_max, rate);
    events += own;
    count_min = std::max(count_min, task.count_min);
    own_items += MaxCountFor(own, task.count_min, items_max);
  }

  uint32_t common_max_count(uint32_t items_max) const {
    return MaxCountFor(rate_max * hull.length().seconds(), count_min, items_max);
  }
  /// Events that a common window would bring and nobody asked for.
  double waste() const { return rate_sum * hull.length().seconds() - events; }
};

bool FitsSet(const Run& run, const PackLimits& limits) {
  if (limits.only && limits.only != Transport::kSet) return false;
  const bool is_wasteful = run.waste() > run.events / 2 + static_cast<double>(run.count);
  return run.count <= limits.set_series_max && run.events <= limits.page_events &&
         run.count * uint64_t{run.common_max_count(limits.items_max)} <= limits.items_max &&
         (!is_wasteful || limits.only.has_value());
}

bool FitsBatch(const Run& run, const PackLimits& limits) {
  if (limits.only && limits.only != Transport::kBatch) return false;
  return run.count <= limits.batch_parts_max && run.events <= limits.page_events &&
         run.own_items <= limits.items_max;
}

}  // namespace

Packer::Packer(std::vector<Task> tasks, PackLimits limits)
    : tasks_(std::move(tasks)), limits_(limits) {}

double Packer::Estimate(const Task& task, std::span<const float> density) const {
  constexpr UtcTime kAnywhere = Task{}.newest;
  const UtcTime newest = task.newest == kAnywhere ? kAnywhere : task.newest + elapsed_;
  const UtcTime end = std::clamp(newest, task.range.begin, task.range.end);
  return static_cast<double>(density[task.series]) * (end - task.range.begin).seconds();
}

/// Events per second over the whole range.
double Packer::RateOf(const Task& task, std::span<const float> density) const {
  return Estimate(task, density) / task.range.length().seconds();
}

std::optional<Request> Packer::Next(std::span<const float> density, Duration elapsed) {
  elapsed_ = elapsed;
  if (at_ == tasks_.size()) return std::nullopt;
  const Task& task = tasks_[at_];
  const bool is_deep = Estimate(task, density) > limits_.page_events / 2.0;
  return is_deep ? Slice(RateOf(task, density)) : Gather(density);
}

Request Packer::Slice(double rate) {
  Task& task = tasks_[at_];
  const double seconds = limits_.page_events / rate;
  Read read{.series = task.series,
            .window = task.range,
            .expected = task.expected,
            .keep_from = task.keep_from};
  // A last slice of up to one and a half pages is not worth another call.
  if (task.range.length().seconds() > seconds * 1.5) {
    read.window.end = read.window.begin +
                      Duration::Ticks(std::max<int64_t>(1, static_cast<int64_t>(seconds * 1e7)));
  }
  read.max_count =
      MaxCountFor(rate * read.window.length().seconds(), task.count_min, limits_.items_max);
  task.range.begin = read.window.end;
  task.expected.reset();
  if (task.range.empty()) ++at_;
  return {.transport = TransportOf(1, false), .reads = {std::move(read)}};
}

Transport Packer::TransportOf(size_t count, bool is_set) const {
  if (limits_.only) return *limits_.only;
  if (count == 1) return Transport::kSingle;
  return is_set ? Transport::kSet : Transport::kBatch;
}

Request Packer::Gather(std::span<const float> density) {
  // As many tasks as one call carries. A batch asks each series for its own window; a set asks all
  // for their common one, which is cheaper for the server while it brings little that nobody wants.
  size_t as_set = 1, as_batch = 1;
  uint32_t common = 0;
  Run run;
  bool names_once = true;
  for (size_t i = at_; i < tasks_.size(); ++i) {
    // A set names a series once; the parts of a batch stand for themselves.
    if (i > at_ && tasks_[i].series == tasks_[i - 1].series) names_once = false;
    run.Add(tasks_[i], RateOf(tasks_[i], density), limits_.items_max);
    if (names_once && FitsSet(run, limits_)) {
      as_set = run.count;
      common = run.common_max_count(limits_.items_max);
    }
    if (FitsBatch(run, limits_)) as_batch = run.count;
    if (run.count > std::max(limits_.set_series_max, limits_.batch_parts_max) ||
        run.events > limits_.page_events) {
      break;
    }
  }
  const bool is_set = as_set > 1 && as_set * kSetWorth >= as_batch;
  const size_t count = is_set ? as_set : as_batch;
  Request request{.transport = TransportOf(count, is_set), .reads = {}};
  for (const size_t end = at_ + count; at_ < end; ++at_) {
    const Task& task = tasks_[at_];
    const uint32_t own = MaxCountFor(Estimate(task, density), task.count_min, limits_.items_max);
    request.reads.push_back({.series = task.series,
                             .window = task.range,
                             .max_count = is_set ? common : own,
                             .expected = task.expected,
                             .keep_from = task.keep_from});
  }
  return request;
}

Request Alone(Read read) {
  return {.transport = Transport::kSingle, .reads = {std::move(read)}};
}

std::vector<Request> Halves(const Request& request) {
  assert(request.reads.size() > 1);
  const auto middle = request.reads.begin() + static_cast<std::ptrdiff_t>(request.reads.size() / 2);
  std::vector<Request> halves{request, request};
  halves[0].reads.assign(request.reads.begin(), middle);
  halves[1].reads.assign(middle, request.reads.end());
  for (Request& half : halves) {
    if (half.reads.size() == 1) half.transport = Transport::kSingle;
  }
  return halves;
}

std::vector<Read> HalvesInTime(const Read& read) {
  const Duration half = read.window.length() / 2;
  if (half < Duration::Millis(1)) return {read};
  Read early = read, late = read;
  early.window.end = late.window.begin = read.window.begin + half;
  late.expected.reset();
  return {early, late};
}

}  // namespace pilake::plan
