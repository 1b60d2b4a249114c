// SPDX-License-Identifier: Apache-2.0
// Any text is a coverage record that keeps its order and comes back as it was written, or an error.
#include "plan/record.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace pilake;  // NOLINT(google-build-using-namespace): a program of its own

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckSeries(const plan::SeriesCoverage& series) {
  for (size_t i = 0; i < series.ranges.size(); ++i) {
    Require(!series.ranges[i].empty());
    Require(i == 0 || series.ranges[i - 1].end < series.ranges[i].begin);
  }
  if (series.anchor) Require(series.anchor->count >= 1);
  for (const plan::Look& look : series.looks) Require(!look.range.empty() && look.attempt >= 0);
}

void CheckBase(std::string_view text) {
  // Each line as a row: the WebID, a blank, the rest.
  plan::BaseRows rows;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const size_t blank = std::min(line.find(' '), line.size());
    rows.web_id.push_back(line.substr(0, blank));
    rows.line.push_back(line.substr(std::min(blank + 1, line.size())));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto coverage = plan::FromBaseRows(rows);
  if (!coverage) return Require(coverage.error().kind == ErrorKind::kMalformed);
  for (const auto& [web_id, series] : *coverage) CheckSeries(series);
  const auto again = plan::FromBaseRows(plan::ToBaseRows(*coverage));
  Require(again && *again == *coverage);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // libFuzzer hands over unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckBase(text);
  const auto record = plan::ParseRecord(text);
  if (!record) {
    Require(record.error().kind == ErrorKind::kMalformed ||
            record.error().kind == ErrorKind::kInvalid);
    return 0;
  }
  for (const auto& [web_id, series] : record->overrides) CheckSeries(series);
  const auto again = plan::ParseRecord(plan::FormatRecord(*record));
  Require(again && *again == *record);
  return 0;
}
