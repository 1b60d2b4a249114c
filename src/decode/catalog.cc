// SPDX-License-Identifier: Apache-2.0
#include "decode/catalog.h"

#include <cctype>
#include <functional>
#include <limits>

#include "decode/json.h"

namespace pilake::decode {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;

/// An object's members as they come; what is no text, number or truth value where one is expected
/// is as good as not told, and the caller misses it.
std::string TextOf(od::value& value) {
  std::string_view text;
  if (Token(value)[0] != '"' || value.get_string().get(text)) return {};
  return std::string(text);
}

std::optional<int64_t> IntegerOf(od::value& value) {
  int64_t number = 0;
  if (value.get_int64().get(number)) return std::nullopt;
  return number;
}

double NumberOf(od::value& value) {
  double number = 0;
  if (value.get_double().get(number)) return 0;
  return number;
}

bool TruthOf(od::value& value) {
  const std::string_view token = Token(value);
  return token == "true" || token == "\"true\"" || token == "\"True\"";
}

std::optional<UtcTime> TimeOf(od::value& value) {
  const auto time = ParseUtcTime(TextOf(value));
  if (!time) return std::nullopt;
  return *time;
}

/// Called for every member of an object.
using OnMember = std::function<error_code(std::string_view key, od::value& value)>;

/// Walks an object. A complaint in it (wire §1.6) is collected, not handed on.
error_code WalkMembers(od::object object, std::optional<Complaint>& complaint,
                       const OnMember& on_member) {
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    if (key == "WebException" || key == "Errors") {
      if (IsNothing(value)) continue;
      complaint.emplace();
      if (const auto error = ReadComplaint(value, *complaint)) return error;
    } else if (const auto error = on_member(key, value)) {
      return error;
    }
  }
  return SUCCESS;
}

Error NotTold(std::string_view what) {
  return {ErrorKind::kMalformed, fmt::format("the answer does not tell {}", what)};
}

/// Walks the one object that a body is.
Status WalkBody(std::string text, const OnMember& on_member) {
  const Body body(std::move(text));
  std::optional<Complaint> complaint;
  const auto walk = [&]() -> error_code {
    od::document document;
    if (const auto error = Iterate(body.begin(), body.text().size()).get(document)) return error;
    od::object object;
    if (const auto error = document.get_object().get(object)) return error;
    if (const auto error = WalkMembers(object, complaint, on_member)) return error;
    return IsAtEnd(document) ? SUCCESS : simdjson::TRAILING_CONTENT;
  };
  if (const error_code error = walk()) return tl::unexpected(Damage(body, error));
  if (complaint) return tl::unexpected(BrokenOff(*complaint));
  return {};
}

/// Walks `{"Links":{…},"Items":[…]}`. `on_item` reads one item and returns what is wrong with it.
struct ListHandlers {
  std::function<error_code(od::object item, std::optional<Error>& failure)> on_item;
  std::function<void()> on_next;  ///< `Links.Next` is there
};

error_code WalkItems(od::value& items, const ListHandlers& handlers,
                     std::optional<Error>& failure) {
  od::array array;
  if (const auto error = items.get_array().get(array)) return error;
  for (auto element : array) {
    od::object item;
    if (const auto error = element.get_object().get(item)) return error;
    if (const auto error = handlers.on_item(item, failure)) return error;
  }
  return SUCCESS;
}

error_code WalkLinks(od::value& links, const ListHandlers& handlers) {
  if (Token(links)[0] != '{') return SUCCESS;
  od::object object;
  if (const auto error = links.get_object().get(object)) return error;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    if (key == "Next" && handlers.on_next) handlers.on_next();
  }
  return SUCCESS;
}

Status WalkList(std::string text, const ListHandlers& handlers) {
  bool has_items = false;
  std::optional<Error> failure;
  RETURN_IF_ERROR(
      WalkBody(std::move(text), [&](std::string_view key, od::value& value) -> error_code {
        if (key == "Links") return WalkLinks(value, handlers);
        if (key != "Items") return SUCCESS;
        has_items = true;
        return WalkItems(value, handlers, failure);
      }));
  if (failure) return tl::unexpected(std::move(*failure));
  if (!has_items) return tl::unexpected(NotTold("any Items"));
  return {};
}

