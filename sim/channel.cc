// SPDX-License-Identifier: Apache-2.0
// A channel: what is new about some series, pushed through one WebSocket (wire §8).
#include "sim/channel.h"

#include <algorithm>

#include "sim/api_stream.h"
#include "sim/hash.h"
#include "sim/recorded.h"

namespace pilake::sim {
namespace {

constexpr size_t kMessageBytes = 4 << 20;  // about; what is more goes into another message
constexpr uint16_t kGoingAway = 1001, kInternalError = 1011;
constexpr std::string_view kBegin = R"({"Links":{},"Items":[)", kEnd = "]}";
const SelectedFields kEverything;

}  // namespace

Channel::Channel(const Call& call, ChannelRequest request)
    : world_(call.world),
      base_(call.base),
      web_id_type_(call.web_id_type),
      signup_{0, call.plant->server_guid(), call.member, call.now},
      request_(std::move(request)),
      polled_(call.now),
      seen_(call.now),
      asked_(std::chrono::steady_clock::now()) {
  ++world_.tally.channels;
  ++world_.tally.open_channels;
}

Channel::~Channel() {
  --world_.tally.open_channels;
}

web::Pusher::Turn Channel::Next() {
  Turn turn;
  const UtcTime now = world_.clock.Now();
  if (IsLost(world_, signup_, now)) {
    EndBy(world_.readings.closes_channels ? End::kClose : End::kCut, kGoingAway, turn);
    return turn;
  }
  if (std::exchange(request_.initial_values, false)) AddInitialValues(turn, signup_.since);
  AddNews(turn, now);
  turn.wait = WaitFrom(now);
  return turn;
}

web::Pusher::End Channel::TooSlow() {
  ++world_.tally.slow_channels;
  return world_.readings.closes_channels ? End::kClose : End::kCut;
}

// Until the next poll is due, in machine time. The plant's clock may run fast or be moved by hand,
// so it is never slept through.
Duration Channel::WaitFrom(UtcTime now) {
  constexpr double kShortest = 0.005, kLongest = 0.1;
  const auto machine = std::chrono::steady_clock::now();
  const double passed = std::chrono::duration<double>(machine - asked_).count();
  const double rate = passed > 0 ? std::max((now - seen_).seconds() / passed, 1e-3) : 1;
  asked_ = machine;
  seen_ = now;
  const double left = (polled_ + world_.pipes.poll - now).seconds() / rate;
  return Duration::Micros(static_cast<int64_t>(std::clamp(left, kShortest, kLongest) * 1e6));
}

void Channel::EndBy(End end, uint16_t code, Turn& turn) {
  turn.end = end;
  turn.close_code = code;
}

void Channel::AddInitialValues(Turn& turn, UtcTime now) {
  const auto plant = world_.story.PlantAt(now);
  Draft draft;
  for (const int32_t id : request_.point_ids) {
    Signup signup = signup_;
    signup.point_id = id;
    const Audible audible = Listen(world_, *plant, signup);
    if (audible.point == nullptr) continue;
    const Event event = ReadCurrent(world_, *plant, *audible.point,
                                    world_.story.DataTimeAt(now, signup.member), now);
    AddEvent(*plant, *audible.point, event);
    AddItem(*plant, *audible.point, draft);
  }
  Send(std::move(draft), turn, now);
}

// The polls that are due since the last time, all at once if there were several.
void Channel::AddNews(Turn& turn, UtcTime now) {
  const int64_t polls = (now - polled_).ticks / world_.pipes.poll.ticks;
  if (polls <= 0 || turn.end != End::kNone) return;
  const Stretch stretch = {polled_, polled_ + world_.pipes.poll * polls};
  polled_ = stretch.until;
  const auto plant = world_.story.PlantAt(stretch.until);
  bool has_news = false;
  Draft draft;
  for (const int32_t id : request_.point_ids) {
    Signup signup = signup_;
    signup.point_id = id;
    const Audible audible = Listen(world_, *plant, signup);
    if (audible.point == nullptr || audible.is_mute) continue;
    AddStream(*plant, *audible.point, stretch, draft);
    has_news |= draft.events > 0;
    if (draft.text.size() > kMessageBytes) Send(std::exchange(draft, {}), turn, now);
    if (turn.end != End::kNone) return;
  }
  if (draft.events > 0) Send(std::move(draft), turn, now);
  empty_polls_ = has_news ? 0 : empty_polls_ + polls;
  if (request_.heartbeat_rate <= 0 || empty_polls_ < request_.heartbeat_rate) return;
  empty_polls_ = 0;
  Send({HeartbeatText(), 0}, turn, now);
}

void Channel::AddStream(const Plant& plant, const Point& point, Stretch stretch, Draft& draft) {
  Hear(world_, plant, point, signup_.member, stretch, [&](const Change& change) {
    if (change.action == EventAction::kRefresh) return true;  // it has no form here
    if (change.action != EventAction::kDelete) {
      AddEvent(plant, point, change.event);
    } else if (world_.readings.channel_delete == DeletedAs::kEvent) {
      AddEvent(plant, point, change.event);
    } else if (world_.readings.channel_delete == DeletedAs::kNull) {
      Event without = change.event;
      without.form = Form::kNull;
      without.good = false;
      AddEvent(plant, point, without);
    }
    return true;
  });
  if (!world_.readings.channel_in_order) Shuffle(point, stretch.until);
  AddItem(plant, point, draft);
}

EventWriter& Channel::WriterFor(std::string_view units) {
  const auto found = writers_.find(units);
  if (found != writers_.end()) return found->second;
  return writers_.try_emplace(std::string(units), kEverything, world_.readings, units)
      .first->second;
}

void Channel::AddEvent(const Plant& plant, const Point& point, const Event& event) {
  const size_t begin = scratch_.size();
  WriterFor(plant.unit_name(point)).Append(event, scratch_);
  pieces_.emplace_back(begin, scratch_.size());
}

void Channel::Shuffle(const Point& point, UtcTime time) {
  for (size_t i = pieces_.size(); i > 1; --i) {
    const auto draw = Draw(point.seed ^ static_cast<uint64_t>(time.ticks), i);
    std::swap(pieces_[i - 1], pieces_[static_cast<size_t>(Below(draw, static_cast<int64_t>(i)))]);
  }
}

// The events that were added, as items of the message.
void Channel::AddItem(const Plant& plant, const Point& point, Draft& draft) {
  if (pieces_.empty()) return;
  const std::string web_id = PointWebIdText(plant, point, web_id_type_);
  const auto item = [&](std::string_view key, std::string_view events) {
    if (draft.text.empty()) draft.text = kBegin;
    if (draft.text.back() == '}') draft.text += ',';
    JsonWriter json(draft.text, kEverything, world_.readings);
    json.BeginObject();
    json.Member("WebId", web_id);
    json.Member("Name", point.name);
    json.Member("Path", plant.Path(point));
    json.Member("UnitsAbbreviation", std::string(plant.unit_name(point)));
    json.Key(key);
    json.Raw(events);
    json.Key("Links");
    json.BeginObject();
    json.Member("Self", base_ + "/streams/" + web_id + "/value");
    json.EndObject();
    json.EndObject();
  };
  std::string events;
  for (const auto& [begin, end] : pieces_) {
    const std::string_view event = std::string_view(scratch_).substr(begin, end - begin);
    if (world_.readings.channel_single_values) {
      item("Value", event);
    } else {
      events += events.empty() ? '[' : ',';
      events += event;
    }
  }
  if (!events.empty()) item("Items", events + "]");
  draft.events += std::ssize(pieces_);
  pieces_.clear();
  scratch_.clear();
}

std::string Channel::HeartbeatText() const {
  switch (world_.readings.heartbeat) {
    case Heartbeat::kEmptyItems:
      return std::string(kBegin) + std::string(kEnd);
    case Heartbeat::kEmptyObject:
      return "{}";
    case Heartbeat::kEmptyFrame:
      break;
  }
  return {};
}

// Unless a fault strikes.
void Channel::Send(Draft draft, Turn& turn, UtcTime now) {
  if (draft.events > 0) draft.text += kEnd;
  const Fault fault = world_.faults.NextMessage(now).fault;
  if (fault != Fault::kNone) ++world_.tally.faults[static_cast<size_t>(fault)];
  switch (fault) {
    case Fault::kMessageDropped:
      return;
    case Fault::kChannelCut:
      return EndBy(End::kCut, 0, turn);
    case Fault::kChannelClosed:
      return EndBy(End::kClose, kInternalError, turn);
    case Fault::kChannelStall:
      return EndBy(End::kStall, 0, turn);
    default:
      break;
  }
  const int times = fault == Fault::kMessageTwice ? 2 : 1;
  for (int i = 0; i < times; ++i) turn.messages.push_back(draft.text);
  world_.tally.messages += static_cast<uint64_t>(times);
  world_.tally.message_events += static_cast<uint64_t>(draft.events * times);
}

namespace {

Result<Answer> Open(const Call& call, std::vector<int32_t> point_ids) {
  if (!call.is_upgrade)
    return Fail(ErrorKind::kInvalid, "A channel can only be opened by a WebSocket request.");
  ChannelRequest request;
  ASSIGN_OR_RETURN(request.heartbeat_rate, call.query.Integer("heartbeatRate", 0));
  ASSIGN_OR_RETURN(request.initial_values, call.query.Boolean("includeInitialValues", false));
  request.point_ids = std::move(point_ids);
  Answer answer;
  answer.pusher = std::make_unique<Channel>(call, std::move(request));
  answer.outgoing_bytes_max = call.world.pipes.outgoing_bytes_max;
  return answer;
}

}  // namespace

Result<Answer> OpenChannel(const Call& call, const Point& point) {
  return Open(call, {point.id});
}

// One that cannot be heard is silent, where it does not fail the whole call.
Result<Answer> OpenSetChannel(const Call& call) {
  std::vector<int32_t> point_ids;
  const auto web_ids = call.query.All("webId");
  if (web_ids.empty()) return Fail(ErrorKind::kInvalid, "The parameter 'webId' is required.");
  for (const std::string_view web_id : web_ids) {
    const Found found = FindPoint(call, web_id);
    const UnknownInSet unknown = call.world.readings.unknown_webid_in_set;
    if (found.point != nullptr) {
      if (found.point->trouble == Trouble::kSilent) return Silence();
      point_ids.push_back(found.point->id);
    } else if (unknown != UnknownInSet::kItemErrors) {
      return Errors(unknown == UnknownInSet::kWhole400 ? 400 : 404, found.error);
    }
  }
  return Open(call, std::move(point_ids));
}

}  // namespace pilake::sim
