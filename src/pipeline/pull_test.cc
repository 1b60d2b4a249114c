// SPDX-License-Identifier: Apache-2.0
// Whole runs in one process: simulator, pipeline and table, compared with the simulator's archive.
#include "pipeline/pull.h"

#include <filesystem>
#include <functional>
#include <limits>
#include <map>

#include "core/clock.h"
#include "core/matchers.h"
#include "delta/uuid.h"
#include "pipeline/rewrite.h"
#include "plan/finality.h"
#include "sim/archive.h"
#include "sim/server.h"
#include "sim/webid.h"

namespace pilake::pipeline {
namespace {

constexpr Duration kSettle = Duration::Minutes(10);

/// The exact times of the final rows of one point, by looking at every event of its archive.
std::vector<int64_t> FinalTimes(const sim::Plant& plant, const sim::Point& point, UtcTime now) {
  const sim::Archive archive(plant, point, now);
  std::vector<int64_t> times;
  sim::Event event;
  for (int64_t i = 0; i < archive.end(); ++i) {
    if (!archive.Visible(i)) continue;
    archive.Read(i, event);
    if (event.time <= now + plan::kAhead) times.push_back(event.time.ticks);
  }
  if (times.size() < 2) return {};
  const plan::Newest newest{.last = UtcTime{times.back()},
                            .previous = UtcTime{times[times.size() - 2]}};
  const int64_t through = plan::FinalThrough(newest, now, kSettle)->ticks;
  std::erase_if(times,
                [&](int64_t ticks) { return ticks >= through || ticks < plant.from().ticks; });
  return times;
}

/// The exact times of all that can be seen of one point, up to `until`.
std::vector<int64_t> TimesUntil(const sim::Plant& plant, const sim::Point& point, UtcTime now,
                                UtcTime until) {
  const sim::Archive archive(plant, point, now);
  std::vector<int64_t> times;
  sim::Event event;
  for (int64_t i = 0; i < archive.end(); ++i) {
    if (!archive.Visible(i)) continue;
    archive.Read(i, event);
    if (event.time <= until && event.time >= plant.from()) times.push_back(event.time.ticks);
  }
  return times;
}

std::vector<int64_t> VisibleTimes(const sim::Plant& plant, const sim::Point& point, UtcTime now) {
  return TimesUntil(plant, point, now, now + plan::kAhead);
}

std::string WebIdOf(const sim::Plant& plant, const sim::Point& point) {
  return sim::WriteWebId({.type = sim::WebIdType::kIdOnly,
                          .kind = sim::WebIdKind::kPoint,
                          .has_server = true,
                          .server = plant.server_guid(),
                          .point_id = point.id});
}

class PullTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    MoveClock(UtcTime{17'900'000'000'000'000});
    auto clock = OpenSharedClock((folder_ / "clock").string());
    ASSERT_THAT(clock, IsOk());
    clock_ = std::move(*clock);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void MoveClock(UtcTime to) {
    now_ = to;
    ASSERT_THAT(WriteSharedClock((folder_ / "clock").string(), to, 0), IsOk());
  }

  void Serve(const std::vector<std::string>& faults = {},
             const std::vector<std::string>& readings = {}) {
    sim::ServerOptions options;
    options.plant = {.name = "mixed",
                     .points = 120,
                     .seed = 5,
                     .from = UtcTime{17'900'000'000'000'000} - Duration::Hours(30)};
    options.rate_limit = 0;
    for (const std::string& fault : faults)
      ASSERT_THAT(sim::ApplyFault(fault, options.faults), IsOk());
    for (const std::string& reading : readings) {
      ASSERT_THAT(sim::ApplyReading(reading, options.readings), IsOk());
    }
    auto server = sim::Server::Start(options, *clock_);
    ASSERT_THAT(server, IsOk());
    server_ = std::move(*server);
  }

  /// Final rows only.
  PullOptions Options() const {
    PullOptions options;
    options.tail = false;
    options.source.http.url = server_->url();
    options.source.budget = {.in_flight = 8,
                             .calls_per_second = 0,
                             .series_reads_per_second = 0,
                             .events_per_second = 0};
    options.table.url = (folder_ / "table").string();
    options.tags = {{.include = {"*"}}};
    options.history_from = server_->plant().from();
    options.settle = kSettle;
    return options;
  }

  Result<PullReport> Run(const PullOptions& options) {
    Progress progress;
    return Pull(options, *clock_, progress, {});
  }

  /// Times of all rows by series, as the table holds them.
  std::map<std::string, std::vector<int64_t>> TableTimes() {
    std::map<std::string, std::vector<int64_t>> times;
    const auto table = delta::Table::Open((folder_ / "table").string(), {});
    EXPECT_THAT(table, IsOk());
    const auto rows = (*table)->ReadRows({});
    EXPECT_THAT(rows, IsOk());
    for (size_t i = 0; i < rows->size(); ++i) {
      times[rows->tag_webid[i]].push_back(rows->events.ticks[i]);
    }
    return times;
  }

  using TimesOf =
      std::function<std::vector<int64_t>(const sim::Plant&, const sim::Point&, UtcTime)>;
  std::map<std::string, std::vector<int64_t>> TrueTimes(const TimesOf& times_of) {
    std::map<std::string, std::vector<int64_t>> times;
    for (const sim::Point& point : server_->plant().points()) {
      auto own = times_of(server_->plant(), point, now_);
      if (!own.empty()) times[WebIdOf(server_->plant(), point)] = std::move(own);
    }
    return times;
  }

  void ExpectTableIsTrue() { ExpectTable(FinalTimes); }
  /// With the tail a table holds all that can be seen.
  void ExpectTableShowsAll() { ExpectTable(VisibleTimes); }
  /// Forecasts are shown up to `until`. Other points have nothing that far ahead.
  void ExpectTableShowsForecasts(UtcTime until) {
    ExpectTable([until](const sim::Plant& plant, const sim::Point& point, UtcTime now) {
      return TimesUntil(plant, point, now, std::max(until, now + plan::kAhead));
    });
  }

  void ExpectTable(const TimesOf& times_of) {
    const auto expected = TrueTimes(times_of), actual = TableTimes();
    EXPECT_GT(expected.size(), 40u);
    EXPECT_EQ(actual.size(), expected.size());
    for (const auto& [web_id, times] : expected) {
      const auto found = actual.find(web_id);
      ASSERT_NE(found, actual.end()) << web_id;
      EXPECT_TRUE(found->second == times)
          << web_id << " has " << found->second.size() << " rows, not " << times.size();
    }
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / delta::NewUuid();
  std::unique_ptr<Clock> clock_;
  UtcTime now_;
  std::unique_ptr<sim::Server> server_;
};

TEST_F(PullTest, BringsTheFinalRowsOfEverySeriesOnceAndNothingElse) {
  Serve();
  const auto report = Run(Options());
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->quarantined.empty() && report->held.empty());
  ExpectTableIsTrue();
}

TEST_F(PullTest, BringsNothingTwiceAndOnlyWhatBecameFinalSince) {
  Serve();
  ASSERT_THAT(Run(Options()), IsOk());
  const auto again = Run(Options());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->rows, 0);
  ExpectTableIsTrue();
  for (int step = 0; step < 3; ++step) {
    MoveClock(now_ + Duration::Minutes(47));
    const auto later = Run(Options());
    ASSERT_THAT(later, IsOk());
    EXPECT_GT(later->rows, 0);
    EXPECT_TRUE(later->held.empty());
    ExpectTableIsTrue();
  }
}

TEST_F(PullTest, ComesToTheSameTableInSeveralPulls) {
  Serve();
  PullOptions options = Options();
  options.rows_per_shard = 50'000;
  options.enough_after = Duration::Ticks(0);
  const auto first = Run(options);
  ASSERT_THAT(first, IsOk());
  EXPECT_TRUE(first->is_unfinished);
  options.enough_after = Duration::Hours(1);
  const auto second = Run(options);
  ASSERT_THAT(second, IsOk());
  EXPECT_FALSE(second->is_unfinished);
  ExpectTableIsTrue();
}

TEST_F(PullTest, GoesOnWithTheSeriesThatItHasResolved) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  Progress progress;
  Pulling pulling(options, Duration::Hours(2), *clock_, progress, {});
  int64_t calls = 0;
  for (int step = 0; step < 4; ++step) {
    const int64_t before = progress.calls;
    const auto report = pulling.Next();
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->series, 120);
    ExpectTableShowsAll();
    if (step == 0) calls = progress.calls - before;
    if (step == 1) {
      EXPECT_LT(progress.calls - before, calls);
    }
    MoveClock(now_ + Duration::Minutes(47));
  }
}

TEST_F(PullTest, ComesToTheSameTableOverEachTransport) {
  Serve();
  for (const auto transport :
       {plan::Transport::kSingle, plan::Transport::kSet, plan::Transport::kBatch}) {
    std::filesystem::remove_all(folder_ / "table");
    PullOptions options = Options();
    options.only_transport = transport;
    ASSERT_THAT(Run(options), IsOk());
    ExpectTableIsTrue();
  }
}

TEST_F(PullTest, ComesToTheSameTableInManySmallShards) {
  Serve();
  PullOptions options = Options();
  options.rows_per_shard = 20'000;
  const auto report = Run(options);
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(report->commits, 5);
  ExpectTableIsTrue();
}

TEST_F(PullTest, LosesAndRepeatsNothingWhenTheServerFails) {
  Serve({"429=0.03", "503=0.03", "reset=0.03", "truncate=0.03", "webexception=0.03",
         "stream_webexception=0.03", "empty200=0.03", "part500=0.03"});
  const auto report = Run(Options());
  ASSERT_THAT(report, IsOk());
  ExpectTableIsTrue();
}

TEST_F(PullTest, SharesTheWorkWithAnotherRunOnTheSameTable) {
  Serve();
  PullOptions options = Options();
  options.rows_per_shard = 50'000;
  Result<PullReport> other;
  {
    std::jthread second([&] { other = Run(options); });
    ASSERT_THAT(Run(options), IsOk());
  }
  ASSERT_THAT(other, IsOk());
  ExpectTableIsTrue();
}

TEST_F(PullTest, ShowsInTheTailWhatIsNotFinalYet) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  for (int step = 0; step < 6; ++step) {
    const auto report = Run(options);
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->held.empty() && report->quarantined.empty());
    ExpectTableShowsAll();
    MoveClock(now_ + Duration::Seconds(step < 3 ? 61 : 3'001));
  }
}

TEST_F(PullTest, ShowsForecastsAsFarAheadAsTheLastRefreshSawThem) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  options.future = {.horizon = Duration::Hours(6), .refresh = Duration::Hours(1)};
  std::optional<plan::Snapshot> span;
  UtcTime refreshed;
  for (int step = 0; step < 8; ++step) {
    if (std::exchange(span, plan::RefreshAt(options.future, now_)) != span) refreshed = now_;
    const auto report = Run(options);
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->held.empty() && report->quarantined.empty());
    ExpectTableShowsForecasts(refreshed + options.future.horizon);
    MoveClock(now_ + Duration::Minutes(25));
  }
  options.future.horizon = Duration::Hours(2);
  ASSERT_THAT(Run(options), IsOk());
  ExpectTableShowsForecasts(now_ + options.future.horizon);
  options.future = {};
  ASSERT_THAT(Run(options), IsOk());
  ExpectTableShowsAll();
}

