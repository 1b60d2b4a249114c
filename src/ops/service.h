// SPDX-License-Identifier: Apache-2.0
// What a service tells the one who started it.
#pragma once

#include <string_view>

namespace pilake::ops {

/// Tells systemd how the service is, in its words: `READY=1`, `STATUS=…`, `WATCHDOG=1`, a line
/// each (sd_notify(3)). False if nobody listens (`NOTIFY_SOCKET` is not set) or it did not arrive.
/// Safe for use from many threads.
bool TellServiceManager(std::string_view state);

}  // namespace pilake::ops
