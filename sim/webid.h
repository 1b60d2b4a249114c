// SPDX-License-Identifier: Apache-2.0
// WebIDs: the names of objects in URLs, written and read in all their forms (wire §3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "sim/plant.h"

namespace pilake::sim {

enum class WebIdType : uint8_t { kFull, kIdOnly, kPathOnly, kLocalIdOnly, kDefaultIdOnly };

/// `Full`, `IDOnly`, `PathOnly`, `LocalIDOnly`, `DefaultIDOnly`, whatever the case.
Result<WebIdType> ParseWebIdType(std::string_view text);

enum class WebIdKind : uint8_t { kDataServer, kPoint, kEnumerationSet, kEnumerationValue, kOther };

/// What a WebID says. Which members are set depends on its type.
struct WebId {
  WebIdType type = WebIdType::kFull;
  WebIdKind kind = WebIdKind::kOther;
  bool has_server = false;
  Guid server{};
  Guid owner{};   ///< the set of an enumeration value
  Guid object{};  ///< enumeration sets and values
  int32_t point_id = 0;
  std::string path;  ///< upper-cased, without the leading `\\`; Full and PathOnly
};

std::string WriteWebId(const WebId& id);
/// `kMalformed` if it is none.
Result<WebId> ReadWebId(std::string_view text);

/// `11223344-5566-7788-99aa-bbccddeeff00`, and back; .NET's byte order within.
std::string FormatGuid(const Guid& guid);
Result<Guid> ParseGuid(std::string_view text);

/// Upper-cased as .NET's invariant culture does it, character by character. Knows Latin, Greek and
/// Cyrillic letters, which is all that plants use.
std::string UpperInvariant(std::string_view text);

}  // namespace pilake::sim
