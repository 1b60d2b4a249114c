// SPDX-License-Identifier: Apache-2.0
// One event, as far as tests of what a client sees look; for tests only.
#pragma once

#include <compare>
#include <ostream>
#include <string>

#include "core/time.h"
#include "sim/event_json.h"

namespace pilake::sim {

struct Seen {
  UtcTime time;
  std::string value;
  bool substituted = false;
  auto operator<=>(const Seen&) const = default;
};

inline void PrintTo(const Seen& seen, std::ostream* out) {
  *out << FormatUtcTime(seen.time) << " " << seen.value << (seen.substituted ? " S" : "");
}

inline Seen See(const Event& event) {
  Seen seen{event.time, {}, event.substituted};
  AppendValue(event, Readings(), seen.value);
  return seen;
}

}  // namespace pilake::sim
