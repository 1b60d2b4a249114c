// SPDX-License-Identifier: Apache-2.0
// The Rust bridge in C++ terms: handles that free themselves, errors as `Result`.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "delta/arrow_abi.h"
#include "delta/bridge/pilake_bridge.h"

namespace pilake::delta::kernel {

struct Free {
  void operator()(PilakeTable* table) const { pilake_table_free(table); }
  void operator()(PilakeWriter* writer) const { pilake_writer_free(writer); }
};
using TableHandle = std::unique_ptr<PilakeTable, Free>;
using WriterHandle = std::unique_ptr<PilakeWriter, Free>;

/// Takes over what a bridge function returned.
Status Check(PilakeError* error);

/// Takes over bytes that a bridge function gave.
std::string Take(PilakeBytes bytes);

/// `text` as the bridge takes it; the caller keeps it alive.
PilakeText Text(std::string_view text);

inline std::string String(PilakeText text) {
  return {reinterpret_cast<const char*>(text.data), text.size};
}
std::vector<std::string> Strings(PilakeTexts texts);
std::map<std::string, std::string> Map(PilakePairs pairs);

/// Texts as the bridge takes them; the caller keeps the strings alive.
class Texts {
 public:
  explicit Texts(const std::vector<std::string>& texts);
  PilakeTexts get() const { return {texts_.data(), texts_.size()}; }

 private:
  std::vector<PilakeText> texts_;
};

/// The same for keys and values.
class Pairs {
 public:
  explicit Pairs(const std::map<std::string, std::string>& pairs);
  PilakePairs get() const { return {pairs_.data(), pairs_.size()}; }

 private:
  std::vector<PilakePair> pairs_;
};

}  // namespace pilake::delta::kernel
