// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/progress.h"

#include <gtest/gtest.h>

namespace plimsoll::mon {
namespace {

TimePoint at(Duration since_start) { return {since_start}; }

TEST(Progress, NothingToDoIsNoEvent) {
  Progress p;
  p.update(0, at(1s));
  EXPECT_FALSE(p.current());
  EXPECT_TRUE(p.completed().empty());
}

TEST(Progress, IsMeasuredAgainstTheMostThereWas) {
  Progress p;
  p.update(50, at(10s));
  p.update(100, at(12s));
  p.update(25, at(16s));
  const auto e = p.current();
  ASSERT_TRUE(e);
  EXPECT_DOUBLE_EQ(e->fraction, 0.75);
  EXPECT_EQ(e->elapsed(), 6s);
  EXPECT_EQ(e->remaining(), 2s);
  EXPECT_EQ(e->text(),
            "Global Recovery Event (6s)\n      [=====================.......] (remaining: 2s)");
}

TEST(Progress, WithoutAnyPaceThereIsNoEstimate) {
  Progress p;
  p.update(5, at(1s));
  p.update(5, at(300s));
  EXPECT_FALSE(p.current()->remaining());
  EXPECT_EQ(p.current()->text(),
            "Global Recovery Event (4m)\n      [............................]");
}

TEST(Progress, EndsAndBeginsAgain) {
  Progress p;
  p.update(5, at(1s));
  const std::string first = p.current()->id;
  p.update(0, at(3s));
  EXPECT_FALSE(p.current());
  ASSERT_EQ(p.completed().size(), 1u);
  EXPECT_EQ(p.completed()[0].fraction, 1);
  EXPECT_EQ(p.completed()[0].elapsed(), 2s);
  p.update(1, at(9s));
  EXPECT_EQ(p.current()->elapsed(), 0s);
  EXPECT_NE(p.current()->id, first);
}

}  // namespace
}  // namespace plimsoll::mon
