// SPDX-License-Identifier: Apache-2.0
// The live tail: rows that were heard of, on their way into the table before they are settled.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/events.h"
#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "delta/table.h"
#include "pipeline/ledger.h"

namespace pilake::pipeline {

/// What the table shows of each series, shared by the one who settles and the one who hears.
///
/// Why no row ever stands twice, and why nothing is lost here: a row is taken only if it is newer
/// than all that the table shows of its series, live rows included. Both know that, because both
/// make their versions while they hold this. A settling pass reads the archive anew, so that
/// whatever was not taken, or was forgotten, comes with it: what is heard only comes earlier. If
/// another writer changed the table, nothing is taken until the next pass.
///
/// Safe for use from many threads.
class LiveTail {
 public:
  /// In key order, as a pass has resolved them; the same list as long as it holds the same.
  using SeriesList = std::shared_ptr<const std::vector<Series>>;

  /// Of a series of which nothing is taken: it is held, could not be read, runs ahead, or has no
  /// event yet.
  static constexpr int64_t kNotNow = std::numeric_limits<int64_t>::max();
  /// Of a series of which the table shows nothing.
  static constexpr int64_t kNothing = std::numeric_limits<int64_t>::min();

  /// `clock` outlives this. Opens nothing yet.
  LiveTail(TableOptions table, const Clock& clock);

  /// No live version is made while it is held.
  [[nodiscard]] std::unique_lock<std::mutex> Hold();

  /// A pass has settled, held until now: `newest` are the ticks of the newest row that the table
  /// shows, in `version`, of each of `series`. What was taken and not committed stays if it is
  /// newer. Shows nothing if a version of ours may still land on top of that one.
  void Show(const std::vector<Series>& series, std::vector<int64_t> newest, int64_t version);

  /// Held: what was taken and not committed is forgotten, and nothing is taken until `Show`.
  void Suspend();

  /// Whom to listen to, suspended or not; nothing before the first pass.
  SeriesList series() const;

  /// Something would be taken.
  bool is_listening() const;

  /// Takes the events, ascending, that are newer than all that is shown of the series; how many.
  size_t Hear(std::string_view web_id, const Events& events);

  /// Rows taken, not yet committed.
  size_t waiting() const;

  /// Makes a version of what was taken; none if that is nothing. How many rows landed. If they
  /// could not be written they wait on; if nobody knows whether they landed, this is suspended.
  Result<int64_t> Commit();

  /// The time of the newest row that such a version brought.
  UtcTime newest_committed() const;

 private:
  Status OpenTable();
  Result<delta::DataFile> WriteFile() const;
  /// False if another writer changed rows in between.
  Result<bool> Land(const delta::DataFile& file);

  const TableOptions options_;
  const Clock& clock_;

  mutable std::mutex mutex_;  // guards all below
  SeriesList series_;
  bool is_listening_ = false;
  std::vector<int64_t> newest_;         // by series
  std::map<uint32_t, Events> waiting_;  // by series
  size_t waiting_rows_ = 0;
  UtcTime newest_committed_;
  int64_t open_version_ = 0;  // may yet turn out to be ours, unless it has come to be another's
  std::unique_ptr<delta::Table> table_;
};

}  // namespace pilake::pipeline
