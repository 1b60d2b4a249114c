// SPDX-License-Identifier: Apache-2.0
#include "pipeline/live_tail.h"

#include <algorithm>
#include <utility>

#include "delta/uuid.h"

namespace pilake::pipeline {
namespace {

// Whoever settles waits meanwhile; what did not land waits on, for the next time.
constexpr int kAttemptsMax = 5;

/// The first row that is newer than `ticks`.
size_t FirstNewer(const Events& events, int64_t ticks) {
  const auto first = std::ranges::upper_bound(events.ticks, ticks);
  return static_cast<size_t>(first - events.ticks.begin());
}

}  // namespace

LiveTail::LiveTail(TableOptions table, const Clock& clock)
    : options_(std::move(table)), clock_(clock) {}

std::unique_lock<std::mutex> LiveTail::Hold() {
  return std::unique_lock(mutex_);
}

void LiveTail::Show(const std::vector<Series>& series, std::vector<int64_t> newest,
                    int64_t version) {
  if (version < open_version_) return;
  if (!series_ || *series_ != series) {
    Suspend();
    series_ = std::make_shared<const std::vector<Series>>(series);
  }
  is_listening_ = true;
  newest_ = std::move(newest);
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    auto& [i, events] = *waiting;
    const size_t first = FirstNewer(events, newest_[i]);
    waiting_rows_ -= first;
    if (first == events.size()) {
      waiting = waiting_.erase(waiting);
      continue;
    }
    if (first > 0) {
      Events newer;
      newer.Append(events, first, events.size());
      events = std::move(newer);
    }
    newest_[i] = events.ticks.back();
    ++waiting;
  }
}

void LiveTail::Suspend() {
  is_listening_ = false;
  newest_.clear();
  waiting_.clear();
  waiting_rows_ = 0;
}

LiveTail::SeriesList LiveTail::series() const {
  const std::lock_guard lock(mutex_);
  return series_;
}

bool LiveTail::is_listening() const {
  const std::lock_guard lock(mutex_);
  return is_listening_;
}

size_t LiveTail::Hear(std::string_view web_id, const Events& events) {
  const std::lock_guard lock(mutex_);
  if (!is_listening_) return 0;
  const auto i = FindSeries(*series_, web_id);
  if (!i) return 0;
  const size_t first = FirstNewer(events, newest_[*i]);
  if (first == events.size()) return 0;
  waiting_[*i].Append(events, first, events.size());
  waiting_rows_ += events.size() - first;
  newest_[*i] = events.ticks.back();
  return events.size() - first;
}

size_t LiveTail::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_rows_;
}

Result<int64_t> LiveTail::Commit() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return 0;
  RETURN_IF_ERROR(OpenTable());
  ASSIGN_OR_RETURN(const delta::DataFile file, WriteFile());
  const auto has_landed = Land(file);
  if (!has_landed) open_version_ = table_->version() + 1;
  if (!has_landed || !*has_landed) Suspend();
  if (!has_landed) return tl::unexpected(has_landed.error());
  if (!*has_landed) return 0;
  for (const auto& [i, events] : waiting_)
    newest_committed_ = std::max(newest_committed_, UtcTime{events.ticks.back()});
  waiting_.clear();
  return static_cast<int64_t>(std::exchange(waiting_rows_, 0));
}

UtcTime LiveTail::newest_committed() const {
  const std::lock_guard lock(mutex_);
  return newest_committed_;
}

Status LiveTail::OpenTable() {
  if (table_) return {};
  ASSIGN_OR_RETURN(table_, delta::Table::Open(options_.url, options_.store));
  return {};
}

Result<delta::DataFile> LiveTail::WriteFile() const {
  ASSIGN_OR_RETURN(const auto file, table_->NewFile());
  const UtcTime now = clock_.Now();
  for (const auto& [i, events] : waiting_)
    RETURN_IF_ERROR(file->Append((*series_)[i], events, 0, events.size(), 0, now));
  return file->Finish();
}

Result<bool> LiveTail::Land(const delta::DataFile& file) {
  const delta::CommitRequest request{.add = {file},
                                     .operation = kLiveOperation,
                                     .commit_uuid = options_.writer + "/" + delta::NewUuid()};
  for (int attempt = 1;; ++attempt) {
    const int64_t before = table_->version();
    const auto version = table_->Commit(request);
    if (version) return true;
    if (!MayCommitAgain(version.error().kind) || attempt == kAttemptsMax)
      return tl::unexpected(version.error());
    RETURN_IF_ERROR(table_->Refresh());
    ASSIGN_OR_RETURN(const auto commits, table_->CommitsSince(before));
    for (const delta::CommitSummary& commit : commits) {
      if (commit.uuid == request.commit_uuid) return true;
      // What this process settled is known here; of others nothing is.
      const bool is_own = commit.uuid.starts_with(options_.writer + "/");
      if (!is_own && commit.changes_data) return false;
    }
  }
}

}  // namespace pilake::pipeline
