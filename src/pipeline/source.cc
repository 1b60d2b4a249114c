// SPDX-License-Identifier: Apache-2.0
#include "pipeline/source.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "decode/catalog.h"

namespace pilake::pipeline {
namespace {

using Sign = plan::CallEnd::Sign;

// Bodies that wait for a decoder, and columns that wait for the owner. Each holds a few pages.
constexpr size_t kBodiesBytesMax = size_t{96} << 20;
constexpr size_t kDecodedBytesMax = size_t{96} << 20;

// Ids of our own calls begin here; those of the owner stay below.
constexpr uint64_t kFirstOwnId = uint64_t{1} << 63;

size_t Bytes(const Pages& pages) {
  size_t bytes = 0;
  for (const decode::SeriesPage& page : pages) bytes += sizeof(page) + page.events.bytes();
  return bytes;
}

double CountEvents(const Pages& pages) {
  double events = 0;
  for (const decode::SeriesPage& page : pages) events += static_cast<double>(page.events.size());
  return events;
}

/// What an answer says about the load that the server bears.
Sign SignOf(const Result<Pages>& pages, long status) {
  constexpr long kUnavailable = 503;
  if (pages) {
    const bool is_throttled = std::ranges::any_of(*pages, [](const decode::SeriesPage& page) {
      return page.failure && page.failure->kind == ErrorKind::kThrottled;
    });
    return is_throttled ? Sign::kThrottled : Sign::kGood;
  }
  switch (pages.error().kind) {
    case ErrorKind::kThrottled:
      return Sign::kThrottled;
    case ErrorKind::kTimedOut:
      return Sign::kLate;
    case ErrorKind::kUnreachable:
      return Sign::kOverloaded;
    default:
      return status == kUnavailable ? Sign::kOverloaded : Sign::kBad;
  }
}

/// Reads the value of the one series `web_id`; that it is not given is a failure of all.
std::function<Result<Pages>(std::string)> DecoderOfWitness(std::string web_id) {
  return [web_id = std::move(web_id)](std::string body) -> Result<Pages> {
    const decode::Wanted wanted[] = {{.web_id = web_id}};
    ASSIGN_OR_RETURN(Pages pages, decode::DecodeValueSet(std::move(body), wanted));
    if (pages.front().failure) return tl::unexpected(std::move(*pages.front().failure));
    return pages;
  };
}

Result<Pages> DecodeService(std::string body) {
  const auto status = decode::DecodeSystemStatus(std::move(body));
  if (!status) return tl::unexpected(status.error());
  return Pages();
}

size_t SeriesOf(const Call& call) {
  return call.series > 0 ? call.series : static_cast<size_t>(call.load.series_reads);
}

/// Whether a failure is an answer of PI Web API to what was asked.
bool IsAnswered(ErrorKind kind) {
  return kind == ErrorKind::kNotFound || kind == ErrorKind::kRefused ||
         kind == ErrorKind::kTooLarge;
}

}  // namespace

Result<std::unique_ptr<Source>> Source::Open(SourceOptions options, Progress& progress,
                                             std::stop_token stop,
                                             std::shared_ptr<Throttle> throttle) {
  if (!throttle) throttle = std::make_shared<Throttle>(options.budget, options.throttle);
  options.http.connections_max = throttle->in_flight_max();
  ASSIGN_OR_RETURN(auto http, pi::HttpLoop::Make(options.http));
  return std::unique_ptr<Source>(new Source(std::move(options), std::move(http),
                                            std::move(throttle), progress, std::move(stop)));
}

Source::Source(SourceOptions options, std::unique_ptr<pi::HttpLoop> http,
               std::shared_ptr<Throttle> throttle, Progress& progress, std::stop_token stop)
    : options_(std::move(options)),
      progress_(progress),
      stop_(std::move(stop)),
      throttle_(std::move(throttle)),
      next_own_id_(kFirstOwnId),
      random_(std::random_device{}()),
      bodies_(kBodiesBytesMax),
      decoded_(kDecodedBytesMax),
      http_(std::move(http)) {
  threads_.emplace_back([this](const std::stop_token& own) { http_->Run(own); });
  for (int i = 0; i < kDecodeThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& own) { DecodeLoop(own); });
  }
}

