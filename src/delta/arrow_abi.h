// SPDX-License-Identifier: Apache-2.0
// The Arrow C Data Interface: columns as plain memory, the only way rows cross to Rust and back.
// Layout and rules are those of https://arrow.apache.org/docs/format/CDataInterface.html.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

extern "C" {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

}  // extern "C"

namespace pilake::delta {

inline constexpr int64_t kArrowNullable = 2;

/// A release callback for memory that somebody else keeps until the callee is done with it.
template <typename T>
void ReleaseNothing(T* released) {
  released->release = nullptr;
}

/// The metadata of a field with a comment; the caller keeps it alive.
inline std::string CommentMetadata(std::string_view comment) {
  std::string bytes;
  const auto append = [&bytes](std::string_view text) {
    const auto size = static_cast<int32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
  };
  constexpr int32_t kEntries = 1;
  bytes.append(reinterpret_cast<const char*>(&kEntries), sizeof kEntries);
  append("comment");
  append(comment);
  return bytes;
}

/// An array or schema that the other side made and we release.
template <typename T>
struct Imported : T {
  Imported() : T{} {}
  explicit Imported(T& taken) : T(taken) { taken.release = nullptr; }
  ~Imported() {
    if (this->release != nullptr) this->release(this);
  }
  Imported(const Imported&) = delete;
  Imported& operator=(const Imported&) = delete;
};

/// Column `index` of a struct array; keeps pointing into it. The caller knows its type.
class ColumnView {
 public:
  ColumnView(const ArrowArray& batch, int64_t index)
      : array_(*batch.children[index]), offset_(batch.offset + array_.offset) {}

  bool valid(int64_t row) const { return array_.buffers[0] == nullptr || Bit(0, row); }
  bool bit(int64_t row) const { return Bit(1, row); }

  template <typename T>
  T value(int64_t row) const {
    return static_cast<const T*>(array_.buffers[1])[offset_ + row];
  }

  std::string_view text(int64_t row) const {
    const int32_t* ends = static_cast<const int32_t*>(array_.buffers[1]) + offset_ + row;
    const char* bytes = static_cast<const char*>(array_.buffers[2]);
    return {bytes + ends[0], static_cast<size_t>(ends[1] - ends[0])};
  }

 private:
  bool Bit(int buffer, int64_t row) const {
    const int64_t place = offset_ + row;
    return (static_cast<const uint8_t*>(array_.buffers[buffer])[place / 8] >> place % 8 & 1) != 0;
  }

  const ArrowArray& array_;
  int64_t offset_;
};

}  // namespace pilake::delta
