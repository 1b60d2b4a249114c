// SPDX-License-Identifier: Apache-2.0
#include "ops/service.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include <gmock/gmock.h>

namespace pilake::ops {
namespace {

/// A manager that listens at `name`, which may begin with a zero byte: of the abstract namespace.
class Manager {
 public:
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::memcpy(address.sun_path, name.data(), name.size());
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), bytes), 0);
  }
  ~Manager() { ::close(socket_); }

  std::string Heard() const {
    char text[200];
    const auto bytes = ::recv(socket_, text, sizeof(text), MSG_DONTWAIT);
    return bytes < 0 ? "" : std::string(text, static_cast<size_t>(bytes));
  }

 private:
  int socket_;
};

class ServiceTest : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("NOTIFY_SOCKET"); }
};

TEST_F(ServiceTest, TellsAtAPath) {
  const std::string path = testing::TempDir() + "notify-" + std::to_string(::getpid());
  const Manager manager(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  EXPECT_TRUE(TellServiceManager("READY=1\nSTATUS=caught up"));
  EXPECT_EQ(manager.Heard(), "READY=1\nSTATUS=caught up");
  ::unlink(path.c_str());
}

TEST_F(ServiceTest, TellsInTheAbstractNamespace) {
  const std::string name = "pilake-test-" + std::to_string(::getpid());
  const Manager manager(std::string(1, '\0') + name);
  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  EXPECT_TRUE(TellServiceManager("WATCHDOG=1"));
  EXPECT_EQ(manager.Heard(), "WATCHDOG=1");
}

TEST_F(ServiceTest, IsQuietWhereNobodyListens) {
  EXPECT_FALSE(TellServiceManager("READY=1"));
  ::setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
  EXPECT_FALSE(TellServiceManager("READY=1"));
  ::setenv("NOTIFY_SOCKET", std::string(300, 'x').c_str(), 1);
  EXPECT_FALSE(TellServiceManager("READY=1")) << "longer than a path may be";
}

}  // namespace
}  // namespace pilake::ops