Source::~Source() {
  bodies_.Close();
  decoded_.Close();
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

size_t Source::open_calls() const {
  size_t calls = ready_.size() + delayed_.size() + in_flight_.size();
  for (const auto& lane : waiting_) calls += lane.size();
  return calls;
}

Status Source::AskFor(const pi::HttpRequest& request, Decode decode, int attempts_max) {
  const uint64_t id = Enqueue(request, std::move(decode), attempts_max);
  for (;;) {
    auto answer = Pump();
    if (stop_.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
    if (!answer) continue;
    if (answer->id != id) {
      ready_.push_back(std::move(*answer));
    } else if (answer->pages) {
      return {};
    } else {
      return tl::unexpected(std::move(answer->pages).error());
    }
  }
}

/// Takes in a call of our own, which goes out before those that wait already.
uint64_t Source::Enqueue(pi::HttpRequest request, Decode decode, int attempts_max) {
  const uint64_t id = next_own_id_++;
  waiting_[static_cast<size_t>(plan::Lane::kIncrement)].push_front(
      {.call = {.id = id,
                .request = std::move(request),
                .load = {.calls = 1},
                .decode = std::move(decode)},
       .attempts_max = attempts_max});
  return id;
}

void Source::Send(Call call) {
  if (call.is_again) {
    constexpr int kLongest = 4;  // it is halved meanwhile, each time with a pause
    const int retry = std::clamp(call.tries.attempt - 1, 1, kLongest);
    const Duration pause = plan::RetryPause(options_.first_pause, retry, Random());
    delayed_.emplace(SteadyNow() + pause, Attempt{.call = std::move(call)});
  } else {
    auto& lane = waiting_[static_cast<size_t>(call.lane)];
    lane.push_back({.call = std::move(call)});
  }
  StartWhatMay();
}

void Source::StartWhatMay() {
  const UtcTime now = SteadyNow();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    Attempt attempt = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    waiting_[static_cast<size_t>(attempt.call.lane)].push_front(std::move(attempt));
  }
  ask_again_.reset();
  for (size_t i = 0; i < plan::kLanes; ++i) {
    const auto lane = static_cast<plan::Lane>(i);
    while (!waiting_[i].empty()) {
      Throttle::Reply reply = throttle_->Ask(lane, waiting_[i].front().call.load);
      if (!reply.turn) {
        ask_again_ = std::min(ask_again_.value_or(reply.ask_again), reply.ask_again);
        break;
      }
      Attempt attempt = std::move(waiting_[i].front());
      waiting_[i].pop_front();
      if (waiting_[i].empty()) throttle_->Withdraw(lane);
      Start(std::move(attempt), std::move(reply.turn));
    }
  }
  if (throttle_->is_paused()) silent_since_.reset();  // it is us who are silent
  throttle_->Show(progress_);
}

void Source::Start(Attempt attempt, std::shared_ptr<Turn> turn) {
  const uint64_t id = attempt.call.id;
  const UtcTime now = SteadyNow();
  attempt.sent = now;
  if (!attempt.call.tries.since) attempt.call.tries.since = now;
  progress_.calls += 1;
  progress_.series_reads += static_cast<int64_t>(attempt.call.load.series_reads);
  auto done = [this, id, now, turn = std::move(turn),
               decode = attempt.call.decode](Result<pi::HttpResponse> response) {
    const size_t bytes = response ? response->body.capacity() : 0;
    // At most `in_flight` bodies are ever on their way, so this waits only for a decoder.
    bodies_.Push({id, std::move(response), decode, turn, now}, bytes, stop_);
  };
  pi::HttpRequest request = attempt.call.request;
  in_flight_.emplace(id, std::move(attempt));
  http_->Send(std::move(request), std::move(done));
}

void Source::DecodeLoop(const std::stop_token& stop) {
  while (auto body = bodies_.Pop(stop)) {
    Decoded decoded = DecodeOne(std::move(*body));
    const size_t bytes = decoded.pages ? Bytes(*decoded.pages) : 0;
    decoded_.Push(std::move(decoded), bytes, stop);
  }
}

Source::Decoded Source::DecodeOne(Body body) {
  Decoded decoded{.id = body.id, .pages = Pages{}, .retry_after = {}};
  plan::CallEnd end{.took = SteadyNow() - body.sent, .retry_after = {}};
  long status = 0;
  if (body.response) {
    status = body.response->status;
    decoded.retry_after = end.retry_after = body.response->retry_after;
    end.took = body.response->total_time;
    progress_.wire_bytes += body.response->wire_bytes;
  }
  auto judged = pi::Judge(std::move(body.response));
  decoded.pages = judged ? body.decode(std::move(judged->body))
                         : Result<Pages>(tl::unexpected(std::move(judged).error()));
  if (judged && !decoded.pages) {
    decoded.pages = Annotate(std::move(decoded.pages).error(), judged->url);
  }
  if (decoded.pages) end.events = CountEvents(*decoded.pages);
  end.sign = SignOf(decoded.pages, status);
  body.turn->Finish(end);  // here, so that our own slowness is not taken for the server's
  progress_.events += static_cast<int64_t>(end.events);
  return decoded;
}

/// When there may be something to do although no answer came.
std::optional<UtcTime> Source::NextLook() const {
  std::optional<UtcTime> look = ask_again_;
  if (!delayed_.empty()) {
    look = std::min(look.value_or(delayed_.begin()->first), delayed_.begin()->first);
  }
  return look;
}

/// Waits for whatever comes first: an answer, or a call that may start. One answer, if one is
/// there to be given out.
std::optional<Answer> Source::Pump() {
  StartWhatMay();
  const auto look = NextLook();
  auto decoded = look ? decoded_.PopUntil(SteadyPoint(*look), stop_) : decoded_.Pop(stop_);
  if (!decoded || stop_.stop_requested()) return std::nullopt;
  return Take(std::move(*decoded));
}

std::optional<Answer> Source::Next() {
  while (open_calls() > 0) {
    if (!ready_.empty()) {
      Answer answer = std::move(ready_.front());
      ready_.pop_front();
      return answer;
    }
    auto answer = Pump();
    if (stop_.stop_requested()) {
      return Answer{0, Fail(ErrorKind::kCancelled, "stopped before the run was done")};
    }
    if (answer) return answer;
  }
  return std::nullopt;
}

void Source::Abandon() {
  for (size_t i = 0; i < plan::kLanes; ++i) {
    waiting_[i].clear();
    throttle_->Withdraw(static_cast<plan::Lane>(i));
  }
  delayed_.clear();
  ready_.clear();
  canary_.reset();
  while (!in_flight_.empty()) {
    const auto decoded = decoded_.Pop(stop_);
    if (!decoded) return;
    in_flight_.erase(decoded->id);
  }
}

std::optional<Answer> Source::Take(Decoded decoded) {
  const auto found = in_flight_.find(decoded.id);
  Attempt attempt = std::move(found->second);
  in_flight_.erase(found);
  if (decoded.pages || IsAnswered(decoded.pages.error().kind)) NoteAnswer();
  if (canary_ == decoded.id) {
    canary_.reset();
    return std::nullopt;
  }
  if (decoded.pages) return Answer{decoded.id, std::move(decoded.pages)};
  return TakeFailure(std::move(attempt), std::move(decoded.pages).error(),
                     decoded.retry_after.value_or(Duration{}));
}

std::optional<Answer> Source::TakeFailure(Attempt attempt, Error error, Duration retry_after) {
  const UtcTime now = SteadyNow();
  retry_after = std::min(retry_after, plan::kRetryAfterMax);
  if (!silent_since_ && !IsAnswered(error.kind)) silent_since_ = now;
  if (retry_after > Duration{}) silent_since_ = now + retry_after;  // so long it is us who are
  const Call& call = attempt.call;
  const int number = call.tries.attempt + attempt.retries;
  const plan::SourceState state = StateFor(attempt, now);
  const plan::Step step = plan::NextStep({.kind = error.kind,
                                          .attempt = number,
                                          .series = SeriesOf(call),
                                          .is_divisible = call.is_divisible,
                                          .source = state});
  const bool is_only_one = attempt.attempts_max == 1;
  const bool is_last = attempt.attempts_max > 0 && number >= attempt.attempts_max &&
                       state != plan::SourceState::kSilent;
  if (step != plan::Step::kWait || is_only_one || is_last) {
    if (step == plan::Step::kStop && state == plan::SourceState::kGone) {
      error = {ErrorKind::kUnreachable,
               fmt::format("the source has given no good answer for {}: {}",
                           DescribeDuration(options_.patience), error.message)};
    }
    return Answer{call.id, tl::unexpected(std::move(error)), step, {number + 1, attempt.sent}};
  }
  // Nothing else tells a source that is away from a call that it cannot bear.
  const bool is_doubtful =
      error.kind == ErrorKind::kTimedOut ||
      number >= (call.is_divisible ? plan::kSharedAttemptsMax : plan::kAttemptsMax);
  if (state == plan::SourceState::kSilent && is_doubtful) AskCanary();

  progress_.retries += 1;
  attempt.retries += 1;
  const Duration pause =
      std::max(plan::RetryPause(options_.first_pause, attempt.retries, Random()), retry_after);
  delayed_.emplace(now + pause, std::move(attempt));
  return std::nullopt;
}

plan::SourceState Source::StateFor(const Attempt& attempt, UtcTime now) const {
  if (!has_answered_) return plan::SourceState::kNew;
  if (answered_at_ > *attempt.call.tries.since) return plan::SourceState::kAnswers;
  const bool is_gone = silent_since_ && now - *silent_since_ >= options_.patience;
  return is_gone ? plan::SourceState::kGone : plan::SourceState::kSilent;
}

void Source::NoteAnswer() {
  has_answered_ = true;
  answered_at_ = SteadyNow();
  silent_since_.reset();
}

/// Asks for what was to be had before: the value of a series, or else the service's own state.
void Source::AskCanary() {
  if (canary_) return;
  if (last_witness_.empty()) {
    canary_ = Enqueue(pi::BuildSystemStatus(), DecodeService, 1);
    return;
  }
  const std::string_view web_ids[] = {last_witness_};
  canary_ = Enqueue(pi::BuildValueSet(web_ids), DecoderOfWitness(last_witness_), 1);
}

Source::Server& Source::ServerWith(const Series& series) {
  const auto found = servers_.find(ServerOf(series));
  return found != servers_.end() ? found->second : servers_[std::string(ServerOf(series))];
}

void Source::Served(const Series& series) {
  Server& server = ServerWith(series);
  server.streak.Came();
  server.witness = last_witness_ = series.web_id;
}

Status Source::LeaveOut(const Series& series, const Error& error) {
  Server& server = ServerWith(series);
  if (!server.streak.Failed() || server.witness.empty()) return {};
  const std::string_view web_ids[] = {server.witness};
  const Status asked =
      AskFor(pi::BuildValueSet(web_ids), DecoderOfWitness(server.witness), plan::kAttemptsMax);
  if (asked || asked.error().kind == ErrorKind::kCancelled) return asked;
  return Blame(series, plan::Streak::kDoubtedAfter, error);
}

tl::unexpected<Error> Source::Blame(const Series& series, size_t count, const Error& last) {
  if (!IsAnswered(last.kind)) {
    return Fail(ErrorKind::kUnreachable,
                "{} gave none of {} series in a row; is its archive running? The last: {}",
                ServerOf(series), count, last.message);
  }
  const auto user = Ask(pi::BuildUserInfo(), decode::DecodeUserInfo, 1);
  const std::string who = !user                ? "somebody whom it does not name"
                          : user->name.empty() ? "nobody (anonymous)"
                                               : fmt::format("'{}'", user->name);
  return Fail(ErrorKind::kAuth,
              "{} refused all of {} series in a row. The source takes us for {}: have the PI "
              "administrator look whether that identity may still read them. The last: {}",
              ServerOf(series), count, who, last.message);
}

std::optional<std::vector<std::optional<Error>>> Source::WhichAreUnknown(
    std::span<const std::string_view> web_ids) {
  if (!knows_multiple_) return std::nullopt;
  auto points = Ask(pi::BuildPointsMultiple(web_ids), decode::DecodePointsMultiple);
  if (!points) {
    knows_multiple_ = false;
    return std::nullopt;
  }
  std::map<std::string_view, std::string_view> exceptions;
  for (const decode::AskedPoint& point : *points) {
    if (!point.point) exceptions.emplace(point.identifier, point.exception);
  }
  std::vector<std::optional<Error>> unknown(web_ids.size());
  for (size_t i = 0; i < web_ids.size(); ++i) {
    const auto found = exceptions.find(web_ids[i]);
    if (found == exceptions.end()) continue;
    unknown[i] = Error{ErrorKind::kNotFound, found->second.empty() ? "the source does not know it"
                                                                   : std::string(found->second)};
  }
  return unknown;
}

}  // namespace pilake::pipeline
