// SPDX-License-Identifier: Apache-2.0
// The tables of points and digital states, kept from a simulator whose points come and go.
#include "pipeline/dimensions.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "core/clock.h"
#include "core/matchers.h"
#include "delta/uuid.h"
#include "sim/server.h"

namespace pilake::pipeline {
namespace {

using plan::PointState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr UtcTime kMonday{17'900'352'000'000'000};

class DimensionsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    MoveClock(kMonday);
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

  /// A plant whose first points are the same, however many there are.
  void Serve(int64_t points, const std::string& plant = "wide") {
    server_.reset();
    sim::ServerOptions options;
    options.plant = {
        .name = plant, .points = points, .seed = 3, .from = kMonday - Duration::Hours(30)};
    options.rate_limit = 0;
    auto server = sim::Server::Start(options, *clock_);
    ASSERT_THAT(server, IsOk());
    server_ = std::move(*server);
  }

  Result<DimensionReport> Keep() {
    Progress progress;
    SourceOptions source_options;
    source_options.http.url = server_->url();
    source_options.budget = {.in_flight = 4,
                             .calls_per_second = 0,
                             .series_reads_per_second = 0,
                             .events_per_second = 0};
    ASSIGN_OR_RETURN(const auto source, Source::Open(source_options, progress, {}));
    ASSIGN_OR_RETURN(resolved_, Resolve(*source, tags_));
    return KeepDimensions(*source, options_, tags_, now_, resolved_);
  }

  std::vector<plan::PointRow> Rows() const {
    auto rows = ReadPoints(options_.urls.points, {});
    EXPECT_THAT(rows, IsOk());
    return std::move(*rows);
  }

  /// The newest row of each point, by name.
  std::map<std::string, plan::PointRow> Newest() const {
    std::map<std::string, plan::PointRow> newest;
    for (plan::PointRow& row : Rows()) {
      if (row.dated.valid_to) continue;
      EXPECT_FALSE(newest.contains(row.point.name)) << row.point.name << " has two newest rows";
      newest.emplace(row.point.name, std::move(row));
    }
    return newest;
  }

  /// Of the table of points.
  int64_t Version() const {
    int64_t version = -1;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.urls.points + "/_delta_log")) {
      if (entry.path().extension() == ".json") ++version;
    }
    return version;
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / delta::NewUuid();
  std::unique_ptr<Clock> clock_;
  UtcTime now_;
  std::unique_ptr<sim::Server> server_;
  std::vector<TagSelection> tags_{{.include = {"*"}}};
  DimensionOptions options_{.urls = {.points = (folder_ / "pi_points").string(),
                                     .digital_states = (folder_ / "pi_digital_states").string()},
                            .store = {}};
  Resolved resolved_;
};

TEST_F(DimensionsTest, DescribeEveryPointThatIsSelected) {
  Serve(120, "mixed");
  ASSERT_THAT(Keep(), IsOk());
  const auto newest = Newest();
  ASSERT_THAT(newest, SizeIs(120));
  for (const Series& series : resolved_.series) {
    const plan::PointRow& row = newest.at(series.name);
    EXPECT_EQ(row.point.web_id, series.web_id);
    EXPECT_EQ(row.point.path, series.path);
    EXPECT_EQ(row.point.units, series.units);
    EXPECT_EQ(row.point.descriptor, series.descriptor);
    EXPECT_EQ(row.point.digital_set, series.digital_set);
    EXPECT_EQ(row.point.type_name, series.type_name);
    EXPECT_EQ(row.point.zero, series.zero);
    EXPECT_EQ(row.point.span, series.span);
    EXPECT_EQ(row.point.step, series.step);
    EXPECT_EQ(row.point.future, series.future);
    EXPECT_EQ(row.state, PointState::kListed);
    EXPECT_EQ(row.dated, (plan::Dated{.valid_from = {}, .valid_to = {}, .noticed = kMonday}));
  }
}

TEST_F(DimensionsTest, ChangeNothingWhileNothingChanges) {
  Serve(30);
  ASSERT_THAT(Keep(), IsOk());
  const int64_t version = Version();
  MoveClock(kMonday + Duration::Hours(1));
  const auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->changed, IsEmpty());
  EXPECT_EQ(report->points_added, 0);
  EXPECT_EQ(Version(), version);
}

