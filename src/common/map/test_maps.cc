// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/test_maps.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace plimsoll::map {

namespace {

template <class T>
T must(Result<T> r) {
  CHECK_NOTE(r.has_value(), r ? "" : r.error().text().c_str());
  return std::move(*r);
}
void must(Result<> r) {
  CHECK_NOTE(r.has_value(), r ? "" : r.error().text().c_str());
}

EntityAddr random_addr(Rng& rng) {
  EntityAddr a;
  a.type = rng.chance(0.5) ? EntityAddr::kMsgr2 : EntityAddr::kAny;
  a.nonce = static_cast<uint32_t>(rng.next());
  a.family = 2;
  a.port = static_cast<uint16_t>(rng.next());
  for (int i = 0; i < 4; i++) a.ip[i] = static_cast<uint8_t>(rng.next());
  return a;
}

EntityAddrVec random_addrs(Rng& rng) {
  EntityAddrVec v;
  for (uint64_t n = rng.below(3); n; n--) v.addrs.push_back(random_addr(rng));
  return v;
}

Uuid random_uuid(Rng& rng) {
  Uuid u;
  for (auto& b : u.bytes) b = static_cast<uint8_t>(rng.next());
  return u;
}

Utime random_time(Rng& rng) {
  return {static_cast<uint32_t>(1700000000 + rng.below(100000000)),
          static_cast<uint32_t>(rng.below(1000000000))};
}

Epoch random_epoch(Rng& rng) {
  return static_cast<Epoch>(rng.below(1000));
}

SnapIntervals random_intervals(Rng& rng) {
  SnapIntervals out;
  uint64_t at = 1 + rng.below(5);
  for (uint64_t n = rng.below(4); n; n--) {
    const uint64_t length = 1 + rng.below(5);
    out[at] = length;
    at += length + 1 + rng.below(5);
  }
  return out;
}

OsdXinfo random_xinfo(Rng& rng) {
  OsdXinfo x;
  x.down_stamp = random_time(rng);
  x.laggy_probability_fixed = static_cast<uint32_t>(rng.next());
  x.laggy_interval = static_cast<uint32_t>(rng.below(100));
  x.features = rng.next();
  x.old_weight = static_cast<uint32_t>(rng.below(0x10001));
  x.last_purged_snaps_scrub = random_time(rng);
  x.dead_epoch = random_epoch(rng);
  return x;
}

PgPool random_pool(Rng& rng) {
  PgPool p;
  p.type = rng.chance(0.3) ? kPoolErasure : kPoolReplicated;
  p.size = static_cast<uint8_t>(1 + rng.below(5));
  p.min_size = static_cast<uint8_t>(1 + rng.below(p.size));
  p.set_pg_num(static_cast<uint32_t>(1 + rng.below(40)));
  p.set_pgp_num(static_cast<uint32_t>(1 + rng.below(p.pg_num)));
  p.flags = (rng.next() & 0xffff) | kPoolSelfManagedSnaps;  // Ceph adds it where snaps are
  p.last_change = random_epoch(rng);
  for (uint64_t n = rng.below(3); n; n--) {
    const uint64_t id = ++p.snap_seq;
    p.snaps[id] = {id, random_time(rng), fmt::format("snap{}", id)};
  }
  p.snap_epoch = random_epoch(rng);
  p.removed_snaps = random_intervals(rng);
  p.quota_max_bytes = rng.below(1 << 30);
  p.quota_max_objects = rng.below(1000);
  if (rng.chance(0.2)) p.tiers = {3, 9};
  if (rng.chance(0.2)) p.tier_of = 4;
  p.properties["a"] = "b";
  p.stripe_width = static_cast<uint32_t>(rng.below(3)) * 4096;
  p.erasure_code_profile = p.is_erasure() ? "p" : "";
  p.opts.values[15] = int64_t{4};
  if (rng.chance(0.5)) p.opts.values[6] = std::string("force");
  if (rng.chance(0.5)) p.opts.values[18] = 2.5;
  p.applications["rados"]["k"] = "v";
  p.create_time = random_time(rng);
  p.pg_autoscale_mode = static_cast<PgAutoscaleMode>(rng.below(3));
  p.last_pg_merge_meta.ready_epoch = random_epoch(rng);
  p.fast_read = rng.chance(0.5);
  p.last_force_op_resend = random_epoch(rng);
  return p;
}

PgId random_pg(Rng& rng, const OSDMap& m) {
  auto it = m.pools.begin();
  std::advance(it, rng.below(m.pools.size()));
  return {it->first, static_cast<uint32_t>(rng.below(it->second.pg_num))};
}

OsdId random_osd(Rng& rng, const OSDMap& m) {
  return static_cast<OsdId>(rng.below(m.max_osd));
}

std::vector<OsdId> random_osds(Rng& rng, const OSDMap& m) {
  std::vector<OsdId> out;
  for (uint64_t n = 1 + rng.below(3); n; n--) out.push_back(random_osd(rng, m));
  return out;
}

}  // namespace

