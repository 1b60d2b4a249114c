// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ledger.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/clock.h"
#include "delta/keyed_rows.h"
#include "delta/uuid.h"

namespace pilake::pipeline {
namespace {

constexpr char kDomain[] = "pilake.coverage";
constexpr char kBasePrefix[] = "coverage-";  // of base files in `_pilake/`

// A record beyond this becomes a base file: every commit writes the record anew, and checkpoints
// and other engines carry it along.
constexpr size_t kRecordBytesMax = 64 << 10;
constexpr size_t kSeriesBytesMin = 60;  // of a series in it

// For how long a commit goes on trying while other writers come first.
constexpr Duration kCommitPatience = Duration::Minutes(5);

Result<plan::Coverage> ReadBase(const delta::Table& table, const std::string& name) {
  auto bytes = table.GetSideFile(name);
  if (!bytes) {
    return Annotate(std::move(bytes).error(),
                    "the table's coverage stands in _pilake/" + name + ", which cannot be read");
  }
  ASSIGN_OR_RETURN(delta::KeyedRows rows, delta::DecodeKeyedRows(*bytes));
  if (rows.texts.empty()) return plan::FromBaseRows1(rows.key, rows.columns);
  return plan::FromBaseRows({std::move(rows.key), std::move(rows.texts.front())});
}

bool IsLive(const delta::CommitSummary& commit) {
  return !commit.uuid.empty() && commit.operation == kLiveOperation;
}

Result<std::string> WriteBase(delta::Table& table, const plan::Coverage& coverage,
                              const plan::Coverage& beneath) {
  plan::BaseRows rows = plan::ToBaseRows(coverage, beneath);
  delta::KeyedRows keyed{.key = std::move(rows.web_id), .text_names = {"coverage"}};
  keyed.texts.push_back(std::move(rows.line));
  ASSIGN_OR_RETURN(const std::string bytes, delta::EncodeKeyedRows(keyed));
  std::string name = kBasePrefix + delta::NewUuid() + ".parquet";
  RETURN_IF_ERROR(table.PutSideFile(name, bytes));
  return name;
}

}  // namespace

Ledger::Ledger(std::unique_ptr<delta::Table> table, const TableOptions& options)
    : table_(std::move(table)),
      process_uuid_(delta::NewUuid()),
      writer_(options.writer.empty() ? process_uuid_ : options.writer) {}

Result<std::unique_ptr<Ledger>> Ledger::OpenExisting(const TableOptions& options) {
  ASSIGN_OR_RETURN(auto table, delta::Table::Open(options.url, options.store));
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(table), options));
  RETURN_IF_ERROR(ledger->Load());
  return ledger;
}

Result<std::unique_ptr<Ledger>> Ledger::OpenUntrusted(const TableOptions& options) {
  ASSIGN_OR_RETURN(auto table, delta::Table::Open(options.url, options.store));
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(table), options));
  RETURN_IF_ERROR(ledger->table_->ProbeAtomicCreate());
  return ledger;
}

Result<std::unique_ptr<Ledger>> Ledger::Open(const TableOptions& options) {
  auto existing = OpenExisting(options);
  if (!existing && existing.error().kind == ErrorKind::kNotFound) {
    auto created = delta::Table::Create(options.url, options.store);
    if (!created && created.error().kind != ErrorKind::kConflict) {
      return tl::unexpected(std::move(created).error());
    }
    existing = OpenExisting(options);  // also when another run has just created it
  }
  if (!existing) return existing;
  RETURN_IF_ERROR((*existing)->table_->ProbeAtomicCreate());
  RETURN_IF_ERROR((*existing)->KeepHouse());
  return existing;
}

