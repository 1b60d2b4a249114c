// SPDX-License-Identifier: Apache-2.0
// The log: one event, one line of logfmt. Never a secret, never a body.
#pragma once

#include <functional>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/clock.h"

namespace pilake::ops {

enum class Level {
  kError,  ///< A person must act.
  kWarn,   ///< Something went wrong and we coped.
  kInfo,   ///< Where a run begins and ends.
  kDebug,
};

/// `{"wait_ms", 250}`; a value is anything that fmt can write.
struct Field {
  template <typename T>
  Field(std::string_view name, const T& v) : key(name), value(fmt::format("{}", v)) {}

  std::string_view key;
  std::string value;
};

/// Safe for use from many threads.
class Log {
 public:
  /// Takes one whole line with its line break; called by one thread at a time.
  using Sink = std::function<void(std::string_view line)>;

  /// Lines less urgent than `threshold` are left out. `clock` must outlive this.
  Log(Level threshold, const Clock& clock, Sink sink)
      : threshold_(threshold), clock_(clock), sink_(std::move(sink)) {}

  /// `log.Write(Level::kWarn, "retry", {{"kind", "transient"}, {"wait_ms", 250}});`
  void Write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

 private:
  Level threshold_;
  const Clock& clock_;
  Sink sink_;
  std::mutex mutex_;  // one line at a time
};

/// Writes to stderr, each line at once.
Log::Sink StderrSink();

/// `time=… level=warn event=retry kind=transient wait_ms=250` and a line break. A value with
/// spaces, quotes, `=` or control characters is quoted, so that a line is always one line.
std::string LogLine(UtcTime time, Level level, std::string_view event,
                    std::initializer_list<Field> fields);

}  // namespace pilake::ops
