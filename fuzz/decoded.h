// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of `decode` share: an input's first byte chooses the point type, and both ways
// of reading must agree on the rest.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decode/recorded_paths.h"

namespace pilake::decode {

inline PointType TypeOf(uint8_t byte) {
  return static_cast<PointType>(byte % 11);
}

/// Columns of one length, texts inside the text, kinds and numbers that belong together.
inline void CheckEvents(const Events& events) {
  const size_t rows = events.size();
  if (events.number.size() != rows || events.kind.size() != rows || events.flags.size() != rows ||
      events.text_end.size() != rows) {
    std::abort();
  }
  uint32_t text_end = 0;
  for (size_t i = 0; i < rows; ++i) {
    if (events.text_end[i] < text_end) std::abort();
    text_end = events.text_end[i];
    const ValueKind kind = events.kind[i];
    const bool has_number = kind == ValueKind::kFloat || kind == ValueKind::kInt ||
                            kind == ValueKind::kDigital || kind == ValueKind::kSystem;
    const bool has_text =
        kind != ValueKind::kFloat && kind != ValueKind::kInt && kind != ValueKind::kNull;
    if (!has_number && events.number[i] != 0) std::abort();
    if (!has_text && !events.text_at(i).empty()) std::abort();
  }
  if (text_end != events.text.size()) std::abort();
}

inline void CheckSame(const SeriesPage& quick, const SeriesPage& general) {
  if (quick.failure || general.failure || quick.events.size() != general.events.size())
    std::abort();
  for (size_t i = 0; i < quick.events.size(); ++i) {
    if (!SameEvent(quick.events, i, general.events, i)) std::abort();
  }
}

inline void Check(const std::optional<SeriesPage>& quick, const Result<SeriesPage>& general) {
  if (general) CheckEvents(general->events);
  if (!quick) return;
  if (!general) std::abort();
  CheckSame(*quick, *general);
}

inline void Check(const std::optional<std::vector<SeriesPage>>& quick,
                  const Result<std::vector<SeriesPage>>& general) {
  if (general) {
    for (const SeriesPage& page : *general) CheckEvents(page.events);
  }
  if (!quick) return;
  if (!general || quick->size() != general->size()) std::abort();
  for (size_t i = 0; i < quick->size(); ++i) CheckSame((*quick)[i], (*general)[i]);
}

}  // namespace pilake::decode
