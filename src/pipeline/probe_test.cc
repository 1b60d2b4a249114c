// SPDX-License-Identifier: Apache-2.0
#include "pipeline/probe.h"

#include <atomic>
#include <string>

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "pi/raw_server.h"

namespace pilake::pipeline {
namespace {

constexpr int kSeries = 20;

std::vector<Series> SomeSeries() {
  std::vector<Series> series(kSeries);
  for (int i = 0; i < kSeries; ++i) {
    series[static_cast<size_t>(i)].web_id = PointWebId("F1DSRDMiEWZViHeZqrvM3e7_AA", i).value();
    series[static_cast<size_t>(i)].path = fmt::format(R"(\\PISRV01\TAG{})", i);
  }
  return series;
}

/// The answer to a value set: every series with `member`.
std::string SetOf(const std::string& asked, std::string_view member) {
  std::string items;
  constexpr std::string_view kName = "webId=";
  constexpr size_t kIdLength = 32;
  for (size_t at = asked.find(kName); at != std::string::npos; at = asked.find(kName, at + 1)) {
    items += fmt::format(R"({}{{"WebId":"{}",{}}})", items.empty() ? "" : ",",
                         asked.substr(at + kName.size(), kIdLength), member);
  }
  return fmt::format(R"({{"Items":[{}]}})", items);
}

TEST(ProbeSnapshots, WaitsOutAnArchiveThatGivesNothingForAMoment) {
  // PI Web API is well and says of every stream that its archive does not answer, for half a
  // second.
  const UtcTime well_from = SteadyNow() + Duration::Millis(500);
  const pi::RawServer server([&](pi::Connection& peer) {
    for (std::string asked = peer.ReadRequest(); !asked.empty(); asked = peer.ReadRequest()) {
      peer.SendJson(SetOf(
          asked.substr(0, asked.find("\r\n")),
          SteadyNow() < well_from
              ? R"("WebException":{"Errors":["[-10722] PINET: Timeout on PI RPC"],"StatusCode":502})"
              : R"("Value":{"Timestamp":"2026-03-04T09:30:00Z","Value":1.5,"Good":true})"));
    }
  });
  SourceOptions options;
  options.http.url = server.url();
  options.budget = {
      .in_flight = 4, .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0};
  Progress progress;
  const auto source = std::move(Source::Open(options, progress, {}).value());
  const std::vector<Series> series = SomeSeries();
  std::vector<uint32_t> all(series.size());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<Probed> probed(series.size());
  ASSERT_THAT(ProbeSnapshots(*source, series, all, probed), IsOk());
  for (const Probed& one : probed) {
    EXPECT_FALSE(one.failure);
    EXPECT_TRUE(one.snapshot);
  }
}

TEST(ProbeNewest, TakesABurstForNoMoreThanABurst) {
  std::string items;
  for (int i = 0; i < 12; ++i) {
    items += fmt::format(R"({}{{"Timestamp":"2026-03-04T09:30:00Z","Value":{}.5,"Good":true}})",
                         i ? "," : "", i);
  }
  const pi::RawServer server([&](pi::Connection& peer) {
    for (std::string asked = peer.ReadRequest(); !asked.empty(); asked = peer.ReadRequest())
      peer.SendJson(
          SetOf(asked.substr(0, asked.find("\r\n")), fmt::format(R"("Items":[{}])", items)));
  });
  SourceOptions options;
  options.http.url = server.url();
  Progress progress;
  const auto source = std::move(Source::Open(options, progress, {}).value());
  const std::vector<Series> series = SomeSeries();
  std::vector<Probed> probed(series.size());
  ASSERT_THAT(ProbeNewest(*source, series, {0, 1}, UtcTime{17'726'166'000'000'000}, probed),
              IsOk());
  // Twelve events at one time were once taken for thousands a second, and the hours around them for
  // a load that the budget spreads over minutes.
  EXPECT_EQ(probed[1].newest.last, probed[1].newest.previous);
  EXPECT_LE(probed[1].density, 12);
}

}  // namespace
}  // namespace pilake::pipeline