Status Ledger::Load() {
  ++state_;
  coverage_.clear();
  overrides_.clear();
  base_.clear();
  recorded_ = 0;
  tail_.reset();
  tail_is_whole_ = true;
  own_live_files_.clear();
  ASSIGN_OR_RETURN(const auto text, table_->Domain(kDomain));
  if (!text) {
    ASSIGN_OR_RETURN(const delta::TableStats stats, table_->Stats());
    if (stats.files == 0) return {};
    return Fail(
        ErrorKind::kInvalid,
        "{} holds {} files but no coverage record: another tool wrote it, or it is a clone. "
        "`pilake adopt` compares it with the archive and goes on with it",
        table_->url(), stats.files);
  }
  ASSIGN_OR_RETURN(plan::CoverageRecord record, plan::ParseRecord(*text));
  if (record.table_id != table_->table_id()) {
    return Fail(
        ErrorKind::kInvalid,
        "the coverage record in {} speaks of another table ({}, not {}): the table was "
        "replaced or copied. `pilake adopt` compares it with the archive and goes on with it",
        table_->url(), record.table_id, table_->table_id());
  }
  recorded_ = record.version;
  tail_ = std::move(record.tail);
  if (!record.base.empty()) {
    ASSIGN_OR_RETURN(coverage_, ReadBase(*table_, record.base));
    base_ = record.base;
  }
  for (auto& [web_id, series] : record.overrides) {
    overrides_.insert(web_id);
    coverage_.insert_or_assign(web_id, std::move(series));
  }
  RETURN_IF_ERROR(TaintBy(record.version));
  ASSIGN_OR_RETURN(const auto active_tail, ActiveTail());
  if (tail_ && active_tail.size() != tail_->size()) tail_is_whole_ = false;
  return {};
}

/// Coverage survives what data does not: RESTORE, DELETE, INSERT and the like by others leave the
/// record as it was. What such a commit touched since the record's version is to be looked at.
Status Ledger::TaintBy(int64_t version) {
  auto commits = table_->CommitsSince(version);
  if (!commits && commits.error().kind == ErrorKind::kNotFound) {
    return Fail(ErrorKind::kInvalid,
                "versions of {} since pilake's last commit ({}) are missing from its log, so "
                "nobody can tell what changed ({}). `pilake adopt` compares the whole table with "
                "the archive and goes on with it",
                table_->url(), version, commits.error().message);
  }
  if (!commits) return tl::unexpected(std::move(commits).error());
  for (const delta::CommitSummary& commit : *commits) {
    // What is beyond the snapshot is read once we are there.
    if (commit.version <= table_->version()) TakeLive(commit);
    if (!commit.changes_data || !commit.uuid.empty()) continue;
    tail_is_whole_ = false;
    std::set<std::string> tainted;
    for (const auto* files : {&commit.added, &commit.removed}) {
      for (const delta::FileFacts& file : *files) {
        if (file.data_change) Taint(file, tainted);
      }
    }
    Note(fmt::format(
        "version {} ({} by {}) changed rows that pilake wrote: what it may have "
        "touched of {} series is compared with the archive",
        commit.version, commit.operation.empty() ? "a change" : commit.operation,
        commit.engine.empty() ? "an engine without a name" : commit.engine, tainted.size()));
  }
  return {};
}

void Ledger::TakeLive(const delta::CommitSummary& commit) {
  if (!IsLive(commit) || !tail_) return;
  const bool is_own = commit.uuid.starts_with(writer_ + "/");
  for (const delta::FileFacts& file : commit.added) {
    tail_->push_back(file.path);
    if (is_own) own_live_files_.insert(file.path);
  }
}

Result<std::vector<delta::CommitSummary>> Ledger::CatchUp() {
  const int64_t before = table_->version();
  RETURN_IF_ERROR(table_->Refresh());
  std::vector<delta::CommitSummary> commits;
  if (table_->version() == before) return commits;
  ASSIGN_OR_RETURN(commits, table_->CommitsSince(before));
  std::erase_if(commits, [&](const delta::CommitSummary& commit) {
    return commit.version > table_->version();
  });
  if (std::ranges::all_of(commits, IsLive)) {
    for (const delta::CommitSummary& commit : commits) TakeLive(commit);
  } else {
    RETURN_IF_ERROR(Load());
  }
  return commits;
}

void Ledger::Note(std::string sentence) {
  // What was read once is read again after a conflict.
  if (std::ranges::find(notes_, sentence) == notes_.end()) notes_.push_back(std::move(sentence));
}

/// Marks all that `file` may have held of what is covered.
void Ledger::Taint(const delta::FileFacts& file, std::set<std::string>& tainted) {
  for (auto& [web_id, series] : coverage_) {
    if (series.ranges.empty()) continue;
    // PI knows no time before 1970.
    TimeRange range = file.times.value_or(TimeRange{UtcTime{}, *series.through()});
    range.end = std::min(range.end, *series.through());
    if (range.empty() || !file.may_hold(delta::WebIdRange::Only(web_id), range)) continue;
    plan::AddLook(series.looks, plan::FirstLook(plan::LookReason::kForeign, range, UtcTime{}));
    overrides_.insert(web_id);
    tainted.insert(web_id);
  }
}

