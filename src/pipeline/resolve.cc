// SPDX-License-Identifier: Apache-2.0
#include "pipeline/resolve.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pi/request.h"
#include "plan/dimensions.h"
#include "plan/name_mask.h"

namespace pilake::pipeline {
namespace {

// Points a page: few enough for the server to answer in a second or two, and ten calls list a
// plant.
constexpr int kPointsPerPage = 10'000;

bool IsExcluded(const Series& series, const TagSelection& tags) {
  return std::ranges::any_of(
      tags.exclude, [&](const std::string& mask) { return plan::MatchesMask(series.name, mask); });
}

/// The listed point with its identity in the IDOnly form, minted from the server's if need be.
Result<Series> Identified(decode::ListedPoint point, std::string_view server_web_id) {
  if (point.series.web_id.empty()) {
    if (!point.id) {
      return Fail(ErrorKind::kMalformed, "the source lists point '{}' without an id",
                  point.series.name);
    }
    ASSIGN_OR_RETURN(point.series.web_id, PointWebId(server_web_id, *point.id));
  }
  return std::move(point.series);
}

/// By WebID, each series once: what was told last counts.
std::vector<Series> Sorted(std::vector<Series> found) {
  std::ranges::stable_sort(found, {}, &Series::web_id);
  const auto kept = std::unique(found.rbegin(), found.rend(), [](const Series& a, const Series& b) {
    return a.web_id == b.web_id;
  });
  found.erase(found.begin(), kept.base());
  return found;
}

/// Lists the points of one mask, page by page, to an empty page: a short one proves nothing, and
/// points that appear or vanish meanwhile shift the pages, so that one may come twice (wire §1.3).
Status List(Source& source, const decode::DataServer& server, const std::string& mask,
            const TagSelection& tags, std::vector<Series>& found) {
  for (int start = 0;;) {
    const pi::PointsRead read{.server_web_id = server.web_id,
                              .name_filter = mask,
                              .start_index = start,
                              .max_count = kPointsPerPage};
    ASSIGN_OR_RETURN(decode::PointPage page,
                     source.Ask(pi::BuildPoints(read), decode::DecodePoints));
    if (page.points.empty()) return {};
    start += static_cast<int>(page.points.size());
    for (decode::ListedPoint& point : page.points) {
      ASSIGN_OR_RETURN(Series series, Identified(std::move(point), server.web_id));
      if (IsExcluded(series, tags)) continue;
      found.push_back(std::move(series));
    }
  }
}

Status FindByName(Source& source, const decode::DataServer& server, const std::string& name,
                  const TagSelection& tags, std::vector<Series>& found, bool& was_found) {
  auto point =
      source.Ask(pi::BuildPointByPath("\\\\" + server.name + "\\" + name), decode::DecodePoint);
  const bool is_denied = !point && (point.error().kind == ErrorKind::kNotFound ||
                                    point.error().kind == ErrorKind::kRefused);
  if (is_denied) return {};
  if (!point) return tl::unexpected(std::move(point).error());
  ASSIGN_OR_RETURN(Series series, Identified(std::move(*point), server.web_id));
  was_found = true;
  if (IsExcluded(series, tags)) return {};
  found.push_back(std::move(series));
  return {};
}

Status FindByWebId(Source& source, const std::vector<decode::DataServer>& servers,
                   const TagSelection& tags, Resolved& resolved, std::vector<Series>& found) {
  const std::vector<std::string_view> all(tags.web_ids.begin(), tags.web_ids.end());
  for (std::span<const std::string_view> rest(all); !rest.empty();) {
    const auto some = rest.first(std::min<size_t>(100, pi::WebIdsThatFit(source.url(), rest)));
    rest = rest.subspan(some.size());
    ASSIGN_OR_RETURN(auto asked,
                     source.Ask(pi::BuildPointsMultiple(some), decode::DecodePointsMultiple));
    for (decode::AskedPoint& entry : asked) {
      if (!entry.point) {
        resolved.unresolved.push_back({entry.identifier, entry.exception});
        continue;
      }
      const std::string& path = entry.point->series.path;
      const auto server = std::ranges::find_if(servers, [&](const decode::DataServer& s) {
        return path.starts_with("\\\\" + s.name + "\\");
      });
      ASSIGN_OR_RETURN(Series series, Identified(std::move(*entry.point),
                                                 server == servers.end() ? "" : server->web_id));
      if (IsExcluded(series, tags)) continue;
      found.push_back(std::move(series));
    }
  }
  return {};
}

Result<std::vector<decode::DataServer>> AskServers(Source& source) {
  return source.Ask(pi::BuildDataServers(), decode::DecodeDataServers);
}

/// The servers that a selection speaks of.
Result<std::vector<decode::DataServer>> ServersOf(const TagSelection& tags,
                                                  const std::vector<decode::DataServer>& servers) {
  if (tags.server.empty()) return servers;
  for (const decode::DataServer& server : servers) {
    if (plan::MatchesMask(server.name, tags.server)) return std::vector{server};
  }
  std::string names;
  for (const decode::DataServer& server : servers)
    names += (names.empty() ? "" : ", ") + server.name;
  return Fail(
      ErrorKind::kInvalid,
      "tags.server: the source does not show a data server '{}' to this identity (it shows: "
      "{}); correct the name, or have the PI administrator grant read access to it",
      tags.server, names.empty() ? "none" : names);
}

}  // namespace

Result<Resolved> Resolve(Source& source, const std::vector<TagSelection>& selections) {
  Resolved resolved;
  ASSIGN_OR_RETURN(resolved.servers, AskServers(source));
  const auto& servers = resolved.servers;
  std::vector<Series> found;
  for (const TagSelection& tags : selections) {
    ASSIGN_OR_RETURN(const auto own, ServersOf(tags, servers));
    for (const decode::DataServer& server : own) {
      for (const std::string& mask : tags.include) {
        RETURN_IF_ERROR(List(source, server, mask, tags, found));
      }
    }
    for (const std::string& name : tags.points) {
      bool was_found = false;
      for (const decode::DataServer& server : own) {
        RETURN_IF_ERROR(FindByName(source, server, name, tags, found, was_found));
      }
      if (!was_found) resolved.unresolved.push_back({name, "no such point, or not readable by us"});
    }
    RETURN_IF_ERROR(FindByWebId(source, servers, tags, resolved, found));
  }
  resolved.series = Sorted(std::move(found));
  resolved.series.shrink_to_fit();
  return resolved;
}

bool Selects(const TagSelection& tags, const Series& point) {
  const bool is_elsewhere =
      !tags.server.empty() && !plan::MatchesMask(plan::ServerOf(point.path), tags.server);
  if (is_elsewhere || IsExcluded(point, tags)) return false;
  // Whatever its form, a WebID has server and point behind its first character (wire §3).
  const auto is_it = [&](std::string_view web_id) {
    return web_id.size() >= point.web_id.size() &&
           web_id.substr(1, point.web_id.size() - 1) == std::string_view(point.web_id).substr(1);
  };
  return std::ranges::any_of(
             tags.include, [&](const auto& mask) { return plan::MatchesMask(point.name, mask); }) ||
         std::ranges::any_of(tags.points,
                             [&](const auto& name) { return plan::SameName(point.name, name); }) ||
         std::ranges::any_of(tags.web_ids, is_it);
}

Result<Clocks> AskClocks(Source& source) {
  ASSIGN_OR_RETURN(const auto status,
                   source.Ask(pi::BuildSystemStatus(), decode::DecodeSystemStatus));
  ASSIGN_OR_RETURN(const auto servers, AskServers(source));
  std::vector<std::pair<std::string, UtcTime>> told;
  if (status.server_time) told.emplace_back("web host", *status.server_time);
  for (const decode::DataServer& server : servers) {
    if (server.server_time) told.emplace_back(server.name, *server.server_time);
  }
  if (told.empty()) {
    return Fail(ErrorKind::kMalformed, "neither system/status nor dataservers tells a ServerTime");
  }
  const auto [first, last] =
      std::ranges::minmax_element(told, {}, [](const auto& t) { return t.second; });
  Clocks clocks{.now = first->second, .apart = last->second - first->second, .detail = {}};
  for (const auto& [name, time] : told) {
    clocks.detail +=
        fmt::format("{}{} {}", clocks.detail.empty() ? "" : ", ", name, FormatUtcTime(time));
  }
  return clocks;
}

}  // namespace pilake::pipeline
