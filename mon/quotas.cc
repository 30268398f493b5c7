// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/quotas.h"

#include <fmt/format.h>

#include "common/base/size_text.h"

namespace plimsoll::mon {

std::vector<Quotas::Verdict> Quotas::changes() const {
  std::vector<Verdict> out;
  const map::OSDMap& map = osd_.map();
  std::optional<std::map<PoolId, map::PoolStat>> sums;
  for (const auto& [id, pool] : map.pools) {
    const bool was = pool.has_flag(map::kPoolFullQuota);
    if (!pool.quota_max_bytes && !pool.quota_max_objects && !was) continue;
    if (!sums) sums = stats_.pg_map().pool_stats();
    const map::ObjectStats& s = (*sums)[id].stats;
    std::string reached;
    if (pool.quota_max_bytes && s.num_bytes >= static_cast<int64_t>(pool.quota_max_bytes))
      reached = "max_bytes: " + bytes_text(pool.quota_max_bytes);
    else if (pool.quota_max_objects &&
             s.num_objects >= static_cast<int64_t>(pool.quota_max_objects))
      reached = "max_objects: " + std::to_string(pool.quota_max_objects);
    if (reached.empty() == !was) continue;
    const std::string name = map.pool_name(id);
    out.push_back(
        {id, !was,
         was ? fmt::format("pool '{}' no longer out of quota; removing NO_QUOTA flag", name)
             : fmt::format("pool '{}' is full (reached quota's {})", name, reached)});
  }
  return out;
}

Task<void> Quotas::check() {
  if (checking_) co_return;
  const std::vector<Verdict> wanted = changes();
  if (wanted.empty()) co_return;
  checking_ = true;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    for (const Verdict& v : wanted) {
      if (!d.now.pool(v.pool)) continue;
      // Whether it stays full for want of space follows from its OSDs.
      uint64_t& flags = d.edit_pool(v.pool).flags;
      flags = v.full ? flags | map::kPoolFullQuota | map::kPoolFull
                     : flags & ~uint64_t{map::kPoolFullQuota | map::kPoolFull};
    }
    d.urgent = true;
    return {};
  };
  const Result<Epoch> changed = co_await osd_.change(edit);
  checking_ = false;
  if (!changed) co_return;
  for (const Verdict& v : wanted) {
    if (v.full)
      log_.warn(v.why);
    else
      log_.info(v.why);
  }
}

}  // namespace plimsoll::mon
