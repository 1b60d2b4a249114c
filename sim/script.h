// SPDX-License-Identifier: Apache-2.0
// Scripts: what happens to a plant, and when, one scene a line. docs/simulator.md tells the format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "sim/faults.h"
#include "sim/plant.h"

namespace pilake::sim {

inline constexpr UtcTime kBeginningOfTime{INT64_MIN / 2}, kEndOfTime{INT64_MAX / 2};

enum class Verb : uint8_t {
  // Events of tags.
  kInsert,
  kEdit,
  kDelete,
  kError,
  kOutage,
  kQueue,
  kLoad,
  kUnmount,
  kRestore,
  kAlter,
  kExchange,
  // Tags.
  kUnreadable,
  kDeny,
  kAdd,
  kRemove,
  kRename,
  kRecreate,
  kRetype,
  kSet,
  // The server.
  kRelabel,
  kServer,
  kFailover,
  kClock,
  kRestart,
  kFault,
};

/// A value as a script writes it; which kind it is for a point follows from the point's type.
struct WrittenValue {
  enum class Kind : uint8_t { kNone, kNumber, kText, kState };
  Kind kind = Kind::kNone;
  std::string text;  ///< as it was written
};

/// One line. Which members mean something depends on the verb.
struct Scene {
  int line = 0;
  Verb verb = Verb::kInsert;
  /// A name filter (wire §1.5); of `relabel` the set of states, of `clock` whose it is.
  std::string tags;
  int64_t pick = 0;  ///< of the tags that match, so many; 0: all
  uint64_t seed = 0;
  TimeRange when{kBeginningOfTime, kEndOfTime};  ///< by the plant's clock

  // Which events.
  TimeRange events;
  bool one_event = false;  ///< the first at or after `events.begin`
  bool snapshot = false;   ///< the newest
  int64_t count = 0;       ///< so many at random places of `events`
  Duration spread;         ///< of a `count`: not all at once, but over this span
  std::optional<int64_t> nth;
  int64_t times = 1;
  WrittenValue value;
  bool unmarked = false;

  // Outages, queues, members of a collective, restored archives.
  bool buffered = false;
  Duration over;
  std::optional<Duration> lag;
  bool frozen = false, split = false;
  UtcTime backup;

  // Tags and the server.
  Trouble trouble = Trouble::kNone;
  std::optional<UtcTime> history;  ///< when what was before an added point is loaded
  std::optional<UtcTime> again;    ///< when a removed point is made again
  std::optional<std::string> name, set, units, descriptor, source;
  std::optional<float> zero, span;
  PointType type = PointType::kUnknown;
  int64_t code = 0;
  bool moved = false;
  Duration off;  ///< how much a clock is ahead

  // Faults.
  Fault fault = Fault::kNone;
  double rate = 0;
  uint64_t first_call = 0, last_call = UINT64_MAX;
};

/// Scenes in the order of their lines.
using Script = std::vector<Scene>;

/// Reads a script. All that is wrong with it, line by line, is one `kInvalid`.
Result<Script> ParseScript(std::string_view text);
/// The same from a file, which its errors name.
Result<Script> ReadScript(const std::string& path);

}  // namespace pilake::sim
