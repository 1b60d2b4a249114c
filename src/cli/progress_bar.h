// SPDX-License-Identifier: Apache-2.0
// Shows a run while it runs: a bar on a terminal, silence elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <thread>

#include "pipeline/progress.h"

namespace pilake::cli {

/// Draws on stderr, if that is a terminal, until it is destroyed; then clears its line.
class ProgressBar {
 public:
  explicit ProgressBar(const pipeline::Progress& progress);
  ~ProgressBar();

 private:
  void Draw(double seconds, double rows_per_second) const;

  const pipeline::Progress& progress_;
  std::jthread drawer_;
};

/// `12,345,678`
std::string Grouped(int64_t number);

/// `1 file`, `12,345 files`
std::string Counted(int64_t number, std::string_view noun);

/// `14.2 MB`
std::string DescribeBytes(int64_t bytes);

}  // namespace pilake::cli
