// SPDX-License-Identifier: Apache-2.0
// Writes JSON as the server's serialiser does, rendering only the members that were asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/reading.h"
#include "sim/selected_fields.h"

namespace pilake::sim {

/// Appends `text` in quotes. With `ascii`, characters beyond ASCII become `\uXXXX`.
void AppendQuoted(std::string_view text, bool ascii, std::string& out);

/// Writes a finite number as PI's serialiser does and returns the end: the shortest digits that say
/// it, `1E+20` for very large and small ones, always with a point or exponent. Up to
/// `kNumberChars`.
inline constexpr size_t kNumberChars = 48;
char* WriteNumber(float value, char* out);
char* WriteNumber(double value, char* out);

/// One JSON document, member by member. `Key` says whether the member is selected; if not, its
/// value must not be written:
///
///     json.BeginObject();
///     if (json.Key("Name")) json.String(point.name);
///     json.EndObject();
class JsonWriter {
 public:
  /// Appends to `out`. All three have to outlive the writer.
  JsonWriter(std::string& out, const SelectedFields& fields, const Readings& readings)
      : out_(out), readings_(readings), next_(&fields) {}

  bool Key(std::string_view name);
  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  void String(std::string_view value);
  void Integer(int64_t value);
  void Number(double value);
  void Bool(bool value);
  void Null();
  /// A value that is JSON already.
  void Raw(std::string_view json);

  /// `"name":"value"` if it is selected; the same for the others.
  void Member(std::string_view name, std::string_view value) {
    if (Key(name)) String(value);
  }
  void Member(std::string_view name, const char* value) {
    if (Key(name)) String(value);
  }
  void Member(std::string_view name, const std::string& value) {
    if (Key(name)) String(value);
  }
  void Member(std::string_view name, bool value) {
    if (Key(name)) Bool(value);
  }
  void Member(std::string_view name, int32_t value) {
    if (Key(name)) Integer(value);
  }
  void Member(std::string_view name, int64_t value) {
    if (Key(name)) Integer(value);
  }
  void Member(std::string_view name, double value) {
    if (Key(name)) Number(value);
  }

  const Readings& readings() const { return readings_; }
  /// What is selected of the value that comes next.
  const SelectedFields& fields() const { return *next_; }

 private:
  struct Level {
    const SelectedFields* fields;
    bool array;
    bool empty = true;
    std::vector<size_t> members;  ///< where each begins; kept only when they are shuffled
  };
  void BeforeValue();
  void AppendExtraMember();
  void Shuffle(const Level& level);

  std::string& out_;
  const Readings& readings_;
  const SelectedFields* next_;
  std::vector<Level> levels_;
};

}  // namespace pilake::sim
