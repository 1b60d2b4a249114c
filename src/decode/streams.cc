// SPDX-License-Identifier: Apache-2.0
#include "decode/streams.h"

#include <array>
#include <utility>

#include "decode/event.h"

namespace pilake::decode {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;

Action ActionOf(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Action>, 5> kWords{
      {{"Add", Action::kAdd},
       {"Insert", Action::kInsert},
       {"Update", Action::kUpdate},
       {"Delete", Action::kDelete},
       {"Refresh", Action::kRefresh}}};
  for (const auto& [known, action] : kWords) {
    if (word == known) return action;
  }
  return Action::kUnknown;
}

error_code ReadEventInto(od::value& item, PointType type, EventsIn where, TimeReader& times,
                         SeriesPage& page, std::optional<Error>& failure) {
  od::object object;
  if (Token(item)[0] != '{') {
    failure = NotWhatWasAsked(fmt::format("an event is {}", Token(item).substr(0, 40)));
    return SUCCESS;
  }
  if (const auto error = item.get_object().get(object)) return error;
  if (where == EventsIn::kEvents) {
    std::string action;
    if (const auto error = FindText(object, "Action", action)) return error;
    page.actions.push_back(ActionOf(action));
  }
  Event event;
  if (const auto error = ReadEvent(object, type, times, event, failure)) return error;
  page.events.Append(event.time, event.value.kind, event.value.number, event.value.text,
                     event.flags);
  return SUCCESS;
}

error_code ReadEvents(od::value& items, PointType type, EventsIn where, TimeReader& times,
                      SeriesPage& page, Envelope& envelope) {
  if (envelope.has_events) {
    envelope.unreadable = NotWhatWasAsked("Items comes twice");
    return SUCCESS;
  }
  if (Token(items)[0] != '[') {
    envelope.unreadable = NotWhatWasAsked(fmt::format("Items is {}", Token(items).substr(0, 40)));
    return SUCCESS;
  }
  envelope.has_events = true;
  od::array array;
  if (const auto error = items.get_array().get(array)) return error;
  for (auto element : array) {
    od::value item;
    if (const auto error = element.get(item)) return error;
    if (const auto error = ReadEventInto(item, type, where, times, page, envelope.unreadable))
      return error;
  }
  return SUCCESS;
}

}  // namespace

Error NotWhatWasAsked(std::string_view what) {
  return {ErrorKind::kMalformed, fmt::format("the answer is not what was asked for: {}", what)};
}

error_code ReadComplaintInto(od::value& value, Envelope& envelope) {
  if (IsNothing(value)) return SUCCESS;
  if (!envelope.complaint) envelope.complaint.emplace();
  return ReadComplaint(value, *envelope.complaint);
}

error_code ReadStream(od::object& object, PointType type, EventsIn where, TimeReader& times,
                      SeriesPage& page, Envelope& envelope) {
  const std::string_view list = where == EventsIn::kEvents ? "Events" : "Items";
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    if (key == list) {
      // Nothing new may be told as an empty list, or not at all.
      if (where == EventsIn::kEvents && IsNothing(value)) continue;
      if (const auto error = ReadEvents(value, type, where, times, page, envelope)) return error;
    } else if (where == EventsIn::kItemsOrValue && key == "Value" && Token(value)[0] == '{') {
      if (envelope.has_events) envelope.unreadable = NotWhatWasAsked("Value comes twice");
      envelope.has_events = true;
      if (const auto error = ReadEventInto(value, type, where, times, page, envelope.unreadable)) {
        return error;
      }
    } else if (where == EventsIn::kEvents && key == "LatestMarker") {
      std::string_view marker;
      if (Token(value)[0] == '"' && !value.get_string().get(marker)) page.marker = marker;
    } else if (IsComplaint(key)) {
      if (const auto error = ReadComplaintInto(value, envelope)) return error;
    }
  }
  return SUCCESS;
}

std::optional<Error> FailureOf(const Envelope& envelope) {
  if (envelope.complaint) return Refused(*envelope.complaint);
  if (envelope.unreadable) return envelope.unreadable;
  if (!envelope.has_events) return NotWhatWasAsked("it has no events member");
  return std::nullopt;
}

error_code FindText(od::object& stream, std::string_view name, std::string& text) {
  for (auto field : stream) {
    od::raw_json_string key;
    if (const auto error = field.key().get(key)) return error;
    if (!(key == name)) continue;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    std::string_view found;
    if (Token(value)[0] == '"' && !value.get_string().get(found)) text = found;
    break;
  }
  return stream.reset().error();
}

}  // namespace pilake::decode
