// SPDX-License-Identifier: Apache-2.0
// Pipes: what this server hears of a point for those who signed up, and when it loses them.
#include "sim/pipe.h"

#include "sim/api.h"
#include "sim/recorded.h"

namespace pilake::sim {

Audible Listen(const World& world, const Plant& plant, const Signup& signup) {
  const Point* point = plant.PointById(signup.point_id);
  if (point == nullptr || !point->listed || signup.server != plant.server_guid())
    return {.error = "The specified object was not found."};
  switch (point->trouble) {
    case Trouble::kNone:
      break;
    case Trouble::kEmpty:
      return {.point = point, .is_mute = true, .error = {}};
    case Trouble::kSilent:
      return {.is_stuck = true, .error = {}};
    case Trouble::k403:
    case Trouble::k404:
    case Trouble::k410:
      return {.error = "The current user does not have the rights to read this."};
    case Trouble::k500:
    case Trouble::kItem:
    case Trouble::kWebException:
      return {.error = "[-10420] Access to the data of the point failed."};
  }
  if (point->type == PointType::kBlob && world.readings.blob == BlobAs::kNotImplemented)
    return {.error = "The value type is not supported."};
  return {.point = point, .error = {}};
}

bool IsLost(const World& world, const Signup& signup, UtcTime now) {
  const Stretch life = {signup.since, now};
  if (world.story.RestartsIn(life)) return true;
  return world.readings.failover_loses_pipes && world.story.FailsOverIn(life, signup.member);
}

bool Hear(const World& world, const Plant& plant, const Point& point, Member member,
          Stretch stretch, const ChangeSink& sink) {
  Change shown;
  const ChangeSink show = [&](const Change& change) {
    shown = change;
    ShowAsRead(point, world.readings, shown.event);
    return sink(shown);
  };
  for (const Stretch& data : world.story.DataStretches(stretch, member)) {
    if (!TellChanges(plant, point, data, world.readings.refreshes_swapped, show)) return false;
  }
  return true;
}

}  // namespace pilake::sim
