// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rados/map_follower.h"

namespace plimsoll::rados {

Result<MapFollower::Step> MapFollower::apply(const msg::MOSDMap& message) {
  Step step;
  if (map_ && message.fsid != map_->fsid)
    return fail(EINVAL, "osdmap of another cluster: " + message.fsid.to_string());
  auto adopt = [&](map::OSDMap next) {
    step.skipped |= map_ && next.epoch != epoch() + 1;
    map_ = std::make_shared<const map::OSDMap>(std::move(next));
    step.maps.push_back(map_);
    step.full_seen.merge(full_pools(*map_));
  };
  Epoch newest = 0;
  if (!message.incremental_maps.empty()) newest = message.incremental_maps.rbegin()->first;
  if (!message.maps.empty()) newest = std::max(newest, message.maps.rbegin()->first);
  while (epoch() < newest) {
    const auto inc = message.incremental_maps.find(epoch() + 1);
    if (map_ && inc != message.incremental_maps.end()) {
      TRY(decoded, wire::from_bytes<map::Incremental>(inc->second, "incremental osdmap"));
      map::OSDMap next = *map_;
      TRY_VOID(next.apply_incremental(decoded));
      adopt(std::move(next));
      continue;
    }
    // The first full map that is news; there may be several, and each may say full.
    const auto full = message.maps.upper_bound(epoch());
    if (full == message.maps.end()) break;
    TRY(decoded, wire::from_bytes<map::OSDMap>(full->second, "osdmap"));
    if (decoded.epoch <= epoch()) return fail(EINVAL, "osdmap's epoch is not the one announced");
    adopt(std::move(decoded));
  }
  step.gap = epoch() < std::max(newest, message.newest_map);
  return step;
}

}  // namespace plimsoll::rados
