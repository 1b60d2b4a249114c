// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard_reader.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/clock.h"
#include "decode/recorded.h"
#include "pi/request.h"

namespace pilake::pipeline {
namespace {

// Rows that may wait behind a call that has not come back yet.
constexpr size_t kWaitingBytesMax = size_t{128} << 20;

TimeRange Hull(const std::vector<plan::Read>& reads) {
  TimeRange hull = reads.front().window;
  for (const plan::Read& read : reads) {
    hull.begin = std::min(hull.begin, read.window.begin);
    hull.end = std::max(hull.end, read.window.end);
  }
  return plan::OnTheWire(hull);
}

pi::RecordedRead OnTheWire(const plan::Read& read, const std::vector<Series>& series,
                           std::string_view filter) {
  const TimeRange wire = plan::OnTheWire(read.window);
  return {.web_id = series[read.series].web_id,
          .begin = wire.begin,
          .end = wire.end,
          .max_count = static_cast<int>(read.max_count),
          .filter = filter};
}

pi::HttpRequest BuildHttp(const plan::Request& request, const std::vector<Series>& series,
                          const std::string& base_url, std::string_view filter) {
  if (request.transport == plan::Transport::kSingle) {
    return pi::BuildRecorded(OnTheWire(request.reads.front(), series, filter));
  }
  if (request.transport == plan::Transport::kBatch) {
    std::vector<pi::RecordedRead> reads;
    reads.reserve(request.reads.size());
    for (const plan::Read& read : request.reads) reads.push_back(OnTheWire(read, series, filter));
    return pi::BuildRecordedBatch(base_url, reads);
  }
  std::vector<std::string_view> web_ids;
  web_ids.reserve(request.reads.size());
  for (const plan::Read& read : request.reads) web_ids.push_back(series[read.series].web_id);
  const TimeRange wire = Hull(request.reads);
  return pi::BuildRecordedSet(web_ids, wire.begin, wire.end,
                              static_cast<int>(request.reads.front().max_count), filter);
}

/// How the answer to `request` is read; the series must outlive the call.
std::function<Result<Pages>(std::string)> DecoderOf(const plan::Request& request,
                                                    const std::vector<Series>& series) {
  if (request.transport == plan::Transport::kSingle) {
    return [type = series[request.reads.front().series].type](std::string body) -> Result<Pages> {
      ASSIGN_OR_RETURN(decode::SeriesPage page, decode::DecodeRecorded(std::move(body), type));
      Pages pages;
      pages.push_back(std::move(page));
      return pages;
    };
  }
  if (request.transport == plan::Transport::kBatch) {
    std::vector<PointType> types;
    types.reserve(request.reads.size());
    for (const plan::Read& read : request.reads) types.push_back(series[read.series].type);
    return [types = std::move(types)](std::string body) {
      return decode::DecodeRecordedBatch(std::move(body), types);
    };
  }
  std::vector<decode::Wanted> wanted;
  wanted.reserve(request.reads.size());
  for (const plan::Read& read : request.reads) {
    wanted.push_back({.web_id = series[read.series].web_id, .type = series[read.series].type});
  }
  return [wanted = std::move(wanted)](std::string body) {
    return decode::DecodeRecordedSet(std::move(body), wanted);
  };
}

plan::Shape ShapeOf(plan::Transport transport) {
  switch (transport) {
    case plan::Transport::kSingle:
      return plan::Shape::kSingle;
    case plan::Transport::kSet:
      return plan::Shape::kSet;
    case plan::Transport::kBatch:
      return plan::Shape::kBatch;
  }
  return plan::Shape::kOther;
}

bool IsDivisible(const plan::Request& request) {
  return request.reads.size() > 1 || plan::HalvesInTime(request.reads.front()).size() > 1;
}

}  // namespace

plan::Instant LastInstant(const Rows& rows) {
  size_t begin = rows.last - 1;
  while (begin > rows.first && rows.events.ticks[begin - 1] == rows.events.ticks[rows.last - 1])
    --begin;
  return plan::InstantOf(rows.events, begin, rows.last);
}

ShardReader::ShardReader(Source& source, const std::vector<Series>& series,
                         std::vector<float>& density, plan::PackLimits limits, Progress& progress)
    : source_(source), series_(series), density_(density), limits_(limits), progress_(progress) {}

Result<std::vector<TaskOutcome>> ShardReader::Read(plan::Shard shard, const RowSink& sink,
                                                   plan::Lane lane) {
  lane_ = lane;
  outcomes_.clear();
  entries_.clear();
  asked_.clear();
  waiting_bytes_ = 0;
  outcomes_.reserve(shard.tasks.size());
  for (const plan::Task& task : shard.tasks) {
    outcomes_.push_back(
        {.series = task.series, .read = task.range, .last_instant = {}, .failure = {}});
  }
  wanted_.reserve(outcomes_.size());
  for (const TaskOutcome& outcome : outcomes_) wanted_.push_back(outcome.read);
  packer_.emplace(std::move(shard.tasks), limits_);
  began_ = SteadyNow();

  Status status;
  for (Fill(); status && !asked_.empty(); Fill()) {
    auto answer = source_.Next();
    assert(answer);  // There are open calls, so there is an answer.
    status = Take(std::move(*answer));
    if (status && !HandOn(sink)) status = Fail(ErrorKind::kCancelled, "the rows were not taken");
  }
  // Of many series that is memory which whoever takes the outcomes can use.
  packer_.reset();
  wanted_ = decltype(wanted_)();  // `{}` would keep it
  if (status) return std::move(outcomes_);
  source_.Abandon();
  return tl::unexpected(std::move(status).error());
}

Result<std::vector<TaskOutcome>> ShardReader::ReadFiltered(plan::Shard shard,
                                                           std::string_view filter,
                                                           const RowSink& sink, plan::Lane lane) {
  // In the URL of a set the filter takes the room of some WebIDs: encoded, it is three times as
  // long at most.
  constexpr size_t kWebIdBytes = 32;
  const uint32_t set_series_max = limits_.set_series_max;
  const auto fewer = static_cast<uint32_t>(filter.size() * 3 / kWebIdBytes + 1);
  limits_.set_series_max -= std::min(fewer, set_series_max - 1);
  filter_ = filter;
  auto outcomes = Read(std::move(shard), sink, lane);
  filter_ = {};
  limits_.set_series_max = set_series_max;
  return outcomes;
}

void ShardReader::Fill() {
  while (source_.open_calls() < source_.in_flight_max()) {
    auto entry = std::ranges::find(entries_, Entry::State::kToAsk, &Entry::state);
    if (entry == entries_.end()) {
      auto request = packer_->Next(density_, SteadyNow() - began_);
      if (!request) return;
      InsertToAsk(entries_.end(), std::move(*request));
      continue;
    }
    const bool others_wait_for_it = entry == entries_.begin();
    if (waiting_bytes_ > kWaitingBytesMax && !others_wait_for_it) return;
    Ask(entry);
  }
}

/// Adds the reads of `request` whose tasks have not failed yet; false if there are none.
bool ShardReader::InsertToAsk(Entries::iterator before, plan::Request request, Entry::State state) {
  const size_t given_up = std::erase_if(request.reads, [&](const plan::Read& read) {
    return OutcomeOf(read.series, read.window.begin).failure.has_value();
  });
  if (request.reads.empty()) return false;
  if (given_up > 0 && request.reads.size() == 1) request.transport = plan::Transport::kSingle;
  entries_.insert(before, {.state = state, .request = std::move(request)});
  return true;
}

void ShardReader::Ask(Entries::iterator entry) {
  const std::vector<plan::Read>& reads = entry->request.reads;
  double events = 0;
  for (const plan::Read& read : reads) {
    const double estimate =
        static_cast<double>(density_[read.series]) * read.window.length().seconds();
    events += std::min(estimate, static_cast<double>(read.max_count));
  }
  const uint64_t id = next_id_++;
  entry->state = Entry::State::kAsked;
  asked_.emplace(id, entry);
  source_.Send({.id = id,
                .request = BuildHttp(entry->request, series_, source_.url(), filter_),
                .load = {.calls = 1,
                         .series_reads = static_cast<double>(reads.size()),
                         .events = events,
                         .shape = ShapeOf(entry->request.transport)},
                .decode = DecoderOf(entry->request, series_),
                .lane = lane_,
                .is_divisible = IsDivisible(entry->request),
                .tries = entry->request.tries,
                .is_again = entry->request.is_again});
}

Status ShardReader::Take(Answer answer) {
  const auto found = asked_.find(answer.id);
  if (found == asked_.end()) return tl::unexpected(std::move(answer.pages).error());  // stopped
  const auto entry = found->second;
  asked_.erase(found);
  const auto next = std::next(entry);
  const bool is_held = next != entries_.end() && next->state == Entry::State::kHeld;
  const Status status =
      answer.pages ? TakePages(entry, std::move(*answer.pages)) : TakeFailure(entry, answer);
  if (status && is_held) {
    // One series is asked before it is judged; of several, one is at fault.
    if (answer.pages && next->request.reads.size() > 1) {
      InsertInHalves(next, next->request);
    } else {
      InsertToAsk(next, std::move(next->request));
    }
    entries_.erase(next);
  }
  entries_.erase(entry);
  return status;
}

/// Puts what the pages bring in front of `entry`, which then goes.
Status ShardReader::TakePages(Entries::iterator entry, Pages pages) {
  const std::vector<plan::Read>& reads = entry->request.reads;
  if (pages.size() != reads.size()) {
    return Fail(ErrorKind::kInternal, "{} pages for {} reads", pages.size(), reads.size());
  }
  const bool is_shared = reads.size() > 1;
  std::vector<plan::Read> refused;  // for the moment, one beside the other
  for (size_t i = 0; i < reads.size(); ++i) {
    const plan::Read& read = reads[i];
    if (OutcomeOf(read.series, read.window.begin).failure) continue;
    if (!pages[i].failure) {
      InsertAgain(entry, std::exchange(refused, {}));
      RETURN_IF_ERROR(TakePage(entry, read, std::move(pages[i])));
      continue;
    }
    const Error& error = *pages[i].failure;
    const plan::Request alone = plan::Alone(read);
    switch (plan::NextStep({.kind = error.kind,
                            .attempt = entry->request.tries.attempt,
                            .series = 1,
                            .is_divisible = is_shared || IsDivisible(alone)})) {
      case plan::Step::kWait:
        refused.push_back(read);
        break;
      case plan::Step::kSplit:
        InsertAgain(entry, std::exchange(refused, {}));
        if (is_shared) {
          InsertToAsk(entry, alone);
        } else {
          InsertInHalves(entry, alone);
        }
        break;
      case plan::Step::kSeparate:
      case plan::Step::kLeaveOut:
        RETURN_IF_ERROR(TakeSeriesFailure(read, error));
        break;
      case plan::Step::kStop:
        return Annotate(error, series_[read.series].name);
    }
  }
  InsertAgain(entry, std::move(refused));
  return {};
}

Status ShardReader::TakePage(Entries::iterator entry, const plan::Read& read,
                             decode::SeriesPage page) {
  auto verdict = plan::JudgePage(read, page.events, limits_.items_max);
  if (!verdict) return TakeSeriesFailure(read, verdict.error());
  source_.Served(series_[read.series]);
  Learn(read, *verdict);
  if (verdict->first < verdict->last) {
    Rows rows{.series = read.series,
              .events = std::move(page.events),
              .first = verdict->first,
              .last = verdict->last,
              .is_begin = IsBegin(read)};
    waiting_bytes_ += Bytes(rows);
    entries_.insert(entry, {.state = Entry::State::kRows, .rows = std::move(rows)});
  }
  if (verdict->rest) {
    InsertToAsk(entry, {.transport = limits_.only.value_or(plan::Transport::kSingle),
                        .reads = {std::move(*verdict->rest)}});
  }
  return {};
}

/// Puts neighbours of `entry` that were refused for the moment in front of it. A rate limit that
/// counts parts refuses many, and each of them alone would meet it again, so they go together; in
/// halves if nothing of the call came, so that one that fails for ever comes to stand alone.
void ShardReader::InsertAgain(Entries::iterator entry, std::vector<plan::Read> refused) {
  if (refused.empty()) return;
  const plan::Request& request = entry->request;
  const bool is_all = refused.size() == request.reads.size();
  plan::Request again{.transport = request.transport,
                      .reads = std::move(refused),
                      .tries = request.tries,
                      .is_known = request.is_known,
                      .is_again = is_all};
  ++again.tries.attempt;
  if (again.reads.size() == 1) again.transport = plan::Transport::kSingle;
  if (!is_all || again.reads.size() == 1) {
    InsertToAsk(entry, std::move(again));
    return;
  }
  for (plan::Request& half : plan::Halves(again)) InsertToAsk(entry, std::move(half));
}

/// A call that was or would be refused as a whole, in two: half the series each, or half the time.
/// The second waits for what comes of the first, which spares many calls (see Entry::State), and
/// all but the first of them where a series gives nothing for however short a time.
void ShardReader::InsertInHalves(Entries::iterator before, const plan::Request& request) {
  std::vector<plan::Request> halves;
  if (request.reads.size() > 1) {
    halves = plan::Halves(request);
  } else {
    for (plan::Read& half : plan::HalvesInTime(request.reads.front())) {
      halves.push_back(plan::Alone(std::move(half)));
      halves.back().tries = request.tries;
    }
  }
  // A series that stands alone now may still be given for a shorter time.
  constexpr int kAttemptsLeft = 3;
  for (plan::Request& half : halves) {
    if (half.reads.size() == 1 && request.reads.size() > 1) {
      half.tries.attempt = std::min(half.tries.attempt, plan::kAttemptsMax - kAttemptsLeft);
    }
  }
  bool must_wait = false;
  for (plan::Request& half : halves) {
    const auto state = must_wait ? Entry::State::kHeld : Entry::State::kToAsk;
    must_wait = InsertToAsk(before, std::move(half), state) || must_wait;
  }
}

Status ShardReader::TakeFailure(Entries::iterator entry, const Answer& answer) {
  const Error& error = answer.pages.error();
  plan::Request& request = entry->request;
  request.tries = answer.tries;
  request.is_again = false;
  switch (answer.step) {
    case plan::Step::kSplit:
      if (error.kind == ErrorKind::kTooLarge && request.reads.size() > 1) {
        for (plan::Request& half : plan::Halves(request)) InsertToAsk(entry, std::move(half));
      } else {
        InsertInHalves(entry, request);
      }
      return {};
    case plan::Step::kSeparate:
      return Separate(entry);
    case plan::Step::kLeaveOut:
      for (const plan::Read& read : request.reads) RETURN_IF_ERROR(TakeSeriesFailure(read, error));
      return {};
    case plan::Step::kWait:
    case plan::Step::kStop:
      break;
  }
  return tl::unexpected(error);
}

/// Some series of the call are at fault: the source may say which, else they are found by halves.
Status ShardReader::Separate(Entries::iterator entry) {
  plan::Request& request = entry->request;
  std::vector<std::string_view> web_ids;
  web_ids.reserve(request.reads.size());
  for (const plan::Read& read : request.reads) web_ids.push_back(series_[read.series].web_id);
  bool any_is_unknown = false;
  if (!request.is_known) {
    if (const auto unknown = source_.WhichAreUnknown(web_ids)) {
      for (size_t i = 0; i < unknown->size(); ++i) {
        if (!(*unknown)[i]) continue;
        any_is_unknown = true;
        RETURN_IF_ERROR(TakeSeriesFailure(request.reads[i], *(*unknown)[i]));
      }
    }
  }
  request.is_known = true;
  if (any_is_unknown) {
    InsertToAsk(entry, request);
  } else {
    InsertInHalves(entry, request);
  }
  return {};
}

Status ShardReader::TakeSeriesFailure(const plan::Read& read, const Error& error) {
  const bool is_conflict = error.kind == ErrorKind::kConflict;
  const bool is_anchor = read.expected && read.expected->is_anchor;
  if (is_conflict && !is_anchor) return Annotate(error, series_[read.series].name);
  TaskOutcome& outcome = OutcomeOf(read.series, read.window.begin);
  outcome.read.end = std::min(outcome.read.end, read.window.begin);
  if (outcome.failure) return {};
  outcome.failure = error;
  return is_conflict ? Status() : source_.LeaveOut(series_[read.series], error);
}

bool ShardReader::HandOn(const RowSink& sink) {
  while (!entries_.empty() && entries_.front().state == Entry::State::kRows) {
    Rows rows = std::move(entries_.front().rows);
    entries_.pop_front();
    waiting_bytes_ -= Bytes(rows);
    const UtcTime begin = rows.events.time(rows.first);
    TaskOutcome& outcome = OutcomeOf(rows.series, begin);
    if (begin >= outcome.read.end) continue;  // behind a window that failed
    outcome.last_instant = LastInstant(rows);
    progress_.rows_read += static_cast<int64_t>(rows.last - rows.first);
    if (!sink(std::move(rows))) return false;
  }
  return true;
}

/// What a page shows of the series' density counts half, what was believed before the other half;
/// of a short time it counts less, since a burst says little of the hours around it.
void ShardReader::Learn(const plan::Read& read, const plan::PageVerdict& verdict) {
  const UtcTime end = verdict.rest ? verdict.rest->window.begin : read.window.end;
  const double seconds = (end - read.window.begin).seconds();
  if (seconds <= 0) return;
  constexpr double kShort = 60;
  const double weight = std::min(0.5, seconds / (seconds + kShort));
  const double seen = static_cast<double>(verdict.last - verdict.first) / seconds;
  float& density = density_[read.series];
  density = std::max(kDensityMin, static_cast<float>(std::lerp(density, seen, weight)));
}

/// Whether nothing of the task was asked for before `read`.
bool ShardReader::IsBegin(const plan::Read& read) {
  const auto task = &OutcomeOf(read.series, read.window.begin) - outcomes_.data();
  return read.window.begin == wanted_[static_cast<size_t>(task)].begin;
}

TaskOutcome& ShardReader::OutcomeOf(uint32_t series, UtcTime at) {
  auto outcome = std::ranges::lower_bound(outcomes_, series, {}, &TaskOutcome::series);
  assert(outcome != outcomes_.end() && outcome->series == series);
  auto next = std::next(outcome);
  while (next != outcomes_.end() && next->series == series &&
         wanted_[static_cast<size_t>(next - outcomes_.begin())].begin <= at) {
    outcome = next++;
  }
  return *outcome;
}

}  // namespace pilake::pipeline
