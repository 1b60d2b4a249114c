// SPDX-License-Identifier: Apache-2.0
#include "ops/log.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>

namespace pilake::ops {
namespace {

TEST(LogLine, HoldsTheEventAndItsFields) {
  EXPECT_EQ(LogLine(UtcTime{15'000'000}, Level::kWarn, "retry",
                    {{"kind", "transient"}, {"wait_ms", 250}}),
            "time=1970-01-01T00:00:01.5Z level=warn event=retry kind=transient wait_ms=250\n");
}

TEST(LogLine, IsOneLineWhateverAValueHolds) {
  EXPECT_EQ(
      LogLine(UtcTime{}, Level::kInfo, "x", {{"tag", "a \"b\"\n=\\\x01"}, {"none", ""}}),
      "time=1970-01-01T00:00:00Z level=info event=x tag=\"a \\\"b\\\"\\n=\\\\\\x01\" none=\"\"\n");
}

TEST(Log, LeavesOutWhatIsLessUrgentThanItsThreshold) {
  std::vector<std::string> lines;
  Log log(Level::kWarn, SystemClock(), [&](std::string_view line) { lines.emplace_back(line); });
  log.Write(Level::kInfo, "start");
  log.Write(Level::kError, "stop");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], testing::HasSubstr("level=error event=stop\n"));
}

TEST(Log, HandsOverOneLineAtATime) {
  int lines = 0;
  Log log(Level::kInfo, SystemClock(), [&](std::string_view) { ++lines; });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 100; ++n) log.Write(Level::kInfo, "x");
      });
    }
  }
  EXPECT_EQ(lines, 400);
}

}  // namespace
}  // namespace pilake::ops
