// SPDX-License-Identifier: Apache-2.0
#include "pipeline/channels.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "decode/news.h"
#include "pi/request.h"
#include "plan/failure.h"

// Channels, in short:
//
//   the loop's thread:       frames -> inbox
//   the listening thread:    roster -> lines, one a bundle
//                            a line that is due: open its channel, a few at a time
//                            a message: decode it -> hearer
//                            an end: due again after a pause; a set that is refused: in halves

namespace pilake::pipeline {
namespace {

// Messages that came and were not read yet.
constexpr size_t kInboxBytesMax = size_t{64} << 20;

// After two polls without news, some seconds apart, the server sends an empty message.
constexpr int kHeartbeatRate = 2;
// If nothing comes for the time that a line allows, the connection is dead, or the polls are
// further apart than that.
constexpr Duration kLongestSilenceMax = Duration::Minutes(5);

constexpr size_t kOpeningMax = 8;  // at a time
constexpr Duration kFirstPause = Duration::Seconds(1);
constexpr Duration kLongestPause = Duration::Minutes(5);
// A channel that lived so long was a good one: the next is opened soon.
constexpr Duration kGoodLife = Duration::Minutes(1);

constexpr Duration kLookAround = Duration::Millis(500);

/// It answers, and will not answer otherwise when asked the same again soon.
bool IsRefusal(ErrorKind kind) {
  return kind == ErrorKind::kNotFound || kind == ErrorKind::kRefused ||
         kind == ErrorKind::kTooLarge || kind == ErrorKind::kInvalid ||
         kind == ErrorKind::kMalformed;
}

}  // namespace

Result<std::unique_ptr<Channels>> Channels::Open(const pi::HttpOptions& http, Hearer& hearer,
                                                 StreamState& state, Say say) {
  ASSIGN_OR_RETURN(auto loop, pi::ChannelLoop::Make(http));
  return std::unique_ptr<Channels>(new Channels(std::move(loop), hearer, state, std::move(say)));
}

Channels::Channels(std::unique_ptr<pi::ChannelLoop> loop, Hearer& hearer, StreamState& state,
                   Say say)
    : hearer_(hearer),
      state_(state),
      say_(std::move(say)),
      loop_(std::move(loop)),
      inbox_(kInboxBytesMax),
      random_(std::random_device{}()) {
  threads_.emplace_back([this](const std::stop_token& stop) { loop_->Run(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { Listen(stop); });
}

Channels::~Channels() {
  threads_.front().request_stop();
  threads_.front().join();
  inbox_.Close();  // what is in it is still heard
  threads_.back().request_stop();
  threads_.clear();
}

void Channels::Follow(std::shared_ptr<const Roster> roster) {
  const std::lock_guard lock(mutex_);
  next_roster_ = std::move(roster);
}

bool Channels::Covers(uint64_t bundle) const {
  const std::lock_guard lock(mutex_);
  return covered_.contains(bundle);
}

std::vector<decode::Wanted> Channels::Line::wanted() const {
  std::vector<decode::Wanted> wanted;
  wanted.reserve(web_ids.size());
  for (size_t k = 0; k < web_ids.size(); ++k)
    wanted.push_back({.web_id = web_ids[k], .type = types[k]});
  return wanted;
}

void Channels::Listen(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    TakeRoster();
    const UtcTime next = OpenDue();
    const UtcTime wake = std::min(next, SteadyNow() + kLookAround);
    auto item = inbox_.PopUntil(SteadyPoint(wake), stop);
    for (; item; item = inbox_.TryPop()) Take(std::move(*item));
    Tell();
  }
  while (auto item = inbox_.TryPop()) Take(std::move(*item));
}

void Channels::TakeRoster() {
  std::shared_ptr<const Roster> roster;
  {
    const std::lock_guard lock(mutex_);
    roster = std::exchange(next_roster_, nullptr);
  }
  if (!roster) return;
  std::map<uint64_t, const Bundle*> bundles;
  for (const Bundle& bundle : roster->bundles) {
    if (bundle.way == Way::kChannel) bundles.emplace(bundle.id, &bundle);
  }
  for (auto& [id, line] : lines_) {
    const bool is_wanted = bundles.contains(line.bundle);
    if (!is_wanted && line.channel != 0) loop_->Close(line.channel);
  }
  std::erase_if(lines_, [&](const auto& line) { return !bundles.contains(line.second.bundle); });
  for (const auto& [id, line] : lines_) bundles.erase(line.bundle);
  for (const auto& [id, bundle] : bundles) {
    Line line{.bundle = id, .web_ids = {}, .types = {}, .due = SteadyNow(), .opened = {}};
    for (const uint32_t i : bundle->which) {
      line.web_ids.push_back((*roster->series)[i].web_id);
      line.types.push_back((*roster->series)[i].type);
    }
    AddLine(std::move(line));
  }
}

void Channels::AddLine(Line line) {
  lines_.emplace(next_line_++, std::move(line));
}

/// When the next line is due.
UtcTime Channels::OpenDue() {
  using enum Line::State;
  UtcTime next = SteadyNow() + kLongestPause;
  auto opening = static_cast<size_t>(std::ranges::count_if(
      lines_, [](const auto& line) { return line.second.state == kOpening; }));
  const UtcTime now = SteadyNow();
  for (auto& [id, line] : lines_) {
    if (line.state == kOpen || line.state == kOpening) continue;
    if (line.due > now) {
      next = std::min(next, line.due);
    } else if (opening < kOpeningMax) {
      OpenLine(id, line);
      ++opening;
    }
  }
  return next;
}

void Channels::OpenLine(uint64_t id, Line& line) {
  line.state = Line::State::kOpening;
  std::vector<std::string_view> web_ids(line.web_ids.begin(), line.web_ids.end());
  line.channel = loop_->Open(
      {.target = pi::BuildChannel(web_ids, kHeartbeatRate).target, .silence_max = line.silence_max},
      {.on_open = [this, id] { inbox_.TryPush({id, Opened()}, 0); },
       .on_message =
           [this, id](std::string text) {
             const size_t bytes = text.size();
             // It comes with the archive, as if the server had not sent it.
             if (!inbox_.TryPush({id, Message{std::move(text)}}, bytes)) ++state_.messages_dropped;
           },
       .on_end = [this, id](Error error) { inbox_.TryPush({id, Ended{std::move(error)}}, 0); }});
}

void Channels::Take(Item item) {
  const auto found = lines_.find(item.line);
  if (found == lines_.end()) return;  // it was closed
  Line& line = found->second;
  if (const auto* message = std::get_if<Message>(&item.what)) {
    TakeMessage(line, message->text);
  } else if (const auto* ended = std::get_if<Ended>(&item.what)) {
    TakeEnd(item.line, line, ended->error);
  } else {
    line.state = Line::State::kOpen;
    line.opened = SteadyNow();
    has_opened_ = true;
    if (std::exchange(is_refused_, false) && say_) say_("channels are open again");
  }
}

void Channels::TakeMessage(const Line& line, std::string text) {
  const auto wanted = line.wanted();
  const auto news = decode::DecodeChannelMessage(std::move(text), wanted);
  if (!news) {
    // Whatever it was to tell comes with the archive.
    ++state_.messages_dropped;
    return;
  }
  for (const decode::SeriesNews& one : *news)
    hearer_.TakeNews(line.web_ids[one.which], one.events, {});
}

void Channels::TakeEnd(uint64_t id, Line& line, const Error& error) {
  const UtcTime now = SteadyNow();
  const bool was_open = line.state == Line::State::kOpen;
  if (was_open) ++state_.channels_lost;
  line.channel = 0;
  line.state = Line::State::kClosed;
  if (was_open && now - line.opened >= kGoodLife) line.failures = 0;
  if (error.kind == ErrorKind::kTimedOut)
    line.silence_max = std::min(line.silence_max * 2, kLongestSilenceMax);
  line.due = now + PauseAfter(line, error);
  ++line.failures;
  if (was_open || !IsRefusal(error.kind)) return;
  // One that cannot be subscribed to makes the whole set fail.
  const bool is_about_series =
      error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kRefused;
  if (is_about_series && has_opened_ && line.web_ids.size() > 1) return Split(id);
  if (is_about_series && has_opened_) {
    line.state = Line::State::kDeaf;
    return;
  }
  if (!std::exchange(is_refused_, true) && say_)
    say_("channels are refused, their series are asked instead: " + error.message);
}

Duration Channels::PauseAfter(const Line& line, const Error& error) {
  Duration pause = kFirstPause;
  if (error.kind == ErrorKind::kAuth) {
    pause = plan::kAuthPause;
  } else if (IsRefusal(error.kind)) {
    pause = plan::kRefusedPause;
  } else {
    for (int i = 0; i < line.failures && pause < kLongestPause; ++i) pause = pause * 2;
    pause = std::min(pause, kLongestPause);
  }
  return Duration::Ticks(static_cast<int64_t>(static_cast<double>(pause.ticks) *
                                              std::uniform_real_distribution<>(0.5, 1.5)(random_)));
}

void Channels::Split(uint64_t id) {
  Line left = std::move(lines_.extract(id).mapped());
  left.due = SteadyNow();
  left.failures = 0;
  Line right = left;
  const size_t half = left.web_ids.size() / 2;
  const auto middle = static_cast<std::ptrdiff_t>(half);
  right.web_ids.erase(right.web_ids.begin(), right.web_ids.begin() + middle);
  right.types.erase(right.types.begin(), right.types.begin() + middle);
  left.web_ids.resize(half);
  left.types.resize(half);
  AddLine(std::move(left));
  AddLine(std::move(right));
}

/// Which bundles are heard of as a whole, and how many channels there are.
void Channels::Tell() {
  std::map<uint64_t, bool> covered;
  int64_t open = 0;
  for (const auto& [id, line] : lines_) {
    const bool is_open = line.state == Line::State::kOpen;
    open += is_open ? 1 : 0;
    const bool is_told = is_open || line.state == Line::State::kDeaf;
    const auto bundle = covered.try_emplace(line.bundle, true).first;
    bundle->second = bundle->second && is_told;
  }
  state_.channels_open = open;
  state_.channels_wanted = static_cast<int64_t>(lines_.size());
  state_.messages_queued = static_cast<int64_t>(inbox_.size());
  state_.message_bytes_queued = static_cast<int64_t>(inbox_.bytes());
  const std::lock_guard lock(mutex_);
  covered_.clear();
  for (const auto& [bundle, is_covered] : covered) {
    if (is_covered) covered_.insert(bundle);
  }
}

}  // namespace pilake::pipeline
