// SPDX-License-Identifier: Apache-2.0
#include "delta/table.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"
#include "delta/test_rows.h"
#include "delta/uuid.h"

namespace pilake::delta {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

MATCHER_P(IsFile, path, "is the file " + std::string(path)) {
  return arg.path == path;
}

class TableTest : public testing::Test {
 protected:
  std::unique_ptr<Table> Create(const std::string& name = "table") {
    auto table = Table::Create(folder_ / name, {});
    EXPECT_THAT(table, IsOk());
    return std::move(*table);
  }

  std::unique_ptr<Table> Open(const std::string& name = "table") {
    auto table = Table::Open(folder_ / name, {});
    EXPECT_THAT(table, IsOk());
    return std::move(*table);
  }

  /// A commit of one file with `count` rows of `series` from second `first` on.
  CommitRequest Staged(Table& table, const std::string& series, int64_t first, int64_t count) {
    auto file = WriteFile(table, SeriesNamed(series), Floats(first, count));
    EXPECT_THAT(file, IsOk());
    CommitRequest request;
    request.add.push_back(*file);
    request.commit_uuid = NewUuid();
    return request;
  }

  int64_t CountRows(Table& table) {
    const auto stats = table.Stats();
    EXPECT_THAT(stats, IsOk());
    return stats->rows;
  }

  void WriteLog(int64_t version, const std::string& text) {
    std::ofstream(folder_ / fmt::format("table/_delta_log/{:020}.json", version)) << text;
  }

  std::string ReadLog(int64_t version) {
    std::ifstream file(folder_ / fmt::format("table/_delta_log/{:020}.json", version));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  /// As another writer's ALTER TABLE … SET TBLPROPERTIES on the new table of version 0.
  void Switch(const std::string& property, const std::string& value) {
    std::string log = ReadLog(0);
    const size_t begin = log.find(R"({"metaData")");
    std::string metadata = log.substr(begin, log.find('\n', begin) - begin);
    const std::string configuration = R"("configuration":{)";
    metadata.insert(metadata.find(configuration) + configuration.size(),
                    fmt::format(R"("{}":"{}",)", property, value));
    WriteLog(1, metadata + "\n");
  }

  Status OpenStatus() {
    const auto table = Table::Open(folder_ / "table", {});
    return table ? Status() : tl::unexpected(table.error());
  }

  TempFolder folder_;
};

TEST_F(TableTest, IsEmptyAtVersionZeroWhenItIsNew) {
  const auto table = Create("a new/folder with spaces");
  EXPECT_EQ(table->version(), 0);
  EXPECT_THAT(table->table_id(), SizeIs(36));
  EXPECT_THAT(table->Files(), IsOkWith(std::vector<std::string>{}));
  EXPECT_THAT(table->Domain("pilake.coverage"), IsOkWith(std::nullopt));
  EXPECT_THAT(table->TxnVersion("pilake/x"), IsOkWith(std::nullopt));
  EXPECT_THAT(table->CommitsSince(0), Optional(testing::IsEmpty()));
}

TEST_F(TableTest, KeepsWhatACommitSaid) {
  const auto table = Create();
  CommitRequest request = Staged(*table, "A", 0, 100);
  request.domain = "pilake.coverage";
  request.domain_value = R"({"format":1,"text":"ümlaut \" quote"})";
  request.app_id = "pilake/process";
  request.app_version = 7;
  EXPECT_THAT(table->Commit(request), IsOkWith(1));
  EXPECT_EQ(table->version(), 1);

  const auto opened = Open();
  EXPECT_EQ(opened->version(), 1);
  EXPECT_EQ(opened->table_id(), table->table_id());
  EXPECT_THAT(opened->Domain("pilake.coverage"), IsOkWith(request.domain_value));
  EXPECT_THAT(opened->TxnVersion("pilake/process"), IsOkWith(7));
  const auto stats = opened->Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->files, 1);
  EXPECT_EQ(stats->rows, 100);
  EXPECT_EQ(stats->bytes, request.add[0].bytes);
  EXPECT_EQ(stats->files_without_rows, 0);
}

TEST_F(TableTest, CommitsWithoutFiles) {
  const auto table = Create();
  CommitRequest request;
  request.domain = "pilake.coverage";
  request.domain_value = "{}";
  EXPECT_THAT(table->Commit(request), IsOkWith(1));
  EXPECT_THAT(table->Domain("pilake.coverage"), IsOkWith("{}"));
}

