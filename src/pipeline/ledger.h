// SPDX-License-Identifier: Apache-2.0
// The ledger: the table's coverage, read with suspicion and written together with the rows.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "delta/file_writer.h"
#include "delta/store_options.h"
#include "delta/table.h"
#include "plan/coverage.h"
#include "plan/record.h"

namespace pilake::pipeline {

struct TableOptions {
  std::string url;
  delta::StoreOptions store;
  /// The commits of all handles that carry the same are of one writer; empty: of this handle alone.
  std::string writer{};
};

/// The operation of versions that only add files to the tail: what was heard since it was settled.
/// They carry no coverage record, so that they cost what they bring.
inline constexpr char kLiveOperation[] = "STREAMING UPDATE";

/// Paths of the files that hold the tail; nothing if the table shows final rows only.
using Tail = std::optional<std::vector<std::string>>;

/// What one version of the table changes, and the coverage that goes with it.
struct Change {
  std::vector<delta::DataFile> add;  ///< Rows of the body.
  std::vector<delta::FileId>
      remove;  ///< Files that a repair wrote anew; they must still be active.
  /// The whole new tail, in place of the one before. Nothing: the tail stays.
  std::optional<std::vector<delta::DataFile>> tail;
  bool ends_tail = false;  ///< The tail goes out and no other comes.
  /// `Ledger::tail` as it was when this was planned: another one now, and this is overtaken. Must
  /// be said by all that moves an open end or touches the tail.
  std::optional<Tail> tail_before;
  /// It covers nothing but what is older than all that this writer hears: live versions of its own
  /// that came since do not overtake it.
  bool is_older_than_live = false;
  std::vector<plan::Advance> advances;
  std::string operation = "WRITE";  ///< as in delta::CommitRequest
  bool data_change = true;          ///< False: the rows of the table stay the same.
  /// `Ledger::KeepHouse` is for the caller to call, once nobody waits for him.
  bool leaves_house = false;

  /// What becomes of the coverage, made ahead by `Ledger::Stage`.
  struct Staged {
    int64_t of = 0;          ///< which state of the ledger it is made on
    plan::Coverage changed;  ///< the series that change, as they will be
    std::string base;        ///< as in plan::CoverageRecord
    plan::Coverage overrides;
  };
  std::optional<Staged> staged{};
};

/// What became of a commit.
enum class Landing {
  kCommitted,  ///< The rows and their coverage are one version of the table.
  kOvertaken,  ///< Another run changed a part of it first; nothing landed. Plan again.
};

/// The table and what it says it covers. One thread.
///
/// Why no row is lost or stands twice: rows and the coverage that speaks of them change in one
/// version. A version is only made on top of one whose coverage we have read, and only for
/// intervals that it does not cover; whoever loses the race for a version reads the winner's
/// coverage before trying again.
class Ledger {
 public:
  /// Opens the table, or creates it, and reads its coverage. `kInvalid`, with what to do, if the
  /// coverage cannot be trusted: another table, changes by others, rows without a record.
  static Result<std::unique_ptr<Ledger>> Open(const TableOptions& options);
  /// The same for a table that must exist: for looking only.
  static Result<std::unique_ptr<Ledger>> OpenExisting(const TableOptions& options);
  /// A table of which nothing counts as covered, whatever its record says or whether it has one:
  /// for adopting it. `kNotFound` if there is no table.
  static Result<std::unique_ptr<Ledger>> OpenUntrusted(const TableOptions& options);

  const plan::Coverage& coverage() const { return coverage_; }
  delta::Table& table() { return *table_; }

  /// With the files that live versions added since the record, up to the version looked at last.
  const Tail& tail() const { return tail_; }
  /// Looks at the versions since, which it gives back; `tail` and `coverage` are as of the newest
  /// one then.
  Result<std::vector<delta::CommitSummary>> CatchUp();
  /// False if another engine may have moved or removed rows of the tail: they may then stand
  /// anywhere, or nowhere, until a commit brings a new one.
  bool tail_is_whole() const { return tail_is_whole_; }
  /// The tail's files that are active.
  Result<std::vector<delta::FileFacts>> ActiveTail() const;

  /// Commits rows together with the coverage that they give. No files: coverage alone.
  Result<Landing> Commit(Change change);

  /// Does ahead what `Commit` would do about the coverage, which takes long if many series advance
  /// and depends on no file. Nothing is lost if it was for nothing.
  Status Stage(Change& change);

  /// Now and then a checkpoint, and log files and base files of coverage that have expired go. A
  /// failure costs no row: it is noted, and tried again. `Commit` calls it unless told otherwise.
  Status KeepHouse();

  /// What a person should know: versions in which others changed rows, housekeeping that could not
  /// be done. In words. Each is given once.
  std::vector<std::string> TakeNotes() { return std::exchange(notes_, {}); }

 private:
  Ledger(std::unique_ptr<delta::Table> table, const TableOptions& options);

  Status Load();
  Status TaintBy(int64_t version);
  void TakeLive(const delta::CommitSummary& commit);
  void Taint(const delta::FileFacts& file, std::set<std::string>& tainted);
  void Note(std::string sentence);
  plan::Coverage Changed(const std::vector<plan::Advance>& advances) const;
  bool HasOtherTail(const Change& change) const;
  Result<bool> IsOvertaken(const Change& change) const;
  plan::CoverageRecord RecordWith(const Change& change) const;
  void TakeOver(Change::Staged staged);
  bool IsStale(const Change& change) const;
  Status RemoveOldBases();

  std::unique_ptr<delta::Table> table_;
  plan::Coverage coverage_;
  std::set<std::string> overrides_;  // the series whose coverage stands in the record itself
  std::string base_;                 // the base file's name in `_pilake/`
  int64_t recorded_ = 0;             // the version that the record speaks of
  int64_t state_ = 0;                // another one whenever the coverage has changed
  Tail tail_;
  bool tail_is_whole_ = true;
  std::set<std::string> own_live_files_;  // of the tail: those that this writer heard
  std::vector<std::string> notes_;
  std::string process_uuid_;
  std::string writer_;
  int64_t commits_ = 0;
};

}  // namespace pilake::pipeline
