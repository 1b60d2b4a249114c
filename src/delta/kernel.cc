// SPDX-License-Identifier: Apache-2.0
// The Rust bridge in C++ terms: handles that free themselves, errors as `Result`.
#include "delta/kernel.h"

namespace pilake::delta::kernel {
namespace {

ErrorKind KindOf(PilakeKind kind) {
  switch (kind) {
    case PilakeKind_Auth:
      return ErrorKind::kAuth;
    case PilakeKind_NotFound:
      return ErrorKind::kNotFound;
    case PilakeKind_Malformed:
      return ErrorKind::kMalformed;
    case PilakeKind_Conflict:
      return ErrorKind::kConflict;
    case PilakeKind_CommitUnknown:
      return ErrorKind::kCommitUnknown;
    case PilakeKind_Invalid:
      return ErrorKind::kInvalid;
    case PilakeKind_Unreachable:
      return ErrorKind::kUnreachable;
    default:
      return ErrorKind::kInternal;
  }
}

}  // namespace

Status Check(PilakeError* error) {
  if (error == nullptr) return {};
  const PilakeText message{error->message.data, error->message.size};
  Error failure{KindOf(error->kind), String(message)};
  pilake_error_free(error);
  return tl::unexpected(std::move(failure));
}

std::string Take(PilakeBytes bytes) {
  std::string text = String({bytes.data, bytes.size});
  pilake_bytes_free(bytes);
  return text;
}

PilakeText Text(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<std::string> Strings(PilakeTexts texts) {
  std::vector<std::string> strings;
  strings.reserve(texts.size);
  for (size_t i = 0; i < texts.size; ++i) strings.push_back(String(texts.data[i]));
  return strings;
}

std::map<std::string, std::string> Map(PilakePairs pairs) {
  std::map<std::string, std::string> map;
  for (size_t i = 0; i < pairs.size; ++i) {
    map.emplace(String(pairs.data[i].key), String(pairs.data[i].value));
  }
  return map;
}

Texts::Texts(const std::vector<std::string>& texts) {
  texts_.reserve(texts.size());
  for (const std::string& text : texts) texts_.push_back(Text(text));
}

Pairs::Pairs(const std::map<std::string, std::string>& pairs) {
  pairs_.reserve(pairs.size());
  for (const auto& [key, value] : pairs) pairs_.push_back({Text(key), Text(value)});
}

}  // namespace pilake::delta::kernel