TEST_F(TableTest, RefusesTheSecondOfTwoWritersAndShowsNothingOfIt) {
  const auto first = Create();
  const auto second = Open();
  CommitRequest lost = Staged(*second, "B", 0, 10);
  lost.domain = "pilake.coverage";
  lost.domain_value = "lost";
  ASSERT_THAT(first->Commit(Staged(*first, "A", 0, 10)), IsOkWith(1));

  EXPECT_THAT(second->Commit(lost), FailsWith(ErrorKind::kConflict));

  EXPECT_EQ(second->version(), 0);
  const auto seen = Open();
  EXPECT_EQ(seen->version(), 1);
  EXPECT_EQ(CountRows(*seen), 10);
  EXPECT_THAT(seen->Domain("pilake.coverage"), IsOkWith(std::nullopt));

  ASSERT_THAT(second->Refresh(), IsOk());
  EXPECT_THAT(second->Commit(lost), IsOkWith(2)) << "the same files may be staged again";
  EXPECT_EQ(CountRows(*second), 20);
}

TEST_F(TableTest, LetsExactlyOneOfManyWritersMakeAVersion) {
  constexpr int kWriters = 4;
  Create();
  std::vector<std::unique_ptr<Table>> tables;
  std::vector<CommitRequest> requests;
  for (int i = 0; i < kWriters; ++i) {
    tables.push_back(Open());
    requests.push_back(Staged(*tables.back(), "A", i * 100, 10));
  }
  std::atomic<int> committed = 0;
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kWriters; ++i) {
      threads.emplace_back([&, i] {
        const auto version = tables[i]->Commit(requests[i]);
        if (version.has_value()) ++committed;
        if (!version.has_value() && version.error().kind == ErrorKind::kConflict) ++refused;
      });
    }
  }
  EXPECT_EQ(committed, 1);
  EXPECT_EQ(refused, kWriters - 1);
  EXPECT_EQ(CountRows(*Open()), 10);
}

/// Commits as a careful caller does: whatever the answer, looks before it asks again. What it only
/// looks at may fail and is asked again.
void CommitOnce(Table& table, const CommitRequest& request) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    const int64_t base = table.version();
    if (table.Commit(request)) return;
    while (!table.Refresh()) {
    }
    auto commits = table.CommitsSince(base);
    while (!commits) commits = table.CommitsSince(base);
    const bool landed = std::any_of(commits->begin(), commits->end(), [&](const auto& commit) {
      return commit.uuid == request.commit_uuid;
    });
    if (landed) return;
  }
  ADD_FAILURE() << "never landed";
}

class TableOnALyingStoreTest : public TableTest, public testing::WithParamInterface<const char*> {};

TEST_P(TableOnALyingStoreTest, CommitsEachRequestOfTwoWritersExactlyOnce) {
  constexpr size_t kWriters = 2;
  constexpr int kCommits = 6;
  const auto honest = Create();
  std::vector<std::vector<CommitRequest>> requests(kWriters);
  std::vector<std::unique_ptr<Table>> tables;
  for (size_t writer = 0; writer < kWriters; ++writer) {
    for (int i = 0; i < kCommits; ++i) {
      requests[writer].push_back(Staged(*honest, "A", 100 * i + 50 * int64_t(writer), 10));
    }
    Result<std::unique_ptr<Table>> opened = Fail(ErrorKind::kUnreachable, "not tried yet");
    for (size_t seed = writer; !opened; seed += kWriters) {
      const auto trial = fmt::format("seed={},rate=0.1,of=log,lies={}", seed, GetParam());
      opened =
          Table::Open(folder_ / "table", {.options = {{"pilake_trial", trial}}, .ca_files = {}});
    }
    tables.push_back(std::move(*opened));
  }
  {
    std::vector<std::jthread> threads;
    for (size_t writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&, writer] {
        for (const CommitRequest& request : requests[writer]) CommitOnce(*tables[writer], request);
      });
    }
  }
  const auto commits = honest->CommitsSince(0);
  ASSERT_THAT(commits, IsOk());
  std::multiset<std::string> landed, wanted;
  for (const CommitSummary& commit : *commits) landed.insert(commit.uuid);
  for (const auto& of_writer : requests) {
    for (const CommitRequest& request : of_writer) wanted.insert(request.commit_uuid);
  }
  EXPECT_EQ(landed, wanted);
  EXPECT_EQ(CountRows(*Open()), kWriters * kCommits * 10);
}

