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
  return a.type == b.type && a.size == b.size && a.min_size == b.min_size &&
         a.crush_rule == b.crush_rule && a.pgp_num == b.pgp_num &&
         a.has_flag(kPoolHashPsPool) == b.has_flag(kPoolHashPsPool);
}

/// The store that `osd` had is gone: purged or destroyed, maybe replaced by an empty one.
bool lost_its_store(const OSDMap& old, const OSDMap& next, OsdId osd) {
  if (!old.exists(osd)) return false;
  return !next.exists(osd) ||
         (!old.osd_uuid[osd].is_zero() && !(old.osd_uuid[osd] == next.osd_uuid[osd]));
}

/// Those of `home` that still have their stores.
std::vector<OsdId> with_stores(const std::vector<OsdId>& home, const OSDMap& old,
                               const OSDMap& next) {
  std::vector<OsdId> out;
  std::copy_if(home.begin(), home.end(), std::back_inserter(out),
               [&](OsdId osd) { return !lost_its_store(old, next, osd); });
  return out;
}

/// Of those who hold all of a PG, who is to hold all of it in the next map: one that is down lacks
/// what is written from then on. With too few to serve nothing is written, and all stay.
std::vector<OsdId> still_members(const std::vector<OsdId>& home, const OSDMap& next,
                                 const PgPool& pool, const std::set<OsdId>& staying) {
  std::vector<OsdId> up;
  std::copy_if(home.begin(), home.end(), std::back_inserter(up),
               [&](OsdId osd) { return next.is_up(osd) || staying.contains(osd); });
  return up.size() >= std::max<size_t>(1, pool.min_size) ? up : home;
}

/// The entry that `pg` must have in the next map; empty for none. A mapping to nowhere (all out, no
/// rule) keeps the home too: else the PG would forget where its data is.
std::vector<OsdId> wanted_entry(const std::vector<OsdId>& home, const OSDMap& next, PgId pg) {
  if (home.empty()) return {};
  std::vector<OsdId> want = next.raw_upmap(pg);
  std::erase(want, kOsdNone);
  const bool has_all = std::all_of(want.begin(), want.end(), [&](OsdId osd) {
    return std::find(home.begin(), home.end(), osd) != home.end();
  });
  return has_all && !want.empty() ? std::vector<OsdId>() : home;
}

/// OSDs that were up and are not any more, or have lost what they had.
bool any_fell(const OSDMap& old, const OSDMap& next) {
  for (OsdId osd = 0; osd < old.max_osd; osd++)
    if ((old.is_up(osd) && !next.is_up(osd)) || lost_its_store(old, next, osd)) return true;
  return false;
}

}  // namespace

size_t prime_pg_temp(const OSDMap& old, const OSDMap& next, const HomeChanges& homes,
                     Incremental& inc) {
  size_t changes = 0;
  auto set_entry = [&](PgId pg, std::vector<OsdId> want) {
    auto now = next.pg_temp.find(pg);
    if (now == next.pg_temp.end() ? want.empty() : now->second == want) return;
    inc.new_pg_temp[pg] = std::move(want);
    changes++;
  };

  const bool same_cluster = same_placement_inputs(old, next) && !any_fell(old, next);
  for (const auto& [id, pool] : next.pools) {
    const PgPool* before = old.pool(id);
    if (!before) continue;
    const bool unmoved = same_cluster && same_placement_inputs(*before, pool);
    const uint32_t n = std::min(before->pg_num, pool.pg_num);
    for (uint32_t seed = 0; seed < n; seed++) {
      const PgId pg{id, seed};
      // With the same inputs only a PG that sits elsewhere already needs a look.
      if (unmoved && !old.pg_temp.count(pg) && !next.pg_temp.count(pg)) continue;
      const auto grown = homes.joined.find(pg);
      const std::vector<OsdId> had = grown == homes.joined.end() ? old.home(pg) : grown->second;
      const std::vector<OsdId> home = with_stores(had, old, next);
      if (home.empty() && (!had.empty() || old.is_lost(pg)))
        set_entry(pg, {kOsdNone});
      else
        set_entry(pg, wanted_entry(still_members(home, next, pool, homes.staying), next, pg));
    }
  }
  for (const auto& [pg, entry] : next.pg_temp)
    if (!next.pg_exists(pg)) set_entry(pg, {});
  return changes;
}

}  // namespace plimsoll::map
