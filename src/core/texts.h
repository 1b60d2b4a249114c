// SPDX-License-Identifier: Apache-2.0
// Texts: many texts in one buffer, as Arrow has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pilake {

/// A column of texts of up to 2 GiB in all. What a vector of strings holds costs 32 bytes and a
/// piece of the heap each.
class Texts {
 public:
  Texts() = default;
  Texts(std::initializer_list<std::string_view> texts) {
    for (const std::string_view text : texts) push_back(text);
  }

  size_t size() const { return ends_.size() - 1; }
  bool empty() const { return size() == 0; }
  /// Valid until the next `push_back`.
  std::string_view operator[](size_t i) const {
    const auto begin = static_cast<size_t>(ends_[i]), end = static_cast<size_t>(ends_[i + 1]);
    return std::string_view(bytes_).substr(begin, end - begin);
  }
  void push_back(std::string_view text) {
    bytes_ += text;
    ends_.push_back(static_cast<int32_t>(bytes_.size()));
  }
  void pop_back() {
    ends_.pop_back();
    bytes_.resize(static_cast<size_t>(ends_.back()));
  }
  void reserve(size_t count) { ends_.reserve(count + 1); }

  /// All texts, one behind the other.
  const std::string& bytes() const { return bytes_; }
  /// 0, then where each text ends in `bytes`.
  const std::vector<int32_t>& ends() const { return ends_; }

  bool operator==(const Texts&) const = default;

 private:
  std::string bytes_;
  std::vector<int32_t> ends_{0};
};

}  // namespace pilake
