// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/pg_stats.h"
#include "qa/bench/mover/synth.h"

namespace plimsoll::mover {

namespace {

/// Appends the positions of a PG, holes where there is nobody.
void append(std::vector<OsdId>& all, std::vector<OsdId> members, uint32_t size) {
  members.resize(size, kOsdNone);
  all.insert(all.end(), members.begin(), members.end());
}

uint32_t data_chunks(const map::OSDMap& m, const map::PgPool& p) {
  if (!p.is_erasure()) return 1;
  return static_cast<uint32_t>(
      std::stoul(m.erasure_code_profiles.at(p.erasure_code_profile).at("k")));
}

}  // namespace

State synth_state(const Dump& dump) {
  const map::OSDMap& m = dump.map;
  State s;
  s.epoch = m.epoch;
  s.crush = m.crush;
  s.devices.resize(m.max_osd);
  for (const auto& [osd, r] : dump.osds) {
    Device& d = s.devices[osd];
    d.exists = true;
    d.up = m.is_up(osd);
    d.in = m.is_in(osd);
    d.size = r.size;
    d.used = r.used;
  }
  for (const auto& [id, info] : m.pools)
    s.pools[id] = {info, m.pool_name(id), info.crush_rule, data_chunks(m, info), false};
  for (const PgReport& r : dump.pgs) {
    const Pool& pool = s.pools.at(r.pgid.pool);
    if (const auto entry = m.pg_upmap_items.find(r.pgid); entry != m.pg_upmap_items.end())
      s.upmap_items.emplace(static_cast<PgIndex>(s.pg_ids.size()), entry->second);
    s.pg_ids.push_back(r.pgid);
    s.pg_flags.push_back(kPgIsActive | kPgIsClean);
    s.first_position.push_back(static_cast<uint32_t>(s.raw.size()));
    append(s.raw, m.raw(r.pgid), pool.info.size);
    append(s.up, m.raw_upmap(r.pgid), pool.info.size);
    const auto acting = dump.acting.begin() + r.first_acting;
    append(s.acting, {acting, acting + r.num_acting}, pool.info.size);
    s.shard_bytes.insert(s.shard_bytes.end(), pool.info.size, r.num_bytes / pool.data_chunks);
  }
  s.first_position.push_back(static_cast<uint32_t>(s.raw.size()));
  return s;
}

}  // namespace plimsoll::mover
