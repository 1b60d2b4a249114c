// SPDX-License-Identifier: Apache-2.0
// Small things done to text.
#include "sim/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "sim/webid.h"

namespace pilake::sim {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (Lower(c) >= 'a' && Lower(c) <= 'f') return Lower(c) - 'a' + 10;
  return -1;
}

size_t CharacterLength(std::string_view text) {
  const auto c = static_cast<unsigned char>(text[0]);
  const size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  return std::min(length, text.size());
}

// `[ab]` at the front of `filter` against one character; sets `length` to the length of the class.
bool MatchesClass(std::string_view filter, std::string_view character, size_t& length) {
  const size_t close = filter.find(']', 1);
  if (close == std::string_view::npos) {
    length = 1;
    return character == "[";
  }
  length = close + 1;
  std::string_view members = filter.substr(1, close - 1);
  const bool negated = members.starts_with('!');
  if (negated) members.remove_prefix(1);
  return (members.find(character) != std::string_view::npos) != negated;
}

// Both upper-cased.
bool Matches(std::string_view filter, std::string_view text) {
  while (!filter.empty()) {
    if (filter[0] == '*') {
      for (size_t skip = 0; skip <= text.size(); ++skip) {
        if (Matches(filter.substr(1), text.substr(skip))) return true;
      }
      return false;
    }
    if (text.empty()) return false;
    const size_t character = CharacterLength(text);
    size_t taken = 1;
    if (filter[0] == '[') {
      if (!MatchesClass(filter, text.substr(0, character), taken)) return false;
    } else if (filter[0] != '?') {
      if (filter[0] == '\\' && filter.size() > 1) filter.remove_prefix(1);
      if (!filter.starts_with(text.substr(0, character))) return false;
      taken = character;
    }
    filter.remove_prefix(taken);
    text.remove_prefix(character);
  }
  return text.empty();
}

}  // namespace

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool SameText(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> PercentDecode(std::string_view text, bool in_query) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += in_query && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kPlain = "-_.~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

bool MatchesName(std::string_view filter, std::string_view text) {
  return filter.empty() || Matches(UpperInvariant(filter), UpperInvariant(text));
}

}  // namespace pilake::sim
