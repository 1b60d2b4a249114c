// SPDX-License-Identifier: Apache-2.0
// PI's timestamps at the speed of the wire: fixed positions, and a day that is looked up once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.h"

namespace pilake::decode {

/// Reads times that mostly fall on the same day as the one before. Not for use by two threads.
class TimeReader {
 public:
  /// Reads `yyyy-MM-ddTHH:mm:ss[.f…]Z` with 1 to 7 digits, the form PI writes, and returns its end;
  /// null for every other form. Reads up to 28 bytes from `text`; each byte taken is checked, so a
  /// zero byte ends any text.
  const char* ReadFixed(const char* text, UtcTime& time);

  /// As ParseUtcTime, for any form.
  std::optional<UtcTime> Read(std::string_view text);

 private:
  bool ReadDay(const char* text);

  std::array<char, 10> day_{'1', '9', '7', '0', '-', '0', '1', '-', '0', '1'};  // read last
  int64_t day_ticks_ = 0;
};

}  // namespace pilake::decode
