// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>

namespace pilake {
namespace {

UtcTime RealNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return UtcTime{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() / 100};
}

/// Waits `span` of real time; false if stopped.
bool RealSleep(std::chrono::nanoseconds span, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, span, [] { return false; });
  return !stop.stop_requested();
}

class MachineClock final : public Clock {
 public:
  UtcTime Now() const override { return RealNow(); }

  bool SleepUntil(UtcTime wake, const std::stop_token& stop) const override {
    return RealSleep(std::max((wake - Now()).chrono(), std::chrono::nanoseconds(0)), stop);
  }
};

class SharedClock final : public Clock {
 public:
  explicit SharedClock(std::string path) : path_(std::move(path)) {}

  Status Load() const {
    struct stat now{};
    if (::stat(path_.c_str(), &now) != 0) {
      return Fail(ErrorKind::kInvalid, "cannot read the clock file {}: {}", path_,
                  std::strerror(errno));
    }
    const std::scoped_lock lock(mutex_);
    if (now.st_ino == seen_.st_ino && now.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec) {
      return {};
    }
    std::ifstream file(path_);
    int64_t base = 0, real = 0;
    double rate = 0;
    if (!(file >> base >> rate >> real)) {
      return Fail(ErrorKind::kInvalid, "{} is not a clock file (BASE RATE REAL)", path_);
    }
    base_ = UtcTime{base};
    rate_ = rate;
    real_ = UtcTime{real};
    seen_ = now;
    return {};
  }

  UtcTime Now() const override {
    (void)Load();  // A file that vanished leaves the last known course of time in force.
    const std::scoped_lock lock(mutex_);
    const double passed = static_cast<double>((RealNow() - real_).ticks) * rate_;
    return base_ + Duration::Ticks(static_cast<int64_t>(passed));
  }

  bool SleepUntil(UtcTime wake, const std::stop_token& stop) const override {
    // Simulated time may be moved by hand at any moment: look again every few milliseconds.
    while (Now() < wake) {
      if (!RealSleep(std::chrono::milliseconds(2), stop)) return false;
    }
    return !stop.stop_requested();
  }

 private:
  std::string path_;
  mutable std::mutex mutex_;
  mutable UtcTime base_, real_;  // guarded by mutex_
  mutable double rate_ = 1;      // guarded by mutex_
  mutable struct stat seen_{};   // guarded by mutex_
};

}  // namespace

UtcTime SteadyNow() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return UtcTime{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() / 100};
}

std::chrono::steady_clock::time_point SteadyPoint(UtcTime time) {
  return std::chrono::steady_clock::time_point((time - UtcTime{}).chrono());
}

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

Result<std::unique_ptr<Clock>> OpenSharedClock(const std::string& path) {
  auto clock = std::make_unique<SharedClock>(path);
  RETURN_IF_ERROR(clock->Load());
  return std::unique_ptr<Clock>(std::move(clock));
}

Status WriteSharedClock(const std::string& path, UtcTime now, double rate) {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << fmt::format("{} {} {}\n", now.ticks, rate, RealNow().ticks);
    if (!file.flush()) return Fail(ErrorKind::kInvalid, "cannot write {}", fresh);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Fail(ErrorKind::kInvalid, "cannot replace {}: {}", path, std::strerror(errno));
  }
  return {};
}

}  // namespace pilake
