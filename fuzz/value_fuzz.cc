// SPDX-License-Identifier: Apache-2.0
// Any bytes as the value of a point of any type: as a number, and as the value of an event.
#include "decode/value.h"

#include "decoded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pilake;
  using namespace pilake::decode;
  if (size == 0) return 0;
  const PointType type = TypeOf(data[0]);
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  Value value;
  const char* end = ReadNumber(text.c_str(), type, value);
  if (end != nullptr) {
    const std::string_view number(text.c_str(), static_cast<size_t>(end - text.c_str()));
    if (!IsNumber(number)) std::abort();
  }
  // Twice, so that the second is read by the layout that the first left behind.
  const std::string event = R"({"Timestamp":"2024-05-01T10:00:00Z","Value":)" + text + "}";
  const Body body(R"({"Items":[)" + event + "," + event + "]}");
  Check(QuickRecorded(body, type), GeneralRecorded(body, type));
  return 0;
}
