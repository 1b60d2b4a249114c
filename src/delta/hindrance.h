// SPDX-License-Identifier: Apache-2.0
// Something that others switched on in a table, and what it leaves pilake to do.
#pragma once

#include <string>

namespace pilake::delta {

struct Hindrance {
  /// Least first, so that they can be compared.
  enum class Effect {
    kNone,           ///< nothing changes for us
    kNoDataRemoves,  ///< rows are only added (no tail, repairs wait); files may still be merged
    kNoRemoves,      ///< no file may be removed, not even to merge it
    kStop,           ///< the table cannot be written
  };
  std::string feature;  ///< as the Delta protocol calls it
  Effect effect = Effect::kNone;
  std::string sentence;  ///< names the table, the feature and the ALTER TABLE that undoes it
};

}  // namespace pilake::delta
