// SPDX-License-Identifier: Apache-2.0
// Any bytes as the body of streams/{id}/recorded.
#include "decoded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pilake::decode;
  if (size == 0) return 0;
  const Body body(std::string(reinterpret_cast<const char*>(data + 1), size - 1));
  Check(QuickRecorded(body, TypeOf(data[0])), GeneralRecorded(body, TypeOf(data[0])));
  return 0;
}
