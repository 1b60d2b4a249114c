// SPDX-License-Identifier: Apache-2.0
// Points that cannot be read, in each way that a server may say so, do not keep the others back.
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "delta/uuid.h"
#include "pipeline/pull.h"
#include "pipeline/resolve.h"
#include "pipeline/shard_reader.h"
#include "sim/script.h"
#include "sim/server.h"

namespace pilake::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr UtcTime kNow{17'900'000'000'000'000};

struct Scene {
  const char* how;      ///< as a script of the simulator says it
  const char* reading;  ///< what an unknown WebID does to a set
  int unreadable;
  const char* reason;  ///< what is said of each
};

std::ostream& operator<<(std::ostream& out, const Scene& scene) {
  return out << scene.unreadable << " as " << scene.how << " with " << scene.reading;
}

// A server that is well must not seem silent, however slow a sanitizer makes it.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr Duration kStall = Duration::Seconds(1);
constexpr int kPoints = 200;
#else
constexpr Duration kStall = Duration::Millis(200);
constexpr int kPoints = 600;
#endif

class WholePlant : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    const std::string path = (folder_ / "clock").string();
    ASSERT_THAT(WriteSharedClock(path, kNow, 0), IsOk());
    auto clock = OpenSharedClock(path);
    ASSERT_THAT(clock, IsOk());
    clock_ = std::move(*clock);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<sim::Server> Serve(const std::string& script, const std::string& reading) {
    sim::ServerOptions options;
    options.plant = {
        .name = "wide", .points = kPoints, .seed = 5, .from = kNow - Duration::Hours(30)};
    options.rate_limit = 0;
    options.script = sim::ParseScript(script).value();
    EXPECT_THAT(sim::ApplyReading(reading, options.readings), IsOk());
    return std::move(sim::Server::Start(std::move(options), *clock_).value());
  }

  PullOptions OptionsFor(const sim::Server& server, const std::string& table) const {
    PullOptions options;
    options.source.http.url = server.url();
    options.source.http.stall_timeout = kStall;
    options.source.first_pause = Duration::Millis(1);
    options.source.budget = {.in_flight = 8,
                             .calls_per_second = 0,
                             .series_reads_per_second = 0,
                             .events_per_second = 0};
    options.table.url = (folder_ / table).string();
    options.tags = {{.include = {"*"}}};
    options.history_from = server.plant().from();
    return options;
  }

  Result<PullReport> Run(const PullOptions& options) {
    Progress progress;
    return Pull(options, *clock_, progress, {});
  }

