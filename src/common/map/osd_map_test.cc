// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/osd_map.h"

#include <gtest/gtest.h>

#include "common/map/test_maps.h"

namespace plimsoll::map {

namespace {

OSDMap decode_golden(const char* name) {
  auto map = wire::from_bytes<OSDMap>(read_corpus(name), "osdmap");
  EXPECT_TRUE(map) << (map ? "" : map.error().text());
  return map ? *map : OSDMap();
}

std::vector<Bytes> golden_chain() {
  std::vector<Bytes> out;
  ByteReader r(read_corpus("OSDMap/incrementals_1_76.chain"));
  while (r.remaining()) out.push_back(r.blob());
  EXPECT_TRUE(r.ok());
  return out;
}

}  // namespace

TEST(OSDMap, RealMapsSurviveByteForByte) {
  for (const char* name : {"OSDMap/fresh_cluster.bin", "OSDMap/after_edits.bin"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(wire::to_bytes(decode_golden(name)), read_corpus(name));
  }
}

TEST(OSDMap, ReadsARealCluster) {
  const OSDMap m = decode_golden("OSDMap/fresh_cluster.bin");
  EXPECT_EQ(m.epoch, 18u);
  EXPECT_EQ(m.num_up_osds(), 3);
  EXPECT_EQ(m.find_pool("data"), 2);
  EXPECT_EQ(m.pool(3)->quota_max_objects, 1000000u);
  EXPECT_EQ(m.crush->item_name(-3), "vm");
  EXPECT_TRUE(m.is_blocklisted(m.blocklist.begin()->first));
}

TEST(OSDMap, RefusesDamage) {
  const Bytes whole = read_corpus("OSDMap/fresh_cluster.bin");
  for (size_t n = 0; n < whole.size(); n++)
    ASSERT_FALSE(wire::from_bytes<OSDMap>(whole.slice(0, n), "osdmap")) << n;
  for (size_t at = 6; at < whole.size(); at += 7) {
    std::string bad = whole.to_string();
    bad[at] ^= 0x10;
    ASSERT_FALSE(wire::from_bytes<OSDMap>(Bytes::take(bad), "osdmap")) << at;
  }
}

TEST(Incremental, RealChainLeadsToTheSameMaps) {
  OSDMap m;
  for (const Bytes& step : golden_chain()) {
    auto inc = wire::from_bytes<Incremental>(step, "incremental");
    ASSERT_TRUE(inc) << inc.error().text();
    SCOPED_TRACE(inc->epoch);
    EXPECT_EQ(wire::to_bytes(*inc), step);
    auto applied = m.apply_incremental(*inc);
    ASSERT_TRUE(applied) << applied.error().text();
    ASSERT_EQ(full_map_crc(wire::to_bytes(m)), inc->full_crc);
  }
  EXPECT_EQ(wire::to_bytes(m), read_corpus("OSDMap/after_edits.bin"));
}

TEST(Incremental, RefusesDamageAndMisfits) {
  const Bytes whole = golden_chain()[40];
  for (size_t n = 0; n < whole.size(); n++)
    ASSERT_FALSE(wire::from_bytes<Incremental>(whole.slice(0, n), "incremental")) << n;

  OSDMap m = decode_golden("OSDMap/fresh_cluster.bin");
  const OSDMap before = m;
  Incremental inc = Incremental::after(m);
  inc.epoch++;
  EXPECT_EQ(m.apply_incremental(inc).error().text(), "incremental 20 does not follow epoch 18");
  inc = Incremental::after(m);
  inc.new_weight[3] = kOsdIn;
  EXPECT_EQ(m.apply_incremental(inc).error().text(),
            "incremental 19 names an osd outside of [0, 3)");
  inc = Incremental::after(m);
  inc.fsid.bytes[0] ^= 1;
  EXPECT_FALSE(m.apply_incremental(inc));
  inc = Incremental::after(m);
  inc.crush = Bytes::literal("junk");
  EXPECT_FALSE(m.apply_incremental(inc));
  EXPECT_EQ(m, before);
}

TEST(Incremental, KnowsWhetherItIsEmpty) {
  const OSDMap m = make_cluster({.hosts = 2, .osds_per_host = 2});
  Incremental inc = Incremental::after(m);
  EXPECT_TRUE(inc.is_empty());
  inc.new_flags = static_cast<int32_t>(m.flags | kMapNoOut);
  EXPECT_FALSE(inc.is_empty());
}

TEST(OSDMap, GeneratedMapsSurvive) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    Rng rng(seed);
    const OSDMap m = random_map(rng);
    const Bytes encoded = wire::to_bytes(m);
    auto back = wire::from_bytes<OSDMap>(encoded, "osdmap");
    ASSERT_TRUE(back) << seed << back.error().text();
    ASSERT_TRUE(*back == m) << seed;
    ASSERT_EQ(wire::to_bytes(*back), encoded) << seed;

    Incremental inc = random_step(rng, m);
    auto sealed = seal(m, inc);
    ASSERT_TRUE(sealed) << seed << sealed.error().text();
    auto inc_back = wire::from_bytes<Incremental>(sealed->incremental, "incremental");
    ASSERT_TRUE(inc_back) << seed;
    ASSERT_TRUE(*inc_back == inc) << seed;
    OSDMap other = *back;
    ASSERT_TRUE(other.apply_incremental(*inc_back));
    ASSERT_EQ(wire::to_bytes(other), sealed->full) << seed;
    ASSERT_EQ(full_map_crc(sealed->full), inc_back->full_crc);
  }
}

