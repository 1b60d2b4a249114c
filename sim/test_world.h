// SPDX-License-Identifier: Apache-2.0
// A plant that can be asked without a socket; for tests only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "core/matchers.h"
#include "sim/api.h"
#include "sim/batch.h"
#include "sim/updates.h"

namespace pilake::sim {

inline UtcTime At(std::string_view text) {
  return *ParseUtcTime(text);
}

inline Plant MakePlant(std::string name, int64_t points = 0, uint64_t seed = 1) {
  return *Plant::Make({std::move(name), points, seed, At("2026-03-01T00:00:00Z")},
                      At("2026-03-04T00:00:00Z"));
}

/// The whole body of an answer.
inline std::string Drain(Answer& answer) {
  std::string body = std::move(answer.body);
  if (answer.pieces == nullptr) return body;
  std::string piece;
  for (bool more = true; more && !answer.pieces->IsStuck();) {
    piece.clear();  // as the server does: nothing may rely on an earlier piece
    more = answer.pieces->Append(piece);
    body += piece;
  }
  return body;
}

/// Shows a time that a test moves.
class HandClock : public Clock {
 public:
  explicit HandClock(const UtcTime& now) : now_(now) {}
  UtcTime Now() const override { return now_; }
  bool SleepUntil(UtcTime, const std::stop_token&) const override { return false; }

 private:
  const UtcTime& now_;
};

struct TestWorld {
  explicit TestWorld(Plant made, std::string_view script = "")
      : story(*Story::Make(std::move(made), *ParseScript(script))) {}

  const Story story;
  const Plant& plant = story.plant();
  Readings readings;
  Tally tally;
  UtcTime now = At("2026-03-03T12:00:00Z");
  LateFailure late_failure;
  PipeOptions pipes;
  Updates updates{1};
  HandClock clock{now};
  FaultPlan faults{{}};
  Member member = Member::kFirst;
  Fault fault = Fault::kNone;
  World world{story,   readings, 150'000, At("2026-03-03T00:00:00Z"), std::nullopt, tally, pipes,
              updates, clock,    faults};

  /// Asks `GET /piwebapi` + `target`, or another method; `status` and the body as text.
  std::string Ask(std::string_view target, std::string method = "GET") {
    auto call = MakeCall(world, std::move(method), "/piwebapi" + std::string(target),
                         "https://host/piwebapi", now, member);
    if (call) call->late_failure = late_failure;
    if (call) call->fault = fault;
    Answer answer = call ? Route(*call) : Refusal(call.error());
    status = answer.status;
    headers = answer.headers;
    return Drain(answer);
  }
  boost::json::value AskJson(std::string_view target) { return Parse(Ask(target)); }
  boost::json::value PostJson(std::string_view target) { return Parse(Ask(target, "POST")); }

  std::string AskBatch(std::string_view body) {
    const auto call = MakeCall(world, "POST", "/piwebapi/batch", "https://host/piwebapi", now);
    Answer answer = Batch(*call, body, [](Call part) { return Route(part); });
    status = answer.status;
    return Drain(answer);
  }

  static boost::json::value Parse(const std::string& text) {
    boost::system::error_code error;
    boost::json::value json = boost::json::parse(text, error);
    EXPECT_FALSE(error) << error.message() << " in " << text.substr(0, 2000);
    return json;
  }

  std::string WebIdOf(std::string_view name, WebIdType type = WebIdType::kIdOnly) const {
    WebId id;
    id.type = type;
    id.kind = WebIdKind::kPoint;
    id.server = plant.server_guid();
    id.point_id = plant.PointByName(name)->id;
    id.path = plant.server_name() + "\\" + std::string(name);
    return WriteWebId(id);
  }

  int status = 0;
  web::Headers headers;
};

}  // namespace pilake::sim