Bytes read_corpus(const std::string& name) {
  std::ifstream in("qa/corpus/" + name, std::ios::binary);
  CHECK_NOTE(in.good(), name.c_str());
  std::ostringstream out;
  out << in.rdbuf();
  return Bytes::take(out.str());
}

PoolId add_pool(OSDMap& m, std::string name, uint8_t type, uint8_t size, int rule, uint32_t pg_num,
                uint32_t pgp_num) {
  const PoolId id = ++m.pool_max;
  PgPool& p = m.pools[id];
  p.type = type;
  p.size = size;
  p.min_size = static_cast<uint8_t>(size > 1 ? size - 1 : 1);
  p.crush_rule = static_cast<uint8_t>(rule);
  p.set_pg_num(pg_num);
  p.set_pgp_num(pgp_num);
  p.last_change = m.epoch;
  m.pool_names[id] = std::move(name);
  return id;
}

OSDMap make_cluster(const ClusterShape& shape) {
  OSDMap m;
  m.epoch = 10;
  m.fsid = *Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
  m.created = m.modified = {1700000000, 0};
  m.set_max_osd(shape.hosts * shape.osds_per_host);
  CrushMap crush = CrushMap::initial("host");
  for (OsdId osd = 0; osd < m.max_osd; osd++) {
    const int host = osd / shape.osds_per_host;
    CrushLocation at{{"root", "default"}, {"host", fmt::format("host{}", host)}};
    if (shape.hosts_per_rack) at["rack"] = fmt::format("rack{}", host / shape.hosts_per_rack);
    must(crush.set_device(osd, fmt::format("osd.{}", osd), 1.0 + 0.25 * (osd % 5), at));
    const bool in = shape.in_hosts < 0 || host < shape.in_hosts;
    m.osd_state[osd] = kOsdExists | kOsdUp;
    m.osd_weight[osd] = in ? kOsdIn : kOsdOut;
    m.osd_uuid[osd].bytes[15] = static_cast<uint8_t>(osd);
    EntityAddr a = *EntityAddr::parse("127.0.0.1:1");
    a.port = static_cast<uint16_t>(2000 + osd);
    m.client_addrs[osd] = EntityAddrVec(a);
  }
  for (OsdId osd = 0; shape.classes && osd < m.max_osd; osd++)
    must(crush.set_device_class(osd, fmt::format("c{}", osd % shape.classes)));
  m.crush = SharedCrush(std::move(crush));
  add_pool(m, "data", kPoolReplicated, 3, 0, shape.pg_num, shape.pg_num);
  return m;
}

CrushMap random_crush(Rng& rng, int devices) {
  CrushMap m = CrushMap::initial(rng.chance(0.5) ? "host" : "osd");
  for (int osd = 0; osd < devices; osd++) {
    CrushLocation at{{"root", rng.chance(0.8) ? "default" : "other"},
                     {"host", fmt::format("h{}", rng.below(1 + devices / 3))}};
    if (rng.chance(0.5)) at["rack"] = fmt::format("r{}", rng.below(3));
    // A host that already hangs elsewhere keeps its place.
    must(m.set_device(osd, fmt::format("osd.{}", osd), 0.125 * rng.below(33), at));
    if (rng.chance(0.7)) must(m.set_device_class(osd, rng.chance(0.5) ? "ssd" : "hdd"));
  }
  for (const char* domain : {"osd", "host"})
    must(m.add_simple_rule(fmt::format("ec_{}", domain), "default", domain, "", "indep",
                           kRuleErasure));
  if (m.find_class("ssd"))
    must(m.add_simple_rule("fast", "default", "osd", "ssd", "firstn", kRuleReplicated));
  if (rng.chance(0.5)) must(m.create_choose_args(kDefaultChooseArgs, 1));
  if (rng.chance(0.5)) must(m.create_choose_args(1, 3));
  return m;
}

