// SPDX-License-Identifier: Apache-2.0
#include "pipeline/poller.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "decode/news.h"
#include "pi/request.h"
#include "pipeline/probe.h"
#include "plan/failure.h"

// A round, in short:
//
//   due = the bundles whose time has come, a few calls' worth, hot ones first
//   those that a channel tells all of: nothing to ask
//   the others: ask what is new since the markers; register what has no marker, or has lost it;
//     of what cannot be registered ask the current values
//   rest, so that those who read the archive get their share of the calls

namespace pilake::pipeline {
namespace {

// Calls of one round: the next may hold something more urgent. And what our share allows in so many
// seconds: while we wait for the next call, those who are less urgent must.
constexpr size_t kRoundMax = 16;
constexpr double kRoundSeconds = 0.2;

// Series that are tried one by one before a server is said not to know Stream Updates.
constexpr size_t kWitnessesMax = 3;

// The rest is for those who read the archive.
constexpr double kBudgetShare = 0.6;
// Of that, for hot series at most.
constexpr double kHotShare = 0.8;

constexpr Duration kLookAround = Duration::Millis(100);

constexpr Duration kFirstPause = Duration::Seconds(1);
constexpr Duration kLongestPause = Duration::Minutes(1);

/// The server answers, but not what was asked.
bool IsNonsense(ErrorKind kind) {
  return kind == ErrorKind::kMalformed || kind == ErrorKind::kInvalid ||
         kind == ErrorKind::kTooLarge;
}

}  // namespace

void Poller::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    TakeSeries();
    const auto due = TakeDue(clock_.Now());
    const UtcTime began = SteadyNow();
    const int64_t calls = state_.hearing.calls;
    if (!due.empty()) Tell(Ask(due, stop), stop);
    Count();
    // The clock may be one that is moved by hand.
    SystemClock().SleepFor(
        due.empty() ? kLookAround : RestAfter(state_.hearing.calls - calls, began), stop);
  }
  source_.reset();
}

void Poller::ChangeTags(std::vector<TagSelection> tags) {
  const std::lock_guard lock(mutex_);
  tags_ = std::move(tags);
  tags_changed_ = true;
}

void Poller::TakeSeries() {
  const LiveTail::SeriesList series = live_.series();
  std::vector<TagSelection> tags;
  {
    const std::lock_guard lock(mutex_);
    if (!series || (series == roster_->series && !tags_changed_)) return;
    tags_changed_ = false;
    tags = tags_;
  }
  TakeRoster(std::make_shared<const Roster>(
      MakeRoster(*roster_, series, tags, {.channels_max = options_.channels_max})));
  if (channels_ != nullptr) channels_->Follow(roster_);
}

void Poller::TakeRoster(std::shared_ptr<const Roster> roster) {
  std::unordered_map<std::string, std::string> markers;
  std::map<uint64_t, Ear> ears;
  for (const Bundle& bundle : roster->bundles) {
    const auto before = ears_.find(bundle.id);
    // A channel gets the time to open.
    const bool may_wait = bundle.way == Way::kChannel && channels_ != nullptr;
    const UtcTime first = may_wait ? clock_.Now() + options_.hot_updates_every : UtcTime{};
    ears.emplace(bundle.id, before == ears_.end()
                                ? Ear{.bundle = &bundle, .due = first}
                                : Ear{&bundle, before->second.due, before->second.by_updates});
    for (const uint32_t i : bundle.which) {
      const std::string& web_id = (*roster->series)[i].web_id;
      if (const auto marker = markers_.find(web_id); marker != markers_.end())
        markers.insert(markers_.extract(marker));
    }
  }
  roster_ = std::move(roster);
  ears_ = std::move(ears);
  markers_ = std::move(markers);
  std::erase_if(deaf_, [now = clock_.Now()](const auto& deaf) { return deaf.second <= now; });
}

bool Poller::HasChannel(uint64_t id) const {
  return channels_ != nullptr && channels_->Covers(id);
}

