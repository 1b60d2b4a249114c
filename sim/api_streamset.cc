// SPDX-License-Identifier: Apache-2.0
// streamsets/…?webId=a&webId=b: several series at a time, as they are named in the call (wire §5).
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "sim/api_stream.h"
#include "sim/channel.h"
#include "sim/event_json.h"
#include "sim/recorded_body.h"
#include "sim/text.h"

namespace pilake::sim {
namespace {

RecordedStream ReadStream(const Call& call, std::string_view web_id) {
  RecordedStream stream;
  Found found = FindPoint(call, web_id);
  if (found.point == nullptr) {
    stream.web_id = web_id;
    stream.error_status = found.status;
    stream.error = std::move(found.error);
    return stream;
  }
  stream.point = found.point;
  stream.web_id = PointWebIdText(call, *found.point);
  ReadFailure failure = FailureOf(call, *found.point);
  stream.error_status = failure.status;
  stream.error = std::move(failure.text);
  stream.says_errors = found.point->trouble == Trouble::kItem;
  return stream;
}

// Does the stream fail the whole call? With which status?
std::optional<int> FailsAll(const Call& call, const RecordedStream& stream) {
  if (stream.point != nullptr)
    return stream.point->trouble == Trouble::k500 ? std::optional(500) : std::nullopt;
  switch (call.world.readings.unknown_webid_in_set) {
    case UnknownInSet::kWhole400:
      return 400;
    case UnknownInSet::kWhole404:
      return stream.error_status == 400 ? 404 : stream.error_status;
    case UnknownInSet::kItemErrors:
      return std::nullopt;
  }
  return std::nullopt;
}

// The streams of the call. One that cannot be read stands there with its error or, if that is the
// reading, fails the call: then there is an answer already.
struct Streams {
  std::vector<RecordedStream> list;
  std::optional<Answer> refusal;
};

Result<Streams> ReadStreams(const Call& call) {
  Streams streams;
  for (const std::string_view web_id : call.query.All("webId"))
    streams.list.push_back(ReadStream(call, web_id));
  if (streams.list.empty()) return Fail(ErrorKind::kInvalid, "The parameter 'webId' is required.");
  for (const RecordedStream& stream : streams.list) {
    if (stream.point != nullptr && stream.point->trouble == Trouble::kSilent) {
      streams.refusal = Silence();
    } else if (const auto status = FailsAll(call, stream); status && !streams.refusal) {
      streams.refusal = Errors(*status, stream.error);
    }
  }
  return streams;
}

Status Sort(const Call& call, std::vector<RecordedStream>& streams) {
  const auto field = call.query.Get("sortField");
  if (field && !SameText(*field, "Name")) {
    return Fail(ErrorKind::kInvalid, "The sort field '{}' is not valid.", *field);
  }
  if (!field && !call.world.readings.set_by_name) return {};
  const auto key = [](const RecordedStream& stream) {
    const bool known = stream.point != nullptr;
    return std::pair(known ? UpperInvariant(stream.point->name) : std::string(), stream.web_id);
  };
  std::ranges::sort(streams, {}, key);
  if (SameText(call.query.Get("sortOrder").value_or(""), "Descending"))
    std::ranges::reverse(streams);
  return {};
}

// Under `items_limit=produced`: how many events the answer would hold.
int64_t CountProduced(const Call& call, const std::vector<RecordedStream>& streams,
                      const RecordedQuery& query) {
  int64_t produced = 0;
  Event event;
  for (const RecordedStream& stream : streams) {
    if (stream.failed()) continue;
    RecordedReader reader(*call.plant, *stream.point, call.world.readings, query, call.data_now);
    while (produced <= call.world.items_max && reader.Next(event)) ++produced;
  }
  return produced;
}

Result<Answer> GetRecorded(const Call& call) {
  ++call.world.tally.set_recorded_calls;
  ASSIGN_OR_RETURN(const RecordedQuery query, ReadRecordedQuery(call));
  ASSIGN_OR_RETURN(auto read, ReadStreams(call));
  if (read.refusal) return std::move(*read.refusal);
  std::vector<RecordedStream>& streams = read.list;
  RETURN_IF_ERROR(Sort(call, streams));
  switch (call.world.readings.items_limit) {
    case ItemsLimit::kMaxCount:
      break;
    case ItemsLimit::kStreamsTimesMaxCount:
      RETURN_IF_ERROR(CheckLimit(call, "maxCount", query.max_count * std::ssize(streams)));
      break;
    case ItemsLimit::kProduced:
      RETURN_IF_ERROR(CheckLimit(call, "maxCount", CountProduced(call, streams, query)));
      break;
  }
  return JsonPieces(
      std::make_unique<RecordedBody>(call, RecordedBody::Shape::kSet, std::move(streams), query));
}

void WriteStreamHead(JsonWriter& json, const Call& call, const RecordedStream& stream) {
  json.Member("WebId", stream.web_id);
  if (stream.point == nullptr) return;
  json.Member("Name", stream.point->name);
  json.Member("Path", call.plant->Path(*stream.point));
}

void WriteStreamTail(JsonWriter& json, const Call& call, const RecordedStream& stream) {
  if (json.Key("Links")) {
    json.BeginObject();
    if (stream.point != nullptr)
      json.Member(call.world.readings.links_key, call.base + "/points/" + stream.web_id);
    json.EndObject();
  }
  if (!stream.failed()) return;
  if (stream.says_errors) {
    if (json.Key("Errors")) {
      json.BeginArray();
      json.String(stream.error);
      json.EndArray();
    }
  } else if (json.Key("WebException")) {
    json.BeginObject();
    if (json.Key("Errors")) {
      json.BeginArray();
      json.String(stream.error);
      json.EndArray();
    }
    json.Member("StatusCode", stream.error_status);
    json.EndObject();
  }
}

// One object a stream, whose middle part `write` renders.
template <typename Write>
Result<Answer> WriteSet(const Call& call, Write write) {
  ASSIGN_OR_RETURN(auto read, ReadStreams(call));
  if (read.refusal) return std::move(*read.refusal);
  std::vector<RecordedStream>& streams = read.list;
  RETURN_IF_ERROR(Sort(call, streams));
  RETURN_IF_ERROR(CheckLimit(call, "webId", std::ssize(streams)));
  call.world.tally.series_reads += streams.size();
  Status failed;
  Answer answer = Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) {
      json.BeginArray();
      for (const RecordedStream& stream : streams) {
        json.BeginObject();
        WriteStreamHead(json, call, stream);
        if (!stream.failed() && failed) failed = write(json, *stream.point);
        WriteStreamTail(json, call, stream);
        json.EndObject();
      }
      json.EndArray();
    }
    json.EndObject();
  });
  RETURN_IF_ERROR(failed);
  return answer;
}

