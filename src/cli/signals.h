// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM as a stop token: once asks to stop, twice ends at once.
#pragma once

#include <stop_token>
#include <thread>

namespace pilake::cli {

/// Takes the two signals over for the whole process; make one in `main`, before any thread starts.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace pilake::cli
