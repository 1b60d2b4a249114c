// SPDX-License-Identifier: Apache-2.0
// A series: one PI point of one Data Archive, as every room speaks of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace pilake {

/// What a point's good values are (wire §4.2). It decides how a JSON number or string is read.
enum class PointType : uint8_t {
  kFloat16,
  kFloat32,
  kFloat64,
  kInt16,
  kInt32,
  kInt64,
  kDigital,
  kString,
  kTimestamp,
  kBlob,
  kUnknown,  ///< A type this version does not know; values are typed by what they look like.
};

/// `Float32`, `Digital`, … as PI writes them; anything else is `kUnknown`.
PointType ParsePointType(std::string_view text);
std::string_view Name(PointType type);

/// One point with what the table says about it. Identity is `web_id`.
struct Series {
  /// WebID in IDOnly form (server GUID + point id): 32 characters that survive a rename (wire §3).
  std::string web_id;
  std::string name;
  std::string path;   ///< `\\SERVER\TAG`
  std::string units;  ///< `EngineeringUnits`; may be empty
  std::string descriptor;
  std::string digital_set;  ///< name of the digital state set; empty for other types
  PointType type = PointType::kUnknown;
  std::string type_name;  ///< the type as PI wrote it
  double zero = 0;
  double span = 0;
  bool step = false;
  bool future = false;

  bool operator==(const Series&) const = default;
};

/// The place of `web_id` in `series`, which are in key order; nothing if it is not among them.
std::optional<uint32_t> FindSeries(std::span<const Series> series, std::string_view web_id);

/// The Data Archive of a series, as its path names it: `\\\\SERVER`.
std::string_view ServerOf(const Series& series);

/// The IDOnly WebID of point `point_id` on the server whose GUID stands in `server_web_id`, which
/// may be the Full or IDOnly WebID of a data server (wire §3). `kMalformed` for another kind of
/// WebID.
Result<std::string> PointWebId(std::string_view server_web_id, int32_t point_id);

}  // namespace pilake
