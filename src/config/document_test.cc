// SPDX-License-Identifier: Apache-2.0
#include "config/document.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "config/config.h"
#include "core/matchers.h"

namespace pilake::config {
namespace {

constexpr const char* kPage = PILAKE_SOURCE_DIR "/docs/configuration.md";

TEST(ConfigurationPage, IsWhatTheDocsHold) {
  if (std::getenv("PILAKE_WRITE_DOCS") != nullptr) std::ofstream(kPage) << ConfigurationPage();
  std::ifstream in(kPage);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(page, ConfigurationPage()) << "docs/configuration.md is stale; run `make docs`";
}

TEST(StarterText, ParsesAsItStands) {
  ASSERT_EQ(setenv("PI_PASSWORD", "secret", 1), 0);
  const auto config = Parse(StarterText(), "pilake.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->source.auth.username, R"(DOMAIN\user)");
  EXPECT_TRUE(config->source.budget_is_default);
}

}  // namespace
}  // namespace pilake::config
