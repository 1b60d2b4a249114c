// SPDX-License-Identifier: Apache-2.0
#include "delta/small_table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "delta/bridge_calls.h"
#include "delta/kernel.h"
#include "delta/uuid.h"

namespace pilake::delta {
namespace {

// Rows that go to the file at once.
constexpr int64_t kBlockRows = 1 << 14;

const char* FormatOf(CellType type) {
  switch (type) {
    case CellType::kText:
      return "u";
    case CellType::kInt:
      return "i";
    case CellType::kDouble:
      return "g";
    case CellType::kBool:
      return "b";
    case CellType::kTime:
      return "tsu:UTC";
  }
  return "";
}

/// The layout as an Arrow schema; both must stay.
class LayoutSchema {
 public:
  explicit LayoutSchema(const SmallLayout& layout) {
    comments_.reserve(layout.columns.size());
    for (const Column& column : layout.columns) {
      comments_.push_back(CommentMetadata(column.comment));
      const char* comment = column.comment.empty() ? nullptr : comments_.back().data();
      fields_.push_back({FormatOf(column.type), column.name.c_str(), comment, kArrowNullable, 0,
                         nullptr, nullptr, ReleaseNothing<ArrowSchema>, nullptr});
    }
    for (ArrowSchema& field : fields_) pointers_.push_back(&field);
    root_ = {"+s",
             "",
             nullptr,
             0,
             static_cast<int64_t>(pointers_.size()),
             pointers_.data(),
             nullptr,
             ReleaseNothing<ArrowSchema>,
             nullptr};
  }
  LayoutSchema(const LayoutSchema&) = delete;
  LayoutSchema& operator=(const LayoutSchema&) = delete;

  ArrowSchema* get() { return &root_; }

 private:
  std::vector<std::string> comments_;
  std::vector<ArrowSchema> fields_;
  std::vector<ArrowSchema*> pointers_;
  ArrowSchema root_{};
};

/// One column of the rows being gathered, in the buffers that Arrow asks for.
struct Cells {
  std::vector<uint8_t> valid;   // a bit a row
  std::vector<uint8_t> values;  // fixed width, or a bit a row of kBool
  std::vector<int32_t> ends;    // of kText
  std::string bytes;            // of kText
  int64_t nulls = 0;

  void SetBit(std::vector<uint8_t>& bits, int64_t row, bool bit) {
    if (row % 8 == 0) bits.push_back(0);
    bits.back() = static_cast<uint8_t>(bits.back() | (bit ? 1U << row % 8 : 0U));
  }
  void SetValid(int64_t row, bool is_valid) {
    SetBit(valid, row, is_valid);
    nulls += is_valid ? 0 : 1;
  }
  template <typename T>
  void AddValue(T value) {
    const size_t at = values.size();
    values.resize(at + sizeof value);
    std::memcpy(values.data() + at, &value, sizeof value);
  }
  void Clear() {
    valid.clear();
    values.clear();
    ends.assign(1, 0);
    bytes.clear();
    nulls = 0;
  }
};

/// Finds what keeps a table from being one of `layout`.
Status CheckColumns(const ArrowSchema& schema, const SmallLayout& layout) {
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& field = *schema.children[i];
    const auto known =
        std::ranges::find(layout.columns, std::string_view(field.name), &Column::name);
    if (known == layout.columns.end()) {
      return Fail(
          ErrorKind::kInvalid,
          "column '{}' is not pilake's, which would empty it when it replaces rows: keep it "
          "in a table of its own and drop it here",
          field.name);
    }
    if (std::strcmp(field.format, FormatOf(known->type)) != 0) {
      return Fail(ErrorKind::kInvalid, "column '{}' is of type {}, not {}", field.name,
                  field.format, FormatOf(known->type));
    }
  }
  if (schema.n_children == static_cast<int64_t>(layout.columns.size())) return {};
  return Fail(ErrorKind::kInvalid, "it has {} columns, not {}", schema.n_children,
              layout.columns.size());
}

int64_t FloorMicros(UtcTime time) {
  return time.ticks / 10 - (time.ticks % 10 < 0 ? 1 : 0);
}

}  // namespace

class RowView::Batch {
 public:
  explicit Batch(const ArrowArray& array) {
    columns_.reserve(static_cast<size_t>(array.n_children));
    for (int64_t i = 0; i < array.n_children; ++i) columns_.emplace_back(array, i);
  }
  const ColumnView& column(size_t place) const { return columns_[place]; }

 private:
  std::vector<ColumnView> columns_;
};

std::string_view RowView::text(size_t column) const {
  const ColumnView& cells = batch_.column(column);
  return cells.valid(row_) ? cells.text(row_) : std::string_view();
}
int32_t RowView::integer(size_t column) const {
  const ColumnView& cells = batch_.column(column);
  return cells.valid(row_) ? cells.value<int32_t>(row_) : 0;
}
double RowView::number(size_t column) const {
  const ColumnView& cells = batch_.column(column);
  return cells.valid(row_) ? cells.value<double>(row_) : 0;
}
bool RowView::truth(size_t column) const {
  const ColumnView& cells = batch_.column(column);
  return cells.valid(row_) && cells.bit(row_);
}
std::optional<UtcTime> RowView::time(size_t column) const {
  const ColumnView& cells = batch_.column(column);
  if (!cells.valid(row_)) return std::nullopt;
  return UtcTime{cells.value<int64_t>(row_) * 10};
}

