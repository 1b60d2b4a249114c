// SPDX-License-Identifier: Apache-2.0
// The ceiling of each stage alone: simulator, HTTP, decoding, Parquet, on one page of the `bench`
// plant.
//
// Times are those of the clock on the wall; `cpu_time` is that of all threads of this process, so
// in the stages with a socket both of its ends are in it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/bounded_queue.h"
#include "core/clock.h"
#include "core/events.h"
#include "core/series.h"
#include "decode/recorded.h"
#include "delta/table.h"
#include "pi/http.h"
#include "pi/raw_server.h"
#include "pi/request.h"
#include "plan/packing.h"
#include "sim/archive.h"
#include "sim/recorded.h"
#include "sim/server.h"
#include "sim/webid.h"

namespace pilake {
namespace {

constexpr UtcTime kNow{17'725'968'000'000'000};  // 2026-03-04T04:00:00Z
constexpr Duration kHistory = Duration::Hours(3);
const int kPageEvents = static_cast<int>(plan::PackLimits{}.page_events);

[[noreturn]] void Abort(std::string_view reason) {
  fmt::print(stderr, "stages_bench: {}\n", reason);
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Abort(result.error().message);
  return std::move(*result);
}

void Must(const Status& status) {
  if (!status) Abort(status.error().message);
}

class FrozenClock final : public Clock {
 public:
  UtcTime Now() const override { return kNow; }
  bool SleepUntil(UtcTime, const std::stop_token& stop) const override {
    return !stop.stop_requested();
  }
};

/// The simulator, in this process.
sim::Server& Simulator() {
  static const FrozenClock clock;
  static const auto server = Must(sim::Server::Start(
      {.plant = {.name = "bench", .from = kNow - kHistory}, .rate_limit = 0}, clock));
  return *server;
}

Series SeriesOf(const sim::Point& point) {
  sim::WebId id;
  id.type = sim::WebIdType::kIdOnly;
  id.kind = sim::WebIdKind::kPoint;
  id.server = Simulator().plant().server_guid();
  id.point_id = point.id;
  return {.web_id = sim::WriteWebId(id),
          .name = point.name,
          .path = Simulator().plant().Path(point),
          .units = std::string(Simulator().plant().unit_name(point)),
          .type = point.type,
          .type_name = std::string(Name(point.type))};
}

void Append(const sim::Event& event, Events& events) {
  Flags flags;
  flags.Set(Flags::kGood, event.good);
  flags.Set(Flags::kQuestionable, event.questionable);
  flags.Set(Flags::kSubstituted, event.substituted);
  flags.Set(Flags::kAnnotated, event.annotated);
  if (event.form == sim::Form::kSingle) {
    events.Append(event.time, ValueKind::kFloat, std::bit_cast<int64_t>(event.number), {}, flags);
  } else if (event.form == sim::Form::kState && event.system) {
    events.Append(event.time, ValueKind::kSystem, event.integer, event.text, flags);
  } else {
    Abort("the plant `bench` has values that this program does not know");
  }
}

/// The first page of a point, straight from the archive.
Events TruePage(const sim::Point& point) {
  const sim::Archive archive(Simulator().plant(), point, kNow);
  Events events;
  sim::Event event;
  for (int64_t i = 0; events.size() < static_cast<size_t>(kPageEvents); ++i) {
    if (i == archive.end()) Abort("the history of plant `bench` is shorter than a page");
    if (!archive.Visible(i)) continue;
    archive.Read(i, event);
    Append(event, events);
  }
  return events;
}

bool AreSame(const Events& a, const Events& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameEvent(a, i, b, i)) return false;
  }
  return true;
}

/// One page: what the archive holds and how pilake asks for it.
struct Page {
  Series series = SeriesOf(Simulator().plant().points().front());
  Events events = TruePage(Simulator().plant().points().front());
  pi::HttpRequest request = pi::BuildRecorded({.web_id = series.web_id,
                                               .begin = Simulator().plant().from(),
                                               .end = kNow,
                                               .max_count = kPageEvents});
};

const Page& ThePage() {
  static const Page page;
  return page;
}

bool IsRight(const std::string& body) {
  const auto page = decode::DecodeRecorded(body, ThePage().series.type);
  return page && !page->failure && AreSame(page->events, ThePage().events);
}

/// An HTTP loop on a thread of its own.
class Loop {
 public:
  Loop(const std::string& url, bool gzip)
      : http_(Must(pi::HttpLoop::Make({.url = url, .connections_max = kInFlight, .gzip = gzip}))),
        thread_([this](const std::stop_token& stop) { http_->Run(stop); }) {}

