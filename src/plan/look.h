// SPDX-License-Identifier: Apache-2.0
// Looks: what of a covered series is to be read again, why and when. Doubt never blocks; it waits
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace pilake::plan {

/// Why a covered interval is to be looked at again.
enum class LookReason : uint8_t {
  kOutage,      ///< A run of outage states: data that was buffered meanwhile returns behind it.
  kSilence,     ///< Out of character: an archive file that is not mounted, a dead interface.
  kCreated,     ///< The empty time before a point was created: its history is loaded later.
  kErrorValue,  ///< A value that could not be told.
  kGone,        ///< Rows that the archive did not show: the second look proves it.
  kForeign,     ///< Another engine changed rows there.
  kForecast,    ///< A forecast that has passed: it may have been revised since.
  kHeld,        ///< The last covered row did not come back: an edit, or another archive?
  kOrdered,     ///< A person asked for it.
  kHeard,       ///< A data pipe told of a change there.
};
inline constexpr int kLookReasons = 10;

/// One lower-case word, as in the coverage record and in `status`.
std::string_view Name(LookReason reason);
std::optional<LookReason> ParseLookReason(std::string_view word);

struct Look {
  TimeRange range;
  LookReason reason = LookReason::kOrdered;
  UtcTime due;
  int attempt = 0;    ///< How often it was looked before; kGone: above 0 it waits for a person.
  uint64_t seen = 0;  ///< kGone, kHeld: digest of the rows that were gone at the look before.

  bool operator==(const Look&) const = default;
};

/// The first look for `reason`, seen at `now`.
Look FirstLook(LookReason reason, TimeRange range, UtcTime now);

/// The look that follows `look`, done at `now`; nothing if that was the last. `found`: it brought
/// what it waited for, so that silence has ended. A held series is looked at until it is not.
std::optional<Look> NextLook(const Look& look, UtcTime now, bool found);

/// Adds `look`. Looks that ask for the same at about the same time melt into one, and a series
/// keeps at most `kLooksMax`: beyond that those of one reason melt, so that no doubt is lost and
/// the record stays bounded.
inline constexpr size_t kLooksMax = 32;
void AddLook(std::vector<Look>& looks, const Look& look);

/// How long after it was covered an interval is read a second time if nobody vouched for it, and
/// in slabs of which length: events that came out of order, edits.
struct SecondLook {
  Duration after = Duration::Hours(36);
  Duration slab = Duration::Days(1);
};

/// The part of `covered` that is due for its second look at `now`: from `looked`, before which
/// nothing is due any more, to where events are old enough, once that makes a slab.
std::optional<TimeRange> DueSecondLook(UtcTime looked, UtcTime covered_through, UtcTime now,
                                       const SecondLook& second);

}  // namespace pilake::plan
