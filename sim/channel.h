// SPDX-License-Identifier: Apache-2.0
// A channel: what is new about some series, pushed through one WebSocket (wire §8).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/api.h"
#include "sim/event_json.h"

namespace pilake::sim {

struct ChannelRequest {
  std::vector<int32_t> point_ids;
  bool initial_values = false;
  int64_t heartbeat_rate = 0;  ///< polls without news until an empty message; 0: none
};

/// Looks for news whenever the plant's clock has gone on by the polling interval.
class Channel : public web::Pusher {
 public:
  /// The call's world has to outlive it.
  Channel(const Call& call, ChannelRequest request);
  ~Channel() override;

  Turn Next() override;
  End TooSlow() override;

 private:
  // A message in the making.
  struct Draft {
    std::string text;
    int64_t events = 0;
  };
  void AddInitialValues(Turn& turn, UtcTime now);
  void AddNews(Turn& turn, UtcTime now);
  void AddStream(const Plant& plant, const Point& point, Stretch stretch, Draft& draft);
  void AddItem(const Plant& plant, const Point& point, Draft& draft);
  void AddEvent(const Plant& plant, const Point& point, const Event& event);
  void Shuffle(const Point& point, UtcTime time);
  void Send(Draft draft, Turn& turn, UtcTime now);
  void EndBy(End end, uint16_t code, Turn& turn);
  std::string HeartbeatText() const;
  EventWriter& WriterFor(std::string_view units);
  Duration WaitFrom(UtcTime now);

  const World& world_;
  const std::string base_;
  const WebIdType web_id_type_;
  const Signup signup_;  ///< of all series, but for whose
  ChannelRequest request_;
  UtcTime polled_;  ///< until when everything was told
  int64_t empty_polls_ = 0;
  std::map<std::string, EventWriter, std::less<>> writers_;  ///< by unit
  std::string scratch_;                                      ///< events of one series
  std::vector<std::pair<size_t, size_t>> pieces_;            ///< where they begin and end in it
  UtcTime seen_;  ///< the plant's clock and the machine's, when it was asked last
  std::chrono::steady_clock::time_point asked_;
};

/// 101, or how it is refused.
Result<Answer> OpenChannel(const Call& call, const Point& point);
Result<Answer> OpenSetChannel(const Call& call);

}  // namespace pilake::sim
