// SPDX-License-Identifier: Apache-2.0
// Writes JSON as the server's serialiser does, rendering only the members that were asked for.
#include "sim/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "sim/hash.h"

namespace pilake::sim {
namespace {

// The code point at the front of `text`, taken from it. Broken UTF-8 comes out byte by byte.
uint32_t TakeCodePoint(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length == 1 || length > text.size()) {
    text.remove_prefix(1);
    return first;
  }
  uint32_t c = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<uint8_t>(text[i]) & 0x3fU);
  text.remove_prefix(length);
  return c;
}

void AppendEscaped(uint32_t c, std::string& out) {
  auto to = std::back_inserter(out);
  if (c < 0x10000) {
    fmt::format_to(to, "\\u{:04x}", c);
  } else {
    fmt::format_to(to, "\\u{:04x}\\u{:04x}", 0xd800 + ((c - 0x10000) >> 10),
                   0xdc00 + ((c - 0x10000) & 0x3ff));
  }
}

std::string_view ShortEscape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {};
  }
}

template <typename Float>
char* WriteFinite(Float value, char* out) {
  const Float size = std::abs(value);
  if (value == 0 || (size >= Float(1e-5) && size < Float(1e15))) {
    char* end = std::to_chars(out, out + kNumberChars, value, std::chars_format::fixed).ptr;
    if (std::find(out, end, '.') != end) return end;
    *end++ = '.';
    *end++ = '0';
    return end;
  }
  char* end = std::to_chars(out, out + kNumberChars, value, std::chars_format::scientific).ptr;
  std::replace(out, end, 'e', 'E');
  return end;
}

}  // namespace

void AppendQuoted(std::string_view text, bool ascii, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const std::string_view short_escape = ShortEscape(text[0]);
    const std::string_view rest = text;
    const uint32_t c = TakeCodePoint(text);
    if (!short_escape.empty()) {
      out += short_escape;
    } else if (c < 0x20 || c == 0x85 || c == 0x2028 || c == 0x2029 || (ascii && c >= 0x7f)) {
      AppendEscaped(c, out);
    } else {
      out += rest.substr(0, rest.size() - text.size());
    }
  }
  out += '"';
}

char* WriteNumber(float value, char* out) {
  return WriteFinite(value, out);
}
char* WriteNumber(double value, char* out) {
  return WriteFinite(value, out);
}

bool JsonWriter::Key(std::string_view name) {
  Level& level = levels_.back();
  const SelectedFields* selected = level.fields->Find(name);
  if (selected == nullptr) return false;
  if (!level.empty) out_ += ',';
  level.empty = false;
  if (readings_.shuffled_members) level.members.push_back(out_.size());
  AppendQuoted(name, false, out_);
  out_ += ':';
  next_ = selected;
  return true;
}

void JsonWriter::BeforeValue() {
  if (levels_.empty() || !levels_.back().array) return;
  if (!levels_.back().empty) out_ += ',';
  levels_.back().empty = false;
  next_ = levels_.back().fields;
}

void JsonWriter::BeginObject() {
  BeforeValue();
  out_ += '{';
  levels_.push_back({next_, false, true, {}});
}

void JsonWriter::EndObject() {
  if (readings_.extra_members) AppendExtraMember();
  if (readings_.shuffled_members) Shuffle(levels_.back());
  levels_.pop_back();
  out_ += '}';
}

// Rendered whatever is selected, or no client that selects would ever meet one.
void JsonWriter::AppendExtraMember() {
  Level& level = levels_.back();
  if (!level.empty) out_ += ',';
  level.empty = false;
  if (readings_.shuffled_members) level.members.push_back(out_.size());
  out_ += R"("ServerPrivate":{"Items":[1,{"Value":null}],"Good":"no"})";
}

// Members were written one after another with commas between; writes them again in another order.
void JsonWriter::Shuffle(const Level& level) {
  const size_t count = level.members.size();
  if (count < 2) return;
  const std::string written = out_.substr(level.members[0]);
  std::vector<std::string_view> members(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = level.members[i] - level.members[0];
    const size_t end = i + 1 < count ? level.members[i + 1] - level.members[0] - 1 : written.size();
    members[i] = std::string_view(written).substr(begin, end - begin);
  }
  for (size_t i = count - 1; i > 0; --i) {
    std::swap(
        members[i],
        members[static_cast<size_t>(Below(Draw(written.size(), i), static_cast<int64_t>(i + 1)))]);
  }
  out_.resize(level.members[0]);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out_ += ',';
    out_ += members[i];
  }
}

void JsonWriter::BeginArray() {
  BeforeValue();
  out_ += '[';
  levels_.push_back({next_, true, true, {}});
}

void JsonWriter::EndArray() {
  levels_.pop_back();
  out_ += ']';
}

void JsonWriter::String(std::string_view value) {
  BeforeValue();
  AppendQuoted(value, readings_.ascii_escapes, out_);
}

void JsonWriter::Integer(int64_t value) {
  BeforeValue();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::Number(double value) {
  BeforeValue();
  char text[kNumberChars];
  out_.append(text, WriteNumber(value, text));
}

void JsonWriter::Bool(bool value) {
  BeforeValue();
  out_ += value ? "true" : "false";
}

void JsonWriter::Null() {
  BeforeValue();
  out_ += "null";
}

void JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  out_ += json;
}

}  // namespace pilake::sim
