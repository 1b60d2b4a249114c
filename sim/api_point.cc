// SPDX-License-Identifier: Apache-2.0
// points/…: points by path, by WebID, several at once, and their attributes (wire §4).
#include <algorithm>
#include <functional>

#include "sim/api.h"
#include "sim/archive.h"
#include "sim/text.h"

namespace pilake::sim {

void WritePoint(JsonWriter& json, const Call& call, const Point& point) {
  const Plant& plant = *call.plant;
  const std::string web_id = PointWebIdText(call, point);
  json.BeginObject();
  json.Member("WebId", web_id);
  json.Member("Id", point.id);
  json.Member("Name", point.name);
  json.Member("Path", plant.Path(point));
  json.Member("Descriptor", plant.Descriptor(point));
  json.Member("PointClass", "classic");
  json.Member("PointType", Name(point.type));
  json.Member("DigitalSetName", point.type == PointType::kDigital ? plant.digital_set(point).name
                                                                  : std::string_view());
  json.Member("EngineeringUnits", plant.unit_name(point));
  json.Member("Span", static_cast<double>(point.span));
  json.Member("Zero", static_cast<double>(point.zero));
  json.Member("Step", point.step);
  json.Member("Future", point.future);
  json.Member("DisplayDigits", -5);
  if (json.Key("Links")) {
    const std::string self = call.base + "/points/" + web_id,
                      stream = call.base + "/streams/" + web_id;
    json.BeginObject();
    json.Member("Self", self);
    json.Member("DataServer", call.base + "/dataservers/" + ServerWebIdText(call));
    json.Member("Attributes", self + "/attributes");
    json.Member("InterpolatedData", stream + "/interpolated");
    json.Member("RecordedData", stream + "/recorded");
    json.Member("PlotData", stream + "/plot");
    json.Member("SummaryData", stream + "/summary");
    json.Member("Value", stream + "/value");
    json.Member("EndValue", stream + "/end");
    json.EndObject();
  }
  json.EndObject();
}

namespace {

// One attribute of a point: its lower-case name, and how to write its value.
struct PointAttribute {
  std::string_view name;
  std::function<void(JsonWriter&)> write;
};

std::vector<PointAttribute> Attributes(const Plant& plant, const Point& point) {
  const auto text = [](std::string value) {
    return [value](JsonWriter& json) { json.String(value); };
  };
  const auto whole = [](int64_t value) {
    return [value](JsonWriter& json) { json.Integer(value); };
  };
  const auto number = [](double value) {
    return [value](JsonWriter& json) { json.Number(value); };
  };
  const std::string set(point.type == PointType::kDigital ? plant.digital_set(point).name
                                                          : std::string_view());
  return {{"pointid", whole(point.id)},
          {"tag", text(point.name)},
          {"pointtype", text(std::string(Name(point.type)))},
          {"ptclassname", text("classic")},
          {"pointsource", text(plant.PointSource(point))},
          {"descriptor", text(plant.Descriptor(point))},
          {"engunits", text(std::string(plant.unit_name(point)))},
          {"digitalset", text(set)},
          {"step", whole(point.step ? 1 : 0)},
          {"future", whole(point.future ? 1 : 0)},
          {"zero", number(static_cast<double>(point.zero))},
          {"span", number(static_cast<double>(point.span))},
          {"typicalvalue", number(static_cast<double>(point.zero + point.span / 2))},
          {"scan", whole(1)},
          {"archiving", whole(1)},
          {"compressing", whole(point.dropped > 0 ? 1 : 0)},
          {"compdev", number(static_cast<double>(point.span) / 200)},
          {"compdevpercent", number(0.5)},
          {"compmin", whole(0)},
          {"compmax", whole(28800)},
          {"excdev", number(static_cast<double>(point.span) / 400)},
          {"excdevpercent", number(0.25)},
          {"excmin", whole(0)},
          {"excmax", whole(600)},
          {"shutdown", whole(0)},
          {"displaydigits", whole(-5)},
          {"creationdate", text(FormatUtcTime(Rendered(point.creation_date)))},
          {"changedate", text(FormatUtcTime(Rendered(point.change_date)))},
          {"creator", text("piadmin")},
          {"changer", text("piadmin")}};
}

void WriteAttribute(JsonWriter& json, const Call& call, const Point& point,
                    const PointAttribute& attribute) {
  json.BeginObject();
  json.Member("Name", attribute.name);
  if (json.Key("Value")) attribute.write(json);
  if (json.Key("Links")) {
    const std::string self = call.base + "/points/" + PointWebIdText(call, point);
    json.BeginObject();
    json.Member("Self", fmt::format("{}/attributes/{}", self, attribute.name));
    json.Member("Point", self);
    json.EndObject();
  }
  json.EndObject();
}

Result<Answer> ListAttributes(const Call& call, const Point& point) {
  auto attributes = Attributes(*call.plant, point);
  const auto names = call.query.All("name");
  for (const std::string_view name : names) {
    if (std::ranges::none_of(attributes, [&](const auto& a) { return SameText(a.name, name); })) {
      return Fail(ErrorKind::kInvalid, "Unknown point attribute '{}'.", name);
    }
  }
  const std::string_view filter = call.query.Get("nameFilter").value_or("");
  std::erase_if(attributes, [&](const auto& a) {
    const bool named =
        names.empty() || std::ranges::any_of(names, [&](auto n) { return SameText(a.name, n); });
    return !named || !MatchesName(filter, a.name);
  });
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) {
      json.BeginArray();
      for (const auto& attribute : attributes) WriteAttribute(json, call, point, attribute);
      json.EndArray();
    }
    json.EndObject();
  });
}

