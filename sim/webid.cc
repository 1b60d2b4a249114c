// SPDX-License-Identifier: Apache-2.0
// WebIDs: the names of objects in URLs, written and read in all their forms (wire §3).
#include "sim/webid.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace pilake::sim {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kTypeLetters = "FIPLD";
constexpr std::array<std::string_view, 5> kTypeNames = {"Full", "IDOnly", "PathOnly", "LocalIDOnly",
                                                        "DefaultIDOnly"};
constexpr size_t kGuidChars = 22, kPointIdChars = 6;

void EncodeBase64(std::string_view bytes, std::string& out) {
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = buffer << 8 | static_cast<uint8_t>(c);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += kAlphabet[buffer >> bits & 63];
    }
  }
  if (bits > 0) out += kAlphabet[buffer << (6 - bits) & 63];
}

Result<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos)
      return Fail(ErrorKind::kMalformed, "'{}' is not base64url", c);
    buffer = buffer << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(buffer >> bits & 0xff);
    }
  }
  if (text.size() % 4 == 1 || (buffer & ((1U << bits) - 1)) != 0) {
    return Fail(ErrorKind::kMalformed, "base64url of {} characters", text.size());
  }
  return bytes;
}

std::string_view View(const Guid& guid) {
  return {reinterpret_cast<const char*>(guid.data()), guid.size()};
}

// Takes fixed fields from the front of a WebID.
class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}

  Result<std::string> Take(size_t chars) {
    if (rest_.size() < chars) return Fail(ErrorKind::kMalformed, "the WebID is too short");
    const std::string_view field = rest_.substr(0, chars);
    rest_.remove_prefix(chars);
    return DecodeBase64(field);
  }
  Status TakeGuid(Guid& guid) {
    ASSIGN_OR_RETURN(const std::string bytes, Take(kGuidChars));
    std::ranges::copy(bytes, reinterpret_cast<char*>(guid.data()));
    return {};
  }
  Status TakePointId(int32_t& id) {
    ASSIGN_OR_RETURN(const std::string bytes, Take(kPointIdChars));
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i)
      value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << i * 8;
    id = static_cast<int32_t>(value);
    return {};
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

struct Marker {
  std::string_view text;
  WebIdKind kind;
};
// `D`: owned by a Data Archive; sets of AF databases (`R`) live elsewhere.
constexpr Marker kMarkers[] = {{"DS", WebIdKind::kDataServer},
                               {"DP", WebIdKind::kPoint},
                               {"MSD", WebIdKind::kEnumerationSet},
                               {"MVD", WebIdKind::kEnumerationValue}};

bool HasServerField(WebIdType type) {
  return type == WebIdType::kFull || type == WebIdType::kIdOnly;
}

Status ReadIds(Fields& fields, WebId& id) {
  if (HasServerField(id.type)) {
    RETURN_IF_ERROR(fields.TakeGuid(id.server));
    id.has_server = true;
  }
  switch (id.kind) {
    case WebIdKind::kPoint:
      return fields.TakePointId(id.point_id);
    case WebIdKind::kEnumerationValue:
      RETURN_IF_ERROR(fields.TakeGuid(id.owner));
      return fields.TakeGuid(id.object);
    case WebIdKind::kEnumerationSet:
      return fields.TakeGuid(id.object);
    case WebIdKind::kDataServer:
    case WebIdKind::kOther:
      return {};
  }
  return {};
}

void AppendCodePoint(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

// Simple case mapping below U+0530.
uint32_t UpperCodePoint(uint32_t c) {
  if (c >= 'a' && c <= 'z') return c - 32;
  if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 32;
  if (c == 0xff) return 0x178;
  if ((c >= 0x100 && c <= 0x137 && c != 0x131) || (c >= 0x14a && c <= 0x177)) return c & ~1U;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return (c & 1) != 0 ? c : c - 1;
  if (c >= 0x3b1 && c <= 0x3cb && c != 0x3c2) return c - 32;
  if (c >= 0x430 && c <= 0x44f) return c - 32;
  if (c >= 0x450 && c <= 0x45f) return c - 80;
  return c;
}

}  // namespace

