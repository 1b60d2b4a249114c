// SPDX-License-Identifier: Apache-2.0
// Health: what the rows of a table tell of the plant and the historian behind them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/events.h"
#include "core/time.h"

namespace pilake::plan {

/// One series over a window, from its rows in whatever order.
struct SeriesHealth {
  int64_t rows = 0;
  int64_t bad = 0;      ///< of these: system states, errors, rows flagged as not good
  int64_t outages = 0;  ///< of these: states that say that no data came from the plant
  UtcTime first{std::numeric_limits<int64_t>::max()};
  UtcTime last{std::numeric_limits<int64_t>::min()};
  std::optional<uint64_t> value;  ///< fingerprint of a good row
  bool varies = false;            ///< Good rows differ.

  void Take(const Events& events, size_t row);

  /// In events per second; 0 for fewer than two rows.
  double density() const;
  /// From one event to the next on average; 0 for fewer than two rows.
  Duration usual_gap() const;
  /// Many good rows, all of one value: a transmitter that froze.
  bool is_flat() const;
  /// Silent up to `now` for much longer than is its way.
  bool is_stale(UtcTime now) const;
};

/// How old rows were when they came into the table.
class Ages {
 public:
  /// The last bucket holds all that is older.
  static constexpr std::array<Duration, 9> kBounds{
      Duration::Minutes(1), Duration::Minutes(5), Duration::Minutes(15),
      Duration::Hours(1),   Duration::Hours(2),   Duration::Hours(6),
      Duration::Hours(24),  Duration::Hours(48),  Duration::Hours(7 * 24)};
  static constexpr size_t kBuckets = kBounds.size() + 1;

  void Take(Duration age);

  int64_t count(size_t bucket) const { return counts_[bucket]; }
  int64_t rows() const;

 private:
  std::array<int64_t, kBuckets> counts_{};
};

}  // namespace pilake::plan
