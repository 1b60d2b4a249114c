// SPDX-License-Identifier: Apache-2.0
#include "pipeline/probe.h"

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <utility>

#include "decode/news.h"
#include "decode/recorded.h"
#include "pi/request.h"
#include "plan/failure.h"

namespace pilake::pipeline {
namespace {

// Events asked of each series: two show A and S, the others how dense the series is of late.
constexpr int kNewestCount = 12;

using Which = std::vector<uint32_t>;

/// One way of asking many series at once.
struct Question {
  std::function<pi::HttpRequest(std::span<const std::string_view>)> build;
  std::function<Result<Pages>(std::string, std::span<const decode::Wanted>)> decode;
  std::function<void(uint32_t series, const decode::SeriesPage& page)> take;
  /// Of a series that cannot be asked, and why.
  std::function<void(uint32_t series, const Error& error)> leave_out = [](uint32_t, const Error&) {
  };
  double events_each = 1;
  bool reads_archive = true;
  plan::Shape shape = plan::Shape::kValues;
  plan::Lane lane = plan::Lane::kIncrement;
};

/// Asks a question of all series, as many a call as a URL carries. Where a call fails as a whole,
/// the series that make it fail are found and left out, each with its reason.
class BulkAsker {
 public:
  BulkAsker(Source& source, const std::vector<Series>& series, const Question& question)
      : source_(source), series_(series), question_(question) {}

  Status AskAll(const Which& which) {
    const size_t open_max = source_.in_flight_max() * 2;
    std::span<const uint32_t> rest(which);
    while (!rest.empty() || !asked_.empty()) {
      if (!rest.empty() && fresh_ < open_max) {
        const auto some = rest.first(Fitting(rest));
        rest = rest.subspan(some.size());
        Ask({.which = {some.begin(), some.end()}});
        continue;
      }
      auto answer = source_.Next();
      const auto found = asked_.find(answer->id);
      if (found == asked_.end()) return tl::unexpected(std::move(answer->pages).error());
      const Group group = std::move(found->second);
      asked_.erase(found);
      if (group.is_fresh()) --fresh_;
      RETURN_IF_ERROR(answer->pages ? Take(group, *answer->pages) : TakeFailure(group, *answer));
    }
    return {};
  }

 private:
  /// The series of one call.
  struct Group {
    Which which;
    bool is_known = false;  ///< The source knows all of them: that was asked apart.
    plan::Tries tries{};
    /// The other half of a group that was refused: not asked before this half is answered, for if
    /// this one is not refused, that one is.
    Which held{};
    bool is_again = false;  ///< All of a group were refused for the moment; this asks again.

    bool is_fresh() const { return tries.attempt == 1; }
  };

  size_t Fitting(std::span<const uint32_t> which) const {
    return pi::WebIdsThatFit(source_.url(),
                             WebIds(which.first(std::min<size_t>(which.size(), 400))));
  }

  std::vector<std::string_view> WebIds(std::span<const uint32_t> which) const {
    std::vector<std::string_view> web_ids;
    for (const uint32_t i : which) web_ids.push_back(series_[i].web_id);
    return web_ids;
  }

  void Ask(Group group) {
    std::vector<decode::Wanted> wanted;
    for (const uint32_t i : group.which) {
      wanted.push_back({.web_id = series_[i].web_id, .type = series_[i].type});
    }
    const auto count = static_cast<double>(group.which.size());
    const uint64_t id = next_id_++;
    if (group.is_fresh()) ++fresh_;
    source_.Send({.id = id,
                  .request = question_.build(WebIds(group.which)),
                  .load = {.calls = 1,
                           .series_reads = question_.reads_archive ? count : 0,
                           .events = count * question_.events_each,
                           .shape = question_.shape},
                  .series = group.which.size(),
                  .decode = [wanted = std::move(wanted), decode = question_.decode](
                                std::string body) { return decode(std::move(body), wanted); },
                  .lane = question_.lane,
                  .is_divisible = group.which.size() > 1,
                  .tries = group.tries,
                  .is_again = group.is_again});
    asked_.emplace(id, std::move(group));
  }

