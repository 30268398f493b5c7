// SPDX-License-Identifier: LGPL-2.1-or-later
// Maps through the JSON that `ceph` prints and back: same placement, same facts.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "common/map/osd_map_dump.h"
#include "common/map/test_maps.h"
#include "mover/model/crush_json.h"
#include "mover/model/osd_map_json.h"

namespace plimsoll::mover {

namespace {

namespace json = boost::json;
using map::OSDMap;

Result<> read_into(OSDMap& m, const std::string& osd_dump, const std::string& crush_dump) {
  MemorySource osds(osd_dump), crush(crush_dump);
  JsonReader in(osds, "osd_dump");
  read_osd_map(in, m);
  TRY_VOID(in.finish());
  JsonReader in_crush(crush, "crush_dump");
  read_crush(in_crush, m.crush);
  return in_crush.finish();
}

OSDMap through_json(const OSDMap& m) {
  OSDMap out;
  auto done = read_into(out, json::serialize(map::dump_osd_map(m)),
                        json::serialize(map::dump_crush(*m.crush)));
  EXPECT_TRUE(done) << done.error().text();
  return out;
}

void expect_same_placement(const OSDMap& a, const OSDMap& b) {
  ASSERT_EQ(a.all_pgs(), b.all_pgs());
  for (PgId pg : a.all_pgs()) {
    ASSERT_EQ(a.raw(pg), b.raw(pg)) << pg.to_string();
    ASSERT_EQ(a.map_pg(pg), b.map_pg(pg)) << pg.to_string();
  }
}

/// Class ids are dealt out anew, so names are compared.
std::map<int32_t, std::string> classes_of(const map::CrushMap& c) {
  std::map<int32_t, std::string> out;
  for (const auto& [device, id] : c.device_classes) out[device] = c.class_names.at(id);
  return out;
}
std::map<std::pair<int32_t, std::string>, int32_t> shadows_of(const map::CrushMap& c) {
  std::map<std::pair<int32_t, std::string>, int32_t> out;
  for (const auto& [bucket, shadows] : c.class_buckets)
    for (const auto& [id, shadow] : shadows) out[{bucket, c.class_names.at(id)}] = shadow;
  return out;
}

TEST(MapJson, RandomMapsKeepTheirPlacement) {
  for (uint64_t seed = 1; seed <= 60; seed++) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    OSDMap m = map::random_map(rng);
    // Of those that do not exist nothing is printed.
    for (OsdId osd = 0; osd < m.max_osd; osd++)
      if (!m.exists(osd)) m.osd_weight[osd] = 0;
    const OSDMap back = through_json(m);
    expect_same_placement(m, back);
    EXPECT_EQ(back.pg_upmap, m.pg_upmap);
    EXPECT_EQ(back.pg_upmap_items, m.pg_upmap_items);
    EXPECT_EQ(back.pg_temp, m.pg_temp);
    EXPECT_EQ(back.primary_temp, m.primary_temp);
    EXPECT_EQ(back.erasure_code_profiles, m.erasure_code_profiles);
    EXPECT_EQ(back.flags, m.flags);
    for (OsdId osd : m.osds()) {
      EXPECT_EQ(back.osd_state[osd], m.osd_state[osd]);
      EXPECT_EQ(back.osd_weight[osd], m.osd_weight[osd]);
      EXPECT_EQ(back.primary_affinity(osd), m.primary_affinity(osd));
    }
    EXPECT_EQ(classes_of(*back.crush), classes_of(*m.crush));
    EXPECT_EQ(shadows_of(*back.crush), shadows_of(*m.crush));
    EXPECT_EQ(back.crush->choose_args, m.crush->choose_args);
    EXPECT_EQ(back.crush->tunables, m.crush->tunables);
    EXPECT_EQ(back.crush->rule_names, m.crush->rule_names);
  }
}

/// Where the dump has everything, the encoding is the same, byte for byte.
TEST(MapJson, NothingIsLostOfASimpleMap) {
  OSDMap m = map::make_cluster({.hosts = 6, .osds_per_host = 2, .hosts_per_rack = 2, .classes = 2});
  m.created = m.modified = {};
  for (auto& addrs : m.client_addrs) addrs = {};
  for (auto& [id, pool] : m.pools) pool.last_change = 0;
  const OSDMap back = through_json(m);
  EXPECT_EQ(back.crush->buckets, m.crush->buckets);
  EXPECT_EQ(back.pools, m.pools);
  EXPECT_EQ(wire::to_bytes(back), wire::to_bytes(m));
}

TEST(MapJson, SlimDumpsSayTheSame) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    Rng rng(seed);
    const OSDMap m = map::random_map(rng);
    OSDMap full, slim;
    ASSERT_TRUE(read_into(full, json::serialize(map::dump_osd_map(m)),
                          json::serialize(map::dump_crush(*m.crush))));
    ASSERT_TRUE(read_into(slim, json::serialize(slim_osd_dump(m)),
                          json::serialize(map::dump_crush(*m.crush))));
    EXPECT_EQ(full, slim);
  }
}