/// Walks one item of a list; a complaint inside it is the failure of the list, which would be
/// incomplete without the item.
error_code WalkItem(od::object item, std::optional<Error>& failure, const OnMember& on_member) {
  std::optional<Complaint> complaint;
  if (const auto error = WalkMembers(item, complaint, on_member)) return error;
  if (complaint) failure = BrokenOff(*complaint);
  return SUCCESS;
}

/// The IDOnly form of a point's Full or IDOnly WebID (wire §3); empty for other forms.
std::string IdOnly(std::string_view told) {
  constexpr size_t kLength = 32;
  const bool carries_id =
      told.size() >= kLength && (told[0] == 'F' || told[0] == 'I') && told.substr(1, 3) == "1DP";
  return carries_id ? "I" + std::string(told.substr(1, kLength - 1)) : std::string();
}

void ReadPointMember(std::string_view key, od::value& value, ListedPoint& point) {
  Series& series = point.series;
  if (key == "WebId") {
    point.told_web_id = TextOf(value);
    series.web_id = IdOnly(point.told_web_id);
  } else if (key == "Id") {
    const auto id = IntegerOf(value);
    const bool fits = id && *id >= std::numeric_limits<int32_t>::min() &&
                      *id <= std::numeric_limits<int32_t>::max();
    if (fits) point.id = static_cast<int32_t>(*id);
  } else if (key == "Name") {
    series.name = TextOf(value);
  } else if (key == "Path") {
    series.path = TextOf(value);
  } else if (key == "EngineeringUnits") {
    series.units = TextOf(value);
  } else if (key == "Descriptor") {
    series.descriptor = TextOf(value);
  } else if (key == "DigitalSetName") {
    series.digital_set = TextOf(value);
  } else if (key == "PointType") {
    series.type_name = TextOf(value);
    series.type = ParsePointType(series.type_name);
  } else if (key == "Zero") {
    series.zero = NumberOf(value);
  } else if (key == "Span") {
    series.span = NumberOf(value);
  } else if (key == "Step") {
    series.step = TruthOf(value);
  } else if (key == "Future") {
    series.future = TruthOf(value);
  }
}

std::optional<Error> LackOf(const ListedPoint& point) {
  if (point.told_web_id.empty()) return NotTold("the WebId of a point");
  if (point.series.name.empty()) return NotTold("the Name of a point");
  return std::nullopt;
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void ReadServerMember(std::string_view key, od::value& value, DataServer& server) {
  if (key == "WebId") server.web_id = TextOf(value);
  if (key == "Name") server.name = TextOf(value);
  if (key == "Id") server.id = LowerCase(TextOf(value));
  if (key == "ServerVersion") server.version = TextOf(value);
  if (key == "IsConnected") server.is_connected = TruthOf(value);
  if (key == "ServerTime") server.server_time = TimeOf(value);
}

/// One answer within a batch (wire §7.2).
struct Part {
  int status = 0;
  std::string content;  ///< JSON, read once the batch is
};

error_code ReadPart(od::value& value, Part& part) {
  od::object object;
  if (const auto error = value.get_object().get(object)) return error;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value member;
    if (const auto error = field.value().get(member)) return error;
    if (key == "Status") {
      const auto status = IntegerOf(member);
      if (status && *status >= 0 && *status <= 999) part.status = static_cast<int>(*status);
    } else if (key == "Content" && Token(member)[0] == '{') {
      od::object content;
      std::string_view json;
      if (const auto error = member.get_object().get(content)) return error;
      if (const auto error = content.raw_json().get(json)) return error;
      part.content = json;
    }
  }
  return SUCCESS;
}

/// The system state that stands for a count of no events (wire §13).
bool IsNoData(od::value& state) {
  od::object object;
  std::string_view name;
  return !state.get_object().get(object) && !object.find_field_unordered("Name").get(name) &&
         name == "No Data";
}

error_code ReadAskedPoint(od::object item, AskedPoint& asked) {
  for (auto field : item) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    if (key == "Identifier") {
      asked.identifier = TextOf(value);
    } else if (key == "Object" && Token(value)[0] == '{') {
      od::object object;
      if (const auto error = value.get_object().get(object)) return error;
      std::optional<Complaint> complaint;
      ListedPoint point;
      const auto error =
          WalkMembers(object, complaint, [&](std::string_view name, od::value& member) {
            ReadPointMember(name, member, point);
            return SUCCESS;
          });
      if (error) return error;
      if (!complaint && !LackOf(point)) asked.point = std::move(point);
    } else if (key == "Exception" && !IsNothing(value)) {
      Complaint complaint;
      if (const auto error = ReadComplaint(value, complaint)) return error;
      asked.exception = std::move(complaint.text);
    }
  }
  return SUCCESS;
}

}  // namespace

