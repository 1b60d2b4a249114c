// SPDX-License-Identifier: Apache-2.0
#include "delta/bridge_calls.h"

#include <fstream>
#include <iterator>

namespace pilake::delta {

const std::map<std::string, std::string> kTableProperties{
    {"delta.logRetentionDuration", "interval 7 days"},
    {"delta.deletedFileRetentionDuration", "interval 1 days"},
    {"delta.setTransactionRetentionDuration", "interval 30 days"},
};

namespace {

Result<std::vector<std::string>> ReadFiles(const std::vector<std::string>& paths) {
  std::vector<std::string> contents;
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    contents.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file) return Fail(ErrorKind::kInvalid, "the CA file {} cannot be read", path);
  }
  return contents;
}

}  // namespace

Result<BridgeOptions> BridgeOptions::Read(const StoreOptions& options) {
  ASSIGN_OR_RETURN(auto pems, ReadFiles(options.ca_files));
  return BridgeOptions(options, std::move(pems));
}

Result<std::string> ReadId(const PilakeTable* table) {
  PilakeBytes id{};
  RETURN_IF_ERROR(kernel::Check(pilake_table_id(table, &id)));
  return kernel::Take(id);
}

Result<std::vector<Hindrance>> ReadHindrances(const PilakeTable* table,
                                              const std::vector<std::string>& bounded) {
  std::vector<Hindrance> hindrances;
  const auto keep = [](void* context, const PilakeHindrance* one) noexcept {
    static_cast<std::vector<Hindrance>*>(context)->push_back(
        {.feature = kernel::String(one->feature),
         .effect = static_cast<Hindrance::Effect>(one->effect),
         .sentence = kernel::String(one->sentence)});
  };
  const kernel::Texts names(bounded);
  RETURN_IF_ERROR(kernel::Check(pilake_table_hindrances(table, names.get(), &hindrances, keep)));
  return hindrances;
}

Result<int64_t> CommitTo(PilakeTable* table, const CommitRequest& request) {
  std::vector<PilakeDataFile> add;
  add.reserve(request.add.size());
  for (const DataFile& file : request.add) {
    add.push_back({.path = kernel::Text(file.path),
                   .bytes = file.bytes,
                   .rows = file.rows,
                   .stats = kernel::Text(file.stats),
                   .modified_ms = file.modified_ms});
  }
  std::vector<PilakeFileId> remove;
  remove.reserve(request.remove.size());
  for (const FileId& file : request.remove) {
    remove.push_back(
        {.path = kernel::Text(file.path), .deletion_vector = kernel::Text(file.deletion_vector)});
  }
  const PilakeCommitRequest bridge_request{.add = add.data(),
                                           .add_size = add.size(),
                                           .remove = remove.data(),
                                           .remove_size = remove.size(),
                                           .data_change = request.data_change,
                                           .operation = kernel::Text(request.operation),
                                           .domain = kernel::Text(request.domain),
                                           .domain_value = kernel::Text(request.domain_value),
                                           .app_id = kernel::Text(request.app_id),
                                           .app_version = request.app_version,
                                           .uuid = kernel::Text(request.commit_uuid)};
  int64_t version = 0;
  RETURN_IF_ERROR(kernel::Check(pilake_table_commit(table, &bridge_request, &version)));
  return version;
}

Result<MaintainOutcome> KeepQuick(PilakeTable* table, const Table::Care& care) {
  // A table that was left to itself may have many files that expired: they go by and by.
  constexpr int64_t kLogFilesAtOnce = 10'000;
  MaintainOutcome outcome;
  const PilakePace pace{.commits = care.checkpoint_now ? 1 : care.commits,
                        .commits_when_old = care.commits_when_old,
                        .old_ms = care.old.ticks / 10'000};
  const auto keep = [&]() -> Status {
    RETURN_IF_ERROR(kernel::Check(pilake_table_checkpoint(table, pace, &outcome.checkpointed)));
    return kernel::Check(pilake_table_checksum(table, &outcome.checksummed));
  };
  Status kept = keep();
  if (!kept && kept.error().kind != ErrorKind::kUnreachable) {
    return tl::unexpected(std::move(kept).error());
  }
  if (kept && outcome.checkpointed) {
    kept = kernel::Check(pilake_table_clean_log(table, care.keep_log_from, kLogFilesAtOnce,
                                                &outcome.log_files_deleted));
  }
  if (!kept) outcome.trouble = std::move(kept).error();
  return outcome;
}

Result<DataFile> FinishFile(PilakeWriter* writer, const std::string& path) {
  PilakeFinishedFile done{};
  RETURN_IF_ERROR(kernel::Check(pilake_writer_finish(writer, &done)));
  return DataFile{.path = path,
                  .bytes = done.bytes,
                  .rows = done.rows,
                  .stats = kernel::Take(done.stats),
                  .modified_ms = done.modified_ms};
}

}  // namespace pilake::delta
