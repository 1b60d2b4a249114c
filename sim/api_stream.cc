// SPDX-License-Identifier: Apache-2.0
// streams/{webId}/…: one series at a time (wire §5).
#include "sim/api_stream.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "sim/channel.h"
#include "sim/recorded_body.h"
#include "sim/text.h"

namespace pilake::sim {

namespace {

Result<EventFilter> ReadFilter(const Call& call) {
  ASSIGN_OR_RETURN(const bool filtered_too, call.query.Boolean("includeFilteredValues", false));
  if (filtered_too)
    return Fail(ErrorKind::kConflict, "Filtered values are not shown by this simulator.");
  const std::string_view expression = call.query.Get("filterExpression").value_or("");
  if (!expression.empty() && call.world.readings.refuses_flag_filters)
    return Fail(ErrorKind::kConflict, "The filter expression '{}' is not supported.", expression);
  return EventFilter::Parse(expression);
}

}  // namespace

Result<RecordedQuery> ReadRecordedQuery(const Call& call) {
  RecordedQuery query;
  ASSIGN_OR_RETURN(query.start, TimeParameter(call, "startTime", "*-1d"));
  ASSIGN_OR_RETURN(query.end, TimeParameter(call, "endTime", "*"));
  ASSIGN_OR_RETURN(query.max_count, call.query.Integer("maxCount", 1000));
  if (query.max_count < 1)
    return Fail(ErrorKind::kInvalid, "Parameter 'maxCount' must be greater than 0.");
  RETURN_IF_ERROR(CheckLimit(call, "maxCount", query.max_count));
  const std::string_view boundary = call.query.Get("boundaryType").value_or("Inside");
  if (SameText(boundary, "Inside"))
    query.boundary = Boundary::kInside;
  else if (SameText(boundary, "Outside"))
    query.boundary = Boundary::kOutside;
  else if (SameText(boundary, "Interpolated"))
    query.boundary = Boundary::kInterpolated;
  else
    return Fail(ErrorKind::kInvalid, "The specified boundary type '{}' is not valid.", boundary);
  ASSIGN_OR_RETURN(query.filter, ReadFilter(call));
  RETURN_IF_ERROR(RefuseUnsupported(call));
  return query;
}

Status RefuseUnsupported(const Call& call) {
  if (const auto units = call.query.Get("desiredUnits"); units && !units->empty()) {
    return Fail(ErrorKind::kConflict, "Unit conversion is not supported for PI Points.");
  }
  const auto associations = call.query.Get("associations");
  if (associations && !associations->empty() && !SameText(*associations, "Annotations")) {
    return Fail(ErrorKind::kConflict, "The association '{}' is not supported.", *associations);
  }
  return {};
}

ReadFailure FailureOf(const Call& call, const Point& point) {
  switch (point.trouble) {
    case Trouble::k500:
    case Trouble::kItem:
    case Trouble::kWebException:
      return {500, "[-10420] Access to the data of the point failed."};
    default:
      break;
  }
  if (point.type == PointType::kBlob && call.world.readings.blob == BlobAs::kNotImplemented)
    return {501, "The value type is not supported."};
  return {};
}

Answer Silence() {
  Answer answer;
  answer.mishap.kind = web::Mishap::Kind::kNoAnswer;
  return answer;
}

namespace {

// What the system state `No Data` looks like: a point without events shows it.
Event NoDataEvent(const Plant& plant) {
  Event event;
  event.form = Form::kState;
  event.integer = kNoData;
  event.system = true;
  event.good = false;
  event.text = plant.system_set().ByCode(kNoData)->name;
  return event;
}

bool IsCounted(const Readings& readings, const Event& event) {
  switch (readings.counted) {
    case Counted::kGood:
      return event.good;
    case Counted::kAll:
      return true;
    case Counted::kNumbers:
      return event.good && (event.form == Form::kSingle || event.form == Form::kDouble ||
                            event.form == Form::kInteger);
  }
  return false;
}

Result<Answer> GetRecorded(const Call& call, const Point& point) {
  ++call.world.tally.recorded_calls;
  ASSIGN_OR_RETURN(const RecordedQuery query, ReadRecordedQuery(call));
  const bool annotations = call.query.Get("associations").value_or("") != "";
  std::vector<RecordedStream> streams(1);
  streams[0].point = &point;
  ReadFailure failure = FailureOf(call, point);
  streams[0].error_status = failure.status;
  streams[0].error = std::move(failure.text);
  return JsonPieces(std::make_unique<RecordedBody>(call, RecordedBody::Shape::kStream,
                                                   std::move(streams), query, annotations));
}

Answer WriteTimedValue(const Call& call, const Point& point, const Event& event) {
  std::string body;
  ++call.world.tally.series_reads;
  ++call.world.tally.events;
  EventWriter(call.fields, call.world.readings, call.plant->unit_name(point)).Append(event, body);
  return Json(std::move(body));
}

Result<Answer> GetValue(const Call& call, const Point& point) {
  RETURN_IF_ERROR(RefuseUnsupported(call));
  ASSIGN_OR_RETURN(const Event event, ReadValue(call, point));
  return WriteTimedValue(call, point, event);
}

Result<Answer> GetEnd(const Call& call, const Point& point) {
  RETURN_IF_ERROR(RefuseUnsupported(call));
  return WriteTimedValue(call, point, ReadEnd(call, point));
}

Result<Answer> GetSummary(const Call& call, const Point& point) {
  RETURN_IF_ERROR(RefuseUnsupported(call));
  ASSIGN_OR_RETURN(const Event count, ReadCount(call, point));
  ++call.world.tally.series_reads;
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) WriteCountItems(json, count);
    json.EndObject();
  });
}

