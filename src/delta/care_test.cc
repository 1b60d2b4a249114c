// SPDX-License-Identifier: Apache-2.0
// Care of a table: its log, its litter, and files that are merged.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "delta/table.h"
#include "delta/test_rows.h"
#include "delta/uuid.h"

namespace pilake::delta {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using std::chrono::hours;

class CareTest : public testing::Test {
 protected:
  void SetUp() override {
    auto table = Table::Create(folder_ / "table", {});
    ASSERT_THAT(table, IsOk());
    table_ = std::move(*table);
  }

  std::string Path(const std::string& name) { return folder_ / ("table/" + name); }

  /// As if `span` had passed since the files below `name` were written.
  void Age(const std::string& name, std::chrono::system_clock::duration span) {
    std::vector<std::filesystem::path> files{Path(name)};
    if (std::filesystem::is_directory(files[0])) {
      const std::filesystem::recursive_directory_iterator all(files[0]);
      files.assign(begin(all), end(all));
    }
    for (const auto& file : files) {
      std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) - span);
    }
  }

  /// The removal of files by version `version` was then, not now.
  void AgeRemovals(int64_t version, Duration span) {
    const std::string name = Path(fmt::format("_delta_log/{:020}.json", version));
    std::ifstream in(name);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const UtcTime then = SystemClock().Now() - span;
    constexpr std::string_view kName = R"("deletionTimestamp":)";
    for (size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at)) {
      at += kName.size();
      const size_t end = text.find_first_not_of("0123456789", at);
      text.replace(at, end - at, std::to_string(then.ticks / 10'000));
    }
    std::ofstream(name) << text;
  }

  DataFile Stage(const std::string& series, int64_t first, int64_t count) {
    auto file = WriteFile(*table_, SeriesNamed(series), Floats(first, count));
    EXPECT_THAT(file, IsOk());
    return *file;
  }

  void Commit(CommitRequest request) {
    request.commit_uuid = NewUuid();
    ASSERT_THAT(table_->Commit(request), IsOk());
  }

  void CommitDomains(int count) {
    for (int i = 0; i < count; ++i) {
      Commit({.domain = "d", .domain_value = std::to_string(table_->version() + 1)});
    }
  }

  size_t LogFiles() {
    const std::filesystem::directory_iterator log(Path("_delta_log"));
    return static_cast<size_t>(std::distance(begin(log), end(log)));
  }

  Result<std::vector<FolderFile>> Vacuum(const VacuumOptions& options = {}) {
    return RemoveLitter(folder_ / "table", {}, options);
  }

  /// What a reader finds in the table now.
  Rows AllRows() {
    const auto opened = Table::Open(folder_ / "table", {});
    EXPECT_THAT(opened, IsOk());
    auto rows = (*opened)->ReadRows({});
    EXPECT_THAT(rows, IsOk());
    return std::move(*rows);
  }

  TempFolder folder_;
  std::unique_ptr<Table> table_;
};

MATCHER_P(IsNamed, name, "is the file " + std::string(name)) {
  return arg.name == name;
}

TEST_F(CareTest, LogFilesGoThatRetentionDoesNotAskFor) {
  Commit({.add = {Stage("A", 0, 10)}});
  CommitDomains(20);
  ASSERT_THAT(table_->Maintain({.checkpoint_now = true}), IsOk());
  CommitDomains(5);
  EXPECT_THAT(table_->Oldest("d"), Optional(Optional(Field(&OldestVersion::version, 0))));
  Age("_delta_log", hours(24 * 6));
  const auto early = table_->Maintain({.checkpoint_now = true});
  ASSERT_THAT(early, IsOk());
  EXPECT_EQ(early->log_files_deleted, 0);

  Age("_delta_log", hours(24 * 2));
  CommitDomains(5);
  const auto late = table_->Maintain({.checkpoint_now = true});
  ASSERT_THAT(late, IsOk());
  EXPECT_GE(late->log_files_deleted, 21);
  EXPECT_LT(LogFiles(), 20u);
  // The second checkpoint is two days old, the first eight.
  const auto oldest = table_->Oldest("d");
  ASSERT_THAT(oldest, Optional(Optional(Field(&OldestVersion::version, 21))));
  EXPECT_EQ((*oldest)->domain, "21");
  EXPECT_THAT(table_->CommitsSince(21), Optional(SizeIs(10)));
  EXPECT_THAT(table_->CommitsSince(15), FailsWith(ErrorKind::kNotFound));
  EXPECT_EQ(AllRows().size(), 10u);
}

TEST_F(CareTest, CommitsThatAreStillToBeLookedAtStay) {
  CommitDomains(20);
  ASSERT_THAT(table_->Maintain({.checkpoint_now = true}), IsOk());
  Age("_delta_log", hours(24 * 8));
  CommitDomains(1);
  const auto kept = table_->Maintain({.checkpoint_now = true, .keep_log_from = 12});
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->log_files_deleted, 0);
  EXPECT_THAT(table_->CommitsSince(12), Optional(SizeIs(9)));
}

TEST_F(CareTest, ACheckpointIsDueAfterAFewCommitsAndSomeTime) {
  CommitDomains(10);
  const auto young = table_->Maintain({});
  ASSERT_THAT(young, IsOk());
  EXPECT_FALSE(young->checkpointed);
  Age("_delta_log", std::chrono::minutes(11));
  auto opened = Table::Open(folder_ / "table", {});
  ASSERT_THAT(opened, IsOk());
  const auto old = (*opened)->Maintain({});
  ASSERT_THAT(old, IsOk());
  EXPECT_TRUE(old->checkpointed);
}

