// SPDX-License-Identifier: Apache-2.0
// The coverage record: how coverage is written into the table and read back, damage included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/texts.h"
#include "plan/coverage.h"

namespace pilake::plan {

/// The format that this version writes; it reads those before it too. A newer one is refused: it
/// may say what we cannot keep.
inline constexpr int kRecordFormat = 2;

/// What the table's domain metadata holds under `pilake.coverage`.
///
/// Text, a line an entry, so that a person can read it in the log:
///
///     pilake-coverage 2
///     table <table id>
///     version <version of the commit that carries this record>
///     base <path of the base file below the table's folder, or ->
///     tail <number of tail files, or - if the table shows final rows only>
///     file <path of a tail file>
///     series <WebID> <from>-<through>[,…] [<word> <its values>]…
///     end <number of series lines>
///
/// Words of a series: `anchor <ticks> <count> <digest>`, `probed <ticks> <digest>`, `looked
/// <ticks>`, `held <ticks>`, `outage <ticks>`, `quarantine <since> <attempts> <next try> <tag>
/// <reason>`, and for each look `look <reason> <from> <through> <due> <attempt> <seen>`. Tag and
/// reason are written with `%` and two hexadecimal digits for all but printable ASCII. Times are
/// 100-ns ticks since 1970, digests hexadecimal; `-` stands for no range at all. A series line
/// overrides what the base file says of that series. The closing line tells a record that was cut.
/// Format 1 had no tail and of the words only the first two.
struct CoverageRecord {
  std::string table_id;
  int64_t version = 0;
  std::string base;  ///< Empty: no base file.
  /// Paths of the files whose rows are younger than what is covered. Nothing: the table shows final
  /// rows only.
  std::optional<std::vector<std::string>> tail;
  Coverage overrides;

  bool operator==(const CoverageRecord&) const = default;
};

std::string FormatRecord(const CoverageRecord& record);

/// `kMalformed` for a damaged record, `kInvalid` for one of a newer version of pilake.
Result<CoverageRecord> ParseRecord(std::string_view text);

/// Coverage as rows for the base file: WebID, and the rest of its series line.
struct BaseRows {
  Texts web_id;
  Texts line;
};

/// Of `coverage`, and of the series of `beneath` that it does not hold; in the order of their keys.
BaseRows ToBaseRows(const Coverage& coverage, const Coverage& beneath = {});

/// `kMalformed` if the rows are not what `ToBaseRows` makes.
Result<Coverage> FromBaseRows(const BaseRows& rows);

/// The base file of format 1: a row per range, with the columns from, through, anchor time, count
/// and digest, probed time and digest. `kMalformed` if the rows are not that.
Result<Coverage> FromBaseRows1(const Texts& web_ids,
                               const std::vector<std::vector<int64_t>>& columns);

}  // namespace pilake::plan
