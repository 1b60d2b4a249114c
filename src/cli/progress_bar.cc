// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/time.h"

namespace pilake::cli {
namespace {

constexpr Duration kTick = Duration::Millis(200);
constexpr size_t kWidth = 24;

std::string Bar(double done) {
  const auto filled = static_cast<size_t>(done * static_cast<double>(kWidth));
  std::string bar;
  for (size_t i = 0; i < kWidth; ++i) bar += i < filled ? "█" : "░";
  return bar;
}

/// What keeps the run from going faster, if anything does.
std::string DescribeBrake(const pipeline::Progress& progress) {
  if (const char* waiting = progress.waiting) return fmt::format("  · {}", waiting);
  if (const double requests = progress.requests_per_second_max; requests > 0) {
    return fmt::format("  · slowed down by the server to {:.0f} requests/s", requests);
  }
  constexpr double kNearlyAll = 0.9;
  if (progress.budget_used >= kNearlyAll) return "  · as fast as the budget allows";
  return {};
}

}  // namespace

std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<size_t>(at), ",");
  }
  return text;
}

std::string Counted(int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", Grouped(number), noun, number == 1 ? "" : "s");
}

std::string DescribeBytes(int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  size_t unit = 0;
  for (; size >= 1'000 && unit + 1 < kUnits.size(); ++unit) size /= 1'000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

ProgressBar::ProgressBar(const pipeline::Progress& progress) : progress_(progress) {
  if (::isatty(STDERR_FILENO) == 0) return;
  drawer_ = std::jthread([this](const std::stop_token& stop) {
    const UtcTime started = SteadyNow();
    int64_t rows = 0;
    double rate = 0;
    while (SystemClock().SleepFor(kTick, stop)) {
      const int64_t now = progress_.rows_read;
      const double seen = static_cast<double>(now - rows) / kTick.seconds();
      rate = rate == 0 ? seen : rate * 0.8 + seen * 0.2;
      rows = now;
      Draw((SteadyNow() - started).seconds(), rate);
    }
    std::fputs("\r\033[K", stderr);
  });
}

ProgressBar::~ProgressBar() = default;

void ProgressBar::Draw(double seconds, double rows_per_second) const {
  const int64_t rows = progress_.rows_read,
                expected = std::max<int64_t>(progress_.rows_expected, 1);
  std::string line;
  if (rows == 0) {
    line = fmt::format("{} … {:.0f} s", progress_.stage.load(), seconds);
  } else {
    const double done = std::min(0.99, static_cast<double>(rows) / static_cast<double>(expected));
    const double left =
        rows_per_second > 0
            ? static_cast<double>(std::max<int64_t>(0, expected - rows)) / rows_per_second
            : 0;
    line = fmt::format("{} {:3.0f} %  {} rows  {} rows/s  {} left", Bar(done), done * 100,
                       Grouped(rows), Grouped(static_cast<int64_t>(rows_per_second)),
                       DescribeDuration(Duration::Millis(static_cast<int64_t>(left * 1'000))));
  }
  fmt::print(stderr, "\r\033[K{}{}", line, DescribeBrake(progress_));
  std::fflush(stderr);
}

}  // namespace pilake::cli
