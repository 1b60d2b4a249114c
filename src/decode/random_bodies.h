// SPDX-License-Identifier: Apache-2.0
// For tests: bodies of random but legal form, and ways to damage them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/series.h"
#include "core/time.h"

namespace pilake::decode {

/// Makes bodies as servers of different habits would: one order of members and one spacing for most
/// events of a body, values of all kinds, now and then an event that is different.
class RandomBodies {
 public:
  /// Two of three instances are calm: their bodies are whole and complain of nothing.
  explicit RandomBodies(uint64_t seed) : random_(seed), is_calm_(!OneIn(3)) {}

  size_t Below(size_t bound) { return random_() % bound; }
  bool OneIn(size_t bound) { return Below(bound) == 0; }

  PointType Type() { return static_cast<PointType>(Below(11)); }

  /// `{"Items":[…],…}` of about `events` events.
  std::string Series(size_t events) {
    std::vector<std::string> members{"\"Items\":" + Items(events)};
    if (OneIn(2)) members.emplace_back("\"Links\":{}");
    if (OneIn(3)) members.emplace_back("\"UnitsAbbreviation\":\"m\u00b3\"");
    if (OneIn(3)) members.emplace_back(R"("Extra":[1,{"a":null,"b":"c"},[]])");
    if (OneIn(4)) members.emplace_back("\"WebException\":null");
    if (Badly(20)) members.emplace_back(R"("WebException":{"Errors":["x"],"StatusCode":500})");
    return Object(members);
  }

  std::string Set(const std::vector<std::string>& web_ids) {
    std::string streams;
    for (const std::string& web_id : web_ids) {
      if (Badly(60)) continue;
      std::string stream = Series(Below(20));
      const std::string id = fmt::format(R"({{"WebId":"{}",)", web_id);
      const size_t last = stream.rfind('}');
      if (Badly(12)) {
        stream = stream.substr(0, last) + fmt::format(R"(,"WebId":"{}"}})", web_id);
      } else {
        stream = id + stream.substr(stream.find('{') + 1);
      }
      if (!streams.empty()) streams += ',';
      streams += stream;
    }
    return fmt::format(R"({{"Links":{{}},"Items":[{}]}})", streams);
  }

  std::string Batch(size_t parts) {
    std::vector<std::string> members;
    for (size_t i = 0; i < parts; ++i) {
      if (Badly(60)) continue;
      std::vector<std::string> part{fmt::format("\"Status\":{}", Badly(15) ? 404 : 200),
                                    R"("Headers":{"Content-Type":"application/json"})",
                                    "\"Content\":" + Series(Below(20))};
      members.push_back(fmt::format("\"{}\":{}", i, Object(part)));
    }
    return Object(members);
  }

  /// The body with a few bytes changed, taken out, put in, or cut off.
  std::string Damaged(std::string body) {
    constexpr std::string_view kBytes = "{}[]\",:0123456789.eE+-truefalsn \\NI\x01\xc3\x80";
    for (size_t edits = 1 + Below(3); edits > 0 && !body.empty(); --edits) {
      const size_t at = Below(body.size());
      switch (Below(5)) {
        case 0:
          body[at] = kBytes[Below(kBytes.size())];
          break;
        case 1:
          body.erase(at, 1 + Below(4));
          break;
        case 2:
          body.insert(at, 1, kBytes[Below(kBytes.size())]);
          break;
        case 3:
          body.insert(at, body.substr(Below(body.size()), Below(60)));
          break;
        default:
          body.resize(at);
          break;
      }
    }
    return body;
  }

 private:
  std::string Object(std::vector<std::string> members) {
    std::shuffle(members.begin(), members.end(), random_);
    return ObjectInOrder(members);
  }

  std::string ObjectInOrder(const std::vector<std::string>& members) const {
    std::string text = "{";
    for (size_t i = 0; i < members.size(); ++i) text += (i > 0 ? "," + space_ : "") + members[i];
    return text + "}";
  }

