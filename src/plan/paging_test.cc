// SPDX-License-Identifier: Apache-2.0
#include "plan/paging.h"

#include <algorithm>
#include <random>

#include "core/matchers.h"

namespace pilake::plan {
namespace {

/// An archive of one series that answers as `recorded` does: both ends inclusive, first
/// `max_count`.
class Archive {
 public:
  explicit Archive(std::vector<int64_t> ticks) : ticks_(std::move(ticks)) {}

  Events Answer(const Read& read) const {
    const TimeRange wire = OnTheWire(read.window);
    Events page;
    for (size_t i = 0; i < ticks_.size() && page.size() < read.max_count; ++i) {
      const UtcTime time{ticks_[i]};
      if (time < wire.begin || time > wire.end) continue;
      page.Append(time, ValueKind::kInt, static_cast<int64_t>(i), "", Flags{});
    }
    return page;
  }

  std::vector<int64_t>& ticks() { return ticks_; }

 private:
  std::vector<int64_t> ticks_;
};

/// Reads the window page by page; row numbers in the order in which they came.
Result<std::vector<int64_t>> ReadAll(const Archive& archive, Read read, uint32_t limit = 1'000) {
  std::vector<int64_t> rows;
  for (int pages = 0; pages < 10'000; ++pages) {
    const Events page = archive.Answer(read);
    ASSIGN_OR_RETURN(const PageVerdict verdict, JudgePage(read, page, limit));
    for (size_t i = verdict.first; i < verdict.last; ++i) rows.push_back(page.number[i]);
    if (!verdict.rest) return rows;
    read = *verdict.rest;
  }
  return Fail(ErrorKind::kInternal, "no end");
}

TimeRange Range(int64_t begin, int64_t end) {
  return {UtcTime{begin}, UtcTime{end}};
}

TEST(JudgePage, TakesAPageThatIsNotFullAsTheWholeWindow) {
  const Archive archive({1'000, 2'000, 3'000});
  EXPECT_THAT(ReadAll(archive, {.window = Range(1'000, 3'000), .max_count = 10}),
              IsOkWith(std::vector<int64_t>{0, 1}));
}

TEST(JudgePage, ReadsAllOfManyEventsAtOneTimeAcrossPageBorders) {
  std::vector<int64_t> ticks{1'000, 1'000, 2'000};
  ticks.insert(ticks.end(), 70, 5'000);
  ticks.push_back(9'000);
  const Archive archive(ticks);
  for (const uint32_t max_count : {1u, 2u, 3u, 4u, 7u, 69u, 70u, 71u, 73u, 74u, 75u}) {
    const auto rows = ReadAll(archive, {.window = Range(0, 10'000), .max_count = max_count});
    ASSERT_THAT(rows, IsOk());
    EXPECT_EQ(rows->size(), ticks.size()) << max_count;
    EXPECT_TRUE(std::ranges::is_sorted(*rows));
  }
}

TEST(JudgePage, FailsLoudlyWhenOneTimeHoldsMoreThanAnyPage) {
  const Archive archive(std::vector<int64_t>(50, 1'000));
  EXPECT_THAT(ReadAll(archive, {.window = Range(0, 2'000), .max_count = 4}, 32),
              FailsWith(ErrorKind::kTooLarge));
}

TEST(JudgePage, RefusesTimesThatRunBackwards) {
  Events page;
  page.Append(UtcTime{2'000}, ValueKind::kInt, 0, "", {});
  page.Append(UtcTime{1'000}, ValueKind::kInt, 1, "", {});
  EXPECT_THAT(JudgePage({.window = Range(0, 5'000), .max_count = 10}, page, 100),
              FailsWith(ErrorKind::kMalformed));
}

TEST(JudgePage, SeesThatTheLastEventOfThePageBeforeIsGone) {
  Archive archive({1'000, 2'000, 3'000, 4'000, 5'000});
  const Read read{.window = Range(0, 9'000), .max_count = 3};
  const auto verdict = JudgePage(read, archive.Answer(read), 100);
  ASSERT_THAT(verdict, IsOk());
  ASSERT_TRUE(verdict->rest);
  archive.ticks().erase(archive.ticks().begin() + 2);
  EXPECT_THAT(JudgePage(*verdict->rest, archive.Answer(*verdict->rest), 100),
              FailsWith(ErrorKind::kConflict));
}

TEST(JudgePage, DropsAnAnchorThatStandsAndRefusesOneThatDoesNot) {
  const Archive archive({1'000, 1'000, 2'000});
  const Events all = archive.Answer({.window = Range(0, 9'000), .max_count = 10});
  Read read{.window = Range(1'000, 9'000), .max_count = 10};
  read.expected = Expected{.instant = InstantOf(all, 0, 2), .is_anchor = true};
  read.keep_from = UtcTime{1'001};
  EXPECT_THAT(ReadAll(archive, read), IsOkWith(std::vector<int64_t>{2}));
  read.expected->instant = InstantOf(all, 0, 1);
  EXPECT_THAT(ReadAll(archive, read), FailsWith(ErrorKind::kConflict));
  read.expected->instant.digest += 1;
  EXPECT_THAT(ReadAll(archive, read), FailsWith(ErrorKind::kConflict));
}

TEST(JudgePage, MissesAnAnchorThatIsGoneEvenOnAFullPage) {
  const Archive archive({2'000, 2'000, 2'000});
  Read read{.window = Range(1'000, 9'000), .max_count = 2};
  read.expected = Expected{.instant = {UtcTime{1'000}, 1, 7}, .is_anchor = true};
  EXPECT_THAT(ReadAll(archive, read), FailsWith(ErrorKind::kConflict));
}

TEST(JudgePage, LosesAndRepeatsNothingOnRandomArchives) {
  std::mt19937 random(11);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<int64_t> ticks;
    int64_t time = 0;
    const size_t count = random() % 60;
    while (ticks.size() < count) {
      // Runs of equal times, neighbours one archive tick apart, and gaps.
      time += std::array<int64_t, 4>{0, 0, 153, 40'000}[random() % 4];
      ticks.push_back(time);
    }
    const int64_t begin = static_cast<int64_t>(random() % 400'000);
    const int64_t end = begin + static_cast<int64_t>(random() % 400'000);
    std::vector<int64_t> expected;
    for (size_t i = 0; i < ticks.size(); ++i) {
      if (begin <= ticks[i] && ticks[i] < end) expected.push_back(static_cast<int64_t>(i));
    }
    const Read read{.window = Range(begin, end),
                    .max_count = 1 + static_cast<uint32_t>(random() % 9)};
    ASSERT_THAT(ReadAll(Archive(ticks), read), IsOkWith(expected)) << "round " << round;
  }
}

}  // namespace
}  // namespace pilake::plan
