// SPDX-License-Identifier: Apache-2.0
#include "pipeline/optimize.h"

#include <sys/resource.h>

#include <bit>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/clock.h"
#include "core/matchers.h"
#include "delta/uuid.h"

namespace pilake::pipeline {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kMinute = Duration::Minutes(1).ticks;

int FromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

/// Bytes that this process has read from files so far.
int64_t BytesRead() {
  std::ifstream io("/proc/self/io");
  std::string word;
  int64_t bytes = 0;
  while (io >> word && word != "rchar:") {
  }
  io >> bytes;
  return bytes;
}

class OptimizeTest : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() {
    auto ledger = Ledger::Open(table_);
    EXPECT_THAT(ledger, IsOk());
    return ledger ? std::move(*ledger) : nullptr;
  }

  static std::string WebId(int series) { return fmt::format("F1DP{:028}", series); }

  /// A file with one event of each of `series` series at minute `minute`.
  static delta::DataFile Stage(Ledger& ledger, int minute, int series) {
    auto file = ledger.table().NewFile();
    EXPECT_THAT(file, IsOk());
    for (int i = 0; i < series; ++i) {
      // Times and values as a plant has them: no two alike.
      const uint64_t noise =
          (static_cast<uint64_t>(minute) << 32 | static_cast<uint32_t>(i)) * 0x9E3779B97F4A7C15;
      const auto within = static_cast<int64_t>((noise >> 20) % static_cast<uint64_t>(kMinute));
      const auto value = static_cast<float>(noise >> 40) / 1000;
      Events events;
      events.Append(UtcTime{minute * kMinute + within}, ValueKind::kFloat,
                    std::bit_cast<int64_t>(static_cast<double>(value)), "", Flags{});
      const Series point{.web_id = WebId(i), .name = fmt::format("U1.{}", i)};
      EXPECT_THAT((*file)->Append(point, events, 0, 1, 0, UtcTime{0}), IsOk());
    }
    auto done = (*file)->Finish();
    EXPECT_THAT(done, IsOk());
    return *done;
  }

  /// As a run each minute leaves it.
  static void CommitMinute(Ledger& ledger, int minute, int series) {
    const plan::Advance advance{.web_id = WebId(0),
                                .range = {{minute * kMinute}, {(minute + 1) * kMinute}}};
    ASSERT_THAT(ledger.Commit({.add = {Stage(ledger, minute, series)}, .advances = {advance}}),
                IsOkWith(Landing::kCommitted));
  }

  /// What stands in the table, in whatever order: rows, and a sum over their keys and values.
  static std::pair<int64_t, uint64_t> Contents(delta::Table& table,
                                               const delta::RowFilter& filter) {
    int64_t count = 0;
    uint64_t sum = 0;
    EXPECT_THAT(table.VisitRows(filter,
                                [&](delta::Rows& rows) -> Result<bool> {
                                  for (size_t i = 0; i < rows.size(); ++i) {
                                    const uint64_t key =
                                        std::hash<std::string>()(rows.tag_webid[i]);
                                    sum += (key ^ static_cast<uint64_t>(rows.events.ticks[i])) *
                                           static_cast<uint64_t>(rows.events.number[i] + 1);
                                  }
                                  count += static_cast<int64_t>(rows.size());
                                  return true;
                                }),
                IsOk());
    return {count, sum};
  }