TEST(Mapping, HashesAsClientsDo) {
  EXPECT_EQ(PgPool::hash_object("foo", "", ""), 0x7fc1f406u);
  EXPECT_EQ(PgPool::hash_object("anything", "foo", ""), 0x7fc1f406u);
  EXPECT_NE(PgPool::hash_object("foo", "", "ns"), 0x7fc1f406u);
  EXPECT_EQ(pg_mask(1), 0u);
  EXPECT_EQ(pg_mask(12), 15u);
  EXPECT_EQ(pg_mask(16), 15u);
  EXPECT_EQ(stable_mod(13, 12), 5u);
  EXPECT_EQ(stable_mod(11, 12), 11u);
  EXPECT_EQ(stable_mod(7, 0), 0u);
}

TEST(Mapping, OfWhatDoesNotExistIsEmpty) {
  const OSDMap m = make_cluster({.hosts = 2, .osds_per_host = 2});
  EXPECT_EQ(m.map_pg({99, 0}), PgMapping());
  EXPECT_EQ(m.map_pg({1, 1 << 20}), PgMapping());
  EXPECT_FALSE(m.object_pg(99, "x"));
  EXPECT_TRUE(m.map_all_pgs(99).empty());
}

// ---- pg_temp --------------------------------------------------------------------------------

namespace {

/// `map` after `inc` and after what priming adds to it.
OSDMap step_primed(const OSDMap& map, Incremental inc, size_t* changes = nullptr,
                   const HomeChanges& homes = {}) {
  OSDMap next = map;
  EXPECT_TRUE(next.apply_incremental(inc));
  const size_t n = prime_pg_temp(map, next, homes, inc);
  if (changes) *changes = n;
  OSDMap primed = map;
  EXPECT_TRUE(primed.apply_incremental(inc));
  return primed;
}

}  // namespace

TEST(PrimePgTemp, KeepsEveryPgAtHomeWhenOsdsJoin) {
  const OSDMap before =
      make_cluster({.hosts = 4, .osds_per_host = 2, .in_hosts = 3, .pg_num = 128});
  Incremental inc = Incremental::after(before);
  for (OsdId osd : {6, 7}) inc.new_weight[osd] = kOsdIn;
  size_t changes = 0;
  const OSDMap after = step_primed(before, inc, &changes);
  EXPECT_GT(changes, 20u);
  for (PgId pg : before.all_pgs()) {
    const auto home = before.home(pg);
    const auto want = after.raw_upmap(pg);
    const bool moved = std::any_of(want.begin(), want.end(), [&](OsdId osd) {
      return std::find(home.begin(), home.end(), osd) == home.end();
    });
    EXPECT_EQ(after.pg_temp.count(pg), moved ? 1u : 0u);
    if (moved) EXPECT_EQ(after.map_pg(pg).acting, home);
  }

  // Back as it was: the entries go away again.
  Incremental back = Incremental::after(after);
  for (OsdId osd : {6, 7}) back.new_weight[osd] = kOsdOut;
  EXPECT_TRUE(step_primed(after, back).pg_temp.empty());
}

