// SPDX-License-Identifier: Apache-2.0
// The body of a recorded-data answer, of one stream or of a set, made while it is sent.
//
//   {"Links":{},"Items":[ EVENT… ],"UnitsAbbreviation":"m"}                     one stream
//   {"Links":{},"Items":[ {"WebId":…,"Items":[ EVENT… ],"Links":{…}} … ]}       a set
//
// With shuffled members `UnitsAbbreviation` stands before `Items`.
#include "sim/recorded_body.h"

#include "sim/json.h"

namespace pilake::sim {
namespace {

constexpr size_t kPieceBytes = 256 << 10;
const SelectedFields kNothingBeneath;

}  // namespace

RecordedBody::RecordedBody(const Call& call, Shape shape, std::vector<RecordedStream> streams,
                           const RecordedQuery& query, bool annotations)
    : world_(call.world),
      plant_(call.plant),
      base_(call.base),
      data_now_(call.data_now),
      fields_(call.fields),
      late_failure_(call.late_failure),
      shape_(shape),
      streams_(std::move(streams)),
      query_(query),
      annotations_(annotations),
      object_(&fields_) {}

bool RecordedBody::Append(std::string& out) {
  const size_t enough = out.size() + kPieceBytes;
  out.reserve(enough + 2048);
  while (out.size() < enough) {
    if (!Step(out, enough)) return false;
  }
  return true;
}

// One step of the state machine; false after the last.
bool RecordedBody::Step(std::string& out, size_t enough) {
  switch (stage_) {
    case Stage::kHead:
      BeginDocument(out);
      return true;
    case Stage::kStreamHead:
      if (stream_ == streams_.size() || failed_) {
        stage_ = Stage::kTail;
      } else {
        BeginStream(out);
        stage_ = Stage::kEvents;
      }
      return true;
    case Stage::kEvents:
      if (!AppendEvents(out, enough)) stage_ = Stage::kStreamTail;
      return true;
    case Stage::kStreamTail:
      EndStream(out);
      ++stream_;
      stage_ = Stage::kStreamHead;
      return true;
    case Stage::kTail:
      EndDocument(out);
      stage_ = Stage::kDone;
      return false;
    case Stage::kDone:
      return false;
  }
  return false;
}

void RecordedBody::AppendMember(std::string_view name, std::string& out) {
  if (!first_member_) out += ',';
  first_member_ = false;
  out += '"';
  out += name;
  out += "\":";
}

void RecordedBody::BeginDocument(std::string& out) {
  stage_ = Stage::kStreamHead;
  out += '{';
  if (fields_.Find("Links") != nullptr) {
    AppendMember("Links", out);
    out += "{}";
  }
  if (shape_ == Shape::kStream) return;
  object_ = fields_.Find("Items");
  if (object_ == nullptr) {  // nothing of the streams is wanted
    stage_ = Stage::kTail;
    return;
  }
  AppendMember("Items", out);
  out += '[';
}

void RecordedBody::BeginStream(std::string& out) {
  const RecordedStream& stream = streams_[stream_];
  if (shape_ == Shape::kSet) {
    if (stream_ > 0) out += ',';
    out += '{';
    first_member_ = true;
    const auto text = [&](std::string_view name, std::string_view value) {
      if (Selected(name) == nullptr) return;
      AppendMember(name, out);
      AppendQuoted(value, world_.readings.ascii_escapes, out);
    };
    text("WebId", stream.web_id);
    if (stream.point != nullptr) {
      text("Name", stream.point->name);
      text("Path", plant_->Path(*stream.point));
    }
  }
  const std::string_view units = stream.point == nullptr ? "" : plant_->unit_name(*stream.point);
  if (world_.readings.shuffled_members && Selected("UnitsAbbreviation") != nullptr) {
    AppendMember("UnitsAbbreviation", out);
    AppendQuoted(units, world_.readings.ascii_escapes, out);
  }
  reader_.reset();
  if (const SelectedFields* events = Selected("Items"); events != nullptr) {
    AppendMember("Items", out);
    out += '[';
    writer_.emplace(*events, world_.readings, units, annotations_);
  } else {
    writer_.reset();
  }
  if (!stream.failed()) {
    ++world_.tally.series_reads;
    if (writer_) reader_.emplace(*plant_, *stream.point, world_.readings, query_, data_now_);
  }
  first_event_ = true;
}

// Appends events until there is `enough` or they end; false if they ended.
bool RecordedBody::AppendEvents(std::string& out, size_t enough) {
  if (!reader_) return false;
  const int64_t before = items_;
  bool more = true;
  while (more && out.size() < enough) {
    if (late_failure_.after_items && items_ >= *late_failure_.after_items) {
      failed_ = true;
      more = false;
      ++world_.tally.faults[static_cast<size_t>(late_failure_.fault)];
    } else if (!reader_->Next(event_)) {
      more = false;
    } else {
      if (!first_event_) out += ',';
      first_event_ = false;
      writer_->Append(event_, out);
      ++items_;
    }
  }
  world_.tally.events += static_cast<uint64_t>(items_ - before);
  return more;
}

void RecordedBody::EndStream(std::string& out) {
  const RecordedStream& stream = streams_[stream_];
  if (writer_) out += ']';
  if (reader_) world_.tally.scanned += static_cast<uint64_t>(reader_->scanned());
  if (!world_.readings.shuffled_members && Selected("UnitsAbbreviation") != nullptr) {
    AppendMember("UnitsAbbreviation", out);
    AppendQuoted(stream.point == nullptr ? "" : plant_->unit_name(*stream.point),
                 world_.readings.ascii_escapes, out);
  }
  if (shape_ == Shape::kStream) return;
  if (const SelectedFields* links = Selected("Links"); links != nullptr) {
    AppendMember("Links", out);
    JsonWriter json(out, *links, world_.readings);
    json.BeginObject();
    if (stream.point != nullptr)
      json.Member(world_.readings.links_key, base_ + "/points/" + stream.web_id);
    json.EndObject();
  }
  if (stream.failed()) AppendFailure(*object_, stream, out);
  if (failed_ && late_failure_.one_stream) {
    AppendWebException(*object_, "The operation on this stream timed out.", 500, out);
    failed_ = false;
    late_failure_.after_items.reset();  // one stream is enough
  }
  FinishObject(out);
}

void RecordedBody::EndDocument(std::string& out) {
  if (shape_ == Shape::kSet && fields_.Find("Items") != nullptr) {
    out += ']';
    first_member_ = false;
  }
  if (shape_ == Shape::kStream && streams_[0].failed()) AppendFailure(fields_, streams_[0], out);
  if (failed_)
    AppendWebException(fields_, "[-10722] PINET: Timeout on PI RPC or System Call", 500, out);
  FinishObject(out);
}

void RecordedBody::AppendWebException(const SelectedFields& fields, std::string_view text,
                                      int status, std::string& out) {
  if (world_.readings.webexception_needs_selecting && fields.Find("WebException") == nullptr)
    return;
  AppendMember("WebException", out);
  JsonWriter json(out, kNothingBeneath, world_.readings);
  json.BeginObject();
  json.Key("Errors");
  json.BeginArray();
  json.String(text);
  json.EndArray();
  json.Member("StatusCode", status);
  json.EndObject();
}

void RecordedBody::AppendFailure(const SelectedFields& fields, const RecordedStream& stream,
                                 std::string& out) {
  if (!stream.says_errors)
    return AppendWebException(fields, stream.error, stream.error_status, out);
  if (fields.Find("Errors") == nullptr) return;
  AppendMember("Errors", out);
  JsonWriter json(out, kNothingBeneath, world_.readings);
  json.BeginArray();
  json.String(stream.error);
  json.EndArray();
}

void RecordedBody::FinishObject(std::string& out) {
  if (world_.readings.extra_members) {
    AppendMember("ServerPrivate", out);
    out += R"({"Items":[1,{"Value":null}],"Good":"no"})";
  }
  out += '}';
}

}  // namespace pilake::sim
