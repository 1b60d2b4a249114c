// SPDX-License-Identifier: Apache-2.0
// What the controllers share: the call, the world it is asked of, and the shapes of refusals.
#include "sim/api.h"

#include <algorithm>

#include "sim/hash.h"
#include "sim/text.h"
#include "sim/time_string.h"

namespace pilake::sim {

Result<Query> Query::Parse(std::string_view text) {
  Query query;
  if (text.empty()) return query;
  for (const std::string_view pair : Split(text, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const auto name = PercentDecode(pair.substr(0, equals), true);
    const auto value = equals == std::string_view::npos
                           ? std::string()
                           : PercentDecode(pair.substr(equals + 1), true);
    if (!name || !value) return Fail(ErrorKind::kInvalid, "The query string is not valid.");
    query.values_.emplace_back(*name, *value);
  }
  return query;
}

std::optional<std::string_view> Query::Get(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (SameText(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Query::All(std::string_view name) const {
  std::vector<std::string_view> all;
  for (const auto& [key, value] : values_) {
    if (SameText(key, name)) all.push_back(value);
  }
  return all;
}

Result<int64_t> Query::Integer(std::string_view name, int64_t fallback) const {
  const auto text = Get(name);
  if (!text) return fallback;
  const auto number = ParseInteger(*text);
  if (!number || *number < INT32_MIN || *number > INT32_MAX) {
    return Fail(ErrorKind::kInvalid, "The value '{}' is not valid for parameter '{}'.", *text,
                name);
  }
  return *number;
}

Result<bool> Query::Boolean(std::string_view name, bool fallback) const {
  const auto text = Get(name);
  if (!text) return fallback;
  if (SameText(*text, "true")) return true;
  if (SameText(*text, "false")) return false;
  return Fail(ErrorKind::kInvalid, "The value '{}' is not valid for parameter '{}'.", *text, name);
}

namespace {

web::Headers JsonHeaders() {
  return {{"Cache-Control", "no-cache"},
          {"Pragma", "no-cache"},
          {"Content-Type", "application/json; charset=utf-8"},
          {"Expires", "-1"},
          {"X-Content-Type-Options", "nosniff"}};
}

}  // namespace

Answer Json(std::string body, int status) {
  Answer answer;
  answer.status = status;
  answer.headers = JsonHeaders();
  answer.body = std::move(body);
  return answer;
}

Answer JsonPieces(std::unique_ptr<web::Body> pieces) {
  Answer answer = Json({});
  answer.pieces = std::move(pieces);
  return answer;
}

Answer Errors(int status, std::string_view text) {
  std::string body = "{\"Errors\":[";
  AppendQuoted(text, false, body);
  return Json(body + "]}", status);
}

Answer Message(int status, std::string_view text) {
  std::string body = "{\"Message\":";
  AppendQuoted(text, false, body);
  return Json(body + "}", status);
}

Answer Refusal(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kMalformed:
      return Errors(400, error.message);
    case ErrorKind::kNotFound:
      return Errors(404, error.message);
    case ErrorKind::kConflict:
      return Errors(409, error.message);
    default:
      return Errors(500, error.message);
  }
}

Answer NoSuchMethod(const Call& call) {
  return Message(
      405, fmt::format("The requested resource does not support http method '{}'.", call.method));
}

Answer NoSuchResource(const Call& call) {
  std::string path;
  for (const auto& segment : call.segments) path += "/" + segment;
  return Message(
      404, "No HTTP resource was found that matches the request URI '" + call.base + path + "'.");
}

namespace {

Found Refused(int status, std::string error) {
  return {nullptr, status, std::move(error)};
}

// What is listed is not always to be had.
Found Admit(const Point& point) {
  switch (point.trouble) {
    case Trouble::k404:
      return Refused(404, fmt::format("The specified object was not found: '{}'.", point.name));
    case Trouble::k403:
      return Refused(403, "The current user does not have the rights to read this.");
    case Trouble::k410:
      return Refused(410, fmt::format("The point '{}' does not exist any more.", point.name));
    default:
      break;
  }
  if (!point.listed)
    return Refused(404, fmt::format("The specified object was not found: '{}'.", point.name));
  return {&point, 200, {}};
}

}  // namespace

Found FindPoint(const Call& call, std::string_view text) {
  const auto id = ReadWebId(text);
  if (!id || id->kind != WebIdKind::kPoint) {
    return Refused(400,
                   fmt::format("The specified WebID '{}' is not valid for this operation.", text));
  }
  if (id->type == WebIdType::kPathOnly) return FindPointByPath(call, "\\\\" + id->path);
  const Point* point = call.plant->PointById(id->point_id);
  if (point == nullptr || (id->has_server && id->server != call.plant->server_guid())) {
    return Refused(404, fmt::format("The specified object was not found: '{}'.", text));
  }
  return Admit(*point);
}

Found FindPointByPath(const Call& call, std::string_view path) {
  const std::string start = "\\\\" + call.plant->server_name() + "\\";
  if (!path.starts_with("\\\\"))
    return Refused(400, fmt::format("The specified path '{}' is not valid.", path));
  const Point* point = nullptr;
  if (path.size() > start.size() && SameText(path.substr(0, start.size()), start)) {
    point = call.plant->PointByName(path.substr(start.size()));
  }
  if (point == nullptr) return Refused(404, fmt::format("PI Point not found '{}'.", path));
  return Admit(*point);
}

Status FindServer(const Call& call, std::string_view text) {
  const auto id = ReadWebId(text);
  if (!id || id->kind != WebIdKind::kDataServer) {
    return Fail(ErrorKind::kInvalid, "The specified WebID '{}' is not valid for this operation.",
                text);
  }
  const bool by_path = id->type == WebIdType::kPathOnly;
  const bool ours = by_path ? id->path == UpperInvariant(call.plant->server_name())
                            : !id->has_server || id->server == call.plant->server_guid();
  if (!ours) return Fail(ErrorKind::kNotFound, "PI Data Archive not found '{}'.", text);
  return {};
}

namespace {

WebId NewWebId(const Plant& plant, WebIdType type, WebIdKind kind, std::string path) {
  WebId id;
  id.type = type;
  id.kind = kind;
  id.server = plant.server_guid();
  id.path = std::move(path);
  return id;
}

WebId NewWebId(const Call& call, WebIdKind kind, std::string path) {
  return NewWebId(*call.plant, call.web_id_type, kind, std::move(path));
}

Guid ObjectGuid(const Call& call, uint64_t what) {
  Guid guid = call.plant->server_guid();
  for (size_t i = 8; i < guid.size(); ++i) guid[i] = static_cast<uint8_t>(Mix(what) >> (i - 8) * 8);
  return guid;
}

}  // namespace

Guid SetGuid(const Call& call, const DigitalSet& set) {
  return ObjectGuid(call, static_cast<uint64_t>(set.id) + 0x736574);
}

Guid StateGuid(const Call& call, const DigitalSet& set, const DigitalState& state) {
  return ObjectGuid(
      call, static_cast<uint64_t>(set.id) << 32 | static_cast<uint64_t>(state.code) | 1ULL << 62);
}

std::string PointWebIdText(const Plant& plant, const Point& point, WebIdType type) {
  WebId id = NewWebId(plant, type, WebIdKind::kPoint, plant.server_name() + "\\" + point.name);
  id.point_id = point.id;
  return WriteWebId(id);
}

std::string PointWebIdText(const Call& call, const Point& point) {
  return PointWebIdText(*call.plant, point, call.web_id_type);
}

std::string ServerWebIdText(const Call& call) {
  return WriteWebId(NewWebId(call, WebIdKind::kDataServer, call.plant->server_name()));
}

std::string SetWebIdText(const Call& call, const DigitalSet& set) {
  WebId id = NewWebId(call, WebIdKind::kEnumerationSet,
                      fmt::format("{}\\ENUMERATIONSETS[{}]", call.plant->server_name(), set.name));
  id.object = SetGuid(call, set);
  return WriteWebId(id);
}

std::string StateWebIdText(const Call& call, const DigitalSet& set, const DigitalState& state) {
  WebId id = NewWebId(
      call, WebIdKind::kEnumerationValue,
      fmt::format("{}\\ENUMERATIONSETS[{}]\\{}", call.plant->server_name(), set.name, state.name));
  id.owner = SetGuid(call, set);
  id.object = StateGuid(call, set, state);
  return WriteWebId(id);
}

Result<UtcTime> TimeParameter(const Call& call, std::string_view name, std::string_view fallback) {
  Duration zone;
  if (const auto text = call.query.Get("timeZone"); text && !text->empty()) {
    ASSIGN_OR_RETURN(zone, ParseTimeZone(*text));
  }
  return ParseTimeString(call.query.Get(name).value_or(fallback), call.host_now, zone);
}

Status CheckLimit(const Call& call, std::string_view name, int64_t value) {
  if (value <= call.world.items_max) return {};
  return Fail(ErrorKind::kInvalid, "Parameter '{}' is greater than the maximum allowed ({}).", name,
              call.world.items_max);
}

Result<Call> MakeCall(const World& world, std::string method, std::string_view url,
                      std::string base, UtcTime now, Member member) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    const size_t path = url.find('/', scheme + 3);
    url = path == std::string_view::npos ? std::string_view("/") : url.substr(path);
  }
  url = url.substr(0, url.find('#'));
  const size_t question = url.find('?');
  Call call{.world = world,
            .plant = world.story.PlantAt(now),
            .method = std::move(method),
            .is_upgrade = false,
            .segments = {},
            .query = {},
            .base = std::move(base),
            .now = now,
            .host_now = world.story.HostTimeAt(now),
            .member = member,
            .data_now = world.story.DataTimeAt(now, member),
            .late_failure = {},
            .fault = Fault::kNone,
            .fields = {}};
  if (question != std::string_view::npos) {
    ASSIGN_OR_RETURN(call.query, Query::Parse(url.substr(question + 1)));
  }
  bool below = false;
  for (const std::string_view segment : Split(url.substr(0, question), '/')) {
    if (segment.empty()) continue;
    const auto decoded = PercentDecode(segment, false);
    if (!decoded) return Fail(ErrorKind::kInvalid, "The request URI is not valid.");
    if (!below) {
      if (!SameText(*decoded, "piwebapi"))
        return Fail(ErrorKind::kNotFound, "Not below /piwebapi.");
      below = true;
    } else {
      call.segments.push_back(*decoded);
    }
  }
  if (!below) return Fail(ErrorKind::kNotFound, "Not below /piwebapi.");
  call.fields = SelectedFields(call.query.Get("selectedFields").value_or(""));
  ASSIGN_OR_RETURN(call.web_id_type,
                   ParseWebIdType(call.query.Get("webIdType").value_or(world.readings.webid_type)));
  return call;
}

Answer Route(const Call& call) {
  struct Controller {
    std::string_view name;
    Result<Answer> (*answer)(const Call&);
  };
  static constexpr Controller kControllers[] = {{"dataservers", DataServers},
                                                {"points", Points},
                                                {"enumerationsets", EnumerationSets},
                                                {"enumerationvalues", EnumerationValues},
                                                {"streams", Streams},
                                                {"streamsets", StreamSets},
                                                {"system", System}};
  if (call.segments.empty()) return Landing(call);
  for (const auto& controller : kControllers) {
    if (!SameText(controller.name, call.segments[0])) continue;
    auto answer = controller.answer(call);
    return answer ? std::move(*answer) : Refusal(answer.error());
  }
  return NoSuchResource(call);
}

}  // namespace pilake::sim
