// SPDX-License-Identifier: Apache-2.0
// Rewrite: files of the table written anew without some of their rows.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "delta/table.h"

namespace pilake::pipeline {

/// Which active files are concerned at all.
struct RewriteScope {
  std::vector<std::string> but;                ///< Paths of files that stay as they are.
  std::optional<delta::WebIdRange> web_ids{};  ///< Only files that may hold a series of these …
  TimeRange times;                             ///< … at one of these times.
};

/// For a commit: in place of `remove` stand the files `add`.
struct Rewritten {
  std::vector<delta::FileId> remove;
  std::vector<delta::DataFile> add;
};

/// Writes those files anew that hold a row for which `keep` says no; every other row and column
/// stays as it is. Files without such a row are only looked at. Memory: some thousands of rows.
Result<Rewritten> RewriteFiles(delta::Table& table, const RewriteScope& scope,
                               const std::function<bool(std::string_view, UtcTime)>& keep);

}  // namespace pilake::pipeline