Result<std::vector<DataServer>> DecodeDataServers(std::string body) {
  std::vector<DataServer> servers;
  const auto on_item = [&](od::object item, std::optional<Error>& failure) {
    DataServer& server = servers.emplace_back();
    const auto error = WalkItem(item, failure, [&](std::string_view key, od::value& value) {
      ReadServerMember(key, value, server);
      return SUCCESS;
    });
    if (server.web_id.empty() || server.name.empty())
      failure = NotTold("WebId and Name of a server");
    return error;
  };
  RETURN_IF_ERROR(WalkList(std::move(body), {on_item, {}}));
  return servers;
}

Result<PointPage> DecodePoints(std::string body) {
  PointPage page;
  const auto on_item = [&](od::object item, std::optional<Error>& failure) {
    ListedPoint& point = page.points.emplace_back();
    const auto error = WalkItem(item, failure, [&](std::string_view key, od::value& value) {
      ReadPointMember(key, value, point);
      return SUCCESS;
    });
    if (auto lack = LackOf(point); lack && !failure) failure = std::move(lack);
    return error;
  };
  RETURN_IF_ERROR(WalkList(std::move(body), {on_item, [&] { page.has_next = true; }}));
  return page;
}

Result<ListedPoint> DecodePoint(std::string body) {
  ListedPoint point;
  RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
    ReadPointMember(key, value, point);
    return SUCCESS;
  }));
  if (auto lack = LackOf(point)) return tl::unexpected(std::move(*lack));
  return point;
}

Result<std::vector<AskedPoint>> DecodePointsMultiple(std::string body) {
  std::vector<AskedPoint> points;
  const auto on_item = [&](od::object item, std::optional<Error>& failure) {
    AskedPoint& asked = points.emplace_back();
    const auto error = ReadAskedPoint(item, asked);
    if (asked.identifier.empty()) failure = NotTold("the Identifier of a point");
    if (!asked.point && asked.exception.empty()) asked.exception = "no reason given";
    return error;
  };
  RETURN_IF_ERROR(WalkList(std::move(body), {on_item, {}}));
  return points;
}

Result<System> DecodeSystem(std::string body) {
  System system;
  RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
    if (key == "ProductTitle") system.title = TextOf(value);
    if (key == "ProductVersion") system.version = TextOf(value);
    return SUCCESS;
  }));
  if (system.title.empty()) return tl::unexpected(NotTold("a ProductTitle"));
  return system;
}

Result<SystemStatus> DecodeSystemStatus(std::string body) {
  SystemStatus status;
  RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
    if (key == "State") status.state = TextOf(value);
    if (key == "ServerTime") status.server_time = TimeOf(value);
    return SUCCESS;
  }));
  if (status.state.empty()) return tl::unexpected(NotTold("a State"));
  return status;
}

Result<UserInfo> DecodeUserInfo(std::string body) {
  UserInfo user;
  if (body.empty()) return user;
  RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
    if (key == "Name") user.name = TextOf(value);
    if (key == "IdentityType") user.identity_type = TextOf(value);
    if (key == "IsAuthenticated") user.is_authenticated = TruthOf(value);
    return SUCCESS;
  }));
  if (user.identity_type.empty() && user.name.empty()) return tl::unexpected(NotTold("a Name"));
  return user;
}

Result<std::vector<EnumerationSet>> DecodeEnumerationSets(std::string body) {
  std::vector<EnumerationSet> sets;
  const auto on_item = [&](od::object item, std::optional<Error>& failure) {
    EnumerationSet& set = sets.emplace_back();
    const auto error = WalkItem(item, failure, [&](std::string_view key, od::value& value) {
      if (key == "WebId") set.web_id = TextOf(value);
      if (key == "Name") set.name = TextOf(value);
      return SUCCESS;
    });
    if (set.web_id.empty() || set.name.empty()) failure = NotTold("WebId and Name of a set");
    return error;
  };
  RETURN_IF_ERROR(WalkList(std::move(body), {on_item, {}}));
  return sets;
}