  Status Take(const Group& group, const Pages& pages) {
    Which again;
    for (size_t k = 0; k < group.which.size() && k < pages.size(); ++k) {
      const uint32_t i = group.which[k];
      if (!pages[k].failure) {
        question_.take(i, pages[k]);
        source_.Served(series_[i]);
        continue;
      }
      const plan::Step step = plan::NextStep({.kind = pages[k].failure->kind,
                                              .attempt = group.tries.attempt,
                                              .series = 1,
                                              .is_divisible = group.which.size() > 1});
      if (step == plan::Step::kStop) return tl::unexpected(*pages[k].failure);
      if (step == plan::Step::kWait || step == plan::Step::kSplit) {
        again.push_back(i);
      } else {
        RETURN_IF_ERROR(LeaveOut(i, *pages[k].failure));
      }
    }
    AskAgain(std::move(again), group);
    if (!group.held.empty()) {
      AskInHalves({.which = group.held, .is_known = group.is_known, .tries = group.tries});
    }
    return {};
  }

  /// Asks for those that were refused for the moment: together, but in two calls if that was the
  /// whole group, so that one that fails for ever comes to stand alone.
  void AskAgain(Which again, const Group& group) {
    if (again.empty()) return;
    Group next{.which = std::move(again), .is_known = group.is_known, .tries = group.tries};
    ++next.tries.attempt;
    next.is_again = next.which.size() == group.which.size();
    if (!next.is_again || next.which.size() == 1) return Ask(std::move(next));
    auto [left, right] = Halves(next);
    Ask(std::move(left));
    Ask(std::move(right));
  }

  Status TakeFailure(const Group& group, const Answer& answer) {
    const Error& error = answer.pages.error();
    const Group failed{.which = group.which, .is_known = group.is_known, .tries = answer.tries};
    switch (answer.step) {
      case plan::Step::kSplit:
        if (error.kind == ErrorKind::kTooLarge) {
          auto [left, right] = Halves(failed);
          Ask(std::move(left));
          Ask(std::move(right));
        } else {
          AskInHalves(failed);
        }
        break;
      case plan::Step::kSeparate:
        RETURN_IF_ERROR(Separate(failed));
        break;
      case plan::Step::kLeaveOut:
        for (const uint32_t i : group.which) RETURN_IF_ERROR(LeaveOut(i, error));
        break;
      case plan::Step::kWait:
      case plan::Step::kStop:
        return tl::unexpected(error);
    }
    if (!group.held.empty()) {
      Ask({.which = group.held, .is_known = group.is_known, .tries = group.tries});
    }
    return {};
  }

  /// Some of the group are at fault: the source may say which, else they are found by halves.
  Status Separate(Group group) {
    if (!group.is_known) {
      group.is_known = true;
      if (const auto unknown = source_.WhichAreUnknown(WebIds(group.which))) {
        Which rest;
        for (size_t k = 0; k < group.which.size(); ++k) {
          if ((*unknown)[k]) {
            RETURN_IF_ERROR(LeaveOut(group.which[k], *(*unknown)[k]));
          } else {
            rest.push_back(group.which[k]);
          }
        }
        if (rest.size() < group.which.size()) {
          group.which = std::move(rest);
          if (!group.which.empty()) Ask(std::move(group));
          return {};
        }
      }
    }
    AskInHalves(group);
    return {};
  }

  /// Asks for a group one of which is at fault.
  void AskInHalves(const Group& group) {
    if (group.which.size() == 1) return Ask(group);
    auto [left, right] = Halves(group);
    left.held = std::move(right.which);
    Ask(std::move(left));
  }

  static std::pair<Group, Group> Halves(const Group& group) {
    const auto middle = group.which.begin() + static_cast<std::ptrdiff_t>(group.which.size() / 2);
    Group left = group, right = group;
    left.which.assign(group.which.begin(), middle);
    right.which.assign(middle, group.which.end());
    return {std::move(left), std::move(right)};
  }

  Status LeaveOut(uint32_t i, const Error& error) {
    question_.leave_out(i, error);
    return source_.LeaveOut(series_[i], error);
  }

