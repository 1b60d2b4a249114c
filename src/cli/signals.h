// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM as a stop token: once asks to stop, twice ends at once. SIGHUP is counted for
// who wants it, and asks to stop otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <thread>

namespace pilake::cli {

/// Takes the signals over for the whole process; make one in `main`, before any thread starts.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

  /// From now on a SIGHUP does not ask to stop.
  void CountHangups() { counts_hangups_ = true; }
  int64_t hangups() const { return hangups_; }

 private:
  std::stop_source source_;
  std::atomic<bool> counts_hangups_{false};
  std::atomic<int64_t> hangups_{0};
  std::jthread waiter_;
};

}  // namespace pilake::cli
