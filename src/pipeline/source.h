// SPDX-License-Identifier: Apache-2.0
// A source: one PI Web API, the thread that speaks to it, and what it grants us.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/bounded_queue.h"
#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "decode/recorded.h"
#include "pi/http.h"
#include "pi/request.h"
#include "pipeline/progress.h"
#include "pipeline/throttle.h"
#include "plan/budget.h"
#include "plan/failure.h"
#include "plan/governor.h"

namespace pilake::pipeline {

struct SourceOptions {
  std::string name;
  pi::HttpOptions http;
  plan::BudgetLimits budget;
  ThrottleOptions throttle;
  /// How long we go on asking a source that has answered before and now gives no good answer.
  Duration patience = Duration::Minutes(5);
  Duration first_pause = Duration::Millis(250);  ///< before a call is asked again; then it doubles
};

using Pages = std::vector<decode::SeriesPage>;

/// A bulk call: what to send, what it costs, and how its body is read.
struct Call {
  uint64_t id = 0;  ///< The caller's own; unique among the open calls, and below 2^63.
  pi::HttpRequest request;
  plan::Load load;
  size_t series = 0;  ///< How many it asks for, if that is not what it reads of the archive.
  /// Runs on a decoding thread.
  std::function<Result<Pages>(std::string body)> decode;
  plan::Lane lane = plan::Lane::kIncrement;
  bool is_divisible = false;  ///< It could be asked as several smaller calls.
  plan::Tries tries{};
  /// All that was asked for was refused for the moment, item by item: this asks again, after a
  /// pause.
  bool is_again = false;
};

struct Answer {
  uint64_t id = 0;
  Result<Pages> pages;
  plan::Step step = plan::Step::kStop;  ///< Of a failure: what is left to do. Never kWait.
  plan::Tries tries{};                  ///< Of a failure: for the smaller calls that follow it.
};

/// Sends calls within the budget, waits failures out as `plan::NextStep` says, and decodes.
///
/// Calls go out on the thread of the HTTP loop, bodies are decoded on `kDecodeThreads`, answers
/// come back to the one thread that owns the source. Pages wait in queues bounded in bytes: an
/// owner that does not ask `Next` stops the reading of sockets.
class Source {
 public:
  /// Starts the threads. Opens no connection yet. Sources of one process and server share a
  /// `throttle`; without one, the source makes its own from its options.
  static Result<std::unique_ptr<Source>> Open(SourceOptions options, Progress& progress,
                                              std::stop_token stop,
                                              std::shared_ptr<Throttle> throttle = nullptr);
  ~Source();

  /// One small call, sent as soon as the budget allows, waited for and read by `decode`. Failures
  /// that may pass, in transport or in the body, are asked again; `attempts_max` 1: not even once
  /// more. Answers to other calls that come meanwhile are kept for `Next`.
  template <typename T>
  Result<T> Ask(const pi::HttpRequest& request, Result<T> (*decode)(std::string body),
                int attempts_max = plan::kAttemptsMax) {
    // The decoding thread may outlive our patience, so what it fills is shared with it.
    const auto decoded = std::make_shared<Result<T>>(Fail(ErrorKind::kInternal, "not asked"));
    RETURN_IF_ERROR(AskFor(
        request,
        [decoded, decode](std::string body) -> Result<Pages> {
          *decoded = decode(std::move(body));
          if (!*decoded) return tl::unexpected(decoded->error());
          return Pages();
        },
        attempts_max));
    return std::move(*decoded);
  }

  /// Takes a call in; it goes out, in the order of its lane, when the budget allows.
  void Send(Call call);

  /// Waits for the next answer, in any order. What is left are failures that asking the same again
  /// does not cure. Nothing when no call is open; `kCancelled` when stopped.
  std::optional<Answer> Next();

  /// Forgets all calls that were taken in; waits until those under way have come home.
  void Abandon();

  /// Calls taken in whose answers were not given out by `Next`.
  size_t open_calls() const;

