// SPDX-License-Identifier: Apache-2.0
#include "pipeline/vacuum.h"

#include <utility>

#include "pipeline/dimensions.h"

namespace pilake::pipeline {

int64_t Litter::bytes() const {
  int64_t sum = 0;
  for (const delta::FolderFile& file : files) sum += file.bytes;
  return sum;
}

Result<std::vector<Litter>> Vacuum(const TableOptions& table, const delta::VacuumOptions& options) {
  ASSIGN_OR_RETURN(DimensionUrls beside, DimensionsBeside(table.url));
  std::vector<Litter> found;
  for (const std::string& url : {table.url, beside.points, beside.digital_states}) {
    auto files = delta::RemoveLitter(url, table.store, options);
    const bool is_missing = !files && files.error().kind == ErrorKind::kNotFound;
    if (is_missing && url != table.url) continue;
    if (!files) return tl::unexpected(std::move(files).error());
    found.push_back({.table = url, .files = std::move(*files)});
  }
  return found;
}

}  // namespace pilake::pipeline
