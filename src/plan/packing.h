// SPDX-License-Identifier: Apache-2.0
// Packing: how the reads of a shard travel, chosen by their shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/time.h"
#include "plan/failure.h"
#include "plan/paging.h"

namespace pilake::plan {

/// How reads go over the wire.
enum class Transport : uint8_t {
  kSingle,  ///< one series: GET streams/{id}/recorded
  kSet,     ///< many series, one window: GET streamsets/recorded
  kBatch,   ///< many series, a window each: POST batch
};

/// One call.
struct Request {
  Transport transport = Transport::kSingle;
  std::vector<Read> reads{};  ///< In key order; never empty; one for kSingle.
  Tries tries{};
  bool is_known = false;  ///< The source knows all of its points: that was asked apart.
  bool is_again = false;  ///< All of a call were refused for the moment; this asks again.
};

/// One series × one range that is to be read.
struct Task {
  uint32_t series = 0;
  TimeRange range;
  std::optional<Expected> expected;
  UtcTime keep_from{std::numeric_limits<int64_t>::min()};  ///< as of Read
  /// Hardly anything stands behind it, as a probe has shown: for the estimate only.
  UtcTime newest{std::numeric_limits<int64_t>::max()};
  /// Asked for at least so many events, whatever the estimate: one page is to hold them all.
  uint32_t count_min = 0;
};

/// What a call may ask for.
struct PackLimits {
  uint32_t items_max = 150'000;   ///< MaxReturnedItemsPerCall (wire §1.8)
  uint32_t set_series_max = 180;  ///< WebIDs that fit into a URL of 8 KB
  uint32_t batch_parts_max = 100;
  uint32_t page_events = 40'000;  ///< Events a call should bring: large enough to amortise the
                                  ///< call, small enough to stay far from the server's time-outs.
  std::optional<Transport> only;  ///< Use this one whatever the shape: for comparing them.
};

/// Cuts the tasks of a shard, which stand in key order, into calls, in the same order.
///
/// Lazy, because what the first pages show of density shapes the calls after them:
/// `density[series]` (events per second) is read at each call of `Next`.
class Packer {
 public:
  Packer(std::vector<Task> tasks, PackLimits limits);

  /// The next call; nothing when all tasks are handed out. `elapsed`: since the tasks were planned,
  /// so that what came behind their `newest` meanwhile is reckoned with.
  std::optional<Request> Next(std::span<const float> density, Duration elapsed = {});

  /// Tasks handed out completely or in part, of `tasks()`.
  size_t position() const { return at_; }
  const std::vector<Task>& tasks() const { return tasks_; }

 private:
  double Estimate(const Task& task, std::span<const float> density) const;
  double RateOf(const Task& task, std::span<const float> density) const;
  Request Slice(double rate);
  Request Gather(std::span<const float> density);
  Transport TransportOf(size_t count, bool is_set) const;

  std::vector<Task> tasks_;
  PackLimits limits_;
  Duration elapsed_;
  size_t at_ = 0;
};

/// A read that failed together with others, or was cut short, asked for alone.
Request Alone(Read read);

/// The halves of a call with more than one read: same reads, same order.
std::vector<Request> Halves(const Request& request);

/// The halves of a read of one series, split in time; the read itself if it is too short to split.
std::vector<Read> HalvesInTime(const Read& read);

}  // namespace pilake::plan
