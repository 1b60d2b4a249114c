// SPDX-License-Identifier: Apache-2.0
// The certificate by which a TLS server knows us.
#pragma once

#include <openssl/ssl.h>

#include "core/result.h"
#include "pi/http.h"

namespace pilake::pi {

/// Has `tls` show the certificate that the checked `options` name, if they name one. `kInvalid` if
/// its files cannot be used; a key that is locked by a password is one of those: nobody is asked
/// for it.
Status ShowCertificate(SSL_CTX* tls, const HttpOptions& options);

/// The same for those who make the context later by themselves.
Status CheckCertificate(const HttpOptions& options);

}  // namespace pilake::pi
