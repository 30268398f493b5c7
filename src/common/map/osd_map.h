// SPDX-License-Identifier: LGPL-2.1-or-later
// The OSDMap: every fact that placement and full handling rest on, at one epoch; and Incremental,
// the difference to the next. Byte-identical to Ceph 16.2's encoding (wire.md 4), since clients and
// other daemons check a crc over it. A map is a value: apply an Incremental to get the next one.
// Copies share the CRUSH map. Mapping (object -> PG -> OSDs) is in osd_mapping.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/map/crush_map.h"
#include "common/map/pg_pool.h"
#include "common/wire/types.h"

namespace plimsoll::map {

enum OsdState : uint32_t {
  kOsdExists = 1,
  kOsdUp = 2,
  kOsdAutoOut = 4,
  kOsdNew = 8,
  kOsdFull = 16,
  kOsdNearFull = 32,
  kOsdBackfillFull = 64,
  kOsdDestroyed = 128,
  kOsdNoUp = 256,
  kOsdNoDown = 512,
  kOsdNoIn = 1024,
  kOsdNoOut = 2048,
  kOsdStop = 4096,
};
/// {"exists", "up"}: names of the set bits, lowest first.
std::vector<std::string> osd_state_names(uint32_t state);

enum OSDMapFlag : uint32_t {
  kMapNearFull = 0x1,
  kMapFull = 0x2,
  kMapPauseRead = 0x4,
  kMapPauseWrite = 0x8,
  kMapPauseRecovery = 0x10,
  kMapNoUp = 0x20,
  kMapNoDown = 0x40,
  kMapNoOut = 0x80,
  kMapNoIn = 0x100,
  kMapNoBackfill = 0x200,
  kMapNoRecover = 0x400,
  kMapNoScrub = 0x800,
  kMapNoDeepScrub = 0x1000,
  kMapNoTierAgent = 0x2000,
  kMapNoRebalance = 0x4000,
  kMapSortBitwise = 0x8000,
  kMapRecoveryDeletes = 0x80000,
  kMapPurgedSnapdirs = 0x100000,
  kMapNoSnapTrim = 0x200000,
  kMapPgLogHardLimit = 0x400000,
};
/// What a fresh cluster has.
inline constexpr uint32_t kMapBaseFlags = 0x588000;
/// "noout,sortbitwise", in Ceph's order.
std::string osdmap_flags_text(uint32_t flags);
std::vector<std::string> osdmap_flag_names(uint32_t flags);
/// 0 for unknown. "pause" is both pause bits.
uint32_t osdmap_flag_from(std::string_view name);

/// osd_weight and affinity: 0x10000 = in / 1.0, 0 = out.
inline constexpr uint32_t kOsdIn = 0x10000;
inline constexpr uint32_t kOsdOut = 0;
inline constexpr uint32_t kDefaultAffinity = 0x10000;
inline constexpr int32_t kMaxOsds = 1 << 18;

struct OsdInfo {
  Epoch last_clean_begin = 0;
  Epoch last_clean_end = 0;
  Epoch up_from = 0;
  Epoch up_thru = 0;
  Epoch down_at = 0;
  Epoch lost_at = 0;
  template <class F>
  void fields(F& f) {
    f.constant("v", uint8_t{1});
    f("last_clean_begin", last_clean_begin);
    f("last_clean_end", last_clean_end);
    f("up_from", up_from);
    f("up_thru", up_thru);
    f("down_at", down_at);
    f("lost_at", lost_at);
  }
  bool operator==(const OsdInfo&) const = default;
};

struct OsdXinfo {
  static constexpr wire::Envelope kEnvelope{4, 1};
  Utime down_stamp;
  uint32_t laggy_probability_fixed = 0;  ///< of 0xffffffff
  uint32_t laggy_interval = 0;
  uint64_t features = 0;
  uint32_t old_weight = 0;
  Utime last_purged_snaps_scrub;
  Epoch dead_epoch = 0;
  template <class F>
  void fields(F& f) {
    f("down_stamp", down_stamp);
    f("laggy_probability", laggy_probability_fixed);
    f("laggy_interval", laggy_interval);
    f("features", features, 2);
    f("old_weight", old_weight, 3);
    f("last_purged_snaps_scrub", last_purged_snaps_scrub, 4);
    f("dead_epoch", dead_epoch, 4);
  }
  bool operator==(const OsdXinfo&) const = default;
};

/// Ceph sorts addresses by their memory, and the crc depends on it.
struct AddrMemoryOrder {
  bool operator()(const EntityAddr& a, const EntityAddr& b) const;
};
using Blocklist = std::map<EntityAddr, Utime, AddrMemoryOrder>;

/// A CRUSH map with its encoding; copies share both.
class SharedCrush {
 public:
  SharedCrush();
  explicit SharedCrush(CrushMap map);
  /// EINVAL where the blob is damaged.
  static Result<SharedCrush> from_blob(Bytes blob);
  const CrushMap& operator*() const { return *map_; }
  const CrushMap* operator->() const { return map_.get(); }
  const Bytes& blob() const { return blob_; }
  bool operator==(const SharedCrush& o) const { return map_ == o.map_ || blob_ == o.blob_; }

