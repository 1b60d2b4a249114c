// SPDX-License-Identifier: Apache-2.0
#include "pipeline/rewrite.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace pilake::pipeline {
namespace {

using Keep = std::function<bool(std::string_view, UtcTime)>;

/// True if the file holds a row within `scope` that goes.
Result<bool> HoldsRowThatGoes(const delta::Table& table, const std::string& path,
                              const RewriteScope& scope, const Keep& keep) {
  bool found = false;
  const auto look = [&](delta::Rows& rows) -> Result<bool> {
    for (size_t row = 0; row < rows.size() && !found; ++row) {
      found = !keep(rows.tag_webid[row], rows.events.time(row));
    }
    return !found;
  };
  RETURN_IF_ERROR(
      table.VisitRows({.web_ids = scope.web_ids, .range = scope.times, .files = {path}}, look));
  return found;
}

/// The rows of a file that stay, as a new one; nothing if none stays.
Result<std::optional<delta::DataFile>> CopyKept(delta::Table& table, const std::string& path,
                                                const Keep& keep) {
  std::unique_ptr<delta::FileWriter> file;
  const auto copy = [&](delta::Rows& rows) -> Result<bool> {
    for (size_t begin = 0; begin < rows.size();) {
      const bool stays = keep(rows.tag_webid[begin], rows.events.time(begin));
      size_t end = begin + 1;
      while (end < rows.size() && keep(rows.tag_webid[end], rows.events.time(end)) == stays) ++end;
      if (stays) {
        if (!file) {
          ASSIGN_OR_RETURN(file, table.NewFile());
        }
        RETURN_IF_ERROR(file->Append(rows, begin, end));
      }
      begin = end;
    }
    return true;
  };
  RETURN_IF_ERROR(table.VisitRows({.files = {path}}, copy));
  if (!file) return std::optional<delta::DataFile>();
  ASSIGN_OR_RETURN(delta::DataFile done, file->Finish());
  return std::optional(std::move(done));
}

}  // namespace

Result<Rewritten> RewriteFiles(delta::Table& table, const RewriteScope& scope, const Keep& keep) {
  ASSIGN_OR_RETURN(const auto files, table.ActiveFiles());
  Rewritten rewritten;
  for (const delta::FileFacts& file : files) {
    const bool is_within = (!file.times || (scope.times.begin < file.times->end &&
                                            file.times->begin < scope.times.end)) &&
                           (!scope.web_ids || file.may_hold(*scope.web_ids, scope.times));
    if (!is_within || std::ranges::find(scope.but, file.path) != scope.but.end()) continue;
    ASSIGN_OR_RETURN(const bool must_go, HoldsRowThatGoes(table, file.path, scope, keep));
    if (!must_go) continue;
    ASSIGN_OR_RETURN(auto copy, CopyKept(table, file.path, keep));
    rewritten.remove.push_back(file.id());
    if (copy) rewritten.add.push_back(std::move(*copy));
  }
  return rewritten;
}

}  // namespace pilake::pipeline
