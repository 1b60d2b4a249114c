// SPDX-License-Identifier: Apache-2.0
#include "plan/merging.h"

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MergeLimits kLimits{.file_bytes = 100, .rows_at_once = 1'000};

MergeFile Small(int64_t bytes, int64_t begin) {
  return {.bytes = bytes, .rows = bytes, .begin = UtcTime{begin}};
}

TEST(GroupsToMerge, LeavesAloneWhatIsLargeEnoughOrAlone) {
  EXPECT_THAT(GroupsToMerge({}, kLimits), IsEmpty());
  EXPECT_THAT(GroupsToMerge({Small(10, 0)}, kLimits), IsEmpty());
  EXPECT_THAT(GroupsToMerge({Small(50, 0), Small(200, 1), Small(10, 2)}, kLimits), IsEmpty());
}

TEST(GroupsToMerge, PutsNeighboursInTimeTogether) {
  const auto groups = GroupsToMerge({Small(40, 9), Small(40, 1), Small(40, 5)}, kLimits);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].files, ElementsAre(1, 2, 0));
  EXPECT_EQ(groups[0].bytes, 120);
  EXPECT_EQ(groups[0].into, 1);
}

TEST(GroupsToMerge, BeginsAnotherGroupWhenOneIsFull) {
  std::vector<MergeFile> files;
  for (int64_t i = 0; i < 250; ++i) files.push_back(Small(10, i));
  const auto groups = GroupsToMerge(files, kLimits);
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_EQ(groups[0].rows, 1'000);
  EXPECT_EQ(groups[0].into, 10);
  EXPECT_EQ(groups[2].into, 5);
}

TEST(GroupsToMerge, TakesInAFileThatOutweighsTheOthersOnlyIfToldSo) {
  MergeLimits all = kLimits;
  all.takes_heavy = true;
  const std::vector<MergeFile> files{Small(45, 0), Small(10, 1), Small(10, 2)};
  EXPECT_THAT(GroupsToMerge(files, kLimits)[0].files, ElementsAre(1, 2));
  EXPECT_THAT(GroupsToMerge(files, all)[0].files, ElementsAre(0, 1, 2));
}

TEST(GroupsToMerge, WritesARowAnewOnlySoOften) {
  // A run an hour leaves one small file each; all are merged each time.
  std::vector<MergeFile> files;
  int64_t written = 0;
  for (int64_t hour = 0; hour < 5'000; ++hour) {
    files.push_back(Small(1, hour));
    for (const MergeGroup& group : GroupsToMerge(files, kLimits)) {
      written += group.bytes;
      std::vector<MergeFile> left;
      for (size_t i = 0; i < files.size(); ++i) {
        if (std::ranges::find(group.files, i) == group.files.end()) left.push_back(files[i]);
      }
      left.push_back(Small(group.bytes, files[group.files[0]].begin.ticks));
      files = std::move(left);
    }
  }
  EXPECT_LE(written, 5'000 * 10);
  EXPECT_LE(files.size(), 5'000u / 50 + 10);
}

}  // namespace
}  // namespace pilake::plan
