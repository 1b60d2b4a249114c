// SPDX-License-Identifier: Apache-2.0
#include "plan/record.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>

namespace pilake::plan {
namespace {

/// Takes words and lines off the front of a text; every step may fail, none reads beyond the end.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<std::string_view> Line() {
    const size_t end = text_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }

  std::optional<std::string_view> Word() {
    if (text_.empty()) return std::nullopt;
    const size_t end = std::min(text_.find(' '), text_.size());
    const std::string_view word = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    if (word.empty()) return std::nullopt;
    return word;
  }

  template <typename Number>
  bool Take(Number& number, int base = 10) {
    const auto word = Word();
    if (!word) return false;
    const auto [end, error] =
        std::from_chars(word->data(), word->data() + word->size(), number, base);
    return error == std::errc() && end == word->data() + word->size();
  }

  bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

bool TakeRanges(std::string_view text, Ranges& ranges) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    TimeRange range;
    const char* end = part.data() + part.size();
    const auto from = std::from_chars(part.data(), end, range.begin.ticks);
    if (from.ec != std::errc() || from.ptr == end || *from.ptr != '-') return false;
    const auto through = std::from_chars(from.ptr + 1, end, range.end.ticks);
    if (through.ec != std::errc() || through.ptr != end || range.empty()) return false;
    if (!ranges.empty() && range.begin <= ranges.back().end) return false;
    ranges.push_back(range);
  }
  return true;
}

bool TakeLook(Scanner& line, std::vector<Look>& looks) {
  const auto word = line.Word();
  const auto reason = word ? ParseLookReason(*word) : std::nullopt;
  if (!reason) return false;
  Look& look = looks.emplace_back();
  look.reason = *reason;
  return line.Take(look.range.begin.ticks) && line.Take(look.range.end.ticks) &&
         line.Take(look.due.ticks) && line.Take(look.attempt) && line.Take(look.seen, 16) &&
         !look.range.empty() && look.attempt >= 0;
}

/// A text as one word.
void AppendWord(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c > ' ' && c < 0x7f && c != '%') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02x}", static_cast<unsigned char>(c));
    }
  }
}

