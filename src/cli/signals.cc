// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <ctime>

#include "cli/exit_code.h"

namespace pilake::cli {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

Signals::Signals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread that follows
  signal(SIGPIPE, SIG_IGN);
  waiter_ = std::jthread([this, signals](const std::stop_token& stop) {
    const timespec tick{.tv_sec = 0, .tv_nsec = 50'000'000};
    while (!stop.stop_requested()) {
      const int signal = sigtimedwait(&signals, nullptr, &tick);
      if (signal < 0) continue;
      if (signal == SIGHUP && counts_hangups_) {
        ++hangups_;
        continue;
      }
      if (source_.stop_requested()) _exit(static_cast<int>(Exit::kInterrupted));
      source_.request_stop();
    }
  });
}

Signals::~Signals() = default;

}  // namespace pilake::cli