plan::Coverage Ledger::Changed(const std::vector<plan::Advance>& advances) const {
  plan::Coverage changed;
  for (const plan::Advance& advance : advances) {
    const auto known = coverage_.find(advance.web_id);
    if (known != coverage_.end()) changed.try_emplace(advance.web_id, known->second);
    plan::Apply(changed, advance);
  }
  return changed;
}

Result<std::vector<delta::FileFacts>> Ledger::ActiveTail() const {
  if (!tail_ || tail_->empty()) return std::vector<delta::FileFacts>();
  ASSIGN_OR_RETURN(auto files, table_->ActiveFiles());
  std::erase_if(files, [&](const delta::FileFacts& file) {
    return std::ranges::find(*tail_, file.path) == tail_->end();
  });
  return files;
}

bool Ledger::HasOtherTail(const Change& change) const {
  if (!change.tail_before || tail_ == *change.tail_before) return false;
  const Tail& before = *change.tail_before;
  const bool goes_on = change.is_older_than_live && before && tail_ &&
                       tail_->size() >= before->size() &&
                       std::equal(before->begin(), before->end(), tail_->begin());
  if (!goes_on) return true;
  return !std::all_of(tail_->begin() + static_cast<std::ptrdiff_t>(before->size()), tail_->end(),
                      [this](const std::string& path) { return own_live_files_.contains(path); });
}

Result<bool> Ledger::IsOvertaken(const Change& change) const {
  // What was read is checked against the coverage as it is now, not as it was when it was planned.
  if (!plan::StillMissing(coverage_, change.advances)) return true;
  if (HasOtherTail(change)) return true;
  if (change.remove.empty()) return false;
  ASSIGN_OR_RETURN(const auto files, table_->ActiveFiles());
  std::map<std::string_view, std::string_view> active;  // to the name of its deletion vector
  for (const delta::FileFacts& file : files) active.emplace(file.path, file.deletion_vector);
  return std::ranges::any_of(change.remove, [&](const delta::FileId& file) {
    const auto found = active.find(file.path);
    return found == active.end() || found->second != file.deletion_vector;
  });
}

Status Ledger::Stage(Change& change) {
  Change::Staged staged{.of = state_, .changed = Changed(change.advances), .base = base_};
  // What cannot fit is not tried: the copies would cost hundreds of bytes a series.
  bool fits = staged.changed.size() <= kRecordBytesMax / kSeriesBytesMin;
  if (fits) {
    plan::CoverageRecord record{.overrides = staged.changed};
    for (const std::string& web_id : overrides_) {
      record.overrides.try_emplace(web_id, coverage_.find(web_id)->second);
    }
    fits = plan::FormatRecord(record).size() <= kRecordBytesMax;
    if (fits) staged.overrides = std::move(record.overrides);
  }
  if (!fits) {
    ASSIGN_OR_RETURN(staged.base, WriteBase(*table_, staged.changed, coverage_));
  }
  change.staged = std::move(staged);
  return {};
}

plan::CoverageRecord Ledger::RecordWith(const Change& change) const {
  plan::CoverageRecord record{.table_id = table_->table_id(),
                              .version = table_->version() + 1,
                              .base = change.staged->base,
                              .tail = tail_,
                              .overrides = change.staged->overrides};
  if (change.ends_tail) record.tail.reset();
  if (change.tail) {
    record.tail.emplace();
    for (const delta::DataFile& file : *change.tail) record.tail->push_back(file.path);
  }
  return record;
}

/// The coverage is from now on what a version says that has landed.
void Ledger::TakeOver(Change::Staged staged) {
  ++state_;
  overrides_.clear();
  for (const auto& [web_id, series] : staged.overrides) overrides_.insert(web_id);
  base_ = std::move(staged.base);
  for (auto& [web_id, series] : staged.changed) {
    if (const auto known = coverage_.find(web_id); known != coverage_.end())
      known->second = std::move(series);
  }
  coverage_.merge(staged.changed);  // those that are new, without a copy
}

/// Vacuum takes a file that is in no version for litter once it is as old as the table's retention.
/// After half of that (a run that was put to sleep) it is too late to commit it.
bool Ledger::IsStale(const Change& change) const {
  const UtcTime oldest = SystemClock().Now() - table_->FileRetention() / 2;
  const auto is_stale = [&](const delta::DataFile& file) {
    return UtcTime{} + Duration::Millis(file.modified_ms) < oldest;
  };
  return std::ranges::any_of(change.add, is_stale) ||
         (change.tail && std::ranges::any_of(*change.tail, is_stale));
}