/// However far ahead it is shown.
TEST_F(PullTest, CoversNothingAheadOfNow) {
  Serve();
  PullOptions options = Options();
  options.future.horizon = Duration::Days(2);
  for (const bool tail : {true, false}) {
    options.tail = tail;
    ASSERT_THAT(Run(options), IsOk());
    const auto ledger = Ledger::OpenExisting(options.table);
    ASSERT_THAT(ledger, IsOk());
    for (const auto& [web_id, series] : (*ledger)->coverage())
      EXPECT_TRUE(!series.through() || *series.through() <= now_ - kSettle) << web_id;
    MoveClock(now_ + Duration::Hours(2));
  }
  ExpectTable([](const sim::Plant& plant, const sim::Point& point, UtcTime) {
    return FinalTimes(plant, point, UtcTime{17'900'000'000'000'000} + Duration::Hours(2));
  });
}

TEST_F(PullTest, MakesNoVersionWhenNothingChanged) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  const auto first = Run(options), second = Run(options), third = Run(options);
  ASSERT_THAT(third, IsOk());
  EXPECT_EQ(second->rows, 0);
  EXPECT_EQ(third->version, second->version);
  ExpectTableShowsAll();
}

TEST_F(PullTest, CatchesUpShardByShardAfterALongStop) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  ASSERT_THAT(Run(options), IsOk());
  MoveClock(now_ + Duration::Hours(20));
  options.rows_per_shard = 20'000;
  const auto report = Run(options);
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(report->commits, 5);
  ExpectTableShowsAll();
}