Result<WebIdType> ParseWebIdType(std::string_view text) {
  const auto same = [&](std::string_view name) {
    return std::ranges::equal(name, text, [](unsigned char a, unsigned char b) {
      return std::tolower(a) == std::tolower(b);
    });
  };
  const auto* found = std::ranges::find_if(kTypeNames, same);
  if (found == kTypeNames.end()) {
    return Fail(
        ErrorKind::kInvalid,
        "'{}' is no type of WebID; there are Full, IDOnly, PathOnly, LocalIDOnly and DefaultIDOnly",
        text);
  }
  return static_cast<WebIdType>(found - kTypeNames.begin());
}

std::string WriteWebId(const WebId& id) {
  std::string out;
  out += kTypeLetters[static_cast<size_t>(id.type)];
  out += '1';
  out += std::ranges::find(kMarkers, id.kind, &Marker::kind)->text;
  if (HasServerField(id.type)) EncodeBase64(View(id.server), out);
  if (id.type != WebIdType::kPathOnly) {
    if (id.kind == WebIdKind::kPoint) {
      std::array<char, 4> bytes{};
      for (size_t i = 0; i < 4; ++i)
        bytes[i] = static_cast<char>(static_cast<uint32_t>(id.point_id) >> i * 8);
      EncodeBase64({bytes.data(), bytes.size()}, out);
    }
    if (id.kind == WebIdKind::kEnumerationValue) EncodeBase64(View(id.owner), out);
    if (id.kind == WebIdKind::kEnumerationSet || id.kind == WebIdKind::kEnumerationValue)
      EncodeBase64(View(id.object), out);
  }
  if (id.type == WebIdType::kFull || id.type == WebIdType::kPathOnly) {
    EncodeBase64(UpperInvariant(id.path), out);
  }
  return out;
}

Result<WebId> ReadWebId(std::string_view text) {
  const size_t type = text.empty() ? std::string_view::npos : kTypeLetters.find(text[0]);
  if (text.size() < 4 || type == std::string_view::npos || text[1] != '1') {
    return Fail(ErrorKind::kMalformed, "'{}' does not begin like a WebID 2.0", text.substr(0, 40));
  }
  WebId id;
  id.type = static_cast<WebIdType>(type);
  const std::string_view after = text.substr(2);
  const auto* marker =
      std::ranges::find_if(kMarkers, [&](const Marker& m) { return after.starts_with(m.text); });
  if (marker == std::end(kMarkers)) return id;  // of a kind that this server does not have
  id.kind = marker->kind;
  Fields fields(after.substr(marker->text.size()));
  if (id.type != WebIdType::kPathOnly) RETURN_IF_ERROR(ReadIds(fields, id));
  if (id.type == WebIdType::kFull || id.type == WebIdType::kPathOnly) {
    ASSIGN_OR_RETURN(id.path, DecodeBase64(fields.rest()));
    if (id.path.empty()) return Fail(ErrorKind::kMalformed, "the WebID has no path");
  } else if (!fields.rest().empty()) {
    return Fail(ErrorKind::kMalformed, "the WebID is too long");
  }
  return id;
}

namespace {
// The bytes of a GUID in the order in which its text shows them.
constexpr std::array<size_t, 16> kGuidTextOrder = {3, 2, 1,  0,  5,  4,  7,  6,
                                                   8, 9, 10, 11, 12, 13, 14, 15};
}  // namespace

std::string FormatGuid(const Guid& guid) {
  std::string text;
  for (size_t i = 0; i < guid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    fmt::format_to(std::back_inserter(text), "{:02x}", guid[kGuidTextOrder[i]]);
  }
  return text;
}

Result<Guid> ParseGuid(std::string_view text) {
  Guid guid{};
  size_t digits = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const size_t digit = std::string_view("0123456789abcdef")
                             .find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (digit == std::string_view::npos || digits == 32)
      return Fail(ErrorKind::kMalformed, "'{}' is no GUID", text);
    uint8_t& byte = guid[kGuidTextOrder[digits / 2]];
    byte = static_cast<uint8_t>(size_t{byte} << 4 | digit);
    ++digits;
  }
  if (digits != 32) return Fail(ErrorKind::kMalformed, "'{}' is no GUID", text);
  return guid;
}

std::string UpperInvariant(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x80) {
      AppendCodePoint(UpperCodePoint(c), out);
    } else if ((c & 0xe0) == 0xc0 && i + 1 < text.size()) {
      AppendCodePoint(
          UpperCodePoint((c & 0x1fU) << 6 | (static_cast<uint8_t>(text[i + 1]) & 0x3fU)), out);
      ++i;
    } else {
      out += text[i];  // beyond: letters without case, as far as plants use them
    }
  }
  return out;
}

}  // namespace pilake::sim
