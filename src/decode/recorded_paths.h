// SPDX-License-Identifier: Apache-2.0
// The two ways to read recorded events; inside `decode`, its tests and its bench only.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "decode/json.h"
#include "decode/recorded.h"

namespace pilake::decode {

/// The general way: any member order, any JSON. The reference for the other.
Result<SeriesPage> GeneralRecorded(const Body& body, PointType type);
Result<std::vector<SeriesPage>> GeneralRecordedSet(const Body& body,
                                                   std::span<const Wanted> wanted);
Result<std::vector<SeriesPage>> GeneralRecordedBatch(const Body& body,
                                                     std::span<const PointType> types);

/// The quick way for bodies whose events all look like the first: what stands between time and
/// value is compared, not parsed. Nothing for any body that it does not understand in full, a
/// failed one above all; whatever it returns equals what the general way would.
std::optional<SeriesPage> QuickRecorded(const Body& body, PointType type);
std::optional<std::vector<SeriesPage>> QuickRecordedSet(const Body& body,
                                                        std::span<const Wanted> wanted);
std::optional<std::vector<SeriesPage>> QuickRecordedBatch(const Body& body,
                                                          std::span<const PointType> types);

/// True for the members in which PI Web API complains (wire §1.6).
bool IsComplaint(std::string_view key);

/// The position that the key of a batch's part names, below `parts`.
std::optional<size_t> PartOf(std::string_view key, size_t parts);

/// Finds the wanted series that an answer's WebID names.
class WantedIndex {
 public:
  explicit WantedIndex(std::span<const Wanted> wanted) : wanted_(wanted) {}

  /// Servers answer in the order they were asked, so the one after the last found is tried first.
  std::optional<size_t> Find(std::string_view web_id);

 private:
  /// What Full and IDOnly WebIDs of one point have in common (wire §3): server and point id.
  static std::string_view Identity(std::string_view web_id);

  std::span<const Wanted> wanted_;
  std::vector<std::pair<std::string_view, size_t>> sorted_;  // made when the order first differs
  size_t next_ = 0;
};

}  // namespace pilake::decode
