// SPDX-License-Identifier: Apache-2.0
// Any bytes as a message of a channel, and as the answers of Stream Updates.
#include "decode/news.h"

#include "decoded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pilake::decode;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::vector<Wanted> wanted{{"I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA", TypeOf(data[0])},
                                   {"a", pilake::PointType::kString}};
  const std::vector<std::string> markers{"0cbbec466f3a42288c8c47112f54b852_0", "m"};
  if (const auto news = DecodeChannelMessage(text, wanted)) {
    for (const SeriesNews& one : *news) {
      if (one.which >= wanted.size() || one.events.empty()) std::abort();
      CheckEvents(one.events);
    }
  }
  if (const auto pages = DecodeRegistrations(text, wanted)) {
    for (const SeriesPage& page : *pages) {
      if (!page.failure && page.marker.empty()) std::abort();
    }
  }
  if (const auto pages = DecodeUpdates(text, wanted, markers)) {
    if (pages->size() != markers.size()) std::abort();
    for (const SeriesPage& page : *pages) {
      CheckEvents(page.events);
      if (!page.failure && page.marker.empty()) std::abort();
      if (!page.failure && page.actions.size() != page.events.size()) std::abort();
    }
  }
  return 0;
}
