// SPDX-License-Identifier: Apache-2.0
#include "pipeline/part_writer.h"

#include <utility>

#include "pipeline/reading.h"
#include "pipeline/shard_reader.h"
#include "pipeline/shard_signs.h"
#include "pipeline/shard_writer.h"
#include "plan/quarantine.h"

namespace pilake::pipeline {
namespace {

// How often a part is read again because the archive changed under the reading.
constexpr int kAttemptsMax = 4;

class PartWriting {
 public:
  PartWriting(const PullOptions& options, const Part& part, const Clock& clock,
              std::stop_token stop)
      : options_(WithShare(options, part.share)),
        part_(part),
        clock_(clock),
        stop_(std::move(stop)),
        signs_(part.now) {}

  Result<WrittenPart> Do() {
    ASSIGN_OR_RETURN(const auto source, Source::Open(options_.source, progress_, stop_));
    ASSIGN_OR_RETURN(const auto table,
                     delta::Table::Open(options_.table.url, options_.table.store));
    ShardWriter writer(*table, part_.series, static_cast<int64_t>(options_.rows_per_shard),
                       clock_.Now(), stop_);
    ExpectStretches();
    std::vector<float> density = part_.density;
    ShardReader reader(*source, part_.series, density, part_.limits, progress_);
    ASSIGN_OR_RETURN(const auto outcomes, Read(reader, writer));
    WrittenPart written;
    if (!writer.EndShard()) return tl::unexpected(writer.TakeShard().error());
    ASSIGN_OR_RETURN(ShardFiles files, writer.TakeShard());
    written.files = std::move(files.body);
    written.coverage = CoverageOf(outcomes);
    return written;
  }

 private:
  void ExpectStretches() {
    for (const PartStretch& stretch : part_.stretches) {
      signs_.Expect(stretch.series, stretch.range, std::nullopt,
                    static_cast<double>(part_.density[stretch.series]));
    }
  }

  Result<std::vector<TaskOutcome>> Read(ShardReader& reader, ShardWriter& writer) {
    const auto take = [&](Rows rows) {
      signs_.Take(rows);
      return writer.Append(std::move(rows));
    };
    for (int attempt = 1;; ++attempt) {
      auto outcomes = reader.Read(ShardOf(part_), take, plan::Lane::kBackfill);
      if (outcomes || outcomes.error().kind != ErrorKind::kConflict) return outcomes;
      if (attempt == kAttemptsMax)
        return Fail(ErrorKind::kTransient, "{}", outcomes.error().message);
      writer.DropShard();  // the archive changed while we read: the rows cannot be trusted
      signs_.StartAgain();
    }
  }

  plan::Coverage CoverageOf(const std::vector<TaskOutcome>& outcomes) {
    plan::Coverage coverage;
    for (const TaskOutcome& outcome : outcomes) {
      const Series& series = part_.series[outcome.series];
      if (!outcome.read.empty()) {
        plan::Advance advance{
            .web_id = series.web_id, .range = outcome.read, .last_instant = outcome.last_instant};
        signs_.Tell(outcome.series, advance);
        plan::Apply(coverage, advance);
      }
      if (outcome.failure) {
        coverage[series.web_id].quarantine =
            plan::Quarantined({}, series.path, outcome.failure->message, part_.now);
      }
    }
    return coverage;
  }

  const PullOptions options_;
  const Part& part_;
  const Clock& clock_;
  const std::stop_token stop_;
  Progress progress_;
  ShardSigns signs_;
};

}  // namespace

Result<WrittenPart> WritePart(const PullOptions& options, const Part& part, const Clock& clock,
                              std::stop_token stop) {
  return PartWriting(options, part, clock, std::move(stop)).Do();
}

}  // namespace pilake::pipeline