  Source& source_;
  const std::vector<Series>& series_;
  const Question& question_;
  std::map<uint64_t, Group> asked_;
  size_t fresh_ = 0;  // of those; they do not wait for others that are asked again and again
  uint64_t next_id_ = 1;
};

/// A server none of whose series came gives us nothing: that is for a person, and no reason to name
/// them one by one.
Status CheckServers(Source& source, const std::vector<Series>& series, const Which& which,
                    const std::vector<Probed>& probed) {
  struct Count {
    size_t asked = 0, failed = 0;
    uint32_t last = 0;
  };
  std::map<std::string_view, Count> servers;
  for (const uint32_t i : which) {
    Count& count = servers[ServerOf(series[i])];
    ++count.asked;
    if (probed[i].failure) ++count.failed, count.last = i;
  }
  for (const auto& [server, count] : servers) {
    if (!plan::RefusesUs(count.asked, count.failed)) continue;
    return source.Blame(series[count.last], count.failed, *probed[count.last].failure);
  }
  return {};
}

auto NoteFailure(std::vector<Probed>& probed) {
  return [&probed](uint32_t i, const Error& error) { probed[i].failure = error; };
}

using TakePage = std::function<void(uint32_t series, const decode::SeriesPage& page)>;

Question Values(TakePage take) {
  return {
      .build = [](std::span<const std::string_view> web_ids) { return pi::BuildValueSet(web_ids); },
      .decode =
          [](std::string body, std::span<const decode::Wanted> wanted) {
            return decode::DecodeValueSet(std::move(body), wanted);
          },
      .take = std::move(take),
      .events_each = 1,
      .shape = plan::Shape::kValues};
}

/// Newest first, as they were asked for; but believe the times, not the order.
void TakeNewest(const Events& events, Probed& probed) {
  std::vector<int64_t> ticks = events.ticks;
  std::ranges::sort(ticks, std::greater<>());
  probed.newest = {};
  if (!ticks.empty()) probed.newest.last = UtcTime{ticks[0]};
  if (ticks.size() > 1) probed.newest.previous = UtcTime{ticks[1]};
  if (ticks.size() < 2) return;
  const Duration span = UtcTime{ticks.front()} - UtcTime{ticks.back()};
  probed.density = DensityOf(ticks.size() - 1, span).value_or(probed.density);
}

}  // namespace

std::optional<float> DensityOf(size_t gaps, Duration span) {
  if (gaps < 2) return std::nullopt;
  // A burst, or many events at one time, says little of the hours around it.
  constexpr double kSecondsMin = 1;
  return static_cast<float>(static_cast<double>(gaps) / std::max(span.seconds(), kSecondsMin));
}

Status ProbeSnapshots(Source& source, const std::vector<Series>& series,
                      const std::vector<uint32_t>& which, std::vector<Probed>& probed) {
  Question question = Values([&](uint32_t i, const decode::SeriesPage& page) {
    if (page.events.empty()) return;
    probed[i].snapshot = plan::Snapshot{page.events.time(0), Fingerprint(page.events, 0)};
  });
  question.leave_out = NoteFailure(probed);
  RETURN_IF_ERROR(BulkAsker(source, series, question).AskAll(which));
  return CheckServers(source, series, which, probed);
}

Status AskValues(Source& source, const std::vector<Series>& series,
                 const std::vector<uint32_t>& which,
                 const std::function<void(uint32_t series, const Events& event)>& take) {
  Question question = Values([&](uint32_t i, const decode::SeriesPage& page) {
    if (!page.events.empty()) take(i, page.events);
  });
  question.lane = plan::Lane::kLive;
  return BulkAsker(source, series, question).AskAll(which);
}

Status Register(Source& source, const std::vector<Series>& series,
                const std::vector<uint32_t>& which,
                const std::function<void(uint32_t series, const std::string& marker)>& take) {
  const Question question{
      .build = [](std::span<const std::string_view> web_ids) { return pi::BuildRegister(web_ids); },
      .decode =
          [](std::string body, std::span<const decode::Wanted> wanted) {
            return decode::DecodeRegistrations(std::move(body), wanted);
          },
      .take = [&](uint32_t i, const decode::SeriesPage& page) { take(i, page.marker); },
      .events_each = 0,
      .reads_archive = false,
      .shape = plan::Shape::kOther,
      .lane = plan::Lane::kLive};
  return BulkAsker(source, series, question).AskAll(which);
}

Status ProbeNewest(Source& source, const std::vector<Series>& series,
                   const std::vector<uint32_t>& which, UtcTime until, std::vector<Probed>& probed) {
  const Question question{
      .build =
          [until](std::span<const std::string_view> web_ids) {
            return pi::BuildNewest(web_ids, until, kNewestCount);
          },
      .decode =
          [](std::string body, std::span<const decode::Wanted> wanted) {
            return decode::DecodeRecordedSet(std::move(body), wanted);
          },
      .take = [&](uint32_t i,
                  const decode::SeriesPage& page) { TakeNewest(page.events, probed[i]); },
      .leave_out = NoteFailure(probed),
      .events_each = kNewestCount,
      .shape = plan::Shape::kSet};
  return BulkAsker(source, series, question).AskAll(which);
}

}  // namespace pilake::pipeline
