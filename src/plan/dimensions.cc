// SPDX-License-Identifier: Apache-2.0
#include "plan/dimensions.h"

#include <array>
#include <bit>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace pilake::plan {
namespace {

constexpr std::array<std::string_view, 3> kStateNames{"listed", "vanished", "retired"};

/// The part of a point that its rows tell; bits of numbers, for a NaN is as good as another.
auto Told(const PointRow& row) {
  const Series& point = row.point;
  return std::make_tuple(std::string_view(point.name), std::string_view(point.path),
                         std::string_view(point.units), std::string_view(point.descriptor),
                         std::string_view(point.digital_set), std::string_view(point.type_name),
                         std::bit_cast<uint64_t>(point.zero), std::bit_cast<uint64_t>(point.span),
                         point.step, point.future, row.state);
}

/// True if the table heard of something at `at` or later: another run looked after us.
bool IsOutdated(const Dated& known, UtcTime at) {
  return known.noticed >= at || (known.valid_to && *known.valid_to >= at);
}

void Add(std::string& text, std::string_view what, std::string_view before,
         std::string_view after) {
  if (before == after) return;
  text += fmt::format("{}{} '{}' became '{}'", text.empty() ? "" : "; ", what, before, after);
}

}  // namespace

std::string_view Name(PointState state) {
  return kStateNames[static_cast<size_t>(state)];
}

std::optional<PointState> ParsePointState(std::string_view name) {
  for (size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == name) return static_cast<PointState>(i);
  }
  return std::nullopt;
}

std::string_view ServerOf(std::string_view path) {
  if (!path.starts_with(R"(\\)")) return {};
  path.remove_prefix(2);
  return path.substr(0, path.find('\\'));
}

std::optional<PointRow> Successor(const PointRow* current, PointRow seen, UtcTime at) {
  seen.dated = {.valid_from = {}, .valid_to = std::nullopt, .noticed = at};
  if (current == nullptr) return seen;
  if (Told(*current) == Told(seen) || IsOutdated(current->dated, at)) return std::nullopt;
  seen.dated.valid_from = at;
  return seen;
}

PointRow Gone(const PointRow& current, std::string reason, bool is_replaced, UtcTime at) {
  PointRow gone = current;
  const bool is_gone_for_long =
      current.state != PointState::kListed && at - current.dated.valid_from >= kRetiredAfter;
  const bool is_retired = is_replaced || is_gone_for_long || current.state == PointState::kRetired;
  gone.state = is_retired ? PointState::kRetired : PointState::kVanished;
  gone.reason = std::move(reason);
  return gone;
}

std::string DescribeChange(const PointRow& before, const PointRow& after) {
  std::string text;
  const Series &was = before.point, &is = after.point;
  if (was.name != is.name) text = fmt::format("renamed from '{}' to '{}'", was.name, is.name);
  Add(text, "server", ServerOf(was.path), ServerOf(is.path));
  Add(text, "type", was.type_name, is.type_name);
  Add(text, "digital set", was.digital_set, is.digital_set);
  Add(text, "units", was.units, is.units);
  Add(text, "descriptor", was.descriptor, is.descriptor);
  Add(text, "zero", fmt::to_string(was.zero), fmt::to_string(is.zero));
  Add(text, "span", fmt::to_string(was.span), fmt::to_string(is.span));
  Add(text, "step", was.step ? "on" : "off", is.step ? "on" : "off");
  Add(text, "future", was.future ? "on" : "off", is.future ? "on" : "off");
  if (before.state == after.state) return text;
  text += fmt::format("{}{}", text.empty() ? "" : "; ", Name(after.state));
  if (!after.reason.empty()) text += fmt::format(" ({})", after.reason);
  return text;
}

bool ShowsValuesAnew(const PointRow& before, const PointRow& after) {
  const Series &was = before.point, &is = after.point;
  const bool moves_with_span =
      is.type == PointType::kFloat16 &&
      (std::bit_cast<uint64_t>(was.zero) != std::bit_cast<uint64_t>(is.zero) ||
       std::bit_cast<uint64_t>(was.span) != std::bit_cast<uint64_t>(is.span));
  return was.type_name != is.type_name || was.digital_set != is.digital_set || moves_with_span;
}

bool IsMassVanishing(size_t vanished, size_t known) {
  return vanished > 10 && vanished * 10 > known;
}

std::set<std::pair<std::string, std::string>> RelabelledSets(const std::vector<StateRow>& rows,
                                                             const std::vector<ShownSet>& shown) {
  std::set<std::pair<std::string, std::string>> sets;
  for (const StateRow& row : rows) {
    if (row.dated.valid_to || row.digital_set == "System") continue;
    for (const ShownSet& set : shown) {
      if (set.server != row.server || set.digital_set != row.digital_set) continue;
      const auto state = set.states.find(row.code);
      if (state == set.states.end() || state->second != row.name)
        sets.emplace(row.server, row.digital_set);
    }
  }
  return sets;
}

bool UpdateStates(std::vector<StateRow>& rows, const std::vector<ShownSet>& shown, UtcTime at) {
  using Key = std::tuple<std::string, std::string, int32_t>;
  std::map<Key, size_t> newest;  // the row of each state that was noticed last
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto [known, is_first] =
        newest.emplace(Key(rows[i].server, rows[i].digital_set, rows[i].code), i);
    if (!is_first && rows[known->second].dated.noticed < rows[i].dated.noticed) known->second = i;
  }
  std::vector<StateRow> added;
  bool has_ended = false;
  const auto add = [&](const ShownSet& set, const auto& state, UtcTime valid_from) {
    added.push_back({.server = set.server,
                     .digital_set = set.digital_set,
                     .code = state.first,
                     .name = state.second,
                     .dated = {.valid_from = valid_from, .valid_to = std::nullopt, .noticed = at}});
  };
  for (const ShownSet& set : shown) {
    const auto first = newest.lower_bound(Key(set.server, set.digital_set, INT32_MIN));
    const auto last = newest.upper_bound(Key(set.server, set.digital_set, INT32_MAX));
    for (auto known = first; known != last; ++known) {
      StateRow& row = rows[known->second];
      const auto state = set.states.find(row.code);
      const bool is_shown = state != set.states.end();
      const bool is_same = row.dated.valid_to ? !is_shown : is_shown && state->second == row.name;
      if (is_same || IsOutdated(row.dated, at)) continue;
      if (!row.dated.valid_to) row.dated.valid_to = at;
      has_ended = true;
      if (is_shown) add(set, *state, at);
    }
    for (const auto& state : set.states) {
      if (!newest.contains(Key(set.server, set.digital_set, state.first))) add(set, state, {});
    }
  }
  rows.insert(rows.end(), added.begin(), added.end());
  return has_ended || !added.empty();
}

}  // namespace pilake::plan