void WriteEvent(JsonWriter& json, const Call& call, const Point& point, const Event& event) {
  std::string value;
  EventWriter(json.fields(), call.world.readings, call.plant->unit_name(point))
      .Append(event, value);
  json.Raw(value);
  ++call.world.tally.events;
}

Result<Answer> GetValue(const Call& call) {
  ++call.world.tally.set_value_calls;
  return WriteSet(call, [&](JsonWriter& json, const Point& point) -> Status {
    ASSIGN_OR_RETURN(const Event event, ReadValue(call, point));
    if (json.Key("Value")) WriteEvent(json, call, point, event);
    return {};
  });
}

// The reference says `Items` here, where `value` has `Value` (wire §5.1).
Result<Answer> GetEnd(const Call& call) {
  return WriteSet(call, [&](JsonWriter& json, const Point& point) -> Status {
    if (json.Key("Items")) {
      json.BeginArray();
      WriteEvent(json, call, point, ReadEnd(call, point));
      json.EndArray();
    }
    json.Member("UnitsAbbreviation", call.plant->unit_name(point));
    return {};
  });
}

Result<Answer> GetSummary(const Call& call) {
  return WriteSet(call, [&](JsonWriter& json, const Point& point) -> Status {
    ASSIGN_OR_RETURN(const Event count, ReadCount(call, point));
    if (json.Key("Items")) WriteCountItems(json, count);
    return {};
  });
}

}  // namespace

Result<Answer> StreamSets(const Call& call) {
  if (call.segments.size() == 3) {  // the attributes of one element: there is no AF server here
    return Fail(ErrorKind::kInvalid, "The specified WebID '{}' is not valid for this operation.",
                call.segments[1]);
  }
  if (call.segments.size() != 2) return NoSuchResource(call);
  if (IsRegistration(call)) return RegisterStreams(call);
  struct Action {
    std::string_view name;
    Result<Answer> (*answer)(const Call&);
  };
  static constexpr Action kActions[] = {
      {"recorded", GetRecorded}, {"value", GetValue},          {"end", GetEnd},
      {"summary", GetSummary},   {"updates", RetrieveStreams}, {"channel", OpenSetChannel}};
  for (const Action& action : kActions) {
    if (SameText(action.name, call.segments[1])) return action.answer(call);
  }
  return NoSuchResource(call);
}

}  // namespace pilake::sim