TEST_F(CareTest, VacuumTakesWhatNobodyNeedsAndIsOld) {
  const DataFile active = Stage("A", 0, 10), left = Stage("B", 0, 10), killed = Stage("C", 0, 10);
  Commit({.add = {active, left}});
  Commit({.remove = {left.path}});
  const std::string upload = "5d1c6f0e.parquet#1";
  std::ofstream(Path(upload)) << "half a file";
  ASSERT_THAT(table_->PutSideFile("coverage-1.parquet", "x"), IsOk());
  EXPECT_THAT(Vacuum(), Optional(IsEmpty()));
  for (const std::string& name : {active.path, left.path, killed.path, upload}) {
    Age(name, hours(25));
  }
  Age("_pilake", hours(25));
  const DataFile staged = Stage("D", 0, 10);

  EXPECT_THAT(Vacuum({.retention = Duration::Hours(26)}), Optional(IsEmpty()));
  const auto lost = UnorderedElementsAre(IsNamed(killed.path), IsNamed(upload));
  EXPECT_THAT(Vacuum({.dry_run = true}), Optional(lost));
  EXPECT_THAT(Vacuum(), Optional(lost));
  EXPECT_THAT(Vacuum(), Optional(IsEmpty()));

  AgeRemovals(2, Duration::Hours(25));  // until now readers of version 1 needed it
  EXPECT_THAT(Vacuum(), Optional(ElementsAre(IsNamed(left.path))));
  Commit({.add = {staged}});
  EXPECT_EQ(AllRows().size(), 20u);
  EXPECT_THAT(table_->SideFiles(), Optional(SizeIs(1)));
}

TEST_F(CareTest, VacuumRefusesLessThanTheRetentionOfTheTable) {
  EXPECT_THAT(Vacuum({.retention = Duration::Hours(23)}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(CareTest, VacuumTouchesNothingWhereAFileOfTheTableIsMissing) {
  const DataFile active = Stage("A", 0, 10), killed = Stage("C", 0, 10);
  Commit({.add = {active}});
  Age(killed.path, hours(25));
  std::filesystem::remove(Path(active.path));
  const auto vacuumed = Vacuum();
  ASSERT_FALSE(vacuumed);
  EXPECT_THAT(vacuumed.error().message, testing::HasSubstr(active.path));
  EXPECT_TRUE(std::filesystem::exists(Path(killed.path)));
}

TEST_F(CareTest, AFileThatARestoreBroughtBackIsNeeded) {
  const DataFile file = Stage("A", 0, 10);
  Commit({.add = {file}});
  Commit({.remove = {file.path}});
  Commit({.add = {file}});
  Age(file.path, hours(25));
  AgeRemovals(2, Duration::Hours(25));
  EXPECT_THAT(Vacuum(), Optional(IsEmpty()));
}

class MergeTest : public CareTest, public testing::WithParamInterface<int64_t> {};

TEST_P(MergeTest, MergedFilesHoldTheSameRowsInKeyOrder) {
  std::mt19937 random(1);
  std::vector<DataFile> files;
  for (int i = 0; i < 40; ++i) {
    auto writer = table_->NewFile();
    ASSERT_THAT(writer, IsOk());
    for (const char* name : {"A", "B", "C", "D"}) {
      const Events events = Floats(static_cast<int64_t>(random() % 100'000), 50);
      ASSERT_THAT((*writer)->Append(SeriesNamed(name), events, 0, 50, 0, kIngested), IsOk());
    }
    auto done = (*writer)->Finish();
    ASSERT_THAT(done, IsOk());
    files.push_back(std::move(*done));
  }
  Commit({.add = files});
  const Rows before = AllRows();
  ASSERT_EQ(before.size(), 8'000u);

  CommitRequest request{.data_change = false, .operation = "OPTIMIZE"};
  Table::Merge merge{.files = {}, .memory_bytes = GetParam()};
  for (const DataFile& file : files) {
    merge.files.push_back(file.path);
    request.remove.emplace_back(file.path);
  }
  const auto merged = table_->MergeFiles(merge);
  ASSERT_THAT(merged, IsOk());
  EXPECT_THAT(*merged, SizeIs(1));
  request.add = *merged;
  Commit(request);

  const Rows after = AllRows();
  EXPECT_EQ(after.tag_webid, before.tag_webid);
  EXPECT_EQ(after.events.ticks, before.events.ticks);
  EXPECT_EQ(after.value, before.value);
  EXPECT_EQ(after.ordinal, before.ordinal);
  EXPECT_EQ(after.tag_name, before.tag_name);
  EXPECT_EQ(after.ingested, before.ingested);
  // And so they stand in the file.
  const auto as_they_stand = table_->ReadRows({.order = RowQuery::Order::kAny});
  ASSERT_THAT(as_they_stand, IsOk());
  EXPECT_EQ(as_they_stand->tag_webid, after.tag_webid);
  EXPECT_EQ(as_they_stand->events.ticks, after.events.ticks);
  const auto commits = table_->CommitsSince(table_->version() - 1);
  ASSERT_THAT(commits, Optional(SizeIs(1)));
  EXPECT_FALSE((*commits)[0].changes_data);
}

// All rows at once; a series at a time; each series in pieces.
INSTANTIATE_TEST_SUITE_P(Memory, MergeTest, testing::Values(256 << 20, 400'000, 20'000));

TEST_F(CareTest, OnlyActiveFilesAreMerged) {
  const DataFile file = Stage("A", 0, 10);
  EXPECT_THAT(table_->MergeFiles({.files = {file.path}}), FailsWith(ErrorKind::kConflict));
}

}  // namespace
}  // namespace pilake::delta
