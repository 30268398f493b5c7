// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans before stock osdmaptool, on maps that we encode with their entries in them: nothing may be
// there to clean up, and every PG must be where the plan says. Our own checker judges them as well.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mover/check/check.h"
#include "mover/check/map_with_plan.h"
#include "qa/bench/mover/synth.h"
#include "qa/mover/osdmaptool.h"

namespace plimsoll::mover {

namespace {

struct Shape {
  int osds;
  GoalKind kind;
  bool balanced_before = false;  ///< by a plan that was carried out: many PGs have entries
};

Goal goal_for(GoalKind kind) {
  Goal goal;
  goal.kind = kind;
  if (kind == GoalKind::kDrain) goal.devices = {3, 4, 18};
  return goal;
}

/// The cluster when the plan has been carried out.
Dump settled(Dump dump, const Plan& plan) {
  dump.map = map_with_plan(dump.map, plan);
  for (const Move& move : plan.moves) {
    dump.osds[move.from].used -= move.bytes;
    dump.osds[move.to].used += move.bytes;
  }
  for (const PgReport& r : dump.pgs) {
    const std::vector<OsdId> up = dump.map.raw_upmap(r.pgid);
    std::copy(up.begin(), up.end(), dump.acting.begin() + r.first_acting);
  }
  return dump;
}

using UpSets = std::map<PgId, std::vector<OsdId>>;

/// Members of replicated PGs may come in any order.
void sort_replicated(const map::OSDMap& map, UpSets& ups) {
  for (auto& [pg, up] : ups)
    if (!map.pools.at(pg.pool).is_erasure()) std::sort(up.begin(), up.end());
}

std::string texts(const std::vector<Finding>& findings) {
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(findings.size(), 20); i++)
    out += fmt::format("{} {}: {}\n", fault_name(findings[i].fault), findings[i].pg.to_string(),
                       findings[i].text);
  return out;
}

class PlanOracle : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    if (!Osdmaptool::is_installed()) GTEST_SKIP() << "osdmaptool is not installed";
    dump_ = make_synth({.osds = GetParam().osds});
    if (GetParam().balanced_before) {
      plan(GoalKind::kBalance);
      dump_ = settled(dump_, plan_);
    }
    plan(GetParam().kind);
  }
  void plan(GoalKind kind) {
    state_ = synth_state(dump_);
    auto plan = make_plan(state_, goal_for(kind));
    ASSERT_TRUE(plan.has_value()) << plan.error().to_string();
    plan_ = std::move(*plan);
  }

  Dump dump_;
  State state_;
  Plan plan_;
  Osdmaptool tool_;
};

TEST_P(PlanOracle, AgreesWithThePlan) {
  ASSERT_GT(plan_.moves.size(), 10u);
  const Report report = check_plan(dump_, state_, plan_, dump_.map.fsid);
  EXPECT_EQ(texts(report.refusals), "");

  const map::OSDMap with = map_with_plan(dump_.map, plan_);
  EXPECT_EQ(tool_.cleanups(with), std::set<PgId>());

  UpSets wanted = tool_.up_sets(dump_.map);
  ASSERT_EQ(wanted.size(), dump_.map.num_pgs());
  for (const Move& move : plan_.moves) wanted.at(move.pg).at(move.position) = move.to;
  UpSets found = tool_.up_sets(with);
  sort_replicated(dump_.map, wanted);
  sort_replicated(dump_.map, found);
  EXPECT_EQ(found, wanted);
  std::printf("%zu moves in %u waves, %.1f TiB, fullest %.2f -> %.2f, %s\n", plan_.moves.size(),
              plan_.waves, static_cast<double>(plan_.bytes) / (1ull << 40), plan_.fullest_before,
              plan_.fullest_after, plan_.reaches_goal ? "reached" : "not reached");
}

TEST_P(PlanOracle, SeesABadEntry) {
  // The shard goes to the host of its neighbour instead.
  const Move& move = plan_.moves.at(0);
  const std::vector<OsdId> up = dump_.map.raw_upmap(move.pg);
  const OsdId other = up[move.position == 0 ? 1 : 0];
  Plan bad = plan_;
  bad.moves[0].items_after.back().second = other % 10 ? other - 1 : other + 1;
  const map::OSDMap with = map_with_plan(dump_.map, bad);
  EXPECT_EQ(tool_.cleanups(with), std::set<PgId>{move.pg});
  EXPECT_TRUE(check_plan(dump_, state_, bad).refused());
}

INSTANTIATE_TEST_SUITE_P(
    All, PlanOracle,
    testing::Values(Shape{100, GoalKind::kRelieve}, Shape{100, GoalKind::kBalance},
                    Shape{100, GoalKind::kDrain}, Shape{1000, GoalKind::kRelieve},
                    Shape{1000, GoalKind::kBalance}, Shape{1000, GoalKind::kDrain},
                    Shape{100, GoalKind::kDrain, true}, Shape{1000, GoalKind::kDrain, true}),
    [](const auto& p) {
      const char* kind = p.param.kind == GoalKind::kRelieve   ? "Relieve"
                         : p.param.kind == GoalKind::kBalance ? "Balance"
                                                              : "Drain";
      return fmt::format("{}{}{}", kind, p.param.osds,
                         p.param.balanced_before ? "AfterBalance" : "");
    });

}  // namespace

}  // namespace plimsoll::mover
