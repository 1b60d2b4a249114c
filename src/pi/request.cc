// SPDX-License-Identifier: Apache-2.0
#include "pi/request.h"

#include <algorithm>
#include <cassert>
#include <initializer_list>

#include <fmt/format.h>

namespace pilake::pi {
namespace {

// WebException is always named: whether it survives a selection without it is not known (wire
// §1.4).
constexpr std::string_view kEventsSelected =
    "Items.Timestamp;Items.Value;Items.Good;Items.Questionable;Items.Substituted;Items.Annotated;"
    "Items.Errors;Errors;WebException";
constexpr std::string_view kSetEventsSelected =
    "Items.WebId;Items.Items.Timestamp;Items.Items.Value;Items.Items.Good;Items.Items.Questionable;"
    "Items.Items.Substituted;Items.Items.Annotated;Items.Items.Errors;Items.Errors;"
    "Items.WebException;Errors;WebException";
constexpr std::string_view kSetValuesSelected =
    "Items.WebId;Items.Value.Timestamp;Items.Value.Value;Items.Value.Good;Items.Value.Questionable;"
    "Items.Value.Substituted;Items.Value.Annotated;Items.Value.Errors;Items.Errors;"
    "Items.WebException;Errors;WebException";

constexpr std::string_view kUpdatesSelected =
    "Items.Source;Items.RequestedMarker;Items.LatestMarker;Items.Exception;Items.Events.Action;"
    "Items.Events.Timestamp;Items.Events.Value;Items.Events.Good;Items.Events.Questionable;"
    "Items.Events.Substituted;Items.Events.Annotated;Items.Events.Errors;Errors;WebException";

constexpr UtcTime kFirstTime{0};  // 1970-01-01, before which PI has nothing (wire §5.7)

void AppendEncoded(std::string& out, std::string_view text, std::string_view kept) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || kept.find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

/// A target under construction: `/` separated segments, then the query.
class Target {
 public:
  Target(std::initializer_list<std::string_view> segments) {
    for (const std::string_view segment : segments) {
      text_ += '/';
      AppendEncoded(text_, segment, "-._~");
    }
  }

  Target& Add(std::string_view name, std::string_view value) {
    text_ += is_first_ ? '?' : '&';
    is_first_ = false;
    text_ += name;
    text_ += '=';
    AppendEncoded(text_, value, "-._~:;*");
    return *this;
  }
  Target& Add(std::string_view name, int value) { return Add(name, std::to_string(value)); }
  Target& Add(std::string_view name, UtcTime time) { return Add(name, SevenDigits(time)); }
  Target& AddEach(std::string_view name, std::span<const std::string_view> values) {
    for (const std::string_view value : values) Add(name, value);
    return *this;
  }

  HttpRequest Get() { return {HttpRequest::Method::kGet, std::move(text_), {}}; }
  HttpRequest Post() { return {HttpRequest::Method::kPost, std::move(text_), {}}; }

 private:
  /// `yyyy-MM-ddTHH:mm:ss.fffffffZ`, the one form that no culture or zone reads otherwise.
  static std::string SevenDigits(UtcTime time) {
    constexpr size_t kSecondsEnd = 19;
    std::string text = FormatUtcTime(time);
    text.pop_back();
    if (text.size() == kSecondsEnd) text += '.';
    text.resize(kSecondsEnd + 8, '0');
    return text + 'Z';
  }

  std::string text_;
  bool is_first_ = true;
};

Target RecordedTarget(const RecordedRead& read) {
  Target target{"streams", read.web_id, "recorded"};
  target.Add("startTime", read.begin)
      .Add("endTime", read.end)
      .Add("boundaryType", "Inside")
      .Add("maxCount", read.max_count)
      .Add("selectedFields", kEventsSelected);
  if (!read.filter.empty()) target.Add("filterExpression", read.filter);
  return target;
}

std::string JsonEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// A batch of the GETs that `build` makes of each item.
template <typename Items, typename Build>
HttpRequest Batch(std::string_view base_url, const Items& items, const Build& build) {
  const std::string base = JsonEscaped(base_url);
  std::string body = "{";
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) body += ',';
    body += fmt::format(R"("{}":{{"Method":"GET","Resource":"{}{}"}})", i, base,
                        build(items[i]).target);
  }
  body += '}';
  return {HttpRequest::Method::kPost, "/batch", std::move(body)};
}

}  // namespace

HttpRequest BuildRecorded(const RecordedRead& read) {
  return RecordedTarget(read).Get();
}

HttpRequest BuildRecordedSet(std::span<const std::string_view> web_ids, UtcTime begin, UtcTime end,
                             int max_count, std::string_view filter) {
  Target target{"streamsets", "recorded"};
  if (!filter.empty()) target.Add("filterExpression", filter);
  return target.Add("startTime", begin)
      .Add("endTime", end)
      .Add("boundaryType", "Inside")
      .Add("maxCount", max_count)
      .Add("webIdType", "IDOnly")
      .Add("selectedFields", kSetEventsSelected)
      .AddEach("webId", web_ids)
      .Get();
}

