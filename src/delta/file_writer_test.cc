// SPDX-License-Identifier: Apache-2.0
#include "delta/file_writer.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"
#include "delta/row_block.h"
#include "delta/table.h"
#include "delta/test_rows.h"

namespace pilake::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FileWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    auto created = Table::Create(folder_ / "table", {});
    ASSERT_THAT(created, IsOk());
    table_ = std::move(*created);
  }

  Rows Commit(DataFile file) {
    CommitRequest request;
    request.add.push_back(std::move(file));
    EXPECT_THAT(table_->Commit(request), IsOk());
    auto rows = table_->ReadRows({});
    EXPECT_THAT(rows, IsOk());
    return std::move(*rows);
  }

  TempFolder folder_;
  std::unique_ptr<Table> table_;
};

TEST_F(FileWriterTest, GivesBackEveryKindOfValueAsItWasWritten) {
  Events events;
  const Flags none;
  Flags all;
  for (uint8_t flag = 0; flag < 4; ++flag) all.Set(flag, true);
  Flags mixed;
  mixed.Set(Flags::kGood, false);
  mixed.Set(Flags::kAnnotated, true);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  events.Append(At(1), ValueKind::kFloat, std::bit_cast<int64_t>(1.5), "", all);
  events.Append(At(2), ValueKind::kFloat, std::bit_cast<int64_t>(nan), "", none);
  events.Append(At(3), ValueKind::kInt, std::numeric_limits<int64_t>::max(), "", mixed);
  events.Append(At(4), ValueKind::kInt, std::numeric_limits<int64_t>::min(), "", none);
  events.Append(At(5), ValueKind::kString, 0, "gr\xc3\xbc\xc3\x9f", none);
  events.Append(At(6), ValueKind::kString, 0, "", none);
  events.Append(At(7), ValueKind::kDigital, -7, "Open", all);
  events.Append(At(8), ValueKind::kSystem, 254, "Shutdown", mixed);
  events.Append(At(9), ValueKind::kTimestamp, 0, "2024-01-01T00:00:00Z", none);
  events.Append(At(10), ValueKind::kBlob, 0, "AAECAw==", none);
  events.Append(At(11), ValueKind::kArray, 0, "[1,2]", none);
  events.Append(At(12), ValueKind::kNull, 0, "", none);
  events.Append(At(13), ValueKind::kError, 0, R"({"Errors":["x"]})", none);
  auto file = WriteFile(*table_, SeriesNamed("U01"), events);
  ASSERT_THAT(file, IsOk());

  const Rows rows = Commit(*file);

  ASSERT_EQ(rows.size(), events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_TRUE(SameEvent(rows.events, i, events, i)) << "row " << i;
    EXPECT_EQ(rows.tag_name[i], "U01");
    EXPECT_EQ(rows.tag_webid[i], SeriesNamed("U01").web_id);
    EXPECT_EQ(rows.units[i], "m3/h");
    EXPECT_EQ(rows.ingested[i], kIngested);
  }
  EXPECT_EQ(rows.value[0], 1.5);
  EXPECT_TRUE(std::isnan(*rows.value[1]));
  EXPECT_EQ(rows.value[2], 9223372036854775807.0);
  EXPECT_EQ(rows.value[6], std::nullopt) << "a state has no numeric value";
}

