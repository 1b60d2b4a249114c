// SPDX-License-Identifier: Apache-2.0
// The only place where pilake's threads meet: a queue bounded in bytes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace pilake {

/// First in, first out, bounded by the bytes that its items say they hold. An item larger than the
/// bound passes when the queue is empty, so nothing can wait for ever.
///
/// A full queue is the only back-pressure; closing it is the only end of a stream. All members may
/// be called from any thread.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Waits for room. False, and the item is dropped, if the queue was closed or `stop` requested.
  bool Push(T item, size_t bytes, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool has_room = room_.wait(
        lock, stop, [&] { return closed_ || items_.empty() || bytes_ + bytes <= bytes_max_; });
    if (!has_room || closed_) return false;
    bytes_ += bytes;
    items_.emplace_back(std::move(item), bytes);
    filled_.notify_one();
    return true;
  }

  /// As `Push`, but for a full queue too this is false at once. An item without bytes has room
  /// always.
  bool TryPush(T item, size_t bytes) {
    const std::scoped_lock lock(mutex_);
    const bool has_room = bytes == 0 || items_.empty() || bytes_ + bytes <= bytes_max_;
    if (!has_room || closed_) return false;
    bytes_ += bytes;
    items_.emplace_back(std::move(item), bytes);
    filled_.notify_one();
    return true;
  }

  /// Waits for an item. Nothing once the queue is closed and drained, or `stop` was requested.
  std::optional<T> Pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool ready = filled_.wait(lock, stop, [&] { return closed_ || !items_.empty(); });
    if (!ready || items_.empty()) return std::nullopt;
    return TakeFront();
  }

  /// As `Pop`, but gives up at `deadline`.
  std::optional<T> PopUntil(std::chrono::steady_clock::time_point deadline,
                            const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    filled_.wait_until(lock, stop, deadline, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    return TakeFront();
  }

  /// An item if there is one now.
  std::optional<T> TryPop() {
    const std::scoped_lock lock(mutex_);
    if (items_.empty()) return std::nullopt;
    return TakeFront();
  }

  bool is_closed() const {
    const std::scoped_lock lock(mutex_);
    return closed_;
  }

  /// No further items are taken; those inside can still be popped.
  void Close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  size_t size() const {
    const std::scoped_lock lock(mutex_);
    return items_.size();
  }

  size_t bytes() const {
    const std::scoped_lock lock(mutex_);
    return bytes_;
  }

 private:
  T TakeFront() {
    auto [item, bytes] = std::move(items_.front());
    items_.pop_front();
    bytes_ -= bytes;
    room_.notify_all();
    return std::move(item);
  }

  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any room_, filled_;
  std::deque<std::pair<T, size_t>> items_;  // guarded by mutex_
  size_t bytes_ = 0;                        // guarded by mutex_
  bool closed_ = false;                     // guarded by mutex_
};

}  // namespace pilake