  /// Bytes of data files that are read for `contents` of what `filter` selects. The log is read
  /// too: that is what a series costs of which there is nothing.
  static int64_t DataBytes(Ledger& ledger, const delta::RowFilter& filter,
                           std::pair<int64_t, uint64_t>& contents) {
    const int64_t at_first = BytesRead();
    Contents(ledger.table(), {.web_ids = delta::WebIdRange::Only("no such series")});
    const int64_t log_read = BytesRead();
    contents = Contents(ledger.table(), filter);
    return (BytesRead() - log_read) - (log_read - at_first);
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / delta::NewUuid();
  const TableOptions table_{.url = (folder_ / "table").string(), .store = {}};
  void TearDown() override { std::filesystem::remove_all(folder_); }
};

/// With PILAKE_SMALL_FILES=2000 and PILAKE_SERIES=10000 it is the proof of the figures in
/// docs/care.md.
TEST_F(OptimizeTest, MergesSmallFilesBesideAWriterAndLeavesRowsCoverageAndTailAsTheyAre) {
  const int minutes = FromEnvironment("PILAKE_SMALL_FILES", 60);
  const int series = FromEnvironment("PILAKE_SERIES", 500);
  auto ledger = Open();
  for (int minute = 0; minute < minutes; ++minute) CommitMinute(*ledger, minute, series);
  Change tail{.tail_before = ledger->tail()};
  tail.tail = {Stage(*ledger, 2 * minutes, series)};
  ASSERT_THAT(ledger->Commit(tail), IsOkWith(Landing::kCommitted));
  const std::string tail_file = tail.tail->front().path;

  const delta::RowFilter all{.range = TimeRange{{0}, {minutes * kMinute}}};
  const delta::RowFilter one_day{.web_ids = delta::WebIdRange::Only(WebId(series / 2)),
                                 .range = TimeRange{{0}, {Duration::Days(1).ticks}}};
  const auto before = Contents(ledger->table(), all);
  std::pair<int64_t, uint64_t> day;
  const int64_t day_bytes_before = DataBytes(*ledger, one_day, day);
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const int64_t peak_before = used.ru_maxrss;

  std::jthread writer([&](const std::stop_token& stop) {
    const auto own = Open();
    // Who never pauses wins every race for a version: it alone knows the newest one without a
    // look. However slow this machine is, a pause comes that is long enough for one.
    std::chrono::milliseconds pause(50);
    for (int minute = minutes; !stop.stop_requested(); ++minute) {
      CommitMinute(*own, minute, 5);
      std::this_thread::sleep_for(pause);
      pause += pause / 4;
    }
  });
  const UtcTime begin = SteadyNow();
  const auto report = Optimize(table_, {}, {});
  const double took = (SteadyNow() - begin).seconds();
  writer.request_stop();
  writer.join();
  ::getrusage(RUSAGE_SELF, &used);
  ASSERT_THAT(report, IsOk());
  EXPECT_GE(report->files_merged, minutes);
  EXPECT_EQ(report->overtaken, 0);

  ledger = Open();  // which looks at what others did
  EXPECT_THAT(ledger->tail(), testing::Optional(testing::ElementsAre(tail_file)));
  EXPECT_TRUE(ledger->tail_is_whole());
  for (const auto& [web_id, covered] : ledger->coverage()) {
    EXPECT_THAT(covered.looks, IsEmpty());
    EXPECT_THAT(covered.ranges, SizeIs(1));
  }
  EXPECT_EQ(Contents(ledger->table(), all), before);
  std::pair<int64_t, uint64_t> day_after;
  const int64_t day_bytes_after = DataBytes(*ledger, one_day, day_after);
  EXPECT_EQ(day_after, day);
  fmt::print(
      "{} files of {} rows, {} bytes, into {} of {} bytes in {:.1f} s; a point's day takes {} "
      "bytes instead of {}: {:.0f} times less; peak memory {} MiB ({} before)\n",
      report->files_merged, report->rows, report->bytes_before, report->files_made,
      report->bytes_after, took, day_bytes_after, day_bytes_before,
      static_cast<double>(day_bytes_before) / static_cast<double>(day_bytes_after),
      used.ru_maxrss >> 10, peak_before >> 10);
  if (minutes >= 1'000) {  // as many as a day has
    EXPECT_LE(day_bytes_after * 20, day_bytes_before);
  }
  EXPECT_LE(used.ru_maxrss, 1 << 20);

  const auto again = Optimize(table_, {.limits = {}, .dry_run = true}, {});
  ASSERT_THAT(again, IsOk());
  EXPECT_LE(again->files_made, 1);
}

TEST_F(OptimizeTest, ADryRunChangesNothing) {
  auto ledger = Open();
  for (int minute = 0; minute < 4; ++minute) CommitMinute(*ledger, minute, 3);
  const auto report = Optimize(table_, {.limits = {}, .dry_run = true}, {});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->files_merged, 4);
  EXPECT_EQ(report->files_made, 1);
  EXPECT_EQ(report->version, ledger->table().version());
}

TEST_F(OptimizeTest, AsksForATable) {
  EXPECT_THAT(Optimize(table_, {}, {}), FailsWith(ErrorKind::kNotFound));
}

}  // namespace
}  // namespace pilake::pipeline
