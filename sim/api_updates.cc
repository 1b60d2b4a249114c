// SPDX-License-Identifier: Apache-2.0
// streams/…/updates, streamsets/updates: registering for news, and fetching them (wire §9).
#include <optional>
#include <utility>
#include <vector>

#include "sim/api_stream.h"
#include "sim/event_json.h"
#include "sim/text.h"
#include "sim/updates.h"

namespace pilake::sim {
namespace {

void WriteException(JsonWriter& json, std::string_view error) {
  if (!json.Key("Exception")) return;
  if (error.empty()) return json.Null();
  json.BeginObject();
  if (json.Key("Errors")) {
    json.BeginArray();
    json.String(error);
    json.EndArray();
  }
  json.EndObject();
}

void WriteSource(JsonWriter& json, const Call& call, const Point* point) {
  json.Member("Source", point == nullptr ? "" : PointWebIdText(call, *point));
  json.Member("SourceName", point == nullptr ? "" : point->name);
  json.Member("SourcePath", point == nullptr ? "" : call.plant->Path(*point));
}

void WriteLinks(JsonWriter& json, const Call& call, const std::string& marker) {
  if (!json.Key("Links")) return;
  json.BeginObject();
  if (!marker.empty()) json.Member("Updates", call.base + "/streams/updates/" + marker);
  json.EndObject();
}

// The marker; empty if the point cannot be registered.
std::string Register(JsonWriter& json, const Call& call, const Point& point) {
  ++call.world.tally.registrations;
  const ReadFailure failure = FailureOf(call, point);
  Updates::Registered registered;
  if (failure.status == 0) registered = call.world.updates.Register(call, point);
  const std::string status = failure.status != 0 ? "Failed"
                             : registered.is_new ? call.world.readings.registered_word
                                                 : "AlreadyRegistered";
  json.BeginObject();
  WriteSource(json, call, &point);
  json.Member("LatestMarker", registered.marker);
  json.Member("Status", status);
  WriteException(json, failure.text);
  WriteLinks(json, call, registered.marker);
  json.EndObject();
  return registered.marker;
}

// What there is between asking and writing.
struct Retrieval {
  std::string marker;
  Updates::Retrieved result;
  std::vector<Change> changes;
};

Retrieval Retrieve(const Call& call, std::string_view marker) {
  Tally& tally = call.world.tally;
  ++tally.update_polls;
  if (call.fault == Fault::kMarkersLost) {
    call.world.updates.Forget(marker);
    ++tally.faults[static_cast<size_t>(call.fault)];
  }
  Retrieval retrieval{std::string(marker), {}, {}};
  retrieval.result = call.world.updates.Retrieve(call, marker, [&](const Change& change) {
    retrieval.changes.push_back(change);
    return true;
  });
  if (!retrieval.result.error.empty()) retrieval.changes.clear();
  tally.updates += retrieval.changes.size();
  return retrieval;
}

constexpr std::string_view kActions[] = {"Add", "Insert", "Update", "Delete", "Refresh"};
constexpr std::string_view kPrevious[] = {"None", "PreviousEventArchived",
                                          "PreviousEventDiscarded"};

void WriteChanges(JsonWriter& json, const Call& call, const Retrieval& retrieval) {
  json.BeginArray();
  if (!retrieval.changes.empty()) {
    const SelectedFields& fields = json.fields();
    EventWriter writer(fields, call.world.readings, call.plant->unit_name(*retrieval.result.point));
    std::string text, event;
    for (const Change& change : retrieval.changes) {
      text = "{";
      const auto member = [&](std::string_view name, std::string_view word) {
        if (fields.Find(name) != nullptr) text += fmt::format("\"{}\":\"{}\",", name, word);
      };
      member("Action", kActions[static_cast<size_t>(change.action)]);
      member("PreviousEventAction", kPrevious[static_cast<size_t>(change.previous)]);
      event.clear();
      writer.Append(change.event, event);
      if (event == "{}" && text.size() > 1) text.pop_back();
      json.Raw(text + event.substr(1));
    }
  }
  json.EndArray();
}

void WriteRetrieval(JsonWriter& json, const Call& call, const Retrieval& retrieval) {
  const Updates::Retrieved& result = retrieval.result;
  json.BeginObject();
  WriteSource(json, call, result.point);
  json.Member("RequestedMarker", retrieval.marker);
  json.Member("LatestMarker", result.latest);
  json.Member("Status", result.error.empty() ? call.world.readings.updated_word : "Failed");
  WriteException(json, result.error);
  if (json.Key("Events")) WriteChanges(json, call, retrieval);
  WriteLinks(json, call, result.latest);
  json.EndObject();
}

// 400 where it has to fail the whole call; what cannot be read otherwise fails by itself.
std::optional<Answer> Refused(const Call& call, const Found& found) {
  if (found.point != nullptr && found.point->trouble == Trouble::kSilent) return Silence();
  if (found.point != nullptr) return std::nullopt;
  const bool as_found = call.world.readings.unknown_webid_in_set == UnknownInSet::kWhole404;
  return Errors(as_found ? found.status : 400, found.error);
}

}  // namespace

bool IsRegistration(const Call& call) {
  const auto& segments = call.segments;
  if (call.method != "POST" || segments.empty() || !SameText(segments.back(), "updates"))
    return false;
  return segments.size() == (SameText(segments[0], "streams") ? 3U : 2U);
}

Result<Answer> RegisterStream(const Call& call, const Point& point) {
  std::string marker;
  Answer answer = Document(call, [&](JsonWriter& json) { marker = Register(json, call, point); });
  answer.status = call.world.readings.registered_status;
  if (!marker.empty())
    answer.headers.emplace_back("Location", call.base + "/streams/updates/" + marker);
  return answer;
}

Result<Answer> RegisterStreams(const Call& call) {
  std::vector<const Point*> points;
  for (const std::string_view web_id : call.query.All("webId")) {
    const Found found = FindPoint(call, web_id);
    if (auto refused = Refused(call, found)) return std::move(*refused);
    points.push_back(found.point);
  }
  if (points.empty()) return Fail(ErrorKind::kInvalid, "The parameter 'webId' is required.");
  Answer answer = Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) {
      json.BeginArray();
      for (const Point* point : points) Register(json, call, *point);
      json.EndArray();
    }
    json.EndObject();
  });
  answer.status = call.world.readings.registered_status;
  return answer;
}

Result<Answer> RetrieveStream(const Call& call, std::string_view marker) {
  RETURN_IF_ERROR(RefuseUnsupported(call));
  const Retrieval retrieval = Retrieve(call, marker);
  if (retrieval.result.is_stuck) return Silence();
  if (retrieval.result.status != 200)
    return Errors(retrieval.result.status, retrieval.result.error);
  return Document(call, [&](JsonWriter& json) { WriteRetrieval(json, call, retrieval); });
}

Result<Answer> RetrieveStreams(const Call& call) {
  const auto markers = call.query.All("marker");
  if (markers.empty()) return Fail(ErrorKind::kInvalid, "The parameter 'marker' is required.");
  bool is_stuck = false;
  Answer answer = Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    const bool has_items = json.Key("Items");
    if (has_items) json.BeginArray();
    for (const std::string_view marker : markers) {
      const Retrieval retrieval = Retrieve(call, marker);
      is_stuck |= retrieval.result.is_stuck;
      if (has_items) WriteRetrieval(json, call, retrieval);
    }
    if (has_items) json.EndArray();
    json.EndObject();
  });
  if (is_stuck) return Silence();
  return answer;
}

}  // namespace pilake::sim
