// SPDX-License-Identifier: Apache-2.0
// What the bodies of single reads, sets, batches, channels and updates have in common: an object
// with events in it. Inside `decode` only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "decode/json.h"
#include "decode/recorded.h"
#include "decode/recorded_paths.h"
#include "decode/timestamp.h"

namespace pilake::decode {

Error NotWhatWasAsked(std::string_view what);

/// What a body, stream or part says besides its events.
struct Envelope {
  std::optional<Error> unreadable;  ///< of an event, or of the shape
  std::optional<Complaint> complaint;
  bool has_events = false;
};

/// The failure of one stream of many.
std::optional<Error> FailureOf(const Envelope& envelope);

/// Where the events of a stream stand.
enum class EventsIn : uint8_t {
  kItems,
  kItemsOrValue,  ///< the list `Items`, or the one object called `Value`
  kEvents,        ///< the list `Events`, with the action of each; and the stream's `LatestMarker`
};

/// Adds what the members say that are known, in whatever order, to page and envelope.
simdjson::error_code ReadStream(od::object& object, PointType type, EventsIn where,
                                TimeReader& times, SeriesPage& page, Envelope& envelope);

simdjson::error_code ReadComplaintInto(od::value& value, Envelope& envelope);

/// The text member `name` of a stream, wherever it stands; the object is left at its start. Keys
/// are compared as they are written: each string of a document may be unescaped only once, or the
/// parser's buffer would not hold them all.
simdjson::error_code FindText(od::object& stream, std::string_view name, std::string& text);

/// Opens the body, hands its object to `read`, and makes sure that nothing follows.
template <typename Read>
simdjson::error_code ReadDocument(const Body& body, Read read) {
  od::document document;
  if (const auto error = Iterate(body.begin(), body.text().size()).get(document)) return error;
  od::object object;
  if (const auto error = document.get_object().get(object)) return error;
  if (const auto error = read(object)) return error;
  return IsAtEnd(document) ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
}

/// Hands each object of a body's list `Items` to `read`, and keeps what the body says besides.
template <typename Read>
simdjson::error_code ReadStreams(od::object& body, Envelope& envelope, Read read) {
  for (auto field : body) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    if (IsComplaint(key)) {
      if (const auto error = ReadComplaintInto(value, envelope)) return error;
    }
    if (key != "Items") continue;
    if (envelope.has_events || Token(value)[0] != '[') {
      envelope.unreadable = NotWhatWasAsked("Items is not one list");
      continue;
    }
    envelope.has_events = true;
    od::array array;
    if (const auto error = value.get_array().get(array)) return error;
    for (auto element : array) {
      od::object stream;
      if (const auto error = element.get_object().get(stream)) return error;
      if (const auto error = read(stream)) return error;
    }
  }
  return simdjson::SUCCESS;
}

}  // namespace pilake::decode