OSDMap random_map(Rng& rng) {
  OSDMap m;
  m.fsid = random_uuid(rng);
  m.epoch = 1 + random_epoch(rng);
  m.created = random_time(rng);
  m.modified = random_time(rng);
  // Only flags that Ceph's decoder leaves alone.
  m.flags = kMapBaseFlags | (static_cast<uint32_t>(rng.next()) & 0x207ffc);
  m.set_max_osd(static_cast<int32_t>(3 + rng.below(12)));
  m.crush = SharedCrush(random_crush(rng, m.max_osd));
  for (uint64_t n = 1 + rng.below(4); n; n--) {
    m.pools[++m.pool_max] = random_pool(rng);
    m.pool_names[m.pool_max] = fmt::format("pool{}", m.pool_max);
  }
  if (rng.chance(0.5)) m.osd_primary_affinity.assign(m.max_osd, kDefaultAffinity);
  for (OsdId osd = 0; osd < m.max_osd; osd++) {
    m.osd_state[osd] = static_cast<uint32_t>(rng.next()) & 0x1fff;
    m.osd_weight[osd] = static_cast<uint32_t>(rng.below(0x10001));
    m.client_addrs[osd] = random_addrs(rng);
    m.cluster_addrs[osd] = random_addrs(rng);
    m.hb_back_addrs[osd] = random_addrs(rng);
    m.hb_front_addrs[osd] = random_addrs(rng);
    m.osd_uuid[osd] = random_uuid(rng);
    m.osd_xinfo[osd] = random_xinfo(rng);
    m.osd_info[osd] = {random_epoch(rng), random_epoch(rng), random_epoch(rng),
                       random_epoch(rng), random_epoch(rng), random_epoch(rng)};
    if (!m.osd_primary_affinity.empty())
      m.osd_primary_affinity[osd] = static_cast<uint32_t>(rng.below(0x10001));
  }
  for (uint64_t n = rng.below(5); n; n--) {
    m.pg_temp[random_pg(rng, m)] = random_osds(rng, m);
    m.primary_temp[random_pg(rng, m)] = random_osd(rng, m);
    m.pg_upmap[random_pg(rng, m)] = random_osds(rng, m);
    m.pg_upmap_items[random_pg(rng, m)] = {{random_osd(rng, m), random_osd(rng, m)}};
    m.blocklist[random_addr(rng)] = random_time(rng);
  }
  m.erasure_code_profiles["p"] = {{"k", "2"}, {"m", "1"}};
  m.crush_version = random_epoch(rng);
  m.new_removed_snaps[1] = random_intervals(rng);
  m.new_purged_snaps[1] = random_intervals(rng);
  m.removed_snaps_queue[1] = random_intervals(rng);
  m.last_up_change = random_time(rng);
  m.last_in_change = random_time(rng);
  m.crush_node_flags[-1] = kOsdNoOut;
  m.device_class_flags[0] = kOsdNoIn;
  m.full_ratio = 0.97f;
  return m;
}

Incremental random_step(Rng& rng, const OSDMap& m) {
  Incremental inc = Incremental::after(m);
  inc.modified = random_time(rng);
  auto sometimes = [&] { return rng.chance(0.4); };
  if (sometimes()) inc.new_flags = static_cast<int32_t>(rng.next() & 0x7fffff);
  if (sometimes()) inc.new_max_osd = m.max_osd + static_cast<int32_t>(rng.below(3));
  if (sometimes()) inc.new_pools[inc.new_pool_max = m.pool_max + 1] = random_pool(rng);
  if (inc.new_pool_max > 0) inc.new_pool_names[inc.new_pool_max] = "new";
  if (sometimes()) inc.old_pools.insert(m.pools.begin()->first);
  if (sometimes()) inc.set_crush(random_crush(rng, m.max_osd));
  for (uint64_t n = rng.below(5); n; n--) {
    const OsdId osd = random_osd(rng, m);
    switch (rng.below(8)) {
      case 0:
        inc.new_up_client[osd] = random_addrs(rng);
        inc.new_up_cluster[osd] = random_addrs(rng);
        inc.new_hb_back_up[osd] = random_addrs(rng);
        if (sometimes()) inc.new_hb_front_up[osd] = random_addrs(rng);
        break;
      case 1:
        inc.new_state[osd] = sometimes() ? 0 : 1u << rng.below(8);
        break;
      case 2:
        inc.new_weight[osd] = static_cast<uint32_t>(rng.below(3)) * 0x8000;
        break;
      case 3:
        inc.new_primary_affinity[osd] = static_cast<uint32_t>(rng.below(0x10001));
        break;
      case 4:
        inc.new_xinfo[osd] = random_xinfo(rng);
        break;
      case 5:
        inc.new_uuid[osd] = random_uuid(rng);
        break;
      case 6:
        inc.new_up_thru[osd] = random_epoch(rng);
        break;
      case 7:
        inc.new_last_clean_interval[osd] = {random_epoch(rng), random_epoch(rng)};
        break;
    }
    const PgId pg = random_pg(rng, m);
    if (sometimes()) inc.new_pg_temp[pg] = sometimes() ? std::vector<OsdId>() : random_osds(rng, m);
    if (sometimes()) inc.new_primary_temp[pg] = sometimes() ? kNoOsd : random_osd(rng, m);
    if (sometimes()) inc.new_pg_upmap[pg] = random_osds(rng, m);
    if (sometimes()) inc.new_pg_upmap_items[pg] = {{random_osd(rng, m), random_osd(rng, m)}};
    if (sometimes()) inc.new_blocklist[random_addr(rng)] = random_time(rng);
  }
  if (sometimes() && !m.blocklist.empty()) inc.old_blocklist = {m.blocklist.begin()->first};
  if (sometimes() && !m.pg_upmap.empty()) inc.old_pg_upmap = {m.pg_upmap.begin()->first};
  if (sometimes()) inc.new_removed_snaps[1] = random_intervals(rng);
  if (sometimes()) inc.new_purged_snaps[1] = random_intervals(rng);
  if (sometimes()) inc.new_full_ratio = 0.5f;
  if (sometimes()) inc.new_crush_node_flags[-1] = static_cast<uint32_t>(rng.below(2));
  if (sometimes()) inc.new_require_osd_release = 16;
  if (sometimes()) inc.new_last_up_change = random_time(rng);
  return inc;
}

}  // namespace plimsoll::map