/// How long after a round that began then so many calls are within our share of the budget. Without
/// it, as long as some are due, which is always the case after a start, all that the budget allows
/// would go here.
Duration Poller::RestAfter(int64_t calls, UtcTime began) const {
  const double allowed = AllowedCalls();
  if (allowed <= 0) return {};
  const auto share = Duration::Ticks(
      static_cast<int64_t>(static_cast<double>(calls * Duration::Seconds(1).ticks) / allowed));
  return std::max(Duration{}, share - (SteadyNow() - began));
}

/// Calls a second; zero: no limit.
double Poller::AllowedCalls() const {
  return options_.pull.source.budget.calls_per_second * kBudgetShare;
}

size_t Poller::RoundMax() const {
  const double allowed = AllowedCalls() * kRoundSeconds;
  return allowed <= 0 ? kRoundMax : std::clamp(static_cast<size_t>(allowed), size_t{1}, kRoundMax);
}

/// The bundles of the next round; they are due again later.
std::vector<Poller::Ear*> Poller::TakeDue(UtcTime now) {
  std::vector<Ear*> due;
  if (now < again_) return due;
  for (auto& [id, ear] : ears_) {
    if (ear.due > now) continue;
    if (HasChannel(id)) {
      Forget(ear);
      ear.due = now + options_.hot_updates_every;  // to be looked at again
      ear.by_updates = false;
      continue;
    }
    due.push_back(&ear);
  }
  // By how late they are for what is wished of them, so that none waits for ever; hot ones, which
  // are asked more often, are soon late. Those that come for the first time all come at once.
  std::ranges::stable_sort(due, std::greater(), [&](const Ear* ear) {
    const bool is_first = ear->due == UtcTime{};
    const double late = is_first ? 1 : (now - ear->due).seconds() / PauseOf(*ear).seconds();
    return std::pair(is_first && ear->bundle->is_hot, late);
  });
  if (due.size() > RoundMax()) due.resize(RoundMax());
  for (Ear* ear : due) {
    // The first time all come at once, and are spread from then on.
    const Duration pause = PauseOf(*ear);
    const bool is_first = ear->due == UtcTime{};
    const double part = is_first ? std::uniform_real_distribution<>(0.1, 1)(random_) : 1;
    ear->due = now + Duration::Ticks(static_cast<int64_t>(static_cast<double>(pause.ticks) * part));
  }
  return due;
}

/// While a channel tells, the server is to forget what it keeps for us.
void Poller::Forget(const Ear& ear) {
  if (!ear.by_updates) return;
  for (const uint32_t i : ear.bundle->which) markers_.erase(SeriesAt(i).web_id);
}

Duration Poller::PauseOf(const Ear& ear) const {
  const Duration wished = WishedPauseOf(ear);
  const double stretch = ear.bundle->is_hot ? hot_stretch_ : stretch_;
  return Duration::Ticks(static_cast<int64_t>(static_cast<double>(wished.ticks) * stretch));
}

Duration Poller::WishedPauseOf(const Ear& ear) const {
  const bool asks_updates = ear.bundle->way != Way::kSweep && clock_.Now() >= updates_again_;
  if (!asks_updates) return options_.sweep_every;
  return ear.bundle->is_hot ? options_.hot_updates_every : options_.updates_every;
}

Status Poller::Ask(const std::vector<Ear*>& ears, const std::stop_token& stop) {
  if (!source_) {
    ASSIGN_OR_RETURN(
        source_, Source::Open(options_.pull.source, state_.hearing, stop, options_.pull.throttle));
  }
  Status asked = TryUpdates(ears);
  if (!asked && IsNonsense(asked.error().kind)) {
    // Something is wrong with updates, or with how we read them; nothing with the others.
    if (options_.on_note) options_.on_note("no Stream Updates for now: " + asked.error().message);
    updates_again_ = clock_.Now() + plan::kRefusedPause;
    source_->Abandon();
    asked = {};
  }
  if (asked) asked = Sweep(ears);
  if (!asked) source_.reset();  // with the calls that are still under way
  return asked;
}

