// SPDX-License-Identifier: Apache-2.0
// What the tables beside `pi_timeseries` remember: points and digital states, dated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/series.h"
#include "core/time.h"

namespace pilake::plan {

/// When a row says what is so.
struct Dated {
  /// Since when; 1970 in the first row of something, so that every event finds the row of its time.
  UtcTime valid_from;
  std::optional<UtcTime> valid_to;  ///< exclusive; nothing: still so
  UtcTime noticed;                  ///< when it was first seen so

  bool operator==(const Dated&) const = default;
};

enum class PointState : uint8_t {
  kListed,    ///< The source shows it.
  kVanished,  ///< Once selected, and the source does not show it now: deleted, or hidden from us.
  kRetired,   ///< Gone for good; what was read of it stays in the table.
};
std::string_view Name(PointState state);
std::optional<PointState> ParsePointState(std::string_view name);

/// What a point was like for a while. Rows of one point follow each other without gaps.
struct PointRow {
  Series point;
  PointState state = PointState::kListed;
  std::string reason;  ///< why it is not listed; empty if it is
  Dated dated;
};

/// The name of the data server in `\\SERVER\TAG`.
std::string_view ServerOf(std::string_view path);

/// The row that follows `current` (none: `seen` is the first of the point) after `seen` was so at
/// `at`; nothing if nothing changed, or if the table knows something later. `current` ends where
/// its successor begins.
std::optional<PointRow> Successor(const PointRow* current, PointRow seen, UtcTime at);

/// A point that stays vanished so long is retired, if nobody takes its name before.
inline constexpr Duration kRetiredAfter = Duration::Days(7);

/// What a point that the source did not show at `at` is from then on. `is_replaced`: another point
/// of its server has its name now, so it was deleted and made anew.
PointRow Gone(const PointRow& current, std::string reason, bool is_replaced, UtcTime at);

/// What became different, for people: `renamed from U1.X to U1.Y; type Int32 became Float32`.
std::string DescribeChange(const PointRow& before, const PointRow& after);

/// Whether the archive shows all values of the point otherwise since: as another type, as states of
/// another set, or, stored in two bytes as a share of the span, within another span.
bool ShowsValuesAnew(const PointRow& before, const PointRow& after);

/// So many points do not vanish at once by being deleted: rights were taken away, or another
/// archive answers to the name.
bool IsMassVanishing(size_t vanished, size_t known);

/// The name of one state of a digital set for a while.
struct StateRow {
  std::string server;
  std::string digital_set;
  int32_t code = 0;
  std::string name;
  Dated dated;

  bool operator==(const StateRow&) const = default;
};

/// A set as the source shows it: its states by code.
struct ShownSet {
  std::string server;
  std::string digital_set;
  std::map<int32_t, std::string> states;
};

/// The sets, by server and name, of which a known state is shown by another name or not at all: the
/// archive shows it so in all events. Not of the set of system states.
std::set<std::pair<std::string, std::string>> RelabelledSets(const std::vector<StateRow>& rows,
                                                             const std::vector<ShownSet>& shown);

/// Brings `rows` up to what was shown at `at`; true if that changed any. Sets that were not shown
/// stay as they are.
bool UpdateStates(std::vector<StateRow>& rows, const std::vector<ShownSet>& shown, UtcTime at);

}  // namespace pilake::plan
