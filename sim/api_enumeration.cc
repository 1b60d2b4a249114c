// SPDX-License-Identifier: Apache-2.0
// enumerationsets/… and enumerationvalues/…: digital states and their sets (wire §4.1, §6.3).
#include <algorithm>

#include "sim/api.h"
#include "sim/text.h"

namespace pilake::sim {
namespace {

void WriteSet(JsonWriter& json, const Call& call, const DigitalSet& set) {
  const std::string web_id = SetWebIdText(call, set);
  const std::string self = call.base + "/enumerationsets/" + web_id;
  json.BeginObject();
  json.Member("WebId", web_id);
  json.Member("Id", FormatGuid(SetGuid(call, set)));
  json.Member("Name", set.name);
  json.Member("Description", "");
  json.Member("Path", fmt::format("\\\\PIServers[{}]\\EnumerationSets[{}]",
                                  call.plant->server_name(), set.name));
  if (json.Key("Links")) {
    json.BeginObject();
    json.Member("Self", self);
    json.Member("DataServer", call.base + "/dataservers/" + ServerWebIdText(call));
    json.Member("Values", self + "/enumerationvalues");
    json.EndObject();
  }
  json.EndObject();
}

void WriteState(JsonWriter& json, const Call& call, const DigitalSet& set,
                const DigitalState& state) {
  const std::string web_id = StateWebIdText(call, set, state);
  json.BeginObject();
  json.Member("WebId", web_id);
  json.Member("Id", FormatGuid(StateGuid(call, set, state)));
  json.Member("Name", state.name);
  json.Member("Description", "");
  json.Member("Value", state.code);
  json.Member("Path", fmt::format("\\\\PIServers[{}]\\EnumerationSets[{}]\\{}",
                                  call.plant->server_name(), set.name, state.name));
  json.Member("Parent", "");
  if (json.Key("Links")) {
    json.BeginObject();
    json.Member("Self", call.base + "/enumerationvalues/" + web_id);
    json.Member("EnumerationSet", call.base + "/enumerationsets/" + SetWebIdText(call, set));
    json.EndObject();
  }
  json.EndObject();
}

template <typename Items, typename Write>
Answer WriteItems(const Call& call, const Items& items, Write write) {
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) json.Raw("{}");
    if (json.Key("Items")) {
      json.BeginArray();
      for (const auto& item : items) write(json, item);
      json.EndArray();
    }
    json.EndObject();
  });
}

Result<const DigitalSet*> FindSet(const Call& call, std::string_view text) {
  const auto id = ReadWebId(text);
  if (!id || id->kind != WebIdKind::kEnumerationSet) {
    return Fail(ErrorKind::kInvalid, "The specified WebID '{}' is not valid for this operation.",
                text);
  }
  for (const DigitalSet& set : call.plant->digital_sets()) {
    if (id->type == WebIdType::kPathOnly ? SameText(SetWebIdText(call, set), text)
                                         : SetGuid(call, set) == id->object) {
      return &set;
    }
  }
  return Fail(ErrorKind::kNotFound, "The specified object was not found: '{}'.", text);
}

// `…EnumerationSets[NAME]`
Result<const DigitalSet*> FindSetByPath(const Call& call, std::string_view path) {
  const size_t open = path.find('['), close = path.rfind(']');
  const size_t last_open = path.rfind('[');
  if (open != std::string_view::npos && close != std::string_view::npos && last_open < close) {
    const std::string_view name = path.substr(last_open + 1, close - last_open - 1);
    for (const DigitalSet& set : call.plant->digital_sets()) {
      if (UpperInvariant(set.name) == UpperInvariant(name)) return &set;
    }
  }
  return Fail(ErrorKind::kNotFound, "Enumeration Set not found '{}'.", path);
}

}  // namespace

Result<Answer> EnumerationSets(const Call& call) {
  const auto& segments = call.segments;
  if (SameText(segments[0], "dataservers")) {
    return WriteItems(call, call.plant->digital_sets(),
                      [&](JsonWriter& json, const DigitalSet& set) { WriteSet(json, call, set); });
  }
  if (segments.size() == 1) {
    ASSIGN_OR_RETURN(const DigitalSet* set,
                     FindSetByPath(call, call.query.Get("path").value_or("")));
    return Document(call, [&](JsonWriter& json) { WriteSet(json, call, *set); });
  }
  if (segments.size() > 3 ||
      (segments.size() == 3 && !SameText(segments[2], "enumerationvalues"))) {
    return NoSuchResource(call);
  }
  ASSIGN_OR_RETURN(const DigitalSet* set, FindSet(call, segments[1]));
  if (segments.size() == 2)
    return Document(call, [&](JsonWriter& json) { WriteSet(json, call, *set); });
  return WriteItems(call, set->states, [&](JsonWriter& json, const DigitalState& state) {
    WriteState(json, call, *set, state);
  });
}

Result<Answer> EnumerationValues(const Call& call) {
  if (call.segments.size() != 2) return NoSuchResource(call);
  const auto id = ReadWebId(call.segments[1]);
  if (!id || id->kind != WebIdKind::kEnumerationValue) {
    return Fail(ErrorKind::kInvalid, "The specified WebID '{}' is not valid for this operation.",
                call.segments[1]);
  }
  for (const DigitalSet& set : call.plant->digital_sets()) {
    for (const DigitalState& state : set.states) {
      if (StateGuid(call, set, state) != id->object) continue;
      return Document(call, [&](JsonWriter& json) { WriteState(json, call, set, state); });
    }
  }
  return Fail(ErrorKind::kNotFound, "The specified object was not found: '{}'.", call.segments[1]);
}

}  // namespace pilake::sim
