// SPDX-License-Identifier: Apache-2.0
// Any bytes as the answer to each question about what there is, and as the body of a failure.
#include "decode/catalog.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "pi/error_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pilake::decode;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto page = DecodePoints(text)) {
    for (const ListedPoint& point : page->points) {
      if (point.told_web_id.empty() || point.series.name.empty()) std::abort();
    }
  }
  if (const auto counts = DecodeCountBatch(text, 3); counts && counts->size() != 3) std::abort();
  if (const auto count = DecodeCount(text); count && *count < 0) std::abort();
  (void)DecodeDataServers(text);
  (void)DecodePoint(text);
  (void)DecodePointsMultiple(text);
  (void)DecodeSystem(text);
  (void)DecodeSystemStatus(text);
  (void)DecodeUserInfo(text);
  (void)DecodeEnumerationSets(text);
  (void)DecodeEnumerationValues(text);
  (void)DecodeEnumerationBatch(text);
  (void)DecodeConfigurationNumber(text);
  for (const char* type : {"application/json", "text/html", ""}) {
    if (pilake::pi::ErrorText(text, type).size() > pilake::pi::kErrorTextMax) std::abort();
  }
  return 0;
}
