// SPDX-License-Identifier: Apache-2.0
// Any bytes as the answer to a batch of three reads.
#include "decoded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pilake::decode;
  if (size == 0) return 0;
  const Body body(std::string(reinterpret_cast<const char*>(data + 1), size - 1));
  const std::vector<pilake::PointType> types{TypeOf(data[0]), TypeOf(data[0] / 11),
                                             pilake::PointType::kDigital};
  Check(QuickRecordedBatch(body, types), GeneralRecordedBatch(body, types));
  return 0;
}