Answer WebExceptionAlone(const Call& call, const ReadFailure& failure) {
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("WebException")) {
      json.BeginObject();
      if (json.Key("Errors")) {
        json.BeginArray();
        json.String(failure.text);
        json.EndArray();
      }
      json.Member("StatusCode", failure.status);
      json.EndObject();
    }
    json.EndObject();
  });
}

// What was found, as it is shown; or the state that stands for nothing.
Event Shown(const World& world, const Plant& plant, const Point& point, bool found, Event event) {
  if (!found) return NoDataEvent(plant);
  ShowAsRead(point, world.readings, event);
  return event;
}

}  // namespace

Result<Event> ReadValue(const Call& call, const Point& point) {
  const History history(*call.plant, point, call.data_now, LensOf(call.world.readings));
  Event event;
  bool found = false;
  if (call.query.Get("time") || point.future) {
    ASSIGN_OR_RETURN(const UtcTime time, TimeParameter(call, "time", "*"));
    found = ReadAtOrBefore(history, time, event);
  } else {  // the snapshot, even where its clock runs ahead
    found = history.ReadNewest(event);
  }
  return Shown(call.world, *call.plant, point, found, std::move(event));
}

Event ReadCurrent(const World& world, const Plant& plant, const Point& point, UtcTime data,
                  UtcTime now) {
  const History history(plant, point, data, LensOf(world.readings));
  Event event;
  const bool found = point.future ? ReadAtOrBefore(history, now, event) : history.ReadNewest(event);
  return Shown(world, plant, point, found, std::move(event));
}

Event ReadEnd(const Call& call, const Point& point) {
  const History history(*call.plant, point, call.data_now, LensOf(call.world.readings));
  Event event;
  const bool found = history.ReadNewest(event);
  return Shown(call.world, *call.plant, point, found, std::move(event));
}

Result<Event> ReadCount(const Call& call, const Point& point) {
  const auto types = call.query.All("summaryType");
  for (const std::string_view type : types) {
    if (!SameText(type, "Count")) {
      return Fail(ErrorKind::kConflict, "The summary type '{}' is not supported by this simulator.",
                  type);
    }
  }
  if (types.empty())
    return Fail(ErrorKind::kConflict,
                "The summary type 'Total' is not supported by this simulator.");
  RecordedQuery query;
  ASSIGN_OR_RETURN(query.start, TimeParameter(call, "startTime", "*-1d"));
  ASSIGN_OR_RETURN(query.end, TimeParameter(call, "endTime", "*"));
  ASSIGN_OR_RETURN(query.filter, ReadFilter(call));
  query.max_count = INT64_MAX;
  const std::string_view basis = call.query.Get("calculationBasis").value_or("TimeWeighted");
  Event count;
  count.time = query.start;
  if (!SameText(basis.substr(0, 13), "EventWeighted")) {  // then it counts seconds
    count.form = Form::kDouble;
    count.number = (std::max(query.start, query.end) - std::min(query.start, query.end)).seconds();
    return count;
  }
  const auto [low, high] = std::minmax(query.start, query.end);
  const bool without_first = SameText(basis, "EventWeightedExcludeEarliestEvent");
  const bool without_last = SameText(basis, "EventWeightedExcludeMostRecentEvent");
  RecordedReader reader(*call.plant, point, call.world.readings, query, call.data_now);
  Event event;
  count.form = Form::kInteger;
  while (reader.Next(event)) {
    if ((without_first && event.time == low) || (without_last && event.time == high)) continue;
    if (IsCounted(call.world.readings, event)) ++count.integer;
  }
  call.world.tally.scanned += static_cast<uint64_t>(reader.scanned());
  if (count.integer == 0 && call.world.readings.no_count_of_none) {
    count = NoDataEvent(*call.plant);
    count.time = query.start;
  }
  return count;
}

void WriteCountItems(JsonWriter& json, const Event& count) {
  json.BeginArray();
  json.BeginObject();
  json.Member("Type", "Count");
  if (json.Key("Value")) {
    std::string value;
    EventWriter(json.fields(), json.readings(), "").Append(count, value);
    json.Raw(value);
  }
  json.EndObject();
  json.EndArray();
}

Result<Answer> Streams(const Call& call) {
  const auto& segments = call.segments;
  if (segments.size() != 3) return NoSuchResource(call);
  if (SameText(segments[1], "updates")) return RetrieveStream(call, segments[2]);
  struct Action {
    std::string_view name;
    Result<Answer> (*answer)(const Call&, const Point&);
  };
  static constexpr Action kActions[] = {
      {"recorded", GetRecorded}, {"value", GetValue},         {"end", GetEnd},
      {"summary", GetSummary},   {"updates", RegisterStream}, {"channel", OpenChannel}};
  for (const Action& action : kActions) {
    if (!SameText(action.name, segments[2])) continue;
    if (action.answer == RegisterStream && !IsRegistration(call)) return NoSuchMethod(call);
    const auto [point, status, error] = FindPoint(call, segments[1]);
    if (point == nullptr) return Errors(status, error);
    if (point->trouble == Trouble::kSilent) return Silence();
    const ReadFailure failure = FailureOf(call, *point);
    if (point->trouble == Trouble::kWebException) {
      if (action.answer != GetRecorded) return WebExceptionAlone(call, failure);
    } else if (failure.status != 0) {
      return Errors(failure.status, failure.text);
    }
    return action.answer(call, *point);
  }
  return NoSuchResource(call);
}

}  // namespace pilake::sim
