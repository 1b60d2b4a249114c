// SPDX-License-Identifier: Apache-2.0
#include "ops/metrics.h"

#include <fmt/format.h>

namespace pilake::ops {
namespace {

/// Within a help text quotes stand as they are.
std::string Escaped(std::string_view text, bool escapes_quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escapes_quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

MetricsText& MetricsText::Family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, Escaped(help, false), name,
                       type == Type::kCounter ? "counter" : "gauge");
  return *this;
}

MetricsText& MetricsText::Sample(double value, std::string_view label,
                                 std::string_view label_value) {
  text_ += name_;
  if (!label.empty()) text_ += fmt::format("{{{}=\"{}\"}}", label, Escaped(label_value, true));
  text_ += fmt::format(" {}\n", value);
  return *this;
}

}  // namespace pilake::ops
