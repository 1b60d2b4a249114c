// SPDX-License-Identifier: Apache-2.0
#include "pi/error_text.h"

#include <algorithm>
#include <cctype>

#include "pi/json_member.h"

namespace pilake::pi {
namespace {

/// Where `part` first stands in `text`, in any case.
size_t Find(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  const auto found = std::search(text.begin(), text.end(), part.begin(), part.end(), same);
  return found == text.end() ? std::string_view::npos : static_cast<size_t>(found - text.begin());
}

bool Contains(std::string_view text, std::string_view part) {
  return Find(text, part) != std::string_view::npos;
}

std::string JsonText(std::string_view body) {
  std::string text = MemberText(body, "Errors");
  for (const std::string_view name : {"Message", "MessageDetail", "ExceptionMessage"}) {
    const std::string more = MemberText(body, name);
    if (more.empty() || text.find(more) != std::string::npos) continue;
    if (!text.empty()) text += ' ';
    text += more;
  }
  return text;
}

/// The text between `<tag…>` and `</tag>`, in any case.
std::string_view ElementText(std::string_view page, std::string_view tag) {
  const std::string opening = "<" + std::string(tag), closing = "</" + std::string(tag);
  const size_t begin = Find(page, opening);
  if (begin == std::string_view::npos) return {};
  const size_t from = page.find('>', begin);
  if (from == std::string_view::npos) return {};
  const std::string_view rest = page.substr(from + 1);
  const size_t end = Find(rest, closing);
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

std::string WithoutTags(std::string_view page) {
  std::string text;
  bool is_in_tag = false;
  for (const char c : page) {
    if (c == '<') is_in_tag = true;
    if (!is_in_tag) text += c;
    if (c == '>') is_in_tag = false, text += ' ';
  }
  return text;
}

/// The page's title and first heading, or all its text without the tags.
std::string HtmlText(std::string_view page) {
  std::string text(ElementText(page, "title"));
  for (const std::string_view tag : {"h1", "h2"}) {
    const std::string heading = WithoutTags(ElementText(page, tag));
    if (heading.empty() || heading == text) continue;
    if (!text.empty()) text += ": ";
    text += heading;
    break;
  }
  return text.empty() ? WithoutTags(page.substr(0, 4096)) : text;
}

/// One line of printable characters; UTF-8 is kept whole.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool is_gap = static_cast<unsigned char>(c) <= ' ' || c == 127;
    if (!is_gap) line += c;
    if (is_gap && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() <= kErrorTextMax) return line;
  size_t end = kErrorTextMax - 3;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  return line.substr(0, end) + "...";
}

}  // namespace

bool IsJson(std::string_view content_type) {
  return Contains(content_type, "/json") || Contains(content_type, "+json");
}

bool IsHtml(std::string_view content_type) {
  return Contains(content_type, "html");
}

bool IsPiError(std::string_view body, std::string_view content_type) {
  return !IsHtml(content_type) && !JsonText(body.substr(0, 65536)).empty();
}

std::string ErrorText(std::string_view body, std::string_view content_type) {
  constexpr size_t kLookedAt = 65536;
  body = body.substr(0, kLookedAt);
  const bool is_page = IsHtml(content_type) || Contains(body.substr(0, 256), "<html");
  std::string text = OneLine(is_page ? HtmlText(body) : JsonText(body));
  return text.empty() ? OneLine(body.substr(0, 200)) : text;
}

}  // namespace pilake::pi
