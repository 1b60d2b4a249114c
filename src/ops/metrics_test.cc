// SPDX-License-Identifier: Apache-2.0
#include "ops/metrics.h"

#include <gtest/gtest.h>

namespace pilake::ops {
namespace {

TEST(MetricsText, WritesFamiliesWithTheirSamples) {
  MetricsText text;
  text.Counter("pilake_rows_total", "Rows, ever", 12)
      .Family("pilake_series", MetricsText::Type::kGauge, "Series by way")
      .Sample(3, "way", "channel")
      .Sample(0.5, "way", "sweep");
  EXPECT_EQ(text.text(),
            "# HELP pilake_rows_total Rows, ever\n# TYPE pilake_rows_total counter\n"
            "pilake_rows_total 12\n"
            "# HELP pilake_series Series by way\n# TYPE pilake_series gauge\n"
            "pilake_series{way=\"channel\"} 3\npilake_series{way=\"sweep\"} 0.5\n");
}

TEST(MetricsText, EscapesWhatWouldBreakALine) {
  MetricsText text;
  text.Family("a", MetricsText::Type::kGauge, "one\ntwo \\ \"three\"").Sample(1, "b", "x\"\\\n");
  EXPECT_EQ(text.text(),
            "# HELP a one\\ntwo \\\\ \"three\"\n# TYPE a gauge\na{b=\"x\\\"\\\\\\n\"} 1\n");
}

}  // namespace
}  // namespace pilake::ops
