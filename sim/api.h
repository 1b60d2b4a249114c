// SPDX-License-Identifier: Apache-2.0
// What the controllers share: the call, the world it is asked of, and the shapes of refusals.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/time.h"
#include "sim/faults.h"
#include "sim/json.h"
#include "sim/pipe.h"
#include "sim/plant.h"
#include "sim/reading.h"
#include "sim/selected_fields.h"
#include "sim/story.h"
#include "sim/webid.h"
#include "web/server.h"

namespace pilake::sim {

/// Names and values of a query string, decoded. Names in any case.
class Query {
 public:
  /// `kInvalid` for broken percent-encoding.
  static Result<Query> Parse(std::string_view text);

  std::optional<std::string_view> Get(std::string_view name) const;
  std::vector<std::string_view> All(std::string_view name) const;
  /// An integer parameter, or `fallback` if it is not given. `kInvalid` if it is none.
  Result<int64_t> Integer(std::string_view name, int64_t fallback) const;
  Result<bool> Boolean(std::string_view name, bool fallback) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// Counts of `ServerCounters`, shared by all threads.
struct Tally {
  FaultTally faults{};
  std::atomic<uint64_t> calls = 0, batch_parts = 0, recorded_calls = 0, set_recorded_calls = 0,
                        set_value_calls = 0, point_list_calls = 0, batch_calls = 0,
                        series_reads = 0, events = 0, scanned = 0, refused = 0, writes_refused = 0,
                        registrations = 0, update_polls = 0, updates = 0, channels = 0,
                        open_channels = 0, slow_channels = 0, messages = 0, message_events = 0;
};

class Updates;

/// What stays the same from call to call.
struct World {
  const Story& story;
  const Readings& readings;
  int64_t items_max;
  UtcTime started;
  std::optional<std::string> user;  ///< none: anonymous
  Tally& tally;
  const PipeOptions& pipes;
  Updates& updates;
  const Clock& clock;  ///< of the plant, for what goes on between calls
  FaultPlan& faults;
};

/// Make a body fail after so many items although its status is 200 already (wire §1.6).
struct LateFailure {
  std::optional<int64_t> after_items;
  bool one_stream = false;     ///< within one stream of a set, not at the top level
  Fault fault = Fault::kNone;  ///< counted when it strikes
};

/// One call, over the wire or a part of a batch.
struct Call {
  const World& world;
  std::shared_ptr<const Plant> plant;  ///< as of `now`
  std::string method;
  bool is_upgrade = false;            ///< it asks for a WebSocket
  std::vector<std::string> segments;  ///< of the path below `/piwebapi`, decoded
  Query query;
  std::string base;                ///< `https://host/piwebapi`, as the client wrote the host
  UtcTime now;                     ///< whatever the clocks show
  UtcTime host_now;                ///< what the web host's clock shows
  Member member = Member::kFirst;  ///< who answers
  UtcTime data_now;                ///< as of when it knows the events
  LateFailure late_failure;
  Fault fault = Fault::kNone;  ///< one that its controller plays
  SelectedFields fields;
  WebIdType web_id_type = WebIdType::kFull;  ///< of the answer
};

using Answer = web::Response;

/// 200 with a JSON body.
Answer Json(std::string body, int status = 200);
/// An answer whose body is made while it is sent.
Answer JsonPieces(std::unique_ptr<web::Body> pieces);
/// `{"Errors":["…"]}`
Answer Errors(int status, std::string_view text);
/// `{"Message":"…"}`, as the framework below the application answers.
Answer Message(int status, std::string_view text);
/// The answer to a call that failed: kInvalid and kMalformed 400, kNotFound 404, kConflict 409.
Answer Refusal(const Error& error);

/// Runs `write(JsonWriter&)` with the call's selection and answers 200 with what it wrote.
template <typename Write>
Answer Document(const Call& call, Write write) {
  std::string body;
  JsonWriter json(body, call.fields, call.world.readings);
  write(json);
  return Json(std::move(body));
}

/// A point, or how it refuses.
struct Found {
  const Point* point = nullptr;
  int status = 200;
  std::string error;
};
/// The point that a WebID of any form names.
Found FindPoint(const Call& call, std::string_view web_id);
/// `\\SERVER\TAG`
Found FindPointByPath(const Call& call, std::string_view path);
/// The data server, if the WebID names ours.
Status FindServer(const Call& call, std::string_view web_id);

std::string PointWebIdText(const Plant& plant, const Point& point, WebIdType type);
std::string PointWebIdText(const Call& call, const Point& point);
std::string ServerWebIdText(const Call& call);
std::string SetWebIdText(const Call& call, const DigitalSet& set);
std::string StateWebIdText(const Call& call, const DigitalSet& set, const DigitalState& state);
Guid SetGuid(const Call& call, const DigitalSet& set);
Guid StateGuid(const Call& call, const DigitalSet& set, const DigitalState& state);

/// The parameter `name` as a time, `fallback` where it is not given.
Result<UtcTime> TimeParameter(const Call& call, std::string_view name, std::string_view fallback);
/// 400 with the documented text if `value` is above `MaxReturnedItemsPerCall`.
Status CheckLimit(const Call& call, std::string_view name, int64_t value);

// The controllers, each in a file of its own; an `Error` becomes its `Refusal`.
Result<Answer> DataServers(const Call& call);      // api_dataserver.cc
Result<Answer> Points(const Call& call);           // api_point.cc
Result<Answer> EnumerationSets(const Call& call);  // api_enumeration.cc
Result<Answer> EnumerationValues(const Call& call);
Result<Answer> Streams(const Call& call);     // api_stream.cc
Result<Answer> StreamSets(const Call& call);  // api_streamset.cc
Result<Answer> System(const Call& call);      // api_system.cc
Answer Landing(const Call& call);
/// The one POST beside batches that changes nothing of the PI System: `…/updates`.
bool IsRegistration(const Call& call);

/// 405
Answer NoSuchMethod(const Call& call);
/// `No HTTP resource was found …`: what every path gets that is not the API's.
Answer NoSuchResource(const Call& call);

void WritePoint(JsonWriter& json, const Call& call, const Point& point);

/// Finds the controller for a call and turns its failure into an answer.
Answer Route(const Call& call);

/// Makes a call of a method and an absolute or root-relative URL. The host within is ignored.
Result<Call> MakeCall(const World& world, std::string method, std::string_view url,
                      std::string base, UtcTime now, Member member = Member::kFirst);

}  // namespace pilake::sim
