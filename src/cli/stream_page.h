// SPDX-License-Identifier: Apache-2.0
// What a stream shows of itself, to Prometheus and to `status --watch`.
#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "core/time.h"
#include "ops/page.h"
#include "pipeline/progress.h"
#include "pipeline/stream_state.h"

namespace pilake::cli {

/// All of them outlive the page.
struct StreamFigures {
  const pipeline::StreamState& state;
  const pipeline::Progress& progress;
  const Clock& clock;
  Duration settle_every;
  UtcTime started;  ///< by the machine's clock
};

std::string StreamMetrics(const StreamFigures& figures);

/// Shows them at `address`; no page if that is empty.
Result<std::unique_ptr<ops::Page>> StartStreamPage(const std::string& address,
                                                   const StreamFigures& figures);

}  // namespace pilake::cli
