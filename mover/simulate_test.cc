// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan made, written, read, carried out on the dump; and what does not fit refused by name.
#include "mover/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "mover/model/state_builder.h"
#include "mover/model/test_dumps.h"
#include "mover/report.h"

namespace plimsoll::mover {

namespace {

Dump cluster() {
  return dump_of(TestCluster::make({.hosts = 6, .pg_num = 16}));
}

/// Moves PG 1.3 from one of its OSDs to one that has room.
PlanFile move_one(const Dump& dump) {
  const auto up = dump.map.raw_upmap({1, 3});
  Goal goal;
  goal.kind = GoalKind::kMove;
  OsdId to = 0;
  while (std::count(up.begin(), up.end(), to)) to++;
  goal.move = HandMove{{1, 3}, up[1], to};
  auto plan = make_plan(build_state(dump), goal);
  EXPECT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->moves.size(), 1u);
  return {dump.map.fsid, dump.map.pool_names, std::move(*plan)};
}

std::string error_of(const PlanFile& file, Dump dump) {
  auto r = apply_plan(file, dump);
  return r ? "" : r.error().text();
}

TEST(Simulate, TheShardIsWhereThePlanWantsIt) {
  const Dump before = cluster();
  const PlanFile file = move_one(before);
  const Move& m = file.plan.moves[0];
  Dump after = before;
  ASSERT_EQ(error_of(file, before), "");
  ASSERT_TRUE(apply_plan(file, after));
  EXPECT_EQ(after.map.epoch, before.map.epoch + 1);
  EXPECT_EQ(after.map.pg_upmap_items.at(m.pg), m.items_after);
  const State a = build_state(before), b = build_state(after);
  EXPECT_EQ(b.up_of(3)[m.position], m.to);
  EXPECT_EQ(b.acting_of(3)[m.position], m.to);
  EXPECT_EQ(b.devices[m.from].used, a.devices[m.from].used - m.bytes);
  EXPECT_EQ(b.devices[m.to].used, a.devices[m.to].used + m.bytes);
}

TEST(Simulate, NamesTheMoveThatDoesNotFit) {
  const Dump dump = cluster();
  const PlanFile file = move_one(dump);
  Dump changed = dump;
  changed.map.pg_upmap_items[{1, 3}] = {{0, 5}};
  EXPECT_NE(error_of(file, changed)
                .find("PG 1.3 has the pg_upmap_items 0->5, the plan is made "
                      "for none"),
            std::string::npos);
  PlanFile other = file;
  other.fsid.bytes[0] ^= 1;
  EXPECT_NE(error_of(other, dump).find("the plan is for cluster"), std::string::npos);
  PlanFile gone = file;
  gone.plan.moves[0].pg = {9, 1};
  EXPECT_EQ(error_of(gone, dump), "PG 9.1 does not exist");
  PlanFile nobody = file;
  nobody.plan.moves[0].to = 77;
  EXPECT_EQ(error_of(nobody, dump), "PG 1.3: osd.77 does not exist");
  PlanFile dead = file;
  dead.plan.moves[0].items_after = {{4000, file.plan.moves[0].to}};
  EXPECT_NE(error_of(dead, dump).find("with its entry it would be on"), std::string::npos);
}

TEST(Report, LinesAndCommands) {
  const Dump dump = cluster();
  const PlanFile file = move_one(dump);
  const Move& m = file.plan.moves[0];
  const std::string plain = print_report(file, &dump.map, {});
  EXPECT_NE(plain.find("1 move in 1 wave, "), std::string::npos) << plain;
  const std::string line =
      "MOVE 1.3 data " /* no class */ + std::string("1 MiB osd.") + std::to_string(m.from);
  EXPECT_NE(plain.find(line), std::string::npos) << plain;
  EXPECT_NE(plain.find("host host" + std::to_string(m.from) + "->host" + std::to_string(m.to)),
            std::string::npos)
      << plain;
  const std::string commands = print_commands(file);
  EXPECT_NE(commands.find("ceph osd pg-upmap-items 1.3 " + std::to_string(m.from) + " " +
                          std::to_string(m.to) + "\n"),
            std::string::npos)
      << commands;
  PlanFile back = file;
  back.plan.moves[0].items_after.clear();
  EXPECT_NE(print_commands(back).find("ceph osd rm-pg-upmap-items 1.3\n"), std::string::npos);
  EXPECT_NE(print_report(file, nullptr, {.diff = true}).find("1.3\n- []\n+ ["), std::string::npos);
}

}  // namespace

}  // namespace plimsoll::mover
