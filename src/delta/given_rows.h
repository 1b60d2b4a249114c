// SPDX-License-Identifier: Apache-2.0
// Rows given away through the Arrow C Data Interface: whoever takes them keeps their memory alive.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "delta/arrow_abi.h"
#include "delta/row_block.h"

namespace pilake::delta {

/// Columns of `pi_timeseries`, in the order in which they are wanted.
class ColumnChoice {
 public:
  /// All of them, as the table has them.
  ColumnChoice();
  /// `kInvalid` names the column that does not exist.
  static Result<ColumnChoice> Of(const std::vector<std::string>& names);

  const std::vector<size_t>& places() const { return places_; }

 private:
  std::vector<size_t> places_;
};

/// The schema of what `GiveAway` gives: texts are plain. `out` is the taker's to release.
void DescribeGiven(const ColumnChoice& columns, ArrowSchema* out);

/// Rows of `block` as a struct array. Numbers and times are the block's own memory, nothing is
/// copied; texts that the block keeps once a series are written out, as the schema says. Each
/// column may outlive the others and be released on any thread. `out` is the taker's to release.
void GiveAway(std::unique_ptr<RowBlock> block, const ColumnChoice& columns, ArrowArray* out);

}  // namespace pilake::delta