HttpRequest BuildNewest(std::span<const std::string_view> web_ids, UtcTime at, int max_count) {
  return BuildRecordedSet(web_ids, at, kFirstTime, max_count);
}

HttpRequest BuildRecordedBatch(std::string_view base_url, std::span<const RecordedRead> reads) {
  return Batch(base_url, reads, BuildRecorded);
}

HttpRequest BuildValueSet(std::span<const std::string_view> web_ids) {
  return Target{"streamsets", "value"}
      .Add("webIdType", "IDOnly")
      .Add("selectedFields", kSetValuesSelected)
      .AddEach("webId", web_ids)
      .Get();
}

HttpRequest BuildRegister(std::span<const std::string_view> web_ids) {
  return Target{"streamsets", "updates"}
      .Add("webIdType", "IDOnly")
      .AddEach("webId", web_ids)
      .Post();
}

HttpRequest BuildUpdates(std::span<const std::string> markers) {
  Target target{"streamsets", "updates"};
  target.Add("webIdType", "IDOnly").Add("selectedFields", kUpdatesSelected);
  for (const std::string& marker : markers) target.Add("marker", marker);
  return target.Get();
}

HttpRequest BuildChannel(std::span<const std::string_view> web_ids, int heartbeat_rate) {
  return Target{"streamsets", "channel"}
      .Add("heartbeatRate", heartbeat_rate)
      .Add("webIdType", "IDOnly")
      .AddEach("webId", web_ids)
      .Get();
}

HttpRequest BuildCount(const CountRead& read) {
  return Target{"streams", read.web_id, "summary"}
      .Add("summaryType", "Count")
      .Add("calculationBasis", "EventWeighted")
      .Add("startTime", read.begin)
      .Add("endTime", read.end)
      .Get();
}

HttpRequest BuildCountBatch(std::string_view base_url, std::span<const CountRead> reads) {
  return Batch(base_url, reads, BuildCount);
}

HttpRequest BuildDataServers() {
  return Target{"dataservers"}.Get();
}

HttpRequest BuildPoints(const PointsRead& read) {
  Target target{"dataservers", read.server_web_id, "points"};
  if (!read.name_filter.empty()) target.Add("nameFilter", read.name_filter);
  return target.Add("startIndex", read.start_index)
      .Add("maxCount", read.max_count)
      .Add("webIdType", "IDOnly")
      .Add("selectedFields",
           "Links.Next;Items.WebId;Items.Id;Items.Name;Items.Path;Items.Descriptor;Items.PointType;"
           "Items.DigitalSetName;Items.Span;Items.Zero;Items.EngineeringUnits;Items.Step;"
           "Items.Future;Items.WebException;Errors;WebException")
      .Get();
}

HttpRequest BuildPointByPath(std::string_view path) {
  return Target{"points"}.Add("path", path).Add("webIdType", "IDOnly").Get();
}

HttpRequest BuildPointsMultiple(std::span<const std::string_view> web_ids) {
  return Target{"points", "multiple"}.Add("webIdType", "IDOnly").AddEach("webId", web_ids).Get();
}

HttpRequest BuildEnumerationSets(std::string_view server_web_id) {
  return Target{"dataservers", server_web_id, "enumerationsets"}.Get();
}

HttpRequest BuildEnumerationBatch(std::string_view base_url,
                                  std::span<const std::string_view> set_web_ids) {
  return Batch(base_url, set_web_ids, [](std::string_view set_web_id) {
    return Target{"enumerationsets", set_web_id, "enumerationvalues"}
        .Add("selectedFields", "Items.Name;Items.Value;Items.WebException;Errors;WebException")
        .Get();
  });
}

HttpRequest BuildSystem() {
  return Target{"system"}.Get();
}
HttpRequest BuildSystemStatus() {
  return Target{"system", "status"}.Get();
}
HttpRequest BuildUserInfo() {
  return Target{"system", "userinfo"}.Get();
}

HttpRequest BuildConfiguration(std::string_view key) {
  return Target{"system", "configuration", key}.Get();
}

size_t UrlBytes(std::string_view base_url, const HttpRequest& request) {
  return base_url.size() + request.target.size();
}

size_t WebIdsThatFit(std::string_view base_url, std::span<const std::string_view> web_ids,
                     size_t url_bytes_max) {
  constexpr int kLongestCount = 2'147'483'647;
  size_t bytes = UrlBytes(base_url, BuildRecordedSet({}, kFirstTime, kFirstTime, kLongestCount));
  size_t fit = 0;
  for (const std::string_view web_id : web_ids) {
    bytes += std::string_view("&webId=").size() + web_id.size();
    if (bytes > url_bytes_max) break;
    ++fit;
  }
  return std::max<size_t>(fit, 1);
}

size_t MarkersThatFit(std::string_view base_url, std::span<const std::string> markers,
                      size_t url_bytes_max) {
  for (size_t fit = markers.size(); fit > 1; fit -= (fit + 9) / 10) {
    if (UrlBytes(base_url, BuildUpdates(markers.first(fit))) <= url_bytes_max) return fit;
  }
  return 1;
}

