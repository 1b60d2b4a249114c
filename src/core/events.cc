// SPDX-License-Identifier: Apache-2.0
#include "core/events.h"

#include <cassert>

namespace pilake {

std::string_view Name(ValueKind kind) {
  switch (kind) {
    case ValueKind::kFloat:
      return "float";
    case ValueKind::kInt:
      return "int";
    case ValueKind::kString:
      return "string";
    case ValueKind::kDigital:
      return "digital";
    case ValueKind::kSystem:
      return "system";
    case ValueKind::kTimestamp:
      return "timestamp";
    case ValueKind::kBlob:
      return "blob";
    case ValueKind::kArray:
      return "array";
    case ValueKind::kNull:
      return "null";
    case ValueKind::kError:
      return "error";
  }
  return "error";
}

size_t Events::bytes() const {
  return ticks.capacity() * sizeof(int64_t) + number.capacity() * sizeof(int64_t) +
         text_end.capacity() * sizeof(uint32_t) + kind.capacity() + flags.capacity() +
         text.capacity();
}

void Events::Append(UtcTime time, ValueKind value_kind, int64_t value, std::string_view value_text,
                    Flags value_flags) {
  ticks.push_back(time.ticks);
  number.push_back(value);
  kind.push_back(value_kind);
  flags.push_back(value_flags);
  text.append(value_text);
  text_end.push_back(static_cast<uint32_t>(text.size()));
}

void Events::Append(const Events& other, size_t begin, size_t end) {
  assert(begin <= end && end <= other.size());
  if (begin == end) return;
  const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
  ticks.insert(ticks.end(), other.ticks.begin() + from, other.ticks.begin() + to);
  number.insert(number.end(), other.number.begin() + from, other.number.begin() + to);
  kind.insert(kind.end(), other.kind.begin() + from, other.kind.begin() + to);
  flags.insert(flags.end(), other.flags.begin() + from, other.flags.begin() + to);
  const uint32_t text_begin = begin == 0 ? 0 : other.text_end[begin - 1];
  const auto shift = static_cast<uint32_t>(text.size()) - text_begin;
  text.append(other.text, text_begin, other.text_end[end - 1] - text_begin);
  for (size_t i = begin; i < end; ++i) text_end.push_back(other.text_end[i] + shift);
}

void Events::Reserve(size_t rows) {
  ticks.reserve(rows);
  number.reserve(rows);
  text_end.reserve(rows);
  kind.reserve(rows);
  flags.reserve(rows);
}

void Events::Clear() {
  ticks.clear();
  number.clear();
  text_end.clear();
  kind.clear();
  flags.clear();
  text.clear();
}

bool SameEvent(const Events& a, size_t i, const Events& b, size_t j) {
  return a.ticks[i] == b.ticks[j] && a.kind[i] == b.kind[j] && a.number[i] == b.number[j] &&
         a.flags[i] == b.flags[j] && a.text_at(i) == b.text_at(j);
}

uint64_t Fingerprint(const Events& events, size_t i) {
  // FNV-1a over 64-bit words, then one round of mixing: stable across machines and releases, since
  // it is kept in the coverage record.
  uint64_t hash = 0xcbf29ce484222325ull;
  const auto add = [&hash](uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3ull;
    hash ^= hash >> 29;
  };
  add(static_cast<uint64_t>(events.kind[i]));
  add(static_cast<uint64_t>(events.number[i]));
  for (const char c : events.text_at(i)) add(static_cast<unsigned char>(c));
  return hash;
}

}  // namespace pilake
