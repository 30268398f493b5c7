// SPDX-License-Identifier: LGPL-2.1-or-later
// The Objecter's decisions, case by case.
#include "common/rados/target.h"

#include <gtest/gtest.h>

#include "common/rados/map_follower.h"

namespace plimsoll::rados {

namespace {

constexpr PoolId kPool = 1;

/// One pool of one PG; osd.0 and osd.1 up; pg_temp says who acts, so that no CRUSH map is needed.
map::OSDMap make_map() {
  map::OSDMap m;
  m.epoch = 10;
  m.set_max_osd(2);
  for (OsdId osd : {0, 1}) {
    m.osd_state[osd] = map::kOsdExists | map::kOsdUp;
    m.osd_weight[osd] = map::kOsdIn;
  }
  map::PgPool pool;
  pool.pg_num = pool.pgp_num = 1;
  m.pools[kPool] = pool;
  m.pool_names[kPool] = "p";
  m.pg_temp[{kPool, 0}] = {0, 1};
  return m;
}

Aim make_aim(uint32_t flags) {
  Aim aim;
  aim.oid = "foo";
  aim.locator.pool = kPool;
  aim.flags = flags;
  return aim;
}

const Aim kRead = make_aim(msg::kReqRead);
const Aim kWrite = make_aim(msg::kReqWrite);
const Aim kTry = make_aim(msg::kReqWrite | msg::kReqFullTry);
const Aim kForce = make_aim(msg::kReqWrite | msg::kReqFullForce);

Verdict judge_sent(const map::OSDMap& m, const Aim& aim, const Target& before,
                   bool saw_full = false) {
  return judge(m, aim, before, find_target(m, aim), true, saw_full, 0);
}

}  // namespace

TEST(Target, FollowsActingAndHash) {
  map::OSDMap m = make_map();
  Target t = find_target(m, kWrite);
  EXPECT_TRUE(t.pool_exists);
  EXPECT_EQ(t.hash, 0x7fc1f406u);
  EXPECT_EQ(t.primary, 0);
  Aim listing = kRead;
  listing.locator.hash = 0;
  EXPECT_EQ(find_target(m, listing).hash, 0u);
  Aim elsewhere = kRead;
  elsewhere.locator.pool = 7;
  EXPECT_FALSE(find_target(m, elsewhere).pool_exists);
}

TEST(Target, KeyAndNamespaceDecideTheHash) {
  map::OSDMap m = make_map();
  Aim keyed = kWrite;
  keyed.oid = "whatever";
  keyed.locator.key = "foo";
  EXPECT_EQ(find_target(m, keyed).hash, find_target(m, kWrite).hash);
  Aim spaced = kWrite;
  spaced.locator.nspace = "ns";
  EXPECT_NE(find_target(m, spaced).hash, find_target(m, kWrite).hash);
}

TEST(Judge, KeepsWhatStillStands) {
  map::OSDMap m = make_map();
  EXPECT_EQ(judge_sent(m, kWrite, find_target(m, kWrite)), Verdict::kKeep);
  EXPECT_EQ(judge(m, kWrite, {}, find_target(m, kWrite), false, false, 0), Verdict::kSend);
}

TEST(Judge, SendsAgainWhenActingChanges) {
  map::OSDMap m = make_map();
  const Target before = find_target(m, kWrite);
  m.pg_temp[{kPool, 0}] = {1, 0};
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kSend);
  m.pg_temp[{kPool, 0}] = {0};
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kSend);
}

TEST(Judge, FullPoolStopsOrdinaryWritesOnly) {
  map::OSDMap m = make_map();
  const Target before = find_target(m, kWrite);
  m.pools[kPool].flags |= map::kPoolFull;
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kPause);
  EXPECT_EQ(judge_sent(m, kRead, before), Verdict::kKeep);
  EXPECT_EQ(judge_sent(m, kTry, before), Verdict::kKeep);
  EXPECT_EQ(judge_sent(m, kForce, before), Verdict::kKeep);
  Aim ordered = make_aim(msg::kReqRead | msg::kReqRwOrdered);
  EXPECT_EQ(judge_sent(m, ordered, before), Verdict::kPause);
}

TEST(Judge, ResendsWhatAnOsdMayHaveDiscarded) {
  map::OSDMap m = make_map();
  const Target before = find_target(m, kWrite);
  // Full came and went within one batch of maps.
  EXPECT_EQ(judge_sent(m, kWrite, before, true), Verdict::kSend);
  EXPECT_EQ(judge_sent(m, kTry, before, true), Verdict::kKeep);
  EXPECT_EQ(judge_sent(m, kRead, before, true), Verdict::kKeep);
}

TEST(MapFollower, TellsWhatWasSkipped) {
  const auto message = [](Epoch epoch) {
    map::OSDMap m = make_map();
    m.epoch = epoch;
    msg::MOSDMap out;
    out.maps[epoch] = wire::to_bytes(m);
    return out;
  };
  MapFollower maps;
  EXPECT_FALSE(maps.apply(message(10))->skipped) << "the first";
  EXPECT_FALSE(maps.apply(message(11))->skipped);
  EXPECT_TRUE(maps.apply(message(13))->skipped);
  msg::MOSDMap both = message(14);
  both.maps.merge(message(16).maps);
  const auto step = maps.apply(both);
  EXPECT_EQ(step->maps.size(), 2u);
  EXPECT_TRUE(step->skipped);
  EXPECT_EQ(maps.epoch(), 16u);
}

TEST(Judge, ClusterFlagsPause) {
  map::OSDMap m = make_map();
  const Target before = find_target(m, kWrite);
  m.flags |= map::kMapPauseWrite;
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kPause);
  EXPECT_EQ(judge_sent(m, kForce, before), Verdict::kPause);
  EXPECT_EQ(judge_sent(m, kRead, before), Verdict::kKeep);
  m.flags = map::kMapBaseFlags | map::kMapPauseRead;
  EXPECT_EQ(judge_sent(m, kRead, before), Verdict::kPause);
  m.flags = map::kMapBaseFlags | map::kMapFull;
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kPause);
  EXPECT_EQ(full_pools(m), (std::set<PoolId>{kAllPools}));
}

TEST(Judge, BarrierHoldsEverythingBack) {
  map::OSDMap m = make_map();
  const Target t = find_target(m, kRead);
  EXPECT_EQ(judge(m, kRead, t, t, true, false, m.epoch + 1), Verdict::kPause);
  EXPECT_EQ(judge(m, kRead, t, t, true, false, m.epoch), Verdict::kKeep);
}

TEST(Judge, PoolGoneAndNobodyUp) {
  map::OSDMap m = make_map();
  const Target before = find_target(m, kWrite);
  m.osd_state[0] = m.osd_state[1] = map::kOsdExists;
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kPause);
  m.pools.clear();
  EXPECT_EQ(judge_sent(m, kWrite, before), Verdict::kPoolGone);
}

}  // namespace plimsoll::rados
