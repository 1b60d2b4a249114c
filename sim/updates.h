// SPDX-License-Identifier: Apache-2.0
// Stream Updates: who is registered for news, and how far each marker reaches (wire §9).
//
// What there is to tell can be computed at any time; kept is only who asked, and until when.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/pipe.h"

namespace pilake::sim {

struct Call;

/// Safe for use from many threads.
class Updates {
 public:
  /// `seed` tells this server's markers from those of others.
  explicit Updates(uint64_t seed) : seed_(seed) {}

  struct Registered {
    std::string marker;  ///< the current one
    bool is_new = false;
  };
  /// Registers whoever calls for `point`, if he is not yet.
  Registered Register(const Call& call, const Point& point);

  struct Retrieved {
    const Point* point = nullptr;  ///< null: the marker does not tell, or there is none any more
    std::string latest;            ///< the next marker; empty if there is none
    std::string error;             ///< why the series is not registered any more, or never was
    int status = 200;              ///< of a call that asks for this marker alone
    bool is_stuck = false;         ///< it is never answered
  };
  /// Tells `sink` what came since `marker`, which is good for being read again. Whatever fails ends
  /// the registration; what was told before that is void.
  Retrieved Retrieve(const Call& call, std::string_view marker, const ChangeSink& sink);

  /// Forgets the registration of a marker.
  void Forget(std::string_view marker);

 private:
  using Id = std::pair<uint64_t, uint64_t>;
  // Until `time` there were so many events since the registration.
  struct Mark {
    int64_t sequence = 0;
    UtcTime time;
  };
  struct Registration {
    Signup signup;
    UtcTime asked;
    std::vector<Mark> marks;  ///< those that can be read, the one used last at the end
  };
  struct Marker {
    Id id;
    int64_t sequence = 0;
  };
  static bool Parse(std::string_view text, Marker& marker);
  static std::string Format(const Id& id, int64_t sequence);

  static bool IsGone(const Call& call, const Registration& registration);
  void Erase(const Id& id);
  bool Find(const Call& call, const Marker& marker, Signup& signup, Mark& mark, Retrieved& failed);
  void Remember(const Id& id, const Mark& used, const Mark& latest, UtcTime now);

  const uint64_t seed_;
  std::mutex mutex_;
  uint64_t count_ = 0;                            // guarded by mutex_
  std::map<Id, Registration> registrations_;      // guarded by mutex_
  std::map<std::pair<int32_t, Member>, Id> ids_;  // guarded by mutex_
};

}  // namespace pilake::sim
