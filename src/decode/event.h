// SPDX-License-Identifier: Apache-2.0
// One timed value in any shape that JSON allows (wire §6.1); inside `decode` only.
#pragma once

#include <optional>

#include "decode/json.h"
#include "decode/timestamp.h"
#include "decode/value.h"

namespace pilake::decode {

/// An event as it was read. Its text lives as long as the body and the parser's document.
struct Event {
  UtcTime time;
  Value value;
  Flags flags;
  bool is_property_error = false;  ///< `value` comes from the item's `Errors`, not from its `Value`
};

/// Reads one timed value. Damage of the JSON is the returned code; an item that is JSON but cannot
/// be taken, because it has no readable time or tells a member twice, is a `failure`.
simdjson::error_code ReadEvent(od::object object, PointType type, TimeReader& times, Event& event,
                               std::optional<Error>& failure);

}  // namespace pilake::decode
