// SPDX-License-Identifier: Apache-2.0
// Optimize: small files of the table become few large ones that are sorted by their key.
//
//   list the files of the body;  group the small ones, neighbours in time
//   for each group: write its rows anew, sorted;  commit "these instead of those, no row changed"
//   another writer took one of them out first: what was written is litter; try with what is there
#include "pipeline/optimize.h"

#include <algorithm>
#include <utility>

namespace pilake::pipeline {
namespace {

constexpr int kRoundsMax = 3;

// Of a file whose rows nobody counted.
constexpr int64_t kRowBytes = 9;

class Optimizer {
 public:
  Optimizer(const TableOptions& table, const OptimizeOptions& options, std::stop_token stop)
      : table_(table), options_(options), stop_(std::move(stop)) {}

  Result<OptimizeReport> Do() {
    ASSIGN_OR_RETURN(ledger_, Ledger::OpenExisting(table_));
    RETURN_IF_ERROR(CheckAllowed());
    for (int round = 1; round <= kRoundsMax; ++round) {
      report_.overtaken = 0;
      RETURN_IF_ERROR(MergeAll());
      if (report_.overtaken == 0) break;
    }
    report_.version = ledger_->table().version();
    return report_;
  }

 private:
  Status CheckAllowed() const {
    ASSIGN_OR_RETURN(const auto hindrances, ledger_->table().Hindrances());
    for (const delta::Hindrance& one : hindrances) {
      if (one.effect >= delta::Hindrance::Effect::kNoRemoves) {
        return Fail(ErrorKind::kInvalid, "{}", one.sentence);
      }
    }
    return {};
  }

  Status MergeAll() {
    ASSIGN_OR_RETURN(const auto files, FilesOfBody());
    std::vector<plan::MergeFile> known;
    known.reserve(files.size());
    for (const delta::FileFacts& file : files) {
      known.push_back({.bytes = file.bytes,
                       .rows = file.rows.value_or(file.bytes / kRowBytes),
                       .begin = file.times ? file.times->begin : UtcTime{}});
    }
    for (const plan::MergeGroup& group : plan::GroupsToMerge(known, options_.limits)) {
      if (stop_.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
      if (options_.dry_run) {
        Count(group, group.into, group.bytes);
      } else {
        RETURN_IF_ERROR(MergeOne(group, files));
      }
    }
    return {};
  }

  Result<std::vector<delta::FileFacts>> FilesOfBody() const {
    ASSIGN_OR_RETURN(auto files, ledger_->table().ActiveFiles());
    if (const Tail& tail = ledger_->tail()) {
      std::erase_if(files, [&](const delta::FileFacts& file) {
        return std::ranges::find(*tail, file.path) != tail->end();
      });
    }
    return files;
  }

  Status MergeOne(const plan::MergeGroup& group, const std::vector<delta::FileFacts>& files) {
    Change change{.operation = "OPTIMIZE", .data_change = false};
    // A little more than the share of each, so that no file of a few rows is left at the end.
    delta::Table::Merge merge{.files = {},
                              .file_bytes = group.bytes / group.into + (1 << 20),
                              .memory_bytes = options_.memory_bytes};
    for (const size_t file : group.files) {
      merge.files.push_back(files[file].path);
      change.remove.push_back(files[file].id());
    }
    auto merged = ledger_->table().MergeFiles(merge);
    if (!merged && merged.error().kind == ErrorKind::kConflict) {  // not active any more
      ++report_.overtaken;
      return {};
    }
    if (!merged) return tl::unexpected(std::move(merged).error());
    change.add = std::move(*merged);
    ASSIGN_OR_RETURN(const Landing landing, ledger_->Commit(change));
    if (landing == Landing::kOvertaken) {
      ++report_.overtaken;
      return {};
    }
    ++report_.commits;
    int64_t bytes = 0;
    for (const delta::DataFile& file : change.add) bytes += file.bytes;
    Count(group, static_cast<int64_t>(change.add.size()), bytes);
    return {};
  }

  void Count(const plan::MergeGroup& group, int64_t files_made, int64_t bytes_after) {
    report_.files_merged += static_cast<int64_t>(group.files.size());
    report_.files_made += files_made;
    report_.rows += group.rows;
    report_.bytes_before += group.bytes;
    report_.bytes_after += bytes_after;
  }

  const TableOptions& table_;
  const OptimizeOptions& options_;
  std::stop_token stop_;
  std::unique_ptr<Ledger> ledger_;
  OptimizeReport report_;
};

}  // namespace

Result<OptimizeReport> Optimize(const TableOptions& table, const OptimizeOptions& options,
                                const std::stop_token& stop) {
  return Optimizer(table, options, stop).Do();
}

}  // namespace pilake::pipeline
