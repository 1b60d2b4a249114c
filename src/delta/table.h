// SPDX-License-Identifier: Apache-2.0
// One Delta table: its versions, its commits, its data files and the side files below `_pilake/`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "delta/file_facts.h"
#include "delta/file_writer.h"
#include "delta/hindrance.h"
#include "delta/rows.h"
#include "delta/store_options.h"

namespace pilake::delta {

/// What one version shall change. Empty members change nothing.
struct CommitRequest {
  std::vector<DataFile> add;
  std::vector<FileId> remove;  ///< files that are active in the table's version, as they were read
  bool data_change = true;     ///< false: the rows stay the same (compaction)
  std::string domain;          ///< domainMetadata: name and its new text
  std::string domain_value;
  std::string app_id;  ///< txn: application and its new version
  int64_t app_version = 0;
  /// As in table history, a name that every engine knows: WRITE, MERGE, UPDATE, DELETE, OPTIMIZE or
  /// STREAMING UPDATE.
  std::string operation = "WRITE";
  std::string commit_uuid;  ///< goes into commitInfo; how a lost answer is recognised
};

/// What one version of the log did, as far as trust is concerned.
struct CommitSummary {
  int64_t version = 0;
  std::string uuid;       ///< `CommitRequest::commit_uuid`, or empty: not from pilake
  std::string operation;  ///< `WRITE`, `DELETE`, `OPTIMIZE`, `RESTORE`, … or empty
  std::map<std::string, std::string> parameters;  ///< of the operation; values as the log has them
  std::string engine;
  bool is_blind_append = false;   ///< its writer says that it read nothing of the table
  bool changes_data = false;      ///< an add or remove with dataChange
  bool changes_table_id = false;  ///< or this cannot be told any more, as with the next two
  bool changes_schema = false;
  bool changes_properties = false;
  bool changes_protocol = false;
  std::vector<std::string> domains;  ///< of domainMetadata that it set or removed
  /// Of a removed file bounds are known if the commit, the table at the version that was asked
  /// about, or a commit since has statistics of it.
  std::vector<FileFacts> added;
  std::vector<FileFacts> removed;
};

struct TableStats {
  int64_t files = 0;
  int64_t rows = 0;  ///< by the files' statistics; those of files without any are not in it
  int64_t bytes = 0;
  int64_t files_without_rows = 0;  ///< files whose statistics do not count rows (foreign writers)
};

/// What `Maintain` did.
struct MaintainOutcome {
  bool checkpointed = false;
  bool checksummed = false;
  int64_t log_files_deleted = 0;
  /// What the store refused or lost: the table is as good as before, but its log grows, or is
  /// slower to open.
  std::optional<Error> trouble;
};

/// A file in the folder of a table. The time is by the store's own clock.
struct FolderFile {
  std::string name;
  int64_t bytes = 0;
  UtcTime modified;
};

/// The oldest version of which the log still tells.
struct OldestVersion {
  int64_t version = 0;
  UtcTime landed;  ///< when its commit was written, by the store's own clock
  std::optional<std::string> domain;
};

/// Proves, without making a table, that one could be made at `url`: the folder can be written and a
/// file is created only if it is absent. Leaves nothing behind. `kInvalid` or `kUnreachable` says
/// what is missing.
Status ProbeStore(const std::string& url, const StoreOptions& options);

struct VacuumOptions {
  std::optional<Duration> retention{};  ///< nothing: as the table says; shorter is refused
  bool dry_run = false;                 ///< writes and deletes nothing
};

/// Deletes files in the folder of a table that are older than the retention and that neither its
/// newest version needs nor one that was the newest within it: what left the table, what a killed
/// process left half done. Never side files. Safe beside writers that commit what is younger than
/// half of the table's own retention. What was deleted, or would be, by name. `kInvalid`: the
/// retention is shorter than the table's own, or nobody can tell what the table needs. For any
/// Delta table. `kNotFound` if there is none.
Result<std::vector<FolderFile>> RemoveLitter(const std::string& url, const StoreOptions& store,
                                             const VacuumOptions& options);

/// A table as of one version, its snapshot. All members but those named otherwise speak of that
/// version. For one thread at a time; different tables may be used at once.
///
/// Every call may fail with `kUnreachable` (the store did not answer or refused).
class Table {
 public:
  class Impl;
  explicit Table(std::unique_ptr<Impl> impl);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// Opens the newest version. `url` is a path, or a `file://`, `s3://`, `az://`, `abfss://`,
  /// `gs://` URL, or a name `uc://catalog.schema.table`. `kNotFound`: no Delta table is there (the
  /// message says whether the folder holds other files). `kInvalid`: there is one, but it cannot be
  /// used; the message names the feature or the column that is in the way, and how to undo it.
  static Result<std::unique_ptr<Table>> Open(const std::string& url, const StoreOptions& options);

