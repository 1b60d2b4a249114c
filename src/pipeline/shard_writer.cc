// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard_writer.h"

#include <utility>

namespace pilake::pipeline {
namespace {

// Enough to go on reading while a file is being closed and synced.
constexpr size_t kItemsBytesMax = size_t{24} << 20;

}  // namespace

ShardWriter::ShardWriter(delta::Table& table, const std::vector<Series>& series,
                         int64_t rows_per_file, UtcTime ingested, std::stop_token stop)
    : table_(table),
      series_(series),
      rows_per_file_(rows_per_file),
      ingested_(ingested),
      stop_(std::move(stop)),
      items_(kItemsBytesMax),
      finished_(1),
      thread_([this](const std::stop_token& own) { WriteLoop(own); }) {}

ShardWriter::~ShardWriter() {
  items_.Close();
  finished_.Close();
  thread_.request_stop();
}

bool ShardWriter::Append(Rows rows, Place place) {
  const size_t bytes = Bytes(rows);
  return items_.Push(Appended{std::move(rows), place}, bytes, stop_);
}

bool ShardWriter::EndShard() {
  return items_.Push(End{}, 0, stop_);
}

void ShardWriter::DropShard() {
  items_.Push(End{.is_dropped = true}, 0, stop_);
}

Result<ShardFiles> ShardWriter::TakeShard() {
  auto files = finished_.Pop(stop_);
  if (!files) return Fail(ErrorKind::kCancelled, "stopped before the files were written");
  return std::move(*files);
}

void ShardWriter::WriteLoop(const std::stop_token& stop) {
  Status status;  // of the shard being written; after a failure its rows are taken and forgotten
  while (auto item = items_.Pop(stop)) {
    if (const auto* appended = std::get_if<Appended>(&*item)) {
      if (status) status = Write(*appended);
      continue;
    }
    if (std::get<End>(*item).is_dropped) {
      body_ = {};
      tail_ = {};
    } else if (!finished_.Push(EndOpen(std::move(status)), 0, stop)) {
      return;
    }
    status = {};
  }
}

Status ShardWriter::Write(const Appended& appended) {
  const Rows& rows = appended.rows;
  Open& open = appended.place == Place::kBody ? body_ : tail_;
  const bool is_full =
      open.file && open.file->rows() >= rows_per_file_ && open.last_series != rows.series;
  if (is_full) RETURN_IF_ERROR(Close(open));
  if (!open.file) {
    ASSIGN_OR_RETURN(open.file, table_.NewFile());
  }
  open.last_series = rows.series;
  return open.file->Append(series_[rows.series], rows.events, rows.first, rows.last, 0, ingested_);
}

Status ShardWriter::Close(Open& open) {
  if (!open.file) return {};
  ASSIGN_OR_RETURN(delta::DataFile file, open.file->Finish());
  open.finished.push_back(std::move(file));
  open.file.reset();
  return {};
}

/// The files of the shard, or why there are none; whatever it is, the next one begins afresh.
Result<ShardFiles> ShardWriter::EndOpen(Status status) {
  if (status) status = Close(body_);
  if (status) status = Close(tail_);
  ShardFiles files{.body = std::move(body_.finished), .tail = std::move(tail_.finished)};
  body_ = {};
  tail_ = {};
  if (!status) return tl::unexpected(std::move(status).error());
  return files;
}

}  // namespace pilake::pipeline
