// SPDX-License-Identifier: LGPL-2.1-or-later
// prime_pg_temp: keeps every PG where its data is when a new map would place it elsewhere.
#include <algorithm>

#include "common/map/osd_map.h"

namespace plimsoll::map {

namespace {

/// Everything but the pool that raw_upmap() depends on.
bool same_placement_inputs(const OSDMap& a, const OSDMap& b) {
  if (!(a.crush == b.crush) || a.osd_weight != b.osd_weight || a.pg_upmap != b.pg_upmap ||
      a.pg_upmap_items != b.pg_upmap_items)
    return false;
  for (OsdId osd = 0; osd < a.max_osd; osd++)
    if (a.exists(osd) != b.exists(osd)) return false;
  return true;
}

bool same_placement_inputs(const PgPool& a, const PgPool& b) {
  return a.type == b.type && a.size == b.size && a.crush_rule == b.crush_rule &&
         a.pgp_num == b.pgp_num && a.has_flag(kPoolHashPsPool) == b.has_flag(kPoolHashPsPool);
}

/// The entry that `pg` must have in the next map; empty for none. A mapping to nowhere (all out, no
/// rule) keeps the home too: else the PG would forget where its data is.
std::vector<OsdId> wanted_entry(const OSDMap& old, const OSDMap& next, PgId pg) {
  std::vector<OsdId> home = old.home(pg);
  if (home.empty()) return {};
  std::vector<OsdId> want = next.raw_upmap(pg);
  std::erase(want, kOsdNone);
  const bool has_all = std::all_of(want.begin(), want.end(), [&](OsdId osd) {
    return std::find(home.begin(), home.end(), osd) != home.end();
  });
  return has_all && !want.empty() ? std::vector<OsdId>() : home;
}

}  // namespace

size_t prime_pg_temp(const OSDMap& old, const OSDMap& next, Incremental& inc) {
  size_t changes = 0;
  auto set_entry = [&](PgId pg, std::vector<OsdId> want) {
    auto now = next.pg_temp.find(pg);
    if (now == next.pg_temp.end() ? want.empty() : now->second == want) return;
    inc.new_pg_temp[pg] = std::move(want);
    changes++;
  };

  const bool same_cluster = same_placement_inputs(old, next);
  for (const auto& [id, pool] : next.pools) {
    const PgPool* before = old.pool(id);
    if (!before) continue;
    const bool unmoved = same_cluster && same_placement_inputs(*before, pool);
    const uint32_t n = std::min(before->pg_num, pool.pg_num);
    for (uint32_t seed = 0; seed < n; seed++) {
      const PgId pg{id, seed};
      // With the same inputs only a PG that sits elsewhere already needs a look.
      if (unmoved && !old.pg_temp.count(pg) && !next.pg_temp.count(pg)) continue;
      set_entry(pg, wanted_entry(old, next, pg));
    }
  }
  for (const auto& [pg, entry] : next.pg_temp)
    if (!next.pg_exists(pg)) set_entry(pg, {});
  return changes;
}

}  // namespace plimsoll::map
