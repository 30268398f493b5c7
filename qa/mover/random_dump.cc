// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/mover/random_dump.h"

#include <algorithm>

#include "common/map/pg_stats.h"

namespace plimsoll::mover {

namespace {

uint32_t data_chunks(const map::PgPool& pool) {
  return pool.is_erasure() ? std::max(1, pool.size - 2) : 1;
}

/// Where data is: members of up sets, whatever else is reported.
void place(Dump& dump) {
  dump.acting.clear();
  for (PgReport& r : dump.pgs) {
    const std::vector<OsdId> up = dump.map.raw_upmap(r.pgid);
    r.first_acting = static_cast<uint32_t>(dump.acting.size());
    r.num_acting = static_cast<uint32_t>(up.size());
    dump.acting.insert(dump.acting.end(), up.begin(), up.end());
  }
}

void add_entry(Dump& dump, PgId pg, Rng& rng) {
  const std::vector<OsdId> raw = dump.map.raw(pg);
  if (raw.empty()) return;
  const OsdId from = raw[rng.below(raw.size())];
  // Most of these are dead, out of class or in one domain: what hands leave behind.
  const auto to = static_cast<OsdId>(rng.below(dump.map.max_osd));
  if (from != kOsdNone && to != from) dump.map.pg_upmap_items[pg] = {{from, to}};
}

void trouble_pg(Dump& dump, PgReport& r, Rng& rng) {
  switch (rng.below(5)) {
    case 0:
      r.state = map::kPgActive | map::kPgDegraded | map::kPgUndersized;
      break;
    case 1:
      r.state = map::kPgPeering;
      break;
    case 2:
      r.state |= map::kPgInconsistent;
      break;
    case 3:
      dump.map.pg_upmap[r.pgid] = dump.map.raw(r.pgid);
      break;
    case 4:
      r.state = map::kPgActive | map::kPgRemapped | map::kPgBackfilling;
      dump.acting[r.first_acting + rng.below(r.num_acting)] =
          static_cast<OsdId>(rng.below(dump.map.max_osd));
      break;
  }
}

void trouble_osd(Dump& dump, OsdId osd, Rng& rng) {
  switch (rng.below(4)) {
    case 0:
      dump.map.osd_state[osd] &= ~map::kOsdUp;
      break;
    case 1:
      dump.map.osd_weight[osd] = rng.chance(0.5) ? map::kOsdOut : map::kOsdIn / 2;
      break;
    case 2:
      dump.cordoned.insert(osd);
      break;
    case 3:
      dump.osds.erase(osd);
      break;
  }
}

}  // namespace

Dump random_dump(map::OSDMap map, Rng& rng) {
  Dump dump;
  dump.map = std::move(map);
  for (auto& [id, pool] : dump.map.pools) {
    if (!pool.is_erasure()) continue;
    pool.erasure_code_profile = "ec" + std::to_string(pool.size);
    dump.map.erasure_code_profiles[pool.erasure_code_profile] = {
        {"k", std::to_string(data_chunks(pool))},
        {"m", std::to_string(pool.size - data_chunks(pool))}};
  }
  for (const PgId pg : dump.map.all_pgs()) {
    PgReport r;
    r.pgid = pg;
    r.state = map::kPgActive | map::kPgClean;
    r.has_sizes = true;
    r.num_bytes = (1 + rng.below(4) * rng.below(16)) << 30;
    r.num_objects = r.num_bytes >> 22;
    dump.pgs.push_back(r);
  }
  place(dump);
  for (const PgReport& r : dump.pgs)
    for (uint32_t i = 0; i < r.num_acting; i++)
      if (const OsdId osd = dump.acting[r.first_acting + i]; osd != kOsdNone)
        dump.osds[osd].used += r.num_bytes / data_chunks(dump.map.pools.at(r.pgid.pool));
  for (const OsdId osd : dump.map.osds()) {
    OsdReport& r = dump.osds[osd];
    r.reported = true;
    r.used_data = r.used;
    r.size = static_cast<uint64_t>(static_cast<double>(r.used) / (0.5 + 0.45 * rng.unit())) +
             (64ull << 30);
  }
  return dump;
}

void bring_trouble(Dump& dump, Rng& rng) {
  for (const PgReport& r : dump.pgs)
    if (rng.chance(0.03)) add_entry(dump, r.pgid, rng);
  for (OsdId osd = 0; osd < dump.map.max_osd; osd++)
    if (rng.chance(0.06)) trouble_osd(dump, osd, rng);
  place(dump);
  std::erase_if(dump.pgs, [&](const PgReport&) { return rng.chance(0.01); });
  for (PgReport& r : dump.pgs)
    if (r.num_acting && rng.chance(0.05)) trouble_pg(dump, r, rng);
  for (auto& [id, pool] : dump.map.pools) {
    if (rng.chance(0.05)) pool.pg_num_target *= 2;
    if (rng.chance(0.3)) dump.growth_per_day[id] = static_cast<int64_t>(rng.below(1ull << 35));
  }
}

}  // namespace plimsoll::mover
