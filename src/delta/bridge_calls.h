// SPDX-License-Identifier: Apache-2.0
// The calls of the bridge that tables of either kind make; for this room only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "delta/kernel.h"
#include "delta/store_options.h"
#include "delta/table.h"

namespace pilake::delta {

/// What every table is created with.
extern const std::map<std::string, std::string> kTableProperties;

/// `StoreOptions` as the bridge takes them; the options must outlive it.
class BridgeOptions {
 public:
  /// Reads the CA files; `kInvalid` names one that cannot be read.
  static Result<BridgeOptions> Read(const StoreOptions& options);
  PilakeStoreOptions get() const { return {pairs_.get(), ca_pems_.get(), catalog_.get()}; }

 private:
  BridgeOptions(const StoreOptions& options, std::vector<std::string> pems)
      : pems_(std::move(pems)),
        pairs_(options.options),
        ca_pems_(pems_),
        catalog_(options.catalog) {}

  std::vector<std::string> pems_;
  kernel::Pairs pairs_;
  kernel::Texts ca_pems_;
  kernel::Pairs catalog_;
};

Result<std::string> ReadId(const PilakeTable* table);

/// `bounded`: the columns that data files keep bounds of.
Result<std::vector<Hindrance>> ReadHindrances(const PilakeTable* table,
                                              const std::vector<std::string>& bounded);

/// See `Table::Commit` and `Table::Maintain`.
Result<int64_t> CommitTo(PilakeTable* table, const CommitRequest& request);
Result<MaintainOutcome> KeepQuick(PilakeTable* table, const Table::Care& care);

/// Completes the file that was opened as `path`.
Result<DataFile> FinishFile(PilakeWriter* writer, const std::string& path);

}  // namespace pilake::delta
