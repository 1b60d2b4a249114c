// SPDX-License-Identifier: Apache-2.0
// The simulator: a PI Web API over one simulated plant.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "sim/faults.h"
#include "sim/pipe.h"
#include "sim/plant.h"
#include "sim/reading.h"
#include "sim/script.h"

namespace pilake::sim {

struct BasicLogin {
  std::string user;
  std::string password;
};

struct ServerOptions {
  PlantOptions plant;
  Script script;  ///< what happens to the plant
  Readings readings;
  FaultOptions faults;
  PipeOptions pipes;
  uint16_t port = 0;  ///< 0: any that is free
  int threads = 2;
  std::optional<BasicLogin> basic;  ///< none: anonymous
  std::string tls_folder;           ///< serve https; the authority is written there as `ca.pem`
  bool tls_expired = false;         ///< with a certificate that has run out
  int rate_limit = 1000;            ///< requests per address and second; 0: no limit
  int64_t items_max = 150'000;      ///< `MaxReturnedItemsPerCall`
  bool login_page = false;          ///< every answer is a 200 with an HTML log-in page
  bool garbage = false;             ///< every answer is a 200 with bytes that are no JSON
};

/// What was asked of the server since it started.
struct ServerCounters {
  uint64_t calls = 0;  ///< over the wire
  uint64_t batch_parts = 0;
  uint64_t recorded_calls = 0;  ///< streams/{id}/recorded, as calls or as parts
  uint64_t set_recorded_calls = 0;
  uint64_t set_value_calls = 0;  ///< streamsets/value
  uint64_t point_list_calls = 0;
  uint64_t batch_calls = 0;
  uint64_t series_reads = 0;   ///< series whose archive was read, sets and batches member by member
  uint64_t events = 0;         ///< events rendered
  uint64_t scanned = 0;        ///< events read for answers, whether they show or are only counted
  uint64_t bytes = 0;          ///< sent
  uint64_t refused = 0;        ///< answers of 400 and above
  uint64_t registrations = 0;  ///< for Stream Updates, series by series, again and again included
  uint64_t update_polls = 0;   ///< markers that were asked for
  uint64_t updates = 0;        ///< events that were told to those
  uint64_t channels = 0;       ///< opened
  uint64_t slow_channels = 0;  ///< ended because their clients did not take what was sent
  uint64_t messages = 0;       ///< pushed, heartbeats included
  uint64_t message_events = 0;
  uint64_t writes_refused = 0;                 ///< calls that would have changed a real PI System
  std::array<uint64_t, kFaultKinds> faults{};  ///< that struck, by kind
};

/// Serves from `Start` until it is destroyed, on 127.0.0.1.
class Server {
 public:
  /// `clock` has to outlive the server. `kInvalid` for options that cannot be.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, const Clock& clock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  std::string url() const;  ///< `http://127.0.0.1:PORT/piwebapi`
  ServerCounters counters() const;
  const Plant& plant() const;  ///< as it was made

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilake::sim
