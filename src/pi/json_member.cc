// SPDX-License-Identifier: Apache-2.0
#include "pi/json_member.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace pilake::pi {
namespace {

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

void AppendUtf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 63));
  } else {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  }
}

unsigned HexValue(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    const int lower = std::tolower(static_cast<unsigned char>(c));
    const int digit = lower >= 'a' ? lower - 'a' + 10 : lower - '0';
    value = value * 16 + static_cast<unsigned>(digit & 15);
  }
  return value;
}

/// The JSON string whose opening quote stands at `at`, unescaped; `at` moves behind it. Tolerant:
/// an unfinished string ends with the text. Nothing if there is no string.
std::optional<std::string> TakeString(std::string_view text, size_t& at) {
  if (at >= text.size() || text[at] != '"') return std::nullopt;
  std::string out;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] != '\\' || at + 1 >= text.size()) {
      out += text[at];
      continue;
    }
    switch (const char c = text[++at]) {
      case 'n':
      case 'r':
      case 't':
      case 'b':
      case 'f':
        out += ' ';
        break;
      case 'u':
        AppendUtf8(out, HexValue(text.substr(at + 1, 4)));
        at = std::min(at + 4, text.size() - 1);
        break;
      default:
        out += c;
    }
  }
  at = std::min(at + 1, text.size());
  return out;
}

/// Where the value of the first member called `name` begins.
std::optional<size_t> FindMember(std::string_view json, std::string_view name) {
  const std::string quoted = '"' + std::string(name) + '"';
  for (size_t at = json.find(quoted); at != std::string_view::npos;
       at = json.find(quoted, at + 1)) {
    const size_t colon = SkipSpace(json, at + quoted.size());
    if (colon < json.size() && json[colon] == ':') return SkipSpace(json, colon + 1);
  }
  return std::nullopt;
}

}  // namespace

std::string MemberText(std::string_view json, std::string_view name) {
  const auto begin = FindMember(json, name);
  if (!begin) return {};
  size_t at = *begin;
  if (const auto text = TakeString(json, at)) return *text;
  if (at >= json.size() || json[at] != '[') return {};
  std::string joined;
  for (at = SkipSpace(json, at + 1); at < json.size(); at = SkipSpace(json, at)) {
    const auto text = TakeString(json, at);
    if (!text) break;
    if (!joined.empty()) joined += "; ";
    joined += *text;
    at = SkipSpace(json, at);
    if (at >= json.size() || json[at] != ',') break;
    ++at;
  }
  return joined;
}

std::optional<int64_t> MemberNumber(std::string_view json, std::string_view name) {
  const auto begin = FindMember(json, name);
  if (!begin) return std::nullopt;
  std::string_view text = json.substr(*begin);
  if (text.starts_with('"')) text.remove_prefix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

}  // namespace pilake::pi
