// SPDX-License-Identifier: Apache-2.0
// The paging rule: what of a page counts, and what is still to be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/events.h"
#include "core/result.h"
#include "core/time.h"
#include "plan/instant.h"

namespace pilake::plan {

/// What must stand at the beginning of a window.
struct Expected {
  Instant instant;         ///< Its time is the window's begin.
  bool is_anchor = false;  ///< The last covered row: all that stands there. Otherwise what the page
                           ///< before saw at its border: the first events of what stands there.
};

/// One series × one window, as it is asked for.
struct Read {
  uint32_t series = 0;  ///< Index into the run's series.
  TimeRange window;
  uint32_t max_count = 0;
  std::optional<Expected> expected;
  /// Rows before it are in the table already; the read begins earlier to meet its anchor.
  UtcTime keep_from{std::numeric_limits<int64_t>::min()};
};

/// Start and end as they go on the wire. The server compares its own 1/65536-s times, which the
/// rendering moves by up to 50 ns, and both ends are inclusive (wire §5.3, §5.5): so ask from one
/// archive tick earlier and up to `end` itself, and drop by the rendered time what lies outside.
TimeRange OnTheWire(TimeRange window);

/// The `max_count` of the pages that follow one that was cut short grows up to this.
inline constexpr uint32_t kGrownCount = 60'000;

/// What a page means for the read that asked for it.
struct PageVerdict {
  size_t first = 0,
         last = 0;           ///< Rows `[first, last)` of the page are the next rows of the series.
  std::optional<Read> rest;  ///< Still to be read; follows those rows without a gap.
};

/// Judges a page. A page of `max_count` events was cut short, whatever else it says (wire §5.5).
///
/// Why nothing is lost or twice at a page's border: of a cut page only the rows *before* its last
/// time T count; the rest of the window, [T, end), is asked again from T, so however many events
/// share T they all come from one later page, or from one with a larger `max_count` if they fill a
/// page.
///
/// Fails with `kConflict` if what must stand at the begin does not (the archive changed or another
/// archive answers), `kMalformed` if times go backwards, `kTooLarge` if more than `max_count_limit`
/// events share one time.
Result<PageVerdict> JudgePage(const Read& read, const Events& page, uint32_t max_count_limit);

}  // namespace pilake::plan
