// SPDX-License-Identifier: Apache-2.0
// The truth: the rows of a perfect copy, straight from the archive, without HTTP or JSON readers.
#include "sim/truth.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/events.h"
#include "sim/event_json.h"
#include "sim/history.h"
#include "sim/recorded.h"
#include "sim/story.h"
#include "sim/webid.h"

namespace pilake::sim {
namespace {

constexpr std::string_view kHeader =
    "tag_webid,tag_name,timestamp,timestamp_100ns,ordinal,value,value_int,value_string,value_code,"
    "value_kind,good,questionable,substituted,annotated,units,state\n";

void AppendText(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void AppendInteger(int64_t value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void AppendDouble(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "nan";
  } else if (std::isinf(value)) {
    out += value > 0 ? "inf" : "-inf";
  } else {
    char text[32];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  }
}

ValueKind KindOf(const Point& point, const Event& event) {
  switch (event.form) {
    case Form::kSingle:
    case Form::kDouble:
      return ValueKind::kFloat;
    case Form::kInteger:
    case Form::kBoolean:
      return ValueKind::kInt;
    case Form::kText:
      if (point.type == PointType::kTimestamp) return ValueKind::kTimestamp;
      return point.type == PointType::kBlob ? ValueKind::kBlob : ValueKind::kString;
    case Form::kState:
      return event.system ? ValueKind::kSystem : ValueKind::kDigital;
    case Form::kErrorValue:
    case Form::kErrorMember:
      return ValueKind::kError;
    case Form::kNull:
      return ValueKind::kNull;
    case Form::kArray:
      return ValueKind::kArray;
  }
  return ValueKind::kNull;
}

// value,value_int,value_string,value_code,value_kind,
void AppendValueColumns(const Point& point, const Event& event, std::string& out) {
  switch (event.form) {
    case Form::kSingle:
    case Form::kDouble:
      AppendDouble(event.number, out);
      out += ",,,,";
      break;
    case Form::kInteger:
    case Form::kBoolean:
      AppendDouble(static_cast<double>(event.integer), out);
      out += ',';
      AppendInteger(event.integer, out);
      out += ",,,";
      break;
    case Form::kState:
      out += ",,";
      AppendText(event.text, out);
      out += ',';
      AppendInteger(event.integer, out);
      out += ',';
      break;
    case Form::kText:
    case Form::kArray:
      out += ",,";
      AppendText(event.text, out);
      out += ",,";
      break;
    case Form::kErrorValue:
      out += ",,";
      AppendText(ErrorValueJson(event.text), out);
      out += ",,";
      break;
    case Form::kErrorMember:
      out += ",,";
      AppendText(ErrorMemberJson(event.text), out);
      out += ",,";
      break;
    case Form::kNull:
      out += ",,,,";
      break;
  }
  AppendText(Name(KindOf(point, event)), out);
  out += ',';
}

void AppendFlags(const Event& event, std::string& out) {
  for (const bool flag : {event.good, event.questionable, event.substituted, event.annotated}) {
    out += flag ? "true," : "false,";
  }
}

// What stands in every row of one point.
struct Frame {
  std::string begin;  ///< tag_webid,tag_name,
  std::string units;  ///< empty if the point has none: null
};

void AppendRow(const Frame& frame, const Point& point, const Event& event, int64_t ordinal,
               bool snapshot, std::string& out) {
  out += frame.begin;
  // Rounded down, before 1970 too.
  AppendInteger((event.time.ticks - (event.time.ticks % 10 + 10) % 10) / 10, out);
  out += ',';
  AppendInteger(event.time.ticks, out);
  out += ',';
  AppendInteger(ordinal, out);
  out += ',';
  AppendValueColumns(point, event, out);
  AppendFlags(event, out);
  out += frame.units;
  out += snapshot ? ",snapshot\n" : ",archived\n";
}

// What every point is asked for.
struct Question {
  const Readings& readings;
  UtcTime at;
  UtcTime data;  ///< as of when the archive that answers knows the events
  UtcTime until;
  Lens lens;
};

void WritePoint(const Plant& plant, const Point& point, const std::string& web_id,
                const Question& question, std::string& buffer, std::ostream& out) {
  constexpr size_t kFlushBytes = 1 << 20;
  Frame frame;
  AppendText(web_id, frame.begin);
  frame.begin += ',';
  AppendText(point.name, frame.begin);
  frame.begin += ',';
  if (!plant.unit_name(point).empty()) AppendText(plant.unit_name(point), frame.units);

  const History history(plant, point, question.data, question.lens);
  Event event;
  UtcTime last{INT64_MIN};
  int64_t ordinal = 0;
  for (int64_t i = 0; i < history.end(); ++i) {
    if (!history.Visible(i)) continue;
    history.Read(i, event);
    if (event.time > question.until) break;
    ShowAsRead(point, question.readings, event);
    ordinal = event.time == last ? ordinal + 1 : 0;
    last = event.time;
    AppendRow(frame, point, event, ordinal, history.IsSnapshot(i), buffer);
    if (buffer.size() >= kFlushBytes) {
      out.write(buffer.data(), std::ssize(buffer));
      buffer.clear();
    }
  }
}

bool IsReadable(const Point& point, const TruthOptions& options) {
  if (point.type == PointType::kBlob && options.readings.blob == BlobAs::kNotImplemented)
    return false;
  if (options.settled) return point.listed;
  return point.listed && !point.denied && point.trouble == Trouble::kNone;
}

}  // namespace

std::string TableWebId(const Plant& plant, const Point& point) {
  WebId id;
  id.type = WebIdType::kIdOnly;
  id.kind = WebIdKind::kPoint;
  id.server = plant.server_guid();
  id.point_id = point.id;
  return WriteWebId(id);
}

Status WriteTruth(const TruthOptions& options, UtcTime now, std::ostream& out) {
  ASSIGN_OR_RETURN(Plant made, Plant::Make(options.plant, now));
  ASSIGN_OR_RETURN(const Story story, Story::Make(std::move(made), options.script));
  Question question{.readings = options.readings,
                    .at = options.at.value_or(now),
                    .data = {},
                    .until = options.until.value_or(options.at.value_or(now)),
                    .lens = LensOf(options.readings)};
  if (options.settled) {
    question.at = std::max(question.at, story.end());
    question.lens.veiled = false;
  }
  question.data = options.settled ? question.at : story.DataTimeAt(question.at, Member::kFirst);
  const auto plant = story.PlantAt(question.at);
  std::vector<std::pair<std::string, const Point*>> points;
  for (const Point& point : plant->points()) {
    if (IsReadable(point, options)) points.emplace_back(TableWebId(*plant, point), &point);
  }
  std::ranges::sort(points);
  std::string buffer(kHeader);
  for (const auto& [web_id, point] : points)
    WritePoint(*plant, *point, web_id, question, buffer, out);
  out.write(buffer.data(), std::ssize(buffer));
  out.flush();
  if (!out)
    return Fail(ErrorKind::kInvalid, "the truth could not be written; is there space left?");
  return {};
}

}  // namespace pilake::sim
