// SPDX-License-Identifier: Apache-2.0
// For tests: the golden samples of the wire, and events in words.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/events.h"

namespace pilake::decode {

/// `testdata/wire/<name>.json`.
inline std::string Sample(const std::string& name) {
  std::ifstream file(PILAKE_SOURCE_DIR "/testdata/wire/" + name + ".json");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// `G+ Q- S- A-`: each flag that was told.
inline std::string Describe(Flags flags) {
  constexpr std::string_view kLetters = "GQSA";
  std::string text;
  for (uint8_t flag = 0; flag < 4; ++flag) {
    if (!flags.Said(flag)) continue;
    if (!text.empty()) text += ' ';
    text += kLetters[flag];
    text += flags.Value(flag) ? '+' : '-';
  }
  return text;
}

/// `2024-05-01T10:00:00Z float 12.5 | G+`: time, kind, what that kind tells, flags.
inline std::string Describe(const Events& events, size_t i) {
  std::string value;
  switch (events.kind[i]) {
    case ValueKind::kFloat:
      value = fmt::format("{}", events.float_at(i));
      break;
    case ValueKind::kInt:
      value = std::to_string(events.number[i]);
      break;
    case ValueKind::kDigital:
    case ValueKind::kSystem:
      value = fmt::format("{} {}", events.number[i], events.text_at(i));
      break;
    default:
      value = events.text_at(i);
  }
  return fmt::format("{} {} {} | {}", FormatUtcTime(events.time(i)), Name(events.kind[i]), value,
                     Describe(events.flags[i]));
}

inline std::vector<std::string> Describe(const Events& events) {
  std::vector<std::string> lines;
  lines.reserve(events.size());
  for (size_t i = 0; i < events.size(); ++i) lines.push_back(Describe(events, i));
  return lines;
}

}  // namespace pilake::decode
