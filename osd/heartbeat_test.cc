// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/heartbeat.h"

#include <gtest/gtest.h>

#include "common/map/crush_map.h"

namespace plimsoll::osd {
namespace {

/// `hosts` hosts of `each` OSDs, numbered host by host, all up.
map::OSDMap make_map(int hosts, int each) {
  map::OSDMap map;
  map.set_max_osd(hosts * each);
  map::CrushMap crush = map::CrushMap::initial("host");
  for (OsdId osd = 0; osd < hosts * each; osd++) {
    const std::string host = "h" + std::to_string(osd / each);
    EXPECT_TRUE(crush.create_or_move(osd, "osd." + std::to_string(osd), 1,
                                     {{"root", "default"}, {"host", host}}));
    map.osd_state[osd] = map::kOsdExists | map::kOsdUp;
  }
  map.crush = map::SharedCrush(crush);
  return map;
}

using Set = std::set<OsdId>;

TEST(HeartbeatNeighbors, TheNextOnesAroundTheEnd) {
  const map::OSDMap map = make_map(1, 6);
  EXPECT_EQ(heartbeat_neighbors(map, 1, {3, 2, "host"}), (Set{2, 3, 4}));
  EXPECT_EQ(heartbeat_neighbors(map, 4, {3, 2, "host"}), (Set{5, 0, 1}));
  EXPECT_EQ(heartbeat_neighbors(map, 4, {99, 2, "host"}), (Set{0, 1, 2, 3, 5}));
}

TEST(HeartbeatNeighbors, SomeOfOtherSubtrees) {
  const map::OSDMap map = make_map(4, 10);
  EXPECT_EQ(heartbeat_neighbors(map, 3, {2, 2, "host"}), (Set{4, 5, 10, 20}));
  EXPECT_EQ(heartbeat_neighbors(map, 39, {2, 2, "host"}), (Set{0, 1, 10}));
}

TEST(HeartbeatNeighbors, PassesOverWhoIsDown) {
  map::OSDMap map = make_map(3, 2);
  map.osd_state[2] = map.osd_state[1] = map::kOsdExists;
  EXPECT_EQ(heartbeat_neighbors(map, 0, {1, 1, "host"}), (Set{3}));
  for (auto& state : map.osd_state) state = map::kOsdExists;
  EXPECT_EQ(heartbeat_neighbors(map, 0, {10, 2, "host"}), Set());
}

TEST(FlappingGuard, TooOftenWithinThePeriod) {
  FlappingGuard g;
  for (int n = 0; n < 5; n++)
    EXPECT_FALSE(g.called_down({n * 10s}, 5, 600s)) << n;
  EXPECT_TRUE(g.called_down({60s}, 5, 600s));
}

TEST(FlappingGuard, ForgetsWhatIsLongAgo) {
  FlappingGuard g;
  for (int n = 0; n < 50; n++)
    EXPECT_FALSE(g.called_down({n * 150s}, 5, 600s)) << n;
}

}  // namespace
}  // namespace plimsoll::osd
