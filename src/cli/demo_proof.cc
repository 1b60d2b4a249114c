// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_proof.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <ostream>
#include <streambuf>
#include <string_view>
#include <utility>
#include <vector>

#include "core/events.h"

namespace pilake::cli {
namespace {

/// A stream that hands on whole lines.
class LineSink : public std::streambuf {
 public:
  explicit LineSink(std::function<void(std::string_view)> take) : take_(std::move(take)) {}

 protected:
  int overflow(int c) override {
    if (c != traits_type::eof()) Add(static_cast<char>(c));
    return c;
  }
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    for (std::streamsize i = 0; i < count; ++i) Add(text[i]);
    return count;
  }

 private:
  void Add(char c) {
    if (c == '"') in_quotes_ = !in_quotes_;
    if (c != '\n' || in_quotes_) {
      line_ += c;
      return;
    }
    take_(line_);
    line_.clear();
  }

  std::function<void(std::string_view)> take_;
  std::string line_;
  bool in_quotes_ = false;
};

/// The fields of a CSV line; quoted ones lose their quotes.
std::vector<std::string> Fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool in_quotes = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && in_quotes && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += c;
      ++i;
    } else if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == ',' && !in_quotes) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

template <typename Number>
Number NumberIn(const std::string& text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// What is compared of a row.
struct Row {
  int64_t ticks = 0;
  int32_t ordinal = 0;
  std::string kind, text;
  int64_t number = 0;  ///< bits of a float, an integer, or a code

  bool operator==(const Row&) const = default;
};

enum Column {
  kWebId,
  kName,
  kTime,
  kTicks,
  kOrdinal,
  kValue,
  kInt,
  kString,
  kCode,
  kKind,
  kColumns = 16
};

Row TrueRow(const std::vector<std::string>& fields) {
  Row row{.ticks = NumberIn<int64_t>(fields[kTicks]),
          .ordinal = NumberIn<int32_t>(fields[kOrdinal]),
          .kind = fields[kKind],
          .text = fields[kString]};
  if (row.kind == "float") row.number = std::bit_cast<int64_t>(NumberIn<double>(fields[kValue]));
  if (row.kind == "int") row.number = NumberIn<int64_t>(fields[kInt]);
  if (!fields[kCode].empty()) row.number = NumberIn<int64_t>(fields[kCode]);
  return row;
}

Row TableRow(const delta::Rows& rows, size_t i) {
  return {.ticks = rows.events.ticks[i],
          .ordinal = rows.ordinal[i],
          .kind = std::string(Name(rows.events.kind[i])),
          .text = std::string(rows.events.text_at(i)),
          .number = rows.events.number[i]};
}

/// Walks through archive and table side by side; both are in key order.
class Comparison {
 public:
  explicit Comparison(delta::Rows table) : table_(std::move(table)) {}

  void Take(std::string_view line) {
    const std::vector<std::string> fields = Fields(line);
    if (fields.size() != kColumns || fields[kWebId] == "tag_webid") return;
    if (fields[kWebId] != web_id_) EndSeries();
    web_id_ = fields[kWebId];
    rows_.push_back(TrueRow(fields));
  }

  Proof End() {
    EndSeries();
    proof_.different += static_cast<int64_t>(table_.size() - at_);  // of series the archive lacks
    return proof_;
  }

 private:
  void EndSeries() {
    if (web_id_.empty()) return;
    for (; at_ < table_.size() && table_.tag_webid[at_] < web_id_; ++at_) ++proof_.different;
    size_t row = 0;
    for (; at_ < table_.size() && table_.tag_webid[at_] == web_id_; ++at_, ++row) {
      proof_.different += row < rows_.size() && rows_[row] == TableRow(table_, at_) ? 0 : 1;
    }
    proof_.different += static_cast<int64_t>(rows_.size() - std::min(row, rows_.size()));
    proof_.rows += static_cast<int64_t>(rows_.size());
    proof_.series += 1;
    rows_.clear();
  }

  const delta::Rows table_;
  size_t at_ = 0;  // the table's next row
  std::string web_id_;
  std::vector<Row> rows_;  // the archive's, of `web_id_`
  Proof proof_;
};

}  // namespace

Result<Proof> ProveEqual(const sim::TruthOptions& truth, UtcTime now, const delta::Table& table) {
  ASSIGN_OR_RETURN(delta::Rows rows, table.ReadRows({}));
  Comparison comparison(std::move(rows));
  LineSink sink([&](std::string_view line) { comparison.Take(line); });
  std::ostream out(&sink);
  RETURN_IF_ERROR(sim::WriteTruth(truth, now, out));
  return comparison.End();
}

}  // namespace pilake::cli
