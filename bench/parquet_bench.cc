// SPDX-License-Identifier: Apache-2.0
// How fast and how small rows become a committed Parquet file: prints rows/s, bytes a row, memory.
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "core/events.h"
#include "core/series.h"
#include "delta/table.h"

namespace pilake {
namespace {

constexpr size_t kEventsPerSeries = 40'000;

uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/// Irregular times on the archive's grid of 1/65536 s, a slow wave with noise as float32.
Events PlantEvents(uint64_t seed) {
  Events events;
  Flags good;
  good.Set(Flags::kGood, true);
  for (const uint8_t flag : {Flags::kQuestionable, Flags::kSubstituted, Flags::kAnnotated}) {
    good.Set(flag, false);
  }
  int64_t grid = 1'795'305'600ll * 65536;
  for (size_t i = 0; i < kEventsPerSeries; ++i) {
    const uint64_t noise = Mix(i + seed * 100'003);
    grid += 1 + static_cast<int64_t>(noise % 131'072);
    const int64_t ticks = grid / 65536 * 10'000'000 + (grid % 65536 * 10'000'000 + 32768) / 65536;
    const double wave = 50 + 20 * std::sin(static_cast<double>(i) * 0.001);
    const auto value = static_cast<float>(wave + static_cast<double>((noise >> 40) % 1000) * 0.001);
    events.Append({ticks}, ValueKind::kFloat, std::bit_cast<int64_t>(double{value}), "", good);
  }
  return events;
}

double PeakMemoryMb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Status Run(const std::string& folder, size_t series_count) {
  const Events events = PlantEvents(7);
  ASSIGN_OR_RETURN(auto table, delta::Table::Create(folder, {}));
  const double memory_before = PeakMemoryMb();
  const double cpu_before = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(auto writer, table->NewFile());
  for (size_t i = 0; i < series_count; ++i) {
    Series series;
    series.web_id = fmt::format("F1DPRDMiEWZViHeZqrvM3e7_AAk{:06d}", i);
    series.name = fmt::format("U{:02d}.FIC{:05d}.PV", i % 50, i);
    series.units = "m3/h";
    RETURN_IF_ERROR(writer->Append(series, events, 0, events.size(), 0, events.time(0)));
  }
  ASSIGN_OR_RETURN(delta::DataFile file, writer->Finish());
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double cpu = CpuSeconds() - cpu_before;
  delta::CommitRequest request;
  request.add.push_back(file);
  RETURN_IF_ERROR(table->Commit(request));
  ASSIGN_OR_RETURN(const delta::TableStats stats, table->Stats());
  if (stats.rows != static_cast<int64_t>(series_count * events.size())) {
    return Fail(ErrorKind::kInternal, "{} rows arrived", stats.rows);
  }
  const auto rows = static_cast<double>(file.rows);
  fmt::print(
      "parquet: {:.1f} M rows, {:.2f} M rows/s, {:.2f} s cpu per M rows, {:.2f} bytes a row, "
      "{:.0f} MB above the start\n",
      rows / 1e6, rows / wall / 1e6, cpu / rows * 1e6, static_cast<double>(file.bytes) / rows,
      PeakMemoryMb() - memory_before);
  return {};
}

}  // namespace
}  // namespace pilake

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "pilake-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const size_t series = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const pilake::Status status = pilake::Run(folder + "/table", series);
  if (!status) fmt::print(stderr, "parquet: {}\n", status.error().message);
  std::filesystem::remove_all(folder);
  return status ? 0 : 1;
}
