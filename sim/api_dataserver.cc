// SPDX-License-Identifier: Apache-2.0
// dataservers/…: the Data Archive, its points and its digital state sets (wire §4).
#include <algorithm>

#include "sim/api.h"
#include "sim/text.h"

namespace pilake::sim {
namespace {

void WriteServer(JsonWriter& json, const Call& call) {
  const Plant& plant = *call.plant;
  const std::string web_id = ServerWebIdText(call);
  const std::string self = call.base + "/dataservers/" + web_id;
  json.BeginObject();
  json.Member("WebId", web_id);
  json.Member("Id", FormatGuid(plant.server_guid()));
  json.Member("Name", plant.server_name());
  json.Member("Path", "\\\\PIServers[" + plant.server_name() + "]");
  json.Member("IsConnected", true);
  json.Member("ServerVersion", "3.4.440.477");
  json.Member("ServerTime", FormatUtcTime(call.world.story.ArchiveTimeAt(call.now)));
  if (json.Key("Links")) {
    json.BeginObject();
    json.Member("Self", self);
    json.Member("Points", self + "/points");
    json.Member("EnumerationSets", self + "/enumerationsets");
    json.EndObject();
  }
  json.EndObject();
}

Result<Answer> ListServers(const Call& call) {
  auto name = call.query.Get("name");
  if (const auto path = call.query.Get("path")) {
    name = path->starts_with("\\\\") ? path->substr(2) : *path;
    const std::string_view typed = "PIServers[";
    if (name->size() > typed.size() && SameText(name->substr(0, typed.size()), typed) &&
        name->ends_with(']')) {
      name = name->substr(typed.size(), name->size() - typed.size() - 1);
    }
  }
  if (name && !SameText(*name, call.plant->server_name())) {
    return Fail(ErrorKind::kNotFound, "PI Data Archive not found '{}'.", *name);
  }
  if (name) return Document(call, [&](JsonWriter& json) { WriteServer(json, call); });
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) {
      json.BeginArray();
      WriteServer(json, call);
      json.EndArray();
    }
    json.EndObject();
  });
}

struct Page {
  std::vector<const Point*> points;
  bool more = false;
};

// The points that match, `max_count` of them from position `start` on.
Page SelectPoints(const Plant& plant, std::string_view filter, int64_t start, int64_t max_count) {
  Page page;
  const bool all = filter.empty() || filter == "*";
  const auto& order = plant.by_name();
  int64_t skip = start;
  for (size_t i = all ? static_cast<size_t>(std::min(start, std::ssize(order))) : 0;
       i < order.size(); ++i) {
    const Point& point = plant.points()[order[i]];
    if (!all && (!MatchesName(filter, point.name) || skip-- > 0)) continue;
    if (std::ssize(page.points) == max_count) {
      page.more = true;
      break;
    }
    page.points.push_back(&point);
  }
  return page;
}

std::string PageUrl(const Call& call, int64_t start, int64_t max_count) {
  std::string url = fmt::format("{}/dataservers/{}/points?startIndex={}&maxCount={}", call.base,
                                call.segments[1], start, max_count);
  for (const char* name : {"nameFilter", "selectedFields", "webIdType"}) {
    if (const auto value = call.query.Get(name))
      url += fmt::format("&{}={}", name, PercentEncode(*value));
  }
  return url;
}

void WritePageLinks(JsonWriter& json, const Call& call, int64_t start, int64_t max_count,
                    bool more) {
  json.BeginObject();
  json.Member("First", PageUrl(call, 0, max_count));
  if (start > 0)
    json.Member("Previous", PageUrl(call, std::max<int64_t>(0, start - max_count), max_count));
  if (more) json.Member("Next", PageUrl(call, start + max_count, max_count));
  json.EndObject();
}

Result<Answer> ListPoints(const Call& call) {
  ++call.world.tally.point_list_calls;
  RETURN_IF_ERROR(FindServer(call, call.segments[1]));
  ASSIGN_OR_RETURN(const int64_t start, call.query.Integer("startIndex", 0));
  ASSIGN_OR_RETURN(const int64_t max_count, call.query.Integer("maxCount", 1000));
  if (start < 0) return Fail(ErrorKind::kInvalid, "Parameter 'startIndex' must not be negative.");
  if (max_count < 1)
    return Fail(ErrorKind::kInvalid, "Parameter 'maxCount' must be greater than 0.");
  RETURN_IF_ERROR(CheckLimit(call, "maxCount", max_count));
  const Page page =
      SelectPoints(*call.plant, call.query.Get("nameFilter").value_or(""), start, max_count);
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) WritePageLinks(json, call, start, max_count, page.more);
    if (json.Key("Items")) {
      json.BeginArray();
      for (const Point* point : page.points) WritePoint(json, call, *point);
      json.EndArray();
    }
    json.EndObject();
  });
}

}  // namespace

Result<Answer> DataServers(const Call& call) {
  const auto& segments = call.segments;
  if (segments.size() == 1) return ListServers(call);
  if (segments.size() == 2) {
    RETURN_IF_ERROR(FindServer(call, segments[1]));
    return Document(call, [&](JsonWriter& json) { WriteServer(json, call); });
  }
  if (segments.size() == 3 && SameText(segments[2], "points")) return ListPoints(call);
  if (segments.size() == 3 && SameText(segments[2], "enumerationsets")) {
    RETURN_IF_ERROR(FindServer(call, segments[1]));
    return EnumerationSets(call);
  }
  return NoSuchResource(call);
}

}  // namespace pilake::sim