Result<Answer> GetAttribute(const Call& call, const Point& point, std::string_view name) {
  for (const auto& attribute : Attributes(*call.plant, point)) {
    if (!SameText(attribute.name, name)) continue;
    return Document(call, [&](JsonWriter& json) { WriteAttribute(json, call, point, attribute); });
  }
  return Fail(ErrorKind::kNotFound, "Unknown point attribute '{}'.", name);
}

struct Identified {
  std::string_view identifier;
  bool by_path;
  Found found;
};

void WriteIdentified(JsonWriter& json, const Call& call, const Identified& item) {
  json.BeginObject();
  json.Member("Identifier", item.identifier);
  json.Member("IdentifierType", item.by_path ? "Path" : "WebId");
  if (json.Key("Object")) {
    if (item.found.point != nullptr)
      WritePoint(json, call, *item.found.point);
    else
      json.Null();
  }
  if (json.Key("Exception")) {
    if (item.found.point != nullptr) {
      json.Null();
    } else {
      json.BeginObject();
      if (json.Key("Errors")) {
        json.BeginArray();
        json.String(item.found.error);
        json.EndArray();
      }
      json.EndObject();
    }
  }
  json.EndObject();
}

Result<Answer> GetMultiple(const Call& call) {
  std::vector<Identified> items;
  for (const auto id : call.query.All("webId")) items.push_back({id, false, FindPoint(call, id)});
  for (const auto path : call.query.All("path"))
    items.push_back({path, true, FindPointByPath(call, path)});
  if (items.empty())
    return Fail(ErrorKind::kInvalid, "One of the parameters 'webId' and 'path' is required.");
  const bool failed =
      std::ranges::any_of(items, [](const auto& item) { return item.found.point == nullptr; });
  const std::string_view mode = call.query.Get("includeMode").value_or("All");
  std::erase_if(items, [&](const auto& item) {
    const bool is_there = item.found.point != nullptr;
    return (SameText(mode, "ItemsWithException") && is_there) ||
           (SameText(mode, "ItemsWithoutException") && !is_there);
  });
  Answer answer = Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) {
      json.BeginArray();
      for (const auto& item : items) WriteIdentified(json, call, item);
      json.EndArray();
    }
    json.EndObject();
  });
  if (failed) answer.status = 207;
  return answer;
}

}  // namespace

Result<Answer> Points(const Call& call) {
  const auto& segments = call.segments;
  if (segments.size() == 1) {
    const auto path = call.query.Get("path");
    if (!path) return Message(400, "The parameter 'path' is required.");
    const Found found = FindPointByPath(call, *path);
    if (found.point == nullptr) return Errors(found.status, found.error);
    return Document(call, [&](JsonWriter& json) { WritePoint(json, call, *found.point); });
  }
  if (segments.size() == 2 && SameText(segments[1], "multiple")) return GetMultiple(call);
  if (segments.size() > 4 || (segments.size() > 2 && !SameText(segments[2], "attributes")))
    return NoSuchResource(call);
  const auto [point, status, error] = FindPoint(call, segments[1]);
  if (point == nullptr) return Errors(status, error);
  if (segments.size() == 4) return GetAttribute(call, *point, segments[3]);
  if (segments.size() == 3) return ListAttributes(call, *point);
  return Document(call, [&](JsonWriter& json) { WritePoint(json, call, *point); });
}

}  // namespace pilake::sim
