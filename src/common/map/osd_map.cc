// SPDX-License-Identifier: LGPL-2.1-or-later
// Encoding and questions about the map; applying an Incremental is in osd_map_apply.cc, placement
// in osd_mapping.cc.
#include "common/map/osd_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/base/crc32c.h"

namespace plimsoll::map {

namespace {

struct FlagName {
  uint32_t flag;
  const char* name;
};

constexpr FlagName kStateNames[] = {{kOsdExists, "exists"},
                                    {kOsdUp, "up"},
                                    {kOsdAutoOut, "autoout"},
                                    {kOsdNew, "new"},
                                    {kOsdFull, "full"},
                                    {kOsdNearFull, "nearfull"},
                                    {kOsdBackfillFull, "backfillfull"},
                                    {kOsdDestroyed, "destroyed"},
                                    {kOsdNoUp, "noup"},
                                    {kOsdNoDown, "nodown"},
                                    {kOsdNoIn, "noin"},
                                    {kOsdNoOut, "noout"},
                                    {kOsdStop, "stop"}};

constexpr FlagName kFlagNames[] = {{kMapNearFull, "nearfull"},
                                   {kMapFull, "full"},
                                   {kMapPauseRead, "pauserd"},
                                   {kMapPauseWrite, "pausewr"},
                                   {kMapPauseRecovery, "pauserec"},
                                   {kMapNoUp, "noup"},
                                   {kMapNoDown, "nodown"},
                                   {kMapNoOut, "noout"},
                                   {kMapNoIn, "noin"},
                                   {kMapNoBackfill, "nobackfill"},
                                   {kMapNoRebalance, "norebalance"},
                                   {kMapNoRecover, "norecover"},
                                   {kMapNoScrub, "noscrub"},
                                   {kMapNoDeepScrub, "nodeep-scrub"},
                                   {kMapNoTierAgent, "notieragent"},
                                   {kMapNoSnapTrim, "nosnaptrim"},
                                   {kMapSortBitwise, "sortbitwise"},
                                   {kMapRecoveryDeletes, "recovery_deletes"},
                                   {kMapPurgedSnapdirs, "purged_snapdirs"},
                                   {kMapPgLogHardLimit, "pglog_hardlimit"}};

constexpr wire::Envelope kFullEnvelope{8, 7};
constexpr wire::Envelope kFullClient{9, 1};
constexpr wire::Envelope kFullOsd{9, 1};
constexpr wire::Envelope kIncEnvelope{8, 7};
constexpr wire::Envelope kIncClient{8, 1};
constexpr wire::Envelope kIncOsd{9, 1};
/// Older than luminous: fields have other types.
constexpr uint8_t kOldestClient = 7;
constexpr uint8_t kOldestOsd = 6;

template <class F, class M>
void full_client_fields(F& f, M& m) {
  f("fsid", m.fsid);
  f("epoch", m.epoch);
  f("created", m.created);
  f("modified", m.modified);
  f("pools", m.pools);
  f("pool_names", m.pool_names);
  f("pool_max", m.pool_max);
  f("flags", m.flags);
  f("max_osd", m.max_osd);
  f("osd_state", m.osd_state);
  f("osd_weight", m.osd_weight);
  f("client_addrs", m.client_addrs);
  f("pg_temp", m.pg_temp);
  f("primary_temp", m.primary_temp);
  f("osd_primary_affinity", m.osd_primary_affinity);
  f("crush", m.crush);
  f("erasure_code_profiles", m.erasure_code_profiles);
  f("pg_upmap", m.pg_upmap);
  f("pg_upmap_items", m.pg_upmap_items);
  f("crush_version", m.crush_version);
  f("new_removed_snaps", m.new_removed_snaps);
  f("new_purged_snaps", m.new_purged_snaps);
  f("last_up_change", m.last_up_change, 9);
  f("last_in_change", m.last_in_change, 9);
}

template <class F, class M>
void full_osd_fields(F& f, M& m) {
  f("hb_back_addrs", m.hb_back_addrs);
  f("osd_info", m.osd_info);
  f("blocklist", m.blocklist);
  f("cluster_addrs", m.cluster_addrs);
  f("cluster_snapshot_epoch", m.cluster_snapshot_epoch);
  f("cluster_snapshot", m.cluster_snapshot);
  f("osd_uuid", m.osd_uuid);
  f("osd_xinfo", m.osd_xinfo);
  f("hb_front_addrs", m.hb_front_addrs);
  f("nearfull_ratio", m.nearfull_ratio);
  f("full_ratio", m.full_ratio);
  f("backfillfull_ratio", m.backfillfull_ratio);
  f("require_min_compat_client", m.require_min_compat_client);
  f("require_osd_release", m.require_osd_release);
  f("removed_snaps_queue", m.removed_snaps_queue);
  f("crush_node_flags", m.crush_node_flags, 8);
  f("device_class_flags", m.device_class_flags, 9);
}

template <class F, class M>
void inc_client_fields(F& f, M& m) {
  f("fsid", m.fsid);
  f("epoch", m.epoch);
  f("modified", m.modified);
  f("new_pool_max", m.new_pool_max);
  f("new_flags", m.new_flags);
  f("fullmap", m.fullmap);
  f("crush", m.crush);
  f("new_max_osd", m.new_max_osd);
  f("new_pools", m.new_pools);
  f("new_pool_names", m.new_pool_names);
  f("old_pools", m.old_pools);
  f("new_up_client", m.new_up_client);
  f("new_state", m.new_state);
  f("new_weight", m.new_weight);
  f("new_pg_temp", m.new_pg_temp);
  f("new_primary_temp", m.new_primary_temp);
  f("new_primary_affinity", m.new_primary_affinity);
  f("new_erasure_code_profiles", m.new_erasure_code_profiles);
  f("old_erasure_code_profiles", m.old_erasure_code_profiles);
  f("new_pg_upmap", m.new_pg_upmap);
  f("old_pg_upmap", m.old_pg_upmap);
  f("new_pg_upmap_items", m.new_pg_upmap_items);
  f("old_pg_upmap_items", m.old_pg_upmap_items);
  f("new_removed_snaps", m.new_removed_snaps);
  f("new_purged_snaps", m.new_purged_snaps);
  f("new_last_up_change", m.new_last_up_change, 8);
  f("new_last_in_change", m.new_last_in_change, 8);
}

template <class F, class M>
void inc_osd_fields(F& f, M& m) {
  f("new_hb_back_up", m.new_hb_back_up);
  f("new_up_thru", m.new_up_thru);
  f("new_last_clean_interval", m.new_last_clean_interval);
  f("new_lost", m.new_lost);
  f("new_blocklist", m.new_blocklist);
  f("old_blocklist", m.old_blocklist);
  f("new_up_cluster", m.new_up_cluster);
  f("cluster_snapshot", m.cluster_snapshot);
  f("new_uuid", m.new_uuid);
  f("new_xinfo", m.new_xinfo);
  f("new_hb_front_up", m.new_hb_front_up);
  f("encode_features", m.encode_features);
  f("new_nearfull_ratio", m.new_nearfull_ratio);
  f("new_full_ratio", m.new_full_ratio);
  f("new_backfillfull_ratio", m.new_backfillfull_ratio);
  f("new_require_min_compat_client", m.new_require_min_compat_client);
  f("new_require_osd_release", m.new_require_osd_release);
  f("new_crush_node_flags", m.new_crush_node_flags, 8);
  f("new_device_class_flags", m.new_device_class_flags, 9);
}

/// One of the two halves that both kinds of map have.
template <class M, class Fields>
void encode_part(const M& v, ByteWriter& w, wire::Envelope e, Fields&& fields) {
  wire::enclose(w, e, [&] {
    wire::Encoder f(w, e.version);
    fields(f, v);
  });
}

template <class M, class Fields>
void decode_part(M& v, ByteReader& r, wire::Envelope e, uint8_t oldest, Fields&& fields) {
  wire::disclose(r, e, [&](uint8_t version) {
    if (version < oldest) return r.fail("osdmap is older than luminous");
    wire::Decoder f(r, version);
    fields(f, v);
  });
}

#define PLIMSOLL_FIELDS(fn) [](auto& f, auto& m) { fn(f, m); }

/// The outer envelope as bytes, since the crcs cover its header too.
struct Outer {
  Bytes header;
  Bytes body;
};

Outer read_outer(ByteReader& r, wire::Envelope e) {
  ByteWriter header;
  const uint8_t version = r.u8(), compat = r.u8();
  const uint32_t length = r.u32();
  header.u8(version);
  header.u8(compat);
  header.u32(length);
  if (r.ok() && (compat > e.version || version < e.compat)) r.fail("unknown encoding of an osdmap");
  Outer out;
  out.body = r.raw(length);
  out.header = header.take();
  return out;
}

bool same_size(const OSDMap& m) {
  const auto n = static_cast<size_t>(m.max_osd);
  return m.osd_state.size() == n && m.osd_weight.size() == n && m.client_addrs.size() == n &&
         m.hb_back_addrs.size() == n && m.osd_info.size() == n && m.cluster_addrs.size() == n &&
         m.osd_uuid.size() == n && m.osd_xinfo.size() == n && m.hb_front_addrs.size() == n &&
         (m.osd_primary_affinity.empty() || m.osd_primary_affinity.size() == n);
}

/// What Ceph's memcmp of its address structure orders by, as one key.
std::array<uint8_t, 28> memory_key(const EntityAddr& a) {
  std::array<uint8_t, 28> key{};
  std::memcpy(key.data(), &a.type, 4);
  std::memcpy(key.data() + 4, &a.nonce, 4);
  std::memcpy(key.data() + 8, &a.family, 2);
  key[10] = static_cast<uint8_t>(a.port >> 8);
  key[11] = static_cast<uint8_t>(a.port);
  std::memcpy(key.data() + 12, a.ip.data(), 16);
  return key;
}

template <class Names>
std::vector<std::string> names_of(uint32_t bits, const Names& names) {
  std::vector<std::string> out;
  for (const auto& entry : names)
    if (bits & entry.flag) out.push_back(entry.name);
  return out;
}

}  // namespace

std::vector<std::string> osd_state_names(uint32_t state) {
  return names_of(state, kStateNames);
}
std::vector<std::string> osdmap_flag_names(uint32_t flags) {
  return names_of(flags, kFlagNames);
}

std::string osdmap_flags_text(uint32_t flags) {
  return fmt::format("{}", fmt::join(osdmap_flag_names(flags), ","));
}

uint32_t osdmap_flag_from(std::string_view name) {
  if (name == "pause") return kMapPauseRead | kMapPauseWrite;
  for (const auto& entry : kFlagNames)
    if (name == entry.name) return entry.flag;
  return 0;
}

bool AddrMemoryOrder::operator()(const EntityAddr& a, const EntityAddr& b) const {
  return memory_key(a) < memory_key(b);
}

// ---- the CRUSH map inside -----------------------------------------------------------------------

SharedCrush::SharedCrush() : SharedCrush(CrushMap::empty()) {}

SharedCrush::SharedCrush(CrushMap map)
    : blob_(wire::to_bytes(map)), map_(std::make_shared<const CrushMap>(std::move(map))) {}

Result<SharedCrush> SharedCrush::from_blob(Bytes blob) {
  TRY(map, wire::from_bytes<CrushMap>(blob, "crush map"));
  return SharedCrush(std::move(blob), std::make_shared<const CrushMap>(std::move(map)));
}

void encode(const SharedCrush& v, ByteWriter& w) {
  w.blob(v.blob().view());
}

void decode(SharedCrush& v, ByteReader& r) {
  auto found = SharedCrush::from_blob(r.blob());
  if (!r.ok()) return;
  if (!found) return r.fail("malformed crush map");
  v = std::move(*found);
}

// ---- full map -----------------------------------------------------------------------------------

void encode(const OSDMap& v, ByteWriter& w) {
  const size_t start = w.size();
  wire::enclose(w, kFullEnvelope, [&] {
    encode_part(v, w, kFullClient, PLIMSOLL_FIELDS(full_client_fields));
    encode_part(v, w, kFullOsd, PLIMSOLL_FIELDS(full_osd_fields));
    w.u32(0);
  });
  const size_t crc_at = w.size() - 4;
  w.patch_u32(crc_at, crc32c(~0u, w.view().substr(start, crc_at - start)));
}

void decode(OSDMap& v, ByteReader& r) {
  const Outer outer = read_outer(r, kFullEnvelope);
  if (!r.ok()) return;
  ByteReader in(outer.body);
  decode_part(v, in, kFullClient, kOldestClient, PLIMSOLL_FIELDS(full_client_fields));
  decode_part(v, in, kFullOsd, kOldestOsd, PLIMSOLL_FIELDS(full_osd_fields));
  const size_t crc_at = in.pos();
  const uint32_t crc = in.u32();
  if (!in.ok()) return r.fail(in.error());
  uint32_t actual = crc32c(~0u, outer.header.view());
  actual = crc32c(actual, outer.body.slice(0, crc_at).view());
  actual = crc32c(actual, outer.body.slice(crc_at + 4).view());
  if (actual != crc) return r.fail("osdmap has a bad crc");
  if (v.max_osd < 0 || v.max_osd > kMaxOsds) return r.fail("osdmap has a bad max_osd");
  if (!same_size(v)) r.fail("osdmap's vectors do not fit max_osd");
}

uint32_t full_map_crc(const Bytes& full) {
  if (full.size() < 4) return 0;
  ByteReader r(full.slice(full.size() - 4));
  return r.u32();
}

// ---- incremental --------------------------------------------------------------------------------

void encode(const Incremental& v, ByteWriter& w) {
  const size_t start = w.size();
  wire::enclose(w, kIncEnvelope, [&] {
    encode_part(v, w, kIncClient, PLIMSOLL_FIELDS(inc_client_fields));
    encode_part(v, w, kIncOsd, PLIMSOLL_FIELDS(inc_osd_fields));
    w.u32(0);
    w.u32(v.full_crc);
  });
  const size_t crc_at = w.size() - 8;
  uint32_t crc = crc32c(~0u, w.view().substr(start, crc_at - start));
  crc = crc32c(crc, w.view().substr(crc_at + 4));
  w.patch_u32(crc_at, crc);
}

void decode(Incremental& v, ByteReader& r) {
  const Outer outer = read_outer(r, kIncEnvelope);
  if (!r.ok()) return;
  ByteReader in(outer.body);
  decode_part(v, in, kIncClient, kOldestClient, PLIMSOLL_FIELDS(inc_client_fields));
  decode_part(v, in, kIncOsd, kOldestOsd, PLIMSOLL_FIELDS(inc_osd_fields));
  const size_t crc_at = in.pos();
  const uint32_t crc = in.u32();
  v.full_crc = in.u32();
  if (!in.ok()) return r.fail(in.error());
  uint32_t actual = crc32c(~0u, outer.header.view());
  actual = crc32c(actual, outer.body.slice(0, crc_at).view());
  actual = crc32c(actual, outer.body.slice(crc_at + 4).view());
  if (actual != crc) r.fail("incremental osdmap has a bad crc");
}

#undef PLIMSOLL_FIELDS

Incremental Incremental::after(const OSDMap& map) {
  Incremental inc;
  inc.fsid = map.fsid;
  inc.epoch = map.epoch + 1;
  return inc;
}

bool Incremental::is_empty() const {
  Incremental nothing;
  nothing.fsid = fsid;
  nothing.epoch = epoch;
  nothing.modified = modified;
  nothing.encode_features = encode_features;
  nothing.full_crc = full_crc;
  return *this == nothing;
}

PgPool* Incremental::edit_pool(const OSDMap& map, PoolId id) {
  if (old_pools.count(id)) return nullptr;
  auto it = new_pools.find(id);
  if (it != new_pools.end()) return &it->second;
  const PgPool* now = map.pool(id);
  return now ? &(new_pools[id] = *now) : nullptr;
}

Bytes Incremental::wire_crush(const CrushMap& map) {
  return wire::to_bytes(map);
}

Result<SharedCrush> Incremental::crush_after(const OSDMap& map) const {
  if (crush.empty()) return map.crush;
  return SharedCrush::from_blob(crush);
}

// ---- questions ----------------------------------------------------------------------------------

OsdId OSDMap::find_osd(const Uuid& uuid) const {
  for (OsdId osd = 0; osd < max_osd; osd++)
    if (exists(osd) && osd_uuid[osd] == uuid) return osd;
  return kNoOsd;
}

int OSDMap::num_osds() const {
  return static_cast<int>(osds().size());
}

int OSDMap::num_up_osds() const {
  int n = 0;
  for (OsdId osd = 0; osd < max_osd; osd++) n += is_up(osd);
  return n;
}

int OSDMap::num_in_osds() const {
  int n = 0;
  for (OsdId osd = 0; osd < max_osd; osd++) n += is_in(osd);
  return n;
}

std::vector<OsdId> OSDMap::osds() const {
  std::vector<OsdId> out;
  for (OsdId osd = 0; osd < max_osd; osd++)
    if (exists(osd)) out.push_back(osd);
  return out;
}

bool OSDMap::is_blocklisted(const EntityAddr& addr) const {
  if (blocklist.empty()) return false;
  // Clients are listed with type "any"; an entry without port and nonce covers the whole host.
  EntityAddr a = addr;
  for (uint32_t type : {addr.type, static_cast<uint32_t>(EntityAddr::kAny)}) {
    a.type = type;
    if (blocklist.count(a)) return true;
    EntityAddr host = a;
    host.port = 0;
    host.nonce = 0;
    if (blocklist.count(host)) return true;
  }
  return false;
}

bool OSDMap::is_blocklisted(const EntityAddrVec& addrs) const {
  return std::any_of(addrs.addrs.begin(), addrs.addrs.end(),
                     [&](const EntityAddr& a) { return is_blocklisted(a); });
}

const PgPool* OSDMap::pool(PoolId id) const {
  auto it = pools.find(id);
  return it == pools.end() ? nullptr : &it->second;
}

std::optional<PoolId> OSDMap::find_pool(std::string_view name) const {
  for (const auto& [id, n] : pool_names)
    if (n == name) return id;
  return {};
}

std::string OSDMap::pool_name(PoolId id) const {
  auto it = pool_names.find(id);
  return it == pool_names.end() ? std::string() : it->second;
}

bool OSDMap::pg_exists(PgId pg) const {
  const PgPool* p = pool(pg.pool);
  return p && pg.seed < p->pg_num;
}

std::vector<PgId> OSDMap::all_pgs() const {
  std::vector<PgId> out;
  for (const auto& [id, p] : pools)
    for (uint32_t seed = 0; seed < p.pg_num; seed++) out.push_back({id, seed});
  return out;
}

uint64_t OSDMap::num_pgs() const {
  uint64_t n = 0;
  for (const auto& [id, p] : pools) n += p.pg_num;
  return n;
}

}  // namespace plimsoll::map
