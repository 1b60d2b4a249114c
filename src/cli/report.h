// SPDX-License-Identifier: Apache-2.0
// The summary of a run, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "pipeline/forecast.h"
#include "pipeline/progress.h"
#include "pipeline/pull.h"

namespace pilake::cli {

/// A few lines; the series that were left out are named, the first ones of many.
std::string Describe(const pipeline::PullReport& report, const pipeline::Progress& progress);

/// What `forecast`, made before the run, said of it, beside what came.
std::string Beside(const pipeline::Forecast& forecast, const pipeline::PullReport& report,
                   const pipeline::Progress& progress);

/// A JSON array of `{"tag", "reason"}`.
std::string ToJson(const std::vector<pipeline::LeftOut>& series);

/// One JSON object, every series that was left out in it.
std::string ToJson(const pipeline::PullReport& report, const pipeline::Progress& progress);

}  // namespace pilake::cli
