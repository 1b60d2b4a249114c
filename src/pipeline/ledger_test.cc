// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ledger.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>

#include "core/clock.h"
#include "core/matchers.h"
#include "delta/uuid.h"

namespace pilake::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

class LedgerTest : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() {
    auto ledger = Ledger::Open({.url = path_, .store = {}});
    EXPECT_THAT(ledger, IsOk());
    return ledger ? std::move(*ledger) : nullptr;
  }

  /// A file of one row for `series`.
  static delta::DataFile Stage(Ledger& ledger, const std::string& web_id, int64_t ticks) {
    Series series{.web_id = web_id, .name = web_id};
    Events events;
    events.Append(UtcTime{ticks}, ValueKind::kInt, 1, "", Flags{});
    auto file = ledger.table().NewFile();
    EXPECT_THAT(file, IsOk());
    EXPECT_THAT((*file)->Append(series, events, 0, 1, 0, UtcTime{0}), IsOk());
    auto done = (*file)->Finish();
    EXPECT_THAT(done, IsOk());
    return *done;
  }

  static plan::Advance Range(const std::string& web_id, int64_t begin, int64_t end) {
    return {.web_id = web_id, .range = {UtcTime{begin}, UtcTime{end}}};
  }

  static int64_t Rows(Ledger& ledger) {
    const auto stats = ledger.table().Stats();
    EXPECT_THAT(stats, IsOk());
    return stats ? stats->rows : -1;
  }

  /// As if a day had passed since the files in that folder of the table were written.
  void Age(const std::string& folder) {
    for (const auto& file : std::filesystem::directory_iterator(path_ + "/" + folder)) {
      const auto day_before = file.last_write_time() - std::chrono::hours(24);
      std::filesystem::last_write_time(file, day_before);
    }
  }

  /// Makes a table that keeps files for a second after they left it.
  void ForgetRemovedFilesSoon() {
    ASSERT_THAT(delta::Table::Create(path_, {}), IsOk());
    const auto log = [&](int version) {
      return fmt::format("{}/_delta_log/{:020}.json", path_, version);
    };
    std::ifstream first(log(0));
    for (std::string line; std::getline(first, line);) {
      if (!line.starts_with(R"({"metaData")")) continue;
      const std::string a_day = "interval 1 days";
      line.replace(line.find(a_day), a_day.size(), "interval 1 seconds");
      std::ofstream(log(1)) << line << "\n";
    }
  }

  std::uintmax_t LargestIn(const std::string& folder) {
    std::uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(path_ + "/" + folder)) {
      bytes = std::max(bytes, file.file_size());
    }
    return bytes;
  }

  size_t FilesIn(const std::string& folder) {
    const std::filesystem::directory_iterator files(path_ + "/" + folder);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / delta::NewUuid();
  std::string path_ = (folder_ / "table").string();
  void TearDown() override { std::filesystem::remove_all(folder_); }
};

TEST_F(LedgerTest, FindsInTheTableWhatItCommittedThere) {
  {
    auto ledger = Open();
    EXPECT_THAT(ledger->Commit({.add = {Stage(*ledger, "a", 15)},
                                .advances = {Range("a", 10, 20), Range("b", 10, 30)}}),
                IsOkWith(Landing::kCommitted));
  }
  auto ledger = Open();
  ASSERT_EQ(ledger->coverage().size(), 2u);
  EXPECT_THAT(ledger->coverage().at("a").ranges, ElementsAre(TimeRange{UtcTime{10}, UtcTime{20}}));
  EXPECT_EQ(Rows(*ledger), 1);
}

TEST_F(LedgerTest, LandsOnTopOfAnothersCommitThatCoversSomethingElse) {
  auto first = Open(), second = Open();
  ASSERT_THAT(first->Commit({.add = {Stage(*first, "a", 15)}, .advances = {Range("a", 10, 20)}}),
              IsOkWith(Landing::kCommitted));
  EXPECT_THAT(second->Commit({.add = {Stage(*second, "a", 25)}, .advances = {Range("a", 20, 30)}}),
              IsOkWith(Landing::kCommitted));
  auto ledger = Open();
  EXPECT_THAT(ledger->coverage().at("a").ranges, ElementsAre(TimeRange{UtcTime{10}, UtcTime{30}}));
  EXPECT_EQ(Rows(*ledger), 2);
}

