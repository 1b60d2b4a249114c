// SPDX-License-Identifier: Apache-2.0
// Any body of a failure becomes one printable line of bounded length.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pi/error_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // libFuzzer hands over unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type : {"application/json", "text/html; charset=utf-8", ""}) {
    const std::string text = pilake::pi::ErrorText(body, type);
    if (text.size() > pilake::pi::kErrorTextMax + 8) std::abort();
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
    }
    (void)pilake::pi::IsPiError(body, type);
  }
  return 0;
}
