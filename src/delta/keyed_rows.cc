// SPDX-License-Identifier: Apache-2.0
// A small table with one text key and columns of integers and texts, to and from the bytes of a
// Parquet file.
#include "delta/keyed_rows.h"

#include <array>
#include <cstring>
#include <utility>

#include "delta/kernel.h"

namespace pilake::delta {
namespace {

constexpr const char* kKeyName = "key";

ArrowSchema SchemaOf(const char* name, const char* format) {
  return {format, name, nullptr, 0, 0, nullptr, nullptr, ReleaseNothing<ArrowSchema>, nullptr};
}

ArrowArray ArrayOf(size_t rows, int64_t buffer_count, const void** buffers) {
  return {static_cast<int64_t>(rows), 0,      0, buffer_count, 0, buffers, nullptr, nullptr,
          ReleaseNothing<ArrowArray>, nullptr};
}

Status CheckLengths(const KeyedRows& rows) {
  if (rows.names.size() != rows.columns.size() || rows.text_names.size() != rows.texts.size()) {
    return Fail(ErrorKind::kInvalid, "{} and {} names for {} and {} columns", rows.names.size(),
                rows.text_names.size(), rows.columns.size(), rows.texts.size());
  }
  const auto check = [&](const auto& columns, const std::vector<std::string>& names) -> Status {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].size() == rows.key.size()) continue;
      return Fail(ErrorKind::kInvalid, "column {} has {} rows, not {}", names[i], columns[i].size(),
                  rows.key.size());
    }
    return {};
  };
  RETURN_IF_ERROR(check(rows.columns, rows.names));
  return check(rows.texts, rows.text_names);
}

}  // namespace

Result<std::string> EncodeKeyedRows(const KeyedRows& rows) {
  RETURN_IF_ERROR(CheckLengths(rows));
  const size_t count = rows.key.size();

  std::vector<std::array<const void*, 3>> texts;  // validity, ends, bytes
  std::vector<std::array<const void*, 2>> numbers;
  texts.reserve(1 + rows.texts.size());
  numbers.reserve(rows.columns.size());
  std::vector<ArrowSchema> schemas;
  std::vector<ArrowArray> arrays;
  const auto add_texts = [&](const char* name, const Texts& column) {
    texts.push_back({nullptr, column.ends().data(), column.bytes().data()});
    schemas.push_back(SchemaOf(name, "u"));
    arrays.push_back(ArrayOf(count, 3, texts.back().data()));
  };
  add_texts(kKeyName, rows.key);
  for (size_t i = 0; i < rows.columns.size(); ++i) {
    numbers.push_back({nullptr, rows.columns[i].data()});
    schemas.push_back(SchemaOf(rows.names[i].c_str(), "l"));
    arrays.push_back(ArrayOf(count, 2, numbers.back().data()));
  }
  for (size_t i = 0; i < rows.texts.size(); ++i) {
    add_texts(rows.text_names[i].c_str(), rows.texts[i]);
  }

  std::vector<ArrowSchema*> schema_pointers;
  std::vector<ArrowArray*> array_pointers;
  for (ArrowSchema& schema : schemas) schema_pointers.push_back(&schema);
  for (ArrowArray& array : arrays) array_pointers.push_back(&array);
  const void* no_buffer[] = {nullptr};
  ArrowSchema schema = SchemaOf("", "+s");
  schema.n_children = static_cast<int64_t>(schemas.size());
  schema.children = schema_pointers.data();
  ArrowArray array = ArrayOf(count, 1, no_buffer);
  array.n_children = static_cast<int64_t>(arrays.size());
  array.children = array_pointers.data();

  PilakeBytes bytes{};
  RETURN_IF_ERROR(kernel::Check(pilake_sealed_encode(&array, &schema, &bytes)));
  return kernel::Take(bytes);
}

Result<KeyedRows> DecodeKeyedRows(std::string_view bytes) {
  Imported<ArrowArray> array;
  Imported<ArrowSchema> schema;
  RETURN_IF_ERROR(kernel::Check(pilake_sealed_decode(kernel::Text(bytes), &array, &schema)));
  const auto is = [&schema](int64_t column, const char* format) {
    return std::strcmp(schema.children[column]->format, format) == 0;
  };
  const auto texts_of = [&array](int64_t column) {
    Texts texts;
    texts.reserve(static_cast<size_t>(array.length));
    const ColumnView view(array, column);
    for (int64_t row = 0; row < array.length; ++row) texts.push_back(view.text(row));
    return texts;
  };
  if (schema.n_children < 1 || !is(0, "u") ||
      std::strcmp(schema.children[0]->name, kKeyName) != 0) {
    return Fail(ErrorKind::kMalformed, "the file has no text column '{}' in front", kKeyName);
  }
  KeyedRows rows{.key = texts_of(0)};
  for (int64_t i = 1; i < schema.n_children; ++i) {
    const char* name = schema.children[i]->name;
    if (is(i, "u")) {
      rows.text_names.emplace_back(name);
      rows.texts.push_back(texts_of(i));
      continue;
    }
    if (!is(i, "l")) {
      return Fail(ErrorKind::kMalformed, "column {} is neither of integers nor of texts", name);
    }
    const ColumnView numbers(array, i);
    std::vector<int64_t>& column = rows.columns.emplace_back();
    column.reserve(static_cast<size_t>(array.length));
    for (int64_t row = 0; row < array.length; ++row) column.push_back(numbers.value<int64_t>(row));
    rows.names.emplace_back(name);
  }
  return rows;
}

}  // namespace pilake::delta
