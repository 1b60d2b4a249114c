// SPDX-License-Identifier: Apache-2.0
#include "ops/log.h"

#include <algorithm>
#include <cstdio>

namespace pilake::ops {
namespace {

std::string_view Name(Level level) {
  switch (level) {
    case Level::kError:
      return "error";
    case Level::kWarn:
      return "warn";
    case Level::kInfo:
      return "info";
    case Level::kDebug:
      return "debug";
  }
  return "error";
}

bool NeedsQuotes(std::string_view value) {
  return value.empty() || std::ranges::any_of(value, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= ' ' || byte == 0x7f || c == '"' || c == '=' || c == '\\';
         });
}

void AppendQuoted(std::string& line, std::string_view value) {
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

void Log::Write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level > threshold_) return;
  const std::string line = LogLine(clock_.Now(), level, event, fields);
  const std::lock_guard lock(mutex_);
  sink_(line);
}

Log::Sink StderrSink() {
  return [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); };
}

std::string LogLine(UtcTime time, Level level, std::string_view event,
                    std::initializer_list<Field> fields) {
  std::string line =
      fmt::format("time={} level={} event={}", FormatUtcTime(time), Name(level), event);
  for (const Field& field : fields) {
    line += fmt::format(" {}=", field.key);
    if (NeedsQuotes(field.value)) {
      AppendQuoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  line += '\n';
  return line;
}

}  // namespace pilake::ops
