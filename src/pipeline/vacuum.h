// SPDX-License-Identifier: Apache-2.0
// Vacuum: files that nobody needs leave the folders of the tables.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "delta/table.h"
#include "pipeline/ledger.h"

namespace pilake::pipeline {

/// What was deleted from the folder of one table, or would be.
struct Litter {
  std::string table;
  std::vector<delta::FolderFile> files;

  int64_t bytes() const;
};

/// See delta::RemoveLitter; for the table and for those of points and states beside it, as far as
/// they are there.
Result<std::vector<Litter>> Vacuum(const TableOptions& table, const delta::VacuumOptions& options);

}  // namespace pilake::pipeline