/// A data file being filled, block by block.
class RowAppender::Impl {
 public:
  Impl(const SmallLayout& layout, kernel::WriterHandle handle)
      : layout_(layout), handle_(std::move(handle)), cells_(layout.columns.size()) {
    Clear();
  }

  PilakeWriter* handle() { return handle_.get(); }
  int64_t rows() const { return rows_; }

  /// The next cell of the row, which must be of `type`.
  Cells& Next(CellType type, bool is_valid) {
    assert(place_ < cells_.size() && layout_.columns[place_].type == type);
    static_cast<void>(type);
    Cells& cells = cells_[place_++];
    cells.SetValid(in_block_, is_valid);
    return cells;
  }
  int64_t row() const { return in_block_; }

  Status EndRow() {
    assert(place_ == cells_.size());
    place_ = 0;
    ++rows_;
    return ++in_block_ == kBlockRows ? Flush() : Status();
  }

  Status Flush() {
    if (in_block_ == 0) return {};
    std::vector<ArrowArray> arrays;
    std::vector<std::array<const void*, 3>> buffers(cells_.size());
    arrays.reserve(cells_.size());
    for (size_t i = 0; i < cells_.size(); ++i) {
      const Cells& cells = cells_[i];
      const bool is_text = layout_.columns[i].type == CellType::kText;
      buffers[i] = {cells.valid.data(),
                    is_text ? static_cast<const void*>(cells.ends.data()) : cells.values.data(),
                    cells.bytes.data()};
      arrays.push_back({in_block_, cells.nulls, 0, is_text ? 3 : 2, 0, buffers[i].data(), nullptr,
                        nullptr, ReleaseNothing<ArrowArray>, nullptr});
    }
    std::vector<ArrowArray*> pointers;
    for (ArrowArray& array : arrays) pointers.push_back(&array);
    const void* no_buffer[] = {nullptr};
    ArrowArray block{in_block_,
                     0,
                     0,
                     1,
                     static_cast<int64_t>(pointers.size()),
                     no_buffer,
                     pointers.data(),
                     nullptr,
                     ReleaseNothing<ArrowArray>,
                     nullptr};
    Status appended = kernel::Check(pilake_writer_append(handle_.get(), &block));
    Clear();
    return appended;
  }

 private:
  void Clear() {
    for (Cells& cells : cells_) cells.Clear();
    in_block_ = 0;
  }

  const SmallLayout& layout_;
  kernel::WriterHandle handle_;
  std::vector<Cells> cells_;
  size_t place_ = 0;
  int64_t in_block_ = 0;
  int64_t rows_ = 0;
};

RowAppender& RowAppender::Text(std::string_view text) {
  Cells& cells = impl_.Next(CellType::kText, !text.empty());
  cells.bytes.append(text);
  cells.ends.push_back(static_cast<int32_t>(cells.bytes.size()));
  return *this;
}
RowAppender& RowAppender::Int(int32_t number) {
  impl_.Next(CellType::kInt, true).AddValue(number);
  return *this;
}
RowAppender& RowAppender::Double(double number) {
  impl_.Next(CellType::kDouble, true).AddValue(number);
  return *this;
}
RowAppender& RowAppender::Bool(bool truth) {
  Cells& cells = impl_.Next(CellType::kBool, true);
  cells.SetBit(cells.values, impl_.row(), truth);
  return *this;
}
RowAppender& RowAppender::Time(std::optional<UtcTime> time) {
  impl_.Next(CellType::kTime, time.has_value()).AddValue(time ? FloorMicros(*time) : int64_t{0});
  return *this;
}
Status RowAppender::EndRow() {
  return impl_.EndRow();
}

class SmallTable::Impl {
 public:
  kernel::TableHandle handle;
  std::string url;
  SmallLayout layout;

  Status CheckUsable() const {
    Imported<ArrowSchema> schema;
    RETURN_IF_ERROR(kernel::Check(pilake_table_schema(handle.get(), &schema)));
    if (Status fits = CheckColumns(schema, layout); !fits) {
      return Annotate(std::move(fits).error(), url + " is not a table that pilake can keep");
    }
    ASSIGN_OR_RETURN(const auto hindrances, ReadHindrances(handle.get(), layout.clustered_by));
    for (const Hindrance& one : hindrances) {
      if (one.effect >= Hindrance::Effect::kNoDataRemoves) {
        return tl::unexpected(Error{ErrorKind::kInvalid, one.sentence});
      }
    }
    return {};
  }

