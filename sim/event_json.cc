// SPDX-License-Identifier: Apache-2.0
// Events as the wire shows them (wire §5.4, §6), as fast as they can be written.
#include "sim/event_json.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

namespace pilake::sim {
namespace {

constexpr int64_t kTicksPerSecond = 10'000'000;

char* Put(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* PutTwo(int64_t number, char* out) {
  out[0] = static_cast<char>('0' + number / 10);
  out[1] = static_cast<char>('0' + number % 10);
  return out + 2;
}

void FormatSecond(int64_t second, char* out) {
  const std::chrono::sys_seconds time{std::chrono::seconds(second)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const int64_t rest = (time - day).count();
  const int year = static_cast<int>(date.year());
  out = PutTwo(year / 100, out);
  out = PutTwo(year % 100, out);
  *out++ = '-';
  out = PutTwo(static_cast<unsigned>(date.month()), out);
  *out++ = '-';
  out = PutTwo(static_cast<unsigned>(date.day()), out);
  *out++ = 'T';
  out = PutTwo(rest / 3600, out);
  *out++ = ':';
  out = PutTwo(rest / 60 % 60, out);
  *out++ = ':';
  PutTwo(rest % 60, out);
}

char* PutNumber(const Event& event, const Readings& readings, char* out) {
  const double value = event.number;
  if (!std::isfinite(value)) {
    const std::string_view word = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    if (readings.nan == NanAs::kBare) return Put(word, out);
    *out++ = '"';
    out = Put(word, out);
    *out++ = '"';
    return out;
  }
  if (readings.bare_integral && value == std::trunc(value) && std::abs(value) < 1e15) {
    return std::to_chars(out, out + 40, static_cast<int64_t>(value)).ptr;
  }
  const bool single = event.form == Form::kSingle && !readings.float_as_double;
  return single ? WriteNumber(static_cast<float>(value), out) : WriteNumber(value, out);
}

bool IsNumeric(Form form) {
  return form == Form::kSingle || form == Form::kDouble || form == Form::kInteger;
}

size_t TailOf(const Event& event) {
  return static_cast<size_t>(event.good) | static_cast<size_t>(event.questionable) << 1 |
         static_cast<size_t>(event.substituted) << 2 | static_cast<size_t>(event.annotated) << 3 |
         static_cast<size_t>(event.form == Form::kState) << 4;
}

constexpr std::array<std::string_view, 4> kFlagNames = {"Good", "Questionable", "Substituted",
                                                        "Annotated"};

// Every annotated event has one annotation.
std::string AnnotationsJson(const Event& event) {
  return fmt::format(
      R"([{{"Id":"{:08x}-0000-0000-0000-000000000000","Name":"note","Description":"","Value":"seen by the operator","Creator":"PLANT\\operator","CreationDate":"{}","Modifier":"PLANT\\operator","ModifyDate":"{}","Errors":null}}])",
      static_cast<uint32_t>(event.time.ticks), FormatUtcTime(event.time),
      FormatUtcTime(event.time));
}

}  // namespace

char* TimestampWriter::Write(UtcTime time, char* out) {
  int64_t second = time.ticks / kTicksPerSecond;
  int64_t part = time.ticks % kTicksPerSecond;
  if (part < 0) {
    part += kTicksPerSecond;
    --second;
  }
  if (second != second_) {
    FormatSecond(second, text_.data());
    second_ = second;
  }
  constexpr size_t kSecondChars = 19, kDigits = 7;
  std::memcpy(out, text_.data(), kSecondChars);
  out += kSecondChars;
  if (part != 0 || !trims_) {
    *out++ = '.';
    const int64_t high = part / 1000, low = part % 1000;
    PutTwo(high / 100, out);
    PutTwo(high % 100, out + 2);
    out[4] = static_cast<char>('0' + low / 100);
    PutTwo(low % 100, out + 5);
    out += kDigits;
    while (trims_ && out[-1] == '0') --out;
  }
  *out++ = 'Z';
  return out;
}

std::string ErrorValueJson(std::string_view message) {
  std::string json = "{\"Errors\":[";
  AppendQuoted(message, false, json);
  return json + "]}";
}

std::string ErrorMemberJson(std::string_view message) {
  std::string json = R"([{"FieldName":"Value","Message":[)";
  AppendQuoted(message, false, json);
  return json + "]}]";
}

void AppendValue(const Event& event, const Readings& readings, std::string& out) {
  char number[64];
  switch (event.form) {
    case Form::kSingle:
    case Form::kDouble:
      out.append(number, PutNumber(event, readings, number));
      return;
    case Form::kInteger:
      out.append(number, std::to_chars(number, number + sizeof number, event.integer).ptr);
      return;
    case Form::kBoolean:
      out += event.integer != 0 ? "true" : "false";
      return;
    case Form::kText:
      AppendQuoted(event.text, readings.ascii_escapes, out);
      return;
    case Form::kState:
      out += "{\"Name\":";
      AppendQuoted(event.text, readings.ascii_escapes, out);
      fmt::format_to(std::back_inserter(out), ",\"Value\":{},\"IsSystem\":{}}}", event.integer,
                     event.system);
      return;
    case Form::kErrorValue:
      out += ErrorValueJson(event.text);
      return;
    case Form::kErrorMember:
    case Form::kNull:
      out += "null";
      return;
    case Form::kArray:
      out += event.text;
      return;
  }
}

EventWriter::EventWriter(const SelectedFields& fields, const Readings& readings,
                         std::string_view units, bool annotations)
    : fields_(fields),
      readings_(readings),
      units_(units),
      timestamps_(readings.trim_timestamps),
      fast_(!readings.shuffled_members && !readings.extra_members),
      has_timestamp_(fields.Find("Timestamp") != nullptr),
      has_value_(fields.Find("Value") != nullptr),
      has_errors_(fields.Find("Errors") != nullptr),
      has_annotations_(annotations && fields.Find("Annotations") != nullptr) {
  before_value_ = has_timestamp_ ? "\"" : "";
  if (has_value_) before_value_ += has_timestamp_ ? ",\"Value\":" : "\"Value\":";
  PrepareTails(units);
}

// Everything behind the value is one of 32 texts.
void EventWriter::PrepareTails(std::string_view units) {
  for (size_t i = 0; i < tails_.size(); ++i) {
    std::string& tail = tails_[i];
    bool first = !has_timestamp_ && !has_value_;
    const auto key = [&](std::string_view name) {
      fmt::format_to(std::back_inserter(tail), "{}\"{}\":", first ? "" : ",", name);
      first = false;
    };
    if (fields_.Find("UnitsAbbreviation") != nullptr) {
      key("UnitsAbbreviation");
      AppendQuoted(i >= 16 ? std::string_view() : units, readings_.ascii_escapes, tail);
    }
    for (size_t flag = 0; flag < kFlagNames.size(); ++flag) {
      if (fields_.Find(kFlagNames[flag]) == nullptr) continue;
      key(kFlagNames[flag]);
      const std::string_view word = (i >> flag & 1) != 0 ? "true" : "false";
      tail += readings_.flags_as_strings ? fmt::format("\"{}\"", word) : std::string(word);
    }
  }
}

void EventWriter::Append(const Event& event, std::string& out) {
  if (fast_)
    AppendFast(event, out);
  else
    AppendSlow(event, out);
}

void EventWriter::AppendFast(const Event& event, std::string& out) {
  constexpr size_t kTailMax = 400;
  char buffer[600];
  char* end = buffer;
  *end++ = '{';
  if (has_timestamp_) end = timestamps_.Write(event.time, Put("\"Timestamp\":\"", end));
  end = Put(before_value_, end);
  const std::string& tail = tails_[TailOf(event)];
  const bool whole =
      IsNumeric(event.form) && has_value_ && !has_annotations_ && tail.size() < kTailMax;
  if (whole) {
    end = event.form == Form::kInteger ? std::to_chars(end, end + 24, event.integer).ptr
                                       : PutNumber(event, readings_, end);
    end = Put(tail, end);
    *end++ = '}';
    out.append(buffer, end);
    return;
  }
  out.append(buffer, end);
  if (has_value_) AppendValue(event, readings_, out);
  out += tail;
  if (has_annotations_ && event.annotated) out += ",\"Annotations\":" + AnnotationsJson(event);
  if (has_errors_ && event.form == Form::kErrorMember) {
    out += out.back() == '{' ? "\"Errors\":" : ",\"Errors\":";
    out += ErrorMemberJson(event.text);
  }
  out += '}';
}

void EventWriter::AppendSlow(const Event& event, std::string& out) {
  JsonWriter json(out, fields_, readings_);
  const auto flag = [&](std::string_view name, bool value) {
    if (!json.Key(name)) return;
    if (readings_.flags_as_strings)
      json.String(value ? "true" : "false");
    else
      json.Bool(value);
  };
  json.BeginObject();
  if (json.Key("Timestamp")) {
    char text[32];
    json.String({text, static_cast<size_t>(timestamps_.Write(event.time, text) - text)});
  }
  if (json.Key("Value")) {
    std::string value;
    AppendValue(event, readings_, value);
    json.Raw(value);
  }
  json.Member("UnitsAbbreviation",
              event.form == Form::kState ? std::string_view() : std::string_view(units_));
  flag("Good", event.good);
  flag("Questionable", event.questionable);
  flag("Substituted", event.substituted);
  flag("Annotated", event.annotated);
  if (has_annotations_ && event.annotated && json.Key("Annotations"))
    json.Raw(AnnotationsJson(event));
  if (event.form == Form::kErrorMember && json.Key("Errors")) json.Raw(ErrorMemberJson(event.text));
  json.EndObject();
}

}  // namespace pilake::sim
