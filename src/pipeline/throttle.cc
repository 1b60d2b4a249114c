// SPDX-License-Identifier: Apache-2.0
#include "pipeline/throttle.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

namespace pilake::pipeline {
namespace {

// How often the pause file and the calendar are looked at.
constexpr Duration kLookEvery = Duration::Millis(500);

// A hold that lasts so long is worth a sentence.
constexpr Duration kLongHold = Duration::Seconds(10);

}  // namespace

void Turn::Finish(const plan::CallEnd& end) {
  if (const auto throttle = std::exchange(throttle_, nullptr)) throttle->Finish(load_, end);
}

Throttle::Throttle(plan::BudgetLimits budget, ThrottleOptions options)
    : budget_(budget),
      options_(std::move(options)),
      in_flight_max_(plan::Scaled(budget, plan::LargestScale(options_.calendar)).in_flight),
      governor_(budget, SteadyNow()) {}

Throttle::Reply Throttle::Ask(plan::Lane lane, const plan::Load& load) {
  const std::scoped_lock lock(mutex_);
  const UtcTime now = SteadyNow();
  Look(now);
  const auto wait = governor_.Start(lane, load, now);
  if (!wait) return {std::make_shared<Turn>(shared_from_this(), load), now};
  SayHeld(now);
  return {nullptr, std::min(*wait, now + kLookEvery)};
}

void Throttle::Withdraw(plan::Lane lane) {
  const std::scoped_lock lock(mutex_);
  governor_.Withdraw(lane);
}

void Throttle::Finish(const plan::Load& load, const plan::CallEnd& end) {
  const std::scoped_lock lock(mutex_);
  governor_.Finish(load, end, SteadyNow());
}

bool Throttle::is_paused() const {
  const std::scoped_lock lock(mutex_);
  return pause_ == plan::Pause::kAll;
}

void Throttle::Look(UtcTime now) {
  if (looked_at_ && now - *looked_at_ < kLookEvery) return;
  looked_at_ = now;
  const plan::Pause of_file = PauseOfFile();
  const plan::Allowance allowance =
      plan::AllowanceAt(options_.calendar, options_.calendar_zone, options_.clock->Now());
  const plan::Pause pause = std::max(of_file, allowance.pause);
  if (pause != pause_) SayPause(pause, of_file >= allowance.pause);
  pause_ = pause;
  governor_.Allow(plan::Scaled(budget_, allowance.scale), pause, now);
}

plan::Pause Throttle::PauseOfFile() const {
  if (options_.pause_file.empty()) return plan::Pause::kNone;
  std::ifstream file(options_.pause_file);
  if (!file.is_open()) return plan::Pause::kNone;
  std::string word;
  file >> word;
  return word == "backfill" ? plan::Pause::kBackfill : plan::Pause::kAll;
}

void Throttle::SayPause(plan::Pause pause, bool is_of_file) const {
  if (!options_.say) return;
  const std::string who =
      is_of_file ? fmt::format("the file {}", options_.pause_file) : "the calendar";
  switch (pause) {
    case plan::Pause::kAll:
      return options_.say(fmt::format("paused by {}: no call begins", who));
    case plan::Pause::kBackfill:
      return options_.say(fmt::format("backfill is paused by {}; all else goes on", who));
    case plan::Pause::kNone:
      return options_.say("no longer paused");
  }
}

void Throttle::SayHeld(UtcTime now) {
  const auto held_until = governor_.Describe(now).held_until;
  if (!held_until || *held_until - now < kLongHold || said_held_until_ >= now) return;
  said_held_until_ = *held_until;
  if (options_.say) {
    options_.say(fmt::format("the server wants to be left alone: no call begins for {}",
                             DescribeDuration(*held_until - now)));
  }
}

void Throttle::Show(Progress& progress) const {
  const std::scoped_lock lock(mutex_);
  const plan::Governor::State state = governor_.Describe(SteadyNow());
  progress.in_flight = state.in_flight;
  progress.in_flight_max = state.in_flight_max;
  progress.requests_per_second_max = state.requests_per_second.value_or(0);
  progress.budget_used = state.used;
  const char* waiting = nullptr;
  if (state.pause == plan::Pause::kAll) {
    waiting = "paused";
  } else if (state.held_until) {
    waiting = "the server wants to be left alone";
  } else if (state.pause == plan::Pause::kBackfill) {
    waiting = "backfill paused";
  }
  progress.waiting = waiting;
}

}  // namespace pilake::pipeline
