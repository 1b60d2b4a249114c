// SPDX-License-Identifier: Apache-2.0
// Readings: the switches for what is not established about a real PI Web API (wire §13).
#include "sim/reading.h"

#include <algorithm>
#include <functional>

#include "sim/text.h"
#include "sim/webid.h"

namespace pilake::sim {
namespace {

// One reading: its key, the words it knows (the default first), and what a word sets.
struct Reading {
  std::string_view key;
  std::vector<std::string_view> words;
  void (*set)(Readings& readings, size_t word);
  void (*set_number)(Readings& readings, int number) = nullptr;  // for those that take any status
};

const std::vector<Reading>& AllReadings() {
  static const std::vector<Reading> kReadings = {
      {"unknown_webid_in_set",
       {"whole_400", "whole_404", "item_errors"},
       [](Readings& r, size_t word) { r.unknown_webid_in_set = static_cast<UnknownInSet>(word); }},
      {"items_limit",
       {"streams_times_max_count", "max_count", "produced"},
       [](Readings& r, size_t word) { r.items_limit = static_cast<ItemsLimit>(word); }},
      {"csrf_status",
       {"400", "403"},
       nullptr,
       [](Readings& r, int status) { r.csrf_status = status; }},
      {"nan",
       {"bare", "string", "null"},
       [](Readings& r, size_t word) { r.nan = static_cast<NanAs>(word); }},
      {"float_digits",
       {"single", "double"},
       [](Readings& r, size_t word) { r.float_as_double = word == 1; }},
      {"float_integral",
       {"dot_zero", "bare"},
       [](Readings& r, size_t word) { r.bare_integral = word == 1; }},
      {"escapes",
       {"minimal", "ascii"},
       [](Readings& r, size_t word) { r.ascii_escapes = word == 1; }},
      {"webexception_needs_selecting",
       {"yes", "no"},
       [](Readings& r, size_t word) { r.webexception_needs_selecting = word == 0; }},
      {"template_status",
       {"207", "200"},
       nullptr,
       [](Readings& r, int status) { r.template_status = status; }},
      {"child_of_failed",
       {"424", "400", "500"},
       nullptr,
       [](Readings& r, int status) { r.child_of_failed = status; }},
      {"batch_parts_limited",
       {"yes", "no"},
       [](Readings& r, size_t word) { r.batch_parts_limited = word == 0; }},
      {"links_key",
       {"Source", "Self"},
       [](Readings& r, size_t word) { r.links_key = word == 0 ? "Source" : "Self"; }},
      {"flags_as_strings",
       {"no", "yes"},
       [](Readings& r, size_t word) { r.flags_as_strings = word == 1; }},
      {"member_order",
       {"fixed", "shuffled"},
       [](Readings& r, size_t word) { r.shuffled_members = word == 1; }},
      {"extra_members",
       {"no", "yes"},
       [](Readings& r, size_t word) { r.extra_members = word == 1; }},
      {"timestamps_trim",
       {"yes", "no"},
       [](Readings& r, size_t word) { r.trim_timestamps = word == 0; }},
      {"equal_time_descending",
       {"reversed", "stable"},
       [](Readings& r, size_t word) { r.stable_descending = word == 1; }},
      {"time_compare",
       {"rendered", "exact"},
       [](Readings& r, size_t word) { r.exact_times = word == 1; }},
      {"blob",
       {"base64", "501", "error"},
       [](Readings& r, size_t word) { r.blob = static_cast<BlobAs>(word); }},
      {"queued_snapshot",
       {"shown", "hidden"},
       [](Readings& r, size_t word) { r.hides_queued_snapshot = word == 1; }},
      {"counted",
       {"good", "all", "numbers"},
       [](Readings& r, size_t word) { r.counted = static_cast<Counted>(word); }},
      {"count_of_none",
       {"zero", "no_data"},
       [](Readings& r, size_t word) { r.no_count_of_none = word == 1; }},
      {"flag_filters",
       {"yes", "no"},
       [](Readings& r, size_t word) { r.refuses_flag_filters = word == 1; }},
      {"set_order",
       {"request", "name"},
       [](Readings& r, size_t word) { r.set_by_name = word == 1; }},
      {"swapped_archive",
       {"silent", "refresh"},
       [](Readings& r, size_t word) { r.refreshes_swapped = word == 1; }},
      {"failover_pipes",
       {"resume", "lost"},
       [](Readings& r, size_t word) { r.failover_loses_pipes = word == 1; }},
      {"lost_marker",
       {"404", "409"},
       nullptr,
       [](Readings& r, int status) { r.lost_marker = status; }},
      {"stale_marker",
       {"409", "404"},
       nullptr,
       [](Readings& r, int status) { r.stale_marker = status; }},
      {"overflow",
       {"failed", "404"},
       [](Readings& r, size_t word) { r.overflow_is_lost = word == 1; }},
      {"registered_status",
       {"200", "201"},
       nullptr,
       [](Readings& r, int status) { r.registered_status = status; }},
      {"registered_word",
       {"Succeeded", "Succeded"},
       [](Readings& r, size_t word) { r.registered_word = word == 0 ? "Succeeded" : "Succeded"; }},
      {"updated_word",
       {"Updated", "Created"},
       [](Readings& r, size_t word) { r.updated_word = word == 0 ? "Updated" : "Created"; }},
      {"channel_order",
       {"shuffled", "arrival"},
       [](Readings& r, size_t word) { r.channel_in_order = word == 1; }},
      {"channel_delete",
       {"event", "null", "nothing"},
       [](Readings& r, size_t word) { r.channel_delete = static_cast<DeletedAs>(word); }},
      {"channel_items",
       {"Items", "Value"},
       [](Readings& r, size_t word) { r.channel_single_values = word == 1; }},
      {"heartbeat",
       {"empty_items", "empty_object", "empty_frame"},
       [](Readings& r, size_t word) { r.heartbeat = static_cast<Heartbeat>(word); }},
      {"channel_end",
       {"cut", "close"},
       [](Readings& r, size_t word) { r.closes_channels = word == 1; }},
      {"webid_type",
       {"Full", "IDOnly", "PathOnly", "LocalIDOnly", "DefaultIDOnly"},
       [](Readings& r, size_t word) {
         constexpr const char* kNames[] = {"Full", "IDOnly", "PathOnly", "LocalIDOnly",
                                           "DefaultIDOnly"};
         r.webid_type = kNames[word];
       }},
  };
  return kReadings;
}

std::string Join(const std::vector<std::string_view>& words) {
  std::string all;
  for (const std::string_view word : words) all += (all.empty() ? "" : ", ") + std::string(word);
  return all;
}

}  // namespace

Status ApplyReading(std::string_view assignment, Readings& readings) {
  const size_t equals = assignment.find('=');
  const std::string_view key = assignment.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : assignment.substr(equals + 1);
  const auto found =
      std::ranges::find_if(AllReadings(), [&](const Reading& r) { return SameText(r.key, key); });
  if (found == AllReadings().end()) {
    std::vector<std::string_view> keys;
    for (const Reading& reading : AllReadings()) keys.push_back(reading.key);
    return Fail(ErrorKind::kInvalid, "no reading is called '{}'; there are {}", key, Join(keys));
  }
  const auto word =
      std::ranges::find_if(found->words, [&](std::string_view w) { return SameText(w, value); });
  if (found->set_number != nullptr) {
    const auto status = ParseInteger(value);
    if (!status || *status < 200 || *status > 599) {
      return Fail(ErrorKind::kInvalid, "reading '{}' is a status code such as {}, not '{}'", key,
                  Join(found->words), value);
    }
    found->set_number(readings, static_cast<int>(*status));
    return {};
  }
  if (word == found->words.end()) {
    return Fail(ErrorKind::kInvalid, "reading '{}' is one of {}, not '{}'", key, Join(found->words),
                value);
  }
  found->set(readings, static_cast<size_t>(word - found->words.begin()));
  return {};
}

std::vector<std::string> AllOtherReadings() {
  std::vector<std::string> assignments;
  for (const Reading& reading : AllReadings()) {
    for (size_t i = 1; i < reading.words.size(); ++i) {
      assignments.push_back(std::string(reading.key) + "=" + std::string(reading.words[i]));
    }
  }
  return assignments;
}

}  // namespace pilake::sim
