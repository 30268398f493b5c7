// SPDX-License-Identifier: LGPL-2.1-or-later
// Encoding, lookups and the rules of editing. Longer stories are in qa/transcripts/crush.
#include "common/map/crush_map.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "common/map/test_maps.h"

namespace plimsoll::map {

namespace {

/// What every edit must leave behind.
void expect_consistent(const CrushMap& m) {
  auto valid = m.validate();
  EXPECT_TRUE(valid) << (valid ? "" : valid.error().text());
  for (const auto& b : m.buckets) {
    if (!b) continue;
    ASSERT_EQ(b->items.size(), b->weights.size());
    CrushWeight sum = 0;
    for (size_t i = 0; i < b->items.size(); i++) {
      sum += b->weights[i];
      if (const CrushBucket* child = m.bucket(b->items[i]))
        EXPECT_EQ(b->weights[i], child->weight) << m.item_name(b->id);
    }
    EXPECT_EQ(b->weight, sum) << m.item_name(b->id);
  }
  CrushMap rebuilt = m;
  ASSERT_TRUE(rebuilt.rebuild_shadow_trees());
  EXPECT_TRUE(rebuilt == m) << "shadow trees are stale";
  auto back = wire::from_bytes<CrushMap>(wire::to_bytes(m), "crush map");
  ASSERT_TRUE(back);
  EXPECT_TRUE(*back == m);
}

CrushMap small_map() {
  CrushMap m = CrushMap::initial("host");
  for (int osd = 0; osd < 4; osd++)
    EXPECT_TRUE(m.set_device(osd, fmt::format("osd.{}", osd), 1,
                             {{"root", "default"}, {"host", fmt::format("h{}", osd / 2)}}));
  return m;
}

}  // namespace

TEST(CrushMap, RealMapSurvivesAndTruncationsAreRefused) {
  const Bytes whole = read_corpus("CrushMap/fresh_cluster.bin");
  auto m = wire::from_bytes<CrushMap>(whole, "crush map");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(wire::to_bytes(*m), whole);
  EXPECT_TRUE(m->validate());
  for (size_t n = 0; n < whole.size(); n++)
    ASSERT_FALSE(wire::from_bytes<CrushMap>(whole.slice(0, n), "crush map")) << n;
}

TEST(CrushMap, GeneratedMapsSurviveAndAreConsistent) {
  for (uint64_t seed = 1; seed <= 30; seed++) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    CrushMap m = random_crush(rng, 12);
    m.choose_args.clear();  // may differ from the weights by intent
    expect_consistent(m);
  }
}

TEST(CrushMap, RefusesLoops) {
  CrushMap m = small_map();
  m.bucket(*m.find_item("h0"))->items.push_back(*m.find_item("default"));
  m.bucket(*m.find_item("h0"))->weights.push_back(0);
  EXPECT_FALSE(wire::from_bytes<CrushMap>(wire::to_bytes(m), "crush map"));
  EXPECT_EQ(m.validate().error().text(), "crush map has a loop or is too deep");
}

TEST(CrushMap, LooksUp) {
  CrushMap m = small_map();
  ASSERT_TRUE(m.set_device_class(1, "ssd"));
  const CrushItem root = *m.find_item("default"), h0 = *m.find_item("h0");
  EXPECT_EQ(m.location_of(1), (CrushLocation{{"host", "h0"}, {"root", "default"}}));
  EXPECT_EQ(m.parent_of(1), h0);
  EXPECT_EQ(m.devices_under(root), (std::set<CrushItem>{0, 1, 2, 3}));
  EXPECT_EQ(m.devices_under(*m.find_item("default~ssd")), (std::set<CrushItem>{1}));
  EXPECT_TRUE(m.subtree_contains(root, 3));
  EXPECT_FALSE(m.subtree_contains(h0, 3));
  EXPECT_EQ(m.class_of(1), "ssd");
  EXPECT_EQ(m.class_of(0), "");
  EXPECT_EQ(m.roots(), (std::set<CrushItem>{root}));
  EXPECT_EQ(m.item_id("nope").error().text(), "item 'nope' does not exist");
  EXPECT_DOUBLE_EQ(m.device_shares_of_rule(0).at(2), 0.25);
}

