// SPDX-License-Identifier: Apache-2.0
// The client against the simulated PI Web API: every request is understood, every refusal named.
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "pi/http.h"
#include "pi/request.h"
#include "sim/server.h"

namespace pilake::pi {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kServer = "P1DSUElTUlY";                 // \\PISRV
constexpr std::string_view kPoint = "P1DPUElTUlZcQkVOQ0guMDAwMDA";  // \\PISRV\BENCH.00000

class Simulator : public testing::Test {
 protected:
  void Start(sim::ServerOptions options) {
    options.plant = {"bench", 3, 1, *ParseUtcTime("2026-03-03T00:00:00Z")};
    server_ = std::move(sim::Server::Start(std::move(options), SystemClock()).value());
  }

  /// What one request to the simulator comes to.
  Result<HttpResponse> Ask(HttpRequest request, HttpOptions options = {}) {
    options.url = server_->url();
    const auto loop = std::move(HttpLoop::Make(std::move(options)).value());
    const std::jthread thread([&](const std::stop_token& stop) { loop->Run(stop); });
    return Judge(Fetch(*loop, std::move(request), {}));
  }

  std::unique_ptr<sim::Server> server_;
};

std::string Message(const Result<HttpResponse>& result) {
  return result ? "" : result.error().message;
}

TEST_F(Simulator, UnderstandsEveryRequestThatHasAnObject) {
  Start({});
  const std::vector<std::string_view> points{kPoint};
  const UtcTime begin = *ParseUtcTime("2026-03-03T00:00:00Z"), end = begin + Duration::Minutes(1);
  const std::vector<RecordedRead> reads{{.web_id = kPoint, .begin = begin, .end = end}};
  for (const HttpRequest& request :
       {BuildRecorded(reads[0]), BuildRecordedSet(points, begin, end, 10),
        BuildNewest(points, end, 2), BuildRecordedBatch(server_->url(), reads),
        BuildValueSet(points), BuildCount({kPoint, begin, end}), BuildDataServers(),
        BuildPoints({.server_web_id = kServer, .name_filter = "BENCH.*"}),
        BuildPointByPath(R"(\\PISRV\BENCH.00000)"), BuildPointsMultiple(points),
        BuildEnumerationSets(kServer), BuildSystem(), BuildSystemStatus(), BuildUserInfo(),
        BuildConfiguration("MaxReturnedItemsPerCall")}) {
    const auto response = Ask(request);
    EXPECT_THAT(response, IsOk()) << request.target;
  }
  EXPECT_EQ(server_->counters().writes_refused, 0u);
}

TEST_F(Simulator, SendsTheSameBodyCompressed) {
  Start({});
  const UtcTime begin = *ParseUtcTime("2026-03-03T00:00:00Z");
  const RecordedRead read{.web_id = kPoint, .begin = begin, .end = begin + Duration::Hours(1)};
  HttpOptions plain;
  plain.gzip = false;
  const auto packed = Ask(BuildRecorded(read)), unpacked = Ask(BuildRecorded(read), plain);
  ASSERT_THAT(packed, IsOk());
  ASSERT_THAT(unpacked, IsOk());
  EXPECT_EQ(packed->body, unpacked->body);
  EXPECT_LT(packed->wire_bytes, unpacked->wire_bytes / 2);
}

TEST_F(Simulator, NamesTheUserWhosePasswordIsWrong) {
  sim::ServerOptions options;
  options.basic = sim::BasicLogin{"reader", "right"};
  Start(options);
  HttpOptions wrong, right;
  wrong.auth = {AuthOptions::Kind::kBasic, "reader", "wr0ng", ""};
  right.auth = {AuthOptions::Kind::kBasic, "reader", "right", ""};
  const auto refused = Ask(BuildSystem(), wrong);
  EXPECT_THAT(refused, FailsWith(ErrorKind::kAuth));
  EXPECT_THAT(Message(refused), AllOf(HasSubstr("user 'reader' was refused"), HasSubstr("Basic"),
                                      Not(HasSubstr("wr0ng"))));
  EXPECT_THAT(Ask(BuildSystem(), right), IsOk());
  EXPECT_THAT(Ask(BuildSystem()), FailsWith(ErrorKind::kAuth));
}

TEST_F(Simulator, IsTrustedOverTlsOnlyWithItsAuthorityAndBeforeItsCertificateExpires) {
  const std::string folder = testing::TempDir() + "pilake_pi_tls_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  HttpOptions trusting;
  trusting.ca_files = {folder + "/ca.pem"};
  sim::ServerOptions options;
  options.tls_folder = folder;
  Start(options);
  EXPECT_THAT(Ask(BuildSystem(), trusting), IsOk());
  EXPECT_THAT(Message(Ask(BuildSystem())), HasSubstr("trust.ca"));
  options.tls_expired = true;
  Start(options);
  EXPECT_THAT(Message(Ask(BuildSystem(), trusting)), HasSubstr("has expired"));
  std::filesystem::remove_all(folder);
}

TEST_F(Simulator, SaysThatALoginPageIsNotPiWebApi) {
  sim::ServerOptions options;
  options.login_page = true;
  Start(options);
  const auto response = Ask(BuildSystem());
  EXPECT_THAT(response, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Message(response), HasSubstr("looks like a login page"));
}

TEST_F(Simulator, LimitsWhatIsAskedForInOneCall) {
  Start({});
  const UtcTime begin = *ParseUtcTime("2026-03-03T00:00:00Z");
  EXPECT_THAT(Ask(BuildRecorded({.web_id = kPoint,
                                 .begin = begin,
                                 .end = begin + Duration::Hours(1),
                                 .max_count = 150'001})),
              FailsWith(ErrorKind::kTooLarge));
  EXPECT_THAT(Ask(BuildRecorded({.web_id = "P1DPUElTUlZcTk9ORQ", .begin = begin, .end = begin})),
              FailsWith(ErrorKind::kNotFound));
}

}  // namespace
}  // namespace pilake::pi