  /// As many pages at once as a run has in flight.
  static constexpr int kInFlight = 8;

  void FetchRound() {
    for (int i = 0; i < kInFlight; ++i) {
      http_->Send(ThePage().request, [this](Result<pi::HttpResponse> response) {
        answers_.Push(std::move(response), 1, {});
      });
    }
    for (int i = 0; i < kInFlight; ++i) last_ = Must(pi::Judge(std::move(*answers_.Pop({}))));
  }

  const pi::HttpResponse& last() const { return last_; }

 private:
  std::unique_ptr<pi::HttpLoop> http_;
  BoundedQueue<Result<pi::HttpResponse>> answers_{kInFlight};
  pi::HttpResponse last_;
  std::jthread thread_;
};

/// A plain socket to a server of this machine.
class Socket {
 public:
  explicit Socket(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      Abort("the server does not listen");
    }
  }
  ~Socket() { close(socket_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void Send(std::string_view text) {
    if (send(socket_, text.data(), text.size(), MSG_NOSIGNAL) != std::ssize(text)) {
      Abort("the server does not take a request");
    }
  }

  /// What came, at most so many bytes; nothing at the end.
  std::string_view Receive(size_t bytes_max) {
    const ssize_t bytes = recv(socket_, buffer_.data(), std::min(bytes_max, buffer_.size()), 0);
    return {buffer_.data(), static_cast<size_t>(std::max<ssize_t>(bytes, 0))};
  }

 private:
  int socket_;
  std::vector<char> buffer_ = std::vector<char>(512 << 10);
};

std::string PageRequest(bool gzip, std::string_view header = {}) {
  return fmt::format("GET /piwebapi{} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}{}\r\n",
                     ThePage().request.target, gzip ? "Accept-Encoding: gzip\r\n" : "", header);
}

/// The page as it goes over the wire, head included.
std::string PageAnswer(bool gzip) {
  constexpr std::string_view kClose = "Connection: close\r\n";
  Socket socket(Simulator().port());
  socket.Send(PageRequest(gzip, kClose));
  std::string answer;
  for (auto bytes = socket.Receive(SIZE_MAX); !bytes.empty(); bytes = socket.Receive(SIZE_MAX)) {
    answer += bytes;
  }
  return answer.erase(answer.find(kClose), kClose.size());
}

/// Asks for the page as plainly as a program can, and only counts what comes. All answers to one
/// question have one length, so it need not read them to know their end.
class PlainClient {
 public:
  PlainClient(int port, bool gzip, size_t answer_bytes)
      : socket_(port), request_(PageRequest(gzip)), answer_bytes_(answer_bytes) {}

  void Fetch() {
    socket_.Send(request_);
    for (size_t left = answer_bytes_; left > 0;) {
      const size_t bytes = socket_.Receive(left).size();
      if (bytes == 0) Abort("an answer was shorter than the first");
      left -= bytes;
    }
  }

 private:
  Socket socket_;
  std::string request_;
  size_t answer_bytes_;
};

/// Bytes that a page has as text: what all stages are reckoned by, compressed or not.
size_t PageBytes() {
  static const size_t bytes = [] {
    Loop loop(Simulator().url(), false);
    loop.FetchRound();
    if (!IsRight(loop.last().body)) Abort("the simulator's page is not what its archive holds");
    return loop.last().body.size();
  }();
  return bytes;
}

void CountPages(benchmark::State& state, int64_t pages_per_iteration) {
  const int64_t pages = state.iterations() * pages_per_iteration;
  state.SetItemsProcessed(pages * kPageEvents);
  state.SetBytesProcessed(pages * static_cast<int64_t>(PageBytes()));
}

void SimulatorAlone(benchmark::State& state, bool gzip) {
  (void)PageBytes();  // which checks the page
  const std::string answer = PageAnswer(gzip);
  PlainClient client(Simulator().port(), gzip, answer.size());
  for (auto _ : state) client.Fetch();
  CountPages(state, 1);
  state.counters["wire_bytes_per_event"] = static_cast<double>(answer.size()) / kPageEvents;
}

/// Sends one prepared answer again and again.
class ReplayServer : public pi::RawServer {
 public:
  explicit ReplayServer(const std::string& answer)
      : RawServer([&answer](pi::Connection& connection) {
          while (!connection.ReadRequest().empty()) connection.Send(answer);
        }) {}
};

/// What the machine needs to move the bytes: a part of both the simulator's work and that of HTTP.
void SocketAlone(benchmark::State& state, bool gzip) {
  const std::string answer = PageAnswer(gzip);
  ReplayServer server(answer);
  PlainClient client(server.port(), gzip, answer.size());
  for (auto _ : state) client.Fetch();
  CountPages(state, 1);
}

void HttpAlone(benchmark::State& state, bool gzip) {
  const std::string answer = PageAnswer(gzip);
  ReplayServer server(answer);
  Loop loop(server.url(), gzip);
  loop.FetchRound();
  if (!IsRight(loop.last().body)) Abort("the page comes through the HTTP loop changed");
  for (auto _ : state) loop.FetchRound();
  CountPages(state, Loop::kInFlight);
}

void DecodeAlone(benchmark::State& state) {
  Loop loop(Simulator().url(), false);
  loop.FetchRound();
  const std::string& body = loop.last().body;
  if (!IsRight(body)) Abort("the page is decoded wrongly");
  for (auto _ : state) {
    state.PauseTiming();
    std::string own;
    own.reserve(body.size() + 64);  // as bodies come from the HTTP loop
    own = body;
    state.ResumeTiming();
    benchmark::DoNotOptimize(decode::DecodeRecorded(std::move(own), ThePage().series.type));
  }
  CountPages(state, 1);
}

/// A table in a folder that goes with it.
struct Table {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("pilake-stages-{}", getpid());
  std::unique_ptr<delta::Table> table = Must(delta::Table::Create(folder, {}));
  Table() = default;
  Table(const Table&) = delete;
  ~Table() { std::filesystem::remove_all(folder); }
};

void ParquetAlone(benchmark::State& state) {
  constexpr size_t kPages = 40;
  std::vector<Series> series;
  std::vector<Events> pages;
  for (const sim::Point& point : std::span(Simulator().plant().points()).first(kPages)) {
    series.push_back(SeriesOf(point));
    pages.push_back(TruePage(point));
  }
  Table home;
  const auto write = [&] {
    auto file = Must(home.table->NewFile());
    for (size_t i = 0; i < kPages; ++i) {
      Must(file->Append(series[i], pages[i], 0, pages[i].size(), 0, kNow));
    }
    return Must(file->Finish());
  };
  const delta::DataFile first = write();
  Must(home.table->Commit({.add = {first}}));
  for (const size_t i : {size_t{0}, kPages - 1}) {
    const delta::Rows rows = Must(
        home.table->ReadRows({.where = {.web_ids = delta::WebIdRange::Only(series[i].web_id)}}));
    if (!AreSame(rows.events, pages[i])) Abort("the table does not hold what was written");
  }
  for (auto _ : state) {
    const delta::DataFile file = write();
    state.PauseTiming();
    std::filesystem::remove(home.folder / file.path);
    state.ResumeTiming();
  }
  CountPages(state, kPages);
  state.counters["bytes_per_row"] =
      static_cast<double>(first.bytes) / static_cast<double>(first.rows);
}

void Add(const std::string& name, void (*stage)(benchmark::State&, bool), bool gzip) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { stage(state, gzip); })
      ->UseRealTime()
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(2);
}

void Add(const std::string& name, void (*stage)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name.c_str(), stage)
      ->UseRealTime()
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(2);
}

void AddAll() {
  Add("simulator", SimulatorAlone, false);
  Add("simulator/gzip", SimulatorAlone, true);
  Add("socket", SocketAlone, false);
  Add("socket/gzip", SocketAlone, true);
  Add("http", HttpAlone, false);
  Add("http/gzip", HttpAlone, true);
  Add("decode", DecodeAlone);
  Add("parquet", ParquetAlone);
}

}  // namespace
}  // namespace pilake

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  pilake::AddAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