 private:
  SharedCrush(Bytes blob, std::shared_ptr<const CrushMap> map)
      : blob_(std::move(blob)), map_(std::move(map)) {}
  Bytes blob_;
  std::shared_ptr<const CrushMap> map_;
};
void encode(const SharedCrush& v, ByteWriter& w);
void decode(SharedCrush& v, ByteReader& r);

using EcProfile = std::map<std::string, std::string>;
using UpmapItems = std::vector<std::pair<OsdId, OsdId>>;

/// Where a PG is: `up` by CRUSH and upmap without down OSDs, `acting` after pg_temp. Holes of
/// erasure-coded PGs are kOsdNone; primaries are kNoOsd when there is none.
struct PgMapping {
  std::vector<OsdId> up;
  OsdId up_primary = kNoOsd;
  std::vector<OsdId> acting;
  OsdId acting_primary = kNoOsd;
  bool operator==(const PgMapping&) const = default;
};

struct Incremental;

struct OSDMap {
  Uuid fsid;
  Epoch epoch = 0;
  Utime created;
  Utime modified;
  std::map<PoolId, PgPool> pools;
  std::map<PoolId, std::string> pool_names;
  int32_t pool_max = 0;
  uint32_t flags = kMapBaseFlags;
  /// Size of all the osd_* vectors; change it with set_max_osd().
  int32_t max_osd = 0;
  std::vector<uint32_t> osd_state;
  std::vector<uint32_t> osd_weight;
  std::vector<EntityAddrVec> client_addrs;
  std::map<PgId, std::vector<OsdId>> pg_temp;
  std::map<PgId, OsdId> primary_temp;
  /// Empty means 1.0 for all.
  std::vector<uint32_t> osd_primary_affinity;
  SharedCrush crush;
  std::map<std::string, EcProfile> erasure_code_profiles;
  std::map<PgId, std::vector<OsdId>> pg_upmap;
  std::map<PgId, UpmapItems> pg_upmap_items;
  uint32_t crush_version = 1;
  std::map<PoolId, SnapIntervals> new_removed_snaps;
  std::map<PoolId, SnapIntervals> new_purged_snaps;
  Utime last_up_change;
  Utime last_in_change;

  std::vector<EntityAddrVec> hb_back_addrs;
  std::vector<OsdInfo> osd_info;
  Blocklist blocklist;
  std::vector<EntityAddrVec> cluster_addrs;
  Epoch cluster_snapshot_epoch = 0;
  std::string cluster_snapshot;
  std::vector<Uuid> osd_uuid;
  std::vector<OsdXinfo> osd_xinfo;
  std::vector<EntityAddrVec> hb_front_addrs;
  float nearfull_ratio = 0.85f;
  float full_ratio = 0.95f;
  float backfillfull_ratio = 0.9f;
  uint8_t require_min_compat_client = 12;
  uint8_t require_osd_release = 16;
  std::map<PoolId, SnapIntervals> removed_snaps_queue;
  std::map<int32_t, uint32_t> crush_node_flags;
  std::map<int32_t, uint32_t> device_class_flags;

  bool operator==(const OSDMap&) const = default;

  // ---- changing
  // -----------------------------------------------------------------------------------

  void set_max_osd(int32_t n);
  /// Turns this map into the next epoch. EINVAL names what does not fit (fsid, epoch, an id beyond
  /// max_osd); the map is unchanged then.
  Result<> apply_incremental(const Incremental& inc);

  // ---- OSDs
  // ---------------------------------------------------------------------------------------

