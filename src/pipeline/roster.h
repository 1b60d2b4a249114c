// SPDX-License-Identifier: Apache-2.0
// The roster: whom to listen to, in bundles, each heard of by one channel or one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/live_tail.h"
#include "pipeline/resolve.h"

namespace pilake::pipeline {

/// Series that are heard of together.
struct Bundle {
  uint64_t id = 0;              ///< the same as long as it only loses series; never given twice
  bool is_hot = false;          ///< to be heard of first and soonest
  Way wished = Way::kAuto;      ///< by the tags
  Way way = Way::kSweep;        ///< the best that is tried; the worse ones stand in where it fails
  std::vector<uint32_t> which;  ///< in `Roster::series`, ascending
  size_t made_of = 0;           ///< so many it held at first
};

struct Roster {
  LiveTail::SeriesList series;
  std::vector<Bundle> bundles;
  uint64_t next_id = 1;
};

struct RosterLimits {
  size_t bundle_max = 170;   ///< series; what a URL holds of WebIDs or markers
  size_t channels_max = 64;  ///< bundles for which a channel is tried, unless tags ask for channels
};

/// Bundles of those of `series` that can be heard of: what a future point has is known in advance,
/// it is read with the archive. Bundles of `before` stay as they are but for series that are gone
/// or are now wished otherwise, so that channels stay open; those of which little is left are
/// dissolved. Channels go to the tags that ask for them, then to hot ones, then to the others.
Roster MakeRoster(const Roster& before, LiveTail::SeriesList series,
                  std::span<const TagSelection> tags, const RosterLimits& limits);

}  // namespace pilake::pipeline
