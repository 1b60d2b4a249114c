// SPDX-License-Identifier: Apache-2.0
// Stream Updates: who is registered for news, and how far each marker reaches (wire §9).
#include "sim/updates.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sim/api.h"
#include "sim/hash.h"

namespace pilake::sim {
namespace {

// Older markers of a registration that can still be read.
constexpr size_t kMarksKept = 16;
constexpr size_t kIdChars = 32;

bool ReadHex(std::string_view text, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool Updates::Parse(std::string_view text, Marker& marker) {
  if (text.size() < kIdChars + 2 || text[kIdChars] != '_') return false;
  const std::string_view sequence = text.substr(kIdChars + 1);
  const char* last = sequence.data() + sequence.size();
  const auto [end, error] = std::from_chars(sequence.data(), last, marker.sequence);
  return error == std::errc() && end == last && marker.sequence >= 0 &&
         ReadHex(text.substr(0, 16), marker.id.first) &&
         ReadHex(text.substr(16, 16), marker.id.second);
}

std::string Updates::Format(const Id& id, int64_t sequence) {
  return fmt::format("{:016x}{:016x}_{}", id.first, id.second, sequence);
}

bool Updates::IsGone(const Call& call, const Registration& registration) {
  return call.now - registration.asked > call.world.pipes.idle ||
         IsLost(call.world, registration.signup, call.now);
}

void Updates::Erase(const Id& id) {
  const auto found = registrations_.find(id);
  if (found == registrations_.end()) return;
  const Signup& signup = found->second.signup;
  const auto current = ids_.find({signup.point_id, signup.member});
  if (current != ids_.end() && current->second == id) ids_.erase(current);
  registrations_.erase(found);
}

void Updates::Forget(std::string_view text) {
  Marker marker;
  if (!Parse(text, marker)) return;
  const std::scoped_lock lock(mutex_);
  Erase(marker.id);
}

Updates::Registered Updates::Register(const Call& call, const Point& point) {
  std::string current;
  {
    const std::scoped_lock lock(mutex_);
    const auto known = ids_.find({point.id, call.member});
    if (known != ids_.end()) {
      const Registration& registration = registrations_.at(known->second);
      const auto newest = std::ranges::max(registration.marks, {}, &Mark::sequence);
      if (!IsGone(call, registration)) current = Format(known->second, newest.sequence);
    }
  }
  if (!current.empty()) {
    const Retrieved counted = Retrieve(call, current, [](const Change&) { return true; });
    if (counted.error.empty()) return {counted.latest, false};
  }
  const std::scoped_lock lock(mutex_);
  const auto known = ids_.find({point.id, call.member});
  if (known != ids_.end()) Erase(known->second);
  const Id id = {Draw(seed_, count_), Draw(~seed_, count_)};
  ++count_;
  const Signup signup = {point.id, call.plant->server_guid(), call.member, call.now};
  registrations_[id] = {signup, call.now, {{0, call.now}}};
  ids_[{point.id, call.member}] = id;
  return {Format(id, 0), true};
}

// False with what is to be answered if the marker cannot be used.
bool Updates::Find(const Call& call, const Marker& marker, Signup& signup, Mark& mark,
                   Retrieved& failed) {
  const std::scoped_lock lock(mutex_);
  const auto found = registrations_.find(marker.id);
  const bool is_known = found != registrations_.end() && !IsGone(call, found->second);
  if (!is_known) Erase(marker.id);
  // Each web host has its own memory: it knows nothing of what another one gave out.
  if (!is_known || found->second.signup.member != call.member) {
    failed.status = call.world.readings.lost_marker;
    failed.error = "Cache not found. The stream must be registered for updates again.";
    return false;
  }
  const auto& marks = found->second.marks;
  const auto kept = std::ranges::find(marks, marker.sequence, &Mark::sequence);
  if (kept == marks.end()) {
    failed.status = call.world.readings.stale_marker;
    failed.error = "The specified marker is invalid: updates were missed.";
    return false;
  }
  signup = found->second.signup;
  mark = *kept;
  return true;
}

// Nothing was told between a mark and a later time of the same sequence, so it moves on.
void Updates::Remember(const Id& id, const Mark& used, const Mark& latest, UtcTime now) {
  const std::scoped_lock lock(mutex_);
  const auto found = registrations_.find(id);
  if (found == registrations_.end()) return;
  Registration& registration = found->second;
  registration.asked = std::max(registration.asked, now);
  for (const Mark& mark : {used, latest}) {
    const auto kept = std::ranges::find(registration.marks, mark.sequence, &Mark::sequence);
    Mark moved = mark;
    if (kept != registration.marks.end()) {
      moved.time = std::max(moved.time, kept->time);
      registration.marks.erase(kept);
    }
    if (registration.marks.size() == kMarksKept)
      registration.marks.erase(registration.marks.begin());
    registration.marks.push_back(moved);
  }
}

Updates::Retrieved Updates::Retrieve(const Call& call, std::string_view text,
                                     const ChangeSink& sink) {
  Retrieved answer;
  Marker marker;
  if (!Parse(text, marker)) {
    answer.status = 409;
    answer.error = fmt::format("The specified marker '{}' is invalid.", text);
    return answer;
  }
  Signup signup;
  Mark mark;
  if (!Find(call, marker, signup, mark, answer)) return answer;
  Audible audible = Listen(call.world, *call.plant, signup);
  answer.is_stuck = audible.is_stuck;
  answer.error = std::move(audible.error);
  answer.point = audible.point;
  if (answer.is_stuck) return answer;
  Mark latest = {mark.sequence, call.now};
  const int64_t most = mark.sequence + call.world.pipes.pending_max;
  const auto count = [&](const Change& change) {
    return ++latest.sequence <= most && sink(change);
  };
  const bool can_hear = answer.point != nullptr && !audible.is_mute;
  if (can_hear &&
      !Hear(call.world, *call.plant, *answer.point, signup.member, {mark.time, call.now}, count)) {
    answer.error = fmt::format("More than {} updates were pending.", call.world.pipes.pending_max);
    if (call.world.readings.overflow_is_lost) answer.status = call.world.readings.lost_marker;
  }
  if (!answer.error.empty()) {
    const std::scoped_lock lock(mutex_);
    Erase(marker.id);
    return answer;
  }
  Remember(marker.id, mark, latest, call.now);
  answer.latest = Format(marker.id, latest.sequence);
  return answer;
}

}  // namespace pilake::sim
