// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/state_builder.h"

#include <algorithm>

#include "common/map/pg_stats.h"

namespace plimsoll::mover {

namespace {

using map::OSDMap;

uint32_t data_chunks(const OSDMap& m, const map::PgPool& pool) {
  if (!pool.is_erasure()) return 1;
  const auto profile = m.erasure_code_profiles.find(pool.erasure_code_profile);
  if (profile == m.erasure_code_profiles.end()) return 1;
  const auto k = profile->second.find("k");
  const unsigned long chunks =
      k == profile->second.end() ? 0 : std::strtoul(k->second.c_str(), nullptr, 10);
  return chunks >= 1 && chunks <= pool.size ? static_cast<uint32_t>(chunks) : 1;
}

void add_pools(const OSDMap& m, State& state) {
  for (const auto& [id, pool] : m.pools) {
    Pool& p = state.pools[id];
    p.info = pool;
    p.name = m.pool_name(id);
    p.rule = m.rule_of(pool);
    p.data_chunks = data_chunks(m, pool);
    p.splitting = pool.pg_num != pool.pg_num_target || pool.pgp_num != pool.pgp_num_target ||
                  pool.pg_num_pending != pool.pg_num || pool.pgp_num != pool.pg_num;
  }
}

void add_devices(const Dump& dump, State& state) {
  const OSDMap& m = dump.map;
  state.devices.resize(static_cast<size_t>(m.max_osd));
  for (OsdId osd : m.osds()) {
    Device& d = state.devices[osd];
    d.exists = true;
    d.up = m.is_up(osd);
    d.in = m.is_in(osd);
    d.cordoned = dump.cordoned.count(osd) > 0;
    const auto report = dump.osds.find(osd);
    if (report == dump.osds.end() || !report->second.reported) continue;
    d.size = report->second.size;
    d.used = report->second.used;
  }
}

uint8_t flags_of(const PgReport* report, bool pinned) {
  uint8_t flags = pinned ? kPgHasUpmap : 0;
  if (!report || report->state == 0) return flags | kPgIsUnreported;
  constexpr uint64_t kDead = map::kPgStale | map::kPgDown | map::kPgIncomplete | map::kPgPeering |
                             map::kPgActivating | map::kPgCreating;
  constexpr uint64_t kShort = map::kPgDegraded | map::kPgUndersized | map::kPgRecoveryUnfound |
                              map::kPgBackfillUnfound | map::kPgIncomplete | map::kPgDown |
                              map::kPgInconsistent;
  if ((report->state & map::kPgActive) && !(report->state & kDead)) flags |= kPgIsActive;
  if (report->state & map::kPgClean) flags |= kPgIsClean;
  if (report->state & kShort) flags |= kPgIsDegraded;
  if (!report->has_sizes) flags |= kPgIsUnreported;
  return flags;
}

/// The members of `acting` where `up` has them, the others in the places that are left; so a
/// position differs where data moves. Erasure-coded shards stand in their places already.
void append_acting(State& state, std::span<const OsdId> up, std::span<const OsdId> acting,
                   bool erasure) {
  const size_t first = state.acting.size();
  state.acting.resize(first + up.size(), kOsdNone);
  const std::span<OsdId> out(state.acting.data() + first, up.size());
  if (erasure) {
    std::copy_n(acting.begin(), std::min(acting.size(), up.size()), out.begin());
    return;
  }
  auto is_in = [](std::span<const OsdId> set, OsdId osd) {
    return std::find(set.begin(), set.end(), osd) != set.end();
  };
  for (size_t i = 0; i < up.size(); i++)
    if (up[i] != kOsdNone && is_in(acting, up[i])) out[i] = up[i];
  size_t place = 0;
  for (OsdId osd : acting) {
    if (is_in(out, osd)) continue;
    while (place < out.size() && out[place] != kOsdNone) place++;
    if (place < out.size()) out[place] = osd;
  }
}

/// Who has the data of a PG that nobody reported.
std::span<const OsdId> unreported_acting(const OSDMap& m, PgId pg, std::span<const OsdId> up) {
  const auto temp = m.pg_temp.find(pg);
  return temp == m.pg_temp.end() ? up : std::span<const OsdId>(temp->second);
}

void add_pg(const Dump& dump, PgId pg, const map::PgPool& pool, const PgReport* report,
            State& state) {
  const OSDMap& m = dump.map;
  std::vector<OsdId> raw = m.raw(pg);
  std::vector<OsdId> up = m.upmapped(pg, raw);
  raw.resize(pool.size, kOsdNone);
  up.resize(pool.size, kOsdNone);
  state.pg_ids.push_back(pg);
  state.pg_flags.push_back(flags_of(report, m.pg_upmap.count(pg) > 0));
  state.raw.insert(state.raw.end(), raw.begin(), raw.end());
  state.up.insert(state.up.end(), up.begin(), up.end());
  const std::span<const OsdId> acting =
      report ? std::span<const OsdId>(dump.acting).subspan(report->first_acting, report->num_acting)
             : unreported_acting(m, pg, up);
  append_acting(state, up, acting, pool.is_erasure());
  state.first_position.push_back(static_cast<uint32_t>(state.raw.size()));
  if (auto items = m.pg_upmap_items.find(pg); items != m.pg_upmap_items.end())
    state.upmap_items.emplace(static_cast<PgIndex>(state.pg_ids.size() - 1), items->second);
}

void add_pgs(const Dump& dump, State& state) {
  size_t positions = 0;
  for (const auto& [id, pool] : dump.map.pools) positions += size_t{pool.pg_num} * pool.size;
  const size_t pgs = dump.map.num_pgs();
  state.pg_ids.reserve(pgs);
  state.pg_flags.reserve(pgs);
  state.first_position.reserve(pgs + 1);
  for (auto* all : {&state.raw, &state.up, &state.acting}) all->reserve(positions);
  state.first_position.push_back(0);
  auto report = dump.pgs.begin();
  for (const auto& [id, pool] : dump.map.pools) {
    for (uint32_t seed = 0; seed < pool.pg_num; seed++) {
      const PgId pg{id, seed};
      while (report != dump.pgs.end() && report->pgid < pg) ++report;
      const bool reported = report != dump.pgs.end() && report->pgid == pg;
      add_pg(dump, pg, pool, reported ? &*report : nullptr, state);
    }
  }
}

/// A pool grows in proportion where its shards are.
void add_growth(const Dump& dump, State& state) {
  std::map<PoolId, double> bytes;
  for (PgIndex pg = 0; pg < state.num_pgs(); pg++)
    for (uint64_t b : state.bytes_of(pg)) bytes[state.pg_ids[pg].pool] += static_cast<double>(b);
  std::vector<double> growth(state.devices.size());
  for (PgIndex pg = 0; pg < state.num_pgs(); pg++) {
    const PoolId id = state.pg_ids[pg].pool;
    const auto per_day = dump.growth_per_day.find(id);
    if (per_day == dump.growth_per_day.end() || bytes[id] <= 0) continue;
    const Pool& pool = state.pools.at(id);
    const double raw = static_cast<double>(per_day->second) * pool.info.size / pool.data_chunks;
    for (uint32_t i = 0; i < state.width(pg); i++)
      if (state.up_of(pg)[i] != kOsdNone)
        growth[state.up_of(pg)[i]] += raw * static_cast<double>(state.bytes_of(pg)[i]) / bytes[id];
  }
  for (size_t osd = 0; osd < growth.size(); osd++)
    state.devices[osd].growth_per_day = static_cast<int64_t>(growth[osd]);
}

}  // namespace

State build_state(const Dump& dump) {
  const OSDMap& m = dump.map;
  State state;
  state.epoch = m.epoch;
  state.crush = m.crush;
  state.nearfull_ratio = m.nearfull_ratio;
  state.backfillfull_ratio = m.backfillfull_ratio;
  state.full_ratio = m.full_ratio;
  for (auto flag :
       {map::kMapNoRebalance, map::kMapNoBackfill, map::kMapNoRecover, map::kMapPauseRecovery})
    if (m.test_flag(flag)) state.stopping_flags.push_back(map::osdmap_flags_text(flag));
  add_pools(m, state);
  add_devices(dump, state);
  add_pgs(dump, state);
  size_shards(dump, state);
  if (!dump.growth_per_day.empty()) add_growth(dump, state);
  return state;
}

}  // namespace plimsoll::mover
