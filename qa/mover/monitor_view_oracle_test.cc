// SPDX-License-Identifier: LGPL-2.1-or-later
// Our idea of what monitors take back, against stock osdmaptool, whose --upmap-cleanup is the
// monitor's own code: random entries, most of them bad.
#include <gtest/gtest.h>

#include "common/base/rng.h"
#include "mover/check/monitor_view.h"
#include "qa/bench/mover/synth.h"
#include "qa/mover/osdmaptool.h"
#include "qa/mover/rule_zoo.h"

namespace plimsoll::mover {

namespace {

/// One or two pairs; the sources mostly from CRUSH's answer.
map::UpmapItems random_items(const map::OSDMap& m, PgId pg, Rng& rng) {
  const std::vector<OsdId> raw = m.raw(pg);
  map::UpmapItems items;
  for (uint64_t n = 1 + rng.below(2); n; n--) {
    const auto any = static_cast<OsdId>(rng.below(m.max_osd));
    const OsdId from = raw.empty() || rng.chance(0.1) ? any : raw[rng.below(raw.size())];
    if (from != kOsdNone) items.emplace_back(from, rng.below(m.max_osd));
  }
  return items;
}

void compare(map::OSDMap m, uint64_t seed) {
  if (!Osdmaptool::is_installed()) GTEST_SKIP() << "osdmaptool is not installed";
  Rng rng(seed);
  for (const PgId pg : m.all_pgs())
    if (auto items = random_items(m, pg, rng); !items.empty()) m.pg_upmap_items[pg] = items;
  const auto cleaned = Osdmaptool().cleanups(m);
  MonitorView view(m);
  std::map<PoolId, int> kept, dropped;
  for (const auto& [pg, items] : m.pg_upmap_items) {
    const auto why = view.drops(pg);
    EXPECT_EQ(why.has_value(), cleaned.count(pg) > 0)
        << pg.to_string() << " of " << m.pool_name(pg.pool) << ": " << why.value_or("kept");
    (why ? dropped : kept)[pg.pool]++;
  }
  for (const auto& [pool, info] : m.pools)
    std::printf("%-20s %4d kept %4d dropped\n", m.pool_name(pool).c_str(), kept[pool],
                dropped[pool]);
}

TEST(MonitorViewOracle, OnAPlainCluster) {
  compare(make_synth({.osds = 100}).map, 1);
}

TEST(MonitorViewOracle, OnEveryKindOfRule) {
  for (uint64_t seed = 1; seed <= 4; seed++) compare(make_rule_zoo(), seed);
}

}  // namespace

}  // namespace plimsoll::mover
