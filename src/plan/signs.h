// SPDX-License-Identifier: Apache-2.0
// Signs: what the rows of a read say of how far they can be trusted, as looks to be made later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/events.h"
#include "core/time.h"
#include "plan/look.h"

namespace pilake::plan {

/// True for a system state that says that no data came from the plant: what was buffered meanwhile
/// returns behind it (wire §6.3).
bool IsOutageState(std::string_view name);

/// Reads the rows of one series over one window, in the order of time, for signs.
class Signs {
 public:
  /// `outage`: since when the series shows an outage state, as the read before left it. `density`
  /// in events per second, as far as it is known.
  Signs(TimeRange window, std::optional<UtcTime> outage, double density)
      : window_(window), outage_(outage), density_(density) {}

  /// Rows `[first, last)`; calls follow one another in time.
  void Take(const Events& events, size_t first, size_t last);

  /// What is to be looked at again, as seen at `now`. Once.
  std::vector<Look> Looks(UtcTime now) const;

  /// An outage that had not ended.
  std::optional<UtcTime> outage() const { return outage_; }

 private:
  /// Of one kind; neighbours melt.
  struct Stretches {
    std::vector<TimeRange> ranges{};
    int64_t last_row = 0;  // where the last one ends

    /// From the row `begins_in` to the row `ends_in`, counted from the first that was read.
    void Add(TimeRange range, int64_t begins_in, int64_t ends_in);
  };

  void TakeGap(TimeRange gap);

  TimeRange window_;
  std::optional<UtcTime> outage_;
  double density_;
  std::optional<UtcTime> created_;  // a row `Pt Created`
  Stretches outages_;               // that have ended
  Stretches errors_;
  int64_t rows_ = 0;        // so far
  int64_t outage_row_ = 0;  // where the outage began that has not ended
  std::optional<UtcTime> previous_;
  TimeRange longest_gap_{};
  Duration second_gap_{};
};

/// Counts the events of all series of a read by time, to see when all of them were silent at once.
class Activity {
 public:
  explicit Activity(TimeRange window);

  /// A series is read over `range`, and shows `density` events per second as a rule.
  void Expect(TimeRange range, double density);

  void Take(const Events& events, size_t first, size_t last);

  /// Stretches with hardly an event although at least `kSilenceEvents` were to be expected: an
  /// archive file that is not mounted, a server that stood. With N expected the chance that none
  /// comes by itself is e^-N.
  std::vector<TimeRange> Silences() const;

 private:
  static constexpr size_t kBuckets = 512;
  size_t BucketOf(UtcTime time) const;

  TimeRange window_;
  Duration width_;
  std::vector<uint32_t> counts_;
  std::vector<double> rates_;  // differences from bucket to bucket, in events per bucket
};

/// Events that would have to be missing before silence is out of character.
inline constexpr double kSilenceEvents = 200;

}  // namespace pilake::plan
