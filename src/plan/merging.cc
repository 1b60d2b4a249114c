// SPDX-License-Identifier: Apache-2.0
#include "plan/merging.h"

#include <algorithm>
#include <utility>

namespace pilake::plan {
namespace {

void Add(MergeGroup& group, const std::vector<MergeFile>& files, size_t file) {
  group.files.push_back(file);
  group.bytes += files[file].bytes;
  group.rows += files[file].rows;
}

/// The group without the files that the others together do not outweigh.
MergeGroup WithoutHeavy(MergeGroup group, const std::vector<MergeFile>& files) {
  while (!group.files.empty()) {
    const auto heaviest =
        std::ranges::max_element(group.files, {}, [&](size_t file) { return files[file].bytes; });
    const MergeFile& file = files[*heaviest];
    if (2 * file.bytes <= group.bytes) break;
    group.bytes -= file.bytes;
    group.rows -= file.rows;
    group.files.erase(heaviest);
  }
  return group;
}

}  // namespace

std::vector<MergeGroup> GroupsToMerge(const std::vector<MergeFile>& files,
                                      const MergeLimits& limits) {
  std::vector<size_t> small;
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i].bytes < limits.file_bytes / 2) small.push_back(i);
  }
  std::ranges::stable_sort(small, {}, [&](size_t file) { return files[file].begin; });
  std::vector<MergeGroup> groups;
  MergeGroup open;
  const auto close = [&] {
    MergeGroup group = std::exchange(open, {});
    const bool is_whole = group.bytes >= limits.file_bytes;
    if (!is_whole && !limits.takes_heavy) group = WithoutHeavy(std::move(group), files);
    group.into = std::max<int64_t>(1, group.bytes / limits.file_bytes);
    if (static_cast<int64_t>(group.files.size()) > group.into) groups.push_back(std::move(group));
  };
  for (const size_t file : small) {
    if (!open.files.empty() && open.rows + files[file].rows > limits.rows_at_once) close();
    Add(open, files, file);
  }
  close();
  return groups;
}

}  // namespace pilake::plan
