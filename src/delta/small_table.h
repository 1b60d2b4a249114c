// SPDX-License-Identifier: Apache-2.0
// A small Delta table of plain columns, read and replaced as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "delta/store_options.h"

namespace pilake::delta {

enum class CellType : uint8_t {
  kText,    ///< string; an empty text is null
  kInt,     ///< 32 bits
  kDouble,  ///< double
  kBool,    ///< boolean
  kTime,    ///< timestamp in UTC, cut to microseconds; may be null
};

struct Column {
  std::string name;
  CellType type = CellType::kText;
  std::string comment{};
};

struct SmallLayout {
  std::vector<Column> columns;
  std::vector<std::string> clustered_by;  ///< names of text columns
};

/// The row that is being read. Cells are asked for by the place of their column in the layout and
/// by its type; views die with the row.
class RowView {
 public:
  class Batch;
  RowView(const Batch& batch, int64_t row) : batch_(batch), row_(row) {}

  std::string_view text(size_t column) const;
  int32_t integer(size_t column) const;
  double number(size_t column) const;
  bool truth(size_t column) const;
  std::optional<UtcTime> time(size_t column) const;

 private:
  const Batch& batch_;
  int64_t row_;
};

/// Takes rows cell by cell, in the order of the layout's columns and by their types.
class RowAppender {
 public:
  class Impl;
  explicit RowAppender(Impl& impl) : impl_(impl) {}

  RowAppender& Text(std::string_view text);
  RowAppender& Int(int32_t number);
  RowAppender& Double(double number);
  RowAppender& Bool(bool truth);
  RowAppender& Time(std::optional<UtcTime> time);
  /// After the last cell of a row. `kUnreachable` if the store refused what was gathered.
  Status EndRow();

 private:
  Impl& impl_;
};

/// One thread. Every call may fail with `kUnreachable` (the store did not answer or refused).
class SmallTable {
 public:
  ~SmallTable();
  SmallTable(const SmallTable&) = delete;
  SmallTable& operator=(const SmallTable&) = delete;

  /// `kNotFound`: there is none. `kInvalid`: what is there has other columns, or something is
  /// switched on that forbids to replace its rows; the message says what.
  static Result<std::unique_ptr<SmallTable>> Open(const std::string& url,
                                                  const StoreOptions& options, SmallLayout layout);
  /// Creates an empty one where there is none.
  static Result<std::unique_ptr<SmallTable>> OpenOrCreate(const std::string& url,
                                                          const StoreOptions& options,
                                                          const SmallLayout& layout);

  const std::string& url() const;
  int64_t version() const;

  /// Moves on to the newest version.
  Status Refresh();

  /// Shows every row of this version, in no order. Ends with the first failure of `visit`.
  Status Visit(const std::function<Status(const RowView& row)>& visit) const;

  /// Makes the next version: it holds the rows that `fill` appends, and no other. `kConflict`:
  /// another's version came first, nothing changed; `Refresh` and look again. `kCommitUnknown`: the
  /// same, though it may have landed.
  Status Replace(const std::function<Status(RowAppender& rows)>& fill);

 private:
  class Impl;
  explicit SmallTable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilake::delta