bool TakeText(Scanner& line, std::string& text) {
  const auto word = line.Word();
  if (!word) return false;
  for (size_t i = 0; i < word->size(); ++i) {
    if ((*word)[i] != '%') {
      text += (*word)[i];
      continue;
    }
    unsigned char byte = 0;
    const char* digits = word->data() + i + 1;
    if (i + 2 >= word->size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
      return false;
    text += static_cast<char>(byte);
    i += 2;
  }
  return true;
}

bool TakeQuarantine(Scanner& line, Quarantine& quarantine) {
  return line.Take(quarantine.since.ticks) && line.Take(quarantine.attempts) &&
         line.Take(quarantine.next_try.ticks) && TakeText(line, quarantine.tag) &&
         TakeText(line, quarantine.reason) && quarantine.attempts >= 1;
}

bool TakeWord(std::string_view word, Scanner& line, SeriesCoverage& series) {
  if (word == "anchor") {
    Instant& anchor = series.anchor.emplace();
    return line.Take(anchor.time.ticks) && line.Take(anchor.count) &&
           line.Take(anchor.digest, 16) && anchor.count >= 1;
  }
  if (word == "probed") {
    Snapshot& probed = series.probed.emplace();
    return line.Take(probed.time.ticks) && line.Take(probed.digest, 16);
  }
  if (word == "looked") return line.Take(series.looked.emplace().ticks);
  if (word == "held") return line.Take(series.held.emplace().ticks);
  if (word == "outage") return line.Take(series.outage.emplace().ticks);
  if (word == "quarantine") return TakeQuarantine(line, series.quarantine.emplace());
  return word == "look" && TakeLook(line, series.looks);
}

/// What follows the WebID.
bool TakeSeries(Scanner line, SeriesCoverage& series) {
  const auto ranges = line.Word();
  if (!ranges || (*ranges != "-" && !TakeRanges(*ranges, series.ranges))) return false;
  while (!line.empty()) {
    const auto word = line.Word();
    if (!word || !TakeWord(*word, line, series)) return false;
  }
  return true;
}

/// What follows the WebID.
void WriteSeries(std::string& text, const SeriesCoverage& series) {
  auto out = std::back_inserter(text);
  if (series.ranges.empty()) text += '-';
  for (size_t i = 0; i < series.ranges.size(); ++i) {
    fmt::format_to(out, "{}{}-{}", i == 0 ? "" : ",", series.ranges[i].begin.ticks,
                   series.ranges[i].end.ticks);
  }
  if (series.anchor) {
    fmt::format_to(out, " anchor {} {} {:x}", series.anchor->time.ticks, series.anchor->count,
                   series.anchor->digest);
  }
  if (series.probed) {
    fmt::format_to(out, " probed {} {:x}", series.probed->time.ticks, series.probed->digest);
  }
  if (series.looked) fmt::format_to(out, " looked {}", series.looked->ticks);
  if (series.held) fmt::format_to(out, " held {}", series.held->ticks);
  if (series.outage) fmt::format_to(out, " outage {}", series.outage->ticks);
  if (const auto& quarantine = series.quarantine) {
    fmt::format_to(out, " quarantine {} {} {} ", quarantine->since.ticks, quarantine->attempts,
                   quarantine->next_try.ticks);
    AppendWord(text, quarantine->tag);
    text += ' ';
    AppendWord(text, quarantine->reason);
  }
  for (const Look& look : series.looks) {
    fmt::format_to(out, " look {} {} {} {} {} {:x}", Name(look.reason), look.range.begin.ticks,
                   look.range.end.ticks, look.due.ticks, look.attempt, look.seen);
  }
}

/// The value behind `key` on the next line.
std::optional<std::string_view> Field(Scanner& lines, std::string_view key) {
  const auto line = lines.Line();
  if (!line || line->size() <= key.size() || !line->starts_with(key) ||
      (*line)[key.size()] != ' ') {
    return std::nullopt;
  }
  return line->substr(key.size() + 1);
}

tl::unexpected<Error> Damaged(std::string_view what) {
  return Fail(ErrorKind::kMalformed, "the coverage record in the table is damaged: {}", what);
}

tl::unexpected<Error> DamagedBase(size_t row) {
  return Fail(ErrorKind::kMalformed, "the coverage base file is damaged at row {}", row);
}

/// The tail's lines of a record of format 2.
bool TakeTail(Scanner& lines, CoverageRecord& record) {
  const auto count_text = Field(lines, "tail");
  if (!count_text) return false;
  if (*count_text == "-") return true;
  size_t count = 0;
  if (!Scanner(*count_text).Take(count)) return false;
  record.tail.emplace();
  for (size_t i = 0; i < count; ++i) {
    const auto path = Field(lines, "file");
    if (!path) return false;
    record.tail->emplace_back(*path);
  }
  return true;
}

void AppendRow(const Coverage::value_type& entry, BaseRows& rows) {
  rows.web_id.push_back(entry.first);
  std::string line;
  WriteSeries(line, entry.second);
  rows.line.push_back(line);
}

}  // namespace

std::string FormatRecord(const CoverageRecord& record) {
  std::string text =
      fmt::format("pilake-coverage {}\ntable {}\nversion {}\nbase {}\n", kRecordFormat,
                  record.table_id, record.version, record.base.empty() ? "-" : record.base);
  auto out = std::back_inserter(text);
  if (record.tail) {
    fmt::format_to(out, "tail {}\n", record.tail->size());
    for (const std::string& path : *record.tail) fmt::format_to(out, "file {}\n", path);
  } else {
    text += "tail -\n";
  }
  for (const auto& [web_id, series] : record.overrides) {
    fmt::format_to(out, "series {} ", web_id);
    WriteSeries(text, series);
    text += '\n';
  }
  return text + fmt::format("end {}\n", record.overrides.size());
}

