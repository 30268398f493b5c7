// SPDX-License-Identifier: LGPL-2.1-or-later
// The checker must be able to fail: a good plan, and for every rule a plan that breaks it.
#include "mover/check/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/map/pg_stats.h"
#include "qa/bench/mover/synth.h"

namespace plimsoll::mover {

namespace {

struct Case {
  Dump dump;
  State state;
  Plan plan;
  Uuid made_for;
};

constexpr PoolId kRackPool = 1, kErasurePool = 2;

Move make_move(const State& state, PgId pg, uint32_t position, OsdId to) {
  Move m;
  m.pg = pg;
  m.position = position;
  const auto at = std::lower_bound(state.pg_ids.begin(), state.pg_ids.end(), pg);
  const auto index = static_cast<PgIndex>(at - state.pg_ids.begin());
  m.from = state.up_of(index)[position];
  m.to = to;
  m.bytes = state.bytes_of(index)[position];
  m.items_after = {{m.from, m.to}};
  return m;
}

std::string texts(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& f : findings)
    out += fmt::format("{} {} osd.{}: {}\n", fault_name(f.fault), f.pg.to_string(), f.osd, f.text);
  return out;
}

bool has(const std::vector<Finding>& findings, Fault fault) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& f) { return f.fault == fault; });
}

void add_up(Plan& plan) {
  plan.bytes = 0;
  for (const Move& m : plan.moves) plan.bytes += m.bytes;
  plan.waves = plan.moves.empty() ? 0 : plan.moves.back().wave + 1;
}

/// The lowest OSD that the checker lets the shard go to.
Move first_good_move(const Case& base, PgId pg, uint32_t position, uint32_t wave) {
  for (OsdId to = 0; to < base.dump.map.max_osd; to++) {
    Plan plan = base.plan;
    plan.moves.push_back(make_move(base.state, pg, position, to));
    plan.moves.back().wave = wave;
    add_up(plan);
    if (!check_plan(base.dump, base.state, plan).refused()) return plan.moves.back();
  }
  ADD_FAILURE() << "no good move of " << pg.to_string();
  return {};
}

/// Three moves in two waves on a cluster with much room.
const Case& good() {
  static const Case made = [] {
    Case c;
    c.dump = make_synth({.osds = 100, .hdd_fill = 0.4, .ssd_fill = 0.4});
    c.state = synth_state(c.dump);
    c.made_for = c.dump.map.fsid;
    c.plan.epoch = c.dump.map.epoch;
    c.plan.goal.above = c.plan.goal.to = 0.8;
    c.plan.reaches_goal = true;
    c.plan.moves.push_back(first_good_move(c, {kRackPool, 5}, 1, 0));
    c.plan.moves.push_back(first_good_move(c, {kErasurePool, 7}, 4, 0));
    c.plan.moves.push_back(first_good_move(c, {kRackPool, 9}, 2, 1));
    add_up(c.plan);
    return c;
  }();
  return made;
}

Report check(const Case& c) {
  return check_plan(c.dump, c.state, c.plan, c.made_for);
}

PgReport& report_of(Case& c, PgId pg) {
  return *std::find_if(c.dump.pgs.begin(), c.dump.pgs.end(),
                       [&](const PgReport& r) { return r.pgid == pg; });
}

void retarget(Case& c, size_t move, OsdId to) {
  c.plan.moves[move].to = to;
  c.plan.moves[move].items_after = {{c.plan.moves[move].from, to}};
}

void change_crush(Case& c, const std::function<void(map::CrushMap&)>& change) {
  map::CrushMap crush = *c.dump.map.crush;
  change(crush);
  c.dump.map.crush = map::SharedCrush(std::move(crush));
  c.state.crush = c.dump.map.crush;
}

/// Another OSD of the same host and class.
OsdId beside(OsdId osd) {
  return osd % 10 == 0 ? osd + 1 : osd - 1;
}

