// SPDX-License-Identifier: LGPL-2.1-or-later
// Every output against what a real 16.2.15 printed for the same map (qa/corpus/OSDMap).
#include "common/map/osd_map_dump.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "common/map/crush_text.h"
#include "common/map/json_compare.h"
#include "common/map/test_maps.h"

namespace plimsoll::map {

namespace {

OSDMap golden_map(const std::string& name) {
  return *wire::from_bytes<OSDMap>(read_corpus("OSDMap/" + name + ".bin"), "osdmap");
}

std::string golden(const std::string& name) {
  return read_corpus("OSDMap/" + name).to_string();
}

void expect_json(const boost::json::value& ours, const std::string& name) {
  EXPECT_EQ(json_difference(ours, boost::json::parse(golden(name))), "") << name;
}

}  // namespace

TEST(OsdMapDump, LikeRealForAFreshCluster) {
  const OSDMap m = golden_map("fresh_cluster");
  expect_json(dump_osd_map(m), "fresh_cluster.osd_dump.json");
  EXPECT_EQ(print_osd_map(m), golden("fresh_cluster.osd_dump.plain"));
  expect_json(dump_osd_tree(m), "fresh_cluster.osd_tree.json");
  EXPECT_EQ(print_osd_tree(m), golden("fresh_cluster.osd_tree.plain"));
  expect_json(dump_crush(*m.crush), "fresh_cluster.crush_dump.json");
}

TEST(OsdMapDump, LikeRealAfterManyEdits) {
  const OSDMap m = golden_map("after_edits");
  expect_json(dump_osd_map(m), "after_edits.osd_dump.json");
  EXPECT_EQ(print_osd_map(m), golden("after_edits.osd_dump.plain"));
  expect_json(dump_pools_detail(m), "after_edits.pools.json");
  expect_json(dump_crush(*m.crush), "after_edits.crush_dump.json");
}

TEST(OsdMapDump, TreesLikeReal) {
  const OSDMap m = golden_map("after_edits");
  expect_json(dump_osd_tree(m), "after_edits.osd_tree.json");
  EXPECT_EQ(print_osd_tree(m), golden("after_edits.osd_tree.plain"));
  expect_json(dump_crush_tree(m, false), "after_edits.crush_tree.json");
  EXPECT_EQ(print_crush_tree(m, false), golden("after_edits.crush_tree.plain"));
  expect_json(dump_crush_tree(m, true), "after_edits.crush_tree_shadow.json");
  EXPECT_EQ(print_crush_tree(m, true), golden("after_edits.crush_tree_shadow.plain"));
  expect_json(dump_osd_tree(m, {.out = true}), "after_edits.osd_tree_out.json");
  EXPECT_EQ(print_osd_tree(m, {.up = true}), golden("after_edits.osd_tree_up.plain"));
  EXPECT_EQ(print_osd_tree(m, {}, m.crush->find_item("rackone")),
            golden("after_edits.osd_tree_from.plain"));
}

TEST(CrushText, LikeCrushtool) {
  EXPECT_EQ(crush_to_text(*golden_map("after_edits").crush), golden("after_edits.crush.txt"));
}

TEST(CrushText, CompilesWhatItWrites) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    Rng rng(seed);
    const std::string text = crush_to_text(random_crush(rng, 12));
    auto m = crush_from_text(text);
    ASSERT_TRUE(m) << m.error().text() << "\n" << text;
    EXPECT_EQ(crush_to_text(*m), text);
  }
}

TEST(CrushText, ErrorsNameLineAndWord) {
  auto error = [](std::string_view text) {
    auto m = crush_from_text(text);
    return m ? "" : m.error().text();
  };
  EXPECT_EQ(error("type 0 osd\ntype 1 host\nplanet x {"), "line 3: unknown statement 'planet'");
  EXPECT_EQ(error("tunable warp 9"), "line 1: unknown tunable 'warp'");
  EXPECT_EQ(error("device one osd.1"), "line 1: 'one' is not a device number");
  EXPECT_EQ(error("type 1 host\nhost a {\n item b\n}"), "line 3: item 'b' does not exist");
  EXPECT_EQ(error("type 1 host\nhost a {\n"),
            "line 2: the text ends where a bucket's line should be");
  EXPECT_EQ(error("type 1 host\nhost a { alg straw }"),
            "line 2: alg straw is not supported; use straw2");
  EXPECT_EQ(error("rule r {\nstep jump\n}"), "line 2: unknown step 'jump'");
}

TEST(OsdMapDump, NamesReleases) {
  EXPECT_STREQ(release_name(16), "pacific");
  EXPECT_STREQ(release_name(200), "unknown");
  EXPECT_EQ(release_from("luminous"), 12);
  EXPECT_EQ(release_from("nonsense"), 0);
}

}  // namespace plimsoll::map
