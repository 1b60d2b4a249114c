// SPDX-License-Identifier: Apache-2.0
// The body of a recorded-data answer, of one stream or of a set, made while it is sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/api.h"
#include "sim/event_json.h"
#include "sim/recorded.h"

namespace pilake::sim {

/// One stream of a recorded answer.
struct RecordedStream {
  const Point* point = nullptr;  ///< null: nobody knows it
  std::string web_id;            ///< as the answer names it; sets only
  int error_status = 0;          ///< not 0: it cannot be read, and `error` says why
  std::string error;
  bool says_errors = false;  ///< in a member `Errors` rather than a WebException

  bool failed() const { return error_status != 0; }
};

/// Renders a few hundred KB a piece, whatever the number of streams and events.
class RecordedBody : public web::Body {
 public:
  enum class Shape : uint8_t { kStream, kSet };

  RecordedBody(const Call& call, Shape shape, std::vector<RecordedStream> streams,
               const RecordedQuery& query, bool annotations = false);

  bool Append(std::string& out) override;

 private:
  enum class Stage : uint8_t { kHead, kStreamHead, kEvents, kStreamTail, kTail, kDone };

  bool Step(std::string& out, size_t enough);
  void BeginDocument(std::string& out);
  void BeginStream(std::string& out);
  bool AppendEvents(std::string& out, size_t enough);
  void EndStream(std::string& out);
  void EndDocument(std::string& out);
  void AppendMember(std::string_view name, std::string& out);
  void AppendWebException(const SelectedFields& fields, std::string_view text, int status,
                          std::string& out);
  void AppendFailure(const SelectedFields& fields, const RecordedStream& stream, std::string& out);
  void FinishObject(std::string& out);
  const SelectedFields* Selected(std::string_view name) const { return object_->Find(name); }

  // A copy of what the call said: the body outlives it.
  const World& world_;
  const std::shared_ptr<const Plant> plant_;
  const std::string base_;
  const UtcTime data_now_;
  const SelectedFields fields_;
  LateFailure late_failure_;
  const Shape shape_;
  const std::vector<RecordedStream> streams_;
  const RecordedQuery query_;
  const bool annotations_;

  const SelectedFields* object_;  ///< selection of the object that holds the `Items` of events
  Stage stage_ = Stage::kHead;
  size_t stream_ = 0;
  bool first_member_ = true;
  std::optional<RecordedReader> reader_;
  std::optional<EventWriter> writer_;
  Event event_;
  int64_t items_ = 0;  ///< events rendered so far
  bool first_event_ = true;
  bool failed_ = false;  ///< the late failure has struck
};

}  // namespace pilake::sim