  /// The source has just given us something of `series`, which is a witness from now on.
  void Served(const Series& series);

  /// `series` is to be left out because of `error`. After many of one server in a row, with none
  /// served in between, a series that was served before is asked for: if the source does not give
  /// that one either, it is not the series, and this fails as `Blame` does.
  Status LeaveOut(const Series& series, const Error& error);

  /// The failure for a server that gives nothing to us any more, with who it takes us for: `kAuth`
  /// if it refuses, `kUnreachable` if it cannot. `last` is what it said of the last series.
  tl::unexpected<Error> Blame(const Series& series, size_t count, const Error& last);

  /// By WebID: why the source does not know the point, or nothing if it does. Nothing at all if it
  /// cannot be asked so. One call.
  std::optional<std::vector<std::optional<Error>>> WhichAreUnknown(
      std::span<const std::string_view> web_ids);

  const std::string& url() const { return http_->url(); }
  /// As many calls may be under way at most; more that are sent wait.
  size_t in_flight_max() const { return static_cast<size_t>(throttle_->in_flight_max()); }

 private:
  static constexpr int kDecodeThreads = 2;

  using Decode = std::function<Result<Pages>(std::string)>;

  struct Attempt {
    Call call;
    int retries = 0;
    int attempts_max = 0;  // 0: as the policy says
    UtcTime sent;          // last
  };
  struct Body {
    uint64_t id = 0;
    Result<pi::HttpResponse> response;
    Decode decode;
    std::shared_ptr<Turn> turn;
    UtcTime sent;
  };
  struct Decoded {
    uint64_t id = 0;
    Result<Pages> pages;
    std::optional<Duration> retry_after;
  };
  struct Server {
    plan::Streak streak;
    std::string witness;  // WebID
  };

  Source(SourceOptions options, std::unique_ptr<pi::HttpLoop> http,
         std::shared_ptr<Throttle> throttle, Progress& progress, std::stop_token stop);

  Status AskFor(const pi::HttpRequest& request, Decode decode, int attempts_max);
  uint64_t Enqueue(pi::HttpRequest request, Decode decode, int attempts_max);
  std::optional<Answer> Pump();
  void StartWhatMay();
  void Start(Attempt attempt, std::shared_ptr<Turn> turn);
  std::optional<UtcTime> NextLook() const;
  std::optional<Answer> Take(Decoded decoded);
  std::optional<Answer> TakeFailure(Attempt attempt, Error error, Duration retry_after);
  plan::SourceState StateFor(const Attempt& attempt, UtcTime now) const;
  Server& ServerWith(const Series& series);
  void NoteAnswer();
  void AskCanary();
  Decoded DecodeOne(Body body);
  void DecodeLoop(const std::stop_token& stop);
  double Random() { return std::uniform_real_distribution<>(0, 1)(random_); }

  SourceOptions options_;
  Progress& progress_;
  std::stop_token stop_;
  std::shared_ptr<Throttle> throttle_;

  // Touched by the owner's thread only.
  std::array<std::deque<Attempt>, plan::kLanes> waiting_;
  std::multimap<UtcTime, Attempt> delayed_;
  std::unordered_map<uint64_t, Attempt> in_flight_;
  std::deque<Answer> ready_;          // came while something else was asked for
  std::optional<UtcTime> ask_again_;  // when the throttle may let one more in
  uint64_t next_own_id_;
  std::optional<uint64_t> canary_;  // the call that finds out whether the source answers at all
  bool has_answered_ = false;
  UtcTime answered_at_;
  std::optional<UtcTime> silent_since_;
  std::map<std::string, Server, std::less<>> servers_;
  std::string last_witness_;
  bool knows_multiple_ = true;
  std::minstd_rand random_;

  BoundedQueue<Body> bodies_;
  BoundedQueue<Decoded> decoded_;
  std::unique_ptr<pi::HttpLoop> http_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace pilake::pipeline
