// SPDX-License-Identifier: Apache-2.0
// What all readers of PI's JSON share; inside `decode` only. The reader is simdjson's On-Demand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "core/http_status.h"
#include "core/result.h"

namespace pilake::decode {

namespace od = simdjson::ondemand;

/// A body with the spare bytes behind it that simdjson reads. For one thread at a time.
class Body {
 public:
  explicit Body(std::string text) : text_(std::move(text)) {
    text_.reserve(text_.size() + simdjson::SIMDJSON_PADDING);
  }

  std::string_view text() const { return text_; }
  const char* begin() const { return text_.data(); }
  const char* end() const { return text_.data() + text_.size(); }  ///< holds a zero byte

  /// Whether the text is UTF-8; looked at once, when first asked.
  bool is_utf8() const {
    if (!is_utf8_) is_utf8_ = simdjson::validate_utf8(text_);
    return *is_utf8_;
  }

 private:
  std::string text_;
  mutable std::optional<bool> is_utf8_;
};

/// The thread's parser; its buffers grow to the largest body it saw.
od::parser& ThreadParser();

/// Starts reading `length` bytes at `text`, which lie in a Body.
simdjson::simdjson_result<od::document> Iterate(const char* text, size_t length);

/// What a body is that could not be read: cut short, or no JSON.
Error Damage(const Body& body, simdjson::error_code code);

/// The scalar's JSON text, or the first character of an object or array.
std::string_view Token(od::value& value);

/// True for a value that says nothing: null, or an empty string, array or object.
bool IsNothing(od::value& value);

/// What a WebException, `Errors` or `Exception` says, on one line; and the status it names, or 0.
struct Complaint {
  std::string text;
  int status = 0;
};
simdjson::error_code ReadComplaint(od::value& value, Complaint& complaint);

/// The error of a WebException at the end of a body: credentials and addresses were good, since
/// reading had begun, so asking again is right unless too much was asked.
Error BrokenOff(const Complaint& complaint);

/// The error of one stream, part or item, by the status it came with.
Error Refused(const Complaint& complaint);

/// True if nothing but space follows what was read.
bool IsAtEnd(od::document& document);

}  // namespace pilake::decode
