// SPDX-License-Identifier: Apache-2.0
#include "plan/paging.h"

#include <algorithm>

namespace pilake::plan {
namespace {

size_t FirstAtOrAfter(const Events& page, UtcTime time) {
  return static_cast<size_t>(std::ranges::lower_bound(page.ticks, time.ticks) - page.ticks.begin());
}

/// The same window, or what is left of it from `begin`, asked for with more events a page.
Result<Read> Grown(const Read& read, UtcTime begin, uint32_t max_count_limit) {
  if (read.max_count >= max_count_limit) {
    return Fail(ErrorKind::kTooLarge,
                "more than {} events at {} in one answer: raise MaxReturnedItemsPerCall of the "
                "PI Web API instance",
                max_count_limit, FormatUtcTime(begin));
  }
  Read grown = read;
  grown.window.begin = std::max(begin, read.window.begin);
  grown.max_count = std::min(max_count_limit, read.max_count * 2);
  return grown;
}

/// Finds the expected events at the begin of the window, which is row `first`.
Status MeetExpected(const Expected& expected, const Events& page, size_t first) {
  const size_t end = FirstAtOrAfter(page, expected.instant.time + Duration::Ticks(1));
  const auto count = static_cast<size_t>(expected.instant.count);
  const bool enough = expected.is_anchor ? end - first == count : end - first >= count;
  if (!enough || InstantOf(page, first, first + count) != expected.instant) {
    return Fail(ErrorKind::kConflict, "what was read at {} does not stand there any more",
                FormatUtcTime(expected.instant.time));
  }
  return {};
}

}  // namespace

TimeRange OnTheWire(TimeRange window) {
  constexpr UtcTime kEarliest{0};  // PI knows no time before 1970 (wire §5.7).
  return {std::max(window.begin - kArchiveTick, std::min(window.begin, kEarliest)), window.end};
}

Result<PageVerdict> JudgePage(const Read& read, const Events& page, uint32_t max_count_limit) {
  if (!std::ranges::is_sorted(page.ticks)) {
    return Fail(ErrorKind::kMalformed, "the events of an answer are not in the order of time");
  }
  const size_t first = FirstAtOrAfter(page, read.window.begin);
  size_t last = FirstAtOrAfter(page, read.window.end);
  std::optional<Read> rest;

  const bool cut_short = page.size() >= read.max_count && last == page.size();
  if (cut_short) {
    const UtcTime border = page.empty() ? read.window.begin : page.time(page.size() - 1);
    const size_t border_row = FirstAtOrAfter(page, border);
    if (border <= read.window.begin || (border_row <= first && !read.expected)) {
      ASSIGN_OR_RETURN(rest, Grown(read, border, max_count_limit));
      return PageVerdict{.first = first, .last = first, .rest = std::move(rest)};
    }
    rest = read;
    rest->window.begin = border;
    rest->max_count =
        std::max(read.max_count, std::min({read.max_count * 4, kGrownCount, max_count_limit}));
    rest->expected = Expected{.instant = InstantOf(page, border_row, page.size())};
    last = border_row;
  }
  if (read.expected) RETURN_IF_ERROR(MeetExpected(*read.expected, page, first));
  const size_t kept = std::max(first, FirstAtOrAfter(page, read.keep_from));
  return PageVerdict{.first = kept, .last = std::max(kept, last), .rest = std::move(rest)};
}

}  // namespace pilake::plan
