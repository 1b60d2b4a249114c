// SPDX-License-Identifier: Apache-2.0
// Reading: gives events of a source to whoever asks, without a table. It is planned in one place as
// parts, each series × times, that may be read anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/bounded_queue.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "delta/row_block.h"
#include "pipeline/part.h"
#include "pipeline/progress.h"
#include "pipeline/pull.h"
#include "pipeline/shard_reader.h"
#include "plan/cursors.h"
#include "plan/dimensions.h"
#include "plan/packing.h"

namespace pilake::pipeline {

/// What of the archive is wanted.
struct Wanted {
  TimeRange range;
  /// Masks of names; and of those, just these WebIDs. Empty: all that the configuration selects.
  std::vector<std::string> names{}, web_ids{};
};

/// How parts are cut.
struct Cutting {
  size_t parts = 1;  ///< at most
  /// So many of them are read at a time at most. Each is given that share of the budget, and no
  /// more parts are cut than the budget allows calls in flight, if they are all read at once.
  size_t at_once = 0;  ///< 0: all
};

/// The planning side. One thread. It knows what a run knows, but has no table.
class Reading {
 public:
  /// Asks the clocks and resolves the tags. Fails as a run does. The options, the clock and the
  /// progress outlive it.
  static Result<std::unique_ptr<Reading>> Open(const PullOptions& options, const Clock& clock,
                                               Progress& progress, std::stop_token stop);
  ~Reading();

  const std::vector<Series>& series() const;  ///< in key order
  const std::vector<LeftOut>& unresolved() const;
  UtcTime now() const;  ///< the source's

  /// The digital sets of the series and the system states, as the source shows them now; what
  /// cannot be read of them is said in `notes`.
  Result<std::vector<plan::ShownSet>> States(std::vector<std::string>& notes);

  /// The parts in which `wanted` is to be read, about even. Asks the newest events of its series:
  /// one read each.
  Result<std::vector<Part>> Plan(const Wanted& wanted, const Cutting& cutting);

  /// Finds out anew what is final: asks the clocks, and the newest events of the series whose
  /// current value moved since it looked last.
  Status Look();

  /// From which a stream starts: nothing is read yet, and what is older than `second_look` now
  /// will be when it is.
  plan::Cursors Start(Duration second_look) const;

  /// As far as it is final, as `Look` found it last, and as `events_max` allows (see
  /// plan::NextThrough). When all of that is reached, what was read before and is `second_look` old
  /// by now is read a second time, if that is given, in steps of an hour or less: what came late or
  /// was edited is among it.
  plan::Cursors Next(const plan::Cursors& from, double events_max,
                     std::optional<Duration> second_look) const;

  /// What lies between: the same rows whenever it is asked, but for what the archive has corrected
  /// since. Series that the source does not show any more are left out and named.
  struct Between {
    std::vector<Part> parts;
    std::vector<std::string> gone;  ///< WebIDs
  };
  Result<Between> PlanBetween(const plan::Cursors& from, const plan::Cursors& to,
                              const Cutting& cutting);

 private:
  struct Impl;
  explicit Reading(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The options for reading a part: with its share of the budget.
PullOptions WithShare(PullOptions options, double share);

/// Reads one part on threads of its own. `Next` is for one thread.
class PartReader {
 public:
  /// Starts at once; `clock` says when the rows were ingested.
  PartReader(const PullOptions& options, Part part, const Clock& clock);
  /// Stops reading, if it has not ended.
  ~PartReader();
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;

  using Block = std::unique_ptr<delta::RowBlock>;

  /// The next rows, in key order, or no block at the end. Nothing if there are none yet after
  /// `patience`: ask again. After a failure the rows that were given are not to be used;
  /// `kTransient`: the archive changed meanwhile, read the part again.
  std::optional<Result<Block>> Next(Duration patience);

  /// Series that could not be read, or not to the end, and why. Once `Next` has given nothing.
  const std::vector<LeftOut>& left_out() const { return left_out_; }
  const Progress& progress() const { return progress_; }

 private:
  void Read(const std::stop_token& stop);
  Status ReadAll(const std::stop_token& stop);
  bool Take(const Rows& rows, const std::stop_token& stop);
  bool HandOver(const std::stop_token& stop);

  const PullOptions options_;
  const Part part_;
  Progress progress_;
  BoundedQueue<Block> blocks_;
  Block open_;
  const UtcTime ingested_;
  std::vector<LeftOut> left_out_;
  Status status_;        // complete once the queue is closed
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pilake::pipeline
