// SPDX-License-Identifier: Apache-2.0
// Any bytes as the body of streamsets/recorded and streamsets/value.
#include "decoded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pilake::decode;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::vector<Wanted> wanted{{"I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA", TypeOf(data[0])},
                                   {"I1DPRDMiEWZViHeZqrvM3e7_AAkxAAAA", TypeOf(data[0] / 11)},
                                   {"a", pilake::PointType::kString}};
  const Body body(text);
  Check(QuickRecordedSet(body, wanted), GeneralRecordedSet(body, wanted));
  if (const auto pages = DecodeValueSet(text, wanted)) {
    for (const SeriesPage& page : *pages) CheckEvents(page.events);
  }
  return 0;
}
