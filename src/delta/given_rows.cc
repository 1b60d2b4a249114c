// SPDX-License-Identifier: Apache-2.0
#include "delta/given_rows.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace pilake::delta {
namespace {

/// What an array that was given away points into, and its own members.
struct Node {
  std::shared_ptr<const void> memory;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

/// Releases the children that nobody has moved away, then the rest.
void ReleaseArray(ArrowArray* array) {
  const std::unique_ptr<Node> node(static_cast<Node*>(array->private_data));
  for (ArrowArray& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  array->release = nullptr;
}

ArrowArray Own(std::unique_ptr<Node> node, int64_t length, int64_t nulls) {
  ArrowArray array{};
  array.length = length;
  array.null_count = nulls;
  array.n_buffers = static_cast<int64_t>(node->buffers.size());
  array.buffers = node->buffers.data();
  array.n_children = static_cast<int64_t>(node->children.size());
  array.children = node->pointers.empty() ? nullptr : node->pointers.data();
  array.release = ReleaseArray;
  array.private_data = node.release();
  return array;
}

ArrowArray Share(const ArrowArray& column, std::shared_ptr<const void> block) {
  auto node = std::make_unique<Node>();
  node->memory = std::move(block);
  node->buffers.assign(column.buffers, column.buffers + column.n_buffers);
  return Own(std::move(node), column.length, column.null_count);
}

/// A text of which the block keeps each word once.
struct Written {
  std::vector<int32_t> ends{0};
  std::string bytes;
};

ArrowArray WriteOut(const ArrowArray& column, std::shared_ptr<const void> block) {
  const auto* keys = static_cast<const int32_t*>(column.buffers[1]);
  const ArrowArray& dictionary = *column.dictionary;
  const auto* word_ends = static_cast<const int32_t*>(dictionary.buffers[1]);
  const auto* words = static_cast<const char*>(dictionary.buffers[2]);
  auto written = std::make_shared<Written>();
  const auto rows = static_cast<size_t>(column.length);
  size_t bytes = 0;
  for (size_t row = 0; row < rows; ++row)
    bytes += static_cast<size_t>(word_ends[keys[row] + 1] - word_ends[keys[row]]);
  written->bytes.resize(bytes);
  written->ends.resize(rows + 1);
  char* to = written->bytes.data();
  for (size_t row = 0; row < rows; ++row) {
    const int32_t begin = word_ends[keys[row]];
    const auto length = static_cast<size_t>(word_ends[keys[row] + 1] - begin);
    std::memcpy(to, words + begin, length);
    to += length;
    written->ends[row + 1] = static_cast<int32_t>(to - written->bytes.data());
  }
  auto node = std::make_unique<Node>();
  // Where rows are null, the bits that say so are still the block's.
  node->buffers = {column.buffers[0], written->ends.data(), written->bytes.data()};
  node->memory = std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<Written>>>(
      std::move(block), std::move(written));
  return Own(std::move(node), column.length, column.null_count);
}

/// Names, formats and comments stay for good, since whoever was given a column keeps its schema for
/// as long as it likes.
const ArrowSchema& PlainColumns() {
  static TimeseriesSchema& plain = *new TimeseriesSchema(TimeseriesSchema::Texts::kPlain);
  return *plain.get();
}

struct SchemaNode {
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void ReleaseSchema(ArrowSchema* schema) {
  const std::unique_ptr<SchemaNode> node(static_cast<SchemaNode*>(schema->private_data));
  for (ArrowSchema& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  schema->release = nullptr;
}

}  // namespace

ColumnChoice::ColumnChoice() : places_(kReadColumns.size()) {
  std::iota(places_.begin(), places_.end(), size_t{0});
}

Result<ColumnChoice> ColumnChoice::Of(const std::vector<std::string>& names) {
  ColumnChoice choice;
  choice.places_.clear();
  for (const std::string& name : names) {
    const auto found = std::ranges::find(kReadColumns, name);
    if (found == kReadColumns.end())
      return Fail(ErrorKind::kInvalid, "there is no column '{}' in pi_timeseries", name);
    choice.places_.push_back(static_cast<size_t>(found - kReadColumns.begin()));
  }
  return choice;
}

void DescribeGiven(const ColumnChoice& columns, ArrowSchema* out) {
  auto node = std::make_unique<SchemaNode>();
  for (const size_t place : columns.places())
    node->children.push_back(*PlainColumns().children[place]);
  for (ArrowSchema& child : node->children) {
    child.release = ReleaseNothing<ArrowSchema>;
    node->pointers.push_back(&child);
  }
  *out = ArrowSchema{};
  out->format = "+s";
  out->name = "";
  out->n_children = static_cast<int64_t>(node->children.size());
  out->children = node->pointers.data();
  out->release = ReleaseSchema;
  out->private_data = node.release();
}

void GiveAway(std::unique_ptr<RowBlock> block, const ColumnChoice& columns, ArrowArray* out) {
  const ArrowArray& all = *block->Export();
  const std::shared_ptr<const void> shared(std::move(block));
  auto node = std::make_unique<Node>();
  node->memory = shared;
  node->buffers = {nullptr};
  for (const size_t place : columns.places()) {
    const ArrowArray& column = *all.children[place];
    node->children.push_back(column.dictionary == nullptr ? Share(column, shared)
                                                          : WriteOut(column, shared));
  }
  for (ArrowArray& child : node->children) node->pointers.push_back(&child);
  *out = Own(std::move(node), all.length, 0);
}

}  // namespace pilake::delta
