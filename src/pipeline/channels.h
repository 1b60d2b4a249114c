// SPDX-License-Identifier: Apache-2.0
// Channels: keeps one WebSocket open for each bundle that is to be heard of that way (wire §8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/bounded_queue.h"
#include "core/result.h"
#include "core/time.h"
#include "decode/recorded.h"
#include "pi/channel.h"
#include "pipeline/hearer.h"
#include "pipeline/roster.h"
#include "pipeline/stream_state.h"

namespace pilake::pipeline {

/// Opens, watches and opens again. A channel that ends is opened again after a pause that grows and
/// is drawn, few at a time, so that a server which comes back does not meet all of them at once.
///
/// What is lost with a channel is not asked for here: it comes with the archive. Nor does a
/// channel's silence mean anything but that it is opened anew.
///
/// Two threads: one carries all sockets, one reads what they brought. Messages wait in a queue
/// bounded in bytes; those that find it full are dropped and counted.
class Channels {
 public:
  /// A sentence for the log: channels are refused, are open again.
  using Say = std::function<void(const std::string&)>;

  /// Starts the threads. `hearer` and `state` outlive this.
  static Result<std::unique_ptr<Channels>> Open(const pi::HttpOptions& http, Hearer& hearer,
                                                StreamState& state, Say say);
  /// Closes all; what came until then was heard.
  ~Channels();

  /// Whom to listen to from now on. From any thread.
  void Follow(std::shared_ptr<const Roster> roster);

  /// All that can be heard of this bundle by a channel is. From any thread.
  bool Covers(uint64_t bundle) const;

 private:
  /// One subscription: a bundle, or the part of it that is left when some of it is refused.
  struct Line {
    uint64_t bundle = 0;
    std::vector<std::string> web_ids;
    std::vector<PointType> types;
    enum class State : uint8_t { kClosed, kOpening, kOpen, kDeaf } state = State::kClosed;
    uint64_t channel = 0;  ///< of the loop; 0: none
    int failures = 0;
    Duration silence_max = Duration::Seconds(30);
    UtcTime due;  ///< to be opened; of SteadyNow
    UtcTime opened;

    std::vector<decode::Wanted> wanted() const;
  };

  struct Opened {};
  struct Message {
    std::string text;
  };
  struct Ended {
    Error error;
  };
  /// What the loop told of a line.
  struct Item {
    uint64_t line = 0;
    std::variant<Opened, Message, Ended> what;
  };

  Channels(std::unique_ptr<pi::ChannelLoop> loop, Hearer& hearer, StreamState& state, Say say);

  void Listen(const std::stop_token& stop);
  void TakeRoster();
  void AddLine(Line line);
  UtcTime OpenDue();
  void OpenLine(uint64_t id, Line& line);
  void Take(Item item);
  void TakeEnd(uint64_t id, Line& line, const Error& error);
  void Split(uint64_t id);
  Duration PauseAfter(const Line& line, const Error& error);
  void TakeMessage(const Line& line, std::string text);
  void Tell();

  Hearer& hearer_;
  StreamState& state_;
  const Say say_;
  std::unique_ptr<pi::ChannelLoop> loop_;
  BoundedQueue<Item> inbox_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Roster> next_roster_;  // guarded by mutex_; to be taken
  std::set<uint64_t> covered_;                 // guarded by mutex_; bundles

  // Of the listening thread.
  std::map<uint64_t, Line> lines_;
  uint64_t next_line_ = 1;
  bool has_opened_ = false;  // any channel, ever
  bool is_refused_ = false;  // said, and none has opened since
  std::minstd_rand random_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace pilake::pipeline