Result<std::vector<EnumerationValue>> DecodeEnumerationValues(std::string body) {
  std::vector<EnumerationValue> values;
  const auto on_item = [&](od::object item, std::optional<Error>& failure) {
    std::optional<std::string> name;
    std::optional<int64_t> code;
    const auto error = WalkItem(item, failure, [&](std::string_view key, od::value& value) {
      if (key == "Name") name = TextOf(value);
      if (key == "Value") code = IntegerOf(value);
      return SUCCESS;
    });
    if (!name || !code) {
      failure = NotTold("Name and Value of a state");
    } else {
      values.push_back({std::move(*name), *code});
    }
    return error;
  };
  RETURN_IF_ERROR(WalkList(std::move(body), {on_item, {}}));
  return values;
}

Result<EnumerationParts> DecodeEnumerationBatch(std::string body) {
  std::map<std::string, Part> parts;
  RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
    return ReadPart(value, parts[std::string(key)]);
  }));
  EnumerationParts states;
  for (auto& [key, part] : parts) {
    const bool is_success = part.status >= 200 && part.status < 300;
    auto values = is_success ? DecodeEnumerationValues(std::move(part.content))
                             : Result<std::vector<EnumerationValue>>(tl::unexpected(
                                   Refused({.text = part.content, .status = part.status})));
    states.emplace(key, std::move(values));
  }
  return states;
}

Result<std::vector<Result<int64_t>>> DecodeCountBatch(std::string body, size_t parts) {
  std::map<std::string, Part> told;
  RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
    return ReadPart(value, told[std::string(key)]);
  }));
  std::vector<Result<int64_t>> counts;
  for (size_t i = 0; i < parts; ++i) {
    const auto part = told.find(std::to_string(i));
    if (part == told.end()) {
      counts.push_back(Fail(ErrorKind::kTransient, "the server left this part out of its answer"));
    } else if (part->second.status >= 200 && part->second.status < 300) {
      counts.push_back(DecodeCount(std::move(part->second.content)));
    } else {
      counts.push_back(
          tl::unexpected(Refused({.text = part->second.content, .status = part->second.status})));
    }
  }
  return counts;
}

Result<int64_t> DecodeCount(std::string body) {
  std::optional<double> count;
  const auto on_item = [&](od::object item, std::optional<Error>& failure) {
    std::string type;
    std::optional<double> number;
    const auto error =
        WalkItem(item, failure, [&](std::string_view key, od::value& value) -> error_code {
          if (key == "Type") type = TextOf(value);
          if (key != "Value" || Token(value)[0] != '{') return SUCCESS;
          od::object timed;
          if (const auto damage = value.get_object().get(timed)) return damage;
          return WalkItem(timed, failure, [&](std::string_view name, od::value& member) {
            if (name != "Value") return SUCCESS;
            double told = 0;
            if (Token(member)[0] == '{') {
              if (IsNoData(member)) number = 0;
            } else if (!member.get_double().get(told)) {
              number = told;
            }
            return SUCCESS;
          });
        });
    if (type == "Count" && number) count = number;
    return error;
  };
  RETURN_IF_ERROR(WalkList(std::move(body), {on_item, {}}));
  constexpr double kCountMax = 9e15;  // beyond it a double is no count
  if (!count || !(*count >= 0 && *count <= kCountMax)) return tl::unexpected(NotTold("a Count"));
  return static_cast<int64_t>(*count);
}

Result<int64_t> DecodeConfigurationNumber(std::string body) {
  const auto begin = body.find_first_not_of(" \t\r\n");
  std::optional<int64_t> number;
  if (begin != std::string::npos && body[begin] == '{') {
    RETURN_IF_ERROR(WalkBody(std::move(body), [&](std::string_view key, od::value& value) {
      if (key == "Value") number = IntegerOf(value);
      return SUCCESS;
    }));
  } else {
    const Body padded(std::move(body));
    od::document document;
    int64_t bare = 0;
    if (!Iterate(padded.begin(), padded.text().size()).get(document) &&
        !document.get_int64().get(bare)) {
      number = bare;
    }
  }
  if (!number) return tl::unexpected(NotTold("a number"));
  return *number;
}

}  // namespace pilake::decode