INSTANTIATE_TEST_SUITE_P(Lies, TableOnALyingStoreTest,
                         testing::Values("fail", "lost", "late", "again", "stale", "cut", "full",
                                         "fail+lost+late+again+stale+cut+full"));

TEST_F(TableTest, RecognisesItsOwnCommitWhenTheStoreCallsItAConflict) {
  const auto table = Create();
  const auto again = Open();
  const CommitRequest request = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(request), IsOkWith(1));
  // As if the answer to the first attempt had been lost and the store had tried once more.
  EXPECT_THAT(again->Commit(request), IsOkWith(1));
  EXPECT_EQ(again->version(), 1);
  EXPECT_EQ(CountRows(*again), 10);
}

TEST_F(TableTest, TellsWhatOwnAndForeignCommitsDid) {
  const auto table = Create();
  const CommitRequest request = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(request), IsOkWith(1));
  WriteLog(2, R"({"commitInfo":{"operation":"OPTIMIZE","engineInfo":"Spark/4"}}
{"remove":{"path":"x.parquet","dataChange":false}}
{"add":{"path":"y.parquet","dataChange":false}}
)");
  WriteLog(3, R"({"metaData":{"id":"other"}}
{"protocol":{"minReaderVersion":3}}
)");

  const auto commits = table->CommitsSince(0);

  ASSERT_THAT(commits, IsOk());
  ASSERT_THAT(*commits, SizeIs(3));
  const CommitSummary& own = (*commits)[0];
  EXPECT_EQ(own.version, 1);
  EXPECT_EQ(own.uuid, request.commit_uuid);
  EXPECT_EQ(own.operation, "WRITE");
  EXPECT_THAT(own.engine, HasSubstr("pilake/"));
  EXPECT_TRUE(own.changes_data);
  EXPECT_FALSE(own.changes_schema);
  EXPECT_THAT(own.added, ElementsAre(IsFile(request.add[0].path)));
  EXPECT_TRUE(own.added[0].data_change);
  EXPECT_EQ(own.added[0].rows, 10);
  EXPECT_EQ(own.added[0].web_ids, WebIdRange::Only(SeriesNamed("A").web_id));
  EXPECT_EQ(own.added[0].times, (TimeRange{At(0), At(9) + Duration::Ticks(1)}));
  const CommitSummary& optimize = (*commits)[1];
  EXPECT_EQ(optimize.uuid, "");
  EXPECT_EQ(optimize.engine, "Spark/4");
  EXPECT_FALSE(optimize.changes_data);
  EXPECT_THAT(optimize.added, ElementsAre(IsFile("y.parquet")));
  EXPECT_THAT(optimize.removed, ElementsAre(IsFile("x.parquet")));
  EXPECT_FALSE(optimize.changes_protocol);
  EXPECT_TRUE((*commits)[2].changes_table_id);
  EXPECT_TRUE((*commits)[2].changes_schema);
  EXPECT_TRUE((*commits)[2].changes_protocol);
  EXPECT_THAT(table->CommitsSince(3), Optional(IsEmpty()));
}

TEST_F(TableTest, MissesCommitsThatAreNoLongerInTheLog) {
  const auto table = Create();
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(table->Commit(Staged(*table, "A", i * 10, 10)), IsOk());
  }
  std::filesystem::remove(folder_ / "table/_delta_log/00000000000000000001.json");
  EXPECT_THAT(table->CommitsSince(0), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(table->CommitsSince(1), Optional(SizeIs(2)));
}

TEST_F(TableTest, ReplacesFilesInOneVersion) {
  const auto table = Create();
  const CommitRequest first = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(first), IsOk());
  CommitRequest replacement = Staged(*table, "A", 0, 7);
  replacement.remove = {first.add[0].path};
  EXPECT_THAT(table->Commit(replacement), IsOkWith(2));
  EXPECT_THAT(Open()->Files(), Optional(ElementsAre(replacement.add[0].path)));
  EXPECT_EQ(CountRows(*table), 7);
}

TEST_F(TableTest, RefusesToRemoveAFileThatIsGone) {
  const auto table = Create();
  const CommitRequest first = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(first), IsOk());
  CommitRequest removal;
  removal.remove = {first.add[0].path};
  ASSERT_THAT(table->Commit(removal), IsOkWith(2));
  removal.commit_uuid = NewUuid();
  EXPECT_THAT(table->Commit(removal), FailsWith(ErrorKind::kConflict));
  EXPECT_EQ(Open()->version(), 2);
}

