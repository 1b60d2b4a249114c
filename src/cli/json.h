// SPDX-License-Identifier: Apache-2.0
// JSON for `--json`: an object written member by member.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace pilake::cli {

/// `text` as a JSON string, quotes included.
inline std::string JsonText(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      json += c;
    }
  }
  return json + '"';
}

/// Collects members in the order of the calls; `Text` gives the object.
class JsonObject {
 public:
  JsonObject& Add(std::string_view name, std::string_view value) {
    return Raw(name, JsonText(value));
  }
  JsonObject& Add(std::string_view name, const char* value) { return Raw(name, JsonText(value)); }
  JsonObject& Add(std::string_view name, bool value) { return Raw(name, value ? "true" : "false"); }
  JsonObject& Add(std::string_view name, std::integral auto value) {
    return Raw(name, fmt::format("{}", value));
  }
  JsonObject& Add(std::string_view name, double value) {
    return Raw(name, fmt::format("{:.6g}", value));
  }

  /// `json` must be JSON.
  JsonObject& Raw(std::string_view name, std::string_view json) {
    members_ += fmt::format("{}{}:{}", members_.empty() ? "" : ",", JsonText(name), json);
    return *this;
  }

  std::string Text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

/// A JSON array of what `to_json` makes of each item.
template <typename Item, typename ToJson>
std::string JsonArray(const std::vector<Item>& items, ToJson to_json) {
  std::string json = "[";
  for (const Item& item : items) json += (json.size() == 1 ? "" : ",") + to_json(item);
  return json + "]";
}

}  // namespace pilake::cli