TEST(CrushMap, EditsKeepWeightsRightAndFailuresChangeNothing) {
  CrushMap m = small_map();
  ASSERT_TRUE(m.set_device_class(0, "ssd"));
  ASSERT_TRUE(m.set_device_class(3, "hdd"));
  ASSERT_TRUE(m.reweight("osd.0", 2.5));
  expect_consistent(m);
  ASSERT_TRUE(*m.move("h1", {{"rack", "r0"}, {"root", "default"}}));
  EXPECT_FALSE(*m.move("h1", {{"rack", "r0"}, {"root", "default"}}));
  ASSERT_TRUE(m.link("h0", {{"root", "other"}}));
  ASSERT_TRUE(m.swap_buckets("h0", "h1"));
  ASSERT_TRUE(m.rename_bucket("h0", "renamed"));
  ASSERT_TRUE(m.remove("osd.2"));
  ASSERT_TRUE(m.remove_device_class(0));
  ASSERT_TRUE(m.set_device_class(0, "nvme"));
  expect_consistent(m);
  EXPECT_FALSE(m.find_class("ssd"));  // nobody uses it any more

  const CrushMap before = m;
  EXPECT_EQ(m.add_bucket("bad name", "host").error().code(), EINVAL);
  EXPECT_EQ(m.add_bucket("x~y", "host").error().code(), EINVAL);
  EXPECT_EQ(m.add_bucket("default", "host").error().code(), EEXIST);
  EXPECT_EQ(m.add_bucket("x", "planet").error().code(), EINVAL);
  EXPECT_EQ(m.move("default", {{"host", "renamed"}}).error().code(), EINVAL);  // a loop
  EXPECT_EQ(m.move("osd.0", {}).error().code(), EINVAL);
  EXPECT_EQ(m.set_device(0, "osd.0", -1, {{"root", "default"}}).error().code(), EINVAL);
  EXPECT_EQ(m.set_device(9, "osd.0", 1, {{"root", "default"}}).error().code(), EEXIST);
  EXPECT_EQ(m.set_device(0, "osd.0", 1, {{"rack", "default"}}).error().code(), EINVAL);
  EXPECT_EQ(m.remove("default").error().code(), ENOTEMPTY);
  EXPECT_EQ(m.remove("nope").error().code(), ENOENT);
  EXPECT_EQ(m.reweight("default", 1).error().code(), EINVAL);
  EXPECT_EQ(m.rename_bucket("nope", "renamed").error().code(), EALREADY);
  EXPECT_EQ(m.rename_bucket("renamed", "default").error().code(), EEXIST);
  EXPECT_EQ(m.set_device_class(0, "ssd").error().code(), EBUSY);
  EXPECT_EQ(m.swap_buckets("default", "renamed").error().code(), EINVAL);
  EXPECT_TRUE(m == before);
}

TEST(CrushMap, CreateOrMoveKeepsTheWeight) {
  CrushMap m = small_map();
  ASSERT_TRUE(*m.create_or_move(0, "osd.0", 9, {{"root", "default"}, {"host", "h9"}}));
  EXPECT_EQ(m.item_weight(0), kCrushOne);
  EXPECT_FALSE(*m.create_or_move(0, "osd.0", 9, {{"root", "default"}, {"host", "h9"}}));
  ASSERT_TRUE(*m.create_or_move(7, "osd.7", 0.5, {{"root", "default"}, {"host", "h9"}}));
  EXPECT_EQ(m.item_weight(7), kCrushOne / 2);
  EXPECT_EQ(m.max_devices, 8);
}

TEST(CrushMap, RulesOfClasses) {
  CrushMap m = small_map();
  EXPECT_EQ(m.add_simple_rule("fast", "default", "host", "ssd", "firstn", 1).error().text(),
            "device class ssd does not exist");
  ASSERT_TRUE(m.set_device_class(0, "ssd"));
  auto id = m.add_simple_rule("fast", "default", "host", "ssd", "firstn", kRuleReplicated);
  ASSERT_TRUE(id);
  EXPECT_EQ(m.roots_of_rule(*id), (std::set<CrushItem>{*m.find_item("default~ssd")}));
  // The rule keeps the class and its tree, with the same id, when the last device leaves it.
  const CrushItem shadow = *m.find_item("default~ssd");
  ASSERT_TRUE(m.remove_device_class(0));
  EXPECT_EQ(m.find_item("default~ssd"), shadow);
  EXPECT_EQ(m.remove_class("ssd").error().code(), EBUSY);
  ASSERT_TRUE(m.remove_rule("fast"));
  EXPECT_FALSE(m.find_class("ssd"));
  EXPECT_FALSE(m.rule(*id));
  expect_consistent(m);
}

TEST(CrushMap, WeightSetsFollowEdits) {
  CrushMap m = small_map();
  ASSERT_TRUE(m.create_choose_args(kDefaultChooseArgs, 1));
  ASSERT_TRUE(m.set_choose_args_weight(kDefaultChooseArgs, "osd.1", {0.25}));
  const CrushItem root = *m.find_item("default"), h0 = *m.find_item("h0");
  auto weights = [&](CrushItem bucket) {
    return m.choose_args.at(kDefaultChooseArgs).at(bucket).positions[0];
  };
  EXPECT_EQ(weights(h0), (std::vector<CrushWeight>{kCrushOne, kCrushOne / 4}));
  EXPECT_EQ(weights(root)[0], kCrushOne * 5 / 4);
  ASSERT_TRUE(m.remove("osd.0"));
  EXPECT_EQ(weights(h0), (std::vector<CrushWeight>{kCrushOne / 4}));
  EXPECT_EQ(weights(root)[0], kCrushOne / 4);
  EXPECT_TRUE(wire::from_bytes<CrushMap>(wire::to_bytes(m), "crush map"));
}

}  // namespace plimsoll::map
