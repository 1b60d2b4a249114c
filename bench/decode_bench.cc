// SPDX-License-Identifier: Apache-2.0
// Recorded events from JSON to columns: both ways of reading, over the shapes that plants have.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/time.h"
#include "decode/recorded_paths.h"

namespace pilake::decode {
namespace {

constexpr int kEvents = 50'000;
constexpr UtcTime kBegin{17'040'672'000'000'000};  // 2024-01-01

/// The i-th event's time: every 1.37 s, on the archive's grid of 1/65536 s.
UtcTime TimeOf(int i) {
  const int64_t steps = int64_t{i} * 89'784;
  return kBegin + Duration::Ticks((steps * 10'000'000 + 32'768) / 65'536);
}

struct Shape {
  const char* name;
  PointType type;
  std::string (*value)(int i);
};

std::string Analog(int i) {
  const double wave = 50 + 20 * std::sin(i * 0.01) + (i * 2'654'435'761u % 1000) * 0.001;
  return fmt::format("{}", static_cast<float>(wave));
}
std::string Precise(int i) {
  return fmt::format("{}", 50 + 20 * std::sin(i * 0.01));
}
std::string Counter(int i) {
  return std::to_string(1'000'000 + i * 7);
}
std::string State(int i) {
  return fmt::format(R"({{"Name":"{}","Value":{},"IsSystem":false}})",
                     i % 3 ? "Running" : "Stopped", i % 3 ? 1 : 0);
}
std::string Text(int i) {
  return fmt::format(R"("batch {} of recipe 7")", i);
}
/// An analog value with a system state in every fiftieth event.
std::string Interrupted(int i) {
  return i % 50 ? Analog(i) : R"({"Name":"I/O Timeout","Value":246,"IsSystem":true})";
}

constexpr Shape kShapes[] = {
    {"float32", PointType::kFloat32, Analog}, {"float64", PointType::kFloat64, Precise},
    {"int32", PointType::kInt32, Counter},    {"digital", PointType::kDigital, State},
    {"string", PointType::kString, Text},     {"interrupted", PointType::kFloat32, Interrupted},
};

std::string Page(const Shape& shape) {
  std::string body = R"({"Items":[)";
  for (int i = 0; i < kEvents; ++i) {
    const std::string value = shape.value(i);
    const bool is_good = value.find("\"IsSystem\":true") == std::string::npos;
    body += fmt::format(R"({}{{"Timestamp":"{}","Value":{},"Good":{},"Questionable":false,)"
                        R"("Substituted":false,"Annotated":false}})",
                        i ? "," : "", FormatUtcTime(TimeOf(i)), value, is_good);
  }
  return body + "]}";
}

bool SameEvents(const Events& a, const Events& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameEvent(a, i, b, i)) return false;
  }
  return true;
}

/// The answer is right if both ways agree, every event is there, and each time is the one written.
bool IsRight(const Body& body, PointType type) {
  const auto general = GeneralRecorded(body, type);
  const auto quick = QuickRecorded(body, type);
  if (!general || !quick || general->failure || !SameEvents(general->events, quick->events)) {
    return false;
  }
  if (general->events.size() != kEvents) return false;
  for (int i = 0; i < kEvents; ++i) {
    if (general->events.time(static_cast<size_t>(i)) != TimeOf(i)) return false;
  }
  return true;
}

template <bool kIsQuick>
void Recorded(benchmark::State& state) {
  const Shape& shape = kShapes[state.range(0)];
  const Body body(Page(shape));
  if (!IsRight(body, shape.type)) {
    state.SkipWithError("the two ways of reading do not agree with what was written");
    return;
  }
  for (auto _ : state) {
    if constexpr (kIsQuick) {
      benchmark::DoNotOptimize(QuickRecorded(body, shape.type));
    } else {
      benchmark::DoNotOptimize(GeneralRecorded(body, shape.type));
    }
  }
  state.SetLabel(shape.name);
  state.SetItemsProcessed(state.iterations() * kEvents);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.text().size()));
}

constexpr int kShapeCount = sizeof kShapes / sizeof *kShapes;
BENCHMARK(Recorded<false>)->Name("Recorded/general")->DenseRange(0, kShapeCount - 1);
BENCHMARK(Recorded<true>)->Name("Recorded/quick")->DenseRange(0, kShapeCount - 1);

}  // namespace
}  // namespace pilake::decode

BENCHMARK_MAIN();
