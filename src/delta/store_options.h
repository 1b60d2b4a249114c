// SPDX-License-Identifier: Apache-2.0
// How to reach the store in which a table lives.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pilake::delta {

/// May hold secrets: never log it. Not used for local paths.
struct StoreOptions {
  /// Keys and values as object_store knows them (`aws_region`, `azure_storage_account_name`, …),
  /// and `aws_profile`; what is not said comes from the environment.
  std::map<std::string, std::string> options;
  /// Of the Unity Catalog in which `uc://` names are found: `url`, `token` or `client_id` and
  /// `client_secret`, `location` (the folder in which tables that it does not have are made, each
  /// in one of its own name), `credentials` (`own`: the catalog is not asked for keys).
  std::map<std::string, std::string> catalog{};
  std::vector<std::string> ca_files;  ///< PEM files trusted besides the system's certificates
};

}  // namespace pilake::delta
