// SPDX-License-Identifier: LGPL-2.1-or-later
// From one epoch to the next. The side effects (down_at, cleared state of a destroyed OSD, the
// snap queue) are Ceph's, since everyone who applies the same step must encode the same map.
#include <fmt/format.h>

#include "common/map/osd_map.h"

namespace plimsoll::map {

namespace {

/// Adds [start, start + length) to a set of disjoint intervals.
void add_interval(SnapIntervals& set, uint64_t start, uint64_t length) {
  uint64_t end = start + length;
  auto it = set.upper_bound(start);
  if (it != set.begin() && std::prev(it)->first + std::prev(it)->second >= start) --it;
  while (it != set.end() && it->first <= end) {
    start = std::min(start, it->first);
    end = std::max(end, it->first + it->second);
    it = set.erase(it);
  }
  set[start] = end - start;
}

void remove_interval(SnapIntervals& set, uint64_t start, uint64_t length) {
  const uint64_t end = start + length;
  auto it = set.upper_bound(start);
  if (it != set.begin()) --it;
  while (it != set.end() && it->first < end) {
    const uint64_t s = it->first, e = it->first + it->second;
    if (e <= start) {
      ++it;
      continue;
    }
    it = set.erase(it);
    if (s < start) set[s] = start - s;
    if (e > end) set[end] = e - end;
  }
}

template <class K, class V>
void assign_all(std::map<K, V>& to, const std::map<K, V>& from) {
  for (const auto& [k, v] : from) to[k] = v;
}

/// Entries with value `gone` are removals.
template <class K, class V>
void assign_or_erase(std::map<K, V>& to, const std::map<K, V>& from, const V& gone) {
  for (const auto& [k, v] : from) {
    if (v == gone)
      to.erase(k);
    else
      to[k] = v;
  }
}

template <class... Maps>
OsdId largest_id(const Maps&... maps) {
  OsdId top = -1;
  ((top = maps.empty() ? top : std::max(top, maps.rbegin()->first)), ...);
  return top;
}

template <class... Maps>
bool has_negative(const Maps&... maps) {
  return ((!maps.empty() && maps.begin()->first < 0) || ...);
}

Result<> check_ids(const OSDMap& map, const Incremental& inc) {
  const int32_t max_osd = inc.new_max_osd >= 0 ? inc.new_max_osd : map.max_osd;
  if (max_osd > kMaxOsds) return fail(EINVAL, fmt::format("max_osd {} is too large", max_osd));
  const OsdId top =
      largest_id(inc.new_up_client, inc.new_state, inc.new_weight, inc.new_primary_affinity,
                 inc.new_hb_back_up, inc.new_up_thru, inc.new_last_clean_interval, inc.new_lost,
                 inc.new_up_cluster, inc.new_uuid, inc.new_xinfo, inc.new_hb_front_up);
  if (top >= max_osd ||
      has_negative(inc.new_up_client, inc.new_state, inc.new_weight, inc.new_primary_affinity,
                   inc.new_hb_back_up, inc.new_up_thru, inc.new_last_clean_interval, inc.new_lost,
                   inc.new_up_cluster, inc.new_uuid, inc.new_xinfo, inc.new_hb_front_up))
    return fail(EINVAL,
                fmt::format("incremental {} names an osd outside of [0, {})", inc.epoch, max_osd));
  return {};
}

}  // namespace

void OSDMap::set_max_osd(int32_t n) {
  max_osd = n;
  const auto size = static_cast<size_t>(n);
  osd_state.resize(size);
  osd_weight.resize(size, kOsdOut);
  client_addrs.resize(size);
  hb_back_addrs.resize(size);
  osd_info.resize(size);
  cluster_addrs.resize(size);
  osd_uuid.resize(size);
  osd_xinfo.resize(size);
  hb_front_addrs.resize(size);
  if (!osd_primary_affinity.empty()) osd_primary_affinity.resize(size, kDefaultAffinity);
}

void OSDMap::apply_pools(const Incremental& inc) {
  if (inc.new_pool_max >= 0) pool_max = static_cast<int32_t>(inc.new_pool_max);
  for (const auto& [id, p] : inc.new_pools) {
    pools[id] = p;
    pools[id].last_change = epoch;
  }
  assign_all(pool_names, inc.new_pool_names);
  for (PoolId id : inc.old_pools) {
    pools.erase(id);
    pool_names.erase(id);
  }
  for (const auto& name : inc.old_erasure_code_profiles) erasure_code_profiles.erase(name);
  assign_all(erasure_code_profiles, inc.new_erasure_code_profiles);

  for (const auto& [id, snaps] : inc.new_removed_snaps)
    for (const auto& [start, length] : snaps) add_interval(removed_snaps_queue[id], start, length);
  for (const auto& [id, snaps] : inc.new_purged_snaps) {
    auto it = removed_snaps_queue.find(id);
    if (it == removed_snaps_queue.end()) continue;
    for (const auto& [start, length] : snaps) remove_interval(it->second, start, length);
    if (it->second.empty()) removed_snaps_queue.erase(it);
  }
  new_removed_snaps = inc.new_removed_snaps;
  new_purged_snaps = inc.new_purged_snaps;
}

void OSDMap::apply_osds(const Incremental& inc) {
  auto set_affinity = [&](OsdId osd, uint32_t affinity) {
    if (osd_primary_affinity.empty()) osd_primary_affinity.assign(max_osd, kDefaultAffinity);
    osd_primary_affinity[osd] = affinity;
  };
  for (const auto& [osd, weight] : inc.new_weight) {
    osd_weight[osd] = weight;
    if (weight == kOsdOut) continue;
    osd_state[osd] |= kOsdExists;
    osd_state[osd] &= ~(kOsdAutoOut | kOsdNew);
    osd_xinfo[osd].old_weight = 0;
  }
  for (const auto& [osd, affinity] : inc.new_primary_affinity) set_affinity(osd, affinity);
  for (const auto& [osd, bits] : inc.new_state) {
    const uint32_t flip = bits ? bits : static_cast<uint32_t>(kOsdUp);
    if ((osd_state[osd] & kOsdUp) && (flip & kOsdUp)) {
      osd_info[osd].down_at = epoch;
      osd_xinfo[osd].down_stamp = modified;
    }
    if ((osd_state[osd] & kOsdExists) && (flip & kOsdExists)) {
      osd_uuid[osd] = {};
      osd_info[osd] = {};
      osd_xinfo[osd] = {};
      set_affinity(osd, kDefaultAffinity);
      client_addrs[osd] = cluster_addrs[osd] = hb_front_addrs[osd] = hb_back_addrs[osd] = {};
      osd_state[osd] = 0;
    } else {
      osd_state[osd] ^= flip;
    }
  }
  for (const auto& [osd, addrs] : inc.new_up_client) {
    osd_state[osd] |= kOsdExists | kOsdUp;
    osd_state[osd] &= ~static_cast<uint32_t>(kOsdStop);
    client_addrs[osd] = addrs;
    auto back = inc.new_hb_back_up.find(osd);
    hb_back_addrs[osd] = back == inc.new_hb_back_up.end() ? EntityAddrVec() : back->second;
    auto front = inc.new_hb_front_up.find(osd);
    hb_front_addrs[osd] = front == inc.new_hb_front_up.end() ? EntityAddrVec() : front->second;
    osd_info[osd].up_from = epoch;
  }
  for (const auto& [osd, addrs] : inc.new_up_cluster) cluster_addrs[osd] = addrs;
  for (const auto& [osd, e] : inc.new_up_thru) osd_info[osd].up_thru = e;
  for (const auto& [osd, interval] : inc.new_last_clean_interval) {
    osd_info[osd].last_clean_begin = interval.first;
    osd_info[osd].last_clean_end = interval.second;
  }
  for (const auto& [osd, e] : inc.new_lost) osd_info[osd].lost_at = e;
  for (const auto& [osd, xinfo] : inc.new_xinfo) osd_xinfo[osd] = xinfo;
  for (const auto& [osd, uuid] : inc.new_uuid) osd_uuid[osd] = uuid;
}

void OSDMap::apply_pgs(const Incremental& inc) {
  assign_or_erase(pg_temp, inc.new_pg_temp, {});
  assign_or_erase(primary_temp, inc.new_primary_temp, kNoOsd);
  assign_all(pg_upmap, inc.new_pg_upmap);
  for (const PgId& pg : inc.old_pg_upmap) pg_upmap.erase(pg);
  assign_all(pg_upmap_items, inc.new_pg_upmap_items);
  for (const PgId& pg : inc.old_pg_upmap_items) pg_upmap_items.erase(pg);
}

Result<> OSDMap::apply_incremental(const Incremental& inc) {
  if (inc.epoch != epoch + 1)
    return fail(EINVAL, fmt::format("incremental {} does not follow epoch {}", inc.epoch, epoch));
  if (inc.epoch > 1 && inc.fsid != fsid)
    return fail(EINVAL, fmt::format("incremental {} is of cluster {}, not {}", inc.epoch,
                                    inc.fsid.to_string(), fsid.to_string()));
  if (!inc.fullmap.empty()) {
    TRY(full, wire::from_bytes<OSDMap>(inc.fullmap, "osdmap"));
    *this = std::move(full);
    return {};
  }
  TRY_VOID(check_ids(*this, inc));
  TRY(new_crush, inc.crush_after(*this));

  fsid = inc.fsid;
  epoch = inc.epoch;
  modified = inc.modified;
  if (inc.new_flags >= 0) flags = static_cast<uint32_t>(inc.new_flags);
  if (inc.new_max_osd >= 0) set_max_osd(inc.new_max_osd);
  apply_pools(inc);
  apply_osds(inc);
  apply_pgs(inc);
  for (const auto& [addr, until] : inc.new_blocklist) blocklist[addr] = until;
  for (const EntityAddr& addr : inc.old_blocklist) blocklist.erase(addr);
  cluster_snapshot = inc.cluster_snapshot;
  cluster_snapshot_epoch = cluster_snapshot.empty() ? 0 : epoch;
  if (inc.new_nearfull_ratio >= 0) nearfull_ratio = inc.new_nearfull_ratio;
  if (inc.new_full_ratio >= 0) full_ratio = inc.new_full_ratio;
  if (inc.new_backfillfull_ratio >= 0) backfillfull_ratio = inc.new_backfillfull_ratio;
  if (inc.new_require_min_compat_client != 0xff)
    require_min_compat_client = inc.new_require_min_compat_client;
  if (inc.new_require_osd_release != 0xff) require_osd_release = inc.new_require_osd_release;
  assign_or_erase(crush_node_flags, inc.new_crush_node_flags, 0u);
  assign_or_erase(device_class_flags, inc.new_device_class_flags, 0u);
  if (!inc.crush.empty()) {
    crush = std::move(new_crush);
    crush_version++;
  }
  if (!inc.new_last_up_change.is_zero()) last_up_change = inc.new_last_up_change;
  if (!inc.new_last_in_change.is_zero()) last_in_change = inc.new_last_in_change;
  return {};
}

Result<SealedStep> seal(const OSDMap& map, Incremental& inc) {
  SealedStep step;
  step.next = map;
  TRY_VOID(step.next.apply_incremental(inc));
  step.full = wire::to_bytes(step.next);
  inc.full_crc = full_map_crc(step.full);
  step.incremental = wire::to_bytes(inc);
  return step;
}

}  // namespace plimsoll::map