TEST(PrimePgTemp, WhoGoesDownLeavesAndStaysOutUntilJoined) {
  const OSDMap before = make_cluster({.hosts = 3, .osds_per_host = 2, .pg_num = 64});
  Incremental inc = Incremental::after(before);
  inc.new_state[1] = kOsdUp;
  size_t changes = 0;
  const OSDMap down = step_primed(before, inc, &changes);
  EXPECT_EQ(changes, down.pg_temp.size());
  EXPECT_GT(changes, 10u);
  for (PgId pg : down.all_pgs()) {
    std::vector<OsdId> home = before.home(pg);
    std::erase(home, 1);
    EXPECT_EQ(down.home(pg), home);
    EXPECT_EQ(down.map_pg(pg).acting, home);
  }

  Incremental back = Incremental::after(down);
  back.new_state[1] = kOsdUp;
  const OSDMap up = step_primed(down, back, &changes);
  EXPECT_EQ(changes, 0u) << "that it is up again does not mean that it has what was written";
  HomeChanges homes;
  auto& joined = homes.joined;
  for (PgId pg : up.all_pgs()) {
    const auto placed = up.raw_upmap(pg);
    EXPECT_EQ(up.map_pg(pg).up, placed);
    if (up.home(pg) == placed) continue;
    EXPECT_EQ(std::count(placed.begin(), placed.end(), 1), 1);
    joined[pg] = up.home(pg);
    joined[pg].push_back(1);
    if (joined.size() == 5) break;
  }
  ASSERT_EQ(joined.size(), 5u);
  const OSDMap grown = step_primed(up, Incremental::after(up), &changes, homes);
  EXPECT_EQ(changes, 5u);
  for (const auto& [pg, home] : joined) EXPECT_FALSE(grown.pg_temp.contains(pg));
  EXPECT_EQ(grown.pg_temp.size(), up.pg_temp.size() - 5);
}

TEST(PrimePgTemp, WithTooFewAllStay) {
  const OSDMap before = make_cluster({.hosts = 3, .osds_per_host = 1, .pg_num = 16});
  Incremental first = Incremental::after(before);
  first.new_state[0] = kOsdUp;
  const OSDMap two = step_primed(before, first);
  Incremental second = Incremental::after(two);
  second.new_state[1] = kOsdUp;
  const OSDMap one = step_primed(two, second);
  Incremental both = Incremental::after(before);
  both.new_state[0] = both.new_state[1] = kOsdUp;
  const OSDMap at_once = step_primed(before, both);
  for (PgId pg : before.all_pgs()) {
    EXPECT_EQ(two.home(pg).size(), 2u);
    EXPECT_EQ(one.home(pg), two.home(pg)) << "nothing is written now, so both have everything";
    EXPECT_EQ(at_once.home(pg), before.home(pg));
  }
  // Only one of those who know all is needed beside osd.2; osd.0 is no help.
  Incremental wrong = Incremental::after(one);
  wrong.new_state[0] = kOsdUp;
  const OSDMap still = step_primed(one, wrong);
  for (PgId pg : before.all_pgs()) EXPECT_EQ(still.home(pg), two.home(pg));
}

TEST(PrimePgTemp, WhoseStoreIsGoneLeavesHoweverFewStay) {
  const OSDMap before = make_cluster({.hosts = 3, .osds_per_host = 1, .pg_num = 8});
  OSDMap map = before;
  for (OsdId osd : {0, 1}) {
    Incremental down = Incremental::after(map);
    down.new_state[osd] = kOsdUp;
    map = step_primed(map, down);
  }
  for (PgId pg : map.all_pgs()) EXPECT_EQ(map.home(pg).size(), 2u);
  Incremental destroyed = Incremental::after(map);
  destroyed.new_state[1] = kOsdDestroyed;
  destroyed.new_uuid[1] = Uuid{};
  Incremental purged = Incremental::after(map);
  purged.new_state[1] = map.osd_state[1];
  for (const Incremental& inc : {destroyed, purged}) {
    const OSDMap after = step_primed(map, inc);
    for (PgId pg : after.all_pgs()) EXPECT_EQ(after.home(pg), (std::vector<OsdId>{2}));
    Incremental last = Incremental::after(after);
    last.new_uuid[2] = Uuid{};
    const OSDMap none = step_primed(after, last);
    Incremental empty = Incremental::after(none);
    empty.new_uuid[2] = before.osd_uuid[0];
    for (const OSDMap& m : {none, step_primed(none, empty)})
      for (PgId pg : m.all_pgs()) {
        EXPECT_TRUE(m.is_lost(pg));
        EXPECT_EQ(m.home(pg), std::vector<OsdId>()) << "an empty OSD is no member";
      }
  }
}

