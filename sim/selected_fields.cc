// SPDX-License-Identifier: Apache-2.0
// The parameter `selectedFields`: which members of an answer are rendered (wire §1.4).
#include "sim/selected_fields.h"

#include <algorithm>

#include "sim/text.h"

namespace pilake::sim {

SelectedFields::SelectedFields(std::string_view text) {
  for (const std::string_view path : Split(text, ';')) {
    if (!Trim(path).empty()) Add(Trim(path));
  }
}

void SelectedFields::Add(std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  auto child =
      std::ranges::find_if(children_, [&](const auto& c) { return SameText(c->name, name); });
  const bool known = child != children_.end();
  if (known && (*child)->fields.everything()) return;  // all beneath is selected already
  if (!known)
    child =
        children_.insert(children_.end(), std::make_shared<Child>(Child{std::string(name), {}}));
  if (dot == std::string_view::npos) {
    (*child)->fields.children_.clear();
  } else {
    (*child)->fields.Add(path.substr(dot + 1));
  }
}

const SelectedFields* SelectedFields::Find(std::string_view name) const {
  if (everything()) return this;
  for (const auto& child : children_) {
    if (SameText(child->name, name)) return &child->fields;
  }
  return nullptr;
}

}  // namespace pilake::sim