Status Poller::TryUpdates(const std::vector<Ear*>& ears) {
  if (clock_.Now() < updates_again_) return {};
  std::vector<Ear*> asking;
  std::ranges::copy_if(ears, std::back_inserter(asking),
                       [](const Ear* ear) { return ear->bundle->way != Way::kSweep; });
  RETURN_IF_ERROR(AskUpdates(asking));
  RETURN_IF_ERROR(Register(asking));  // of these there is nothing new yet
  for (Ear* ear : asking) {
    ear->by_updates = std::ranges::any_of(
        ear->bundle->which, [this](uint32_t i) { return markers_.contains(SeriesAt(i).web_id); });
  }
  return {};
}

bool Poller::MayRegister(uint32_t i) const {
  const std::string& web_id = SeriesAt(i).web_id;
  if (markers_.contains(web_id)) return false;
  const auto deaf = deaf_.find(web_id);
  return deaf == deaf_.end() || deaf->second <= clock_.Now();
}

Status Poller::Register(const std::vector<Ear*>& ears) {
  std::vector<uint32_t> which;
  for (const Ear* ear : ears) {
    for (const uint32_t i : ear->bundle->which)
      if (MayRegister(i)) which.push_back(i);
  }
  if (which.empty()) return {};
  const auto take = [&](uint32_t i, const std::string& marker) {
    knows_updates_ = true;
    markers_[SeriesAt(i).web_id] = marker;
  };
  // A server that knows no Stream Updates would be asked for each series of them all.
  for (size_t k = 0; !knows_updates_ && k < std::min(which.size(), kWitnessesMax); ++k)
    RETURN_IF_ERROR(pipeline::Register(*source_, *roster_->series, {which[k]}, take));
  const UtcTime again = clock_.Now() + plan::kRefusedPause;
  if (!knows_updates_) {
    if (which.size() > kWitnessesMax && options_.on_note)
      options_.on_note("the server gives no Stream Updates; current values are asked for");
    updates_again_ = again;
    return {};
  }
  std::erase_if(which, [this](uint32_t i) { return markers_.contains(SeriesAt(i).web_id); });
  RETURN_IF_ERROR(pipeline::Register(*source_, *roster_->series, which, take));
  for (const uint32_t i : which) {
    const std::string& web_id = SeriesAt(i).web_id;
    if (!markers_.contains(web_id)) deaf_[web_id] = again;
  }
  return {};
}

Status Poller::AskUpdates(const std::vector<Ear*>& ears) {
  std::vector<std::vector<uint32_t>> asked;  // by call
  for (Ear* ear : ears) {
    std::vector<uint32_t> which;
    std::vector<std::string> markers;
    for (const uint32_t i : ear->bundle->which) {
      const auto marker = markers_.find(SeriesAt(i).web_id);
      if (marker == markers_.end()) continue;
      which.push_back(i);
      markers.push_back(marker->second);
    }
    while (!which.empty()) {
      const size_t fit = pi::MarkersThatFit(source_->url(), markers);
      const auto middle = static_cast<std::ptrdiff_t>(fit);
      asked.emplace_back(which.begin(), which.begin() + middle);
      SendUpdates(asked.size() - 1, asked.back(), {markers.begin(), markers.begin() + middle});
      which.erase(which.begin(), which.begin() + middle);
      markers.erase(markers.begin(), markers.begin() + middle);
    }
  }
  for (size_t answers = 0; answers < asked.size(); ++answers) {
    auto answer = source_->Next();
    // Markers that are refused as a whole say nothing of each: all are asked for anew.
    const bool is_refused = !answer->pages && answer->step == plan::Step::kLeaveOut;
    if (!answer->pages && !is_refused) return tl::unexpected(std::move(answer->pages).error());
    const std::vector<uint32_t>& which = asked[answer->id];
    for (size_t k = 0; k < which.size(); ++k) {
      const std::string& web_id = SeriesAt(which[k]).web_id;
      if (is_refused || (*answer->pages)[k].failure) {
        markers_.erase(web_id);
        continue;
      }
      const decode::SeriesPage& page = (*answer->pages)[k];
      if (!page.events.empty()) hearer_.TakeNews(web_id, page.events, page.actions);
      markers_[web_id] = page.marker;
    }
  }
  return {};
}

