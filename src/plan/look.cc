// SPDX-License-Identifier: Apache-2.0
#include "plan/look.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace pilake::plan {
namespace {

constexpr std::array<std::string_view, kLookReasons> kNames{
    "outage",  "silence",  "created", "error",   "gone",
    "foreign", "forecast", "held",    "ordered", "heard"};

// Looks whose dates lie so close together are made in one.
constexpr Duration kSameTime = Duration::Minutes(30);

/// Pauses before the first look, the second, ….
std::span<const Duration> PausesOf(LookReason reason) {
  static constexpr std::array kOutage{Duration::Hours(1), Duration::Hours(24)};
  static constexpr std::array kSilence{Duration::Hours(1), Duration::Days(1), Duration::Days(7),
                                       Duration::Days(30)};
  static constexpr std::array kErrorValue{Duration::Hours(1), Duration::Hours(24)};
  static constexpr std::array kHeld{Duration{}, Duration::Hours(1), Duration::Hours(6),
                                    Duration::Hours(24)};
  static constexpr std::array kHour{Duration::Hours(1)};
  static constexpr std::array kNow{Duration{}};
  switch (reason) {
    case LookReason::kOutage:
      return kOutage;
    case LookReason::kSilence:
    case LookReason::kCreated:
      return kSilence;
    case LookReason::kErrorValue:
      return kErrorValue;
    case LookReason::kGone:
      return kHour;
    case LookReason::kHeld:
      return kHeld;
    case LookReason::kForeign:
    case LookReason::kForecast:
    case LookReason::kOrdered:
    case LookReason::kHeard:
      return kNow;
  }
  return kNow;
}

bool IsSameWork(const Look& a, const Look& b) {
  return a.reason == b.reason && a.attempt == b.attempt && a.reason != LookReason::kGone &&
         a.range.begin <= b.range.end && b.range.begin <= a.range.end &&
         std::max(a.due, b.due) - std::min(a.due, b.due) <= kSameTime;
}

/// Two looks at what is gone, of about the same time: what `wider` saw, `look` saw a part of. Made
/// one after the other the first would change what the second has to find again. What
/// waits for a person may wait for ever, and proves nothing until then.
bool Encloses(const Look& wider, const Look& look) {
  return wider.reason == LookReason::kGone && look.reason == LookReason::kGone && wider.seen != 0 &&
         wider.attempt == 0 && wider.range.begin <= look.range.begin &&
         look.range.end <= wider.range.end &&
         std::max(wider.due, look.due) - std::min(wider.due, look.due) <= kSameTime;
}

Look Hull(const Look& a, const Look& b) {
  Look hull = a;
  hull.range = {std::min(a.range.begin, b.range.begin), std::max(a.range.end, b.range.end)};
  hull.due = std::max(a.due, b.due);
  hull.attempt = std::min(a.attempt, b.attempt);
  // What was seen of one is not what will be seen of both: such a look proves nothing yet.
  hull.seen = 0;
  return hull;
}

/// Melts the two neighbours of one reason that lie closest together; of those that wait for a
/// proof, which would have to begin anew, only if there are no others.
void MeltClosest(std::vector<Look>& looks) {
  size_t first = 0, second = 1;
  std::pair closest(true, Duration::Ticks(INT64_MAX));
  for (size_t i = 0; i < looks.size(); ++i) {
    for (size_t j = i + 1; j < looks.size(); ++j) {
      if (looks[i].reason != looks[j].reason) continue;
      const std::pair apart(looks[i].reason == LookReason::kGone,
                            std::max(looks[i].range.begin, looks[j].range.begin) -
                                std::min(looks[i].range.end, looks[j].range.end));
      if (apart >= closest) continue;
      closest = apart;
      first = i;
      second = j;
    }
  }
  looks[first] = Hull(looks[first], looks[second]);
  looks.erase(looks.begin() + static_cast<std::ptrdiff_t>(second));
}

}  // namespace

std::string_view Name(LookReason reason) {
  return kNames[static_cast<size_t>(reason)];
}

std::optional<LookReason> ParseLookReason(std::string_view word) {
  const auto found = std::ranges::find(kNames, word);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<LookReason>(found - kNames.begin());
}

Look FirstLook(LookReason reason, TimeRange range, UtcTime now) {
  return {.range = range, .reason = reason, .due = now + PausesOf(reason).front()};
}

std::optional<Look> NextLook(const Look& look, UtcTime now, bool found) {
  const bool has_ended =
      found && (look.reason == LookReason::kSilence || look.reason == LookReason::kCreated);
  const auto pauses = PausesOf(look.reason);
  const auto attempt = static_cast<size_t>(look.attempt) + 1;
  const bool is_last = attempt >= pauses.size() && look.reason != LookReason::kHeld;
  if (has_ended || is_last) return std::nullopt;
  Look next = look;
  next.attempt = static_cast<int>(attempt);
  next.due = now + pauses[std::min(attempt, pauses.size() - 1)];
  return next;
}

void AddLook(std::vector<Look>& looks, const Look& look) {
  if (look.range.empty()) return;
  Look added = look;
  for (auto other = looks.begin(); other != looks.end();) {
    if (*other == added || Encloses(*other, added)) return;
    if (Encloses(added, *other)) {
      other = looks.erase(other);
      continue;
    }
    if (!IsSameWork(*other, added)) {
      ++other;
      continue;
    }
    added = Hull(*other, added);
    other = looks.erase(other);
  }
  looks.push_back(added);
  while (looks.size() > kLooksMax) MeltClosest(looks);
  std::ranges::stable_sort(looks, {}, &Look::due);
}

std::optional<TimeRange> DueSecondLook(UtcTime looked, UtcTime covered_through, UtcTime now,
                                       const SecondLook& second) {
  const UtcTime old_enough = now - second.after;
  if (old_enough - looked < second.slab) return std::nullopt;
  const TimeRange due{looked, std::min(covered_through, old_enough)};
  if (due.empty()) return std::nullopt;
  return due;
}

}  // namespace pilake::plan
