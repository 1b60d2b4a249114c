// SPDX-License-Identifier: Apache-2.0
// Faults by name, rate and seed: what goes wrong between a right archive and its client.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace pilake::sim {

enum class Fault : uint8_t {
  k401,  ///< the status, instead of an answer
  k429,
  k500,
  k502,
  k503,
  k504,
  kHtml403,             ///< a proxy's page with that status
  kHtml502,             ///< the same
  kHangUp,              ///< the connection ends before the first byte
  kCutHead,             ///< it ends behind the status line of a 200
  kReset,               ///< TCP reset within the body
  kTruncate,            ///< the connection ends within the body
  kNoAnswer,            ///< not a byte comes, and the connection stays open
  kStall,               ///< the same, in the middle of the body
  kSlow,                ///< the body drips
  kWebException,        ///< a 200 whose body ends with a WebException after some items
  kStreamWebException,  ///< the same on one stream of a set
  kEmpty200,            ///< 200 without body or content type
  kHtml200,             ///< 200 with a log-in page
  kGarbage200,          ///< 200 with bytes that are no JSON
  kMarkersLost,         ///< Stream Updates have forgotten the markers of the call
  kPart500,
  kPart429,         ///< one part of a batch fails
  kMessageDropped,  ///< a message of a channel is not sent
  kMessageTwice,    ///< it is sent twice
  kChannelCut,      ///< instead of it the channel ends, without a word
  kChannelClosed,   ///< it is closed with 1011
  kChannelStall,    ///< it stays open, and nothing comes any more
  kNone,
};
inline constexpr size_t kFaultKinds = static_cast<size_t>(Fault::kNone);

std::string_view Name(Fault fault);
/// `kInvalid` names the kinds there are.
Result<Fault> FindFault(std::string_view name);

/// How many of each kind have struck. Any thread may count.
using FaultTally = std::array<std::atomic<uint64_t>, kFaultKinds>;

/// Strikes a share of the calls within a stretch of the plant's time and of the count of calls.
struct FaultRule {
  Fault fault = Fault::kNone;
  double rate = 0;  ///< 0 … 1
  TimeRange when{{INT64_MIN}, {INT64_MAX}};
  uint64_t first_call = 0, last_call = UINT64_MAX;
};

struct FaultOptions {
  std::vector<FaultRule> rules;
  uint64_t seed = 1;
};

/// Applies one `KIND=RATE`. `kInvalid` names the kinds.
Status ApplyFault(std::string_view assignment, FaultOptions& options);

/// Decides call by call. Safe for use from many threads; the n-th decision depends on the seed and
/// the time only.
class FaultPlan {
 public:
  explicit FaultPlan(FaultOptions options) : options_(std::move(options)) {}

  struct Decision {
    Fault fault = Fault::kNone;
    uint64_t draw = 0;  ///< randomness for where exactly
  };
  /// For a call. Never one of the kinds for parts.
  Decision Next(UtcTime now);
  /// For a part of a batch: only kPart500, kPart429, kWebException or kNone.
  Decision NextPart(UtcTime now);
  /// For a message of a channel: only one of the last five kinds or kNone.
  Decision NextMessage(UtcTime now);

 private:
  // What a fault strikes.
  enum class Target : uint8_t { kCall, kPart, kMessage };
  static bool Strikes(Fault fault, Target target);
  Decision Decide(uint64_t n, UtcTime now, Target target) const;

  const FaultOptions options_;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> parts_ = 0;
  std::atomic<uint64_t> messages_ = 0;
};

}  // namespace pilake::sim
