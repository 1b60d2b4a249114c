// SPDX-License-Identifier: Apache-2.0
// Any bytes are a configuration within its limits, or an error that names a line of the file.
#include "config/config.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

/// Every line of the message says where in the file it belongs.
bool NamesLines(const std::string& message) {
  return message.starts_with("plant.yaml:") && message.find(": ") != std::string::npos;
}

void CheckLimits(const pilake::config::Config& config) {
  Require(config.source.budget.in_flight >= 1 && config.source.budget.in_flight <= 64);
  Require(config.source.url.starts_with("http") && !config.source.url.ends_with('/'));
  Require(!config.tags.empty() && !config.table.path.empty());
  Require(config.history.from.ticks >= 0 && config.history.settle.ticks >= 0);
  Require(config.quarantine.exit == 0 || config.quarantine.exit == 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // libFuzzer hands over unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = pilake::config::Parse(text, "plant.yaml");
  if (config) {
    CheckLimits(*config);
  } else {
    Require(config.error().kind == pilake::ErrorKind::kInvalid);
    Require(NamesLines(config.error().message));
  }
  return 0;
}
