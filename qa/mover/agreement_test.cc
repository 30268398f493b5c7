// SPDX-License-Identifier: LGPL-2.1-or-later
// The planner and the checker share no code; on clusters in every kind of trouble the checker must
// find nothing to refuse in any plan, and stock osdmaptool nothing to clean up that is the plan's.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "mover/check/check.h"
#include "mover/check/map_with_plan.h"
#include "mover/model/state_builder.h"
#include "qa/bench/mover/synth.h"
#include "qa/mover/osdmaptool.h"
#include "qa/mover/random_dump.h"
#include "qa/mover/rule_zoo.h"

namespace plimsoll::mover {

namespace {

Goal random_goal(const State& state, Rng& rng) {
  Goal goal;
  goal.kind = static_cast<GoalKind>(rng.below(4));
  if (rng.chance(0.3)) goal.selection = Selection::kLargest;
  goal.above = 0.75 + 0.15 * rng.unit();
  goal.to = goal.above - 0.1 * rng.unit();
  goal.within = 0.005 + 0.05 * rng.unit();
  if (goal.kind == GoalKind::kDrain || goal.kind == GoalKind::kFill)
    for (uint64_t n = 1 + rng.below(3); n; n--) {
      const auto osd = static_cast<OsdId>(rng.below(state.devices.size()));
      if (state.devices[osd].exists) goal.devices.insert(osd);
    }
  if (rng.chance(0.2)) goal.horizon_days = 5 * rng.unit();
  if (rng.chance(0.2)) goal.max_moves = 1 + static_cast<uint32_t>(rng.below(20));
  if (rng.chance(0.2)) goal.max_bytes = rng.below(1ull << 42) + 1;
  if (rng.chance(0.2)) goal.wave_bytes = rng.below(1ull << 40) + 1;
  if (rng.chance(0.3)) goal.backfills = 1 + static_cast<uint32_t>(rng.below(3));
  if (rng.chance(0.2)) goal.peak_limit = 0.8 + 0.15 * rng.unit();
  return goal;
}

std::string texts(const std::vector<Finding>& findings) {
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(findings.size(), 5); i++)
    out += fmt::format("{} {} osd.{}: {}\n", fault_name(findings[i].fault),
                       findings[i].pg.to_string(), findings[i].osd, findings[i].text);
  return out;
}

struct Seen {
  size_t plans = 0, moves = 0, reached = 0, dead = 0;
};

void judge(const Dump& dump, Rng& rng, uint64_t seed, Seen& seen) {
  const State state = build_state(dump);
  const Goal goal = random_goal(state, rng);
  const auto plan = make_plan(state, goal);
  if (!plan) {
    // Only where nothing that exists was drawn.
    EXPECT_TRUE(goal.devices.empty()) << "seed " << seed << ": " << plan.error().to_string();
    return;
  }
  const Report report = check_plan(dump, state, *plan, dump.map.fsid);
  EXPECT_EQ(texts(report.refusals), "")
      << "seed " << seed << ", goal " << static_cast<int>(goal.kind);
  seen.plans++;
  seen.moves += plan->moves.size();
  seen.reached += plan->reaches_goal;
  seen.dead += plan->dead_entries.size();
  if (seed % 4 != 0 || !Osdmaptool::is_installed()) return;
  const auto cleaned = Osdmaptool().cleanups(map_with_plan(dump.map, *plan));
  for (const Move& move : plan->moves)
    EXPECT_FALSE(cleaned.count(move.pg)) << "seed " << seed << " " << move.pg.to_string();
}

void print(const Seen& seen) {
  std::printf("%zu plans, %zu moves, %zu reach their goal, %zu dead entries\n", seen.plans,
              seen.moves, seen.reached, seen.dead);
}

TEST(Agreement, OnClustersInTrouble) {
  Seen seen;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    Rng rng(seed);
    Dump dump = make_synth({.osds = 50,
                            .seed = seed,
                            .hdd_fill = 0.6 + 0.25 * rng.unit(),
                            .ssd_fill = 0.5 + 0.3 * rng.unit()});
    bring_trouble(dump, rng);
    judge(dump, rng, seed, seen);
  }
  print(seen);
  EXPECT_GT(seen.moves, 1000u);
  EXPECT_GT(seen.dead, 0u);
}

TEST(Agreement, OnEveryKindOfRule) {
  Seen seen;
  const map::OSDMap zoo = make_rule_zoo();
  for (uint64_t seed = 1; seed <= 60; seed++) {
    Rng rng(seed);
    Dump dump = random_dump(zoo, rng);
    if (seed % 2) bring_trouble(dump, rng);
    judge(dump, rng, seed, seen);
  }
  print(seen);
  EXPECT_GT(seen.moves, 1000u);
}

}  // namespace

}  // namespace plimsoll::mover
