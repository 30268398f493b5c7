// SPDX-License-Identifier: LGPL-2.1-or-later
// That the replica check notices what it is for.
#include "qa/sim/replica_check.h"

#include <gtest/gtest.h>

#include "common/map/test_maps.h"

namespace plimsoll::sim {
namespace {

struct Replicas : ::testing::Test {
  Replicas() {
    for (OsdId osd = 0; osd < 3; osd++)
      for (const PgId pg : map.all_pgs()) stores[osd][pg.to_string()] = {{"a", "1"}, {"b", "2"}};
  }
  size_t wrong() const { return compare_replicas(map, 1, stores).size(); }
  const map::OSDMap map = map::make_cluster({.hosts = 3, .pg_num = 4});
  std::map<OsdId, CopyOfStore> stores;
};

TEST_F(Replicas, AreTheSame) { EXPECT_EQ(wrong(), 0u); }

TEST_F(Replicas, DifferInContent) {
  stores[1]["1.2"]["b"] = "3";
  EXPECT_EQ(wrong(), 1u);
}

TEST_F(Replicas, LackAnObject) {
  stores[2]["1.0"].erase("a");
  stores[0]["1.3"]["c"] = "4";
  EXPECT_EQ(wrong(), 2u);
}

TEST_F(Replicas, LackAPg) {
  stores[0].erase("1.1");
  EXPECT_EQ(wrong(), 3u) << "the PG, and its two objects";
}

TEST_F(Replicas, OfStrangersDoNotCount) {
  stores[7]["1.1"] = {{"a", "old"}};
  EXPECT_EQ(wrong(), 0u);
}

}  // namespace
}  // namespace plimsoll::sim