TEST_F(TableTest, RefusesToRemoveAFileThatHasAnotherDeletionVectorThanItWasReadWith) {
  const auto table = Create();
  const CommitRequest first = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(first), IsOk());
  CommitRequest removal;
  removal.remove = {{first.add[0].path, "uab@1"}};
  EXPECT_THAT(table->Commit(removal), FailsWith(ErrorKind::kConflict));
  removal.remove = {first.add[0].path};
  EXPECT_THAT(table->Commit(removal), IsOkWith(2));
}

TEST_F(TableTest, MarksACompactionAsNoChangeOfData) {
  const auto table = Create();
  CommitRequest first = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(first), IsOk());
  CommitRequest compaction = Staged(*table, "A", 0, 10);
  compaction.remove = {first.add[0].path};
  compaction.data_change = false;
  compaction.operation = "OPTIMIZE";
  ASSERT_THAT(table->Commit(compaction), IsOk());
  const auto commits = table->CommitsSince(1);
  ASSERT_THAT(commits, Optional(SizeIs(1)));
  EXPECT_FALSE((*commits)[0].changes_data);
  EXPECT_EQ((*commits)[0].operation, "OPTIMIZE");
}

TEST_F(TableTest, RefusesAnOperationThatNobodyKnows) {
  const auto table = Create();
  CommitRequest request;
  request.operation = "PAINT";
  EXPECT_THAT(table->Commit(request), FailsWith(ErrorKind::kInvalid));
  EXPECT_EQ(Open()->version(), 0);
}

TEST_F(TableTest, RefreshesToTheNewestVersion) {
  const auto reader = Create();
  const auto writer = Open();
  ASSERT_THAT(writer->Commit(Staged(*writer, "A", 0, 10)), IsOk());
  EXPECT_EQ(reader->version(), 0);
  ASSERT_THAT(reader->Refresh(), IsOk());
  EXPECT_EQ(reader->version(), 1);
  EXPECT_EQ(CountRows(*reader), 10);
}

TEST_F(TableTest, IsNotCreatedTwice) {
  Create();
  EXPECT_THAT(Table::Create(folder_ / "table", {}), FailsWith(ErrorKind::kConflict));
}

TEST_F(TableTest, IsCreatedByExactlyOneOfMany) {
  std::atomic<int> created = 0;
  std::atomic<int> late = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto table = Table::Create(folder_ / "table", {});
        if (table.has_value()) ++created;
        if (!table.has_value() && table.error().kind == ErrorKind::kConflict) ++late;
      });
    }
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(late, 3);
  EXPECT_EQ(Open()->version(), 0);
}

