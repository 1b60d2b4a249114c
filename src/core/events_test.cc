// SPDX-License-Identifier: Apache-2.0
#include "core/events.h"

#include <gmock/gmock.h>

namespace pilake {
namespace {

Events ThreeEvents() {
  Events events;
  Flags good;
  good.Set(Flags::kGood, true);
  events.Append(UtcTime{10}, ValueKind::kString, 0, "one", good);
  events.Append(UtcTime{20}, ValueKind::kInt, 42, "", good);
  events.Append(UtcTime{30}, ValueKind::kSystem, 246, "I/O Timeout", Flags{});
  return events;
}

TEST(Events, AppendsPartOfAnotherWithItsText) {
  const Events source = ThreeEvents();
  Events target = ThreeEvents();
  target.Append(source, 1, 3);
  ASSERT_EQ(target.size(), 5u);
  EXPECT_EQ(target.text_at(3), "");
  EXPECT_EQ(target.text_at(4), "I/O Timeout");
  EXPECT_TRUE(SameEvent(target, 4, source, 2));
}

TEST(SameEvent, SeesEveryPartOfAnEvent) {
  const Events a = ThreeEvents();
  Events b = ThreeEvents();
  b.number[1] = 43;
  b.flags[2].Set(Flags::kGood, false);
  EXPECT_TRUE(SameEvent(a, 0, b, 0));
  EXPECT_FALSE(SameEvent(a, 1, b, 1));
  EXPECT_FALSE(SameEvent(a, 2, b, 2));
}

TEST(Fingerprint, ChangesWithTheValueButNotWithAnnotations) {
  Events events = ThreeEvents();
  const uint64_t before = Fingerprint(events, 1);
  events.flags[1].Set(Flags::kAnnotated, true);
  EXPECT_EQ(Fingerprint(events, 1), before);
  events.number[1] = 41;
  EXPECT_NE(Fingerprint(events, 1), before);
}

TEST(Flags, TellUnsaidFromFalse) {
  Flags flags;
  EXPECT_FALSE(flags.Said(Flags::kGood));
  flags.Set(Flags::kGood, false);
  EXPECT_TRUE(flags.Said(Flags::kGood));
  EXPECT_FALSE(flags.Value(Flags::kGood));
  flags.Set(Flags::kGood, true);
  EXPECT_TRUE(flags.Value(Flags::kGood));
  EXPECT_FALSE(flags.Said(Flags::kAnnotated));
}

}  // namespace
}  // namespace pilake
