// SPDX-License-Identifier: Apache-2.0
#include "config/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spawn.h>

#include "core/clock.h"
#include "core/trimmed.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has no header for it

namespace pilake::config {
namespace {

constexpr size_t kBytesMax = size_t{64} * 1024;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }
  void Close() {
    if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

/// How the program is to begin: in a group of its own, without input, `out` as its output, and
/// with signals as they are by nature.
class Beginning {
 public:
  explicit Beginning(int out) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Beginning() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;

  /// 0, or why not.
  int Spawn(const std::vector<std::string>& words, pid_t* process) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return posix_spawnp(process, arguments[0], &files_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

int MillisUntil(UtcTime end) {
  return static_cast<int>(std::max<int64_t>((end - SteadyNow()).ticks / 10'000, 0));
}

/// All that comes until the other side is closed; nothing if that is too late or too much.
std::optional<std::string> ReadAll(int from, UtcTime end) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() <= kBytesMax) {
    pollfd ready{.fd = from, .events = POLLIN, .revents = 0};
    const int found = poll(&ready, 1, MillisUntil(end));
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return std::nullopt;
    const ssize_t bytes = read(from, buffer.data(), buffer.size());
    if (bytes < 0) return std::nullopt;
    if (bytes == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(bytes));
  }
  return std::nullopt;
}

/// What it ended with as `waitpid` tells it; nothing if that is too late.
std::optional<int> WaitFor(pid_t process, UtcTime end) {
  int status = 0;
  while (waitpid(process, &status, WNOHANG) == 0) {
    if (SteadyNow() >= end) return std::nullopt;
    poll(nullptr, 0, 2);
  }
  return status;
}

}  // namespace

std::vector<std::string> CommandWords(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string> words;
  for (size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;
       at = text.find_first_not_of(kSpace, at)) {
    const size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

Result<std::string> RunCommand(const std::vector<std::string>& words, Duration limit) {
  assert(!words.empty());
  const std::string& program = words.front();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail(ErrorKind::kInvalid, "'{}' cannot be started: {}", program,
                std::generic_category().message(errno));
  }
  const Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  pid_t process = 0;
  if (const int error = Beginning(out.get()).Spawn(words, &process); error != 0) {
    return Fail(ErrorKind::kInvalid, "'{}' cannot be started: {}", program,
                std::generic_category().message(error));
  }
  out.Close();
  const UtcTime end = SteadyNow() + limit;
  const auto printed = ReadAll(in.get(), end);
  const auto status = printed ? WaitFor(process, end) : std::nullopt;
  if (!status) {
    kill(-process, SIGKILL);
    waitpid(process, nullptr, 0);
    return Fail(ErrorKind::kInvalid, "'{}' was not done within {} or printed more than 64 KiB",
                program, DescribeDuration(limit));
  }
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0) {
    return Fail(ErrorKind::kInvalid, "'{}' ended with {} {}", program,
                WIFEXITED(*status) ? "code" : "signal",
                WIFEXITED(*status) ? WEXITSTATUS(*status) : WTERMSIG(*status));
  }
  std::string text(Trimmed(*printed));
  if (text.empty()) return Fail(ErrorKind::kInvalid, "'{}' printed nothing", program);
  return text;
}

}  // namespace pilake::config
