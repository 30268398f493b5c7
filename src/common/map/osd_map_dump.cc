// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/osd_map_dump.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/map/texts.h"

namespace plimsoll::map {

namespace json = boost::json;

namespace {

constexpr const char* kReleases[] = {"unknown", "argonaut", "bobtail",  "cuttlefish", "dumpling",
                                     "emperor", "firefly",  "giant",    "hammer",     "infernalis",
                                     "jewel",   "kraken",   "luminous", "mimic",      "nautilus",
                                     "octopus", "pacific",  "quincy",   "reef",       "squid",
                                     "tentacle"};

constexpr const char* kCacheModes[] = {"none",        "writeback", "forward", "readonly",
                                       "readforward", "readproxy", "proxy"};

const char* cache_mode_name(uint8_t mode) {
  return mode < std::size(kCacheModes) ? kCacheModes[mode] : "unknown";
}

const char* pool_type_name(const PgPool& p) {
  return p.is_erasure() ? "erasure" : p.is_replicated() ? "replicated" : "???";
}

/// 16.16 as Ceph's float.
double fixed_to_double(uint32_t v) {
  return static_cast<float>(v) / static_cast<float>(0x10000);
}

const char* addr_type_name(uint32_t type) {
  switch (type) {
    case EntityAddr::kLegacy:
      return "v1";
    case EntityAddr::kMsgr2:
      return "v2";
    case EntityAddr::kAny:
      return "any";
    default:
      return "none";
  }
}

/// Ceph names no type for addresses of any type: those of clients.
std::string addr_text(const EntityAddr& a) {
  return a.type == EntityAddr::kAny ? a.ip_port_nonce() : a.to_string();
}

/// What old tools show of an address vector: the v1 address, or the first one.
std::string legacy_addr_text(const EntityAddrVec& v) {
  for (const auto& a : v.addrs)
    if (a.type == EntityAddr::kLegacy) return a.ip_port_nonce();
  if (v.addrs.empty() || v.addrs[0].is_blank()) return "(unrecognized address family 0)/0";
  return v.addrs[0].ip_port_nonce();
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

json::array string_array(const std::vector<std::string>& names) {
  return json::array(names.begin(), names.end());
}

std::string intervals_text(const SnapIntervals& set) {
  std::string out = "[";
  for (const auto& [start, length] : set) {
    if (out.size() > 1) out += ',';
    out += fmt::format("{:x}~{:x}", start, length);
  }
  return out + "]";
}

json::array dump_snap_queue(const std::map<PoolId, SnapIntervals>& queue) {
  json::array out;
  for (const auto& [pool, set] : queue) {
    json::array intervals;
    for (const auto& [start, length] : set)
      intervals.push_back(json::object{{"begin", start}, {"length", length}});
    out.push_back(json::object{{"pool", pool}, {"snaps", std::move(intervals)}});
  }
  return out;
}

json::object dump_merge_meta(const PgMergeMeta& m) {
  return {{"source_pgid", m.source.to_string()},
          {"ready_epoch", m.ready_epoch},
          {"last_epoch_started", m.last_epoch_started},
          {"last_epoch_clean", m.last_epoch_clean},
          {"source_version", m.source_version.to_string()},
          {"target_version", m.target_version.to_string()}};
}

json::object dump_pool_opts(const PoolOpts& opts) {
  json::object out;
  for (const auto& spec : PoolOpts::specs()) {
    auto it = opts.values.find(spec.key);
    if (it != opts.values.end())
      std::visit([&](const auto& v) { out[spec.name] = json::value(v); }, it->second);
  }
  return out;
}

json::array dump_pool_snaps(const PgPool& p) {
  json::array out;
  for (const auto& [id, snap] : p.snaps)
    out.push_back(
        json::object{{"snapid", id}, {"stamp", stamp_text(snap.stamp)}, {"name", snap.name}});
  return out;
}

json::object dump_osd(const OSDMap& m, OsdId osd) {
  const OsdInfo& info = m.osd_info[osd];
  return {{"osd", osd},
          {"uuid", m.osd_uuid[osd].to_string()},
          {"up", m.is_up(osd) ? 1 : 0},
          {"in", m.is_in(osd) ? 1 : 0},
          {"weight", fixed_to_double(m.osd_weight[osd])},
          {"primary_affinity", fixed_to_double(m.primary_affinity(osd))},
          {"last_clean_begin", info.last_clean_begin},
          {"last_clean_end", info.last_clean_end},
          {"up_from", info.up_from},
          {"up_thru", info.up_thru},
          {"down_at", info.down_at},
          {"lost_at", info.lost_at},
          {"public_addrs", dump_addrvec(m.client_addrs[osd])},
          {"cluster_addrs", dump_addrvec(m.cluster_addrs[osd])},
          {"heartbeat_back_addrs", dump_addrvec(m.hb_back_addrs[osd])},
          {"heartbeat_front_addrs", dump_addrvec(m.hb_front_addrs[osd])},
          {"public_addr", legacy_addr_text(m.client_addrs[osd])},
          {"cluster_addr", legacy_addr_text(m.cluster_addrs[osd])},
          {"heartbeat_back_addr", legacy_addr_text(m.hb_back_addrs[osd])},
          {"heartbeat_front_addr", legacy_addr_text(m.hb_front_addrs[osd])},
          {"state", string_array(sorted(osd_state_names(m.osd_state[osd])))}};
}

json::object dump_xinfo(OsdId osd, const OsdXinfo& x) {
  const float laggy =
      static_cast<float>(x.laggy_probability_fixed) / static_cast<float>(0xffffffffu);
  return {{"osd", osd},
          {"down_stamp", stamp_text(x.down_stamp)},
          {"laggy_probability", static_cast<double>(laggy)},
          {"laggy_interval", x.laggy_interval},
          {"features", static_cast<int64_t>(x.features)},
          {"old_weight", x.old_weight},
          {"last_purged_snaps_scrub", stamp_text(x.last_purged_snaps_scrub)},
          {"dead_epoch", x.dead_epoch}};
}

json::array dump_pg_sets(const std::map<PgId, std::vector<OsdId>>& sets) {
  json::array out;
  for (const auto& [pg, osds] : sets)
    out.push_back(
        json::object{{"pgid", pg.to_string()}, {"osds", json::array(osds.begin(), osds.end())}});
  return out;
}

json::array dump_upmap_items(const OSDMap& m) {
  json::array out;
  for (const auto& [pg, items] : m.pg_upmap_items) {
    json::array mappings;
    for (const auto& [from, to] : items)
      mappings.push_back(json::object{{"from", from}, {"to", to}});
    out.push_back(json::object{{"pgid", pg.to_string()}, {"mappings", std::move(mappings)}});
  }
  return out;
}

/// By text: Ceph's own order is that of a hash table.
std::map<std::string, std::string> blocklist_texts(const OSDMap& m) {
  std::map<std::string, std::string> out;
  for (const auto& [addr, until] : m.blocklist) out[addr_text(addr)] = stamp_text(until);
  return out;
}

/// Everything about PGs and snaps that ends the dump.
void dump_tail(const OSDMap& m, json::object& out) {
  out["pg_upmap"] = dump_pg_sets(m.pg_upmap);
  out["pg_upmap_items"] = dump_upmap_items(m);
  out["pg_temp"] = dump_pg_sets(m.pg_temp);
  json::array primary_temp;  // no objects in it, as Ceph prints it
  for (const auto& [pg, osd] : m.primary_temp) {
    primary_temp.push_back(json::value(pg.to_string()));
    primary_temp.push_back(osd);
  }
  out["primary_temp"] = std::move(primary_temp);
  json::object blocklist, profiles, node_flags, class_flags;
  for (const auto& [addr, until] : blocklist_texts(m)) blocklist[addr] = until;
  out["blocklist"] = std::move(blocklist);
  out["range_blocklist"] = json::object();
  for (const auto& [name, profile] : m.erasure_code_profiles) {
    json::object values;
    for (const auto& [k, v] : profile) values[k] = v;
    profiles[name] = std::move(values);
  }
  out["erasure_code_profiles"] = std::move(profiles);
  out["removed_snaps_queue"] = dump_snap_queue(m.removed_snaps_queue);
  out["new_removed_snaps"] = dump_snap_queue(m.new_removed_snaps);
  out["new_purged_snaps"] = dump_snap_queue(m.new_purged_snaps);
  for (const auto& [id, flags] : m.crush_node_flags)
    node_flags[m.crush->item_name(id)] = string_array(sorted(osd_state_names(flags)));
  out["crush_node_flags"] = std::move(node_flags);
  for (const auto& [id, flags] : m.device_class_flags) {
    auto name = m.crush->class_names.find(id);
    class_flags[name == m.crush->class_names.end() ? "unknown" : name->second] =
        string_array(sorted(osd_state_names(flags)));
  }
  out["device_class_flags"] = std::move(class_flags);
  out["stretch_mode"] = json::object{{"stretch_mode_enabled", false},
                                     {"stretch_bucket_count", 0},
                                     {"degraded_stretch_mode", 0},
                                     {"recovering_stretch_mode", 0},
                                     {"stretch_mode_bucket", 0}};
}

std::string print_osd(const OSDMap& m, OsdId osd) {
  const OsdInfo& info = m.osd_info[osd];
  std::string out = fmt::format("osd.{} {} {} weight {:g}", osd, m.is_up(osd) ? "up  " : "down",
                                m.is_in(osd) ? "in " : "out", fixed_to_double(m.osd_weight[osd]));
  if (m.primary_affinity(osd) != kDefaultAffinity)
    out += fmt::format(" primary_affinity {:g}", fixed_to_double(m.primary_affinity(osd)));
  out += fmt::format(" up_from {} up_thru {} down_at {} last_clean_interval [{},{})", info.up_from,
                     info.up_thru, info.down_at, info.last_clean_begin, info.last_clean_end);
  if (info.lost_at) out += fmt::format(" lost_at {}", info.lost_at);
  out += fmt::format(" {} {} {}", addrvec_text(m.client_addrs[osd]),
                     addrvec_text(m.cluster_addrs[osd]),
                     fmt::join(sorted(osd_state_names(m.osd_state[osd])), ","));
  if (!m.osd_uuid[osd].is_zero()) out += " " + m.osd_uuid[osd].to_string();
  return out + "\n";
}

std::string opts_text(const PoolOpts& opts) {
  std::string out;
  for (const auto& spec : PoolOpts::specs()) {
    auto it = opts.values.find(spec.key);
    if (it == opts.values.end()) continue;
    out += fmt::format(" {} ", spec.name);
    if (const double* d = std::get_if<double>(&it->second))
      out += fmt::format("{:g}", *d);
    else
      std::visit([&](const auto& v) { out += fmt::format("{}", v); }, it->second);
  }
  return out;
}

std::string tiers_text(const PgPool& p) {
  std::string out;
  if (!p.tiers.empty()) out += fmt::format(" tiers {}", fmt::join(p.tiers, ","));
  if (p.tier_of >= 0) out += fmt::format(" tier_of {}", p.tier_of);
  if (p.read_tier >= 0) out += fmt::format(" read_tier {}", p.read_tier);
  if (p.write_tier >= 0) out += fmt::format(" write_tier {}", p.write_tier);
  if (p.cache_mode) out += fmt::format(" cache_mode {}", cache_mode_name(p.cache_mode));
  if (p.target_max_bytes) out += fmt::format(" target_bytes {}", p.target_max_bytes);
  if (p.target_max_objects) out += fmt::format(" target_objects {}", p.target_max_objects);
  return out;
}

}  // namespace

const char* release_name(uint8_t release) {
  return release < std::size(kReleases) ? kReleases[release] : "unknown";
}

uint8_t release_from(std::string_view name) {
  for (size_t i = 1; i < std::size(kReleases); i++)
    if (name == kReleases[i]) return static_cast<uint8_t>(i);
  return 0;
}

uint8_t min_compat_client(const OSDMap& m) {
  constexpr uint8_t kArgonaut = 1, kBobtail = 2, kDumpling = 4, kFirefly = 6, kHammer = 8,
                    kJewel = 10, kLuminous = 12;
  const CrushFeatures f = crush_features(*m.crush);
  if (!m.pg_upmap.empty() || !m.pg_upmap_items.empty() || f.choose_args) return kLuminous;
  if (f.v5_rules || f.tunables5) return kJewel;
  if (f.v4_buckets) return kHammer;
  const bool affinity = std::any_of(m.osd_primary_affinity.begin(), m.osd_primary_affinity.end(),
                                    [](uint32_t a) { return a != kDefaultAffinity; });
  if (affinity || f.v3_rules || f.tunables3) return kFirefly;
  if (f.v2_rules || f.tunables2) return kDumpling;
  for (const auto& [id, p] : m.pools)
    if (p.has_flag(kPoolHashPsPool)) return kDumpling;
  return f.tunables ? kBobtail : kArgonaut;
}

json::object dump_addr(const EntityAddr& a) {
  return {{"type", addr_type_name(a.type)},
          {"addr", fmt::format("{}:{}", a.ip_text(), a.port)},
          {"nonce", a.nonce}};
}

json::object dump_addrvec(const EntityAddrVec& v) {
  json::array addrs;
  for (const auto& a : v.addrs) addrs.push_back(dump_addr(a));
  return {{"addrvec", std::move(addrs)}};
}

json::array dump_blocklist(const OSDMap& m) {
  json::array out;
  for (const auto& [addr, until] : m.blocklist)
    out.push_back(json::object{{"entity_addr_t", dump_addr(addr)},
                               {"expire_time", stamp_text(until)}});
  return out;
}

std::string addrvec_text(const EntityAddrVec& v) {
  std::vector<std::string> texts;
  for (const auto& a : v.addrs) texts.push_back(addr_text(a));
  return texts.size() == 1 ? texts[0]
         : texts.empty()   ? ""
                           : fmt::format("[{}]", fmt::join(texts, ","));
}

json::object dump_pool(const OSDMap& m, PoolId id, const char* id_key) {
  const PgPool* pool = m.pool(id);
  if (!pool) return {};
  const PgPool& p = *pool;
  json::object applications;
  for (const auto& [app, pairs] : p.applications) {
    json::object values;
    for (const auto& [k, v] : pairs) values[k] = v;
    applications[app] = std::move(values);
  }
  return {{id_key, id},
          {"pool_name", m.pool_name(id)},
          {"create_time", stamp_text(p.create_time)},
          {"flags", p.flags},
          {"flags_names", pool_flags_text(p.flags)},
          {"type", p.type},
          {"size", p.size},
          {"min_size", p.min_size},
          {"crush_rule", p.crush_rule},
          {"peering_crush_bucket_count", 0},
          {"peering_crush_bucket_target", 0},
          {"peering_crush_bucket_barrier", 0},
          {"peering_crush_bucket_mandatory_member", kCrushNone},
          {"object_hash", p.object_hash},
          {"pg_autoscale_mode", pg_autoscale_mode_name(p.pg_autoscale_mode)},
          {"pg_num", p.pg_num},
          {"pg_placement_num", p.pgp_num},
          {"pg_placement_num_target", p.pgp_num_target},
          {"pg_num_target", p.pg_num_target},
          {"pg_num_pending", p.pg_num_pending},
          {"last_pg_merge_meta", dump_merge_meta(p.last_pg_merge_meta)},
          {"last_change", std::to_string(p.last_change)},
          {"last_force_op_resend", std::to_string(p.last_force_op_resend)},
          {"last_force_op_resend_prenautilus", std::to_string(p.last_force_op_resend_prenautilus)},
          {"last_force_op_resend_preluminous", std::to_string(p.last_force_op_resend_preluminous)},
          {"auid", p.auid},
          {"snap_mode", p.has_flag(kPoolPoolSnaps) ? "pool" : "selfmanaged"},
          {"snap_seq", p.snap_seq},
          {"snap_epoch", p.snap_epoch},
          {"pool_snaps", dump_pool_snaps(p)},
          {"removed_snaps", intervals_text(p.removed_snaps)},
          {"quota_max_bytes", p.quota_max_bytes},
          {"quota_max_objects", p.quota_max_objects},
          {"tiers", json::array(p.tiers.begin(), p.tiers.end())},
          {"tier_of", p.tier_of},
          {"read_tier", p.read_tier},
          {"write_tier", p.write_tier},
          {"cache_mode", cache_mode_name(p.cache_mode)},
          {"target_max_bytes", p.target_max_bytes},
          {"target_max_objects", p.target_max_objects},
          {"cache_target_dirty_ratio_micro", p.cache_target_dirty_ratio_micro},
          {"cache_target_dirty_high_ratio_micro", p.cache_target_dirty_high_ratio_micro},
          {"cache_target_full_ratio_micro", p.cache_target_full_ratio_micro},
          {"cache_min_flush_age", p.cache_min_flush_age},
          {"cache_min_evict_age", p.cache_min_evict_age},
          {"erasure_code_profile", p.erasure_code_profile},
          {"hit_set_params", json::object{{"type", "none"}}},
          {"hit_set_period", p.hit_set_period},
          {"hit_set_count", p.hit_set_count},
          {"use_gmt_hitset", p.use_gmt_hitset},
          {"min_read_recency_for_promote", p.min_read_recency_for_promote},
          {"min_write_recency_for_promote", p.min_write_recency_for_promote},
          {"hit_set_grade_decay_rate", p.hit_set_grade_decay_rate},
          {"hit_set_search_last_n", p.hit_set_search_last_n},
          {"grade_table", json::array()},
          {"stripe_width", p.stripe_width},
          {"expected_num_objects", p.expected_num_objects},
          {"fast_read", p.fast_read},
          {"options", dump_pool_opts(p.opts)},
          {"application_metadata", std::move(applications)}};
}

json::array dump_pools_detail(const OSDMap& m) {
  json::array out;
  for (const auto& [id, p] : m.pools) out.push_back(dump_pool(m, id, "pool_id"));
  return out;
}

json::object dump_osd_map(const OSDMap& m) {
  json::array pools, osds, xinfos;
  for (const auto& [id, p] : m.pools) pools.push_back(dump_pool(m, id));
  for (OsdId osd : m.osds()) {
    osds.push_back(dump_osd(m, osd));
    xinfos.push_back(dump_xinfo(osd, m.osd_xinfo[osd]));
  }
  json::object out{{"epoch", m.epoch},
                   {"fsid", m.fsid.to_string()},
                   {"created", stamp_text(m.created)},
                   {"modified", stamp_text(m.modified)},
                   {"last_up_change", stamp_text(m.last_up_change)},
                   {"last_in_change", stamp_text(m.last_in_change)},
                   {"flags", osdmap_flags_text(m.flags)},
                   {"flags_num", m.flags},
                   {"flags_set", string_array(sorted(osdmap_flag_names(m.flags)))},
                   {"crush_version", m.crush_version},
                   {"full_ratio", m.full_ratio},
                   {"backfillfull_ratio", m.backfillfull_ratio},
                   {"nearfull_ratio", m.nearfull_ratio},
                   {"cluster_snapshot", m.cluster_snapshot},
                   {"pool_max", m.pool_max},
                   {"max_osd", m.max_osd},
                   {"require_min_compat_client", release_name(m.require_min_compat_client)},
                   {"min_compat_client", release_name(min_compat_client(m))},
                   {"require_osd_release", release_name(m.require_osd_release)},
                   {"pools", std::move(pools)},
                   {"osds", std::move(osds)},
                   {"osd_xinfo", std::move(xinfos)}};
  dump_tail(m, out);
  return out;
}

std::string print_pool(const OSDMap& m, PoolId id) {
  const PgPool* pool = m.pool(id);
  if (!pool) return "";
  const PgPool& p = *pool;
  std::string out = fmt::format("pool {} '{}' {}", id, m.pool_name(id), pool_type_name(p));
  if (p.is_erasure()) out += fmt::format(" profile {}", p.erasure_code_profile);
  out += fmt::format(" size {} min_size {} crush_rule {} object_hash rjenkins pg_num {} pgp_num {}",
                     p.size, p.min_size, p.crush_rule, p.pg_num, p.pgp_num);
  if (p.pg_num_target != p.pg_num) out += fmt::format(" pg_num_target {}", p.pg_num_target);
  if (p.pgp_num_target != p.pgp_num) out += fmt::format(" pgp_num_target {}", p.pgp_num_target);
  if (p.pg_num_pending != p.pg_num) out += fmt::format(" pg_num_pending {}", p.pg_num_pending);
  out += fmt::format(" autoscale_mode {} last_change {}",
                     pg_autoscale_mode_name(p.pg_autoscale_mode), p.last_change);
  if (p.last_force_op_resend || p.last_force_op_resend_prenautilus ||
      p.last_force_op_resend_preluminous)
    out += fmt::format(" lfor {}/{}/{}", p.last_force_op_resend, p.last_force_op_resend_prenautilus,
                       p.last_force_op_resend_preluminous);
  if (p.auid) out += fmt::format(" owner {}", p.auid);
  if (p.flags) out += fmt::format(" flags {}", pool_flags_text(p.flags));
  if (p.quota_max_bytes) out += fmt::format(" max_bytes {}", p.quota_max_bytes);
  if (p.quota_max_objects) out += fmt::format(" max_objects {}", p.quota_max_objects);
  out += tiers_text(p);
  if (p.min_read_recency_for_promote)
    out += fmt::format(" min_read_recency_for_promote {}", p.min_read_recency_for_promote);
  if (p.min_write_recency_for_promote)
    out += fmt::format(" min_write_recency_for_promote {}", p.min_write_recency_for_promote);
  out += fmt::format(" stripe_width {}", p.stripe_width);
  if (p.expected_num_objects)
    out += fmt::format(" expected_num_objects {}", p.expected_num_objects);
  if (p.fast_read) out += " fast_read 1";
  out += opts_text(p.opts);
  for (auto it = p.applications.begin(); it != p.applications.end(); ++it)
    out += (it == p.applications.begin() ? " application " : ",") + it->first;
  return out;
}

std::string print_pools_detail(const OSDMap& m) {
  std::string out;
  for (const auto& [id, p] : m.pools) {
    out += print_pool(m, id) + "\n";
    for (const auto& [snap_id, snap] : p.snaps)
      out += fmt::format("\tsnap {} '{}' {}\n", snap_id, snap.name, stamp_text(snap.stamp));
    if (!p.removed_snaps.empty())
      out += fmt::format("\tremoved_snaps {}\n", intervals_text(p.removed_snaps));
    if (auto it = m.removed_snaps_queue.find(id); it != m.removed_snaps_queue.end())
      out += fmt::format("\tremoved_snaps_queue {}\n", intervals_text(it->second));
  }
  return out;
}

std::string print_osd_map(const OSDMap& m) {
  std::string out =
      fmt::format("epoch {}\nfsid {}\ncreated {}\nmodified {}\nflags {}\ncrush_version {}\n",
                  m.epoch, m.fsid.to_string(), stamp_text(m.created), stamp_text(m.modified),
                  osdmap_flags_text(m.flags), m.crush_version);
  out += fmt::format("full_ratio {:g}\nbackfillfull_ratio {:g}\nnearfull_ratio {:g}\n",
                     m.full_ratio, m.backfillfull_ratio, m.nearfull_ratio);
  out += fmt::format("require_min_compat_client {}\nmin_compat_client {}\nrequire_osd_release {}\n",
                     release_name(m.require_min_compat_client), release_name(min_compat_client(m)),
                     release_name(m.require_osd_release));
  out += "stretch_mode_enabled false\n";
  if (!m.cluster_snapshot.empty()) out += fmt::format("cluster_snapshot {}\n", m.cluster_snapshot);
  out += "\n" + print_pools_detail(m) + "\n";
  out += fmt::format("max_osd {}\n", m.max_osd);
  for (OsdId osd : m.osds()) out += print_osd(m, osd);
  out += "\n";
  for (const auto& [pg, osds] : m.pg_upmap)
    out += fmt::format("pg_upmap {} {}\n", pg.to_string(), osd_set_text(osds));
  for (const auto& [pg, items] : m.pg_upmap_items) {
    out += fmt::format("pg_upmap_items {} [", pg.to_string());
    for (size_t i = 0; i < items.size(); i++)
      out += fmt::format("{}{},{}", i ? "," : "", items[i].first, items[i].second);
    out += "]\n";
  }
  for (const auto& [pg, osds] : m.pg_temp)
    out += fmt::format("pg_temp {} {}\n", pg.to_string(), osd_set_text(osds));
  for (const auto& [pg, osd] : m.primary_temp)
    out += fmt::format("primary_temp {} {}\n", pg.to_string(), osd);
  for (const auto& [addr, until] : blocklist_texts(m))
    out += fmt::format("blocklist {} expires {}\n", addr, until);
  return out;
}

}  // namespace plimsoll::map
