// SPDX-License-Identifier: Apache-2.0
// Pull: makes the table equal to the archive up to now, then ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "pipeline/dimensions.h"
#include "pipeline/ledger.h"
#include "pipeline/part.h"
#include "pipeline/progress.h"
#include "pipeline/resolve.h"
#include "pipeline/source.h"
#include "plan/future.h"
#include "plan/look.h"
#include "plan/packing.h"

namespace pilake::pipeline {

class Hearer;

/// One version that the run made.
struct CommitNews {
  int64_t version = 0;
  int64_t rows = 0;
  int64_t files = 0;
  int64_t series = 0;  ///< whose coverage it moved
};

struct PullOptions {
  SourceOptions source;
  TableOptions table;
  std::vector<TagSelection> tags;
  UtcTime history_from;
  Duration settle = Duration::Minutes(10);
  bool accept_vanished = false;  ///< as in DimensionOptions
  /// Asks for series in quarantine too that are not due yet.
  bool try_all = false;
  /// Shows what is not final yet too, in files that later versions replace.
  bool tail = true;
  plan::SecondLook second_look;
  plan::Future future;
  /// Rows that the archive does not show may leave the table in any number.
  bool allow_deletes = false;
  /// Rows a file aims at: large enough to be read fast, small enough that a kill costs little work.
  double rows_per_shard = 4e6;
  std::function<void(const CommitNews&)> on_commit;  ///< called on the thread of `Pull`
  /// Looks and backfill end after so long, or as long as all before them took, between two pieces
  /// of work; the rest is for the next pull. Nothing: they are all done.
  std::optional<Duration> enough_after{};
  /// Shared by the sources of a process; none: the run makes its own.
  std::shared_ptr<Throttle> throttle{};
  /// Nothing: the run reads and writes its backfill itself.
  std::optional<HandOut> hand_out{};
  /// Beside those who hear: what the table shows is told to its live tail, and what it is in doubt
  /// of is looked at. Outlives the run.
  Hearer* hearer = nullptr;
  std::optional<plan::Transport>
      only_transport;  ///< for comparing them; by default the shape decides
};

/// A series that the run left out, and why.
struct LeftOut {
  std::string tag;
  std::string reason;
};

struct PullReport {
  int64_t series = 0;
  int64_t series_changed = 0;             ///< of which the probe said that something may be new
  int64_t series_without_final_rows = 0;  ///< fewer than two events: nothing is final yet
  int64_t rows = 0;                       ///< committed by this run
  int64_t files = 0;
  int64_t bytes = 0;  ///< of those files
  int64_t commits = 0;
  int64_t looks = 0;            ///< stretches that were looked at again
  int64_t look_reads = 0;       ///< of series, for these looks
  int64_t look_events = 0;      ///< that came over the wire for them
  int64_t rows_added_late = 0;  ///< that a look found missing
  int64_t rows_changed = 0;     ///< that a look found edited
  int64_t rows_deleted = 0;     ///< that are not in the archive any more, as two looks proved
  int64_t series_silent = 0;    ///< out of character, or in an outage
  bool is_unfinished = false;   ///< see PullOptions::enough_after
  int64_t version = 0;          ///< of the table now
  UtcTime now;                  ///< the source's, from which finality was reckoned
  Duration took;
  std::vector<LeftOut> held;  ///< the last covered row did not come back: nothing was changed
  std::vector<LeftOut> gone;  ///< rows that the archive does not show and that wait for a person
  std::vector<LeftOut> quarantined;  ///< could not be read
  std::vector<LeftOut> unresolved;   ///< named in the configuration, not given by the source
  std::vector<std::string> notes;    ///< what else to know, as Ledger::notes
  DimensionReport points;            ///< what changed about the points, and which are gone

  /// Series, points and rows that a person has to know of.
  size_t left_out() const;
};

/// Reads what the table lacks and commits it, shard by shard. Safe to repeat, to kill at any
/// instant and to run twice at once: progress is in the table or it is nowhere. Starts threads and
/// joins them.
///
/// Series that cannot be read are named in the report and leave the others be. Fails with
/// `kUnreachable`, `kAuth`, `kInvalid` … when the run as a whole cannot go on; what was committed
/// stays.
Result<PullReport> Pull(const PullOptions& options, const Clock& clock, Progress& progress,
                        std::stop_token stop);

/// A pull that stays, pass after pass. One thread.
class Pulling {
 public:
  /// As for `Pull`. The tags are resolved anew, and the points looked at, when that was
  /// `resolve_every` ago; `clock` tells.
  Pulling(const PullOptions& options, Duration resolve_every, const Clock& clock,
          Progress& progress, std::stop_token stop);
  ~Pulling();
  Pulling(const Pulling&) = delete;
  Pulling& operator=(const Pulling&) = delete;

  /// As `Pull`. After one that fails the next begins from the beginning.
  Result<PullReport> Next();

  /// Makes the looks that are due, those at what the hearer doubts included, and nothing else. Not
  /// before a pass has gone well; then they stay for the next one.
  Status Look();

  /// The next pass resolves the tags anew: the options have changed.
  void BeginAnew();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Takes over a table whose coverage is missing, damaged, or of another table, and goes on as
/// `Pull`: all its rows count as covered and as doubtful, so that every series is compared with the
/// archive from end to end and made equal to it. Rows that the archive does not show leave as after
/// a look. `kNotFound` if there is no table.
Result<PullReport> Adopt(const PullOptions& options, const Clock& clock, Progress& progress,
                         std::stop_token stop);

/// What a person asks to be read again.
struct RereadOptions {
  std::vector<std::string> tags{};     ///< masks of names
  std::vector<std::string> web_ids{};  ///< or just these series; neither: all of the configuration
  std::optional<TimeRange> range{};    ///< nothing: all that is covered

  bool selects(const Series& series) const;
};

/// Makes looks at those stretches, with all that follows from a look, and at whatever else is due.
/// Safe to kill: what was asked for stands in the table until it is done.
Result<PullReport> Reread(const PullOptions& options, const RereadOptions& what, const Clock& clock,
                          Progress& progress, std::stop_token stop);

}  // namespace pilake::pipeline
