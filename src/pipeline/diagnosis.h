// SPDX-License-Identifier: Apache-2.0
// The table of what `check` can find wrong: names for its findings, with cause and cure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pilake::pipeline {

struct Diagnosis {
  std::string_view name;  ///< `kerberos-clock`; scripts may rely on it
  std::string_view of;    ///< `sign-on`, `grants`, `clock`, …: a section of docs/check.md
  std::string_view says;  ///< a part of the sentence by which it is told, word for word
  std::string_view cause;
  std::string_view cure;
};

/// What is more particular stands before what is less.
std::span<const Diagnosis> Diagnoses();

/// The one that a sentence tells; null if it has no name.
const Diagnosis* DiagnosisOf(std::string_view sentence);

/// docs/check.md.
std::string CheckPage();

}  // namespace pilake::pipeline
