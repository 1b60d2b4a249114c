// SPDX-License-Identifier: Apache-2.0
// Random names for files and commits.
#include "delta/uuid.h"

#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace pilake::delta {

std::string NewUuid() {
  std::random_device device;
  const auto word = [&device] { return uint64_t{device()} << 32 | device(); };
  const uint64_t high = (word() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (word() >> 2) | (uint64_t{2} << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
}

}  // namespace pilake::delta