TEST(MapJson, EveryAlgorithmOfBuckets) {
  for (auto alg : {map::BucketAlg::kUniform, map::BucketAlg::kList, map::BucketAlg::kTree,
                   map::BucketAlg::kStraw2}) {
    OSDMap m = map::make_cluster({.hosts = 5});
    map::CrushMap crush = *m.crush;
    for (auto& b : crush.buckets) {
      if (!b) continue;
      b->alg = alg;
      if (alg == map::BucketAlg::kUniform) {
        b->uniform_weight = map::kCrushOne;
        b->weights.assign(b->items.size(), map::kCrushOne);
      }
      map::recompute(*b);
    }
    m.crush = map::SharedCrush(crush);
    expect_same_placement(m, through_json(m));
  }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The error after one replacement in either document.
std::string error_after(std::string_view from, std::string_view to, bool in_crush) {
  const OSDMap m = map::make_cluster({.hosts = 3, .classes = 1});
  std::string osds = json::serialize(map::dump_osd_map(m));
  std::string crush = json::serialize(map::dump_crush(*m.crush));
  (in_crush ? crush : osds) = replaced(in_crush ? crush : osds, from, to);
  OSDMap out;
  auto done = read_into(out, osds, crush);
  return done ? "" : done.error().text();
}

TEST(MapJson, ErrorsNameWhatIsWrong) {
  const struct {
    const char *from, *to;
    bool in_crush;
    std::vector<const char*> named;
  } cases[] = {
      {"chooseleaf_firstn", "choose_msr", true, {"rules[0].steps[1]", "choose_msr"}},
      {"\"type\":\"host\"", "\"type\":\"cage\"", true, {"replicated_rule", "cage"}},
      {"\"item\":-1", "\"item\":-99", true, {"replicated_rule", "-99"}},
      {"\"alg\":\"straw2\"", "\"alg\":\"straw\"", true, {"buckets[0]", "default", "to-straw2"}},
      {"\"alg\":\"straw2\"", "\"alg\":\"new\"", true, {"buckets[0]", "'new'"}},
      {"\"items\":[{\"id\":-", "\"items\":[{\"id\":-77", true, {"default", "-77"}},
      {"\"items\":[{\"id\":0", "\"items\":[{\"id\":55", true, {"host0", "55"}},
      {"default~c0", "nothing~c0", true, {"nothing~c0"}},
      {"\"epoch\":10", "\"epoch\":nan", false, {"epoch", "nan"}},
      {"\"full_ratio\":9", "\"full_ratio\":inf,\"x\":9", false, {"full_ratio", "inf"}},
      {"\"pg_num\":32", "\"pg_num\":0", false, {"pools[0]", "pg_num"}},
      {"\"pg_num\":32", "\"pg_num\":4000000000", false, {"pools[0].pg_num", "4000000000"}},
      {"\"max_osd\":3", "\"max_osd\":2", false, {"osd.2", "max_osd 2"}},
      {"\"max_osd\":3", "\"max_osd\":900000000", false, {"max_osd 900000000"}},
      {"\"type\":1", "\"type\":7", false, {"pool 1", "type 7"}},
      {"\"weight\":1", "\"weight\":-1", false, {"osds[0].weight", "-1"}},
      {"\"require_min_compat_client\":\"luminous\"",
       "\"require_min_compat_client\":\"zebra\"",
       false,
       {"require_min_compat_client", "zebra"}},
      {"\"fsid\":\"0", "\"fsid\":\"x", false, {"fsid", "UUID"}},
  };
  for (const auto& c : cases) {
    const std::string error = error_after(c.from, c.to, c.in_crush);
    EXPECT_NE(error.find("byte "), std::string::npos) << c.from << " " << c.to << ": " << error;
    for (const char* name : c.named)
      EXPECT_NE(error.find(name), std::string::npos) << c.from << ": " << error;
  }
}

TEST(MapJson, UnknownKeysAndNotANumberElsewhereAreSkipped) {
  EXPECT_EQ(error_after("\"epoch\":10", "\"epoch\":10,\"new\":[{\"x\":-inf}]", false), "");
  EXPECT_EQ(error_after("\"up_from\":0", "\"up_from\":nan", false), "");
  EXPECT_EQ(error_after("\"devices\":", "\"more\":{\"y\":inf},\"devices\":", true), "");
}

/// Quincy and later print rules without ruleset and sizes.
TEST(MapJson, RulesWithoutRuleset) {
  const OSDMap m = map::make_cluster({.hosts = 4});
  std::string crush = json::serialize(map::dump_crush(*m.crush));
  crush = replaced(crush, "\"ruleset\":0,", "");
  crush = replaced(crush, "\"min_size\":1,\"max_size\":10,", "");
  OSDMap back;
  ASSERT_TRUE(read_into(back, json::serialize(map::dump_osd_map(m)), crush));
  expect_same_placement(m, back);
}

/// Before Nautilus there are no targets: a pool is at rest then.
TEST(MapJson, PoolsWithoutTargets) {
  const OSDMap m = map::make_cluster({.hosts = 3});
  std::string osds = json::serialize(map::dump_osd_map(m));
  for (const char* key :
       {"\"pg_num_target\":32,", "\"pg_placement_num_target\":32,", "\"pg_num_pending\":32,"})
    osds = replaced(osds, key, "");
  OSDMap back;
  ASSERT_TRUE(read_into(back, osds, json::serialize(map::dump_crush(*m.crush))));
  EXPECT_EQ(back.pools.at(1).pg_num_target, 32u);
  EXPECT_EQ(back.pools.at(1).pgp_num_target, 32u);
}

}  // namespace

}  // namespace plimsoll::mover
