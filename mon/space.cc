// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/space.h"

#include <algorithm>

namespace plimsoll::mon {

uint64_t rule_avail(const map::OSDMap& map, const map::PgMap& pgs, int rule) {
  double least = -1;
  for (const auto& [osd, share] : map.crush->device_shares_of_rule(rule)) {
    if (share <= 0 || map.is_out(osd)) continue;
    if (map.has_state(osd, map::kOsdFull)) return 0;
    const auto stat = pgs.osds.find(osd);
    if (stat == pgs.osds.end() || !stat->second.statfs.total) continue;
    const map::StoreStatfs& s = stat->second.statfs;
    const double reserved = static_cast<double>(s.total) * (1.0 - double{map.full_ratio});
    const double avail = std::max(0.0, static_cast<double>(s.available) - reserved);
    const double projected = avail / share;
    if (least < 0 || projected < least) least = projected;
  }
  return least < 0 ? 0 : static_cast<uint64_t>(least);
}

void add_store_stats(const map::PgMap& pgs, PoolId id, map::PoolStat& out) {
  for (const auto& [_, osd] : pgs.osds) {
    const auto part = osd.pool_statfs.find(id);
    if (part == osd.pool_statfs.end()) continue;
    out.store_stats += part->second;
    out.num_store_stats++;
  }
}

PoolSpace pool_space(const map::OSDMap& map, const map::PgMap& pgs, PoolId id,
                     const map::PoolStat& sum) {
  PoolSpace space;
  const map::PgPool* pool = map.pool(id);
  if (!pool) return space;
  map::PoolStat stat = sum;
  add_store_stats(pgs, id, stat);
  space.stats = stat.stats;
  space.objects = stat.stats.num_objects;
  // How many copies there are of each byte: fewer than `size` while some are missing.
  double copies = pool->size;
  if (stat.stats.num_object_copies > 0 && stat.stats.num_objects_degraded > 0)
    copies *= static_cast<double>(stat.stats.num_object_copies - stat.stats.num_objects_degraded) /
              static_cast<double>(stat.stats.num_object_copies);
  copies = std::max(copies, 1.0);
  if (stat.num_store_stats) {
    space.used_data = static_cast<uint64_t>(std::max<int64_t>(0, stat.store_stats.allocated));
    space.used_omap = static_cast<uint64_t>(std::max<int64_t>(0, stat.store_stats.omap_allocated));
    const auto raw = static_cast<double>(std::max<int64_t>(0, stat.store_stats.data_stored));
    space.stored_data = static_cast<uint64_t>(raw / copies);
    space.stored_omap = static_cast<uint64_t>(static_cast<double>(space.used_omap) / copies);
    space.stored_raw = static_cast<uint64_t>(raw) + space.used_omap;
  } else {
    const auto bytes = static_cast<uint64_t>(std::max<int64_t>(0, stat.stats.num_bytes));
    space.stored_data = bytes;
    space.used_data = static_cast<uint64_t>(static_cast<double>(bytes) * copies);
    space.stored_raw = space.used_data;
  }
  space.stored = space.stored_data + space.stored_omap;
  space.used = space.used_data + space.used_omap;
  space.avail_raw = rule_avail(map, pgs, pool->crush_rule);
  space.max_avail = static_cast<uint64_t>(static_cast<double>(space.avail_raw) / copies);
  const double whole = static_cast<double>(space.used) + static_cast<double>(space.avail_raw);
  space.percent_used = whole > 0 ? static_cast<double>(space.used) / whole : 0;
  return space;
}

PoolSpace pool_space(const map::OSDMap& map, const map::PgMap& pgs, PoolId id) {
  const auto sums = pgs.pool_stats();
  const auto sum = sums.find(id);
  return pool_space(map, pgs, id, sum == sums.end() ? map::PoolStat{} : sum->second);
}

}  // namespace plimsoll::mon
