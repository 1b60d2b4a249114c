// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/command.h"
#include "config/suggest.h"

namespace pilake::config {
namespace {

/// `07:30` as a span; nothing for anything else.
std::optional<Duration> ReadClock(std::string_view text) {
  constexpr size_t kLength = std::string_view("07:30").size(), kColonAt = 2;
  if (text.size() != kLength || text[kColonAt] != ':') return std::nullopt;
  int hours = 0, minutes = 0;
  for (const auto& [part, number] :
       {std::pair(text.substr(0, kColonAt), &hours), {text.substr(kColonAt + 1), &minutes}}) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), *number);
    if (error != std::errc() || end != part.data() + part.size() || *number < 0) {
      return std::nullopt;
    }
  }
  if (minutes > 59) return std::nullopt;
  return Duration::Hours(hours) + Duration::Minutes(minutes);
}

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<size_t> ReadDay(std::string_view text) {
  const auto found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<size_t>(found - kDays.begin());
}

/// Adds a day or a span of days, which may pass the end of the week; false if it is neither.
bool AddDays(std::string_view text, std::array<bool, 7>& days) {
  const size_t dash = text.find('-');
  const auto first = ReadDay(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : ReadDay(text.substr(dash + 1));
  if (!first || !last) return false;
  for (size_t day = *first;; day = (day + 1) % kDays.size()) {
    days[day] = true;
    if (day == *last) return true;
  }
}

}  // namespace

Result<std::string> Value::Text() const {
  if (node_.kind != YamlNode::Kind::kScalar) return Expected("a text");
  return Expand(node_.text, outside_);
}

tl::unexpected<Error> Value::Expected(std::string_view what) const {
  if (node_.kind != YamlNode::Kind::kScalar) {
    return Fail(ErrorKind::kInvalid, "must be {}, not {}", what, Describe(node_.kind));
  }
  if (is_secret_) return Fail(ErrorKind::kInvalid, "must be {}", what);
  return Fail(ErrorKind::kInvalid, "must be {}, not '{}'", what, node_.text);
}

tl::unexpected<Error> Value::NotOneOf(const std::vector<std::string_view>& names) const {
  const std::string_view nearest = Nearest(node_.text, names);
  const auto list = fmt::format("one of {}", fmt::join(names, ", "));
  if (nearest.empty()) return Expected(list);
  return Fail(ErrorKind::kInvalid, "must be {}, not '{}'; did you mean {}?", list, node_.text,
              nearest);
}

Status Value::ToText(std::string* target) const {
  ASSIGN_OR_RETURN(*target, Text());
  if (target->empty()) return Expected("a text that is not empty");
  // "DOMAIN\name" is read as DOMAIN, a line break and ame.
  if (std::ranges::any_of(*target, [](unsigned char c) { return c < ' ' || c == 0x7f; })) {
    return Fail(ErrorKind::kInvalid, "holds a control character; {}", kBackslashHint);
  }
  return {};
}

Status Value::ToSecret(Secret* target) const {
  std::string text;
  RETURN_IF_ERROR(ToText(&text));
  *target = Secret(std::move(text));
  return {};
}

Status Value::ToTexts(std::vector<std::string>* target) const {
  if (node_.kind == YamlNode::Kind::kScalar) {
    RETURN_IF_ERROR(ToText(&target->emplace_back()));
    return {};
  }
  if (node_.kind != YamlNode::Kind::kList) return Expected("a list of texts");
  for (const YamlNode& item : node_.items) {
    if (item.kind != YamlNode::Kind::kScalar) {
      return Fail(ErrorKind::kInvalid, "must be a list of texts, but line {} holds {}", item.line,
                  Describe(item.kind));
    }
    RETURN_IF_ERROR(Value(item, outside_, is_secret_).ToText(&target->emplace_back()));
  }
  return {};
}

Status Value::ToSecrets(std::map<std::string, Secret>* target) const {
  if (node_.kind != YamlNode::Kind::kMap) return Expected("a map of texts");
  for (const YamlNode& member : node_.items) {
    const auto status = Value(member, outside_, true).ToSecret(&(*target)[member.name]);
    if (!status) return Annotate(status.error(), member.name);
  }
  return {};
}

Status Value::ToWhole(int64_t min, int64_t max, int64_t* target) const {
  ASSIGN_OR_RETURN(const std::string text, Text());
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, *target);
  if (error != std::errc() || parsed != end || *target < min || *target > max) {
    return Expected(fmt::format("a whole number from {} to {}", min, max));
  }
  return {};
}

Status Value::ToSpan(Duration min, Duration max, Duration* target) const {
  ASSIGN_OR_RETURN(const std::string text, Text());
  const auto span = ParseDuration(text);
  if (!span || *span < min || *span > max) {
    return Expected(fmt::format("a span such as 30s, 10m, 36h or 7d, from {} to {}",
                                DescribeDuration(min), DescribeDuration(max)));
  }
  *target = *span;
  return {};
}

Status Value::ToPercent(int64_t min, int64_t max, int64_t* target) const {
  ASSIGN_OR_RETURN(const std::string text, Text());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *target);
  const bool is_percent = error == std::errc() && std::string_view(end) == "%";
  if (!is_percent || *target < min || *target > max) {
    return Expected(fmt::format("a percentage from {}% to {}%", min, max));
  }
  return {};
}

Status Value::ToTimeOfDay(Duration* target) const {
  ASSIGN_OR_RETURN(const std::string text, Text());
  const auto time = ReadClock(text);
  if (!time || *time > Duration::Days(1)) return Expected("a time of day such as '07:30'");
  *target = *time;
  return {};
}

Status Value::ToZone(Duration* target) const {
  ASSIGN_OR_RETURN(const std::string text, Text());
  *target = {};
  if (text == "UTC") return {};
  const bool is_signed = text.starts_with('+') || text.starts_with('-');
  const auto offset = is_signed ? ReadClock(std::string_view(text).substr(1)) : std::nullopt;
  if (!offset || *offset > Duration::Hours(14)) {
    return Expected("UTC or an offset from it, such as '+01:00'");
  }
  *target = *offset * (text.starts_with('-') ? -1 : 1);
  return {};
}

Status Value::ToDays(std::array<bool, 7>* target) const {
  std::vector<std::string> texts;
  RETURN_IF_ERROR(ToTexts(&texts));
  target->fill(false);
  for (const std::string& text : texts) {
    if (AddDays(text, *target)) continue;
    return Fail(ErrorKind::kInvalid, "must be days such as mon-fri or [sat, sun], not '{}'", text);
  }
  return {};
}

Status Value::ToTime(UtcTime* target) const {
  ASSIGN_OR_RETURN(std::string text, Text());
  constexpr size_t kDateLength = std::string_view("2026-01-01").size();
  if (text.size() == kDateLength) text += "T00:00:00Z";
  const auto time = ParseUtcTime(text);
  if (!time || time->ticks < 0) {
    return Expected(
        "a date or a UTC time from 1970 on, such as 2026-01-01 or 2026-01-01T06:00:00Z");
  }
  *target = *time;
  return {};
}

Status Value::ToCommand(std::vector<std::string>* target) const {
  RETURN_IF_ERROR(ToTexts(target));
  if (node_.kind == YamlNode::Kind::kScalar) *target = CommandWords(target->front());
  if (target->empty()) return Expected("a program and its arguments");
  *target = FromFolder(folder(), std::move(*target));
  return {};
}

Status Value::ToPath(std::string* target) const {
  RETURN_IF_ERROR(ToText(target));
  if (target->find("://") == std::string::npos) *target = FromFolder(folder(), *target);
  return {};
}

}  // namespace pilake::config
