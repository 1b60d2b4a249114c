// SPDX-License-Identifier: Apache-2.0
// The parameter `selectedFields`: which members of an answer are rendered (wire §1.4).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pilake::sim {

/// A tree of member names. Arrays are transparent; selecting a member selects all beneath it; names
/// that no answer has do nothing.
class SelectedFields {
 public:
  /// Everything.
  SelectedFields() = default;
  /// `Items.Timestamp;Items.Value;Links.Next`. Empty text selects everything.
  explicit SelectedFields(std::string_view text);

  bool everything() const { return children_.empty(); }
  /// What is selected beneath the member `name`; null if the member is not selected itself.
  const SelectedFields* Find(std::string_view name) const;

 private:
  struct Child;
  void Add(std::string_view path);
  std::vector<std::shared_ptr<Child>> children_;
};

struct SelectedFields::Child {
  std::string name;
  SelectedFields fields;
};

}  // namespace pilake::sim
