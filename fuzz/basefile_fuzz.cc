// SPDX-License-Identifier: Apache-2.0
// Any bytes are a sealed file of rows that comes back as it was written, or an error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "delta/keyed_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // libFuzzer hands over unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto rows = pilake::delta::DecodeKeyedRows(bytes);
  if (!rows) {
    if (rows.error().message.empty()) std::abort();
    return 0;
  }
  for (const auto& column : rows->columns) {
    if (column.size() != rows->key.size()) std::abort();
  }
  const auto encoded = pilake::delta::EncodeKeyedRows(*rows);
  if (!encoded) std::abort();
  const auto again = pilake::delta::DecodeKeyedRows(*encoded);
  if (!again || *again != *rows) std::abort();
  return 0;
}