  /// Creates `pi_timeseries`, empty, and opens it. `kConflict`: a table is there already, perhaps
  /// since a moment ago: open it. `kInvalid`: the folder holds other files. A folder that is
  /// missing is made; a catalog that does not have the table is told of it.
  static Result<std::unique_ptr<Table>> Create(const std::string& url, const StoreOptions& options);

  /// Moves on to the newest version. `kInvalid` as in `Open`, if others changed the table so that
  /// it cannot be used any more; it is then at that version.
  Status Refresh();

  int64_t version() const;
  const std::string& table_id() const;
  const std::string& url() const;

  /// Text of a domainMetadata domain; nothing if it was never set or was removed.
  Result<std::optional<std::string>> Domain(const std::string& name) const;
  /// Last txn version of an application.
  Result<std::optional<int64_t>> TxnVersion(const std::string& app_id) const;

  /// The log's versions beyond `version`, oldest first, up to the newest that exists now (the
  /// snapshot's may be older). `kNotFound` if one of them is missing.
  Result<std::vector<CommitSummary>> CommitsSince(int64_t version) const;

  /// Makes version()+1 and moves to it; the new version number.
  ///
  /// `kConflict`: another's version came first, or a file to remove is not active as it was read;
  /// nothing of the request landed. The files stay staged: `Refresh`, then decide.
  /// `kCommitUnknown`: it may have landed; look for `commit_uuid` in `CommitsSince` before asking
  /// again. An answer that got lost but landed is recognised here and is success. The kernel checks
  /// nothing but the version: that the request still makes sense is the caller's to know.
  Result<int64_t> Commit(const CommitRequest& request);

  /// A data file of this table under a fresh name.
  Result<std::unique_ptr<FileWriter>> NewFile();

  Result<TableStats> Stats() const;
  /// Paths of the active files.
  Result<std::vector<std::string>> Files() const;
  /// The active files and what is known of their contents.
  Result<std::vector<FileFacts>> ActiveFiles() const;

  /// What others switched on in this version, with effects below `kStop`: a table that cannot be
  /// written is not opened.
  Result<std::vector<Hindrance>> Hindrances() const;

  /// Rows that match, read back; see `RowQuery`. `kConflict` if a file asked for is not active.
  Result<Rows> ReadRows(const RowQuery& query) const;

  /// Shows rows that match, some thousands at a time, which the visitor may take; false ends the
  /// visit. Files come in the order in which they are asked for, the rows of a file in its own
  /// order, those that a deletion vector marks left out. What statistics rule out is not read.
  /// `kConflict` if a file asked for is not active. A visitor must not throw.
  using RowVisitor = std::function<Result<bool>(Rows& rows)>;
  Status VisitRows(const RowFilter& filter, const RowVisitor& visit) const;

  /// Writes `_pilake/NAME`, synced. `kConflict` if it exists: side files never change.
  Status PutSideFile(const std::string& name, std::string_view bytes);
  /// `kNotFound` if there is none.
  Result<std::string> GetSideFile(const std::string& name) const;
  /// Missing ones are fine.
  Status RemoveSideFile(const std::string& name);
  /// The files in `_pilake/`, by name.
  Result<std::vector<FolderFile>> SideFiles() const;

  /// Proves that the store creates a file only if it is absent, on the real path: without this two
  /// writers could both believe they made one version. `kInvalid` names what is missing.
  Status ProbeAtomicCreate();

  /// Keeps the log quick to open and to commit to, and no longer than its retention asks for. A
  /// checkpoint when the last one is `commits` old, or a few commits and some time; a checksum when
  /// there is none at this version yet; after a checkpoint, log files go that are older than the
  /// table's `delta.logRetentionDuration`, so many at a time. Cheap when there is nothing to do;
  /// call it after opening and between commits.
  struct Care {
    bool checkpoint_now = false;
    int64_t commits = 100;  ///< a commit that removes files reads all since the last one
    int64_t commits_when_old = 10;
    Duration old = Duration::Minutes(10);
    int64_t keep_log_from = std::numeric_limits<int64_t>::max();  ///< commits behind it stay
  };
  Result<MaintainOutcome> Maintain(const Care& care);

  /// With the text that `domain` had then; nothing if the log does not have its commit.
  Result<std::optional<OldestVersion>> Oldest(const std::string& domain) const;

  struct Merge {
    std::vector<std::string> files;    ///< active ones
    int64_t file_bytes = 64 << 20;     ///< a file ends when it has reached this size
    int64_t memory_bytes = 256 << 20;  ///< rows that are held at a time, by estimate
  };
  /// Writes the rows of some files anew, all columns as they are, as fewer files in key order. For
  /// a commit with `data_change` false; nothing is committed here.
  Result<std::vector<DataFile>> MergeFiles(const Merge& merge);

  /// How long files that left the table stay, for readers of older versions and for those who are
  /// about to add them: `delta.deletedFileRetentionDuration`.
  Duration FileRetention() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilake::delta
