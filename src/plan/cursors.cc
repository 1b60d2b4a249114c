// SPDX-License-Identifier: Apache-2.0
#include "plan/cursors.h"

#include <algorithm>
#include <limits>

namespace pilake::plan {
namespace {

constexpr char kFormat = 1;

// Numbers in groups of seven bits, the lowest first; signed ones so that small ones stay short.
void PutNumber(std::string& to, uint64_t number) {
  for (; number >= 0x80; number >>= 7) to.push_back(static_cast<char>(number | 0x80));
  to.push_back(static_cast<char>(number));
}
void PutSigned(std::string& to, int64_t number) {
  PutNumber(to, (static_cast<uint64_t>(number) << 1) ^ static_cast<uint64_t>(number >> 63));
}

class Parser {
 public:
  explicit Parser(std::string_view bytes) : rest_(bytes) {}

  Result<uint64_t> Number() {
    uint64_t number = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      number |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
    return Fail(ErrorKind::kMalformed, "a number ends in the middle");
  }

  Result<int64_t> Signed() {
    ASSIGN_OR_RETURN(const uint64_t number, Number());
    return static_cast<int64_t>((number >> 1) ^ (~(number & 1) + 1));
  }

  Result<std::string_view> Text() {
    ASSIGN_OR_RETURN(const uint64_t length, Number());
    if (length > rest_.size()) return Fail(ErrorKind::kMalformed, "a text ends in the middle");
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return text;
  }

  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

size_t SharedPrefix(std::string_view a, std::string_view b) {
  const auto [end, ignored] = std::ranges::mismatch(a, b);
  return static_cast<size_t>(end - a.begin());
}

int64_t Difference(UtcTime a, UtcTime b) {
  // Unsigned, so that times at the ends of what can be told wrap around and come back.
  return static_cast<int64_t>(static_cast<uint64_t>(a.ticks) - static_cast<uint64_t>(b.ticks));
}
UtcTime Sum(UtcTime a, int64_t difference) {
  return {static_cast<int64_t>(static_cast<uint64_t>(a.ticks) + static_cast<uint64_t>(difference))};
}

}  // namespace

std::string EncodeCursors(const Cursors& cursors) {
  std::string bytes(1, kFormat);
  PutSigned(bytes, cursors.looked.ticks);
  std::string_view before;
  UtcTime at = cursors.looked;
  for (const auto& [web_id, through] : cursors.through) {
    const size_t shared = SharedPrefix(before, web_id);
    PutNumber(bytes, shared);
    PutNumber(bytes, web_id.size() - shared);
    bytes.append(web_id, shared);
    PutSigned(bytes, Difference(through, at));
    before = web_id;
    at = through;
  }
  return bytes;
}

Result<Cursors> DecodeCursors(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return Fail(ErrorKind::kMalformed, "cursors of a format that this version does not know");
  Parser parser(bytes.substr(1));
  Cursors cursors;
  ASSIGN_OR_RETURN(cursors.looked.ticks, parser.Signed());
  std::string web_id;
  UtcTime at = cursors.looked;
  while (!parser.AtEnd()) {
    ASSIGN_OR_RETURN(const uint64_t shared, parser.Number());
    ASSIGN_OR_RETURN(const std::string_view rest, parser.Text());
    if (shared > web_id.size()) return Fail(ErrorKind::kMalformed, "a WebID shares too much");
    const std::string next = web_id.substr(0, shared) + std::string(rest);
    if (!cursors.through.empty() && next <= web_id)
      return Fail(ErrorKind::kMalformed, "WebIDs out of order");
    ASSIGN_OR_RETURN(const int64_t difference, parser.Signed());
    web_id = next;
    at = Sum(at, difference);
    cursors.through.emplace_hint(cursors.through.end(), web_id, at);
  }
  return cursors;
}

namespace {

/// What one series has to give.
struct Stretch {
  UtcTime begin, end;
  double density;
};

double EventsUpTo(const std::vector<Stretch>& stretches, UtcTime border) {
  double events = 0;
  for (const Stretch& one : stretches) {
    const UtcTime end = std::min(one.end, border);
    if (one.begin < end) events += (end - one.begin).seconds() * one.density;
  }
  return events;
}

/// The latest instant up to which there are no more than `events_max`, but beyond the first of all.
UtcTime Border(const std::vector<Stretch>& stretches, double events_max) {
  constexpr UtcTime kEnd{std::numeric_limits<int64_t>::max()};
  if (events_max <= 0 || EventsUpTo(stretches, kEnd) <= events_max) return kEnd;
  UtcTime low = kEnd, high{std::numeric_limits<int64_t>::min()};
  for (const Stretch& one : stretches) {
    low = std::min(low, one.begin);
    high = std::max(high, one.end);
  }
  // A second at least, so that the work goes on whatever the densities say.
  low = low + Duration::Seconds(1);
  while (high - low > Duration::Millis(100)) {
    const UtcTime middle = low + (high - low) / 2;
    (EventsUpTo(stretches, middle) <= events_max ? low : high) = middle;
  }
  return low;
}

}  // namespace

std::map<std::string, UtcTime, std::less<>> NextThrough(std::span<const StreamEnd> series,
                                                        UtcTime history_from, double events_max) {
  std::vector<Stretch> stretches;
  for (const StreamEnd& one : series) {
    const UtcTime begin = one.from.value_or(history_from);
    if (one.through && begin < *one.through)
      stretches.push_back({begin, *one.through, static_cast<double>(one.density)});
  }
  const UtcTime border = Border(stretches, events_max);
  std::map<std::string, UtcTime, std::less<>> through;
  for (const StreamEnd& one : series) {
    const UtcTime begin = one.from.value_or(history_from);
    const bool moves = one.through && begin < *one.through && begin < border;
    if (moves) {
      through.emplace(one.web_id, std::min(*one.through, border));
    } else if (one.from) {
      through.emplace(one.web_id, *one.from);
    }
  }
  return through;
}

}  // namespace pilake::plan
