// SPDX-License-Identifier: LGPL-2.1-or-later
// What can be said without the stock tools; qa/transcripts/crush compares whole maps with them.
#include "common/map/crush_mapper.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/crc32c.h"
#include "common/map/test_maps.h"

namespace plimsoll::map {

TEST(CrushLn, CheckValues) {
  EXPECT_EQ(crush_ln(0), 0);
  EXPECT_EQ(crush_ln(1), 0x100000000000);
  EXPECT_EQ(crush_ln(0xffff), 0xfffff0000000);
  // All 65536 values at once, from an independent computation with 80 digits.
  ByteWriter all;
  for (uint32_t u = 0; u < 0x10000; u++) all.u64(static_cast<uint64_t>(crush_ln(u)));
  EXPECT_EQ(crc32c(~0u, all.view()), 0x54ef9123u);
}

TEST(CrushMapper, ChoosesDistinctHostsAndIsDeterministic) {
  const OSDMap m = make_cluster({.hosts = 5, .osds_per_host = 4});
  for (uint32_t x = 0; x < 500; x++) {
    const auto osds = crush_do_rule(*m.crush, 0, x, 3, m.osd_weight);
    ASSERT_EQ(osds.size(), 3u);
    std::set<int> hosts;
    for (CrushItem osd : osds) hosts.insert(osd / 4);
    EXPECT_EQ(hosts.size(), 3u);
    EXPECT_EQ(osds, crush_do_rule(*m.crush, 0, x, 3, m.osd_weight));
  }
}

TEST(CrushMapper, FollowsWeights) {
  CrushMap m = CrushMap::initial("osd");
  for (int osd = 0; osd < 3; osd++)
    ASSERT_TRUE(m.set_device(osd, "osd." + std::to_string(osd), osd + 1, {{"root", "default"}}));
  const std::vector<uint32_t> in(3, 0x10000);
  std::map<CrushItem, int> first;
  constexpr int kDraws = 30000;
  for (uint32_t x = 0; x < kDraws; x++) first[crush_do_rule(m, 0, x, 1, in)[0]]++;
  for (int osd = 0; osd < 3; osd++)
    EXPECT_NEAR(first[osd], kDraws * (osd + 1) / 6.0, kDraws * 0.02);
}

TEST(CrushMapper, OutDevicesAreNeverChosenAndOthersStay) {
  const OSDMap m = make_cluster({.hosts = 6, .osds_per_host = 1});
  std::vector<uint32_t> weights = m.osd_weight;
  weights[2] = 0;
  for (uint32_t x = 0; x < 500; x++) {
    const auto before = crush_do_rule(*m.crush, 0, x, 3, m.osd_weight);
    const auto after = crush_do_rule(*m.crush, 0, x, 3, weights);
    EXPECT_EQ(std::count(after.begin(), after.end(), 2), 0);
    if (std::count(before.begin(), before.end(), 2) == 0) EXPECT_EQ(before, after);
  }
}

TEST(CrushMapper, AnswersNothingForWhatIsNotThere) {
  const OSDMap m = make_cluster({.hosts = 3, .osds_per_host = 1});
  EXPECT_TRUE(crush_do_rule(*m.crush, 7, 1, 3, m.osd_weight).empty());
  EXPECT_TRUE(crush_do_rule(*m.crush, -1, 1, 3, m.osd_weight).empty());
  EXPECT_TRUE(crush_do_rule(*m.crush, 0, 1, 0, m.osd_weight).empty());
  EXPECT_TRUE(crush_do_rule(*m.crush, 0, 1, 3, {}).empty());
}

TEST(CrushMapper, SurvivesDamagedMaps) {
  // Whatever decodes must map without a crash or a hang.
  const Bytes whole = read_corpus("CrushMap/fresh_cluster.bin");
  const std::vector<uint32_t> weights(3, 0x10000);
  int survivors = 0;
  for (size_t at = 0; at < whole.size(); at++) {
    for (uint8_t flip : {0x01, 0x80, 0xff}) {
      std::string bad = whole.to_string();
      bad[at] = static_cast<char>(bad[at] ^ flip);
      auto m = wire::from_bytes<CrushMap>(Bytes::take(bad), "crush map");
      if (!m || !m->validate()) continue;
      survivors++;
      for (uint32_t x = 0; x < 4; x++)
        for (int rule = 0; rule < 2; rule++) (void)crush_do_rule(*m, rule, x, 3, weights);
    }
  }
  EXPECT_GT(survivors, 100);
}

}  // namespace plimsoll::map