void Poller::SendUpdates(uint64_t id, const std::vector<uint32_t>& which,
                         std::vector<std::string> markers) {
  std::vector<decode::Wanted> wanted;
  wanted.reserve(which.size());
  for (const uint32_t i : which)
    wanted.push_back({.web_id = SeriesAt(i).web_id, .type = SeriesAt(i).type});
  pi::HttpRequest request = pi::BuildUpdates(markers);
  source_->Send({.id = id,
                 .request = std::move(request),
                 .load = {.calls = 1, .events = 1},
                 .decode =
                     [roster = roster_, wanted = std::move(wanted),
                      markers = std::move(markers)](std::string body) {
                       return decode::DecodeUpdates(std::move(body), wanted, markers);
                     },
                 .lane = plan::Lane::kLive});
}

/// The current values of all that has no marker.
Status Poller::Sweep(const std::vector<Ear*>& ears) {
  if (!live_.is_listening()) return {};
  const UtcTime began = clock_.Now();
  std::vector<uint32_t> which;
  for (Ear* ear : ears) {
    const size_t before = which.size();
    for (const uint32_t i : ear->bundle->which)
      if (!markers_.contains(SeriesAt(i).web_id)) which.push_back(i);
    if (which.size() > before && began < sweep_again_) ear->due = std::min(ear->due, sweep_again_);
  }
  if (which.empty() || began < sweep_again_) return {};
  RETURN_IF_ERROR(AskValues(
      *source_, *roster_->series, which,
      [&](uint32_t i, const Events& event) { hearer_.TakeValue(SeriesAt(i).web_id, event); }));
  const UtcTime ended = clock_.Now();
  sweep_again_ = ended + (ended - began);
  return {};
}

void Poller::Tell(const Status& status, const std::stop_token& stop) {
  if (stop.stop_requested()) return;
  if (status) {
    failures_ = 0;
    return;
  }
  if (failures_++ == 0 && options_.on_trouble) options_.on_trouble(status.error());
  const bool is_refused = status.error().kind == ErrorKind::kAuth;
  const Duration pause = kFirstPause * (int64_t{1} << std::min(failures_, 8));
  again_ = clock_.Now() + (is_refused ? plan::kAuthPause : std::min(pause, kLongestPause));
}

/// Hot ones are asked as often as is wished while that leaves something to the others.
void Poller::Stretch(double hot_calls, double other_calls) {
  const double allowed = AllowedCalls();
  hot_stretch_ = stretch_ = 1;
  if (allowed <= 0) return;
  const double for_hot = std::min(hot_calls, allowed * kHotShare);
  if (hot_calls > for_hot) hot_stretch_ = hot_calls / for_hot;
  stretch_ = std::max(1.0, other_calls / (allowed - for_hot));
}

/// How many series are heard of in which way, and how many calls that takes.
void Poller::Count() {
  int64_t by_channel = 0, by_updates = 0, by_sweep = 0;
  double hot_calls = 0, other_calls = 0;  // a second
  for (const auto& [id, ear] : ears_) {
    const auto series = static_cast<int64_t>(ear.bundle->which.size());
    const bool has_channel = HasChannel(id);
    (has_channel ? by_channel : ear.by_updates ? by_updates : by_sweep) += series;
    if (!has_channel)
      (ear.bundle->is_hot ? hot_calls : other_calls) += 1 / WishedPauseOf(ear).seconds();
  }
  Stretch(hot_calls, other_calls);
  state_.series_by_channel = by_channel;
  state_.series_by_updates = by_updates;
  state_.series_by_sweep = by_sweep;
}

}  // namespace pilake::pipeline
