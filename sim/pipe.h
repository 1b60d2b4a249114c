// SPDX-License-Identifier: Apache-2.0
// Pipes: what this server hears of a point for those who signed up, and when it loses them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/time.h"
#include "sim/changes.h"
#include "sim/plant.h"
#include "sim/story.h"

namespace pilake::sim {

struct World;

/// How the server serves those who wait for news.
struct PipeOptions {
  Duration poll = Duration::Seconds(2);   ///< how often channels look for news
  int64_t pending_max = 100'000;          ///< events that may wait for one who is registered
  Duration idle = Duration::Minutes(10);  ///< so long a registration lives without being asked
  size_t outgoing_bytes_max = 16 << 20;   ///< of a channel, not yet taken by its client
};

/// Someone wants to hear of a point, through one web host.
struct Signup {
  int32_t point_id = 0;
  Guid server{};  ///< the Data Archive as it was then
  Member member = Member::kFirst;
  UtcTime since;
};

/// The point, or why nothing can be heard of it.
struct Audible {
  const Point* point = nullptr;
  bool is_mute = false;   ///< no news, and nobody says why
  bool is_stuck = false;  ///< whoever asks is never answered
  std::string error;
};
/// As of the time of `plant`.
Audible Listen(const World& world, const Plant& plant, const Signup& signup);

/// Is the sign-up gone by `now`, with the memory of the web host or its way to the archive?
bool IsLost(const World& world, const Signup& signup, UtcTime now);

/// Tells `sink` what the sign-up hears of `point` in a stretch of the plant's time. While a member
/// of the collective that is behind answers, it hears what that one gets; what both had or had not
/// when they changed places, it hears twice or never. False if the sink had enough.
bool Hear(const World& world, const Plant& plant, const Point& point, Member member,
          Stretch stretch, const ChangeSink& sink);

}  // namespace pilake::sim
