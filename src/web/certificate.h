// SPDX-License-Identifier: Apache-2.0
// A throw-away certificate authority, for servers that have no certificate of their own.
#pragma once

#include <string>

#include "core/result.h"
#include "core/time.h"
#include "web/server.h"

namespace pilake::web {

struct GeneratedIdentity {
  std::string ca_pem;    ///< what a client has to trust
  TlsIdentity identity;  ///< for `localhost`, 127.0.0.1 and ::1, signed by that authority
};

/// A new authority and a server certificate, valid within `validity`.
Result<GeneratedIdentity> GenerateIdentity(TimeRange validity);

}  // namespace pilake::web
