// SPDX-License-Identifier: Apache-2.0
// A small table with one text key and columns of integers and texts, to and from the bytes of a
// Parquet file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/texts.h"

namespace pilake::delta {

/// Columns of equal length. `names[i]` names `columns[i]`, `text_names[i]` names `texts[i]`; the
/// key column is called `key`.
struct KeyedRows {
  Texts key;
  std::vector<std::string> names{};
  std::vector<std::vector<int64_t>> columns{};
  std::vector<std::string> text_names{};
  std::vector<Texts> texts{};

  bool operator==(const KeyedRows&) const = default;
};

/// `kInvalid` if the columns differ in length.
Result<std::string> EncodeKeyedRows(const KeyedRows& rows);

/// `kMalformed` if `bytes` are damaged or are not such a table.
Result<KeyedRows> DecodeKeyedRows(std::string_view bytes);

}  // namespace pilake::delta
