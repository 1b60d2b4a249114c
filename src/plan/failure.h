// SPDX-License-Identifier: Apache-2.0
// What to do after a failure: a pure table from (error, attempt, shape, source) to a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/result.h"
#include "core/time.h"

namespace pilake::plan {

enum class Step : uint8_t {
  kWait,      ///< Ask the same again after a pause.
  kSplit,     ///< Ask for less: fewer series, or one for a shorter time.
  kSeparate,  ///< One of the series is at fault: find it, then ask for the others.
  kLeaveOut,  ///< What was asked for is not to be had now: name it and go on with the others.
  kStop,      ///< The run cannot go on.
};

/// What the source did lately, apart from the call that failed.
enum class SourceState : uint8_t {
  kNew,      ///< It has never answered: the configuration may be wrong.
  kAnswers,  ///< It answered after the call was first asked: the call is at fault.
  kSilent,   ///< It has answered before, but not since.
  kGone,     ///< Silent for longer than the operator's patience.
};

/// What a call inherits from larger ones that held it and failed.
struct Tries {
  int attempt = 1;                 ///< This will be its so many-th, theirs included.
  std::optional<UtcTime> since{};  ///< Others that are answered after it speak for the source.

  bool operator==(const Tries&) const = default;
};

/// The call that failed.
struct FailedCall {
  ErrorKind kind = ErrorKind::kTransient;
  int attempt = 1;            ///< How often it was asked, this time included.
  size_t series = 1;          ///< How many series it asked for; 0: it is about none.
  bool is_divisible = false;  ///< More than one series, or one for a time that can be halved.
  SourceState source = SourceState::kAnswers;
};

/// A series is named only for what it causes itself. So a failure that may pass counts against a
/// call only while others are answered; while the source is silent all wait, until it is gone.
Step NextStep(const FailedCall& failed);

inline constexpr int kAttemptsMax = 8;           ///< of a series while others are answered
inline constexpr int kSharedAttemptsMax = 2;     ///< of a call for many: its parts are asked anyway
inline constexpr int kFirstAttemptsMax = 6;      ///< of a source that has never answered
inline constexpr int kTimedOutAttemptsMax = 2;   ///< they are long, and asking for less helps
inline constexpr int kMalformedAttemptsMax = 3;  ///< a proxy may speak once; we must not miss a bug

/// The pause before a call is asked for the `retry`th time again: doubles from `first` up to 30 s.
/// `random` in [0, 1) spreads many callers over the upper half of it.
Duration RetryPause(Duration first, int retry, double random);

/// The server's `Retry-After` as far as we follow it.
inline constexpr Duration kRetryAfterMax = Duration::Minutes(10);

/// Before one that goes on for days asks again with a password that was refused: seldom enough that
/// it locks no account.
inline constexpr Duration kAuthPause = Duration::Minutes(15);
/// Before it asks again for what the server refuses to do: it may be told to permit it.
inline constexpr Duration kRefusedPause = Duration::Minutes(10);

/// Series of one server that fail one after the other, with none in between that comes: is it them
/// or the server? Cheap doubt, so that a plant is not named series by series because its archive
/// went away or a permission was taken.
class Streak {
 public:
  void Came() { failed_ = 0; }
  /// True if the server should be asked for a series that it has given before.
  bool Failed() { return ++failed_ % kDoubtedAfter == 0; }

  static constexpr int kDoubtedAfter = 25;

 private:
  int failed_ = 0;
};

/// Whether a server that refused `failed` of the `asked` series refuses us rather than them.
/// Of a few it proves nothing, and a person reads their names quickly.
constexpr bool RefusesUs(size_t asked, size_t failed) {
  constexpr size_t kTooFewToTell = 10;
  return asked >= kTooFewToTell && failed == asked;
}

}  // namespace pilake::plan
