// SPDX-License-Identifier: Apache-2.0
#include "pi/system_trust.h"

#include <span>
#include <string_view>
#include <system_error>

namespace pilake::pi {
namespace {

constexpr std::string_view kBundles[] = {
    "etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Alpine
    "etc/pki/tls/certs/ca-bundle.crt",                   // Red Hat, Fedora
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the newer of them
    "etc/ssl/ca-bundle.pem",                             // SUSE
    "etc/ssl/cert.pem",                                  // Alpine
};
constexpr std::string_view kFolders[] = {"etc/ssl/certs", "etc/pki/tls/certs"};

std::string Chosen(const char* by_environment, std::span<const std::string_view> places,
                   const std::filesystem::path& root) {
  if (by_environment != nullptr && by_environment[0] != '\0') return by_environment;
  for (const std::string_view place : places) {
    const std::filesystem::path path = root / place;
    std::error_code ignored;  // not to be looked at is not there
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return {};
}

}  // namespace

SystemTrust FindSystemTrust(const Environment& environment, const std::filesystem::path& root) {
  return {.bundle = Chosen(environment("SSL_CERT_FILE"), kBundles, root),
          .folder = Chosen(environment("SSL_CERT_DIR"), kFolders, root)};
}

}  // namespace pilake::pi
