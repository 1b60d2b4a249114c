// SPDX-License-Identifier: Apache-2.0
#include "pipeline/explain.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "plan/name_mask.h"

namespace pilake::pipeline {
namespace {

// How far around the instant something is looked for. The first is the microsecond that the column
// `timestamp` shows.
constexpr std::array<Duration, 4> kAround{Duration::Micros(1), Duration::Seconds(1),
                                          Duration::Hours(1), Duration::Days(1)};

class Explainer {
 public:
  Explainer(const PullOptions& options, const Clock& clock, Progress& progress,
            std::stop_token stop)
      : run_{.options = options, .clock = clock, .progress = progress, .stop = std::move(stop)} {}

  Result<Explanation> Do(const std::string& tag, UtcTime time) {
    RETURN_IF_ERROR(Begin(run_, Opening::kExisting));
    const auto series = std::ranges::find_if(
        run_.series, [&](const Series& one) { return plan::MatchesMask(one.name, tag); });
    if (series == run_.series.end()) {
      return Fail(ErrorKind::kInvalid,
                  "the configuration selects no point '{}' that the source shows to us: "
                  "`pilake discover` lists what it selects",
                  tag);
    }
    const auto i = static_cast<uint32_t>(series - run_.series.begin());
    Explanation found{.tag = series->path, .web_id = series->web_id, .coverage = run_.Covered(i)};
    found.now = run_.report.now;
    for (const Duration around : kAround) {
      const bool is_exact = around == kAround.front();
      found.window = {is_exact ? time : time - around, time + around};
      RETURN_IF_ERROR(Read(i, found));
      if (!found.archive.empty() || found.table.size() > 0 || !found.unreadable.empty()) break;
    }
    Reason(time, found);
    return found;
  }

 private:
  Status Read(uint32_t i, Explanation& found) {
    found.archive.Clear();
    ShardReader reader(*run_.source, run_.series, run_.density, run_.limits, run_.progress);
    const auto take = [&](const Rows& rows) {
      found.archive.Append(rows.events, rows.first, rows.last);
      return true;
    };
    plan::Shard shard;
    shard.tasks.push_back({.series = i, .range = found.window});
    ASSIGN_OR_RETURN(const auto outcomes, reader.Read(std::move(shard), take, plan::Lane::kLook));
    if (outcomes.front().failure) found.unreadable = outcomes.front().failure->message;
    ASSIGN_OR_RETURN(
        found.table,
        run_.ledger->table().ReadRows(
            {.where = {.web_ids = delta::WebIdRange::Only(found.web_id), .range = found.window}}));
    return {};
  }

  void Reason(UtcTime time, Explanation& found) const {
    auto& because = found.because;
    const plan::SeriesCoverage& covered = found.coverage;
    const auto say = [&because]<typename... Args>(fmt::format_string<Args...> format,
                                                  Args&&... args) {
      because.push_back(fmt::format(format, std::forward<Args>(args)...));
    };
    if (!found.unreadable.empty()) say("PI does not tell: {}", found.unreadable);
    if (covered.held) {
      say("the series is held since {}: its last covered row did not come back, and nothing of it "
          "was changed since",
          FormatUtcTime(*covered.held));
    }
    const auto through = covered.through();
    if (!through) {
      say("nothing of this series is final yet: it has fewer than two events, or was never read");
    } else if (time >= *through) {
      say("that time is not final yet (final before {}): what stands there is in the tail and may "
          "still change; the newest event waits for the next one, and everything for {} to settle",
          FormatUtcTime(*through), DescribeDuration(run_.options.settle));
    } else if (plan::Overlaps(covered.ranges, {time, time + Duration::Ticks(1)})) {
      say("that time is covered: it was read and is final");
    } else if (time < run_.options.history_from) {
      say("that time is before history.from ({})", FormatUtcTime(run_.options.history_from));
    } else {
      say("that time was not read yet: the backfill comes to it");
    }
    for (const plan::Look& look : covered.looks) {
      if (!look.range.contains(time)) continue;
      say("it is doubtful ({}) and will be looked at again at {}", Name(look.reason),
          FormatUtcTime(look.due));
    }
    if (covered.looked && through && time < *through) {
      if (time < *covered.looked) {
        say("it was read twice, or was old already when it was read");
      } else {
        say("it will be read a second time once it is {} old",
            DescribeDuration(run_.options.second_look.after));
      }
    }
  }

  Run run_;
};

}  // namespace

Result<Explanation> Explain(const PullOptions& options, const std::string& tag, UtcTime time,
                            const Clock& clock, Progress& progress, std::stop_token stop) {
  return Explainer(options, clock, progress, std::move(stop)).Do(tag, time);
}

}  // namespace pilake::pipeline
