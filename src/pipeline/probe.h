// SPDX-License-Identifier: Apache-2.0
// Probe: which series changed at all, and what their newest events are, many series a call.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "pipeline/source.h"
#include "plan/coverage.h"
#include "plan/finality.h"

namespace pilake::pipeline {

/// What a probe found of one series.
struct Probed {
  std::optional<plan::Snapshot> snapshot;  ///< its current value
  plan::Newest newest;
  float density = 0;  ///< events per second, among the newest
  std::optional<Error> failure;
};

/// Events per second of a series whose newest `gaps` + 1 events span so long; nothing if they are
/// too few to tell.
std::optional<float> DensityOf(size_t gaps, Duration span);

/// Asks the current value of all `which` (indices into `series`); fills `snapshot` and `failure`.
Status ProbeSnapshots(Source& source, const std::vector<Series>& series,
                      const std::vector<uint32_t>& which, std::vector<Probed>& probed);

/// Asks the current value of all `which` and shows each that there is to `take`: one event. Series
/// that cannot be read are left out. The calls go by the live lane.
Status AskValues(Source& source, const std::vector<Series>& series,
                 const std::vector<uint32_t>& which,
                 const std::function<void(uint32_t series, const Events& event)>& take);

/// Registers all `which` for Stream Updates and shows the marker of each that is to `take` (wire
/// §9). Series that cannot be registered are left out. The calls go by the live lane.
Status Register(Source& source, const std::vector<Series>& series,
                const std::vector<uint32_t>& which,
                const std::function<void(uint32_t series, const std::string& marker)>& take);

/// Asks the newest events of all `which` up to `until`; fills `newest`, `density` and `failure`.
Status ProbeNewest(Source& source, const std::vector<Series>& series,
                   const std::vector<uint32_t>& which, UtcTime until, std::vector<Probed>& probed);

}  // namespace pilake::pipeline