/// A failure costs no row, and the next run tries again: it is told, and no more.
Status Ledger::KeepHouse() {
  // What others did since our record must stay in the log: it says what is to be looked at.
  ASSIGN_OR_RETURN(const auto done, table_->Maintain({.keep_log_from = recorded_}));
  Status kept;
  if (done.trouble) kept = tl::unexpected(*done.trouble);
  if (!done.trouble && done.checkpointed) kept = RemoveOldBases();
  if (!kept) {
    Note(fmt::format("the log of {} could not be kept short: {}", table_->url(),
                     kept.error().message));
  }
  return {};
}

/// Base files that no version names of which the log still tells. A version after the oldest of
/// these names the same base as that one, or one that was written after it had landed: whoever
/// makes a version writes its base on top of the version before.
Status Ledger::RemoveOldBases() {
  // Two machines of a store may have clocks of their own.
  constexpr Duration kClocksApartMax = Duration::Hours(1);
  ASSIGN_OR_RETURN(const auto oldest, table_->Oldest(kDomain));
  if (!oldest) return {};
  std::set<std::string> named{base_};
  if (oldest->domain) {
    ASSIGN_OR_RETURN(plan::CoverageRecord record, plan::ParseRecord(*oldest->domain));
    named.insert(std::move(record.base));
  }
  ASSIGN_OR_RETURN(const auto files, table_->SideFiles());
  for (const delta::FolderFile& file : files) {
    const bool is_old = file.modified < oldest->landed - kClocksApartMax;
    if (!is_old || !file.name.starts_with(kBasePrefix) || named.contains(file.name)) continue;
    RETURN_IF_ERROR(table_->RemoveSideFile(file.name));
  }
  return {};
}

Result<Landing> Ledger::Commit(Change change) {
  const std::string uuid = writer_ + "/" + delta::NewUuid();
  for (const UtcTime begin = SteadyNow(); SteadyNow() - begin < kCommitPatience;) {
    ASSIGN_OR_RETURN(const bool is_overtaken, IsOvertaken(change));
    if (is_overtaken || IsStale(change)) return Landing::kOvertaken;
    if (!change.staged || change.staged->of != state_) RETURN_IF_ERROR(Stage(change));
    const plan::CoverageRecord record = RecordWith(change);
    delta::CommitRequest request{.add = change.add,
                                 .remove = change.remove,
                                 .data_change = change.data_change,
                                 .domain = kDomain,
                                 .domain_value = plan::FormatRecord(record),
                                 .app_id = "pilake/" + process_uuid_,
                                 .app_version = commits_ + 1,
                                 .operation = change.operation,
                                 .commit_uuid = uuid};
    if (change.tail) {
      request.add.insert(request.add.end(), change.tail->begin(), change.tail->end());
    }
    if (change.tail || change.ends_tail) {
      ASSIGN_OR_RETURN(const auto old_tail, ActiveTail());
      for (const delta::FileFacts& file : old_tail) request.remove.push_back(file.id());
    }
    const auto version = table_->Commit(request);
    if (version) {
      ++commits_;
      TakeOver(std::move(*change.staged));
      recorded_ = record.version;
      tail_ = record.tail;
      if (change.tail || change.ends_tail) own_live_files_.clear();
      if (change.tail || change.ends_tail) tail_is_whole_ = true;
      if (!change.leaves_house) RETURN_IF_ERROR(KeepHouse());
      return Landing::kCommitted;
    }
    if (!MayCommitAgain(version.error().kind)) return tl::unexpected(version.error());
    const std::string base_before = base_;
    // Another's version came first, or nobody knows: look before asking again.
    ASSIGN_OR_RETURN(const auto commits, CatchUp());
    const bool has_landed =
        std::ranges::find(commits, uuid, &delta::CommitSummary::uuid) != commits.end();
    // A commit that nobody knows of may still land and name its base file: that is left to vacuum.
    const bool is_lost = !has_landed && version.error().kind == ErrorKind::kConflict;
    const bool is_of_no_use = change.staged->of != state_ && record.base != base_before;
    if (is_lost && is_of_no_use) RETURN_IF_ERROR(table_->RemoveSideFile(record.base));
    if (has_landed) return Landing::kCommitted;
  }
  return Fail(ErrorKind::kTransient,
              "{}: other writers came first at each attempt for {}; try again later", table_->url(),
              DescribeDuration(kCommitPatience));
}

}  // namespace pilake::pipeline
