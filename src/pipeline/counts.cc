// SPDX-License-Identifier: Apache-2.0
#include "pipeline/counts.h"

#include <map>
#include <utility>

#include "decode/catalog.h"
#include "pi/request.h"

namespace pilake::pipeline {
namespace {

constexpr size_t kPartsMax = 100;
constexpr int kAttemptsMax = 4;

class Asker {
 public:
  Asker(Source& source, const std::vector<Series>& series, std::span<const CountWindow> windows)
      : source_(source), series_(series), windows_(windows) {}

  Result<std::vector<Result<int64_t>>> Ask() {
    counts_.assign(windows_.size(), Fail(ErrorKind::kInternal, "not asked"));
    attempts_.assign(windows_.size(), 0);
    size_t next = 0;
    while (next < windows_.size() || !asked_.empty()) {
      if (next < windows_.size() && asked_.size() < source_.in_flight_max() * 2) {
        Group group = NextGroup(next);
        next += group.size();
        Send(std::move(group));
        continue;
      }
      auto answer = source_.Next();
      const auto found = asked_.find(answer->id);
      if (found == asked_.end()) return tl::unexpected(std::move(answer->pages).error());
      const Group group = std::move(found->second);
      asked_.erase(found);
      if (answer->pages) {
        Take(group, *answer->pages);
      } else if (answer->step == plan::Step::kStop) {
        source_.Abandon();
        return tl::unexpected(std::move(answer->pages).error());
      } else {
        TakeFailure(group, answer->pages.error());
      }
    }
    return std::move(counts_);
  }

 private:
  /// Windows of one call.
  using Group = std::vector<size_t>;

  Group NextGroup(size_t first) const {
    Group group;
    int64_t events = 0;
    for (size_t k = first; k < windows_.size() && group.size() < kPartsMax; ++k) {
      events += windows_[k].events;
      if (!group.empty() && events > kScannedMax) break;
      group.push_back(k);
    }
    return group;
  }

  void Send(Group group) {
    std::vector<pi::CountRead> reads;
    double events = 0;
    for (const size_t k : group) {
      ++attempts_[k];
      const CountWindow& window = windows_[k];
      // Both ends are inclusive (wire §5.3).
      reads.push_back({.web_id = series_[window.series].web_id,
                       .begin = window.range.begin,
                       .end = window.range.end - Duration::Ticks(1)});
      events += static_cast<double>(window.events);
    }
    const uint64_t id = next_id_++;
    asked_.emplace(id, std::move(group));
    source_.Send({.id = id,
                  .request = pi::BuildCountBatch(source_.url(), reads),
                  // What the server looks at weighs on it as what it delivers.
                  .load = {.calls = 1,
                           .series_reads = static_cast<double>(reads.size()),
                           .events = events,
                           .shape = plan::Shape::kBatch},
                  .decode = [parts = reads.size()](std::string body) -> Result<Pages> {
                    return PagesOf(decode::DecodeCountBatch(std::move(body), parts));
                  },
                  .lane = plan::Lane::kLook,
                  .is_divisible = reads.size() > 1});
  }

  /// Counts travel as pages of one event, whose value is the count.
  static Result<Pages> PagesOf(Result<std::vector<Result<int64_t>>> counts) {
    if (!counts) return tl::unexpected(std::move(counts).error());
    Pages pages(counts->size());
    for (size_t k = 0; k < pages.size(); ++k) {
      if ((*counts)[k]) {
        pages[k].events.Append(UtcTime{}, ValueKind::kInt, *(*counts)[k], "", Flags{});
      } else {
        pages[k].failure = (*counts)[k].error();
      }
    }
    return pages;
  }

  void Take(const Group& group, const Pages& pages) {
    Group again;
    for (size_t part = 0; part < group.size(); ++part) {
      const size_t k = group[part];
      const auto& failure = pages[part].failure;
      if (!failure) {
        counts_[k] = pages[part].events.number.front();
      } else if (MayPass(failure->kind) && attempts_[k] < kAttemptsMax) {
        again.push_back(k);
      } else {
        counts_[k] = tl::unexpected(*failure);
      }
    }
    if (!again.empty()) Send(std::move(again));
  }

  static bool MayPass(ErrorKind kind) {
    return kind == ErrorKind::kTransient || kind == ErrorKind::kThrottled ||
           kind == ErrorKind::kTimedOut;
  }

  /// One of its windows may be at fault, or all are too much at once.
  void TakeFailure(const Group& group, const Error& error) {
    if (group.size() == 1) {
      counts_[group.front()] = tl::unexpected(error);
      return;
    }
    const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
    Send({group.begin(), middle});
    Send({middle, group.end()});
  }

  Source& source_;
  const std::vector<Series>& series_;
  std::span<const CountWindow> windows_;
  std::vector<Result<int64_t>> counts_;
  std::vector<int> attempts_;
  std::map<uint64_t, Group> asked_;
  uint64_t next_id_ = 1;
};

}  // namespace

Result<std::vector<Result<int64_t>>> AskCounts(Source& source, const std::vector<Series>& series,
                                               std::span<const CountWindow> windows) {
  return Asker(source, series, windows).Ask();
}

}  // namespace pilake::pipeline
