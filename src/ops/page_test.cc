// SPDX-License-Identifier: Apache-2.0
#include "ops/page.h"

#include <atomic>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/matchers.h"
#include "web/test_client.h"

namespace pilake::ops {
namespace {

using testing::HasSubstr;

class PageTest : public testing::Test {
 protected:
  void SetUp() override {
    auto page = Page::Start("127.0.0.1:0", Content());
    ASSERT_THAT(page, IsOk());
    page_ = std::move(*page);
  }

  PageContent Content() {
    return {.metrics = [] { return std::string("a 1\n"); },
            .alive = [] { return Health{true, "alive"}; },
            .ready = [this] { return Health{is_ready_, is_ready_ ? "ready" : "catching up"}; }};
  }

  web::TestAnswer Ask(const std::string& method, const std::string& target) {
    web::TestConnection connection(page_->port(), 5000);
    return web::Exchange(connection,
                         fmt::format("{} {} HTTP/1.1\r\nHost: x\r\n\r\n", method, target));
  }

  std::atomic<bool> is_ready_{false};
  std::unique_ptr<Page> page_;
};

TEST_F(PageTest, ShowsWhatItIsMadeOf) {
  EXPECT_EQ(Ask("GET", "/metrics").body, "a 1\n");
  EXPECT_EQ(Ask("GET", "/metrics?x=1").body, "a 1\n");
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_THAT(Ask("GET", "/").body, HasSubstr("/readyz"));
}

TEST_F(PageTest, IsReadyWhenTheServiceIs) {
  EXPECT_EQ(Ask("GET", "/readyz").status, 503);
  EXPECT_EQ(Ask("GET", "/readyz").body, "catching up\n");
  is_ready_ = true;
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
}

TEST_F(PageTest, CanOnlyBeRead) {
  EXPECT_EQ(Ask("DELETE", "/metrics").status, 405);
  EXPECT_EQ(Ask("GET", "/secrets").status, 404);
}

TEST_F(PageTest, SaysWhereItCannotListen) {
  EXPECT_THAT(Page::Start(fmt::format("127.0.0.1:{}", page_->port()), Content()),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Page::Start("9464", Content()), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(Page::Start("127.0.0.1:99999", Content()), FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::ops
