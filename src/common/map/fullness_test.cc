// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/fullness.h"

#include <gtest/gtest.h>

#include "common/map/test_maps.h"

namespace plimsoll::map {
namespace {

OSDMap with_ratios(float nearfull, float backfillfull, float full) {
  OSDMap m;
  m.nearfull_ratio = nearfull;
  m.backfillfull_ratio = backfillfull;
  m.full_ratio = full;
  return m;
}

TEST(Fullness, EachRatioIsRaisedToTheOneBelow) {
  const FullRatios r = effective_ratios(with_ratios(0.97f, 0.9f, 0.95f), 0.96);
  EXPECT_FLOAT_EQ(r.nearfull, 0.97f);
  EXPECT_FLOAT_EQ(r.backfillfull, 0.97f);
  EXPECT_FLOAT_EQ(r.full, 0.97f);
  EXPECT_FLOAT_EQ(r.failsafe, 0.97f);
  const FullRatios unset = effective_ratios(with_ratios(0, 0, 0), 0.97);
  EXPECT_FLOAT_EQ(unset.nearfull, 0.97f);
  EXPECT_FLOAT_EQ(unset.full, 0.97f);
}

TEST(Fullness, OnlyAboveARatio) {
  const FullRatios r{0.5, 0.6, 0.7, 0.8};
  EXPECT_EQ(fullness_of(r, 0.5), 0u);
  EXPECT_EQ(fullness_of(r, 0.51), kOsdNearFull);
  EXPECT_EQ(fullness_of(r, 0.65), kOsdBackfillFull);
  EXPECT_EQ(fullness_of(r, 0.7), kOsdBackfillFull);
  EXPECT_EQ(fullness_of(r, 0.9), kOsdFull);
}

struct PoolFlags : ::testing::Test {
  PoolFlags() : map(make_cluster({})), inc(Incremental::after(map)) {}
  uint64_t derive() {
    OSDMap next = map;
    EXPECT_TRUE(next.apply_incremental(inc).has_value());
    derive_pool_flags(map, next, inc);
    const PoolId id = map.pools.begin()->first;
    const auto it = inc.new_pools.find(id);
    return (it == inc.new_pools.end() ? map.pools.at(id) : it->second).flags;
  }
  OSDMap map;
  Incremental inc;
};

TEST_F(PoolFlags, TheWorstOsdOfTheRuleCounts) {
  inc.new_state[0] = kOsdNearFull;
  EXPECT_TRUE(derive() & kPoolNearFull);
  inc.new_state[1] = kOsdFull;
  const uint64_t flags = derive();
  EXPECT_TRUE(flags & kPoolFull);
  EXPECT_FALSE(flags & kPoolNearFull);
  inc.new_state.clear();
  EXPECT_FALSE(derive() & (kPoolFull | kPoolNearFull | kPoolBackfillFull));
}

TEST_F(PoolFlags, AnOsdThatIsOutDoesNotCount) {
  inc.new_state[0] = kOsdFull;
  inc.new_weight[0] = kOsdOut;
  EXPECT_FALSE(derive() & kPoolFull);
}

TEST_F(PoolFlags, QuotaKeepsAPoolFull) {
  inc.edit_pool(map, map.pools.begin()->first)->flags |= kPoolFullQuota;
  EXPECT_TRUE(derive() & kPoolFull);
  inc.new_state[0] = kOsdNearFull;
  const uint64_t flags = derive();
  EXPECT_TRUE(flags & kPoolFull);
  EXPECT_FALSE(flags & kPoolNearFull);
}

}  // namespace
}  // namespace plimsoll::map
