// SPDX-License-Identifier: LGPL-2.1-or-later
// Placement: object -> PG -> OSDs (wire.md 6). The same for clients, OSDs and monitors.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/map/crush_mapper.h"
#include "common/map/osd_map.h"

namespace plimsoll::map {

namespace {

OsdId first_osd(const std::vector<OsdId>& osds) {
  for (OsdId osd : osds)
    if (osd != kOsdNone) return osd;
  return kNoOsd;
}

/// Replicated pools close ranks where a member is dropped, erasure-coded ones keep the place empty.
template <class Drop>
void drop_osds(const PgPool& pool, std::vector<OsdId>& osds, Drop&& drop) {
  if (!pool.is_erasure()) {
    std::erase_if(osds, drop);
    return;
  }
  for (OsdId& osd : osds)
    if (osd != kOsdNone && drop(osd)) osd = kOsdNone;
}

/// A pool names a rule by its ruleset, and the rule must be made for the pool's type and size.
int find_rule(const CrushMap& crush, const PgPool& pool) {
  for (size_t i = 0; i < crush.rules.size(); i++) {
    const auto& r = crush.rules[i];
    if (r && r->ruleset == pool.crush_rule && r->type == pool.type && r->min_size <= pool.size &&
        r->max_size >= pool.size)
      return static_cast<int>(i);
  }
  return -1;
}

std::vector<OsdId> raw_of(const OSDMap& m, const PgPool& pool, PgId pg) {
  std::vector<OsdId> out =
      crush_do_rule(*m.crush, find_rule(*m.crush, pool), pool.placement_seed(pg), pool.size,
                    m.osd_weight, m.crush->choose_args_for(pg.pool));
  drop_osds(pool, out, [&](OsdId osd) { return !m.exists(osd); });
  return out;
}

/// An upmap entry that names an OSD which is out turns all upmaps of the PG off.
bool is_marked_out(const OSDMap& m, OsdId osd) {
  return osd != kOsdNone && m.is_valid(osd) && m.osd_weight[osd] == 0;
}

void apply_upmap(const OSDMap& m, PgId pg, std::vector<OsdId>& raw) {
  if (auto it = m.pg_upmap.find(pg); it != m.pg_upmap.end()) {
    for (OsdId osd : it->second)
      if (is_marked_out(m, osd)) return;
    raw = it->second;
  }
  auto it = m.pg_upmap_items.find(pg);
  if (it == m.pg_upmap_items.end()) return;
  for (const auto& [from, to] : it->second) {
    if (std::find(raw.begin(), raw.end(), to) != raw.end() || is_marked_out(m, to)) continue;
    auto at = std::find(raw.begin(), raw.end(), from);
    if (at != raw.end()) *at = to;
  }
}

/// Chooses the primary by affinity; a replicated PG has its primary in front.
void apply_affinity(const OSDMap& m, const PgPool& pool, uint32_t seed, std::vector<OsdId>& up,
                    OsdId& primary) {
  if (m.osd_primary_affinity.empty()) return;
  const bool any = std::any_of(up.begin(), up.end(), [&](OsdId osd) {
    return osd != kOsdNone && m.primary_affinity(osd) != kDefaultAffinity;
  });
  if (!any) return;
  std::optional<size_t> pos;
  for (size_t i = 0; i < up.size(); i++) {
    if (up[i] == kOsdNone) continue;
    const uint32_t affinity = m.primary_affinity(up[i]);
    const bool skip = affinity < kDefaultAffinity &&
                      (rjenkins2(seed, static_cast<uint32_t>(up[i])) >> 16) >= affinity;
    // The first one is kept in case that all are skipped.
    if (!skip || !pos) pos = i;
    if (!skip) break;
  }
  if (!pos) return;
  primary = up[*pos];
  if (pool.is_replicated()) std::rotate(up.begin(), up.begin() + *pos, up.begin() + *pos + 1);
}

std::vector<OsdId> raw_upmap_of(const OSDMap& m, const PgPool& pool, PgId pg) {
  std::vector<OsdId> out = raw_of(m, pool, pg);
  apply_upmap(m, pg, out);
  return out;
}

PgMapping mapping_of(const OSDMap& m, const PgPool& pool, PgId pg) {
  PgMapping out;
  out.up = raw_upmap_of(m, pool, pg);
  drop_osds(pool, out.up, [&](OsdId osd) { return !m.is_up(osd); });
  out.up_primary = first_osd(out.up);
  apply_affinity(m, pool, pool.placement_seed(pg), out.up, out.up_primary);

  if (auto it = m.pg_temp.find(pg); it != m.pg_temp.end()) {
    out.acting = it->second;
    drop_osds(pool, out.acting, [&](OsdId osd) { return !m.is_up(osd); });
    out.acting_primary = first_osd(out.acting);
  }
  if (auto it = m.primary_temp.find(pg); it != m.primary_temp.end())
    out.acting_primary = it->second;
  if (out.acting.empty()) {
    out.acting = out.up;
    if (out.acting_primary == kNoOsd) out.acting_primary = out.up_primary;
  }
  return out;
}

}  // namespace

Result<PgId> OSDMap::object_pg(PoolId id, std::string_view name, std::string_view key,
                               std::string_view nspace) const {
  const PgPool* p = pool(id);
  if (!p) return fail(ENOENT, fmt::format("pool {} does not exist", id));
  return PgId{id, p->reduce(PgPool::hash_object(name, key, nspace))};
}

PgId OSDMap::reduce(PgId raw) const {
  const PgPool* p = pool(raw.pool);
  return p ? PgId{raw.pool, p->reduce(raw.seed)} : raw;
}

std::vector<OsdId> OSDMap::raw(PgId pg) const {
  const PgPool* p = pool(pg.pool);
  return p && pg_exists(pg) ? raw_of(*this, *p, pg) : std::vector<OsdId>();
}

std::vector<OsdId> OSDMap::raw_upmap(PgId pg) const {
  const PgPool* p = pool(pg.pool);
  return p && pg_exists(pg) ? raw_upmap_of(*this, *p, pg) : std::vector<OsdId>();
}

std::vector<OsdId> OSDMap::upmapped(PgId pg, std::vector<OsdId> raw) const {
  apply_upmap(*this, pg, raw);
  return raw;
}

int OSDMap::rule_of(const PgPool& pool) const {
  return find_rule(*crush, pool);
}

PgMapping OSDMap::map_pg(PgId pg) const {
  const PgPool* p = pool(pg.pool);
  return p && pg_exists(pg) ? mapping_of(*this, *p, pg) : PgMapping();
}

std::vector<PgMapping> OSDMap::map_all_pgs(PoolId id) const {
  std::vector<PgMapping> out;
  const PgPool* p = pool(id);
  if (!p) return out;
  out.reserve(p->pg_num);
  for (uint32_t seed = 0; seed < p->pg_num; seed++)
    out.push_back(mapping_of(*this, *p, {id, seed}));
  return out;
}

bool OSDMap::is_lost(PgId pg) const {
  const auto it = pg_temp.find(pg);
  return it != pg_temp.end() && it->second == std::vector<OsdId>{kOsdNone};
}

std::vector<OsdId> OSDMap::home(PgId pg) const {
  auto it = pg_temp.find(pg);
  std::vector<OsdId> out = it != pg_temp.end() ? it->second : raw_upmap(pg);
  std::erase(out, kOsdNone);
  return out;
}

}  // namespace plimsoll::map