TEST_F(LedgerTest, StandsBackWhenAnotherCoveredThePartFirst) {
  auto first = Open(), second = Open();
  ASSERT_THAT(first->Commit({.add = {Stage(*first, "a", 15)}, .advances = {Range("a", 10, 20)}}),
              IsOkWith(Landing::kCommitted));
  EXPECT_THAT(second->Commit({.add = {Stage(*second, "a", 15)}, .advances = {Range("a", 19, 30)}}),
              IsOkWith(Landing::kOvertaken));
  EXPECT_THAT(second->coverage().at("a").ranges, ElementsAre(TimeRange{UtcTime{10}, UtcTime{20}}));
  EXPECT_EQ(Rows(*Open()), 1);
}

TEST_F(LedgerTest, StandsBackFromWhatItLearntOfWhileCommittingSomethingElse) {
  auto first = Open(), second = Open();
  ASSERT_THAT(first->Commit({.advances = {Range("a", 10, 20), Range("b", 10, 20)}}),
              IsOkWith(Landing::kCommitted));
  // The conflict over "a" tells the second of "b" too, which it has read in the meantime.
  ASSERT_THAT(second->Commit({.advances = {Range("a", 10, 20)}}), IsOkWith(Landing::kOvertaken));
  EXPECT_THAT(second->Commit({.advances = {Range("b", 10, 20)}}), IsOkWith(Landing::kOvertaken));
}

