// SPDX-License-Identifier: Apache-2.0
// That each of them is found where it should be is shown by tests/company.
#include "pipeline/diagnosis.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <gmock/gmock.h>

namespace pilake::pipeline {
namespace {

TEST(CheckPage, IsWhatTheDocsHold) {
  constexpr const char* kPage = PILAKE_SOURCE_DIR "/docs/check.md";
  if (std::getenv("PILAKE_WRITE_DOCS") != nullptr) std::ofstream(kPage) << CheckPage();
  std::ifstream in(kPage);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(page, CheckPage()) << "docs/check.md is stale; run `make docs`";
}

TEST(Diagnoses, HaveNamesAndSignsOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Diagnosis& one : Diagnoses()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_EQ(DiagnosisOf(one.says), &one) << one.name << " is taken for another";
  }
}

TEST(DiagnosisOf, FindsNoneInASentenceOfAnotherKind) {
  EXPECT_EQ(DiagnosisOf("all is well"), nullptr);
}

}  // namespace
}  // namespace pilake::pipeline
