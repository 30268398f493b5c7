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
      for (const PgId pg : map.all_pgs()) stores[osd][pg.to_string()] = kCopy;
  }
  const CopyOfPg kCopy = {{{"a", "1"}, {"b", "2"}}, {{"log.1", "x"}, {"log.2", "y"}}};
  size_t wrong() const { return compare_replicas(map, 1, stores).size(); }
  const map::OSDMap map = map::make_cluster({.hosts = 3, .pg_num = 4});
  std::map<OsdId, CopyOfStore> stores;
};

TEST_F(Replicas, AreTheSame) { EXPECT_EQ(wrong(), 0u); }

TEST_F(Replicas, DifferInContent) {
  stores[1]["1.2"].objects["b"] = "3";
  EXPECT_EQ(wrong(), 1u);
}

TEST_F(Replicas, LackAnObject) {
  stores[2]["1.0"].objects.erase("a");
  stores[0]["1.3"].objects["c"] = "4";
  EXPECT_EQ(wrong(), 2u);
}

TEST_F(Replicas, LackAPg) {
  stores[0].erase("1.1");
  EXPECT_EQ(wrong(), 1u);
}

TEST_F(Replicas, HaveTheSameLogBehindTheLongestTail) {
  stores[1]["1.0"].log.erase("log.1");
  EXPECT_EQ(wrong(), 0u);
  stores[1]["1.1"].log["log.2"] = "z";
  EXPECT_EQ(wrong(), 1u);
  stores[2]["1.2"].log["log.3"] = "z";
  EXPECT_EQ(wrong(), 2u);
  stores[0]["1.3"].log.clear();
  EXPECT_EQ(wrong(), 3u);
}

TEST_F(Replicas, OfStrangersDoNotCount) {
  stores[7]["1.1"] = {{{"a", "old"}}, {{"log.1", "old"}}};
  EXPECT_EQ(wrong(), 0u);
}

}  // namespace
}  // namespace plimsoll::sim