TEST_F(PullTest, CatchesUpShardByShardBesideForecastsThatReachFurther) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  options.future.horizon = Duration::Days(2);
  ASSERT_THAT(Run(options), IsOk());
  MoveClock(now_ + Duration::Hours(20));
  options.rows_per_shard = 20'000;
  const auto report = Run(options);
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(report->commits, 5);
  ExpectTableShowsForecasts(now_ + options.future.horizon);
}

TEST_F(PullTest, SharesATailWithAnotherRun) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  options.rows_per_shard = 50'000;
  for (int step = 0; step < 3; ++step) {
    Result<PullReport> other;
    {
      std::jthread second([&] { other = Run(options); });
      ASSERT_THAT(Run(options), IsOk());
    }
    ASSERT_THAT(other, IsOk());
    ExpectTableShowsAll();
    MoveClock(now_ + Duration::Minutes(7));
  }
}

TEST_F(PullTest, EndsTheTailWhenOnlyFinalRowsAreWantedAndBeginsItAgain) {
  Serve();
  PullOptions options = Options();
  options.tail = true;
  ASSERT_THAT(Run(options), IsOk());
  options.tail = false;
  ASSERT_THAT(Run(options), IsOk());
  ExpectTableIsTrue();
  options.tail = true;
  ASSERT_THAT(Run(options), IsOk());
  ExpectTableShowsAll();
}

