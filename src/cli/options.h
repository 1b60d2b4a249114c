// SPDX-License-Identifier: Apache-2.0
// From the configuration to the options of the rooms.
#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "core/clock.h"
#include "core/result.h"
#include "pipeline/pull.h"

namespace pilake::cli {

pipeline::PullOptions PullOptionsFrom(const config::Config& config);

/// The clock that `--test-clock FILE` shares with a simulator, or the system's if `file` is empty.
Result<std::shared_ptr<const Clock>> OpenClock(const std::string& file);

}  // namespace pilake::cli
