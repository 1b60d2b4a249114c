// SPDX-License-Identifier: Apache-2.0
#include "plan/compare.h"

#include <algorithm>

namespace pilake::plan {
namespace {

/// The rows from `begin` on that share its time.
RowSpan InstantAt(const Events& events, size_t begin) {
  size_t end = begin + 1;
  while (end < events.size() && events.ticks[end] == events.ticks[begin]) ++end;
  return {begin, end};
}

bool IsSame(const Events& archive, RowSpan a, const Events& table, RowSpan b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameEvent(archive, a.begin + i, table, b.begin + i)) return false;
  }
  return true;
}

}  // namespace

size_t Comparison::rows_gone() const {
  size_t rows = 0;
  for (const Difference& difference : differences) {
    if (difference.kind == Difference::Kind::kGone) rows += difference.table.size();
  }
  return rows;
}

size_t Comparison::count(Difference::Kind kind) const {
  return static_cast<size_t>(std::ranges::count(differences, kind, &Difference::kind));
}

bool IsOfOneArchive(const Comparison& comparison) {
  const size_t others =
      comparison.differences.size() - comparison.count(Difference::Kind::kMissing);
  const size_t instants = comparison.same_instants + others;
  return comparison.same_instants > 0 && comparison.same_instants * 20 >= instants;
}

bool AreFewAndEdited(const Comparison& comparison) {
  constexpr size_t kFewInstants = 5;
  const size_t changed = comparison.count(Difference::Kind::kChanged);
  return comparison.same_instants == 0 && comparison.count(Difference::Kind::kGone) == 0 &&
         changed > 0 && changed <= kFewInstants;
}

Comparison Compare(const Events& archive, const Events& table, bool goes_on) {
  Comparison comparison{.archive_rows = archive.size(), .table_rows = table.size()};
  size_t a = 0, t = 0;
  size_t framed_from = 0;  // differences before it have a same instant behind them
  const auto frame = [&] {
    // What lies between two same instants is framed by them.
    for (; framed_from < comparison.differences.size(); ++framed_from) {
      comparison.differences[framed_from].is_framed = comparison.same_instants > 0;
      comparison.differences[framed_from].is_followed = true;
    }
  };
  while (a < archive.size() || t < table.size()) {
    const bool in_archive =
        a < archive.size() && (t == table.size() || archive.ticks[a] <= table.ticks[t]);
    const bool in_table =
        t < table.size() && (a == archive.size() || table.ticks[t] <= archive.ticks[a]);
    const RowSpan of_archive = in_archive ? InstantAt(archive, a) : RowSpan{a, a};
    const RowSpan of_table = in_table ? InstantAt(table, t) : RowSpan{t, t};
    const UtcTime time = in_archive ? archive.time(a) : table.time(t);
    a = of_archive.end;
    t = of_table.end;
    if (in_archive && in_table && IsSame(archive, of_archive, table, of_table)) {
      frame();
      ++comparison.same_instants;
      continue;
    }
    const auto kind = !in_table     ? Difference::Kind::kMissing
                      : !in_archive ? Difference::Kind::kGone
                                    : Difference::Kind::kChanged;
    comparison.differences.push_back(
        {.kind = kind, .time = time, .archive = of_archive, .table = of_table});
  }
  if (goes_on) frame();
  return comparison;
}

std::vector<UtcTime> GoneInSilence(const Comparison& comparison, const Events& archive,
                                   Duration silence) {
  std::vector<UtcTime> gone;
  for (const Difference& difference : comparison.differences) {
    if (difference.kind != Difference::Kind::kGone) continue;
    const size_t next = difference.archive.begin;  // behind all of the archive's before it
    const bool is_alone = next == 0 || next == archive.size() ||
                          archive.time(next) - archive.time(next - 1) > silence;
    if (is_alone) gone.push_back(difference.time);
  }
  return gone;
}

uint64_t DigestOfGone(const Comparison& comparison) {
  uint64_t digest = 0;
  for (const Difference& difference : comparison.differences) {
    if (difference.kind != Difference::Kind::kGone) continue;
    digest = (digest ^ static_cast<uint64_t>(difference.time.ticks)) * 0x9e3779b97f4a7c15ull;
    digest = (digest ^ (digest >> 29)) + difference.table.size();
  }
  return digest;
}

bool MayDelete(const Comparison& comparison, uint64_t seen, bool is_shown) {
  const uint64_t digest = DigestOfGone(comparison);
  if (digest == 0 || digest != seen) return false;
  if (comparison.rows_gone() * 100 > comparison.table_rows) return false;
  return std::ranges::all_of(comparison.differences, [&](const Difference& difference) {
    return difference.kind != Difference::Kind::kGone || difference.is_framed ||
           (is_shown && difference.is_followed);
  });
}

bool MayReplace(const Comparison& comparison) {
  // Instants, not rows: many rows of one time make no silence.
  constexpr size_t kInstantsInSilenceMax = 200;
  size_t behind = 0, instants = 0;  // that are gone behind an event of the archive
  for (const Difference& difference : comparison.differences) {
    if (difference.kind != Difference::Kind::kGone) continue;
    if (!difference.is_framed) return false;
    if (difference.archive.begin != behind) instants = 0;
    behind = difference.archive.begin;
    if (++instants > kInstantsInSilenceMax) return false;
  }
  return true;
}

}  // namespace pilake::plan
