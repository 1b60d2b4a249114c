// SPDX-License-Identifier: Apache-2.0
// How to reach the store in which a table lives.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pilake::delta {

/// Keys and values as object_store knows them (`aws_region`, `azure_storage_account_name`, …); what
/// is not said comes from the environment. May hold secrets: never log it. Not used for local
/// paths.
struct StoreOptions {
  std::map<std::string, std::string> options;
  std::vector<std::string> ca_files;  ///< PEM files trusted besides the system's certificates
};

}  // namespace pilake::delta
