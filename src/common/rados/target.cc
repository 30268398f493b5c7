// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rados/target.h"

#include "common/base/hash.h"

namespace plimsoll::rados {

namespace {

uint32_t object_hash(const Aim& aim) {
  if (aim.locator.hash >= 0) return static_cast<uint32_t>(aim.locator.hash);
  const std::string& name = aim.locator.key.empty() ? aim.oid : aim.locator.key;
  if (aim.locator.nspace.empty()) return rjenkins_str(name);
  return rjenkins_str(aim.locator.nspace + '\x1f' + name);
}

}  // namespace

Target find_target(const map::OSDMap& map, const Aim& aim) {
  Target t;
  const map::PgPool* pool = map.pool(aim.locator.pool);
  if (!pool) return t;
  t.pool_exists = true;
  t.hash = object_hash(aim);
  t.pg = map.reduce({aim.locator.pool, t.hash});
  map::PgMapping where = map.map_pg(t.pg);
  t.up = std::move(where.up);
  t.acting = std::move(where.acting);
  t.primary = where.acting_primary;
  t.pg_num = pool->pg_num;
  t.size = pool->size;
  t.min_size = pool->min_size;
  t.force_resend = pool->last_force_op_resend;
  return t;
}

bool respects_full(uint32_t flags) {
  return (flags & (msg::kReqWrite | msg::kReqRwOrdered)) &&
         !(flags & (msg::kReqFullTry | msg::kReqFullForce));
}

bool is_full(const map::OSDMap& map, PoolId id) {
  if (map.test_flag(map::kMapFull)) return true;
  const map::PgPool* pool = map.pool(id);
  return pool && (pool->flags & map::kPoolFull);
}

bool must_pause(const map::OSDMap& map, const Aim& aim, Epoch barrier) {
  return map.epoch < barrier ||
         ((aim.flags & msg::kReqWrite) && map.test_flag(map::kMapPauseWrite)) ||
         ((aim.flags & msg::kReqRead) && map.test_flag(map::kMapPauseRead)) ||
         (respects_full(aim.flags) && is_full(map, aim.locator.pool));
}

std::set<PoolId> full_pools(const map::OSDMap& map) {
  std::set<PoolId> full;
  if (map.test_flag(map::kMapFull)) full.insert(kAllPools);
  for (const auto& [id, pool] : map.pools)
    if (pool.flags & map::kPoolFull) full.insert(id);
  return full;
}

Verdict judge(const map::OSDMap& map, const Aim& aim, const Target& before, const Target& now,
              bool sent, bool saw_full, Epoch barrier) {
  if (!now.pool_exists) return Verdict::kPoolGone;
  if (must_pause(map, aim, barrier)) return Verdict::kPause;
  if (now.primary == kNoOsd) return Verdict::kPause;
  if (!sent || !(before == now)) return Verdict::kSend;
  return saw_full && respects_full(aim.flags) ? Verdict::kSend : Verdict::kKeep;
}

}  // namespace plimsoll::rados