OsdId up_of(const Case& c, size_t move, size_t position) {
  return c.dump.map.raw_upmap(c.plan.moves[move].pg)[position];
}

TEST(Check, AGoodPlanIsSafe) {
  const Report r = check(good());
  EXPECT_EQ(texts(r.refusals), "");
  EXPECT_EQ(texts(r.warnings), "");
  EXPECT_EQ(good().plan.moves.size(), 3u);
}

struct Bad {
  const char* name;
  Fault fault;
  std::function<void(Case&)> spoil;
};

const std::vector<Bad>& bad_plans() {
  using enum Fault;
  static const std::vector<Bad> all{
      {"PgDoesNotExist", kUnknownPg, [](Case& c) { c.plan.moves[0].pg.seed = 99999; }},
      {"PoolDoesNotExist", kUnknownPg, [](Case& c) { c.plan.moves[0].pg.pool = 77; }},
      {"TargetDoesNotExist", kUnknownOsd, [](Case& c) { retarget(c, 0, 100); }},
      {"SourceDoesNotExist", kUnknownOsd, [](Case& c) { c.plan.moves[0].from = -5; }},
      {"FromIsTo", kSameOsd, [](Case& c) { retarget(c, 0, c.plan.moves[0].from); }},
      {"PgTwice", kPgTwice,
       [](Case& c) {
         c.plan.moves.push_back(c.plan.moves[0]);
         c.plan.moves.back().wave = 1;
       }},
      {"WrongPosition", kNotAtPosition, [](Case& c) { c.plan.moves[0].position = 0; }},
      {"PositionBeyondSize", kNotAtPosition, [](Case& c) { c.plan.moves[0].position = 3; }},
      {"EntryWasNotThere", kEntryChanged,
       [](Case& c) {
         c.plan.moves[0].items_before = {{1, 2}};
       }},
      {"EntryCameMeanwhile", kEntryChanged,
       [](Case& c) {
         const Move& m = c.plan.moves[0];
         c.dump.map.pg_upmap_items[m.pg] = {{up_of(c, 0, 0), beside(up_of(c, 0, 0))}};
       }},
      {"EntryGoesElsewhere", kUpNotAsPlanned,
       [](Case& c) { c.plan.moves[0].items_after[0].second = beside(c.plan.moves[0].to); }},
      {"EntryIsMissing", kUpNotAsPlanned, [](Case& c) { c.plan.moves[0].items_after.clear(); }},
      {"EntryDropsAnother", kUpNotAsPlanned,
       [](Case& c) {
         const PgId pg = c.plan.moves[0].pg;
         c.dump.map.pg_upmap_items[pg] = {{up_of(c, 0, 0), beside(up_of(c, 0, 0))}};
         c.plan.moves[0].items_before = c.dump.map.pg_upmap_items[pg];
       }},
      {"SameRack", kRuleBroken, [](Case& c) { retarget(c, 0, beside(up_of(c, 0, 0))); }},
      {"SameHostOfErasureCodedPg", kRuleBroken,
       [](Case& c) { retarget(c, 1, beside(up_of(c, 1, 0))); }},
      {"WrongClass", kRuleBroken,
       [](Case& c) { retarget(c, 0, c.plan.moves[0].to / 10 * 10 + 8); }},
      {"TargetInUpAlready", kRuleBroken, [](Case& c) { retarget(c, 0, up_of(c, 0, 0)); }},
      {"RuleHasAnUnknownStep", kRuleNotUnderstood,
       [](Case& c) {
         change_crush(c, [](map::CrushMap& crush) {
           auto& steps = crush.rules[0]->steps;
           steps.insert(steps.begin(), {static_cast<map::CrushOp>(77), 0, 0});
         });
       }},
      {"MonitorSeesSameRack", kMonitorDrops,
       [](Case& c) { retarget(c, 0, beside(up_of(c, 0, 0))); }},
      {"MonitorSeesWrongClass", kMonitorDrops,
       [](Case& c) { retarget(c, 0, c.plan.moves[0].to / 10 * 10 + 8); }},
      {"MonitorMissesSource", kMonitorDrops,
       [](Case& c) {
         c.plan.moves[0].items_after.push_back({c.plan.moves[0].to, 99});
       }},
      {"MonitorSeesTargetOut", kMonitorDrops,
       [](Case& c) { c.dump.map.osd_weight[c.plan.moves[0].to] = 0; }},
      {"MonitorSeesWeightlessTarget", kMonitorDrops,
       [](Case& c) {
         const OsdId to = c.plan.moves[0].to;
         change_crush(c, [&](map::CrushMap& crush) {
           ASSERT_TRUE(crush.reweight(fmt::format("osd.{}", to), 0).has_value());
         });
       }},
      {"SecondPairIsDead", kDeadPair,
       [](Case& c) {
         c.plan.moves[0].items_after.push_back({up_of(c, 0, 0), up_of(c, 0, 2)});
       }},
      {"PgIsNotActive", kPgUnhealthy,
       [](Case& c) { report_of(c, c.plan.moves[0].pg).state = map::kPgPeering; }},
      {"PgIsDegraded", kPgUnhealthy,
       [](Case& c) { report_of(c, c.plan.moves[0].pg).state = map::kPgActive | map::kPgDegraded; }},
      {"PgIsInconsistent", kPgUnhealthy,
       [](Case& c) { report_of(c, c.plan.moves[0].pg).state |= map::kPgInconsistent; }},
      {"PgHasNoSize", kPgUnhealthy,
       [](Case& c) { report_of(c, c.plan.moves[0].pg).has_sizes = false; }},
      {"PgDidNotReport", kPgUnhealthy,
       [](Case& c) {
         std::erase_if(c.dump.pgs, [&](const PgReport& r) { return r.pgid == c.plan.moves[0].pg; });
       }},
      {"PgIsBackfilling", kPgMoving,
       [](Case& c) { report_of(c, c.plan.moves[0].pg).state |= map::kPgBackfilling; }},
      {"PgIsElsewhere", kPgMoving,
       [](Case& c) { c.dump.acting[report_of(c, c.plan.moves[0].pg).first_acting] = 99; }},
      {"PgIsPinned", kPgPinned,
       [](Case& c) {
         const PgId pg = c.plan.moves[0].pg;
         c.dump.map.pg_upmap[pg] = c.dump.map.raw(pg);
       }},
      {"PgNumGrows", kPoolSplitting,
       [](Case& c) { c.dump.map.pools.at(kRackPool).pg_num_target = 2048; }},
      {"OnlyCopy", kLastCopy, [](Case& c) { c.dump.map.pools.at(kRackPool).size = 1; }},
      {"TargetIsDown", kTargetUnfit,
       [](Case& c) { c.dump.map.osd_state[c.plan.moves[0].to] &= ~map::kOsdUp; }},
      {"TargetIsOut", kTargetUnfit, [](Case& c) { c.dump.map.osd_weight[c.plan.moves[0].to] = 0; }},
      {"TargetIsDestroyed", kTargetUnfit,
       [](Case& c) { c.dump.map.osd_state[c.plan.moves[0].to] |= map::kOsdDestroyed; }},
      {"TargetIsCordoned", kTargetUnfit,
       [](Case& c) { c.dump.cordoned.insert(c.plan.moves[0].to); }},
      {"TargetDidNotReport", kTargetUnfit, [](Case& c) { c.dump.osds.erase(c.plan.moves[0].to); }},
      {"TargetIsNotChosen", kOutsideGoal, [](Case& c) { c.plan.goal.targets = {99}; }},
      {"PoolIsNotChosen", kOutsideGoal, [](Case& c) { c.plan.goal.pools = {kErasurePool}; }},
      {"TargetIsDrained", kOutsideGoal,
       [](Case& c) {
         c.plan.goal.kind = GoalKind::kDrain;
         c.plan.goal.devices = {c.plan.moves[0].to};
       }},
      {"TargetIsFull", kTargetOverLimit,
       [](Case& c) {
         Device& d = c.state.devices[c.plan.moves[0].to];
         d.used = d.size / 1000 * 895 - c.plan.moves[0].bytes / 2;
       }},
      {"TargetWillHaveGrownFull", kTargetOverLimit,
       [](Case& c) {
         Device& d = c.state.devices[c.plan.moves[0].to];
         d.growth_per_day = static_cast<int64_t>(d.size / 10);
         c.plan.goal.horizon_days = 6;
       }},
      {"TargetIsFullOfWhatIsOnItsWay", kTargetOverLimit,
       [](Case& c) {
         // Its use fits; with another PG's shard, which has not arrived, it does not.
         const OsdId to = c.plan.moves[0].to;
         const auto at = std::find(c.state.up.begin(), c.state.up.end(), to) - c.state.up.begin();
         c.state.acting[at] = 99;
         Device& d = c.state.devices[to];
         d.used = d.size / 1000 * 895 - c.plan.moves[0].bytes - c.state.shard_bytes[at] / 2;
       }},
      {"RoomComesOnlyInALaterWave", kTargetOverLimit,
       [](Case& c) {
         // What leaves the device does so in the same wave as what comes.
         Move leaving = make_move(c.state, {kRackPool, 9}, 2, 0);
         const OsdId to = leaving.from;
         c.plan.moves[0].to = to;
         c.plan.moves[2].wave = 0;
         Device& d = c.state.devices[to];
         d.used = d.size / 1000 * 895 - c.plan.moves[0].bytes / 2;
       }},
      {"TwoMovesToOneTarget", kTooManyBackfills,
       [](Case& c) { c.plan.moves[1].to = c.plan.moves[0].to; }},
      {"TwoMovesFromOneSource", kTooManyBackfills,
       [](Case& c) { c.plan.moves[1].from = c.plan.moves[0].from; }},
      {"TooManyBytes", kOverBudget, [](Case& c) { c.plan.goal.max_bytes = c.plan.bytes - 1; }},
      {"TooManyMoves", kOverBudget, [](Case& c) { c.plan.goal.max_moves = 2; }},
      {"WaveTooLarge", kOverBudget,
       [](Case& c) { c.plan.goal.wave_bytes = c.plan.moves[0].bytes + 1; }},
      {"BytesAreNotTheSum", kSumWrong, [](Case& c) { c.plan.bytes++; }},
      {"WavesAreMiscounted", kSumWrong, [](Case& c) { c.plan.waves = 7; }},
      {"BelowTheBound", kBelowBound, [](Case& c) { c.plan.lower_bound = c.plan.bytes + 1; }},
      {"SourceStaysAboveGoal", kGoalMissed,
       [](Case& c) {
         Device& d = c.state.devices[99];
         d.used = d.size / 100 * 81;
       }},
      {"DrainedDeviceKeepsShards", kGoalMissed,
       [](Case& c) {
         c.plan.goal.kind = GoalKind::kDrain;
         c.plan.goal.devices = {c.plan.moves[0].from};
       }},
      {"NotBalanced", kGoalMissed, [](Case& c) { c.plan.goal.kind = GoalKind::kBalance; }},
      {"NotFilled", kGoalMissed,
       [](Case& c) {
         c.plan.goal.kind = GoalKind::kFill;
         c.plan.goal.devices = {99};
         c.state.devices[99].used = 0;
       }},
      {"WavesDescend", kWavesOutOfOrder, [](Case& c) { c.plan.moves[0].wave = 2; }},
      {"DeadEntryIsNotThere", kDeadEntryWrong,
       [](Case& c) {
         c.plan.dead_entries.push_back({{kRackPool, 77}, {{1, 2}}, {}});
       }},
      {"CleaningMovesData", kDeadEntryWrong,
       [](Case& c) {
         const PgId pg{kRackPool, 77};
         const OsdId from = c.dump.map.raw(pg)[0];
         c.dump.map.pg_upmap_items[pg] = {{from, beside(from)}};
         c.plan.dead_entries.push_back({pg, {{from, beside(from)}}, {}});
       }},
      {"OtherCluster", kOtherCluster, [](Case& c) { c.dump.map.fsid.bytes[0] ^= 1; }},
      {"OldClients", kOldClients, [](Case& c) { c.dump.map.require_min_compat_client = 10; }},
      {"BalancerIsOn", kBalancer, [](Case& c) { c.dump.balancer_active = true; }},
  };
  return all;
}

