// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/bench/mover/synth.h"

#include <gtest/gtest.h>

#include <numeric>

namespace plimsoll::mover {

namespace {

double class_fill(const Dump& dump, const char* device_class) {
  double used = 0, size = 0;
  for (const auto& [osd, r] : dump.osds)
    if (dump.map.crush->class_of(osd) == device_class) {
      used += static_cast<double>(r.used);
      size += static_cast<double>(r.size);
    }
  return used / size;
}

TEST(Synth, HasTheShapeThatWasAskedFor) {
  const Dump dump = make_synth({.osds = 100});
  EXPECT_EQ(dump.pgs.size(), 2784u);
  EXPECT_EQ(dump.map.num_pgs(), 2784u);
  EXPECT_TRUE(dump.map.crush->validate().has_value());
  EXPECT_NEAR(class_fill(dump, "hdd"), 0.78, 0.001);
  EXPECT_NEAR(class_fill(dump, "ssd"), 0.63, 0.001);
  for (const PgReport& r : dump.pgs)
    EXPECT_EQ(r.num_acting, dump.map.pools.at(r.pgid.pool).size) << r.pgid.to_string();
}

TEST(Synth, RootWeightsDoNotOverflow) {
  const Dump dump = make_synth({.osds = 10'000, .hdd_fill = 0.1});
  const map::CrushMap& crush = *dump.map.crush;
  uint64_t weights = 0;
  for (OsdId osd = 0; osd < 10'000; osd++) weights += crush.item_weight(osd);
  EXPECT_EQ(crush.bucket(*crush.find_item("default"))->weight, weights);
  EXPECT_EQ(dump.pgs.size(), 278'624u);
}

TEST(Synth, SameSeedSameClusterOtherSeedOther) {
  const Dump a = make_synth({.osds = 100}), b = make_synth({.osds = 100});
  const Dump c = make_synth({.osds = 100, .seed = 2});
  EXPECT_EQ(a.map, b.map);
  EXPECT_EQ(a.osds.at(7).used, b.osds.at(7).used);
  EXPECT_NE(a.osds.at(7).used, c.osds.at(7).used);
}

TEST(Synth, TheStatesShardsAddUpToWhatDevicesReport) {
  const Dump dump = make_synth({.osds = 100});
  const State s = synth_state(dump);
  std::vector<uint64_t> used(s.devices.size());
  for (size_t i = 0; i < s.up.size(); i++) used[s.up[i]] += s.shard_bytes[i];
  for (const auto& [osd, r] : dump.osds) EXPECT_EQ(used[osd], r.used) << osd;
  EXPECT_EQ(s.num_pgs(), dump.pgs.size());
}

}  // namespace

}  // namespace plimsoll::mover
