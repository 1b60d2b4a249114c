// SPDX-License-Identifier: Apache-2.0
// The columns of `pi_timeseries`, and events turned into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/events.h"
#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "delta/arrow_abi.h"
#include "delta/rows.h"

namespace pilake::delta {

/// Names of the columns that data files keep bounds of, and by which the table is clustered.
extern const std::vector<std::string> kBoundedColumns;
extern const std::vector<std::string> kClusteringColumns;
/// The columns by which `FileFacts` is bounded.
inline constexpr const char* kWebIdColumn = "tag_webid";
inline constexpr const char* kTicksColumn = "timestamp_100ns";
/// The columns by which rows are sorted, and the one whose texts may be of any length.
extern const std::vector<std::string> kKeyColumns;
inline constexpr const char* kTextColumn = "value_string";
/// Names of the columns that `AppendBatch` reads, in its order.
extern const std::vector<std::string> kReadColumns;

/// `pi_timeseries` as an Arrow schema; releases with the object.
class TimeseriesSchema {
 public:
  enum class Texts { kPlain, kDictionaries };

  /// `kDictionaries` is what `RowBlock` exports; the table itself has plain columns.
  explicit TimeseriesSchema(Texts texts);
  ~TimeseriesSchema();
  TimeseriesSchema(const TimeseriesSchema&) = delete;
  TimeseriesSchema& operator=(const TimeseriesSchema&) = delete;

  ArrowSchema* get();

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

/// Finds what keeps the table of `schema` from being a `pi_timeseries`. Further columns are fine as
/// long as they may be null, as they are in what we write.
Status CheckSchema(const ArrowSchema& schema);

/// Rows being gathered until there are enough for one hand-over: columns filled in place, texts
/// that repeat kept once per series.
class RowBlock {
 public:
  static constexpr size_t kRows = size_t{1} << 16;

  RowBlock();
  ~RowBlock();
  RowBlock(const RowBlock&) = delete;
  RowBlock& operator=(const RowBlock&) = delete;

  size_t rows() const;
  size_t room() const { return kRows - rows(); }

  /// See `FileWriter::Append`; requires `begin < end` and `end - begin <= room()`. Returns the
  /// ordinal of the last row.
  int32_t Append(const Series& series, const Events& events, size_t begin, size_t end,
                 int32_t first_ordinal, UtcTime ingested);
  void Append(const Rows& rows, size_t begin, size_t end);

  /// The rows as a struct array that points into the block: valid until `Clear`.
  ArrowArray* Export();
  void Clear();

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

/// Appends to `rows` what matches `filter` of a batch with the columns `kReadColumns`.
Status AppendBatch(const ArrowArray& batch, const ArrowSchema& schema, const RowFilter& filter,
                   Rows& rows);

/// Appends all of `more`.
void Append(Rows& rows, const Rows& more);

/// Puts rows into key order: tag_webid, timestamp_100ns, ordinal.
void SortByKey(Rows& rows);

/// Keeps the first `count` rows.
void Truncate(Rows& rows, size_t count);

}  // namespace pilake::delta
