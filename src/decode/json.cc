// SPDX-License-Identifier: Apache-2.0
#include "decode/json.h"

#include <algorithm>
#include <vector>

namespace pilake::decode {
namespace {

/// True if the text ends inside its first object: what a cut connection leaves.
bool IsCutShort(std::string_view text) {
  int64_t depth = 0;
  bool is_in_string = false, has_begun = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_in_string) {
      if (c == '\\') ++i;
      is_in_string = c != '"';
      continue;
    }
    switch (c) {
      case '"':
        is_in_string = true;
        break;
      case '{':
      case '[':
        ++depth;
        has_begun = true;
        break;
      case '}':
      case ']':
        --depth;
        break;
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        continue;
      default:
        break;
    }
    if (!has_begun || depth <= 0) return false;
  }
  return depth > 0 || !has_begun;
}

/// At most so many bytes of a body or of the server's words go into a message.
constexpr size_t kShownMax = 300;

std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kShownMax));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return shown;
}

void AddSentence(std::string& text, std::string_view sentence) {
  if (text.size() > kShownMax) return;
  if (!text.empty()) text += "; ";
  text += Shown(sentence);
}

/// The strings of an `Errors` array; what is no string, as it stands.
simdjson::error_code ReadSentences(od::value& value, std::string& text) {
  if (Token(value)[0] != '[') {
    std::string_view sentence;
    if (Token(value)[0] != '"' || value.get_string().get(sentence)) sentence = Token(value);
    AddSentence(text, sentence);
    return simdjson::SUCCESS;
  }
  od::array array;
  if (const auto error = value.get_array().get(array)) return error;
  for (auto element : array) {
    od::value one;
    if (const auto error = element.get(one)) return error;
    std::string_view sentence;
    if (Token(one)[0] == '"' && !one.get_string().get(sentence)) {
      AddSentence(text, sentence);
    } else if (Token(one)[0] == '{') {
      od::object object;
      if (const auto error = one.get_object().get(object)) return error;
      if (const auto error = object.raw_json().get(sentence)) return error;
      AddSentence(text, sentence);
    } else {
      AddSentence(text, Token(one));
    }
  }
  return simdjson::SUCCESS;
}

}  // namespace

od::parser& ThreadParser() {
  thread_local od::parser parser;
  return parser;
}

simdjson::simdjson_result<od::document> Iterate(const char* text, size_t length) {
  return ThreadParser().iterate(text, length, length + simdjson::SIMDJSON_PADDING);
}

Error Damage(const Body& body, simdjson::error_code code) {
  if (code == simdjson::CAPACITY) {
    return {ErrorKind::kTooLarge,
            fmt::format("a body of {} bytes is too large to read", body.text().size())};
  }
  if (IsCutShort(body.text())) {
    return {ErrorKind::kTransient,
            fmt::format("the answer was cut short after {} bytes", body.text().size())};
  }
  return {ErrorKind::kMalformed,
          fmt::format("the answer is not PI Web API's JSON ({}): {}", simdjson::error_message(code),
                      Shown(body.text().substr(0, 80)))};
}

std::string_view Token(od::value& value) {
  std::string_view token = value.raw_json_token();
  // A body that breaks off where an element must follow yields one there all the same, of no length
  // or of one that wrapped around: it is the zero byte behind the body.
  const bool is_beyond = token.empty() || token.size() > simdjson::SIMDJSON_MAXSIZE_BYTES / 2;
  if (is_beyond) return {"", 1};
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                            token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

bool IsNothing(od::value& value) {
  const std::string_view token = Token(value);
  if (token[0] != '[' && token[0] != '{') return token == "null" || token == "\"\"";
  const char* inside = token.data() + 1;  // a zero byte ends the body, so this ends too
  while (*inside == ' ' || *inside == '\n' || *inside == '\r' || *inside == '\t') ++inside;
  return *inside == ']' || *inside == '}';
}

simdjson::error_code ReadComplaint(od::value& value, Complaint& complaint) {
  if (Token(value)[0] != '{') return ReadSentences(value, complaint.text);
  od::object object;
  if (const auto error = value.get_object().get(object)) return error;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value member;
    if (const auto error = field.value().get(member)) return error;
    if (key == "StatusCode" || key == "Status") {
      int64_t status = 0;
      if (!member.get_int64().get(status)) complaint.status = static_cast<int>(status);
    } else if (key == "Errors" || key == "Message") {
      if (const auto error = ReadSentences(member, complaint.text)) return error;
    }
  }
  return simdjson::SUCCESS;
}

Error BrokenOff(const Complaint& complaint) {
  return {KindOfHttpStatus(500, complaint.text),
          fmt::format("the server broke off its answer: {}",
                      complaint.text.empty() ? "no reason given" : complaint.text)};
}

Error Refused(const Complaint& complaint) {
  const int status = complaint.status >= 400 ? complaint.status : 500;
  return {
      KindOfHttpStatus(status, complaint.text),
      fmt::format("{} {}", status, complaint.text.empty() ? "no reason given" : complaint.text)};
}

bool IsAtEnd(od::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

}  // namespace pilake::decode
