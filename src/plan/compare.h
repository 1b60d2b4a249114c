// SPDX-License-Identifier: Apache-2.0
// Compare: what the archive and the table say of one series, held against each other instant by
// instant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/events.h"
#include "core/time.h"

namespace pilake::plan {

/// Rows `[begin, end)` of some events, all at one time.
struct RowSpan {
  size_t begin = 0, end = 0;
  size_t size() const { return end - begin; }
};

/// One instant at which the two differ. Instants are compared whole, since an ordinal is a position
/// and no identity.
struct Difference {
  enum class Kind : uint8_t {
    kMissing,  ///< The archive has events there, the table has none.
    kChanged,  ///< Both have some, and not the same.
    kGone,     ///< The table has rows there, the archive has none.
  };
  Kind kind = Kind::kMissing;
  UtcTime time;
  RowSpan archive, table;
  /// Instants that are the same in both stand before and behind it: the archive answered for this
  /// stretch of time.
  bool is_framed = false;
  /// At least behind it one does.
  bool is_followed = false;
};

struct Comparison {
  std::vector<Difference> differences;  ///< ascending
  size_t archive_rows = 0, table_rows = 0;
  size_t same_instants = 0;

  size_t rows_gone() const;
  /// Differences of that kind.
  size_t count(Difference::Kind kind) const;
  bool is_equal() const { return differences.empty(); }
};

/// False if so few instants of the table are the same in the archive that they may be so by chance,
/// such as the row of a point's creation: then it is another archive. At least a twentieth must be.
bool IsOfOneArchive(const Comparison& comparison);

/// True for rows so few that nothing can be told by how many are the same, if the archive has
/// events at all of their very times: then they were edited.
bool AreFewAndEdited(const Comparison& comparison);

/// Both in the order of time. Every column counts that `SameEvent` looks at. `goes_on`: the archive
/// has shown an event behind all of them, which frames the last differences.
Comparison Compare(const Events& archive, const Events& table, bool goes_on = false);

/// The gone instants around which the archive shows nothing for longer than `silence`. They may
/// have been deleted, or that part of the archive is not mounted: of this series alone it cannot be
/// told.
std::vector<UtcTime> GoneInSilence(const Comparison& comparison, const Events& archive,
                                   Duration silence);

/// A digest of the instants that are gone, to see whether two looks agree; 0 if none is.
uint64_t DigestOfGone(const Comparison& comparison);

/// Whether rows that the archive does not show may leave the table at once: two looks agree
/// (`seen` is the digest of the look before), each stands between instants that are the same, and
/// they are no more than a hundredth of what was compared. `is_shown`: it is known from elsewhere
/// that the archive holds the time before all that was compared, of which the table has nothing.
bool MayDelete(const Comparison& comparison, uint64_t seen, bool is_shown = false);

/// The same where others wrote into the table, so that the table is in doubt and not the archive:
/// in any number, but in no stretch in which the archive, if it showed all it has, would be silent
/// out of character. That may be an archive file that is not mounted.
bool MayReplace(const Comparison& comparison);

}  // namespace pilake::plan
