// SPDX-License-Identifier: Apache-2.0
// How a table opens a data file; for this room only.
#pragma once

#include <memory>
#include <string>

#include "delta/file_writer.h"
#include "delta/kernel.h"

namespace pilake::delta {

Result<std::unique_ptr<FileWriter>> OpenDataFile(const PilakeTable& table, std::string path);

}  // namespace pilake::delta