class CheckRefuses : public testing::TestWithParam<size_t> {};

TEST_P(CheckRefuses, ABadPlan) {
  const Bad& bad = bad_plans()[GetParam()];
  Case c = good();
  bad.spoil(c);
  const Report r = check(c);
  EXPECT_TRUE(has(r.refusals, bad.fault)) << fault_name(bad.fault) << "; found:\n"
                                          << texts(r.refusals);
}

INSTANTIATE_TEST_SUITE_P(All, CheckRefuses, testing::Range<size_t>(0, bad_plans().size()),
                         [](const auto& p) { return bad_plans()[p.param].name; });

TEST(Check, EveryRefusalHasABadPlan) {
  for (int f = 0; f < static_cast<int>(Fault::kOtherEpoch); f++) {
    const auto fault = static_cast<Fault>(f);
    EXPECT_TRUE(std::any_of(bad_plans().begin(), bad_plans().end(), [&](const Bad& b) {
      return b.fault == fault;
    })) << fault_name(fault);
  }
}

TEST(Check, Warns) {
  Case c = good();
  c.plan.epoch--;
  c.plan.reaches_goal = false;
  c.state.stopping_flags = {"norebalance"};
  c.plan.moves[0].bytes++;
  c.plan.bytes++;
  Device& d = c.state.devices[c.plan.moves[0].to];
  d.used = d.size / 100 * 86;
  const Report r = check(c);
  EXPECT_EQ(texts(r.refusals), "");
  for (const Fault f : {Fault::kOtherEpoch, Fault::kDataStopped, Fault::kSizesDiffer,
                        Fault::kNearfull, Fault::kUnreached})
    EXPECT_TRUE(has(r.warnings, f)) << fault_name(f) << "; found:\n" << texts(r.warnings);
}