TEST_F(LedgerTest, KeepsLargeCoverageInABaseFile) {
  plan::Coverage expected;
  {
    auto ledger = Open();
    for (int round = 0; round < 3; ++round) {
      std::vector<plan::Advance> advances;
      for (int i = 0; i < 3'000; ++i) {
        advances.push_back(Range(fmt::format("I1DP{:028}", i), round * 10, round * 10 + 10));
      }
      ASSERT_THAT(ledger->Commit({.advances = advances}), IsOkWith(Landing::kCommitted));
      ASSERT_THAT(ledger->Commit({.advances = {Range("one", round * 10, round * 10 + 10)}}),
                  IsOkWith(Landing::kCommitted));
    }
    expected = ledger->coverage();
  }
  EXPECT_EQ(Open()->coverage(), expected);
  EXPECT_EQ(expected.size(), 3'001u);
}

TEST_F(LedgerTest, RefusesFilesThatWereStagedTooLongAgo) {
  auto ledger = Open();
  delta::DataFile file = Stage(*ledger, "a", 15);
  file.modified_ms -= 13 * 3'600'000;  // vacuum takes it for litter after a day
  EXPECT_THAT(ledger->Commit({.add = {file}, .advances = {Range("a", 10, 20)}}),
              IsOkWith(Landing::kOvertaken));
}

/// `PILAKE_COMMITS` of them; fifty thousand show that nothing grows.
TEST_F(LedgerTest, StaysQuickAndSmallOverManyCommits) {
  const char* const asked = std::getenv("PILAKE_COMMITS");
  const int commits = asked != nullptr ? std::atoi(asked) : 600;
  const bool is_long = commits >= 20'000;
  const int day = is_long ? 1'000 : 40;
  ForgetRemovedFilesSoon();
  auto ledger = Open();
  std::vector<plan::Advance> many;
  for (int i = 0; i < 3'000; ++i) many.push_back(Range(fmt::format("I1DP{:028}", i), 0, 1));
  delta::DataFile file = Stage(*ledger, "a", 15);
  std::vector<double> took;
  for (int i = 1; i <= commits; ++i) {
    Change change{.tail_before = ledger->tail(), .advances = {Range("a", i * 10, i * 10 + 10)}};
    // Nobody reads it, so it need not be there.
    file.path = delta::NewUuid() + ".parquet";
    file.modified_ms = SystemClock().Now().ticks / 10'000;
    change.tail = {file};
    if (i % (day / 2) == 0) {  // more than fits into the record: a base file
      for (plan::Advance& advance : many) advance.range = {UtcTime{i}, UtcTime{i + 1}};
      change.advances.insert(change.advances.end(), many.begin(), many.end());
    }
    const UtcTime begin = SteadyNow();
    ASSERT_THAT(ledger->Commit(change), IsOkWith(Landing::kCommitted));
    took.push_back((SteadyNow() - begin).seconds());
    ASSERT_THAT(ledger->TakeNotes(), testing::IsEmpty());
    if (i % day == 0) {  // and a day has passed
      Age("_delta_log");
      Age("_pilake");
      ledger = Open();
    }
  }
  const auto median = [](std::span<double> of) {
    std::ranges::nth_element(of, of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2));
    return of[of.size() / 2];
  };
  const std::span all(took);
  const double first = median(all.first(all.size() / 10));
  const double last = median(all.last(all.size() / 10));
  const UtcTime begin = SteadyNow();
  ledger = Open();
  const double opening = (SteadyNow() - begin).seconds();
  const size_t log = FilesIn("_delta_log"), bases = FilesIn("_pilake");
  fmt::print(
      "{} commits: {:.2f} ms each at first, {:.2f} ms at last; {:.1f} ms to open; {} log "
      "files, {} base files, the largest file of the log has {} bytes\n",
      commits, first * 1e3, last * 1e3, opening * 1e3, log, bases, LargestIn("_delta_log"));
  if (is_long) {  // of few commits, beside other tests, times tell nothing
    EXPECT_LE(last, first * 2);
    EXPECT_LE(opening, 1.0);
  }
  EXPECT_LE(log, static_cast<size_t>(10 * day) + 50);  // a week, and what begins and ends it
  EXPECT_LE(bases, 25u);
  EXPECT_LE(LargestIn("_delta_log"), 4u << 20);  // a checkpoint without what was long removed
  EXPECT_EQ(ledger->coverage().size(), 3'001u);
  EXPECT_EQ(Rows(*ledger), 1);
}

TEST_F(LedgerTest, StopsWhenTheBaseFileIsMissing) {
  {
    auto ledger = Open();
    std::vector<plan::Advance> advances;
    for (int i = 0; i < 3'000; ++i) advances.push_back(Range(fmt::format("I1DP{:028}", i), 0, 10));
    ASSERT_THAT(ledger->Commit({.advances = advances}), IsOkWith(Landing::kCommitted));
    const auto files = ledger->table().SideFiles();
    ASSERT_THAT(files, IsOk());
    for (const delta::FolderFile& file : *files)
      ASSERT_THAT(ledger->table().RemoveSideFile(file.name), IsOk());
  }
  const auto ledger = Ledger::Open({.url = path_, .store = {}});
  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error().message, HasSubstr("coverage"));
}

TEST_F(LedgerTest, MarksForALookWhatAStrangerTouched) {
  {
    auto ledger = Open();
    ASSERT_THAT(
        ledger->Commit({.add = {Stage(*ledger, "a", 15)}, .advances = {Range("a", 10, 20)}}),
        IsOkWith(Landing::kCommitted));
    ASSERT_THAT(ledger->Commit({.advances = {Range("b", 10, 20)}}), IsOkWith(Landing::kCommitted));
    EXPECT_TRUE(ledger->tail_is_whole());
    ASSERT_THAT(ledger->table().Commit({.add = {Stage(*ledger, "a", 16)}}), IsOk());
  }
  for (int open = 0; open < 2; ++open) {  // until somebody has looked
    auto ledger = Open();
    EXPECT_FALSE(open == 0 && ledger->tail_is_whole());
    EXPECT_THAT(ledger->TakeNotes(), testing::SizeIs(open == 0 ? 1 : 0));
    ASSERT_EQ(ledger->coverage().at("a").looks.size(), 1u);
    EXPECT_EQ(ledger->coverage().at("a").looks[0].reason, plan::LookReason::kForeign);
    EXPECT_TRUE(ledger->coverage().at("a").looks[0].range.contains(UtcTime{16}));
    EXPECT_TRUE(ledger->coverage().at("b").looks.empty());
    ASSERT_THAT(ledger->Commit({.advances = {Range("c", open * 10, open * 10 + 5)}}),
                IsOkWith(Landing::kCommitted));
  }
}

TEST_F(LedgerTest, StopsOnATableThatHoldsRowsButNoRecord) {
  {
    auto table = delta::Table::Create(path_, {});
    ASSERT_THAT(table, IsOk());
    auto file = (*table)->NewFile();
    ASSERT_THAT(file, IsOk());
    Events events;
    events.Append(UtcTime{1}, ValueKind::kInt, 1, "", Flags{});
    ASSERT_THAT((*file)->Append({.web_id = "a"}, events, 0, 1, 0, UtcTime{0}), IsOk());
    const auto done = (*file)->Finish();
    ASSERT_THAT(done, IsOk());
    ASSERT_THAT((*table)->Commit({.add = {*done}}), IsOk());
  }
  EXPECT_THAT(Ledger::Open({.url = path_, .store = {}}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(LedgerTest, StopsOnARecordThatSpeaksOfAnotherTable) {
  {
    auto ledger = Open();
    const plan::CoverageRecord record{
        .table_id = "another", .version = 1, .base = "", .overrides = {}};
    ASSERT_THAT(ledger->table().Commit(
                    {.domain = "pilake.coverage", .domain_value = plan::FormatRecord(record)}),
                IsOk());
  }
  EXPECT_THAT(Ledger::Open({.url = path_, .store = {}}), FailsWith(ErrorKind::kInvalid));
}

/// A version that another handle adds to the tail, as one who hears does.
void AddLive(const std::string& path, const delta::DataFile& file) {
  const auto table = delta::Table::Open(path, {});
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(
      (*table)->Commit(
          {.add = {file}, .operation = kLiveOperation, .commit_uuid = "w/" + delta::NewUuid()}),
      IsOk());
}

TEST_F(LedgerTest, LetsWhatIsOlderThanAllThatItsWriterHearsLandOnTopOfThat) {
  auto opened = Ledger::Open({.url = path_, .store = {}, .writer = "w"});
  ASSERT_THAT(opened, IsOk());
  const auto ledger = std::move(*opened);
  const auto settled = Stage(*ledger, "a", 25), heard = Stage(*ledger, "a", 60);
  ASSERT_THAT(ledger->Commit({.tail = {{settled}}, .advances = {Range("a", 10, 20)}}),
              IsOkWith(Landing::kCommitted));
  const auto before = ledger->tail();
  const auto shard = [&](int64_t begin, bool is_older) {
    return Change{.add = {Stage(*ledger, "a", begin)},
                  .tail_before = before,
                  .is_older_than_live = is_older,
                  .advances = {Range("a", begin, begin + 10)}};
  };
  AddLive(path_, heard);  // by the writer "w"
  EXPECT_THAT(ledger->Commit(shard(20, false)), IsOkWith(Landing::kOvertaken));
  EXPECT_THAT(ledger->Commit(shard(20, true)), IsOkWith(Landing::kCommitted));
  EXPECT_THAT(ledger->tail(), Optional(ElementsAre(settled.path, heard.path)));

  const auto table = delta::Table::Open(path_, {});
  EXPECT_THAT((*table)->Commit({.add = {Stage(*ledger, "a", 70)},
                                .operation = kLiveOperation,
                                .commit_uuid = "another/" + delta::NewUuid()}),
              IsOk());
  EXPECT_THAT(ledger->Commit(shard(30, true)), IsOkWith(Landing::kOvertaken))
      << "what another one hears may be older";
}

TEST_F(LedgerTest, CountsWhatLiveVersionsAddedToTheTail) {
  auto ledger = Open();
  const auto settled = Stage(*ledger, "a", 25);
  ASSERT_THAT(ledger->Commit({.tail = {{settled}}, .advances = {Range("a", 10, 20)}}),
              IsOkWith(Landing::kCommitted));
  const auto heard = Stage(*ledger, "a", 30), later = Stage(*ledger, "a", 35);
  AddLive(path_, heard);
  EXPECT_THAT(Open()->tail(), Optional(ElementsAre(settled.path, heard.path)));
  EXPECT_TRUE(Open()->tail_is_whole());

  EXPECT_THAT(ledger->tail(), Optional(ElementsAre(settled.path)));
  EXPECT_THAT(ledger->CatchUp(), IsOk());
  EXPECT_THAT(ledger->tail(), Optional(ElementsAre(settled.path, heard.path)));

  // A commit that does not touch the tail lands on top of another one, and lists them all.
  AddLive(path_, later);
  ASSERT_THAT(ledger->Commit({.add = {Stage(*ledger, "a", 5)}, .advances = {Range("a", 0, 10)}}),
              IsOkWith(Landing::kCommitted));
  EXPECT_THAT(Open()->tail(), Optional(ElementsAre(settled.path, heard.path, later.path)));
}

TEST_F(LedgerTest, DoesNotReplaceATailThatItHasNotSeenWhole) {
  auto ledger = Open();
  ASSERT_THAT(
      ledger->Commit({.tail = {{Stage(*ledger, "a", 25)}}, .advances = {Range("a", 10, 20)}}),
      IsOkWith(Landing::kCommitted));
  const Tail seen = ledger->tail();
  AddLive(path_, Stage(*ledger, "a", 30));
  const Change change{
      .tail = {{Stage(*ledger, "a", 26)}}, .tail_before = seen, .advances = {Range("a", 20, 26)}};
  EXPECT_THAT(ledger->Commit(change), IsOkWith(Landing::kOvertaken));
  EXPECT_EQ(Rows(*ledger), 2);
}

}  // namespace
}  // namespace pilake::pipeline