  std::string Items(size_t events) {
    if (OneIn(4)) space_ = std::array{"", " ", "\r\n  "}[Below(3)];
    std::array<size_t, 6> order{0, 1, 2, 3, 4, 5};
    if (OneIn(3)) std::shuffle(order.begin(), order.end(), random_);
    const size_t habit = ValueKindOf();
    UtcTime time{static_cast<int64_t>(Below(2'000'000'000)) * 10'000'000};
    std::string items = "[";
    for (size_t i = 0; i < events; ++i) {
      time = time + Duration::Ticks(static_cast<int64_t>(Below(3)) * 5'000'000 +
                                    static_cast<int64_t>(OneIn(2) ? Below(10'000'000) : 0));
      if (OneIn(30)) std::shuffle(order.begin(), order.end(), random_);
      items += (i > 0 ? "," + space_ : "") + Event(time, OneIn(8) ? ValueKindOf() : habit, order);
    }
    return items + "]";
  }

  std::string Event(UtcTime time, size_t value_kind, const std::array<size_t, 6>& order) {
    std::vector<std::string> members(6);
    members[0] = fmt::format("\"Timestamp\":{}\"{}\"", space_, Time(time));
    members[1] = "\"Value\":" + space_ + AnyValue(value_kind);
    constexpr std::array kFlags{"Good", "Questionable", "Substituted"};
    for (size_t i = 0; i < 3; ++i)
      members[2 + i] = fmt::format("\"{}\":{}", kFlags[i], Flag(i == 0));
    members[5] = Badly(40)   ? R"("Errors":[{"FieldName":"Value","Message":["bad"]}])"
                 : OneIn(20) ? R"("Errors":[])"
                 : Badly(20) ? R"("Timestamp":"2024-01-01T00:00:00Z")"
                             : R"("UnitsAbbreviation":"")";
    std::vector<std::string> ordered;
    ordered.reserve(order.size());
    for (const size_t which : order) ordered.push_back(members[which]);
    return ObjectInOrder(ordered);
  }

  std::string Time(UtcTime time) {
    if (Badly(300)) return "not a time";
    if (OneIn(100)) return FormatUtcTime(time).substr(0, 19) + "+01:00";
    return FormatUtcTime(time);
  }

  std::string Flag(bool usual) {
    if (OneIn(15)) return usual ? "false" : "true";
    if (OneIn(60)) return usual ? "\"True\"" : "\"false\"";
    if (OneIn(60)) return "null";
    return usual ? "true" : "false";
  }

  size_t ValueKindOf() { return Below(is_calm_ ? 11 : 12); }  // the last is no JSON

  std::string AnyValue(size_t kind) {
    switch (kind) {
      case 0:
        return fmt::format("{}", static_cast<float>(Below(1'000'000)) / 977.0f);
      case 1:
        return fmt::format("{}", static_cast<double>(random_()) / 1e7);
      case 2:
        return fmt::format("{}", static_cast<int64_t>(random_()) >> Below(64));
      case 3:
        return fmt::format(R"({{"Name":"{}","Value":{},"IsSystem":{}}})",
                           OneIn(20) ? "Ge\u00f6ffnet" : "Open", Below(300), OneIn(5));
      case 4:
        return fmt::format("\"batch {}\"", Below(1000));
      case 5:
        return OneIn(2) ? "\"a \\\"quoted\\\" \\u00e9 text\"" : "\"\u00e9\"";
      case 6:
        return OneIn(2) ? "true" : "false";
      case 7:
        return "null";
      case 8:
        return std::array{"NaN", "Infinity", "-Infinity", "\"NaN\"", "1e999", "-0"}[Below(6)];
      case 9:
        return std::array{"[1,2]", "{\"Errors\":[\"e\"]}", "{}", "[]"}[Below(4)];
      case 10:
        return fmt::format(R"({{"Value":{},"Name":"x","IsSystem":"true"}})", Below(5));
      default:
        return std::array{"1.", "tru", "01", "1e5", "1E-7", "\"\\ud800\""}[Below(6)];
    }
  }

  bool Badly(size_t bound) { return !is_calm_ && OneIn(bound); }

  std::mt19937_64 random_;
  bool is_calm_;
  std::string space_;
};

}  // namespace pilake::decode
