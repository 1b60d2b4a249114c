// SPDX-License-Identifier: Apache-2.0
// Resolve: from the tags of the configuration to series, by asking the source's data servers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/series.h"
#include "core/time.h"
#include "decode/catalog.h"
#include "pipeline/source.h"

namespace pilake::pipeline {

/// How a stream hears of new events, the quickest first.
enum class Way : uint8_t {
  kAuto,     ///< the best that the server and the number of channels permit
  kChannel,  ///< pushed through a WebSocket (wire §8)
  kUpdates,  ///< Stream Updates: asked what is new since last time (wire §9)
  kSweep,    ///< asked for the current value
};

/// Which points are wanted, of one data server or of all.
struct TagSelection {
  std::string server;                ///< name of the data server; empty: all of them
  std::vector<std::string> include;  ///< masks
  std::vector<std::string> exclude;  ///< masks, taken off everything that the selection selects
  std::vector<std::string> points;   ///< exact names
  std::vector<std::string> web_ids;
  bool hot = false;      ///< a stream is to hear of them first
  Way way = Way::kAuto;  ///< by which it hears of them at best
};

/// A tag that the configuration names and the source does not give, and why.
struct Unresolved {
  std::string tag;
  std::string reason;
};

struct Resolved {
  std::vector<Series> series;  ///< in key order, each once
  std::vector<Unresolved> unresolved;
  std::vector<decode::DataServer> servers;  ///< all that the source shows
};

/// `kInvalid` if a data server of the selection is not known to the source.
Result<Resolved> Resolve(Source& source, const std::vector<TagSelection>& tags);

/// Whether `point` is one that `tags` speak of, by its path, name and WebID.
bool Selects(const TagSelection& tags, const Series& point);

/// The times that the source's machines believe it is. One call each for the web host and the
/// servers.
struct Clocks {
  UtcTime now;         ///< the earliest of them: what finality is reckoned from
  Duration apart;      ///< between the earliest and the latest
  std::string detail;  ///< each machine with its time, for messages
};
Result<Clocks> AskClocks(Source& source);

}  // namespace pilake::pipeline
