// SPDX-License-Identifier: Apache-2.0
// PI time strings: `*`, `*-1d`, `t+8h`, `2026-01-01T00:00:00Z`, … (wire §5.7).
#pragma once

#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace pilake::sim {

/// Reads one. `zone` is the offset of local time from UTC for what names no zone of its own.
///
/// Understood: `*`, `t`/`today`, `y`/`yesterday`, weekdays, ISO 8601 with and without zone or time,
/// each followed by any number of `±<number><unit>` with unit ms, s, m, h, d, w, mo, y or its name,
/// or by one `±hh:mm[:ss[.fff]]`. Nothing or only an interval means from `now`. `kInvalid` for the
/// rest, among it what a .NET culture would have guessed.
Result<UtcTime> ParseTimeString(std::string_view text, UtcTime now, Duration zone = {});

/// The offset of a time zone from UTC, for those zones that have one offset all year: `UTC`, `GMT`,
/// `Etc/…`, `±hh:mm`. `kInvalid` for others.
Result<Duration> ParseTimeZone(std::string_view text);

}  // namespace pilake::sim
