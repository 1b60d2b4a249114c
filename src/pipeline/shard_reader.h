// SPDX-License-Identifier: Apache-2.0
// Reads a shard: many calls in flight, rows handed on strictly in key order.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/events.h"
#include "core/result.h"
#include "core/series.h"
#include "pipeline/progress.h"
#include "pipeline/source.h"
#include "plan/failure.h"
#include "plan/governor.h"
#include "plan/packing.h"
#include "plan/paging.h"
#include "plan/shards.h"

namespace pilake::pipeline {

/// Rows `[first, last)` of `events`, the next ones of series `series` in key order.
struct Rows {
  uint32_t series = 0;
  Events events;
  size_t first = 0, last = 0;
  bool is_begin = false;  ///< They came with one page from the begin of their task on.
};
inline size_t Bytes(const Rows& rows) {
  return sizeof(Rows) + rows.events.bytes();
}

/// The last instant of rows `[first, last)`, which are not empty and hold it whole.
plan::Instant LastInstant(const Rows& rows);

/// Takes rows over; false stops the reading (the reason is the sink's to tell).
using RowSink = std::function<bool(Rows rows)>;

/// How far a task of the shard came.
struct TaskOutcome {
  uint32_t series = 0;
  TimeRange read;                             ///< Complete: every row of it went to the sink.
  std::optional<plan::Instant> last_instant;  ///< Of those rows.
  std::optional<Error> failure;               ///< Why `read` ends before the task does.
};

/// Events per second below which no estimate goes, so that all stay finite.
inline constexpr float kDensityMin = 1e-5f;

/// Reads shards of one source. One thread, the one that owns the source.
///
/// The calls of a shard stand in a list in key order, each as *to ask*, *asked*, or *rows*. Answers
/// come in any order and turn an *asked* entry into rows and, where a page was cut short or failed
/// as a whole, new entries *to ask* in the same place; rows leave from the front. So the file is
/// sorted by construction, and what waits behind a slow call is bounded in bytes.
class ShardReader {
 public:
  ShardReader(Source& source, const std::vector<Series>& series, std::vector<float>& density,
              plan::PackLimits limits, Progress& progress);

  /// Reads all of `shard`. A series that cannot be read ends its task early and leaves the others
  /// be; `kConflict` if the archive changed under the reading so that rows already handed on may be
  /// wrong: throw them away and read the shard again.
  Result<std::vector<TaskOutcome>> Read(plan::Shard shard, const RowSink& sink, plan::Lane lane);

  /// The same of those events only that pass `filter`; `filter` outlives the reader. Densities then
  /// mean those events.
  Result<std::vector<TaskOutcome>> ReadFiltered(plan::Shard shard, std::string_view filter,
                                                const RowSink& sink, plan::Lane lane);

 private:
  struct Entry {
    /// kHeld: the other half, which stands before it, is asked first. The call of both was refused,
    /// so if that half is not, this one is.
    enum class State : uint8_t { kToAsk, kAsked, kHeld, kRows } state = State::kToAsk;
    plan::Request request{};  // but for kRows
    Rows rows{};              // kRows
  };
  using Entries = std::list<Entry>;

  void Fill();
  void Ask(Entries::iterator entry);
  Status Take(Answer answer);
  Status TakePages(Entries::iterator entry, Pages pages);
  Status TakePage(Entries::iterator entry, const plan::Read& read, decode::SeriesPage page);
  Status TakeFailure(Entries::iterator entry, const Answer& answer);
  Status TakeSeriesFailure(const plan::Read& read, const Error& error);
  Status Separate(Entries::iterator entry);
  bool InsertToAsk(Entries::iterator before, plan::Request request,
                   Entry::State state = Entry::State::kToAsk);
  void InsertAgain(Entries::iterator entry, std::vector<plan::Read> refused);
  void InsertInHalves(Entries::iterator before, const plan::Request& request);
  bool HandOn(const RowSink& sink);
  void Learn(const plan::Read& read, const plan::PageVerdict& verdict);
  bool IsBegin(const plan::Read& read);
  TaskOutcome& OutcomeOf(uint32_t series, UtcTime at);

  Source& source_;
  const std::vector<Series>& series_;
  std::vector<float>& density_;
  plan::PackLimits limits_;
  Progress& progress_;

  plan::Lane lane_ = plan::Lane::kIncrement;
  std::string_view filter_;
  std::optional<plan::Packer> packer_;
  UtcTime began_;
  Entries entries_;
  std::map<uint64_t, Entries::iterator> asked_;
  uint64_t next_id_ = 1;
  size_t waiting_bytes_ = 0;  // of rows that wait for their turn
  std::vector<TaskOutcome> outcomes_;
  std::vector<TimeRange> wanted_;  // the task's whole range, by outcome
};

}  // namespace pilake::pipeline
