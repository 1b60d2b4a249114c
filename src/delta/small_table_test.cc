// SPDX-License-Identifier: Apache-2.0
#include "delta/small_table.h"

#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"
#include "delta/table.h"
#include "delta/test_rows.h"

namespace pilake::delta {
namespace {

using testing::HasSubstr;

/// A row with a cell of each type.
struct Animal {
  std::string name;
  int32_t legs = 0;
  double weight = 0;
  bool is_tame = false;
  std::optional<UtcTime> born;

  bool operator==(const Animal&) const = default;
};
using Animals = std::map<std::string, Animal>;

SmallLayout AnimalLayout() {
  return {.columns = {{"name", CellType::kText},
                      {"legs", CellType::kInt},
                      {"weight", CellType::kDouble},
                      {"is_tame", CellType::kBool},
                      {"born", CellType::kTime},
                      {"sound", CellType::kText}},
          .clustered_by = {"name"}};
}

Status Append(RowAppender& rows, const Animal& animal) {
  return rows.Text(animal.name)
      .Int(animal.legs)
      .Double(animal.weight)
      .Bool(animal.is_tame)
      .Time(animal.born)
      .Text("")
      .EndRow();
}

class SmallTableTest : public testing::Test {
 protected:
  std::unique_ptr<SmallTable> Open() {
    auto table = SmallTable::OpenOrCreate(folder_ / "animals", {}, AnimalLayout());
    EXPECT_THAT(table, IsOk());
    return std::move(*table);
  }

  static Status Put(SmallTable& table, const Animals& animals) {
    return table.Replace([&](RowAppender& rows) -> Status {
      for (const auto& [name, animal] : animals) RETURN_IF_ERROR(Append(rows, animal));
      return {};
    });
  }

  static Animals All(const SmallTable& table) {
    Animals animals;
    EXPECT_THAT(table.Visit([&](const RowView& row) -> Status {
      EXPECT_EQ(row.text(5), "");
      const Animal animal{.name = std::string(row.text(0)),
                          .legs = row.integer(1),
                          .weight = row.number(2),
                          .is_tame = row.truth(3),
                          .born = row.time(4)};
      EXPECT_TRUE(animals.emplace(animal.name, animal).second) << animal.name << " comes twice";
      return {};
    }),
                IsOk());
    return animals;
  }

  /// More than one block, with every mixture of nulls and bits.
  static Animals Zoo(int32_t count) {
    Animals animals;
    for (int32_t i = 0; i < count; ++i) {
      Animal animal{.name = "animal " + std::to_string(i),
                    .legs = i % 9,
                    .weight = i / 8.0,
                    .is_tame = i % 3 == 0,
                    .born = std::nullopt};
      if (i % 5 != 0) animal.born = At(i) + Duration::Micros(i);
      animals.emplace(animal.name, animal);
    }
    return animals;
  }

  TempFolder folder_;
};

TEST_F(SmallTableTest, GivesBackEveryCell) {
  const auto table = Open();
  for (const int32_t count : {1, 8, 40'000}) {
    ASSERT_THAT(Put(*table, Zoo(count)), IsOk());
    EXPECT_TRUE(All(*table) == Zoo(count));
    EXPECT_TRUE(All(*Open()) == Zoo(count));
  }
}

TEST_F(SmallTableTest, HoldsNothingButWhatWasPutLast) {
  const auto table = Open();
  ASSERT_THAT(Put(*table, Zoo(10)), IsOk());
  ASSERT_THAT(Put(*table, Zoo(3)), IsOk());
  EXPECT_EQ(All(*table).size(), 3u);
  ASSERT_THAT(Put(*table, {}), IsOk());
  EXPECT_TRUE(All(*Open()).empty());
}

TEST_F(SmallTableTest, CutsTimesToMicroseconds) {
  const auto table = Open();
  const UtcTime before_1970{-17};
  ASSERT_THAT(Put(*table, {{"a", {.name = "a", .born = before_1970}}}), IsOk());
  EXPECT_EQ(All(*table).at("a").born, UtcTime{-20});
}

TEST_F(SmallTableTest, LeavesTheWinnersRowsWhenTwoReplaceAtOnce) {
  const auto first = Open(), second = Open();
  ASSERT_THAT(Put(*first, Zoo(5)), IsOk());
  EXPECT_THAT(Put(*second, Zoo(7)), FailsWith(ErrorKind::kConflict));
  EXPECT_EQ(All(*Open()).size(), 5u);
  ASSERT_THAT(second->Refresh(), IsOk());
  ASSERT_THAT(Put(*second, Zoo(7)), IsOk());
  EXPECT_EQ(All(*Open()).size(), 7u);
}

TEST_F(SmallTableTest, ChangesNothingWhenFillingFails) {
  const auto table = Open();
  ASSERT_THAT(Put(*table, Zoo(5)), IsOk());
  const Status failed = table->Replace([](RowAppender& rows) -> Status {
    RETURN_IF_ERROR(Append(rows, {.name = "half"}));
    return Fail(ErrorKind::kUnreachable, "the source is gone");
  });
  EXPECT_THAT(failed, FailsWith(ErrorKind::kUnreachable));
  EXPECT_EQ(All(*Open()).size(), 5u);
}

TEST_F(SmallTableTest, EndsAVisitWithTheFirstFailure) {
  const auto table = Open();
  ASSERT_THAT(Put(*table, Zoo(5)), IsOk());
  int seen = 0;
  EXPECT_THAT(table->Visit([&](const RowView&) -> Status {
    ++seen;
    return Fail(ErrorKind::kMalformed, "enough");
  }),
              FailsWith(ErrorKind::kMalformed));
  EXPECT_EQ(seen, 1);
}

TEST_F(SmallTableTest, SaysThatThereIsNone) {
  EXPECT_THAT(SmallTable::Open(folder_ / "none", {}, AnimalLayout()),
              FailsWith(ErrorKind::kNotFound));
}

TEST_F(SmallTableTest, RefusesATableOfOtherColumns) {
  ASSERT_THAT(Table::Create(folder_ / "animals", {}), IsOk());
  const auto table = SmallTable::OpenOrCreate(folder_ / "animals", {}, AnimalLayout());
  ASSERT_THAT(table, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(table.error().message, HasSubstr("column 'tag_webid' is not pilake's"));
}

}  // namespace
}  // namespace pilake::delta
