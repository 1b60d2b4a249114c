// SPDX-License-Identifier: Apache-2.0
// How a table stands, by what it says itself.
#pragma once

#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "pipeline/ledger.h"

namespace pilake::cli {

/// What `pilake status --json` prints. Asks the table alone. Fails as `Ledger::OpenExisting`.
Result<std::string> StatusJson(const pipeline::TableOptions& table, const Clock& clock);

}  // namespace pilake::cli
