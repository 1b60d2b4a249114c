// SPDX-License-Identifier: Apache-2.0
// `/` and system/…: the service itself (wire §1.1, §1.8).
#include "sim/api.h"
#include "sim/text.h"

namespace pilake::sim {
namespace {

constexpr std::string_view kVersion = "1.11.1.5383";

Answer GetSystem(const Call& call) {
  return Document(call, [&](JsonWriter& json) {
    const std::string self = call.base + "/system";
    json.BeginObject();
    json.Member("ProductTitle", "PI Web API 2018 SP1");
    json.Member("ProductVersion", kVersion);
    if (json.Key("Links")) {
      json.BeginObject();
      json.Member("Self", self);
      json.Member("CacheInstances", self + "/cacheinstances");
      json.Member("Configuration", self + "/configuration");
      json.Member("UserInfo", self + "/userinfo");
      json.Member("Versions", self + "/versions");
      json.Member("Status", self + "/status");
      json.EndObject();
    }
    json.EndObject();
  });
}

Answer GetStatus(const Call& call) {
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    json.Member("UpTimeInMinutes", (call.now - call.world.started).seconds() / 60);
    json.Member("State", "Running");
    json.Member("CacheInstances", 1);
    json.Member("ServerTime", FormatUtcTime(call.host_now));
    json.EndObject();
  });
}

Answer GetUserInfo(const Call& call) {
  return Document(call, [&](JsonWriter& json) {
    const auto& user = call.world.user;
    json.BeginObject();
    json.Member("IdentityType", "WindowsIdentity");
    json.Member("Name", user.value_or("NT SERVICE\\piwebapi"));
    json.Member("IsAuthenticated", true);
    json.Member("SID",
                user ? "S-1-5-21-1004336348-1177238915-682003330-1107" : "S-1-5-80-1-2-3-4-5");
    json.Member("ImpersonationLevel", user ? "Impersonation" : "None");
    json.EndObject();
  });
}

Answer GetVersions(const Call& call) {
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("PI Web API")) {
      json.BeginObject();
      json.Member("FullVersion", kVersion);
      json.Member("MajorMinorRevision", "1.11.1");
      json.Member("Build", "5383");
      json.EndObject();
    }
    json.EndObject();
  });
}

// Which items there are, and how to write them.
void WriteConfiguration(JsonWriter& json, const Call& call, std::string_view key) {
  if (SameText(key, "MaxReturnedItemsPerCall")) return json.Integer(call.world.items_max);
  if (SameText(key, "RateLimitMaxRequests")) return json.Integer(1000);
  if (SameText(key, "RateLimitDuration")) return json.Integer(1);
  if (SameText(key, "EnableCSRFDefense")) return json.Bool(true);
  if (SameText(key, "WebIDType")) return json.String(call.world.readings.webid_type);
  json.BeginArray();  // AuthenticationMethods
  json.String(call.world.user ? "Basic" : "Anonymous");
  json.EndArray();
}

constexpr std::string_view kConfigurationKeys[] = {"AuthenticationMethods",   "EnableCSRFDefense",
                                                   "MaxReturnedItemsPerCall", "RateLimitDuration",
                                                   "RateLimitMaxRequests",    "WebIDType"};

Result<Answer> GetConfiguration(const Call& call) {
  if (call.segments.size() == 2) {
    return Document(call, [&](JsonWriter& json) {
      json.BeginObject();
      for (const std::string_view key : kConfigurationKeys) {
        if (json.Key(key)) WriteConfiguration(json, call, key);
      }
      json.EndObject();
    });
  }
  for (const std::string_view key : kConfigurationKeys) {
    if (!SameText(key, call.segments[2])) continue;
    return Document(call, [&](JsonWriter& json) { WriteConfiguration(json, call, key); });
  }
  return Fail(ErrorKind::kNotFound, "The configuration item '{}' was not found.", call.segments[2]);
}

}  // namespace

Answer Landing(const Call& call) {
  return Document(call, [&](JsonWriter& json) {
    json.BeginObject();
    if (json.Key("Links")) {
      json.BeginObject();
      json.Member("Self", call.base + "/");
      json.Member("AssetServers", call.base + "/assetservers");
      json.Member("DataServers", call.base + "/dataservers");
      json.Member("Search", call.base + "/search");
      json.Member("System", call.base + "/system");
      json.EndObject();
    }
    json.EndObject();
  });
}

Result<Answer> System(const Call& call) {
  const auto& segments = call.segments;
  if (segments.size() == 1) return GetSystem(call);
  const std::string_view what = segments[1];
  if (SameText(what, "configuration") && segments.size() <= 3) return GetConfiguration(call);
  if (segments.size() > 2) return NoSuchResource(call);
  if (SameText(what, "status")) return GetStatus(call);
  if (SameText(what, "userinfo")) return GetUserInfo(call);
  if (SameText(what, "versions")) return GetVersions(call);
  return NoSuchResource(call);
}

}  // namespace pilake::sim