  std::map<std::string, int> RowsByTag(const std::string& table) {
    std::map<std::string, int> rows;
    const auto opened = delta::Table::Open((folder_ / table).string(), {});
    EXPECT_THAT(opened, IsOk());
    const auto read = (*opened)->ReadRows({});
    EXPECT_THAT(read, IsOk());
    for (const std::string& tag : read->tag_name) ++rows[tag];
    return rows;
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / delta::NewUuid();
  std::unique_ptr<Clock> clock_;
};

class UnreadablePoints : public WholePlant, public testing::WithParamInterface<Scene> {};

TEST_P(UnreadablePoints, AreNamedWithTheirReasonsWhileTheOthersComplete) {
  const Scene& scene = GetParam();
  const auto well = Serve("", scene.reading);
  ASSERT_THAT(Run(OptionsFor(*well, "well")), IsOk());
  const auto expected = RowsByTag("well");

  const auto ill =
      Serve(fmt::format("unreadable * as {} pick {}", scene.how, scene.unreadable), scene.reading);
  const auto report = Run(OptionsFor(*ill, "ill"));
  ASSERT_THAT(report, IsOk());
  std::set<std::string> named;
  for (const LeftOut& left_out : report->quarantined) {
    named.insert(left_out.tag.substr(left_out.tag.rfind('\\') + 1));
    EXPECT_THAT(left_out.reason, HasSubstr(scene.reason)) << left_out.tag;
  }
  EXPECT_EQ(named.size(), static_cast<size_t>(scene.unreadable));
  auto actual = RowsByTag("ill");
  for (const auto& [tag, rows] : expected) {
    EXPECT_EQ(actual[tag], named.contains(tag) ? 0 : rows) << tag;
  }

  const double k = scene.unreadable;
  const auto extra =
      static_cast<double>(ill->counters().calls) - static_cast<double>(well->counters().calls);
  RecordProperty("extra_calls", static_cast<int>(extra));
  const bool is_told_apart = std::string(scene.how).starts_with("4");
  EXPECT_LE(extra, is_told_apart ? 2.0 * kPoints / 100 : 2 * k * std::log2(kPoints / k));
}

/// What a shard reader hands on of all points, when nobody has probed them before.
TEST_P(UnreadablePoints, AreFoundInTheMiddleOfAShardToo) {
  const Scene& scene = GetParam();
  const auto server =
      Serve(fmt::format("unreadable * as {} pick {}", scene.how, scene.unreadable), scene.reading);
  Progress progress;
  SourceOptions options;
  options.http.url = server->url();
  options.http.stall_timeout = kStall;
  options.first_pause = Duration::Millis(1);
  options.budget = {
      .in_flight = 8, .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0};
  const auto source = std::move(Source::Open(options, progress, {}).value());
  const auto resolved = Resolve(*source, {{.include = {"*"}}});
  ASSERT_THAT(resolved, IsOk());
  std::vector<float> density(resolved->series.size(), 2e-4F);
  ShardReader reader(*source, resolved->series, density, {}, progress);
  plan::Shard shard;
  for (uint32_t i = 0; i < resolved->series.size(); ++i) {
    shard.tasks.push_back({.series = i, .range = {server->plant().from(), kNow}});
  }
  std::map<uint32_t, size_t> rows;
  uint32_t last = 0;
  const auto outcomes = reader.Read(
      shard,
      [&](const Rows& some) {
        EXPECT_GE(some.series, last) << "rows come in key order";
        last = some.series;
        rows[some.series] += some.last - some.first;
        return true;
      },
      plan::Lane::kBackfill);
  ASSERT_THAT(outcomes, IsOk());
  int failed = 0;
  for (const TaskOutcome& outcome : *outcomes) {
    if (!outcome.failure) {
      EXPECT_EQ(outcome.read.end, kNow);
      EXPECT_GT(rows[outcome.series], 0u);
      continue;
    }
    ++failed;
    EXPECT_EQ(rows[outcome.series], 0u);
    EXPECT_TRUE(outcome.read.empty());
    EXPECT_THAT(outcome.failure->message, HasSubstr(scene.reason));
  }
  EXPECT_EQ(failed, scene.unreadable);
}

INSTANTIATE_TEST_SUITE_P(All, UnreadablePoints, testing::ValuesIn([] {
                           std::vector<Scene> scenes;
                           for (const int unreadable : {1, kPoints / 20}) {
                             for (const char* reading : {"unknown_webid_in_set=whole_400",
                                                         "unknown_webid_in_set=whole_404",
                                                         "unknown_webid_in_set=item_errors"}) {
                               for (const char* how : {"404", "403", "410"})
                                 scenes.push_back({how, reading, unreadable, ""});
                             }
                             const char* any = "unknown_webid_in_set=whole_400";
                             scenes.push_back({"500", any, unreadable, "500"});
                             scenes.push_back({"item", any, unreadable, "500"});
                             scenes.push_back({"webexception", any, unreadable, ""});
                             scenes.push_back(
                                 {"silent", any, std::min(unreadable, 5), "sent nothing"});
                           }
                           return scenes;
                         }()));

TEST_F(WholePlant, ThatIsRefusedToUsStopsTheRunWithOurName) {
  const auto server = Serve("unreadable * as 403", "unknown_webid_in_set=item_errors");
  const auto report = Run(OptionsFor(*server, "table"));
  ASSERT_THAT(report, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(report.error().message,
              AllOf(HasSubstr(fmt::format("refused all of {} series", kPoints)),
                    HasSubstr(R"(takes us for 'NT SERVICE\piwebapi')")));
}

TEST_F(WholePlant, GoesOnWithoutAPointThatIsNamedAndForbidden) {
  const auto server = Serve("unreadable W0000003.PV as 403", "unknown_webid_in_set=whole_400");
  PullOptions options = OptionsFor(*server, "table");
  options.tags = {{.points = {"W0000003.PV", "W0000004.PV"}}};
  const auto report = Run(options);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->unresolved.size(), 1u);
  EXPECT_EQ(report->unresolved[0].tag, "W0000003.PV");
  EXPECT_EQ(RowsByTag("table").size(), 1u);
}

TEST_F(WholePlant, WhoseArchiveIsAwayStopsTheRunForNow) {
  const auto server = Serve("unreadable * as item", "unknown_webid_in_set=whole_400");
  EXPECT_THAT(Run(OptionsFor(*server, "table")), FailsWith(ErrorKind::kUnreachable));
}

TEST_F(WholePlant, WhosePermissionIsTakenInMidRunKeepsWhatItHas) {
  const UtcTime cut = kNow + Duration::Minutes(1);
  const auto server =
      Serve(fmt::format("unreadable * as 403 from {} to 2099-01-01T00:00:00Z", FormatUtcTime(cut)),
            "unknown_webid_in_set=whole_400");
  PullOptions options = OptionsFor(*server, "table");
  options.tail = false;
  options.rows_per_shard = 500;
  int64_t committed = 0;
  options.on_commit = [&](const CommitNews& news) {
    committed += news.rows;
    EXPECT_THAT(WriteSharedClock((folder_ / "clock").string(), cut, 0), IsOk());
  };
  const auto report = Run(options);
  ASSERT_THAT(report, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(report.error().message, HasSubstr("series in a row"));
  int64_t rows = 0;
  for (const auto& [tag, count] : RowsByTag("table")) rows += count;
  EXPECT_GT(rows, 0);
  EXPECT_EQ(rows, committed);
}

}  // namespace
}  // namespace pilake::pipeline
