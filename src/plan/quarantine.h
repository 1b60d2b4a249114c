// SPDX-License-Identifier: Apache-2.0
// Quarantine: a series that cannot be read now, why, since when, and when it is tried again.
#pragma once

#include <string>
#include <string_view>

#include "core/boxed.h"
#include "core/time.h"

namespace pilake::plan {

/// Stands beside the coverage of a series. It says nothing about rows: a series in quarantine keeps
/// all that the table has of it.
struct Quarantine {
  std::string tag;     ///< as the series was called at the last failure
  std::string reason;  ///< in words, of the last failure; the beginning of a long one
  UtcTime since;       ///< the first failure of this quarantine
  int attempts = 1;    ///< failures of it so far
  UtcTime next_try;

  bool operator==(const Quarantine&) const = default;
};

/// After the first failure in the next run, for most of them pass; then in an hour, in six, and
/// once a day.
UtcTime NextTry(int attempts, UtcTime now);

/// The quarantine of the series `tag` that failed at `now`; `before` is the one it was in, if any.
Quarantine Quarantined(const Boxed<Quarantine>& before, std::string_view tag,
                       std::string_view reason, UtcTime now);

/// Whether a series in `quarantine` is to be asked for at `now`. Also after a clock that went back.
/// Runs that begin each hour, but not to the second, find due what waits for an hour.
constexpr bool IsDue(const Quarantine& quarantine, UtcTime now) {
  return now + Duration::Minutes(5) >= quarantine.next_try || now < quarantine.since;
}

}  // namespace pilake::plan