TEST(PrimePgTemp, AMemberThatFallsAsAnotherJoinsLeaves) {
  const OSDMap before = make_cluster({.hosts = 3, .osds_per_host = 1, .pg_num = 8});
  Incremental down = Incremental::after(before);
  down.new_state[0] = kOsdUp;
  OSDMap without = step_primed(before, down);
  Incremental up = Incremental::after(without);
  up.new_state[0] = kOsdUp;
  without = step_primed(without, up);
  HomeChanges homes;
  auto& joined = homes.joined;
  for (PgId pg : without.all_pgs()) joined[pg] = {1, 2, 0};
  Incremental falls = Incremental::after(without);
  falls.new_state[1] = kOsdUp;
  const OSDMap after = step_primed(without, falls, nullptr, homes);
  for (PgId pg : after.all_pgs()) {
    std::vector<OsdId> home = after.home(pg);
    std::sort(home.begin(), home.end());
    EXPECT_EQ(home, (std::vector<OsdId>{0, 2}));
  }
}

TEST(PrimePgTemp, AnOutOsdStaysTheHomeUntilDataMoved) {
  const OSDMap before = make_cluster({.hosts = 4, .osds_per_host = 2, .pg_num = 64});
  Incremental inc = Incremental::after(before);
  inc.new_weight[0] = kOsdOut;
  const OSDMap after = step_primed(before, inc);
  for (PgId pg : after.all_pgs()) {
    const auto home = before.home(pg);
    EXPECT_EQ(after.home(pg), home);
    EXPECT_EQ(after.pg_temp.count(pg),
              std::find(home.begin(), home.end(), 0) != home.end() ? 1u : 0u);
  }
}

TEST(PrimePgTemp, AShrinkNeedsNoEntryAndDeletedPoolsLoseTheirs) {
  OSDMap before = make_cluster({.hosts = 4, .osds_per_host = 2, .pg_num = 32});
  Incremental shrink = Incremental::after(before);
  shrink.edit_pool(before, 1)->size = 2;
  size_t changes = 1;
  step_primed(before, shrink, &changes);
  EXPECT_EQ(changes, 0u);

  before.pg_temp[{1, 5}] = {6, 7};
  Incremental gone = Incremental::after(before);
  gone.old_pools.insert(1);
  EXPECT_TRUE(step_primed(before, gone).pg_temp.empty());
}

TEST(PrimePgTemp, NobodyInIsNoReasonToForget) {
  const OSDMap before = make_cluster({.hosts = 4, .osds_per_host = 1, .in_hosts = 3, .pg_num = 16});
  Incremental out = Incremental::after(before);
  for (OsdId osd : {0, 1, 2}) out.new_weight[osd] = kOsdOut;
  const OSDMap nobody = step_primed(before, out);
  Incremental in = Incremental::after(nobody);
  in.new_weight[3] = kOsdIn;
  const OSDMap other = step_primed(nobody, in);
  for (PgId pg : before.all_pgs()) {
    EXPECT_EQ(nobody.home(pg), before.home(pg));
    EXPECT_EQ(other.home(pg), before.home(pg));
  }
}

TEST(PrimePgTemp, AFirstMappingIsNoMove) {
  // A pool that was created before any OSD was in has no data anywhere.
  const OSDMap before = make_cluster({.hosts = 3, .osds_per_host = 1, .in_hosts = 0, .pg_num = 16});
  Incremental inc = Incremental::after(before);
  for (OsdId osd : {0, 1, 2}) inc.new_weight[osd] = kOsdIn;
  size_t changes = 1;
  step_primed(before, inc, &changes);
  EXPECT_EQ(changes, 0u);
}

}  // namespace plimsoll::map