  bool is_valid(OsdId osd) const { return osd >= 0 && osd < max_osd; }
  bool has_state(OsdId osd, OsdState bit) const { return is_valid(osd) && (osd_state[osd] & bit); }
  bool exists(OsdId osd) const { return has_state(osd, kOsdExists); }
  bool is_up(OsdId osd) const { return exists(osd) && has_state(osd, kOsdUp); }
  bool is_down(OsdId osd) const { return !is_up(osd); }
  bool is_in(OsdId osd) const { return exists(osd) && osd_weight[osd] != kOsdOut; }
  bool is_out(OsdId osd) const { return !is_in(osd); }
  uint32_t weight(OsdId osd) const { return is_valid(osd) ? osd_weight[osd] : 0; }
  uint32_t primary_affinity(OsdId osd) const {
    return is_valid(osd) && !osd_primary_affinity.empty() ? osd_primary_affinity[osd]
                                                          : kDefaultAffinity;
  }
  /// The id of an existing OSD with this uuid, kNoOsd for none.
  OsdId find_osd(const Uuid& uuid) const;
  int num_osds() const;
  int num_up_osds() const;
  int num_in_osds() const;
  std::vector<OsdId> osds() const;
  bool test_flag(OSDMapFlag flag) const { return (flags & flag) != 0; }
  bool is_blocklisted(const EntityAddr& addr) const;
  bool is_blocklisted(const EntityAddrVec& addrs) const;

  // ---- pools
  // --------------------------------------------------------------------------------------

  const PgPool* pool(PoolId id) const;
  std::optional<PoolId> find_pool(std::string_view name) const;
  /// Empty for an unknown pool.
  std::string pool_name(PoolId id) const;
  /// The pool exists and the seed is below its pg_num.
  bool pg_exists(PgId pg) const;
  /// Every PG of every pool, pools ascending.
  std::vector<PgId> all_pgs() const;
  uint64_t num_pgs() const;

  // ---- mapping (osd_mapping.cc)
  // -------------------------------------------------------------------

  /// The PG of an object; ENOENT for an unknown pool.
  Result<PgId> object_pg(PoolId pool, std::string_view name, std::string_view key = {},
                         std::string_view nspace = {}) const;
  /// A raw hash reduced to the pool's PGs. `pg.seed` may be any 32-bit hash.
  PgId reduce(PgId raw) const;
  /// CRUSH's answer, without OSDs that do not exist.
  std::vector<OsdId> raw(PgId pg) const;
  /// After upmap; down OSDs are still in. What the PG wants to be, whoever is up.
  std::vector<OsdId> raw_upmap(PgId pg) const;
  /// raw_upmap() of what raw() gave, for who needs both.
  std::vector<OsdId> upmapped(PgId pg, std::vector<OsdId> raw) const;
  /// The id of the CRUSH rule that places the pool; -1 where none fits its type and size.
  int rule_of(const PgPool& pool) const;
  /// up and acting with their primaries; empty for a PG that does not exist.
  PgMapping map_pg(PgId pg) const;
  /// All PGs of a pool, by seed.
  std::vector<PgMapping> map_all_pgs(PoolId pool) const;
  /// Who holds the PG's data: its pg_temp entry as stored (down members too), else raw_upmap().
  /// kOsdNone never appears.
  std::vector<OsdId> home(PgId pg) const;
  /// Every store that held all of the PG is gone: its entry in pg_temp names nobody. It stays so;
  /// an OSD that is empty must not pass for one that has everything.
  bool is_lost(PgId pg) const;

 private:
  void apply_pools(const Incremental& inc);
  void apply_osds(const Incremental& inc);
  void apply_pgs(const Incremental& inc);
};

/// The step to the next epoch. Defaults mean "unchanged".
struct Incremental {
  Uuid fsid;
  Epoch epoch = 0;
  Utime modified;
  int64_t new_pool_max = -1;
  int32_t new_flags = -1;
  /// A whole encoded map instead of a difference; empty otherwise.
  Bytes fullmap;
  /// An encoded CRUSH map; empty when unchanged.
  Bytes crush;
  int32_t new_max_osd = -1;
  std::map<PoolId, PgPool> new_pools;
  std::map<PoolId, std::string> new_pool_names;
  std::set<PoolId> old_pools;
  std::map<OsdId, EntityAddrVec> new_up_client;
  /// Bits to flip; 0 means flip "up".
  std::map<OsdId, uint32_t> new_state;
  std::map<OsdId, uint32_t> new_weight;
  /// An empty vector removes the entry.
  std::map<PgId, std::vector<OsdId>> new_pg_temp;
  /// -1 removes the entry.
  std::map<PgId, OsdId> new_primary_temp;
  std::map<OsdId, uint32_t> new_primary_affinity;
  std::map<std::string, EcProfile> new_erasure_code_profiles;
  std::vector<std::string> old_erasure_code_profiles;
  std::map<PgId, std::vector<OsdId>> new_pg_upmap;
  std::set<PgId> old_pg_upmap;
  std::map<PgId, UpmapItems> new_pg_upmap_items;
  std::set<PgId> old_pg_upmap_items;
  std::map<PoolId, SnapIntervals> new_removed_snaps;
  std::map<PoolId, SnapIntervals> new_purged_snaps;
  Utime new_last_up_change;
  Utime new_last_in_change;

