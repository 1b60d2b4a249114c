// SPDX-License-Identifier: Apache-2.0
// Folders, series and events for the tests of this room.
#pragma once

#include <bit>
#include <filesystem>
#include <string>

#include <stdlib.h>

#include "core/events.h"
#include "core/series.h"
#include "core/time.h"
#include "delta/table.h"

namespace pilake::delta {

/// A folder that goes with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pilake-delta-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  /// A store that writes late may still be writing: then what it leaves is left.
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline Series SeriesNamed(const std::string& name, const std::string& units = "m3/h") {
  Series series;
  series.web_id = "F1DP" + name + std::string(28 - name.size(), 'A');
  series.name = name;
  series.units = units;
  return series;
}

inline UtcTime At(int64_t seconds) {
  return {seconds * 10'000'000};
}

inline void AppendFloat(Events& events, UtcTime time, double value) {
  Flags flags;
  flags.Set(Flags::kGood, true);
  events.Append(time, ValueKind::kFloat, std::bit_cast<int64_t>(value), "", flags);
}

/// `count` floats, a second apart, from `first` on.
inline Events Floats(int64_t first, int64_t count) {
  Events events;
  for (int64_t i = 0; i < count; ++i) {
    AppendFloat(events, At(first + i), static_cast<double>(first + i) / 8);
  }
  return events;
}

inline const UtcTime kIngested = At(1'700'000'000);

/// One finished file with all `events` of `series`.
inline Result<DataFile> WriteFile(Table& table, const Series& series, const Events& events) {
  ASSIGN_OR_RETURN(auto writer, table.NewFile());
  RETURN_IF_ERROR(writer->Append(series, events, 0, events.size(), 0, kIngested));
  return writer->Finish();
}

}  // namespace pilake::delta
