// SPDX-License-Identifier: Apache-2.0
// Events as the wire shows them (wire §5.4, §6), as fast as they can be written.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/archive.h"
#include "sim/json.h"
#include "sim/reading.h"
#include "sim/selected_fields.h"

namespace pilake::sim {

/// Writes instants of neighbouring events: what lies above the second is kept from one to the next.
class TimestampWriter {
 public:
  explicit TimestampWriter(bool trims) : trims_(trims) {}
  /// Writes up to 28 characters to `out`; returns the end.
  char* Write(UtcTime time, char* out);

 private:
  bool trims_;
  int64_t second_ = INT64_MIN;
  std::array<char, 20> text_{};  ///< `yyyy-MM-ddTHH:mm:ss`
};

/// `{"Errors":["…"]}`: an error in place of a value.
std::string ErrorValueJson(std::string_view message);
/// `[{"FieldName":"Value","Message":["…"]}]`: the `Errors` member beside a value.
std::string ErrorMemberJson(std::string_view message);

/// Appends the value of `event` alone.
void AppendValue(const Event& event, const Readings& readings, std::string& out);

/// Writes the events of one stream as timed values. Which members are rendered is decided once.
class EventWriter {
 public:
  /// `fields` are those of one event. Both references have to outlive the writer.
  EventWriter(const SelectedFields& fields, const Readings& readings, std::string_view units,
              bool annotations = false);

  /// Appends one timed value.
  void Append(const Event& event, std::string& out);

 private:
  void PrepareTails(std::string_view units);
  void AppendFast(const Event& event, std::string& out);
  void AppendSlow(const Event& event, std::string& out);

  const SelectedFields& fields_;
  const Readings& readings_;
  std::string units_;
  TimestampWriter timestamps_;
  bool fast_;
  bool has_timestamp_, has_value_, has_errors_, has_annotations_;
  std::string before_value_;
  std::array<std::string, 32> tails_;  ///< by flags and by whether the value is a state
};

}  // namespace pilake::sim
