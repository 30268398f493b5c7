// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/state_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "mover/model/test_dumps.h"

namespace plimsoll::mover {

namespace {

/// Sum of the shards that are on the OSD.
uint64_t on(const State& s, OsdId osd) {
  uint64_t sum = 0;
  for (PgIndex pg = 0; pg < s.num_pgs(); pg++)
    for (uint32_t i = 0; i < s.width(pg); i++)
      if (s.acting_of(pg)[i] == osd) sum += s.bytes_of(pg)[i];
  return sum;
}

PgReport& report_of(Dump& dump, PgId pg) {
  return *std::find_if(dump.pgs.begin(), dump.pgs.end(),
                       [&](const PgReport& r) { return r.pgid == pg; });
}

TEST(StateBuilder, PlacesPgsByTheMap) {
  TestCluster c = TestCluster::make({.hosts = 5, .pg_num = 16});
  const PgId moved{1, 3};
  const auto before = c.map.raw(moved);
  OsdId other = 0;
  while (std::count(before.begin(), before.end(), other)) other++;
  c.map.pg_upmap_items[moved] = {{before[1], other}};
  const State s = build_state(dump_of(c));
  ASSERT_EQ(s.num_pgs(), 16u);
  EXPECT_EQ(s.epoch, 10u);
  for (PgIndex pg = 0; pg < s.num_pgs(); pg++) {
    EXPECT_EQ(s.width(pg), 3u);
    const auto raw = c.map.raw(s.pg_ids[pg]), up = c.map.raw_upmap(s.pg_ids[pg]);
    EXPECT_TRUE(std::ranges::equal(s.raw_of(pg), raw));
    EXPECT_TRUE(std::ranges::equal(s.up_of(pg), up));
    EXPECT_EQ(s.pg_flags[pg], kPgIsActive | kPgIsClean);
  }
  // The reports are from before the entry: one position differs, where the shard moves.
  EXPECT_EQ(s.up_of(3)[1], other);
  EXPECT_EQ(s.acting_of(3)[1], before[1]);
  EXPECT_EQ(s.acting_of(3)[0], s.up_of(3)[0]);
  EXPECT_EQ(s.acting_of(3)[2], s.up_of(3)[2]);
  EXPECT_EQ(s.upmap_items.at(3), c.map.pg_upmap_items.at(moved));
}

TEST(StateBuilder, HolesKeepThePoolsWidth) {
  TestCluster c = TestCluster::make({.hosts = 2, .pg_num = 4});  // size 3 on two hosts
  c.map.erasure_code_profiles["p"] = {{"k", "2"}, {"m", "1"}};
  map::CrushMap crush = *c.map.crush;
  const int rule = *crush.add_simple_rule("ec", "default", "host", "", "indep", 3);
  c.map.crush = map::SharedCrush(crush);
  const PoolId ec = map::add_pool(c.map, "ec", map::kPoolErasure, 3, rule, 2, 2);
  c.map.pools[ec].erasure_code_profile = "p";
  const State s = build_state(dump_of(c));
  ASSERT_EQ(s.num_pgs(), 6u);
  EXPECT_EQ(s.up_of(0)[2], kOsdNone);
  EXPECT_EQ(std::count(s.up_of(4).begin(), s.up_of(4).end(), kOsdNone), 1);
  EXPECT_EQ(s.pools.at(ec).data_chunks, 2u);
  EXPECT_EQ(s.pools.at(ec).rule, rule);
  EXPECT_EQ(s.pg_flags[4] & kPgIsUnreported, kPgIsUnreported);
}

TEST(StateBuilder, ShardsSumUpToWhatTheOsdReports) {
  const TestCluster c = TestCluster::make({.hosts = 6, .pg_num = 64});
  Dump dump = dump_of(c);
  // Compression: the data takes 60% of its logical size; 7 MiB are something else.
  for (auto& [osd, r] : dump.osds) {
    r.used_data = r.used_data * 6 / 10;
    r.used = r.used_data + (7 << 20);
  }
  const State s = build_state(dump);
  for (OsdId osd = 0; osd < 6; osd++) {
    const double data = static_cast<double>(dump.osds.at(osd).used_data);
    EXPECT_NEAR(static_cast<double>(on(s, osd)), data, data * 0.001);
    EXPECT_NEAR(static_cast<double>(s.devices[osd].fixed), 7 << 20, data * 0.001);
    EXPECT_EQ(s.devices[osd].used, dump.osds.at(osd).used);
  }
}

TEST(StateBuilder, LeftoversStayUnexplained) {
  Dump dump = dump_of(TestCluster::make({.hosts = 6, .pg_num = 64}));
  dump.osds[2].used_data *= 10;
  dump.osds[2].used = dump.osds[2].used_data;
  const State s = build_state(dump);
  // At most twice the usual factor, which is that of all others.
  EXPECT_NEAR(static_cast<double>(on(s, 2)), static_cast<double>(dump.osds[2].used_data) / 5,
              static_cast<double>(dump.osds[2].used_data) / 50);
  EXPECT_EQ(s.devices[2].fixed, s.devices[2].used - on(s, 2));
}

TEST(StateBuilder, AllocatedBytesAreBelieved) {
  const TestCluster c = TestCluster::make({.hosts = 3, .pg_num = 4});
  Dump dump = dump_of(c);
  dump.osds[1].pg_allocated = {{{1, 0}, 111}, {{1, 1}, 222}, {{1, 2}, 333}, {{1, 3}, 444}};
  dump.osds[1].used = 2000;
  const State s = build_state(dump);
  EXPECT_EQ(on(s, 1), 1110u);
  EXPECT_EQ(s.devices[1].fixed, 890u);
  for (PgIndex pg = 0; pg < 4; pg++)
    for (uint32_t i = 0; i < 3; i++)
      if (s.up_of(pg)[i] == 1) EXPECT_EQ(s.bytes_of(pg)[i], 111u * (pg + 1));
}

TEST(StateBuilder, ErasureCodedShardsArePartsWithRoundedEnds) {
  TestCluster c = TestCluster::make({.hosts = 3, .pg_num = 4});
  c.map.erasure_code_profiles["p"] = {{"k", "2"}, {"m", "1"}};
  map::CrushMap crush = *c.map.crush;
  const int rule = *crush.add_simple_rule("ec", "default", "host", "", "indep", 3);
  c.map.crush = map::SharedCrush(crush);
  const PoolId ec = map::add_pool(c.map, "ec", map::kPoolErasure, 3, rule, 1, 1);
  c.map.pools[ec].erasure_code_profile = "p";
  c.map.pools[ec].stripe_width = 8192;
  auto& stat = c.stats.pgs[{ec, 0}];
  stat.pgid = {ec, 0};
  stat.state = map::kPgActive;
  stat.stats.num_bytes = 10 << 20;
  stat.stats.num_objects = 10;
  stat.up = stat.acting = c.map.map_pg({ec, 0}).acting;
  Dump dump = dump_of(c);
  dump.osds.clear();  // nothing to calibrate by
  const State s = build_state(dump);
  EXPECT_EQ(s.bytes_of(4)[0], (10u << 20) / 2 + 10 * 8192 / 2 / 2 + 10 * 2048);
}

TEST(StateBuilder, ReportsTurnIntoFlags) {
  Dump dump = dump_of(TestCluster::make({.hosts = 3, .pg_num = 8}));
  const struct {
    uint64_t state;
    uint8_t flags;
  } cases[] = {
      {map::kPgActive | map::kPgUndersized | map::kPgDegraded, kPgIsActive | kPgIsDegraded},
      {map::kPgPeering, 0},
      {map::kPgActive | map::kPgClean | map::kPgStale, kPgIsClean},
      {map::kPgActive | map::kPgRemapped | map::kPgBackfilling, kPgIsActive},
      {map::kPgDown, kPgIsDegraded},
      {0, kPgIsUnreported},
  };
  for (uint32_t i = 0; i < std::size(cases); i++) report_of(dump, {1, i}).state = cases[i].state;
  dump.pgs.erase(dump.pgs.begin() + 6);
  const State s = build_state(dump);
  for (uint32_t i = 0; i < std::size(cases); i++) EXPECT_EQ(s.pg_flags[i], cases[i].flags) << i;
  EXPECT_EQ(s.pg_flags[6], kPgIsUnreported);
}

TEST(StateBuilder, GrowthGoesWhereThePoolIs) {
  Dump dump = dump_of(TestCluster::make({.hosts = 4, .pg_num = 64}));
  dump.growth_per_day[1] = 1 << 30;
  dump.cordoned = {2};
  dump.map.flags |= map::kMapNoRebalance;
  const State s = build_state(dump);
  int64_t sum = 0;
  for (const Device& d : s.devices) sum += d.growth_per_day;
  EXPECT_NEAR(static_cast<double>(sum), 3.0 * (1 << 30), 1000);
  EXPECT_TRUE(s.devices[2].cordoned);
  EXPECT_FALSE(s.devices[1].cordoned);
  EXPECT_EQ(s.stopping_flags, std::vector<std::string>{"norebalance"});
}

TEST(StateBuilder, PoolsThatSplitSaySo) {
  TestCluster c = TestCluster::make({.hosts = 3, .pg_num = 8});
  EXPECT_FALSE(build_state(dump_of(c)).pools.at(1).splitting);
  c.map.pools[1].pg_num_target = 16;
  EXPECT_TRUE(build_state(dump_of(c)).pools.at(1).splitting);
}

}  // namespace

}  // namespace plimsoll::mover