Result<CoverageRecord> ParseRecord(std::string_view text) {
  Scanner lines(text);
  CoverageRecord record;
  int format = 0;
  const auto head = Field(lines, "pilake-coverage");
  if (!head || !Scanner(*head).Take(format) || format < 1) return Damaged("no format version");
  if (format > kRecordFormat) {
    return Fail(ErrorKind::kInvalid,
                "the table's coverage record has format {}, this pilake knows formats up to {}: "
                "use the version of pilake that wrote it, or a newer one",
                format, kRecordFormat);
  }
  const auto table = Field(lines, "table");
  const auto version = Field(lines, "version");
  const auto base = Field(lines, "base");
  if (!table || !version || !base || !Scanner(*version).Take(record.version))
    return Damaged("its head");
  record.table_id = *table;
  if (*base != "-") record.base = *base;
  if (format >= 2 && !TakeTail(lines, record)) return Damaged("its tail");

  size_t count = 0;
  for (auto line = lines.Line(); line; line = lines.Line()) {
    Scanner words(*line);
    const auto key = words.Word();
    if (key == "series") {
      const auto web_id = words.Word();
      SeriesCoverage series;
      if (!web_id || !TakeSeries(words, series)) return Damaged(*line);
      if (!record.overrides.emplace(*web_id, std::move(series)).second) return Damaged(*line);
      continue;
    }
    if (key != "end" || !words.Take(count) || !lines.empty()) return Damaged(*line);
    if (count != record.overrides.size()) break;
    return record;
  }
  return Damaged("it was cut short");
}

BaseRows ToBaseRows(const Coverage& coverage, const Coverage& beneath) {
  BaseRows rows;
  const size_t count = std::max(coverage.size(), beneath.size());
  rows.web_id.reserve(count);
  rows.line.reserve(count);
  auto below = beneath.begin();
  for (const auto& entry : coverage) {
    for (; below != beneath.end() && below->first < entry.first; ++below) AppendRow(*below, rows);
    if (below != beneath.end() && below->first == entry.first) ++below;
    AppendRow(entry, rows);
  }
  for (; below != beneath.end(); ++below) AppendRow(*below, rows);
  return rows;
}

Result<Coverage> FromBaseRows(const BaseRows& rows) {
  if (rows.line.size() != rows.web_id.size()) return DamagedBase(0);
  Coverage coverage;
  for (size_t row = 0; row < rows.web_id.size(); ++row) {
    SeriesCoverage series;
    if (!TakeSeries(Scanner(rows.line[row]), series)) return DamagedBase(row);
    const bool is_new = coverage.emplace(rows.web_id[row], std::move(series)).second;
    if (!is_new) return DamagedBase(row);
  }
  return coverage;
}

Result<Coverage> FromBaseRows1(const Texts& web_ids,
                               const std::vector<std::vector<int64_t>>& columns) {
  constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
  constexpr size_t kColumns = 7;
  if (columns.size() != kColumns) return DamagedBase(0);
  for (const auto& column : columns) {
    if (column.size() != web_ids.size()) return DamagedBase(0);
  }
  Coverage coverage;
  for (size_t row = 0; row < web_ids.size(); ++row) {
    const auto at = [&](size_t column) { return columns[column][row]; };
    const TimeRange range{UtcTime{at(0)}, UtcTime{at(1)}};
    SeriesCoverage& series = coverage[std::string(web_ids[row])];
    if (range.empty() || (!series.ranges.empty() && range.begin <= series.ranges.back().end)) {
      return DamagedBase(row);
    }
    series.ranges.push_back(range);
    if (at(2) != kNone) {
      if (at(3) < 1) return DamagedBase(row);
      series.anchor = Instant{UtcTime{at(2)}, at(3), std::bit_cast<uint64_t>(at(4))};
    }
    if (at(5) != kNone) series.probed = Snapshot{UtcTime{at(5)}, std::bit_cast<uint64_t>(at(6))};
  }
  return coverage;
}

}  // namespace pilake::plan
