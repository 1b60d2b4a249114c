// SPDX-License-Identifier: Apache-2.0
// One Parquet data file being written, streamed to the table's store.
#include "delta/file_writer.h"

#include <algorithm>
#include <utility>

#include "delta/bridge_calls.h"
#include "delta/data_file_writer.h"
#include "delta/row_block.h"

namespace pilake::delta {

class FileWriter::Impl {
 public:
  std::string path;
  kernel::WriterHandle handle;
  RowBlock block;
  int64_t rows = 0;

  /// After `appended` rows went to the block.
  Status Count(size_t appended) {
    rows += static_cast<int64_t>(appended);
    return block.room() == 0 ? Flush() : Status();
  }

  Status Flush() {
    if (block.rows() == 0) return {};
    Status appended = kernel::Check(pilake_writer_append(handle.get(), block.Export()));
    block.Clear();
    return appended;
  }
};

Result<std::unique_ptr<FileWriter>> OpenDataFile(const PilakeTable& table, std::string path) {
  TimeseriesSchema schema(TimeseriesSchema::Texts::kDictionaries);
  const kernel::Texts bounded(kBoundedColumns);
  PilakeWriter* writer = nullptr;
  RETURN_IF_ERROR(kernel::Check(
      pilake_writer_open(&table, kernel::Text(path), schema.get(), bounded.get(), &writer)));
  auto impl = std::make_unique<FileWriter::Impl>();
  impl->path = std::move(path);
  impl->handle.reset(writer);
  return std::make_unique<FileWriter>(std::move(impl));
}

FileWriter::FileWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileWriter::~FileWriter() = default;

Status FileWriter::Append(const Series& series, const Events& events, size_t begin, size_t end,
                          int32_t first_ordinal, UtcTime ingested) {
  int32_t ordinal = first_ordinal;
  while (begin < end) {
    const size_t part = std::min(begin + impl_->block.room(), end);
    const int32_t last = impl_->block.Append(series, events, begin, part, ordinal, ingested);
    RETURN_IF_ERROR(impl_->Count(part - begin));
    const bool time_goes_on = part < end && events.ticks[part] == events.ticks[part - 1];
    ordinal = time_goes_on ? last + 1 : 0;
    begin = part;
  }
  return {};
}

Status FileWriter::Append(const Rows& rows, size_t begin, size_t end) {
  while (begin < end) {
    const size_t part = std::min(begin + impl_->block.room(), end);
    impl_->block.Append(rows, begin, part);
    RETURN_IF_ERROR(impl_->Count(part - begin));
    begin = part;
  }
  return {};
}

int64_t FileWriter::rows() const {
  return impl_->rows;
}
int64_t FileWriter::bytes_written() const {
  return pilake_writer_bytes(impl_->handle.get());
}

Result<DataFile> FileWriter::Finish() {
  if (impl_->rows == 0) return Fail(ErrorKind::kInvalid, "{} has no rows", impl_->path);
  RETURN_IF_ERROR(impl_->Flush());
  return FinishFile(impl_->handle.get(), impl_->path);
}

}  // namespace pilake::delta