TEST_F(DimensionsTest, TellOfPointsThatCome) {
  Serve(30);
  ASSERT_THAT(Keep(), IsOk());
  Serve(33);
  MoveClock(kMonday + Duration::Hours(1));
  const auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->points_added, 3);
  EXPECT_THAT(Newest(), SizeIs(33));
}

TEST_F(DimensionsTest, NamePointsThatVanishUntilTheyAreRetired) {
  Serve(30);
  ASSERT_THAT(Keep(), IsOk());
  Serve(28);
  MoveClock(kMonday + Duration::Hours(1));
  auto report = Keep();
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->vanished, SizeIs(2));
  EXPECT_THAT(report->vanished[0].tag, HasSubstr("W0000028.PV"));
  EXPECT_THAT(report->vanished[0].reason, HasSubstr("not shown to us any more"));
  EXPECT_EQ(Newest().at("W0000029.PV").state, PointState::kVanished);
  EXPECT_EQ(Newest().at("W0000029.PV").dated.valid_from, now_);

  MoveClock(now_ + Duration::Days(6));
  report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->vanished, SizeIs(2));
  EXPECT_THAT(report->changed, IsEmpty());

  MoveClock(now_ + Duration::Days(1));
  report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->vanished, IsEmpty());
  EXPECT_EQ(Newest().at("W0000029.PV").state, PointState::kRetired);
}

TEST_F(DimensionsTest, TellOfPointsThatComeBack) {
  Serve(30);
  ASSERT_THAT(Keep(), IsOk());
  Serve(29);
  MoveClock(kMonday + Duration::Hours(1));
  ASSERT_THAT(Keep(), IsOk());
  Serve(30);
  MoveClock(kMonday + Duration::Hours(2));
  const auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->vanished, IsEmpty());
  std::vector<plan::Dated> dates;
  std::vector<PointState> states;
  for (const plan::PointRow& row : Rows()) {
    if (row.point.name != "W0000029.PV") continue;
    dates.push_back(row.dated);
    states.push_back(row.state);
  }
  const UtcTime one = kMonday + Duration::Hours(1), two = kMonday + Duration::Hours(2);
  EXPECT_THAT(dates, testing::UnorderedElementsAre(plan::Dated{{}, one, kMonday},
                                                   plan::Dated{one, two, one},
                                                   plan::Dated{two, std::nullopt, two}));
  EXPECT_THAT(states, testing::UnorderedElementsAre(PointState::kListed, PointState::kVanished,
                                                    PointState::kListed));
}

TEST_F(DimensionsTest, StopTheRunWhenManyVanishAtOnce) {
  Serve(60);
  ASSERT_THAT(Keep(), IsOk());
  const int64_t version = Version();
  Serve(40);
  MoveClock(kMonday + Duration::Hours(1));
  const auto report = Keep();
  ASSERT_THAT(report, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(report.error().message,
              testing::AllOf(HasSubstr("20 of 60 points"), HasSubstr(R"('NT SERVICE\piwebapi')"),
                             HasSubstr("--accept-vanished")));
  EXPECT_EQ(Version(), version);
}

TEST_F(DimensionsTest, LetManyVanishWhenTheyAreToldTo) {
  Serve(60);
  ASSERT_THAT(Keep(), IsOk());
  Serve(40);
  MoveClock(kMonday + Duration::Hours(1));
  options_.accept_vanished = true;
  auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->vanished, SizeIs(20));
  // Once they are known to be gone, nobody needs to be told again.
  options_.accept_vanished = false;
  MoveClock(kMonday + Duration::Hours(2));
  report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->vanished, SizeIs(20));
}

TEST_F(DimensionsTest, MissNothingThatTheTagsNoLongerSelect) {
  Serve(60);
  ASSERT_THAT(Keep(), IsOk());
  const int64_t version = Version();
  tags_ = {{.include = {"W000000*"}}};
  MoveClock(kMonday + Duration::Hours(1));
  const auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->vanished, IsEmpty());
  EXPECT_EQ(Version(), version);
  EXPECT_THAT(resolved_.series, SizeIs(10));
}

