// SPDX-License-Identifier: Apache-2.0
// Dates and waits for dates go through `Clock`, so that a test can make time pass quickly.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "core/result.h"
#include "core/time.h"

namespace pilake {

/// Safe for use from many threads.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual UtcTime Now() const = 0;

  /// Sleeps until `Now() >= wake` or `stop` is requested; false if it was stopped.
  virtual bool SleepUntil(UtcTime wake, const std::stop_token& stop) const = 0;

  bool SleepFor(Duration span, const std::stop_token& stop) const {
    return SleepUntil(Now() + span, stop);
  }
};

/// Time for pacing calls and bounding waits: it never stands still and never jumps. What a server
/// and a network feel is real time, so this one is not simulated; only differences mean anything.
UtcTime SteadyNow();

/// `time` of `SteadyNow`, for what waits until then.
std::chrono::steady_clock::time_point SteadyPoint(UtcTime time);

/// The machine's clock.
const Clock& SystemClock();

/// A clock that several processes share through a small file, so that a simulator and its client
/// live in the same simulated time. The file holds one line, `BASE RATE REAL`: at the machine's
/// time REAL (ticks since 1970) the simulated time was BASE (ticks), and it runs RATE times as fast
/// as the machine's (0 = frozen, moved by hand). Writers replace the file by rename; it is read
/// again whenever it changed.
Result<std::unique_ptr<Clock>> OpenSharedClock(const std::string& path);

/// Creates or moves the shared clock of `path`.
Status WriteSharedClock(const std::string& path, UtcTime now, double rate);

}  // namespace pilake