TEST_F(FileWriterTest, WritesRowsReadBackAsTheyWere) {
  Events events;
  Flags flags;
  flags.Set(Flags::kGood, true);
  flags.Set(Flags::kSubstituted, false);
  const auto odd_nan = std::bit_cast<int64_t>(uint64_t{0x7ff8'dead'beef'0001});
  events.Append({9}, ValueKind::kFloat, odd_nan, "", flags);
  events.Append({9}, ValueKind::kFloat, std::bit_cast<int64_t>(-0.0), "", Flags());
  events.Append({17}, ValueKind::kInt, 9'007'199'254'740'993, "", flags);
  events.Append({18}, ValueKind::kDigital, -7, "Open", Flags());
  events.Append({19}, ValueKind::kString, 0, "", flags);
  events.Append({20}, ValueKind::kNull, 0, "", Flags());
  events.Append({21}, ValueKind::kError, 0, R"({"Errors":["x"]})", Flags());
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("A", ""), events, 0, 7, 3, kIngested), IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("A", "bar"), Floats(9, 3), 0, 3, 0, At(1)), IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("B"), Floats(0, 200'000), 0, 200'000, 0, At(2)),
              IsOk());
  const auto first = (*writer)->Finish();
  ASSERT_THAT(first, IsOk());
  const Rows before = Commit(*first);

  auto again = table_->NewFile();
  ASSERT_THAT(again, IsOk());
  ASSERT_THAT((*again)->Append(before, 0, 5), IsOk());
  ASSERT_THAT((*again)->Append(before, 5, before.size()), IsOk());
  const auto second = (*again)->Finish();
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->rows, first->rows);
  EXPECT_EQ(second->stats, first->stats);
  CommitRequest replacement;
  replacement.add = {*second};
  replacement.remove = {first->path};
  ASSERT_THAT(table_->Commit(replacement), IsOk());
  const auto after = table_->ReadRows({});
  ASSERT_THAT(after, IsOk());

  ASSERT_EQ(after->size(), before.size());
  EXPECT_EQ(after->tag_webid, before.tag_webid);
  EXPECT_EQ(after->tag_name, before.tag_name);
  EXPECT_EQ(after->ordinal, before.ordinal);
  EXPECT_EQ(after->units, before.units);
  EXPECT_EQ(after->ingested, before.ingested);
  for (size_t i = 0; i < before.size(); ++i) {
    ASSERT_TRUE(SameEvent(after->events, i, before.events, i)) << "row " << i;
    ASSERT_TRUE(before.is_ours[i] && after->is_ours[i]) << "row " << i;
    ASSERT_EQ(after->value[i].has_value(), before.value[i].has_value()) << "row " << i;
    if (!after->value[i]) continue;
    ASSERT_EQ(std::bit_cast<int64_t>(*after->value[i]), std::bit_cast<int64_t>(*before.value[i]));
  }
  EXPECT_EQ(before.events.number[0], odd_nan);
}

TEST_F(FileWriterTest, KeepsTheExactTimeBeforeAndAfter1970) {
  Events events;
  AppendFloat(events, {-1}, 0);
  AppendFloat(events, {17'000'000'000'000'153}, 1);
  const Rows rows = Commit(*WriteFile(*table_, SeriesNamed("U01"), events));
  EXPECT_THAT(rows.events.ticks, ElementsAre(-1, 17'000'000'000'000'153));
}

TEST_F(FileWriterTest, WritesNoUnitsAsNull) {
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  const Events events = Floats(0, 2);
  ASSERT_THAT((*writer)->Append(SeriesNamed("A", ""), events, 0, 2, 0, kIngested), IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("B", "bar"), events, 0, 1, 0, kIngested), IsOk());
  const Rows rows = Commit(*(*writer)->Finish());
  EXPECT_THAT(rows.units, ElementsAre(std::nullopt, std::nullopt, "bar"));
}

TEST_F(FileWriterTest, CountsEqualTimesOnFromTheFirstOrdinal) {
  Events events;
  for (const int64_t second : {1, 1, 2, 2, 2, 3}) AppendFloat(events, At(second), 0);
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("A"), events, 0, 4, 5, kIngested), IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("A"), events, 4, 6, 2, kIngested), IsOk());
  const Rows rows = Commit(*(*writer)->Finish());
  EXPECT_THAT(rows.ordinal, ElementsAre(5, 6, 0, 1, 2, 0));
}

TEST_F(FileWriterTest, CountsEqualTimesAcrossTheBlocksOfOneAppend) {
  // All rows at one time, then two at the next, with the time's change and a block's end apart.
  Events events;
  const auto same = static_cast<int32_t>(2 * RowBlock::kRows + 3);
  for (int32_t i = 0; i < same; ++i) AppendFloat(events, At(1), 0);
  AppendFloat(events, At(2), 0);
  AppendFloat(events, At(2), 0);
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->Append(SeriesNamed("A"), events, 0, events.size(), 10, kIngested), IsOk());
  EXPECT_EQ((*writer)->rows(), same + 2);
  const Rows rows = Commit(*(*writer)->Finish());
  ASSERT_EQ(rows.size(), events.size());
  for (int32_t i = 0; i < same; ++i) ASSERT_EQ(rows.ordinal[static_cast<size_t>(i)], 10 + i);
  EXPECT_EQ(rows.ordinal[rows.size() - 2], 0);
  EXPECT_EQ(rows.ordinal[rows.size() - 1], 1);
}