TEST(Check, NamesWhatItRefuses) {
  Case c = good();
  const OsdId to = beside(up_of(c, 0, 0));
  retarget(c, 0, to);
  const Report r = check(c);
  ASSERT_TRUE(has(r.refusals, Fault::kRuleBroken));
  for (const Finding& f : r.refusals) {
    EXPECT_EQ(f.pg, (PgId{kRackPool, 5})) << texts({f});
    EXPECT_FALSE(f.text.empty());
  }
}

TEST(Check, ReportsAreBounded) {
  Case c = good();
  const Move m = c.plan.moves[0];
  for (size_t i = 0; i < 3 * Report::kMaxFindings; i++) c.plan.moves.push_back(m);
  const Report r = check(c);
  EXPECT_EQ(r.refusals.size(), Report::kMaxFindings);
  EXPECT_GT(r.more_refusals, Report::kMaxFindings);
}

/// What an older plan left is taken into the new entry; what it undoes goes.
TEST(Check, EntriesThatAreThereAreKept) {
  Case c = good();
  const PgId pg = c.plan.moves[0].pg;
  const OsdId first = up_of(c, 0, 0), other = beside(first);
  c.dump.map.pg_upmap_items[pg] = {{first, other}};
  c.dump.acting[report_of(c, pg).first_acting] = other;
  c.state = synth_state(c.dump);
  c.plan.moves[0].items_before = {{first, other}};
  c.plan.moves[0].items_after.insert(c.plan.moves[0].items_after.begin(), {first, other});
  EXPECT_EQ(texts(check(c).refusals), "");
}

}  // namespace

}  // namespace plimsoll::mover
