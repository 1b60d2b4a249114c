// SPDX-License-Identifier: Apache-2.0
#include "plan/quarantine.h"

namespace pilake::plan {
namespace {

// The record is written with every commit: it shall not grow by the pages that servers send.
constexpr size_t kReasonBytesMax = 200;

std::string BeginningOf(std::string_view reason) {
  if (reason.size() <= kReasonBytesMax) return std::string(reason);
  size_t end = kReasonBytesMax;
  const auto is_inside = [&] { return (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80; };
  while (end > 0 && is_inside()) --end;  // of a character
  return std::string(reason.substr(0, end)) + " …";
}

}  // namespace

UtcTime NextTry(int attempts, UtcTime now) {
  if (attempts <= 1) return now;
  if (attempts == 2) return now + Duration::Hours(1);
  if (attempts == 3) return now + Duration::Hours(6);
  return now + Duration::Days(1);
}

Quarantine Quarantined(const Boxed<Quarantine>& before, std::string_view tag,
                       std::string_view reason, UtcTime now) {
  const int attempts = before ? before->attempts + 1 : 1;
  return {.tag = std::string(tag),
          .reason = BeginningOf(reason),
          .since = before ? before->since : now,
          .attempts = attempts,
          .next_try = NextTry(attempts, now)};
}

}  // namespace pilake::plan