TEST_F(FileWriterTest, TellsCountsAndFullBoundsInItsStatistics) {
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  Series first = SeriesNamed("A");
  Series last = SeriesNamed("B");
  first.web_id += "-and-much-longer-than-thirty-two-characters";
  last.web_id += "-and-much-longer-than-thirty-two-characters";
  Events events;
  AppendFloat(events, {17'000'000'000'000'015}, 1);
  AppendFloat(events, {17'000'000'000'000'023}, 1);
  ASSERT_THAT((*writer)->Append(first, events, 0, 2, 0, kIngested), IsOk());
  ASSERT_THAT((*writer)->Append(last, events, 0, 1, 0, kIngested), IsOk());
  auto file = (*writer)->Finish();
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->rows, 3);
  EXPECT_EQ(file->bytes,
            static_cast<int64_t>(std::filesystem::file_size(folder_ / "table/" + file->path)));
  EXPECT_THAT(file->stats, HasSubstr(R"("numRecords":3)"));
  EXPECT_THAT(file->stats, HasSubstr(R"("tag_webid":")" + first.web_id + '"'));
  EXPECT_THAT(file->stats, HasSubstr(R"("tag_webid":")" + last.web_id + '"'));
  EXPECT_THAT(file->stats, HasSubstr(R"("timestamp":"2023-11-14T22:13:20Z")"));
  EXPECT_THAT(file->stats, HasSubstr(R"("timestamp":"2023-11-14T22:13:20.001Z")"));
  EXPECT_THAT(file->stats, HasSubstr(R"("timestamp_100ns":17000000000000023)"));
  EXPECT_THAT(file->stats, HasSubstr(R"("value_int":3)")) << "nulls are counted";
}

TEST_F(FileWriterTest, LeavesNothingBehindIfItIsGivenUp) {
  const auto files_in_table = [this] {
    const auto all = std::filesystem::recursive_directory_iterator(folder_ / "table");
    return std::count_if(begin(all), end(all), [](const auto& entry) {
      return entry.path().string().find("parquet") != std::string::npos;
    });
  };
  {
    // Incompressible, so that parts of the file leave the process.
    auto writer = table_->NewFile();
    ASSERT_THAT(writer, IsOk());
    Events events;
    std::mt19937_64 noise;
    for (int64_t i = 0; i < 1'200'000; ++i) {
      AppendFloat(events, At(i), std::bit_cast<double>(noise()));
    }
    ASSERT_THAT((*writer)->Append(SeriesNamed("A"), events, 0, events.size(), 0, kIngested),
                IsOk());
    EXPECT_EQ(files_in_table(), 1) << "the upload has begun";
  }
  EXPECT_EQ(files_in_table(), 0);
}

TEST_F(FileWriterTest, MakesNoFileWithoutRows) {
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Finish(), FailsWith(ErrorKind::kInvalid));
}

TEST_F(FileWriterTest, MayOutliveItsTable) {
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  table_.reset();
  const Events events = Floats(0, 10);
  ASSERT_THAT((*writer)->Append(SeriesNamed("A"), events, 0, 10, 0, kIngested), IsOk());
  EXPECT_THAT((*writer)->Finish(), IsOk());
}

TEST_F(FileWriterTest, SaysWhereItCannotWrite) {
  auto writer = table_->NewFile();
  ASSERT_THAT(writer, IsOk());
  std::filesystem::remove_all(folder_ / "table");
  std::ofstream(folder_ / "table") << "now a file";
  const Events events = Floats(0, 10);
  ASSERT_THAT((*writer)->Append(SeriesNamed("A"), events, 0, 10, 0, kIngested), IsOk());
  const auto file = (*writer)->Finish();
  EXPECT_THAT(file, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(file.error().message, HasSubstr(folder_ / "table"));
}

}  // namespace
}  // namespace pilake::delta
