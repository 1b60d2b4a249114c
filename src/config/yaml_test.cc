// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <gmock/gmock.h>

namespace pilake::config {
namespace {

using testing::HasSubstr;

TEST(ParseYaml, RemembersLinesAndDuplicates) {
  const auto root = ParseYaml("a: 1\nb:\n  - x\n  - {c: ~}\na: 2\n");
  ASSERT_TRUE(root.has_value());
  ASSERT_EQ(root->items.size(), 3U);
  EXPECT_EQ(root->items[0].text, "1");
  EXPECT_EQ(root->items[2].name, "a");
  EXPECT_EQ(root->items[2].line, 5);
  const YamlNode& list = root->items[1];
  EXPECT_EQ(list.items[0].text, "x");
  EXPECT_EQ(list.items[1].items[0].line, 4);
  EXPECT_EQ(list.items[1].items[0].kind, YamlNode::Kind::kNull);
}

TEST(ParseYaml, TakesEmptyTextForNothing) {
  const auto root = ParseYaml("\n# only a comment\n");
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->kind, YamlNode::Kind::kNull);
}

TEST(ParseYaml, RefusesWhatAConfigurationNeedsNot) {
  for (const char* text : {"a: &x 1\nb: *x", "? [a]\n: b", "a: 1\n---\nb: 2", "a: *unknown",
                           "a: [1", "a: 'b", "a: \"\\q\"", "a: %x", "a: @x"}) {
    EXPECT_FALSE(ParseYaml(text).has_value()) << text;
  }
}

TEST(ParseYaml, SaysOnWhichLine) {
  const auto root = ParseYaml("a: 1\nb: [2\nc: 3\n");
  ASSERT_FALSE(root.has_value());
  EXPECT_GE(root.error().line, 2);
  EXPECT_THAT(root.error().text, HasSubstr("not valid YAML"));
}

TEST(ParseYaml, SurvivesDeepNesting) {
  EXPECT_FALSE(ParseYaml(std::string(5'000, '[')).has_value());
  EXPECT_FALSE(ParseYaml(std::string(5'000, '{')).has_value());
}

}  // namespace
}  // namespace pilake::config
