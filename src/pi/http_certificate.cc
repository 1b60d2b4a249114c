// SPDX-License-Identifier: Apache-2.0
#include "pi/http_certificate.h"

#include <memory>

#include <openssl/err.h>

namespace pilake::pi {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

/// Instead of asking at the terminal.
int GiveNoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

std::string TakeReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason != nullptr ? reason : "unknown";
  ERR_clear_error();
  return text;
}

}  // namespace

Status ShowCertificate(SSL_CTX* tls, const HttpOptions& options) {
  if (options.certificate.empty()) return {};
  const std::string& key = options.certificate_key;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(tls, options.certificate.c_str()) != 1) {
    return Fail(ErrorKind::kInvalid,
                "source.auth.certificate: {} cannot be used as a certificate in PEM form ({})",
                options.certificate, TakeReason());
  }
  bool was_asked = false;
  SSL_CTX_set_default_passwd_cb(tls, GiveNoPassword);
  SSL_CTX_set_default_passwd_cb_userdata(tls, &was_asked);
  const bool is_read = SSL_CTX_use_PrivateKey_file(tls, key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(tls, nullptr);
  SSL_CTX_set_default_passwd_cb(tls, nullptr);
  if (was_asked) {
    ERR_clear_error();
    return Fail(ErrorKind::kInvalid,
                "source.auth.key: {} is locked by a password; a service needs one without, in a "
                "file that only its own user can read",
                key);
  }
  if (!is_read || SSL_CTX_check_private_key(tls) != 1) {
    return Fail(ErrorKind::kInvalid, "source.auth.key: {} is not the private key of {} ({})", key,
                options.certificate, TakeReason());
  }
  return {};
}

Status CheckCertificate(const HttpOptions& options) {
  if (options.certificate.empty()) return {};
  const std::unique_ptr<SSL_CTX, FreeContext> tls(SSL_CTX_new(TLS_client_method()));
  return ShowCertificate(tls.get(), options);
}

}  // namespace pilake::pi
