// SPDX-License-Identifier: LGPL-2.1-or-later
// MonMap, MgrMap, FSMap and the statistics against what a real cluster printed.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_from.hpp>

#include "common/map/fs_map.h"
#include "common/map/json_compare.h"
#include "common/map/mgr_map.h"
#include "common/map/mon_map.h"
#include "common/map/pg_stats.h"
#include "common/map/test_maps.h"

namespace plimsoll::map {

namespace json = boost::json;

namespace {

Utime at(uint32_t sec, uint32_t usec) {
  return {sec, usec * 1000};
}

/// The PG of the golden file.
PgStat golden_pg() {
  const Utime fresh = at(1795188642, 788533), scrub = at(1795188635, 303679);
  PgStat s;
  s.pgid = {2, 0x1f};
  s.version = {1, 18};
  s.reported_seq = 15;
  s.reported_epoch = 18;
  s.state = kPgActive | kPgClean;
  s.last_fresh = s.last_active = s.last_peered = s.last_clean = fresh;
  s.last_unstale = s.last_undegraded = s.last_fullsized = fresh;
  s.last_change = at(1795188636, 334568);
  s.last_became_active = s.last_became_peered = at(1795188636, 334421);
  s.mapping_epoch = s.created = 11;
  s.last_epoch_clean = 12;
  s.last_scrub_stamp = s.last_deep_scrub_stamp = s.last_clean_scrub_stamp = scrub;
  s.log_size = s.ondisk_log_size = 1;
  s.stats.num_bytes = 36864;
  s.stats.num_objects = s.stats.num_objects_dirty = s.stats.num_write = 1;
  s.stats.num_object_copies = 3;
  s.stats.num_write_kb = 36;
  s.up = s.acting = {0, 1, 2};
  s.up_primary = s.acting_primary = 0;
  return s;
}

OsdStat golden_osd() {
  OsdStat s;
  s.osd = 1;
  s.up_from = 7;
  s.seq = 30064771083;
  s.num_pgs = 41;
  s.statfs.total = 4294967296;
  s.statfs.available = 3990351872;
  s.statfs.allocated = 389120;
  s.statfs.data_stored = 273853;
  s.statfs.internal_metadata = 304218112;
  s.hb_peers = {0, 2};
  s.ping_times.resize(2);
  s.ping_times[0].peer = 0;
  s.ping_times[0].back_last = 1272;
  s.ping_times[1].peer = 2;
  s.ping_times[1].back_last = 1232;
  StoreStatfs& pool = s.pool_statfs[2];
  pool.allocated = 229376;
  pool.data_stored = 226280;
  return s;
}

PgMap golden_pg_map() {
  PgMap m;
  m.version = 44;
  m.stamp = at(1795188677, 583600);
  m.pgs[{2, 0x1f}] = golden_pg();
  m.osds[1] = golden_osd();
  return m;
}

std::vector<std::string> keys(const json::object& o) {
  std::vector<std::string> out;
  for (const auto& entry : o) out.push_back(std::string(entry.key()));
  return out;
}

}  // namespace

TEST(PgStats, DumpsLikeReal) {
  const json::value parts = json::parse(read_corpus("PgMap/pg_dump_parts.json").view());
  const PgMap m = golden_pg_map();
  EXPECT_EQ(json_difference(dump_pgs(m), parts.at("pg_stats")), "");
  EXPECT_EQ(json_difference(dump_osds(m), parts.at("osd_stats")), "");
  EXPECT_EQ(json_difference(dump_pool_statfs(m), parts.at("pool_statfs")), "");
  const json::object all = dump_pg_map(m, "all").at("pg_map").as_object();
  EXPECT_EQ(json_difference(json::value_from(keys(all)), parts.at("keys")), "");
  EXPECT_EQ(keys(dump_pools(m)[0].as_object()), keys(parts.at("pool_stats").at(0).as_object()));
  EXPECT_EQ(keys(all.at("osd_stats_sum").as_object()), keys(parts.at("osd_stats_sum").as_object()));
}

TEST(PgStats, OsdsSayWhatEachPgTakes) {
  PgMap m = golden_pg_map();
  m.osds[1].pg_allocated = {{{2, 0x1f}, {8192, 100}}, {{1, 0}, {0, 7}}, {{2, 3}, {4096, 0}}};
  const json::array osds = dump_osds(m);
  EXPECT_EQ(json_difference(osds.at(0).at("pg_allocated"), json::parse(R"([
              {"pgid": "1.0", "bytes": 7, "keys": 7},
              {"pgid": "2.3", "bytes": 4096, "keys": 0},
              {"pgid": "2.1f", "bytes": 8292, "keys": 100}])")),
            "");
  EXPECT_EQ(dump_pg_map(m, "osds").at("osd_stats"), osds);
  EXPECT_EQ(dump_pg_map(m, "all").at("pg_map").at("osd_stats"), osds);
  EXPECT_FALSE(dump_osd_stat(m.osd_sum()).contains("pg_allocated"));
}

TEST(PgStats, PrintsLikeReal) {
  const PgMap m = golden_pg_map();
  EXPECT_EQ(print_pg_map(m, "pgs_brief"),
            "PG_STAT  STATE         UP       UP_PRIMARY  ACTING   ACTING_PRIMARY\n"
            "2.1f     active+clean  [0,1,2]           0  [0,1,2]               0\n");
  EXPECT_EQ(print_pg_map(m, "osds"),
            "OSD_STAT  USED     AVAIL    USED_RAW  TOTAL  HB_PEERS  PG_SUM  PRIMARY_PG_SUM\n"
            "1         291 MiB  3.7 GiB   291 MiB  4 GiB     [0,2]       1               0\n"
            "sum       291 MiB  3.7 GiB   291 MiB  4 GiB                                  \n");
  const std::string pgs = print_pg_map(m, "pgs");
  EXPECT_NE(
      pgs.find("\n2.1f           1                   0         0          0        0  36864     "
               "       0           0    1         1  active+clean  "
               "2026-11-20T15:30:36.334568+0000     18'1     18:15  [0,1,2]           0  "
               "[0,1,2]               0         0'0  2026-11-20T15:30:35.303679+0000"),
      pgs.npos)
      << pgs;
  const std::string ls = print_pg_ls({&m.pgs.at({2, 0x1f})}, at(1795188700, 0));
  EXPECT_NE(ls.find("active+clean    64s     18'1     18:15  [0,1,2]p0  [0,1,2]p0"), ls.npos) << ls;
}

TEST(PgStats, SumsAndCounts) {
  PgMap m = golden_pg_map();
  PgStat other = golden_pg();
  other.pgid = {3, 0};
  other.state = kPgActive | kPgDegraded | kPgUndersized;
  other.acting = {2, kOsdNone};
  other.acting_primary = 2;
  m.pgs[other.pgid] = other;
  EXPECT_EQ(m.pg_sum().stats.num_bytes, 2 * 36864);
  EXPECT_EQ(m.pool_stats().at(2).store_stats.allocated, 229376);
  EXPECT_EQ(m.pool_stats().at(3).acting, 2);
  EXPECT_EQ(m.count_by_osd().at(2).acting, 2u);
  EXPECT_EQ(m.count_by_osd().at(2).primary, 1u);
  EXPECT_EQ(pg_state_text(other.state), "active+undersized+degraded");
  EXPECT_EQ(pg_state_text(0), "unknown");
  EXPECT_EQ(pg_state_from("degraded"), kPgDegraded);
  ObjectStats delta = other.stats;
  delta -= other.stats;
  EXPECT_EQ(delta, ObjectStats());
}

TEST(PgStats, SurviveTheWire) {
  PgStat s = golden_pg();
  s.blocked_by = {4};
  s.blocked_reason = "osd.4 is down";
  auto back = wire::from_bytes<PgStat>(wire::to_bytes(s), "pg stat");
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, s);
  OsdStat stat = golden_osd();
  stat.pg_allocated[{2, 0x1f}] = {8192, 100};
  auto osd = wire::from_bytes<OsdStat>(wire::to_bytes(stat), "osd stat");
  ASSERT_TRUE(osd);
  EXPECT_EQ(*osd, stat);
  // Ceph's layout of pool_stat: 2 + 40 numbers, the category list, logs, counts and space.
  EXPECT_EQ(wire::to_bytes(PoolStat()).size(),
            6u + 6 + (6 + 36 * 8 + 4 * 4) + 4 + 8 + 8 + 4 + 4 + (6 + 80) + 4);
}

