// SPDX-License-Identifier: Apache-2.0
// Events as columns: what `decode` makes of a page, `plan` compares and `delta` writes.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace pilake {

/// What a value is; the table's `value_kind` in the same words.
enum class ValueKind : uint8_t {
  kFloat,
  kInt,
  kString,
  kDigital,
  kSystem,
  kTimestamp,
  kBlob,
  kArray,
  kNull,
  kError,
};
std::string_view Name(ValueKind kind);

/// The four status flags of an event, two bits each: said at all, and what was said.
struct Flags {
  static constexpr uint8_t kGood = 0, kQuestionable = 1, kSubstituted = 2, kAnnotated = 3;
  uint8_t bits = 0;

  constexpr void Set(uint8_t flag, bool value) {
    bits = static_cast<uint8_t>((bits & ~(3u << flag * 2)) | (value ? 3u : 1u) << flag * 2);
  }
  constexpr bool Said(uint8_t flag) const { return (bits >> flag * 2 & 1) != 0; }
  constexpr bool Value(uint8_t flag) const { return (bits >> flag * 2 & 2) != 0; }
  constexpr bool operator==(const Flags&) const = default;
};

/// Events of one series in the order in which the server told them, one row an index.
///
/// `number[i]` holds, by `kind[i]`: the bits of the double (kFloat), the integer (kInt), or the
/// code of the state (kDigital, kSystem); 0 otherwise. Text (state names, strings, raw JSON of
/// errors) stands in `text`, row i's part ending at `text_end[i]`.
struct Events {
  std::vector<int64_t> ticks;  ///< 100-ns ticks since 1970
  std::vector<int64_t> number;
  std::vector<uint32_t> text_end;
  std::vector<ValueKind> kind;
  std::vector<Flags> flags;
  std::string text;

  size_t size() const { return ticks.size(); }
  bool empty() const { return ticks.empty(); }
  UtcTime time(size_t i) const { return {ticks[i]}; }
  double float_at(size_t i) const { return std::bit_cast<double>(number[i]); }
  std::string_view text_at(size_t i) const {
    const uint32_t begin = i == 0 ? 0 : text_end[i - 1];
    return std::string_view(text).substr(begin, text_end[i] - begin);
  }
  size_t bytes() const;  ///< Memory held, for queues that are bounded in bytes.

  void Append(UtcTime time, ValueKind value_kind, int64_t value, std::string_view value_text,
              Flags value_flags);
  /// Rows `[begin, end)` of `other`.
  void Append(const Events& other, size_t begin, size_t end);
  void Reserve(size_t rows);
  void Clear();
};

/// True if row `i` of `a` and row `j` of `b` are the same event: time, kind, value, text and flags.
/// NaN equals NaN of the same bits.
bool SameEvent(const Events& a, size_t i, const Events& b, size_t j);

/// A digest of row `i` for comparing it with a later read without keeping it: kind, value and text
/// (state), not the flags that people change (annotations).
uint64_t Fingerprint(const Events& events, size_t i);

}  // namespace pilake
