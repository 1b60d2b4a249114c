// SPDX-License-Identifier: Apache-2.0
#include "delta/given_rows.h"

#include <bit>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"
#include "delta/test_rows.h"

namespace pilake::delta {
namespace {

/// Two series, values of two kinds, one row without units.
std::unique_ptr<RowBlock> TwoSeries() {
  auto block = std::make_unique<RowBlock>();
  Events events;
  events.Append({10}, ValueKind::kFloat, std::bit_cast<int64_t>(1.5), "", {});
  events.Append({20}, ValueKind::kString, 0, "open", {});
  block->Append(SeriesNamed("U1.A", "bar"), events, 0, 2, 0, {70});
  block->Append(SeriesNamed("U1.LONG NAME", ""), events, 0, 1, 0, {70});
  return block;
}

std::vector<std::string> Texts(const ArrowArray& rows, int64_t column) {
  const ColumnView view(rows, column);
  std::vector<std::string> texts;
  for (int64_t row = 0; row < rows.length; ++row)
    texts.emplace_back(view.valid(row) ? view.text(row) : "null");
  return texts;
}

TEST(GivenRows, ArePlainColumnsOfTheTable) {
  Imported<ArrowSchema> schema;
  DescribeGiven(ColumnChoice(), &schema);
  EXPECT_THAT(CheckSchema(schema), IsOk());
  Imported<ArrowArray> rows;
  GiveAway(TwoSeries(), ColumnChoice(), &rows);
  Rows read;
  ASSERT_THAT(AppendBatch(rows, schema, {}, read), IsOk());
  ASSERT_EQ(read.size(), 3u);
  EXPECT_THAT(read.tag_name, testing::ElementsAre("U1.A", "U1.A", "U1.LONG NAME"));
  EXPECT_EQ(read.events.text_at(1), "open");
  EXPECT_EQ(read.units[0], "bar");
  EXPECT_EQ(read.units[2], std::nullopt);
}

TEST(GivenRows, AreTheColumnsThatWereChosenInThatOrder) {
  const auto columns = ColumnChoice::Of({"value_kind", "timestamp_100ns"});
  ASSERT_THAT(columns, IsOk());
  Imported<ArrowSchema> schema;
  DescribeGiven(*columns, &schema);
  ASSERT_EQ(schema.n_children, 2);
  EXPECT_STREQ(schema.children[0]->name, "value_kind");
  EXPECT_STREQ(schema.children[1]->name, "timestamp_100ns");
  Imported<ArrowArray> rows;
  GiveAway(TwoSeries(), *columns, &rows);
  EXPECT_THAT(Texts(rows, 0), testing::ElementsAre("float", "string", "float"));
  EXPECT_EQ(ColumnView(rows, 1).value<int64_t>(1), 20);
}

/// As Arrow permits: the schema of a column is kept when that of the struct is gone.
TEST(GivenRows, TellWhatAColumnIsForAsLongAsAnyoneAsks) {
  Imported<ArrowSchema> column;
  {
    Imported<ArrowSchema> schema;
    DescribeGiven(*ColumnChoice::Of({"value", "tag_name"}), &schema);
    static_cast<ArrowSchema&>(column) = *schema.children[1];
    schema.children[1]->release = nullptr;
  }
  EXPECT_STREQ(column.name, "tag_name");
  const std::string comment = CommentMetadata("the name of the point");
  ASSERT_NE(column.metadata, nullptr);
  const std::string_view begin(column.metadata, sizeof(int32_t) * 2 + sizeof("comment") - 1);
  EXPECT_EQ(begin, comment.substr(0, begin.size()));
}

TEST(GivenRows, NameTheColumnThatDoesNotExist) {
  const auto columns = ColumnChoice::Of({"value", "valeu"});
  ASSERT_THAT(columns, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(columns.error().message, testing::HasSubstr("valeu"));
}

/// As Arrow permits: a consumer takes a column out of the struct and drops the rest.
TEST(GivenRows, LeaveAColumnAliveThatWasTakenOut) {
  ArrowArray taken;
  {
    Imported<ArrowArray> rows;
    GiveAway(TwoSeries(), *ColumnChoice::Of({"tag_name", "value"}), &rows);
    taken = *rows.children[1];
    rows.children[1]->release = nullptr;
  }
  EXPECT_EQ(static_cast<const double*>(taken.buffers[1])[0], 1.5);
  taken.release(&taken);
  EXPECT_EQ(taken.release, nullptr);
}

TEST(GivenRows, ShareTheMemoryOfNumbers) {
  auto block = TwoSeries();
  const void* ticks = block->Export()->children[3]->buffers[1];
  Imported<ArrowArray> rows;
  GiveAway(std::move(block), ColumnChoice(), &rows);
  EXPECT_EQ(rows.children[3]->buffers[1], ticks);
}

}  // namespace
}  // namespace pilake::delta
