// SPDX-License-Identifier: Apache-2.0
// What a run has done so far, for whoever shows it. Written by the run's threads, read by any.
#pragma once

#include <atomic>
#include <cstdint>

namespace pilake::pipeline {

struct Progress {
  std::atomic<const char*> stage{"starting"};  ///< a word or two, of static storage
  std::atomic<int64_t> series{0};              ///< selected
  std::atomic<int64_t> rows_read{0};
  std::atomic<int64_t> rows_committed{0};
  std::atomic<int64_t> calls{0};
  std::atomic<int64_t> series_reads{0};
  std::atomic<int64_t> events{0};  ///< that came over the wire
  std::atomic<int64_t> wire_bytes{0};
  std::atomic<int64_t> retries{0};
  std::atomic<int64_t> rows_expected{0};  ///< estimate of what `rows_read` will come to

  std::atomic<const char*> waiting{nullptr};  ///< why nothing, or not all, may begin; static words
  std::atomic<int> in_flight{0};
  std::atomic<int> in_flight_max{0};               ///< at present; the budget's or fewer
  std::atomic<double> requests_per_second_max{0};  ///< at present; 0: what the budget allows
  std::atomic<double> budget_used{0};              ///< of its rates, lately; 1 is all of it
};

}  // namespace pilake::pipeline