  std::map<OsdId, EntityAddrVec> new_hb_back_up;
  std::map<OsdId, Epoch> new_up_thru;
  std::map<OsdId, std::pair<Epoch, Epoch>> new_last_clean_interval;
  std::map<OsdId, Epoch> new_lost;
  Blocklist new_blocklist;
  std::vector<EntityAddr> old_blocklist;
  std::map<OsdId, EntityAddrVec> new_up_cluster;
  std::string cluster_snapshot;
  std::map<OsdId, Uuid> new_uuid;
  std::map<OsdId, OsdXinfo> new_xinfo;
  std::map<OsdId, EntityAddrVec> new_hb_front_up;
  uint64_t encode_features = kEncodeFeatures;
  float new_nearfull_ratio = -1;
  float new_full_ratio = -1;
  float new_backfillfull_ratio = -1;
  uint8_t new_require_min_compat_client = 0xff;
  uint8_t new_require_osd_release = 0xff;
  std::map<int32_t, uint32_t> new_crush_node_flags;
  std::map<int32_t, uint32_t> new_device_class_flags;

  /// crc of the full map that results; set by seal() or found by decode.
  uint32_t full_crc = 0;

  static constexpr uint64_t kEncodeFeatures = 0x0f00088010212a04;

  bool operator==(const Incremental&) const = default;

  /// The difference that follows `map`: fsid and epoch are set.
  static Incremental after(const OSDMap& map);
  /// This changes nothing but the epoch and time.
  bool is_empty() const;
  /// The pool as it will be, for editing: copied from `map` on first use. Null when neither has it.
  PgPool* edit_pool(const OSDMap& map, PoolId id);
  /// Flags as they will be.
  uint32_t flags_after(const OSDMap& map) const {
    return new_flags < 0 ? map.flags : static_cast<uint32_t>(new_flags);
  }
  void set_crush(const CrushMap& map) { crush = wire_crush(map); }
  /// The CRUSH map as it will be.
  Result<SharedCrush> crush_after(const OSDMap& map) const;

 private:
  static Bytes wire_crush(const CrushMap& map);
};

void encode(const OSDMap& v, ByteWriter& w);
/// Fails where the crc does not match.
void decode(OSDMap& v, ByteReader& r);
/// Writes full_crc as it is in `v` and computes inc_crc.
void encode(const Incremental& v, ByteWriter& w);
void decode(Incremental& v, ByteReader& r);

/// One committed step, ready to store and to send.
struct SealedStep {
  OSDMap next;
  Bytes full;         ///< encoded `next`
  Bytes incremental;  ///< encoded, with both crcs
};
/// Applies `inc` to `map`, encodes both, and puts the crc of the full map into `inc`.
Result<SealedStep> seal(const OSDMap& map, Incremental& inc);

/// The crc that ends an encoded full map; 0 when it is too short.
uint32_t full_map_crc(const Bytes& full);

/// What a map says of homes besides what follows from who is up. A home is who holds all of a PG:
/// every write that a client was told of.
struct HomeChanges {
  std::map<PgId, std::vector<OsdId>> joined;  ///< homes of PGs with members that got all meanwhile
  std::set<OsdId> staying;  ///< down for a moment, in which nothing is written: they remain members
  bool operator==(const HomeChanges&) const = default;
  bool empty() const { return joined.empty() && staying.empty(); }
};

/// Keeps the home of every PG that exists in both maps in pg_temp where the mapping says otherwise:
/// it changes only as data moves. Members that went down leave it, as long as min_size stay, those
/// whose stores are gone as long as anyone stays. With h the home then, and want =
/// next.raw_upmap(pg): no entry when h is empty or holds all of a `want` that is not empty, else
/// pg_temp = h. `next` is `old` with `inc` applied. Adds to `inc` only what differs from
/// next.pg_temp, and drops entries of PGs that are gone. Returns how many entries it added or
/// removed. A pg_num that grows is not covered: the new PGs' data would be in their parents' homes.
size_t prime_pg_temp(const OSDMap& old, const OSDMap& next, const HomeChanges& changes,
                     Incremental& inc);

}  // namespace plimsoll::map
