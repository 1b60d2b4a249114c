// SPDX-License-Identifier: Apache-2.0
// What a PI Web API status code means for us, alone or inside a batch, a set or a WebException.
#pragma once

#include <string_view>

#include "core/result.h"

namespace pilake {

/// The decision behind a status that is not a success (wire §1.7); `text` is what the server said
/// of it, since "too much was asked" comes as a 400 (wire §1.8) or from the archive as a 500.
ErrorKind KindOfHttpStatus(int status, std::string_view text);

}  // namespace pilake
