// SPDX-License-Identifier: LGPL-2.1-or-later
// Codes, texts and severities from small maps; whole stories are in qa/transcripts/commands.
#include "mon/health_checks.h"

#include <gtest/gtest.h>

namespace plimsoll::mon {
namespace {

struct Health : ::testing::Test {
  Health() {
    map.set_max_osd(4);
    map::CrushMap crush = map::CrushMap::initial("osd");
    for (OsdId osd = 0; osd < 4; osd++) {
      map.osd_state[osd] = map::kOsdExists | map::kOsdUp;
      map.osd_weight[osd] = map::kOsdIn;
      const std::string host = osd < 2 ? "a" : "b";
      const map::CrushLocation where{{"root", "default"}, {"host", host}};
      CHECK(crush.create_or_move(osd, "osd." + std::to_string(osd), 1, where));
    }
    map.crush = map::SharedCrush(crush);
    now.sec = 100'000;
  }
  map::PgStat& pg(uint32_t seed, uint64_t state) {
    map::PgStat& s = pgs.pgs[PgId{1, seed}];
    s.pgid = PgId{1, seed};
    s.state = state;
    s.acting = {1, 0};
    s.last_active = s.last_fullsized = s.last_unstale = s.last_peered = now;
    return s;
  }
  std::map<OsdId, std::string> full_reasons;
  HealthChecks checks() { return compute_health({map, pgs, options, now, "a", full_reasons}); }
  HealthCheck check(const std::string& code) {
    const HealthChecks all = checks();
    const auto it = all.find(code);
    return it == all.end() ? HealthCheck{} : it->second;
  }

  map::OSDMap map;
  map::PgMap pgs;
  HealthOptions options;
  Utime now;
};

TEST_F(Health, IsEmptyWhenAllIsWell) { EXPECT_TRUE(checks().empty()); }

TEST_F(Health, NamesDownOsdsAndHosts) {
  map.osd_state[2] = map::kOsdExists;
  EXPECT_EQ(check("OSD_DOWN").summary, "1 osds down");
  EXPECT_EQ(check("OSD_DOWN").details.at(0), "osd.2 (root=default,host=b) is down");
  EXPECT_EQ(check("OSD_HOST_DOWN").count, 0);
  map.osd_state[3] = map::kOsdExists;
  EXPECT_EQ(check("OSD_HOST_DOWN").summary, "1 host (2 osds) down");
  // Out ones are not missed.
  map.osd_weight[2] = map.osd_weight[3] = map::kOsdOut;
  EXPECT_EQ(check("OSD_DOWN").count, 0);
}

TEST_F(Health, TellsFullnessByState) {
  map.osd_state[0] |= map::kOsdFull;
  map.osd_state[1] |= map::kOsdNearFull;
  map.osd_state[2] |= map::kOsdBackfillFull;
  EXPECT_EQ(check("OSD_FULL").summary, "1 full osd(s)");
  EXPECT_EQ(check("OSD_FULL").severity, Severity::kErr);
  EXPECT_EQ(check("OSD_FULL").details, std::vector<std::string>{"osd.0 is full"});
  full_reasons = {{0, "refused a write"}, {1, "was full before"}};
  EXPECT_EQ(check("OSD_FULL").details.at(1), "osd.0 refused a write");
  EXPECT_EQ(check("OSD_FULL").details.size(), 2u);
  EXPECT_EQ(check("OSD_FULL").count, 1);
  EXPECT_EQ(check("OSD_NEARFULL").details.at(0), "osd.1 is near full");
  EXPECT_EQ(check("OSD_BACKFILLFULL").details.at(0), "osd.2 is backfill full");
}

TEST_F(Health, ReportsRatiosOutOfOrder) {
  map.full_ratio = 0.5f;
  const HealthCheck c = check("OSD_OUT_OF_ORDER_FULL");
  EXPECT_EQ(c.severity, Severity::kErr);
  EXPECT_EQ(c.summary, "full ratio(s) out of order");
  EXPECT_EQ(c.details.at(0), "full_ratio (0.5) < backfillfull_ratio (0.9), increased");
}

TEST_F(Health, CountsPoolsByFlag) {
  map.pools[1].flags |= map::kPoolFull | map::kPoolFullQuota;
  map.pool_names[1] = "data";
  EXPECT_EQ(check("POOL_FULL").summary, "1 pool(s) full");
  EXPECT_EQ(check("POOL_FULL").details.at(0), "pool 'data' is full (running out of quota)");
}

TEST_F(Health, TellsDegradedObjectsAndPgs) {
  map::PgStat& s = pg(0, map::kPgActive | map::kPgUndersized | map::kPgDegraded);
  s.stats.num_objects = 12;
  s.stats.num_object_copies = 36;
  s.stats.num_objects_degraded = 12;
  EXPECT_EQ(check("PG_DEGRADED").summary,
            "Degraded data redundancy: 12/36 objects degraded (33.333%), 1 pg degraded");
  EXPECT_EQ(check("PG_DEGRADED").details.at(0),
            "pg 1.0 is active+undersized+degraded, acting [1,0]");
}

TEST_F(Health, GivesPassingStatesTime) {
  map::PgStat& s = pg(0, map::kPgPeering);
  EXPECT_EQ(check("PG_AVAILABILITY").count, 0);
  s.last_active.sec = s.last_peered.sec = now.sec - 61;
  EXPECT_EQ(check("PG_AVAILABILITY").summary, "Reduced data availability: 1 pg peering");
  // What blocks a PG is said at once.
  s.last_active = s.last_peered = now;
  s.state = map::kPgDown;
  EXPECT_EQ(check("PG_AVAILABILITY").summary, "Reduced data availability: 1 pg down");
}

TEST_F(Health, BoundsDetails) {
  for (uint32_t i = 0; i < 200; i++) pg(i, map::kPgDown);
  const HealthCheck c = check("PG_AVAILABILITY");
  EXPECT_EQ(c.details.size(), options.max_detail + 1);
  EXPECT_EQ(c.details.back(), "150 more");
}

}  // namespace
}  // namespace plimsoll::mon