std::vector<RequestForm> AllRequests() {
  constexpr std::string_view kSwagger = "Swagger 2018 SP1";
  constexpr std::string_view kBase = "https://host/piwebapi";
  constexpr std::string_view kPoint = "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA";
  constexpr std::string_view kServer = "I1DSRDMiEWZViHeZqrvM3e7_AA";
  const std::vector<std::string_view> points{kPoint, "I1DPRDMiEWZViHeZqrvM3e7_AAkxAAAA"};
  const std::vector<std::string_view> sets{"I1MSDRDMiEWZViHeZqrvM3e7_AA",
                                           "I1MSDRDMiEWZViHeZqrvM3e7_BB"};
  const UtcTime begin{17'040'672'000'000'000}, end = begin + Duration::Hours(1);
  const RecordedRead read{.web_id = kPoint, .begin = begin, .end = end, .max_count = 10'000};
  RecordedRead flagged = read;
  flagged.filter = kFlaggedOnly;
  const std::vector<std::string> markers{"0cbbec466f3a42288c8c47112f54b852_0",
                                         "5d1e9a7cf00b4a6c8f1b7a3f0e2d4c11_12"};
  const CountRead count{.web_id = kPoint, .begin = begin, .end = end};
  return {
      {"BuildRecorded", "The events of one point within a window.", "/streams/{webId}/recorded",
       kSwagger, BuildRecorded(read)},
      {"BuildRecordedSet", "The events of many points within one window.", "/streamsets/recorded",
       kSwagger, BuildRecordedSet(points, begin, end, 1000)},
      {"BuildNewest", "The newest events of many points: which of them are final.",
       "/streamsets/recorded", kSwagger, BuildNewest(points, end, 2)},
      {"BuildRecordedBatch", "The events of many points, each within a window of its own.",
       "/batch", kSwagger, BuildRecordedBatch(kBase, std::vector<RecordedRead>{read, read}),
       "/streams/{webId}/recorded"},
      {"BuildValueSet", "The current values of many points: which of them changed at all.",
       "/streamsets/value", kSwagger, BuildValueSet(points)},
      {"BuildRecordedSet",
       "The edited, annotated and bad events of many points: `verify` holds them against the "
       "table.",
       "/streamsets/recorded", kSwagger, BuildRecordedSet(points, begin, end, 1000, kFlaggedOnly)},
      {"BuildRecordedBatch", "The same, each within a window of its own.", "/batch", kSwagger,
       BuildRecordedBatch(kBase, std::vector<RecordedRead>{flagged, flagged}),
       "/streams/{webId}/recorded"},
      {"BuildRegister",
       "That the web server is to note what is new of many points, in its own memory: for "
       "`stream`.",
       "/streamsets/updates", kSwagger, BuildRegister(points)},
      {"BuildUpdates", "What it noted since it was asked last.", "/streamsets/updates", kSwagger,
       BuildUpdates(markers)},
      {"BuildChannel", "The same, pushed through a WebSocket as it happens.", "/streamsets/channel",
       kSwagger, BuildChannel(points, 2)},
      {"BuildCount", "How many events a window holds.", "/streams/{webId}/summary", kSwagger,
       BuildCount(count)},
      {"BuildCountBatch", "How many events windows of many points hold.", "/batch", kSwagger,
       BuildCountBatch(kBase, std::vector<CountRead>{count, count}), "/streams/{webId}/summary"},
      {"BuildDataServers", "The data servers that we may see, and their clocks.", "/dataservers",
       kSwagger, BuildDataServers()},
      {"BuildPoints", "The points of a data server that match a mask.",
       "/dataservers/{webId}/points", kSwagger,
       BuildPoints({.server_web_id = kServer, .name_filter = "U1.*"})},
      {"BuildPointByPath", "A point by its name.", "/points", kSwagger,
       BuildPointByPath(R"(\\PISRV\U1.FIC101)")},
      {"BuildPointsMultiple", "Points by WebID, and which WebIDs are none.", "/points/multiple",
       kSwagger, BuildPointsMultiple(points)},
      {"BuildEnumerationSets", "The digital state sets of a data server.",
       "/dataservers/{webId}/enumerationsets", kSwagger, BuildEnumerationSets(kServer)},
      {"BuildEnumerationBatch", "The states of digital state sets.", "/batch", kSwagger,
       BuildEnumerationBatch(kBase, sets), "/enumerationsets/{webId}/enumerationvalues"},
      {"BuildSystem", "The version of PI Web API.", "/system", kSwagger, BuildSystem()},
      {"BuildSystemStatus", "The clock of the web host.", "/system/status", kSwagger,
       BuildSystemStatus()},
      {"BuildUserInfo", "Who we are to the server.", "/system/userinfo", kSwagger, BuildUserInfo()},
      {"BuildConfiguration", "The server's limit of items a call, where we may read it.",
       "/system/configuration/{key}", kSwagger, BuildConfiguration("MaxReturnedItemsPerCall")},
  };
}

}  // namespace pilake::pi
