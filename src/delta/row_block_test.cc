// SPDX-License-Identifier: Apache-2.0
#include "delta/row_block.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"

namespace pilake::delta {
namespace {

/// One row as another writer may leave it: every column by itself.
struct ForeignRow {
  std::optional<std::string> web_id = "F1DP", name = "U01", text, kind = "int", units;
  std::optional<int64_t> micros = 1, ticks = 17, integer = 5, ingested = 3;
  std::optional<int32_t> ordinal = 0, code;
  std::optional<double> value = 5;
};

/// A batch of that one row with the columns of `kReadColumns`; reads into the row it was made of.
class ForeignBatch {
 public:
  explicit ForeignBatch(const ForeignRow& row) : row_(row) {
    Add("u", row_.web_id);
    Add("u", row_.name);
    Add("tsu:UTC", row_.micros);
    Add("l", row_.ticks);
    Add("i", row_.ordinal);
    Add("g", row_.value);
    Add("l", row_.integer);
    Add("u", row_.text);
    Add("i", row_.code);
    Add("u", row_.kind);
    for (int flag = 0; flag < 4; ++flag) Add("b", std::optional<int8_t>());
    Add("u", row_.units);
    Add("tsu:UTC", row_.ingested);
    for (size_t i = 0; i < arrays_.size(); ++i) {
      array_pointers_.push_back(&arrays_[i]);
      schema_pointers_.push_back(&schemas_[i]);
    }
    array_.length = 1;
    array_.n_children = static_cast<int64_t>(arrays_.size());
    array_.children = array_pointers_.data();
    schema_.n_children = array_.n_children;
    schema_.children = schema_pointers_.data();
  }

  Rows Read() const {
    Rows rows;
    EXPECT_THAT(AppendBatch(array_, schema_, {}, rows), IsOk());
    EXPECT_EQ(rows.size(), 1u);
    return rows;
  }

 private:
  struct Buffers {
    uint8_t valid = 0;
    int32_t ends[2] = {0, 0};
    const void* pointers[3] = {nullptr, nullptr, nullptr};
  };

  template <typename T>
  void Add(const char* format, const std::optional<T>& value) {
    Buffers& buffers = buffers_.emplace_back();
    buffers.valid = value ? 1 : 0;
    buffers.pointers[0] = &buffers.valid;
    if constexpr (std::is_same_v<T, std::string>) {
      buffers.ends[1] = value ? static_cast<int32_t>(value->size()) : 0;
      buffers.pointers[1] = buffers.ends;
      buffers.pointers[2] = value ? value->data() : nullptr;
    } else {
      buffers.pointers[1] = value ? static_cast<const void*>(&*value) : &buffers.valid;
    }
    const std::string& name = kReadColumns[arrays_.size()];
    schemas_.push_back({.format = format, .name = name.c_str()});
    arrays_.push_back({.length = 1, .n_buffers = 3, .buffers = buffers.pointers});
  }

  ForeignRow row_;
  std::deque<Buffers> buffers_;
  std::deque<ArrowArray> arrays_;
  std::deque<ArrowSchema> schemas_;
  std::vector<ArrowArray*> array_pointers_;
  std::vector<ArrowSchema*> schema_pointers_;
  ArrowArray array_{};
  ArrowSchema schema_{};
};

TEST(AppendBatch, KnowsARowThatPilakeCouldHaveWritten) {
  EXPECT_TRUE(ForeignBatch({}).Read().is_ours[0]);
  ForeignRow text{.text = "", .kind = "string", .integer = {}, .value = {}};
  EXPECT_TRUE(ForeignBatch(text).Read().is_ours[0]);
}

TEST(AppendBatch, MarksRowsWhoseColumnsContradictOneAnother) {
  const std::vector<std::pair<const char*, std::function<void(ForeignRow&)>>> changes{
      {"no WebID", [](ForeignRow& row) { row.web_id.reset(); }},
      {"no name", [](ForeignRow& row) { row.name.reset(); }},
      {"no exact time", [](ForeignRow& row) { row.ticks.reset(); }},
      {"no time", [](ForeignRow& row) { row.micros.reset(); }},
      {"two times", [](ForeignRow& row) { row.micros = 2; }},
      {"no ordinal", [](ForeignRow& row) { row.ordinal.reset(); }},
      {"never ingested", [](ForeignRow& row) { row.ingested.reset(); }},
      {"no kind", [](ForeignRow& row) { row.kind.reset(); }},
      {"another kind", [](ForeignRow& row) { row.kind = "colour"; }},
      {"no integer", [](ForeignRow& row) { row.integer.reset(); }},
      {"two values", [](ForeignRow& row) { row.value = 6; }},
      {"no value", [](ForeignRow& row) { row.value.reset(); }},
      {"a text too", [](ForeignRow& row) { row.text = "5"; }},
      {"a code too", [](ForeignRow& row) { row.code = 5; }},
      {"empty units", [](ForeignRow& row) { row.units = ""; }},
  };
  for (const auto& [what, change] : changes) {
    ForeignRow row;
    change(row);
    EXPECT_FALSE(ForeignBatch(row).Read().is_ours[0]) << what;
  }
}

TEST(AppendBatch, ReadsARowWithoutKeysAllTheSame) {
  const Rows rows = ForeignBatch({.web_id = {}, .kind = {}, .ticks = {}}).Read();
  EXPECT_EQ(rows.tag_webid[0], "");
  EXPECT_EQ(rows.events.time(0), kNoTime);
  EXPECT_EQ(rows.events.kind[0], ValueKind::kError);
}

}  // namespace
}  // namespace pilake::delta
