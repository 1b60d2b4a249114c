// SPDX-License-Identifier: Apache-2.0
#include "pi/system_trust.h"

#include <unistd.h>

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilake::pi {
namespace {

/// A system whose files are below a folder of its own.
class FindSystemTrustTest : public testing::Test {
 protected:
  ~FindSystemTrustTest() override { std::filesystem::remove_all(root_); }

  std::string Keep(const std::string& path) {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << "certificates";
    return file;
  }

  SystemTrust Find() const {
    const auto environment = [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
    return FindSystemTrust(environment, root_);
  }

  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("pilake-trust-" + std::to_string(getpid()));
  std::map<std::string, std::string> environment_;
};

TEST_F(FindSystemTrustTest, KnowsDebian) {
  const std::string bundle = Keep("etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(Find().bundle, bundle);
  EXPECT_EQ(Find().folder, root_ / "etc/ssl/certs");
}

TEST_F(FindSystemTrustTest, KnowsRedHat) {
  const std::string bundle = Keep("etc/pki/tls/certs/ca-bundle.crt");
  EXPECT_EQ(Find().bundle, bundle);
  EXPECT_EQ(Find().folder, root_ / "etc/pki/tls/certs");
}

TEST_F(FindSystemTrustTest, KnowsRedHatSystemsThatOnlyHaveTheExtractedBundle) {
  const std::string bundle = Keep("etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem");
  EXPECT_EQ(Find().bundle, bundle);
}

TEST_F(FindSystemTrustTest, KnowsSuse) {
  const std::string bundle = Keep("etc/ssl/ca-bundle.pem");
  EXPECT_EQ(Find().bundle, bundle);
}

TEST_F(FindSystemTrustTest, BelievesTheEnvironmentFirst) {
  Keep("etc/ssl/certs/ca-certificates.crt");
  environment_ = {{"SSL_CERT_FILE", "/company/roots.pem"}, {"SSL_CERT_DIR", "/company/roots"}};
  EXPECT_EQ(Find().bundle, "/company/roots.pem");
  EXPECT_EQ(Find().folder, "/company/roots");
}

TEST_F(FindSystemTrustTest, TakesAnEmptyVariableForNone) {
  const std::string bundle = Keep("etc/ssl/certs/ca-certificates.crt");
  environment_ = {{"SSL_CERT_FILE", ""}};
  EXPECT_EQ(Find().bundle, bundle);
}

TEST_F(FindSystemTrustTest, FindsNothingOnABareSystem) {
  EXPECT_EQ(Find().bundle, "");
  EXPECT_EQ(Find().folder, "");
}

}  // namespace
}  // namespace pilake::pi
