// SPDX-License-Identifier: Apache-2.0
#include "plan/name_mask.h"

#include <algorithm>
#include <optional>

namespace pilake::plan {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

size_t CharacterLength(std::string_view text) {
  size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    ++length;
  return length;
}

/// The `]` that closes the class at the front of `mask`; nothing if it is never closed.
std::optional<size_t> ClassEnd(std::string_view mask) {
  const size_t first = mask.size() > 1 && mask[1] == '!' ? 2 : 1;
  const size_t end = mask.find(']', first + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return end;
}

bool InClass(char c, std::string_view members) {
  const bool is_negated = members.starts_with('!');
  if (is_negated) members.remove_prefix(1);
  const bool found = std::ranges::any_of(members, [&](char m) { return Lower(m) == Lower(c); });
  return found != is_negated;
}

/// Matches one mask element at the front of both; how much it took of each, or nothing.
struct Taken {
  size_t name, mask;
};
std::optional<Taken> TakeOne(std::string_view name, std::string_view mask) {
  if (name.empty()) return std::nullopt;
  if (mask[0] == '?') return Taken{CharacterLength(name), 1};
  if (mask[0] == '[') {
    if (const auto end = ClassEnd(mask)) {
      if (!InClass(name[0], mask.substr(1, *end - 1))) return std::nullopt;
      return Taken{1, *end + 1};
    }
  }
  const size_t escape = mask[0] == '\\' && mask.size() > 1 ? 1 : 0;
  if (Lower(name[0]) != Lower(mask[escape])) return std::nullopt;
  return Taken{1, escape + 1};
}

}  // namespace

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::string FoldedName(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), Lower);
  return folded;
}

bool MatchesMask(std::string_view name, std::string_view mask) {
  // Greedy with one remembered star: linear for what people write, never worse than quadratic.
  std::optional<std::string_view> star_mask;
  std::string_view star_name;
  while (!name.empty() || !mask.empty()) {
    if (!mask.empty() && mask[0] == '*') {
      star_mask = mask.substr(1);
      star_name = name;
      mask.remove_prefix(1);
      continue;
    }
    if (!mask.empty()) {
      if (const auto taken = TakeOne(name, mask)) {
        name.remove_prefix(taken->name);
        mask.remove_prefix(taken->mask);
        continue;
      }
    }
    if (!star_mask || star_name.empty()) return false;
    star_name.remove_prefix(1);
    name = star_name;
    mask = *star_mask;
  }
  return true;
}

}  // namespace pilake::plan