TEST_F(TableTest, IsNotFoundWhereThereIsNone) {
  const auto missing = Table::Open(folder_ / "nowhere", {});
  EXPECT_THAT(missing, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(missing.error().message, HasSubstr("nowhere"));
}

TEST_F(TableTest, SaysThatAFolderHoldsOtherFilesAndLeavesThemAlone) {
  std::filesystem::create_directories(folder_ / "data");
  std::ofstream(folder_ / "data/report.csv") << "a,b\n";
  const auto opened = Table::Open(folder_ / "data", {});
  EXPECT_THAT(opened, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(opened.error().message, HasSubstr("report.csv"));
  const auto created = Table::Create(folder_ / "data", {});
  EXPECT_THAT(created, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(created.error().message, HasSubstr("report.csv"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "data/_delta_log"));
}

TEST_F(TableTest, SaysThatAPathIsAFile) {
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THAT(Table::Open(folder_ / "file", {}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Table::Create(folder_ / "file", {}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(TableTest, SaysThatAFolderCannotBeMade) {
  std::ofstream(folder_ / "file") << "x";
  const auto created = Table::Create(folder_ / "file/below", {});
  EXPECT_THAT(created, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(created.error().message, HasSubstr("file/below"));
}

TEST_F(TableTest, ProbesAStoreWithoutLeavingATrace) {
  EXPECT_THAT(ProbeStore(folder_ / "not/yet/there", {}), IsOk());
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / ""));
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THAT(ProbeStore(folder_ / "file/below", {}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(ProbeStore(folder_ / "", {}), FailsWith(ErrorKind::kInvalid)) << "other files";
}

TEST_F(TableTest, RefusesAUrlThatNoTableCanHave) {
  for (const char* url : {"ftp://host/table", "https://example.com/table", "s3:///"}) {
    EXPECT_THAT(Table::Open(url, {}), FailsWith(ErrorKind::kInvalid)) << url;
  }
}

TEST_F(TableTest, RefusesACaFileThatIsNotThere) {
  const StoreOptions options{.options = {}, .ca_files = {folder_ / "missing.pem"}};
  const auto table = Table::Open(folder_ / "table", options);
  EXPECT_THAT(table, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(table.error().message, HasSubstr("missing.pem"));
}

TEST_F(TableTest, OpensByFileUrlToo) {
  Create();
  EXPECT_THAT(Table::Open("file://" + (folder_ / "table"), {}), IsOk());
}

TEST_F(TableTest, NamesTheColumnThatAForeignTableLacks) {
  std::filesystem::create_directories(folder_ / "table/_delta_log");
  WriteLog(0, R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"a","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{},"createdTime":0}}
)");
  const auto table = Table::Open(folder_ / "table", {});
  EXPECT_THAT(table, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(table.error().message, HasSubstr("no column tag_webid"));
}

TEST_F(TableTest, NamesAFeatureItCannotWrite) {
  std::filesystem::create_directories(folder_ / "table/_delta_log");
  WriteLog(
      0,
      R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["frobnication"],"writerFeatures":["frobnication"]}}
{"metaData":{"id":"a","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{},"createdTime":0}}
)");
  const auto table = Table::Open(folder_ / "table", {});
  EXPECT_THAT(table, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(table.error().message, HasSubstr("frobnication"));
}

TEST_F(TableTest, ReadsRowsInKeyOrderWhateverTheFiles) {
  const auto table = Create();
  ASSERT_THAT(table->Commit(Staged(*table, "B", 0, 3)), IsOk());
  ASSERT_THAT(table->Commit(Staged(*table, "A", 10, 3)), IsOk());
  ASSERT_THAT(table->Commit(Staged(*table, "A", 0, 3)), IsOk());
  const auto rows = table->ReadRows({});
  ASSERT_THAT(rows, IsOk());
  EXPECT_THAT(rows->tag_name, ElementsAre("A", "A", "A", "A", "A", "A", "B", "B", "B"));
  EXPECT_EQ(rows->events.time(2), At(2));
  EXPECT_EQ(rows->events.time(3), At(10));
  EXPECT_EQ(rows->events.float_at(3), 10.0 / 8);
}

TEST_F(TableTest, ReadsOnlyTheRowsAskedFor) {
  const auto table = Create();
  ASSERT_THAT(table->Commit(Staged(*table, "A", 0, 100)), IsOk());
  ASSERT_THAT(table->Commit(Staged(*table, "B", 0, 100)), IsOk());
  const std::string web_id = SeriesNamed("B").web_id;
  const auto range = table->ReadRows(
      {.where = {.web_ids = WebIdRange::Only(web_id), .range = TimeRange{At(10), At(12)}}});
  ASSERT_THAT(range, IsOk());
  EXPECT_THAT(range->tag_name, ElementsAre("B", "B"));
  EXPECT_THAT(range->events.ticks, ElementsAre(At(10).ticks, At(11).ticks));
  const auto first = table->ReadRows({.limit = 2});
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(first->tag_name, ElementsAre("A", "A"));
  const auto any = table->ReadRows({.limit = 5, .order = RowQuery::Order::kAny});
  ASSERT_THAT(any, IsOk());
  EXPECT_EQ(any->size(), 5u);
  const auto none = table->ReadRows({.where = {.web_ids = WebIdRange::Only("unknown")}});
  ASSERT_THAT(none, IsOk());
  EXPECT_EQ(none->size(), 0u);
}

TEST_F(TableTest, ReadsNoFileThatStatisticsRuleOut) {
  const auto table = Create();
  const CommitRequest other = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(other), IsOk());
  ASSERT_THAT(table->Commit(Staged(*table, "B", 100, 10)), IsOk());
  // Reading it would fail.
  std::filesystem::remove(folder_ / "table/" + other.add[0].path);
  EXPECT_THAT(table->ReadRows({.where = {.web_ids = WebIdRange::Only(SeriesNamed("B").web_id)}}),
              IsOk());
  EXPECT_THAT(table->ReadRows({.where = {.range = TimeRange{At(50), At(200)}}}), IsOk());
  EXPECT_THAT(table->ReadRows({}), FailsWith(ErrorKind::kNotFound));
}

TEST_F(TableTest, TellsOfItsFilesAndWhatTheyMayHold) {
  const auto table = Create();
  const CommitRequest request = Staged(*table, "B", 100, 10);
  ASSERT_THAT(table->Commit(request), IsOk());
  const auto files = table->ActiveFiles();
  ASSERT_THAT(files, Optional(SizeIs(1)));
  const FileFacts& file = (*files)[0];
  EXPECT_EQ(file.path, request.add[0].path);
  EXPECT_EQ(file.bytes, request.add[0].bytes);
  EXPECT_EQ(file.rows, 10);
  EXPECT_EQ(file.modified, UtcTime{} + Duration::Millis(request.add[0].modified_ms));
  EXPECT_TRUE(file.keys_are_whole);
  const auto only = [](const char* name) { return WebIdRange::Only(SeriesNamed(name).web_id); };
  EXPECT_TRUE(file.may_hold(only("B"), {At(109), At(110)}));
  EXPECT_FALSE(file.may_hold(only("B"), {At(110), At(120)}));
  EXPECT_FALSE(file.may_hold(only("B"), {At(0), At(100)}));
  EXPECT_FALSE(file.may_hold(only("A"), {At(100), At(110)}));
  EXPECT_TRUE(FileFacts().may_hold(only("A"), {At(0), At(1)})) << "unbounded";
}

TEST_F(TableTest, ReadsTheFilesAskedForInTheirOrder) {
  const auto table = Create();
  std::vector<std::string> paths;
  for (const int64_t second : {200, 0, 100}) {
    const CommitRequest request = Staged(*table, "A", second, 3);
    ASSERT_THAT(table->Commit(request), IsOk());
    paths.push_back(request.add[0].path);
  }
  std::vector<int64_t> ticks;
  const auto gather = [&ticks](const Rows& rows) -> Result<bool> {
    ticks.insert(ticks.end(), rows.events.ticks.begin(), rows.events.ticks.end());
    return true;
  };
  ASSERT_THAT(table->VisitRows({.files = {paths[2], paths[0]}}, gather), IsOk());
  EXPECT_THAT(ticks, ElementsAre(At(100).ticks, At(101).ticks, At(102).ticks, At(200).ticks,
                                 At(201).ticks, At(202).ticks));
  ticks.clear();
  const TimeRange range{At(101), At(201)};
  ASSERT_THAT(table->VisitRows({.range = range, .files = {paths[1], paths[0], paths[2]}}, gather),
              IsOk());
  EXPECT_THAT(ticks, ElementsAre(At(200).ticks, At(101).ticks, At(102).ticks));
}

TEST_F(TableTest, DoesNotReadAFileThatIsNotActive) {
  const auto table = Create();
  const CommitRequest request = Staged(*table, "A", 0, 3);
  ASSERT_THAT(table->Commit(request), IsOk());
  CommitRequest removal;
  removal.remove = {request.add[0].path};
  ASSERT_THAT(table->Commit(removal), IsOk());
  const auto read = table->ReadRows({.where = {.files = {request.add[0].path}}});
  EXPECT_THAT(read, FailsWith(ErrorKind::kConflict));
  EXPECT_THAT(read.error().message, HasSubstr(request.add[0].path));
}

TEST_F(TableTest, EndsAVisitWhenTheVisitorSaysSo) {
  const auto table = Create();
  for (int i = 0; i < 3; ++i) ASSERT_THAT(table->Commit(Staged(*table, "A", i, 1)), IsOk());
  int visits = 0;
  EXPECT_THAT(table->VisitRows({}, [&visits](Rows&) -> Result<bool> { return ++visits < 2; }),
              IsOk());
  EXPECT_EQ(visits, 2);
  const auto failing = [](Rows&) -> Result<bool> { return Fail(ErrorKind::kCancelled, "enough"); };
  EXPECT_THAT(table->VisitRows({}, failing), FailsWith(ErrorKind::kCancelled));
}

TEST_F(TableTest, KnowsWhatARemovedFileHeld) {
  const auto table = Create();
  const CommitRequest first = Staged(*table, "A", 0, 10);
  ASSERT_THAT(table->Commit(first), IsOk());
  // Removed by one who does not repeat the statistics, and so a file that came and went since.
  WriteLog(2, fmt::format(R"({{"commitInfo":{{"operation":"DELETE"}}}}
{{"remove":{{"path":"{}","dataChange":true}}}}
{{"add":{{"path":"x","dataChange":true,"stats":"{{\"minValues\":{{\"timestamp_100ns\":5}},\"maxValues\":{{\"timestamp_100ns\":7}}}}"}}}}
)",
                          first.add[0].path));
  WriteLog(3, R"({"remove":{"path":"x","dataChange":true}}
{"remove":{"path":"never heard of","dataChange":true}}
)");
  const auto commits = table->CommitsSince(1);
  ASSERT_THAT(commits, Optional(SizeIs(2)));
  const FileFacts& removed = (*commits)[0].removed[0];
  EXPECT_EQ(removed.web_ids, WebIdRange::Only(SeriesNamed("A").web_id));
  EXPECT_EQ(removed.times, (TimeRange{At(0), At(9) + Duration::Ticks(1)}));
  const FileFacts& passing = (*commits)[1].removed[0];
  EXPECT_EQ(passing.times, (TimeRange{{5}, {8}}));
  EXPECT_EQ(passing.web_ids, std::nullopt);
  const FileFacts& unknown = (*commits)[1].removed[1];
  EXPECT_EQ(unknown.times, std::nullopt);
}

TEST_F(TableTest, TellsWhatOthersChangedOfTheTableItself) {
  const auto table = Create();
  const std::string before = ReadLog(0);
  const size_t begin = before.find(R"({"metaData")");
  const std::string metadata = before.substr(begin, before.find('\n', begin) - begin);
  const auto with = [&metadata](const std::string& what, const std::string& by) {
    std::string changed = metadata;
    EXPECT_NE(changed.find(what), std::string::npos) << changed;
    return changed.replace(changed.find(what), what.size(), by) + "\n";
  };
  WriteLog(1, metadata + "\n");
  WriteLog(2, with("interval 7 days", "interval 8 days"));
  WriteLog(3, with("tag_name", "tag_nome"));
  WriteLog(4, with(table->table_id(), "other"));
  const auto commits = table->CommitsSince(0);
  ASSERT_THAT(commits, Optional(SizeIs(4)));
  const auto changes = [&commits](size_t i) {
    const CommitSummary& one = (*commits)[i];
    return std::vector<bool>{one.changes_table_id, one.changes_schema, one.changes_properties};
  };
  EXPECT_THAT(changes(0), ElementsAre(false, false, false)) << "written again as it was";
  EXPECT_THAT(changes(1), ElementsAre(false, false, true));
  EXPECT_THAT(changes(2), ElementsAre(false, true, true));
  EXPECT_THAT(changes(3), ElementsAre(true, true, false)) << "compared with the version before";
}

TEST_F(TableTest, NamesWhatStrangersSwitchedOn) {
  const auto table = Create();
  EXPECT_THAT(table->Hindrances(), Optional(IsEmpty()));
  Switch("delta.appendOnly", "true");
  ASSERT_THAT(table->Refresh(), IsOk());
  const auto hindrances = table->Hindrances();
  ASSERT_THAT(hindrances, Optional(SizeIs(1)));
  EXPECT_EQ((*hindrances)[0].feature, "appendOnly");
  EXPECT_EQ((*hindrances)[0].effect, Hindrance::Effect::kNoDataRemoves);
  EXPECT_THAT((*hindrances)[0].sentence, HasSubstr("ALTER TABLE"));
}

TEST_F(TableTest, StopsAtWhatItCannotWriteAndSaysHowToUndoIt) {
  const auto table = Create();
  Switch("delta.columnMapping.mode", "name");
  for (const Status& stopped : {table->Refresh(), OpenStatus()}) {
    EXPECT_THAT(stopped, FailsWith(ErrorKind::kInvalid));
    EXPECT_THAT(stopped.error().message, HasSubstr("columnMapping"));
    EXPECT_THAT(stopped.error().message, HasSubstr("ALTER TABLE"));
  }
}

TEST_F(TableTest, NeverChangesASideFile) {
  const auto table = Create();
  const std::string bytes("a\0b", 3);
  ASSERT_THAT(table->PutSideFile("coverage-1.parquet", bytes), IsOk());
  EXPECT_THAT(table->PutSideFile("coverage-1.parquet", "other"), FailsWith(ErrorKind::kConflict));
  EXPECT_THAT(table->GetSideFile("coverage-1.parquet"), IsOkWith(bytes));
  EXPECT_THAT(table->GetSideFile("missing"), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(table->SideFiles(),
              Optional(ElementsAre(Field(&FolderFile::name, "coverage-1.parquet"))));
  EXPECT_THAT(table->RemoveSideFile("coverage-1.parquet"), IsOk());
  EXPECT_THAT(table->RemoveSideFile("coverage-1.parquet"), IsOk());
  EXPECT_THAT(table->SideFiles(), Optional(IsEmpty()));
}

TEST_F(TableTest, ProvesAtomicCreateAndCleansUp) {
  const auto table = Create();
  EXPECT_THAT(table->ProbeAtomicCreate(), IsOk());
  EXPECT_THAT(table->SideFiles(), Optional(IsEmpty()));
}

TEST_F(TableTest, StaysReadableOverManyCommitsCheckpointsAndChecksums) {
  const auto table = Create();
  ASSERT_THAT(table->Maintain({}), IsOk());
  const auto file = WriteFile(*table, SeriesNamed("A"), Floats(0, 10));
  ASSERT_THAT(file, IsOk());
  int checkpoints = 0;
  std::string previous;
  for (int i = 0; i < 200; ++i) {
    CommitRequest request;
    DataFile copy = *file;
    copy.path = fmt::format("{}.parquet", NewUuid());
    std::filesystem::copy(folder_ / "table/" + file->path, folder_ / "table/" + copy.path);
    request.add.push_back(copy);
    if (i % 2 == 1) request.remove = {previous};
    previous = copy.path;
    request.domain = "pilake.coverage";
    request.domain_value = std::to_string(i);
    request.app_id = "pilake/stress";
    request.app_version = i;
    ASSERT_THAT(table->Commit(request), IsOkWith(i + 1));
    const auto care = table->Maintain({.commits = 50});
    ASSERT_THAT(care, IsOk());
    checkpoints += care->checkpointed ? 1 : 0;
  }
  EXPECT_EQ(checkpoints, 4);
  const auto opened = Open();
  EXPECT_EQ(opened->version(), 200);
  EXPECT_THAT(opened->Domain("pilake.coverage"), IsOkWith("199"));
  EXPECT_THAT(opened->TxnVersion("pilake/stress"), IsOkWith(199));
  EXPECT_EQ(CountRows(*opened), 1000);
  EXPECT_EQ(CountRows(*table), 1000);
}

TEST_F(TableTest, ChecksumsOnceAndCheckpointsWhenAsked) {
  const auto table = Create();
  const auto first = table->Maintain({});
  ASSERT_THAT(first, IsOk());
  EXPECT_FALSE(first->checkpointed);
  EXPECT_TRUE(first->checksummed);
  ASSERT_THAT(table->Commit(Staged(*table, "A", 0, 10)), IsOk());
  const auto idle = table->Maintain({});
  ASSERT_THAT(idle, IsOk());
  EXPECT_FALSE(idle->checkpointed);
  EXPECT_FALSE(idle->checksummed);
  const auto asked = table->Maintain({.checkpoint_now = true});
  ASSERT_THAT(asked, IsOk());
  EXPECT_TRUE(asked->checkpointed);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "table/_delta_log/_last_checkpoint"));
  EXPECT_EQ(CountRows(*Open()), 10);
}

TEST_F(TableTest, CareThatTheStoreRefusesCostsNothing) {
  Create();
  for (const std::string kind : {"checksum", "checkpoint"}) {
    const auto table =
        Table::Open(folder_ / "table", {.options = {{"pilake_trial", "lies=fail,of=" + kind}}});
    ASSERT_THAT(table, IsOk());
    ASSERT_THAT((*table)->Commit(Staged(**table, "A", 0, 10)), IsOk());
    const auto care = (*table)->Maintain({.checkpoint_now = kind == "checkpoint"});
    ASSERT_THAT(care, IsOk());
    ASSERT_TRUE(care->trouble) << kind;
    EXPECT_EQ(care->trouble->kind, ErrorKind::kUnreachable);
  }
  EXPECT_EQ(CountRows(*Open()), 20);
}

TEST(NewUuid, IsAUuidOfVersionFourAndNew) {
  EXPECT_THAT(
      NewUuid(),
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(NewUuid(), NewUuid());
}

}  // namespace
}  // namespace pilake::delta
