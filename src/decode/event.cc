// SPDX-License-Identifier: Apache-2.0
#include "decode/event.h"

#include <array>
#include <string_view>

namespace pilake::decode {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;

enum Member : unsigned {
  kTimestamp,
  kValue,
  kGood,
  kQuestionable,
  kSubstituted,
  kAnnotated,
  kErrors,
  kWebException,
  kOther,
};

Member MemberOf(std::string_view key) {
  switch (key.size()) {
    case 4:
      return key == "Good" ? kGood : kOther;
    case 5:
      return key == "Value" ? kValue : kOther;
    case 6:
      return key == "Errors" ? kErrors : kOther;
    case 9:
      return key == "Timestamp" ? kTimestamp : key == "Annotated" ? kAnnotated : kOther;
    case 11:
      return key == "Substituted" ? kSubstituted : kOther;
    case 12:
      return key == "Questionable" ? kQuestionable : key == "WebException" ? kWebException : kOther;
    default:
      return kOther;
  }
}

bool SameInAnyCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

/// A flag as boolean or as text (wire §5.4); nothing when it says neither.
std::optional<bool> ReadFlag(od::value& value) {
  std::string_view text = Token(value);
  if (text[0] == '"' && value.get_string().get(text)) return std::nullopt;
  if (SameInAnyCase(text, "true")) return true;
  if (SameInAnyCase(text, "false")) return false;
  return std::nullopt;
}

/// The members of `{"Name","Value","IsSystem"}`, as far as they are there and of their types.
struct State {
  std::optional<std::string_view> name;
  std::optional<int64_t> code;
  std::optional<bool> is_system;
};

error_code ReadState(od::object& object, State& state) {
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value member;
    if (const auto error = field.value().get(member)) return error;
    if (key == "Name") {
      std::string_view name;
      if (Token(member)[0] == '"' && !member.get_string().get(name)) state.name = name;
    } else if (key == "Value") {
      int64_t code = 0;
      if (!member.get_int64().get(code)) state.code = code;
    } else if (key == "IsSystem") {
      state.is_system = ReadFlag(member);
    }
  }
  return SUCCESS;
}

std::string_view Trimmed(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

error_code ReadObject(od::value& json, Value& value) {
  od::object object;
  std::string_view raw_json;
  if (const auto error = json.get_object().get(object)) return error;
  if (const auto error = object.raw_json().get(raw_json)) return error;
  if (const auto error = object.reset().error()) return error;
  State state;
  if (const auto error = ReadState(object, state)) return error;
  const bool is_state = state.name && state.code && state.is_system;
  value = is_state ? TypedState(*state.name, *state.code, *state.is_system)
                   : Untyped(Trimmed(raw_json));
  return SUCCESS;
}

error_code ReadArray(od::value& json, std::string_view& raw_json) {
  od::array array;
  if (const auto error = json.get_array().get(array)) return error;
  if (const auto error = array.raw_json().get(raw_json)) return error;
  raw_json = Trimmed(raw_json);
  return SUCCESS;
}

/// A JSON string that cannot be unescaped, such as half of a surrogate pair, is kept as it stands.
Value ReadText(od::value& json, PointType type) {
  std::string_view text;
  if (json.get_string().get(text)) return Untyped(Token(json));
  return TypedString(text, type);
}

error_code ReadScalar(od::value& json, PointType type, Value& value) {
  const std::string_view token = Token(json);
  if (const auto word = ReadBareWord(token)) {
    value = *word;
    return SUCCESS;
  }
  // A body ends in a zero byte. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
  if (ReadNumber(token.data(), type, value) == token.data() + token.size()) return SUCCESS;
  if (!IsNumber(token)) return simdjson::TAPE_ERROR;
  value = Untyped(token);  // beyond the largest double
  return SUCCESS;
}

error_code ReadValue(od::value& json, PointType type, Value& value) {
  switch (Token(json)[0]) {
    case '{':
      return ReadObject(json, value);
    case '[':
      value = {ValueKind::kArray, 0, {}};
      return ReadArray(json, value.text);
    case '"':
      value = ReadText(json, type);
      return SUCCESS;
    default:
      return ReadScalar(json, type, value);
  }
}

/// The item's own `Errors`: they replace its value (wire §6.1).
error_code ReadPropertyErrors(od::value& json, Event& event) {
  if (IsNothing(json)) return SUCCESS;
  event.is_property_error = true;
  switch (Token(json)[0]) {
    case '[': {
      event.value = Untyped({});
      return ReadArray(json, event.value.text);
    }
    case '{': {
      od::object object;
      std::string_view raw_json;
      if (const auto error = json.get_object().get(object)) return error;
      if (const auto error = object.raw_json().get(raw_json)) return error;
      event.value = Untyped(Trimmed(raw_json));
      return SUCCESS;
    }
    default:
      event.value = Untyped(Token(json));
      return SUCCESS;
  }
}

Error Unreadable(std::string_view what) {
  return {ErrorKind::kMalformed, fmt::format("an event cannot be read: {}", what)};
}

}  // namespace

error_code ReadEvent(od::object object, PointType type, TimeReader& times, Event& event,
                     std::optional<Error>& failure) {
  unsigned seen = 0;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    const Member member = MemberOf(key);
    if (member == kOther) continue;
    if ((seen >> member & 1) != 0) failure = Unreadable("it tells a member twice");
    seen |= 1u << member;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    switch (member) {
      case kTimestamp: {
        std::string_view text;
        const bool is_text = Token(value)[0] == '"' && !value.get_string().get(text);
        const auto time = is_text ? times.Read(text) : std::nullopt;
        if (!time) {
          failure = Unreadable(fmt::format("its time is {}", Token(value).substr(0, 60)));
        } else {
          event.time = *time;
        }
        break;
      }
      case kValue: {
        Value ignored;
        Value& target = event.is_property_error ? ignored : event.value;
        if (const auto error = ReadValue(value, type, target)) return error;
        break;
      }
      case kErrors:
        if (const auto error = ReadPropertyErrors(value, event)) return error;
        break;
      case kWebException: {
        if (IsNothing(value)) break;
        Complaint complaint;
        if (const auto error = ReadComplaint(value, complaint)) return error;
        failure = BrokenOff(complaint);
        break;
      }
      default:
        if (const auto flag = ReadFlag(value)) {
          event.flags.Set(static_cast<uint8_t>(member - kGood), *flag);
        }
    }
  }
  if ((seen >> kTimestamp & 1) == 0) failure = Unreadable("it has no Timestamp");
  return SUCCESS;
}

}  // namespace pilake::decode