TEST(MonMap, LikeReal) {
  const Bytes whole = read_corpus("MonMap/one_mon.bin");
  auto m = wire::from_bytes<MonMap>(whole, "monmap");
  ASSERT_TRUE(m);
  EXPECT_EQ(wire::to_bytes(*m), whole);
  for (size_t n = 0; n < whole.size(); n++)
    ASSERT_FALSE(wire::from_bytes<MonMap>(whole.slice(0, n), "monmap")) << n;
  json::object ours = dump_mon_map(*m);
  ours["quorum"] = json::array{0};  // the monitor's own part
  EXPECT_EQ(json_difference(ours, json::parse(read_corpus("MonMap/one_mon.mon_dump.json").view())),
            "");
  EXPECT_EQ(print_mon_map(*m), read_corpus("MonMap/one_mon.mon_dump.plain").to_string());
}

TEST(MonMap, AddsByRank) {
  MonMap m;
  ASSERT_TRUE(m.add("b", EntityAddrVec(*EntityAddr::parse("127.0.0.1:1"))));
  ASSERT_TRUE(m.add("a", EntityAddrVec(*EntityAddr::parse("127.0.0.1:2"))));
  EXPECT_EQ(m.add("a", {}).error().code(), EEXIST);
  EXPECT_EQ(m.rank_of("a"), 1);
  EXPECT_EQ(m.rank_of("c"), -1);
  EXPECT_EQ(m.by_rank(0)->name, "b");
  EXPECT_EQ(m.by_rank(2), nullptr);
}

TEST(MgrMap, EmptyOneIsWhatClientsExpect) {
  EXPECT_EQ(wire::to_bytes(MgrMap()).size(), 76u);
  EXPECT_EQ(dump_mgr_map(MgrMap()).at("available"), false);
}

TEST(MgrMap, LikeReal) {
  const Bytes whole = read_corpus("MgrMap/active.bin");
  auto m = wire::from_bytes<MgrMap>(whole, "mgrmap");
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(wire::to_bytes(*m), whole);
  EXPECT_EQ(json_difference(dump_mgr_map(*m),
                            json::parse(read_corpus("MgrMap/active.mgr_dump.json").view())),
            "");
}

TEST(FSMap, LikeReal) {
  EXPECT_EQ(
      json_difference(dump_fs_map(FSMap()), json::parse(read_corpus("FSMap/empty.json").view())),
      "");
  EXPECT_EQ(print_fs_map(FSMap()).substr(0, 46), "e1\nenable_multiple, ever_enabled_multiple: 1,1");
}

}  // namespace plimsoll::map
