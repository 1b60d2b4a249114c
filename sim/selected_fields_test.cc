// SPDX-License-Identifier: Apache-2.0
#include "sim/selected_fields.h"

#include <gtest/gtest.h>

#include "sim/json.h"

namespace pilake::sim {
namespace {

// {"Links":{"Next":…},"Items":[{"Name":…,"Value":{"A":1,"B":2}}]} as far as it is selected.
std::string Render(std::string_view selected, const Readings& readings = {}) {
  const SelectedFields fields(selected);
  std::string out;
  JsonWriter json(out, fields, readings);
  json.BeginObject();
  if (json.Key("Links")) {
    json.BeginObject();
    json.Member("Next", "n");
    json.EndObject();
  }
  if (json.Key("Items")) {
    json.BeginArray();
    for (const char* name : {"x", "y"}) {
      json.BeginObject();
      json.Member("Name", name);
      if (json.Key("Value")) {
        json.BeginObject();
        json.Member("A", 1);
        json.Member("B", 2);
        json.EndObject();
      }
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  return out;
}

TEST(SelectedFields, KeepsEverythingWhenNothingIsSelected) {
  EXPECT_EQ(
      Render(""),
      R"({"Links":{"Next":"n"},"Items":[{"Name":"x","Value":{"A":1,"B":2}},{"Name":"y","Value":{"A":1,"B":2}}]})");
}

TEST(SelectedFields, SeesThroughArrays) {
  EXPECT_EQ(Render("Items.Name;Items.Value.B"),
            R"({"Items":[{"Name":"x","Value":{"B":2}},{"Name":"y","Value":{"B":2}}]})");
}

TEST(SelectedFields, KeepsAllBeneathASelectedMember) {
  EXPECT_EQ(Render("Items.Value;Items.Value.A"),
            R"({"Items":[{"Value":{"A":1,"B":2}},{"Value":{"A":1,"B":2}}]})");
}

TEST(SelectedFields, ForgetsNamesThatNothingHas) {
  EXPECT_EQ(Render("Links.LinkTwo;Items.Name.First; ;Nothing"),
            R"({"Links":{},"Items":[{"Name":"x"},{"Name":"y"}]})");
}

TEST(SelectedFields, TakesAnyCase) {
  EXPECT_EQ(Render("links.next"), R"({"Links":{"Next":"n"}})");
}

TEST(JsonWriter, ShufflesMembersWithoutLosingOne) {
  Readings readings;
  readings.shuffled_members = true;
  const std::string fixed = Render(""), shuffled = Render("", readings);
  EXPECT_NE(shuffled, fixed);
  EXPECT_EQ(shuffled.size(), fixed.size());
  for (const char* part : {R"("Next":"n")", R"("Name":"x")", R"("A":1)", R"("B":2)"}) {
    EXPECT_NE(shuffled.find(part), std::string::npos) << part << " in " << shuffled;
  }
}

TEST(JsonWriter, AddsMembersThatNobodyKnows) {
  Readings readings;
  readings.extra_members = true;
  EXPECT_NE(Render("Items.Name", readings).find(R"("ServerPrivate":)"), std::string::npos);
}

std::string Quoted(std::string_view text, bool ascii = false) {
  std::string out;
  AppendQuoted(text, ascii, out);
  return out;
}

TEST(AppendQuoted, EscapesWhatJsonForbids) {
  EXPECT_EQ(Quoted("a\"b\\c/\n\r\t\b\f\x01"), R"("a\"b\\c/\n\r\t\b\f\u0001")");
  EXPECT_EQ(Quoted("line end"), R"("line\u2028end")");
  EXPECT_EQ(Quoted("Größe 🏭"), "\"Größe 🏭\"");
  EXPECT_EQ(Quoted("Größe 🏭", true), R"("Gr\u00f6\u00dfe \ud83c\udfed")");
}

std::string Number(double value) {
  char text[kNumberChars];
  return {text, WriteNumber(value, text)};
}

TEST(WriteNumber, WritesNumbersAsTheServerDoes) {
  EXPECT_EQ(Number(50), "50.0");
  EXPECT_EQ(Number(-0.1), "-0.1");
  EXPECT_EQ(Number(1e20), "1E+20");
  EXPECT_EQ(Number(1e-9), "1E-09");
  EXPECT_EQ(Number(1.7976931348623157e308), "1.7976931348623157E+308");
}

}  // namespace
}  // namespace pilake::sim
