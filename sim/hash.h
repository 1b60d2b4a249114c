// SPDX-License-Identifier: Apache-2.0
// Randomness without state: the simulator draws everything from what it is about.
#pragma once

#include <cstdint>

namespace pilake::sim {

/// Every bit of the result depends on every bit of `x` (splitmix64's finaliser).
constexpr uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

/// Draw number `n` of the sequence `seed`.
constexpr uint64_t Draw(uint64_t seed, uint64_t n) {
  return Mix(seed + (n + 1) * 0x9e3779b97f4a7c15ULL);
}

/// A number in [0, `below`) from 32 bits of a draw.
constexpr int64_t Below(uint64_t draw32, int64_t below) {
  return static_cast<int64_t>((draw32 & 0xffffffffU) * static_cast<uint64_t>(below) >> 32);
}

}  // namespace pilake::sim
