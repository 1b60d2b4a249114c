// SPDX-License-Identifier: Apache-2.0
// Which Delta this is.
#pragma once

#include <string_view>

namespace pilake::delta {

/// Of the crate `delta_kernel` that is linked in: `0.30.1`.
std::string_view KernelVersion();

/// The newest versions of Delta's protocol that tables may have to be read and written; those of
/// the tables that pilake creates, too.
inline constexpr int kReaderVersion = 3;
inline constexpr int kWriterVersion = 7;

}  // namespace pilake::delta