TEST_F(DimensionsTest, LeaveTheNamingOfNamedPointsToWhoLookedForThem) {
  Serve(30);
  tags_ = {{.points = {"w0000003.pv", "W0000029.PV"}}};
  ASSERT_THAT(Keep(), IsOk());
  Serve(29);
  MoveClock(kMonday + Duration::Hours(1));
  const auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(resolved_.unresolved, SizeIs(1));
  EXPECT_THAT(report->vanished, IsEmpty());
  EXPECT_EQ(Newest().at("W0000029.PV").state, PointState::kVanished);
}

TEST_F(DimensionsTest, TakeInAPointThatTheListLacked) {
  Serve(30);
  ASSERT_THAT(Keep(), IsOk());
  Progress progress;
  SourceOptions source_options;
  source_options.http.url = server_->url();
  const auto source = Source::Open(source_options, progress, {});
  ASSERT_THAT(source, IsOk());
  resolved_.series.erase(resolved_.series.begin() + 7);
  const auto report =
      KeepDimensions(**source, options_, tags_, kMonday + Duration::Hours(1), resolved_);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->changed, IsEmpty());
  EXPECT_THAT(resolved_.series, SizeIs(30));
  EXPECT_TRUE(std::ranges::is_sorted(resolved_.series, {}, &Series::web_id));
}

TEST_F(DimensionsTest, HoldTheStatesOfTheSetsInUse) {
  Serve(120, "mixed");
  const auto report = Keep();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->notes, IsEmpty());
  std::set<std::string> used{"System"};
  for (const Series& series : resolved_.series) {
    if (!series.digital_set.empty()) used.insert(series.digital_set);
  }
  EXPECT_GT(used.size(), 1u);
  std::map<std::pair<std::string, int32_t>, std::string> expected, found;
  for (const sim::DigitalSet& set : server_->plant().digital_sets()) {
    if (!used.contains(std::string(set.name))) continue;
    for (const sim::DigitalState& state : set.states) {
      expected[{std::string(set.name), state.code}] = state.name;
    }
  }
  const auto rows = ReadDigitalStates(options_.urls.digital_states, {});
  ASSERT_THAT(rows, IsOk());
  for (const plan::StateRow& row : *rows) {
    EXPECT_EQ(row.server, server_->plant().server_name());
    EXPECT_EQ(row.dated, (plan::Dated{.valid_from = {}, .valid_to = {}, .noticed = kMonday}));
    found[{row.digital_set, row.code}] = row.name;
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(rows->size(), expected.size());
}

TEST_F(DimensionsTest, ComeToTheSameWhenRunsMeet) {
  Serve(200);
  std::vector<std::jthread> runs;
  for (int i = 0; i < 4; ++i) {
    runs.emplace_back([this] {
      Progress progress;
      SourceOptions source_options;
      source_options.http.url = server_->url();
      const auto source = Source::Open(source_options, progress, {});
      ASSERT_THAT(source, IsOk());
      auto resolved = Resolve(**source, tags_);
      ASSERT_THAT(resolved, IsOk());
      EXPECT_THAT(KeepDimensions(**source, options_, tags_, kMonday, *resolved), IsOk());
    });
  }
  runs.clear();
  EXPECT_THAT(Rows(), SizeIs(200));
  EXPECT_THAT(Newest(), SizeIs(200));
}

TEST(DimensionsBeside, StandInTheFolderOfTheTable) {
  const auto urls = DimensionsBeside("s3://bucket/lake/pi_timeseries/");
  ASSERT_THAT(urls, IsOk());
  EXPECT_EQ(urls->points, "s3://bucket/lake/pi_points");
  EXPECT_EQ(urls->digital_states, "s3://bucket/lake/pi_digital_states");
  const auto others = DimensionsBeside("/data/plant1");
  ASSERT_THAT(others, IsOk());
  EXPECT_EQ(others->points, "/data/plant1_points");
  const auto of_catalog = DimensionsBeside("uc://main.plant.pi_timeseries");
  ASSERT_THAT(of_catalog, IsOk());
  EXPECT_EQ(of_catalog->points, "uc://main.plant.pi_points");
  EXPECT_EQ(of_catalog->digital_states, "uc://main.plant.pi_digital_states");
  EXPECT_THAT(DimensionsBeside("s3://bucket"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(DimensionsBeside("table"), FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::pipeline
