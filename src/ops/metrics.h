// SPDX-License-Identifier: Apache-2.0
// Metrics as text for Prometheus. There is nothing to collect but numbers that stand elsewhere, so
// there is no library and no registry: a page is written from them when somebody asks.
#pragma once

#include <string>
#include <string_view>

namespace pilake::ops {

/// Collects metrics in the order of the calls; each name is one family, its samples together.
class MetricsText {
 public:
  enum class Type { kCounter, kGauge };

  /// Begins a family: `pilake_rows_live_total`, and what it counts, in words.
  MetricsText& Family(std::string_view name, Type type, std::string_view help);
  /// A sample of it; `label` and its value may be empty.
  MetricsText& Sample(double value, std::string_view label = "", std::string_view label_value = "");

  /// A family of one sample.
  MetricsText& Counter(std::string_view name, std::string_view help, double value) {
    return Family(name, Type::kCounter, help).Sample(value);
  }
  MetricsText& Gauge(std::string_view name, std::string_view help, double value) {
    return Family(name, Type::kGauge, help).Sample(value);
  }

  const std::string& text() const { return text_; }

 private:
  std::string name_;
  std::string text_;
};

/// The content type of such a text.
inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace pilake::ops
