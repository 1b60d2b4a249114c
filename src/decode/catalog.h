// SPDX-License-Identifier: Apache-2.0
// The bodies that tell what there is: servers, points, digital sets, the service itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "core/time.h"

namespace pilake::decode {

/// All functions here: kTransient for a body cut short or with a WebException, kMalformed for
/// anything that is not the documented shape; a list item is never dropped silently.

struct DataServer {
  std::string web_id;
  std::string name;
  std::string id;  ///< GUID, lower case with hyphens; empty if not told
  std::string version;
  bool is_connected = false;
  std::optional<UtcTime> server_time;
};
Result<std::vector<DataServer>> DecodeDataServers(std::string body);

struct ListedPoint {
  Series series;              ///< `web_id` in IDOnly form if `told_web_id` shows it, else empty
  std::optional<int32_t> id;  ///< the Data Archive's point id
  std::string told_web_id;    ///< as the server wrote it
};
struct PointPage {
  std::vector<ListedPoint> points;  ///< one for each item of the page
  bool has_next = false;            ///< `Links.Next` was there
};
/// `dataservers/{id}/points`.
Result<PointPage> DecodePoints(std::string body);

/// `points?path=`.
Result<ListedPoint> DecodePoint(std::string body);

/// One entry of `points/multiple`: the point, or why the server will not show it.
struct AskedPoint {
  std::string identifier;  ///< as it was asked
  std::optional<ListedPoint> point;
  std::string exception;  ///< the server's words when there is no point
};
Result<std::vector<AskedPoint>> DecodePointsMultiple(std::string body);

struct System {
  std::string title;
  std::string version;
};
Result<System> DecodeSystem(std::string body);

struct SystemStatus {
  std::string state;
  std::optional<UtcTime> server_time;  ///< the web host's clock
};
Result<SystemStatus> DecodeSystemStatus(std::string body);

struct UserInfo {
  std::string name;
  std::string identity_type;
  bool is_authenticated = false;
};
/// An empty body (204) is nobody.
Result<UserInfo> DecodeUserInfo(std::string body);

struct EnumerationSet {
  std::string web_id;
  std::string name;
};
Result<std::vector<EnumerationSet>> DecodeEnumerationSets(std::string body);

struct EnumerationValue {
  std::string name;
  int64_t value = 0;
};
Result<std::vector<EnumerationValue>> DecodeEnumerationValues(std::string body);

/// The answer to a batch of such reads, by the keys of the parts: the states of a set, or why that
/// part has none.
using EnumerationParts = std::map<std::string, Result<std::vector<EnumerationValue>>, std::less<>>;
Result<EnumerationParts> DecodeEnumerationBatch(std::string body);

/// The number in a `summary` of type Count.
Result<int64_t> DecodeCount(std::string body);

/// The answer to a batch of such summaries, by part: the number, or why that part has none.
Result<std::vector<Result<int64_t>>> DecodeCountBatch(std::string body, size_t parts);

/// A whole number in a configuration item, as `MaxReturnedItemsPerCall`; bare or as
/// `{"Name":…,"Value":…}`.
Result<int64_t> DecodeConfigurationNumber(std::string body);

}  // namespace pilake::decode
