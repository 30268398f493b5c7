// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/fullness.h"

#include <algorithm>

namespace plimsoll::map {

namespace {

constexpr uint64_t kBySpace = kPoolFull | kPoolBackfillFull | kPoolNearFull;

uint64_t flag_for(uint32_t osd_states, bool quota) {
  if (quota || (osd_states & kOsdFull)) return kPoolFull;
  if (osd_states & kOsdBackfillFull) return kPoolBackfillFull;
  return osd_states & kOsdNearFull ? kPoolNearFull : 0;
}

}  // namespace

FullRatios effective_ratios(const OSDMap& map, double failsafe) {
  FullRatios r;
  r.nearfull = double{map.nearfull_ratio};
  r.backfillfull = std::max(double{map.backfillfull_ratio}, r.nearfull);
  r.full = std::max(double{map.full_ratio}, r.backfillfull);
  r.failsafe = std::max(failsafe, r.full);
  if (r.full <= 0) r.nearfull = r.backfillfull = r.full = r.failsafe;
  return r;
}

uint32_t fullness_of(const FullRatios& ratios, double used) {
  if (used > ratios.full) return kOsdFull;
  if (used > ratios.backfillfull) return kOsdBackfillFull;
  return used > ratios.nearfull ? kOsdNearFull : 0;
}

void derive_pool_flags(const OSDMap& base, const OSDMap& next, Incremental& inc) {
  std::map<int32_t, uint32_t> states_of_rule;
  for (const auto& [id, pool] : next.pools) {
    auto [states, fresh] = states_of_rule.try_emplace(pool.crush_rule, 0);
    if (fresh) {
      for (const auto& [osd, share] : next.crush->device_shares_of_rule(pool.crush_rule))
        if (share > 0 && next.is_up(osd) && next.is_in(osd))
          states->second |= next.osd_state[osd] & kOsdFullness;
    }
    const uint64_t flag = flag_for(states->second, pool.has_flag(kPoolFullQuota));
    if ((pool.flags & kBySpace) == flag) continue;
    PgPool* edited = inc.edit_pool(base, id);
    edited->flags = (edited->flags & ~kBySpace) | flag;
    edited->last_change = inc.epoch;
  }
}

}  // namespace plimsoll::map