/// With a tail or without, everything is due for a second look some day.
TEST_F(PullTest, RemembersOfEverySeriesWhatIsToBeReadTwice) {
  Serve();
  for (const bool tail : {false, true}) {
    std::filesystem::remove_all(folder_ / "table");
    PullOptions options = Options();
    options.tail = tail;
    ASSERT_THAT(Run(options), IsOk());
    const auto ledger = Ledger::OpenExisting(options.table);
    ASSERT_THAT(ledger, IsOk());
    for (const auto& [web_id, series] : (*ledger)->coverage()) {
      if (series.ranges.empty()) continue;
      EXPECT_EQ(series.looked, now_ - options.second_look.after) << web_id;
    }
  }
}

/// The one before the present format of the coverage record.
TEST_F(PullTest, GoesOnWithATableOfThePreviousFormat) {
  MoveClock(UtcTime{17'725'842'000'000'000});  // 2026-03-04T00:30:00Z
  sim::ServerOptions server;
  server.plant = {
      .name = "mixed", .points = 60, .seed = 9, .from = UtcTime{17'725'716'000'000'000}};
  auto started = sim::Server::Start(server, *clock_);
  ASSERT_THAT(started, IsOk());
  server_ = std::move(*started);
  std::filesystem::copy(std::filesystem::path(PILAKE_SOURCE_DIR) / "testdata/format1/table",
                        folder_ / "table", std::filesystem::copy_options::recursive);
  ExpectTableIsTrue();
  PullOptions options = Options();
  for (const bool tail : {false, true}) {
    MoveClock(now_ + Duration::Minutes(50));
    options.tail = tail;
    const auto report = Run(options);
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->held.empty());
    EXPECT_LT(report->rows, 10'000);  // it was not read anew
    tail ? ExpectTableShowsAll() : ExpectTableIsTrue();
  }
}

TEST_F(PullTest, NamesTheTagsThatTheSourceDoesNotKnow) {
  Serve();
  PullOptions options = Options();
  options.tags[0].points = {"NO.SUCH.TAG"};
  const auto report = Run(options);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->unresolved.size(), 1u);
  EXPECT_EQ(report->unresolved[0].tag, "NO.SUCH.TAG");
}

TEST_F(PullTest, RefusesASelectionThatSelectsNothing) {
  Serve();
  PullOptions options = Options();
  options.tags[0].include = {"NO.SUCH.*"};
  EXPECT_THAT(Run(options), FailsWith(ErrorKind::kInvalid));
}

TEST_F(PullTest, TakesARowThatNeverWasThoughNothingElseOfItsSeriesIsLeft) {
  Serve();
  const PullOptions options = Options();
  ASSERT_THAT(Run(options), IsOk());
  const auto before = TableTimes();
  const auto victim =
      std::ranges::find_if(before, [](const auto& series) { return series.second.size() > 50; });
  ASSERT_NE(victim, before.end());
  {  // another engine deletes a series and writes a row of it that the archive never had
    const auto table = delta::Table::Open(options.table.url, {});
    ASSERT_THAT(table, IsOk());
    constexpr UtcTime kNever{std::numeric_limits<int64_t>::max()};
    auto rewritten =
        RewriteFiles(**table, {.but = {}, .times = {UtcTime{}, kNever}},
                     [&](std::string_view web_id, UtcTime) { return web_id != victim->first; });
    ASSERT_THAT(rewritten, IsOk());
    auto file = (*table)->NewFile();
    ASSERT_THAT(file, IsOk());
    Events invented;
    invented.Append(UtcTime{victim->second[20] + 1}, ValueKind::kInt, 1, "", {});
    const Series series{.web_id = victim->first, .name = "invented"};
    ASSERT_THAT((*file)->Append(series, invented, 0, 1, 0, UtcTime{}), IsOk());
    const auto written = (*file)->Finish();
    ASSERT_THAT(written, IsOk());
    rewritten->add.push_back(*written);
    ASSERT_THAT((*table)->Commit({.add = rewritten->add, .remove = rewritten->remove}), IsOk());
  }
  const auto report = Run(options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->rows_deleted, 1);
  ExpectTableIsTrue();
}

}  // namespace
}  // namespace pilake::pipeline
