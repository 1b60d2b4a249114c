// SPDX-License-Identifier: Apache-2.0
// Any text: the quick reader of times says what the general one says, and what it reads can be
// written and read again.
#include "decode/timestamp.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  thread_local pilake::decode::TimeReader reader;  // keeps its day from input to input, as in life
  const auto quick = reader.Read(text);
  const auto general = pilake::ParseUtcTime(text);
  if (quick.has_value() != general.has_value()) std::abort();
  if (!quick) return 0;
  if (*quick != *general) std::abort();
  const auto again = pilake::ParseUtcTime(pilake::FormatUtcTime(*quick));
  if (text.size() == sizeof("2024-01-01T00:00:00Z") - 1 && (!again || *again != *quick))
    std::abort();
  return 0;
}
