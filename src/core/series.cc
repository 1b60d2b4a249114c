// SPDX-License-Identifier: Apache-2.0
#include "core/series.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pilake {
namespace {

constexpr std::array<std::pair<std::string_view, PointType>, 10> kTypes{{
    {"Float16", PointType::kFloat16},
    {"Float32", PointType::kFloat32},
    {"Float64", PointType::kFloat64},
    {"Int16", PointType::kInt16},
    {"Int32", PointType::kInt32},
    {"Int64", PointType::kInt64},
    {"Digital", PointType::kDigital},
    {"String", PointType::kString},
    {"Timestamp", PointType::kTimestamp},
    {"Blob", PointType::kBlob},
}};

/// Little-endian bytes of `id` in base64url without padding: always six characters.
std::string EncodePointId(int32_t id) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const auto bits = static_cast<uint32_t>(id);
  const std::array<uint32_t, 6> bytes{bits & 255, bits >> 8 & 255, bits >> 16 & 255, bits >> 24, 0,
                                      0};
  std::string text;
  for (size_t i = 0; i < 6; i += 3) {
    const uint32_t group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) text += kAlphabet[group >> shift & 63];
  }
  return text.substr(0, 6);
}

}  // namespace

PointType ParsePointType(std::string_view text) {
  for (const auto& [name, type] : kTypes) {
    if (name == text) return type;
  }
  return PointType::kUnknown;
}

std::string_view Name(PointType type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  return "Unknown";
}

std::optional<uint32_t> FindSeries(std::span<const Series> series, std::string_view web_id) {
  const auto found = std::ranges::lower_bound(
      series, web_id, {}, [](const Series& one) { return std::string_view(one.web_id); });
  if (found == series.end() || found->web_id != web_id) return std::nullopt;
  return static_cast<uint32_t>(found - series.begin());
}

std::string_view ServerOf(const Series& series) {
  constexpr size_t kBackslashes = 2;
  return std::string_view(series.path).substr(0, series.path.find('\\', kBackslashes));
}

Result<std::string> PointWebId(std::string_view server_web_id, int32_t point_id) {
  constexpr size_t kGuidAt = 4, kGuidLength = 22;
  const bool carries_guid = server_web_id.size() >= kGuidAt + kGuidLength &&
                            (server_web_id[0] == 'F' || server_web_id[0] == 'I') &&
                            server_web_id[1] == '1' && server_web_id.substr(2, 2) == "DS";
  if (!carries_guid) {
    return Fail(ErrorKind::kMalformed, "'{}' is not the Full or IDOnly WebID of a data server",
                server_web_id.substr(0, 80));
  }
  return "I1DP" + std::string(server_web_id.substr(kGuidAt, kGuidLength)) + EncodePointId(point_id);
}

}  // namespace pilake
