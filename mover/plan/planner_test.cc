// SPDX-License-Identifier: LGPL-2.1-or-later
// Every goal, and every reason for which something cannot be moved.
#include <gtest/gtest.h>

#include "mover/plan/plan.h"
#include "mover/plan/test_states.h"

namespace plimsoll::mover {

namespace {

/// Six hosts of one device, osd.0 is full: 10 PGs of 90 GiB each of which has a shard on it.
TestCluster full_osd() {
  TestCluster c;
  for (const char* host : {"a", "b", "c", "d", "e", "f"}) c.add_osd({.host = host});
  const int rule = c.add_rule("r", {"take default", "chooseleaf firstn 0 type host", "emit"});
  const PoolId pool = c.add_pool("data", rule, 2);
  for (int i = 0; i < 10; i++) c.add_pg(pool, 90, {0, 1 + i % 5});
  return c;
}

Plan plan_of(const State& s, const Goal& goal) {
  auto plan = make_plan(s, goal);
  CHECK_NOTE(plan.has_value(), plan ? "" : plan.error().text().c_str());
  return *plan;
}

TEST(Planner, RelievesTheFullDevice) {
  const State s = full_osd().make();
  Goal goal;
  goal.above = 0.85;
  goal.to = 0.80;
  const Plan plan = plan_of(s, goal);
  EXPECT_TRUE(plan.reaches_goal);
  ASSERT_EQ(plan.moves.size(), 2u);
  EXPECT_EQ(plan.bytes, 180 * kGiB);
  EXPECT_EQ(plan.lower_bound, 180 * kGiB);
  EXPECT_EQ(plan.fullest_osd_before, 0);
  EXPECT_LE(plan.fullest_after, 0.80);
}

}  // namespace
}  // namespace plimsoll::mover