  Result<std::vector<FileId>> Files() const {
    std::vector<FileId> files;
    const auto keep = [](void* context, const PilakeFileFacts* file) noexcept {
      static_cast<std::vector<FileId>*>(context)->emplace_back(
          kernel::String(file->path), kernel::String(file->deletion_vector));
    };
    const PilakeKeyColumns no_keys{};
    RETURN_IF_ERROR(kernel::Check(pilake_table_files(handle.get(), &no_keys, &files, keep)));
    return files;
  }

  Result<kernel::WriterHandle> NewFile(const std::string& path) const {
    LayoutSchema schema(layout);
    const kernel::Texts bounded(layout.clustered_by);
    PilakeWriter* writer = nullptr;
    RETURN_IF_ERROR(kernel::Check(pilake_writer_open(handle.get(), kernel::Text(path), schema.get(),
                                                     bounded.get(), &writer)));
    return kernel::WriterHandle(writer);
  }
};

SmallTable::SmallTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SmallTable::~SmallTable() = default;

Result<std::unique_ptr<SmallTable>> SmallTable::Open(const std::string& url,
                                                     const StoreOptions& options,
                                                     SmallLayout layout) {
  ASSIGN_OR_RETURN(const auto bridge_options, BridgeOptions::Read(options));
  const PilakeStoreOptions store = bridge_options.get();
  PilakeTable* table = nullptr;
  RETURN_IF_ERROR(kernel::Check(pilake_table_open(kernel::Text(url), &store, &table)));
  auto impl = std::make_unique<Impl>();
  impl->handle.reset(table);
  impl->url = url;
  impl->layout = std::move(layout);
  RETURN_IF_ERROR(impl->CheckUsable());
  return std::unique_ptr<SmallTable>(new SmallTable(std::move(impl)));
}

Result<std::unique_ptr<SmallTable>> SmallTable::OpenOrCreate(const std::string& url,
                                                             const StoreOptions& options,
                                                             const SmallLayout& layout) {
  auto existing = Open(url, options, layout);
  if (existing) RETURN_IF_ERROR(KeepQuick((*existing)->impl_->handle.get(), {}));
  if (existing || existing.error().kind != ErrorKind::kNotFound) return existing;
  ASSIGN_OR_RETURN(const auto bridge_options, BridgeOptions::Read(options));
  const PilakeStoreOptions store = bridge_options.get();
  LayoutSchema schema(layout);
  const kernel::Texts clustering(layout.clustered_by);
  const kernel::Pairs properties(kTableProperties);
  const std::string probe = NewUuid();
  PilakeTable* table = nullptr;
  const Status created =
      kernel::Check(pilake_table_create(kernel::Text(url), &store, schema.get(), clustering.get(),
                                        properties.get(), kernel::Text(probe), &table));
  const kernel::TableHandle handle(table);
  // Also when another run has just created it.
  if (created || created.error().kind == ErrorKind::kConflict) return Open(url, options, layout);
  return tl::unexpected(created.error());
}

const std::string& SmallTable::url() const {
  return impl_->url;
}
int64_t SmallTable::version() const {
  return pilake_table_version(impl_->handle.get());
}

Status SmallTable::Refresh() {
  RETURN_IF_ERROR(kernel::Check(pilake_table_refresh(impl_->handle.get())));
  return impl_->CheckUsable();
}

Status SmallTable::Visit(const std::function<Status(const RowView& row)>& visit) const {
  struct Show {
    const std::function<Status(const RowView& row)>& visit;
    Status status;
  } show{visit, {}};
  const auto take = [](void* context, ArrowArray* array, ArrowSchema* schema) noexcept {
    const Imported<ArrowArray> taken(*array);
    const Imported<ArrowSchema> described(*schema);
    auto& [visit_row, status] = *static_cast<Show*>(context);
    const RowView::Batch batch(taken);
    for (int64_t row = 0; row < taken.length && status; ++row) {
      status = visit_row(RowView(batch, row));
    }
    return status.has_value();
  };
  std::vector<std::string> names;
  for (const Column& column : impl_->layout.columns) names.push_back(column.name);
  const kernel::Texts columns(names);
  PilakeRowFilter all{};
  all.columns = columns.get();
  RETURN_IF_ERROR(kernel::Check(pilake_table_scan(impl_->handle.get(), &all, &show, take)));
  return show.status;
}

Status SmallTable::Replace(const std::function<Status(RowAppender& rows)>& fill) {
  CommitRequest request{.operation = "WRITE", .commit_uuid = NewUuid()};
  ASSIGN_OR_RETURN(request.remove, impl_->Files());
  const std::string path = NewUuid() + ".parquet";
  ASSIGN_OR_RETURN(auto handle, impl_->NewFile(path));
  RowAppender::Impl file(impl_->layout, std::move(handle));
  RowAppender rows(file);
  RETURN_IF_ERROR(fill(rows));
  if (file.rows() > 0) {
    RETURN_IF_ERROR(file.Flush());
    ASSIGN_OR_RETURN(request.add.emplace_back(), FinishFile(file.handle(), path));
  }
  RETURN_IF_ERROR(CommitTo(impl_->handle.get(), request));
  return {};
}

}  // namespace pilake::delta
