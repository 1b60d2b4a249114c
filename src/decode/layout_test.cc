// SPDX-License-Identifier: Apache-2.0
// The quick way of reading must never say anything else than the general way.
#include <gmock/gmock.h>

#include "core/matchers.h"
#include "decode/random_bodies.h"
#include "decode/recorded_paths.h"
#include "decode/wire_samples.h"

namespace pilake::decode {
namespace {

testing::AssertionResult SamePage(const SeriesPage& quick, const SeriesPage& general) {
  if (quick.failure || general.failure) {
    return testing::AssertionFailure() << "the quick way returned what failed in general: "
                                       << (general.failure ? general.failure->message : "");
  }
  const auto a = Describe(quick.events), b = Describe(general.events);
  if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " != " << b.size();
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameEvent(quick.events, i, general.events, i)) {
      return testing::AssertionFailure() << "event " << i << ": " << a[i] << " != " << b[i];
    }
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult Same(const std::optional<SeriesPage>& quick,
                              const Result<SeriesPage>& general) {
  if (!quick) return testing::AssertionSuccess();
  if (!general) return testing::AssertionFailure() << "in general: " << general.error().message;
  return SamePage(*quick, *general);
}

testing::AssertionResult Same(const std::optional<std::vector<SeriesPage>>& quick,
                              const Result<std::vector<SeriesPage>>& general) {
  if (!quick) return testing::AssertionSuccess();
  if (!general) return testing::AssertionFailure() << "in general: " << general.error().message;
  if (quick->size() != general->size()) return testing::AssertionFailure() << "sizes differ";
  for (size_t i = 0; i < quick->size(); ++i) {
    if (auto same = SamePage((*quick)[i], (*general)[i]); !same) return same << " of series " << i;
  }
  return testing::AssertionSuccess();
}

TEST(QuickWay, EqualsTheGeneralWayForAnySeries) {
  constexpr uint64_t kSeeds = 4'000;
  size_t quick_ones = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomBodies bodies(seed);
    const PointType type = bodies.Type();
    const std::string text = bodies.Series(bodies.Below(60));
    const Body body(text);
    const auto quick = QuickRecorded(body, type);
    quick_ones += quick ? 1 : 0;
    ASSERT_TRUE(Same(quick, GeneralRecorded(body, type))) << "seed " << seed << "\n" << text;
    const std::string damaged = bodies.Damaged(text);
    const Body broken(damaged);
    ASSERT_TRUE(Same(QuickRecorded(broken, type), GeneralRecorded(broken, type)))
        << "damaged, seed " << seed << "\n"
        << damaged;
  }
  EXPECT_GT(quick_ones, kSeeds / 4) << "the test must reach the quick way";
}

TEST(QuickWay, EqualsTheGeneralWayForAnySet) {
  const std::vector<std::string> web_ids{"I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA", "a", "b", "c"};
  size_t quick_ones = 0;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    RandomBodies bodies(seed);
    std::vector<Wanted> wanted;
    wanted.reserve(web_ids.size());
    for (const std::string& web_id : web_ids) wanted.push_back({web_id, bodies.Type()});
    const std::string text = bodies.Set(web_ids);
    std::shuffle(wanted.begin(), wanted.end(), std::mt19937_64(seed));
    const Body body(text), broken(bodies.Damaged(text));
    const auto quick = QuickRecordedSet(body, wanted);
    quick_ones += quick ? 1 : 0;
    ASSERT_TRUE(Same(quick, GeneralRecordedSet(body, wanted))) << "seed " << seed << "\n" << text;
    ASSERT_TRUE(Same(QuickRecordedSet(broken, wanted), GeneralRecordedSet(broken, wanted)))
        << "damaged, seed " << seed << "\n"
        << broken.text();
  }
  EXPECT_GT(quick_ones, 300u);
}

TEST(QuickWay, EqualsTheGeneralWayForAnyBatch) {
  size_t quick_ones = 0;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    RandomBodies bodies(seed);
    std::vector<PointType> types(4);
    for (PointType& type : types) type = bodies.Type();
    const Body body(bodies.Batch(types.size())), broken(bodies.Damaged(std::string(body.text())));
    const auto quick = QuickRecordedBatch(body, types);
    quick_ones += quick ? 1 : 0;
    ASSERT_TRUE(Same(quick, GeneralRecordedBatch(body, types))) << "seed " << seed << "\n"
                                                                << body.text();
    ASSERT_TRUE(Same(QuickRecordedBatch(broken, types), GeneralRecordedBatch(broken, types)))
        << "damaged, seed " << seed << "\n"
        << broken.text();
  }
  EXPECT_GT(quick_ones, 300u);
}

/// `count` events of which every `every`-th holds a value that is never quick.
std::string WithOddEvents(size_t count, size_t every) {
  std::string items;
  for (size_t i = 0; i < count; ++i) {
    items += fmt::format(R"({}{{"Timestamp":"{}","Value":{},"Good":true}})", i ? "," : "",
                         FormatUtcTime({static_cast<int64_t>(i) * 10'000'000}),
                         i % every == 0 ? "[1]" : "1.5");
  }
  return R"({"Items":[)" + items + "]}";
}

TEST(QuickWay, TakesTheDocumentedSamplesThatShowNoFailure) {
  for (const char* sample : {"recorded", "recorded_empty"}) {
    EXPECT_TRUE(QuickRecorded(Body(Sample(sample)), PointType::kFloat32).has_value()) << sample;
  }
  EXPECT_TRUE(
      QuickRecordedBatch(Body(Sample("batch_good")), std::vector<PointType>(2)).has_value());
  EXPECT_FALSE(QuickRecordedBatch(Body(Sample("batch")), std::vector<PointType>(4)).has_value());
  EXPECT_FALSE(QuickRecorded(Body(Sample("recorded_web_exception")), PointType::kFloat32));
}

TEST(QuickWay, StaysQuickBeyondAsciiButNotBeyondUtf8) {
  const std::string head = R"({"Items":[{"Timestamp":"2024-01-01T00:00:00Z","Value":")",
                    tail = "\"}]}";
  EXPECT_TRUE(QuickRecorded(Body(head + "Ge\u00f6ffnet" + tail), PointType::kString).has_value());
  EXPECT_FALSE(QuickRecorded(Body(head +
                                  "Ge\xf6"
                                  "ffnet" +
                                  tail),
                             PointType::kString)
                   .has_value());
  EXPECT_THAT(DecodeRecorded(head +
                                 "Ge\xf6"
                                 "ffnet" +
                                 tail,
                             PointType::kString),
              FailsWith(ErrorKind::kMalformed));
}

TEST(QuickWay, StaysQuickWithAFewOddEventsAndGivesWayToMany) {
  EXPECT_TRUE(QuickRecorded(Body(WithOddEvents(10'000, 100)), PointType::kFloat32).has_value());
  EXPECT_FALSE(QuickRecorded(Body(WithOddEvents(10'000, 2)), PointType::kFloat32).has_value());
  EXPECT_THAT(DecodeRecorded(WithOddEvents(10'000, 2), PointType::kFloat32), IsOk());
}

}  // namespace
}  // namespace pilake::decode
