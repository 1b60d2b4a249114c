// SPDX-License-Identifier: Apache-2.0
// One PI value: how its JSON is read for a point of a given type (wire §6). No JSON library here:
// the reader of whole documents and the reader of known layouts share these functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/events.h"
#include "core/series.h"

namespace pilake::decode {

/// A value as Events::Append takes it; `text` belongs to the body it was read from.
struct Value {
  ValueKind kind = ValueKind::kNull;
  int64_t number = 0;
  std::string_view text;
};

/// Reads the JSON number at `text` and returns its end. Integers stay exact; Float16 and Float32
/// points get the float32 nearest to the decimal text, widened. Null if no JSON number begins
/// there, or if it is beyond the largest double (float).
///
/// Every byte read is checked, so a text that ends in a zero byte needs no length.
const char* ReadNumber(const char* text, PointType type, Value& value);

/// True if `token` is a number by JSON's grammar, whatever its size.
bool IsNumber(std::string_view token);

/// A JSON string's text, unescaped.
Value TypedString(std::string_view text, PointType type);

/// `true`, `false`, `null`, and the tokens that JSON does not know but a server may write: `NaN`,
/// `Infinity`, `-Infinity`.
std::optional<Value> ReadBareWord(std::string_view token);

/// A digital or system state.
Value TypedState(std::string_view name, int64_t code, bool is_system);

/// What cannot be typed: its JSON text.
Value Untyped(std::string_view raw_json);

}  // namespace pilake::decode
