// SPDX-License-Identifier: Apache-2.0
// What the log of a table says of a data file, without opening it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/time.h"

namespace pilake::delta {

/// WebIDs from `first` to `last` in the order of their bytes; both belong to it.
struct WebIdRange {
  std::string first;
  std::string last;

  static WebIdRange Only(std::string_view web_id) {
    return {std::string(web_id), std::string(web_id)};
  }
  bool contains(std::string_view web_id) const { return first <= web_id && web_id <= last; }
  bool operator==(const WebIdRange&) const = default;
};

/// A data file as it was read: the same file with another deletion vector has other rows.
struct FileId {
  // NOLINTNEXTLINE(google-explicit-constructor): most files have no deletion vector.
  FileId(std::string file_path, std::string vector = {})
      : path(std::move(file_path)), deletion_vector(std::move(vector)) {}

  std::string path;             ///< as the log names it
  std::string deletion_vector;  ///< its name; empty: there is none
  bool operator==(const FileId&) const = default;
};

/// Bounds are outer bounds: a file need not reach them, but holds nothing beyond. They come from
/// Delta statistics, which another writer may have left out: then a file is unbounded and may hold
/// anything.
struct FileFacts {
  std::string path;  ///< as the log names it
  int64_t bytes = 0;
  std::optional<int64_t> rows;  ///< those that a deletion vector marks do not count
  UtcTime modified;
  std::string deletion_vector;  ///< its name; empty: there is none
  bool data_change = false;  ///< in a commit: whether this add or remove changed rows of the table
  std::optional<WebIdRange> web_ids;  ///< nothing: unbounded
  std::optional<TimeRange> times;     ///< by timestamp_100ns; nothing: unbounded
  bool keys_are_whole = false;        ///< false: rows without WebID or time may be in it

  FileId id() const { return {path, deletion_vector}; }

  bool may_hold(const WebIdRange& series, const TimeRange& range) const {
    return (!web_ids || (series.first <= web_ids->last && web_ids->first <= series.last)) &&
           (!times || (range.begin < times->end && times->begin < range.end));
  }
};

}  // namespace pilake::delta
