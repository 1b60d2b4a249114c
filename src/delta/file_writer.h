// SPDX-License-Identifier: Apache-2.0
// One Parquet data file being written, streamed to the table's store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/events.h"
#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "delta/rows.h"

namespace pilake::delta {

/// A finished Parquet file in the table's folder, not yet part of any version. Plain values: it may
/// be committed again after a conflict, or by another `Table` of the same folder.
struct DataFile {
  std::string path;  ///< relative to the table's folder
  int64_t bytes = 0;
  int64_t rows = 0;
  std::string stats;        ///< Delta statistics as JSON, keys in full length
  int64_t modified_ms = 0;  ///< since 1970
};

/// Writes rows in the order in which they are appended; memory stays bounded by a row group. Rows
/// are expected in key order (tag_webid, time, ordinal): it is what makes statistics prune, nothing
/// breaks without.
///
/// A writer that is destroyed before `Finish` succeeded takes back what it had uploaded. It may
/// outlive its `Table` and move between threads, used by one at a time.
class FileWriter {
 public:
  class Impl;
  explicit FileWriter(std::unique_ptr<Impl> impl);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// Appends rows `[begin, end)` of `events`, all of one series. `first_ordinal` is the ordinal of
  /// row `begin` at its time; rows of equal time that follow count on from it, others begin at 0.
  /// `kUnreachable` if the store refused; the writer is then good for nothing but destruction.
  Status Append(const Series& series, const Events& events, size_t begin, size_t end,
                int32_t first_ordinal, UtcTime ingested);

  /// Appends rows `[begin, end)` that were read back, every column as it was read.
  Status Append(const Rows& rows, size_t begin, size_t end);

  int64_t rows() const;
  /// Encoded bytes so far: what left the process and an estimate of the open row group.
  int64_t bytes_written() const;

  /// Completes the upload; on a local disk file and folder are synced. Nothing can be appended
  /// then.
  Result<DataFile> Finish();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilake::delta
