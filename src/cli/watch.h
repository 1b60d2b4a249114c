// SPDX-License-Identifier: Apache-2.0
// `pilake status --watch`: a running stream as a view that renews itself.
#pragma once

#include <stop_token>

#include "cli/exit_code.h"
#include "config/config.h"
#include "core/time.h"

namespace pilake::cli {

/// Draws on standard output until it is stopped; a line each time where that is no terminal.
Exit Watch(const config::Config& config, Duration every, const std::stop_token& stop);

}  // namespace pilake::cli
