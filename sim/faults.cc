// SPDX-License-Identifier: Apache-2.0
// Faults by name, rate and seed: what goes wrong between a right archive and its client.
#include "sim/faults.h"

#include <charconv>
#include <string>

#include "sim/hash.h"

namespace pilake::sim {
namespace {

constexpr std::string_view kNames[kFaultKinds] = {"401",
                                                  "429",
                                                  "500",
                                                  "502",
                                                  "503",
                                                  "504",
                                                  "html403",
                                                  "html502",
                                                  "hang_up",
                                                  "cut_head",
                                                  "reset",
                                                  "truncate",
                                                  "no_answer",
                                                  "stall",
                                                  "slow",
                                                  "webexception",
                                                  "stream_webexception",
                                                  "empty200",
                                                  "html200",
                                                  "garbage200",
                                                  "markers_lost",
                                                  "part500",
                                                  "part429",
                                                  "message_dropped",
                                                  "message_twice",
                                                  "channel_cut",
                                                  "channel_closed",
                                                  "channel_stall"};

}  // namespace

std::string_view Name(Fault fault) {
  return fault == Fault::kNone ? "none" : kNames[static_cast<size_t>(fault)];
}

Result<Fault> FindFault(std::string_view name) {
  std::string all;
  for (size_t i = 0; i < kFaultKinds; ++i) {
    if (kNames[i] == name) return static_cast<Fault>(i);
    all += (all.empty() ? "" : ", ") + std::string(kNames[i]);
  }
  return Fail(ErrorKind::kInvalid, "no fault is called '{}'; there are {}", name, all);
}

Status ApplyFault(std::string_view assignment, FaultOptions& options) {
  const size_t equals = assignment.find('=');
  const std::string_view rate =
      equals == std::string_view::npos ? std::string_view() : assignment.substr(equals + 1);
  FaultRule rule;
  ASSIGN_OR_RETURN(rule.fault, FindFault(assignment.substr(0, equals)));
  const auto [end, error] = std::from_chars(rate.data(), rate.data() + rate.size(), rule.rate);
  if (error != std::errc() || end != rate.data() + rate.size() || rule.rate < 0 || rule.rate > 1) {
    return Fail(ErrorKind::kInvalid, "the rate of fault '{}' is between 0 and 1, not '{}'",
                Name(rule.fault), rate);
  }
  options.rules.push_back(rule);
  return {};
}

FaultPlan::Decision FaultPlan::Next(UtcTime now) {
  return Decide(calls_++, now, Target::kCall);
}
FaultPlan::Decision FaultPlan::NextPart(UtcTime now) {
  return Decide(parts_++, now, Target::kPart);
}
FaultPlan::Decision FaultPlan::NextMessage(UtcTime now) {
  return Decide(messages_++, now, Target::kMessage);
}

bool FaultPlan::Strikes(Fault fault, Target target) {
  switch (target) {
    case Target::kCall:
      return fault < Fault::kPart500;
    case Target::kPart:
      return fault == Fault::kPart500 || fault == Fault::kPart429 || fault == Fault::kWebException;
    case Target::kMessage:
      return fault >= Fault::kMessageDropped;
  }
  return false;
}

FaultPlan::Decision FaultPlan::Decide(uint64_t n, UtcTime now, Target target) const {
  constexpr uint64_t kSeeds[] = {0, 0x70617274ULL, 0x6d7367ULL};
  const uint64_t draw = Draw(options_.seed ^ kSeeds[static_cast<size_t>(target)], n);
  double at = static_cast<double>(draw >> 11) * 0x1p-53;
  for (const FaultRule& rule : options_.rules) {
    if (!Strikes(rule.fault, target)) continue;
    if (!rule.when.contains(now) || n < rule.first_call || n > rule.last_call) continue;
    if (at < rule.rate) return {rule.fault, Mix(draw)};
    at -= rule.rate;
  }
  return {Fault::kNone, Mix(draw)};
}

}  // namespace pilake::sim
