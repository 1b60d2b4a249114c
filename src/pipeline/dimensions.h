// SPDX-License-Identifier: Apache-2.0
// Dimensions: the tables beside `pi_timeseries` that say what points and digital states are like,
// and were. They are also memory: what was selected once and is not shown any more is noticed here.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "delta/store_options.h"
#include "pipeline/resolve.h"
#include "pipeline/source.h"
#include "plan/dimensions.h"

namespace pilake::pipeline {

/// Where the tables are.
struct DimensionUrls {
  std::string points;
  std::string digital_states;
};

/// `pi_points` and `pi_digital_states` in the folder of a table `pi_timeseries`; of a table with
/// another name NAME `NAME_points` and `NAME_digital_states`. Of a table in a catalog they are
/// tables of the same schema. `kInvalid` if the table has no folder around it.
Result<DimensionUrls> DimensionsBeside(const std::string& table_url);

struct DimensionOptions {
  DimensionUrls urls;
  delta::StoreOptions store;
  /// A run that finds most points gone stops; this says that they may be.
  bool accept_vanished = false;
  /// Hears the WebIDs of series all of whose events the archive shows otherwise now (another type,
  /// a state by another name), before the tables remember that it does: what fails here is heard of
  /// again by the next run. May hear of one twice.
  std::function<Status(const std::set<std::string>& web_ids)> on_shown_anew{};
};

/// A point that is not what it was.
struct PointChange {
  std::string tag;   ///< its path, as it was
  std::string what;  ///< `renamed from 'U1.A' to 'U1.B'; type 'Int32' became 'Float32'`
};

struct DimensionReport {
  int64_t points_added = 0;
  std::vector<PointChange> changed;
  std::vector<Unresolved> vanished;  ///< selected once, and not shown to us now: left out
  std::vector<std::string> notes;    ///< what could not be kept, and why
};

/// Brings the tables up to what the source shows of `tags` at `at`, which `resolved` is; writes
/// only what changed. A point that was selected and is not listed is asked for by its WebID; one
/// that the list merely lacked joins `resolved`. Safe to repeat, to kill and to run twice at once.
///
/// `kInvalid` if most points are gone: then nothing is written.
Result<DimensionReport> KeepDimensions(Source& source, const DimensionOptions& options,
                                       const std::vector<TagSelection>& tags, UtcTime at,
                                       Resolved& resolved);

/// The digital sets of `series` and the system states of their servers, as the source shows them
/// now. What cannot be read of them is said in `notes`.
Result<std::vector<plan::ShownSet>> AskForStates(Source& source,
                                                 const std::vector<decode::DataServer>& servers,
                                                 const std::vector<Series>& series,
                                                 std::vector<std::string>& notes);

/// The rows of either table, in no order. `kNotFound` if there is none.
Result<std::vector<plan::PointRow>> ReadPoints(const std::string& url,
                                               const delta::StoreOptions& store);
Result<std::vector<plan::StateRow>> ReadDigitalStates(const std::string& url,
                                                      const delta::StoreOptions& store);

}  // namespace pilake::pipeline
