// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/map_check.h"

#include <gtest/gtest.h>

#include "common/map/test_maps.h"

namespace plimsoll::sim {
namespace {

map::OSDMap map_at(Epoch epoch, uint32_t flags = 0) {
  map::OSDMap map = map::make_cluster({.hosts = 3, .pg_num = 4});
  map.epoch = epoch;
  map.flags |= flags;
  return map;
}

constexpr PgId kOne{1, 0}, kTwo{1, 1};

TEST(MapCheck, EachPgGoesForwardByItself) {
  MapCheck check;
  check.came_to(0, kOne, map_at(7));
  check.came_to(0, kTwo, map_at(5));
  check.came_to(0, kTwo, map_at(7));
  check.came_to(1, kOne, map_at(3));
  EXPECT_TRUE(check.wrong().empty());
  EXPECT_EQ(check.newest(), 7u);
  check.came_to(0, kTwo, map_at(6));
  EXPECT_EQ(check.wrong().size(), 1u);
}

TEST(MapCheck, MayBeginAgainWithAnOlderOne) {
  MapCheck check;
  check.came_to(0, kOne, map_at(7));
  check.begin(0);
  check.came_to(0, kOne, map_at(5));
  EXPECT_TRUE(check.wrong().empty());
}

TEST(MapCheck, AnEpochIsOneMap) {
  MapCheck check;
  check.came_to(0, kOne, map_at(7));
  check.came_to(1, kOne, map_at(7));
  EXPECT_TRUE(check.wrong().empty());
  check.came_to(2, kOne, map_at(7, map::kMapNoOut));
  EXPECT_EQ(check.wrong().size(), 1u);
}

}  // namespace
}  // namespace plimsoll::sim
