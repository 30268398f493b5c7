// SPDX-License-Identifier: LGPL-2.1-or-later
// One pool of the OSDMap (wire.md 4): how its objects fall into PGs, how many copies, flags,
// quotas. Every field of the real encoding is kept, so that a map survives decode and encode byte
// for byte.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::map {

/// start -> length
using SnapIntervals = std::map<uint64_t, uint64_t>;

inline constexpr uint8_t kPoolReplicated = 1;
inline constexpr uint8_t kPoolErasure = 3;

enum PoolFlag : uint64_t {
  kPoolHashPsPool = 0x1,
  kPoolFull = 0x2,
  kPoolEcOverwrites = 0x4,
  kPoolIncompleteClones = 0x8,
  kPoolNoDelete = 0x10,
  kPoolNoPgChange = 0x20,
  kPoolNoSizeChange = 0x40,
  kPoolWriteFadviseDontneed = 0x80,
  kPoolNoScrub = 0x100,
  kPoolNoDeepScrub = 0x200,
  kPoolFullQuota = 0x400,
  kPoolNearFull = 0x800,
  kPoolBackfillFull = 0x1000,
  kPoolSelfManagedSnaps = 0x2000,
  kPoolPoolSnaps = 0x4000,
  kPoolCreating = 0x8000,
};
/// "hashpspool,nodelete"
std::string pool_flags_text(uint64_t flags);
/// The flag of a name as in `osd pool set <pool> <name>`; 0 for unknown.
uint64_t pool_flag_from(std::string_view name);

enum class PgAutoscaleMode : uint8_t { kOff = 0, kWarn = 1, kOn = 2 };
const char* pg_autoscale_mode_name(PgAutoscaleMode mode);

struct PoolSnap {
  static constexpr wire::Envelope kEnvelope{2, 2};
  uint64_t id = 0;
  Utime stamp;
  std::string name;
  template <class F>
  void fields(F& f) {
    f("snapid", id);
    f("stamp", stamp);
    f("name", name);
  }
  bool operator==(const PoolSnap&) const = default;
};

/// The pool's optional settings (`pg_num_min`, `compression_mode`, ...): number -> typed value.
struct PoolOpts {
  using Value = std::variant<std::string, int64_t, double>;
  std::map<int32_t, Value> values;
  bool operator==(const PoolOpts&) const = default;

  /// What the option is called and which type it has; null for unknown names or numbers.
  struct Spec {
    const char* name;
    int32_t key;
    int32_t kind;  ///< 0 string, 1 integer, 2 double: index of Value
  };
  static const Spec* find(std::string_view name);
  static const Spec* find(int32_t key);
  /// All known ones, in the order in which Ceph prints them.
  static const std::vector<Spec>& specs();
};
void encode(const PoolOpts& v, ByteWriter& w);
void decode(PoolOpts& v, ByteReader& r);

struct PgMergeMeta {
  static constexpr wire::Envelope kEnvelope{1, 1};
  PgId source{0, 0};
  Epoch ready_epoch = 0;
  Epoch last_epoch_started = 0;
  Epoch last_epoch_clean = 0;
  Eversion source_version;
  Eversion target_version;
  template <class F>
  void fields(F& f) {
    f("source_pgid", source);
    f("ready_epoch", ready_epoch);
    f("last_epoch_started", last_epoch_started);
    f("last_epoch_clean", last_epoch_clean);
    f("source_version", source_version);
    f("target_version", target_version);
  }
  bool operator==(const PgMergeMeta&) const = default;
};

/// Smallest 2^n - 1 that covers [0, n).
uint32_t pg_mask(uint32_t n);
/// `x` folded into [0, b) so that few values move when b grows (wire.md 6.2); 0 when b is 0.
uint32_t stable_mod(uint32_t x, uint32_t b);

struct PgPool {
  static constexpr wire::Envelope kEnvelope{29, 5};
  uint8_t type = kPoolReplicated;
  uint8_t size = 3;
  uint8_t crush_rule = 0;
  uint8_t object_hash = 2;
  uint32_t pg_num = 0;
  uint32_t pgp_num = 0;
  Epoch last_change = 0;
  uint64_t snap_seq = 0;
  Epoch snap_epoch = 0;
  std::map<uint64_t, PoolSnap> snaps;
  SnapIntervals removed_snaps;
  uint64_t auid = 0;
  uint64_t flags = kPoolHashPsPool;
  uint8_t min_size = 2;
  uint64_t quota_max_bytes = 0;
  uint64_t quota_max_objects = 0;
  std::set<int64_t> tiers;
  int64_t tier_of = -1;
  uint8_t cache_mode = 0;
  int64_t read_tier = -1;
  int64_t write_tier = -1;
  std::map<std::string, std::string> properties;
  uint32_t hit_set_period = 0;
  uint32_t hit_set_count = 0;
  uint32_t stripe_width = 0;
  uint64_t target_max_bytes = 0;
  uint64_t target_max_objects = 0;
  uint32_t cache_target_dirty_ratio_micro = 400000;
  uint32_t cache_target_full_ratio_micro = 800000;
  uint32_t cache_min_flush_age = 0;
  uint32_t cache_min_evict_age = 0;
  std::string erasure_code_profile;
  Epoch last_force_op_resend_preluminous = 0;
  int32_t min_read_recency_for_promote = 0;
  uint64_t expected_num_objects = 0;
  uint32_t cache_target_dirty_high_ratio_micro = 600000;
  int32_t min_write_recency_for_promote = 0;
  bool use_gmt_hitset = true;
  bool fast_read = false;
  uint32_t hit_set_grade_decay_rate = 0;
  uint32_t hit_set_search_last_n = 0;
  PoolOpts opts;
  Epoch last_force_op_resend_prenautilus = 0;
  std::map<std::string, std::map<std::string, std::string>> applications;
  Utime create_time;
  uint32_t pg_num_target = 0;
  uint32_t pgp_num_target = 0;
  uint32_t pg_num_pending = 0;
  Epoch last_force_op_resend = 0;
  PgAutoscaleMode pg_autoscale_mode = PgAutoscaleMode::kOff;
  PgMergeMeta last_pg_merge_meta;

  template <class F>
  void fields(F& f);
  bool operator==(const PgPool&) const = default;

  bool is_replicated() const { return type == kPoolReplicated; }
  bool is_erasure() const { return type == kPoolErasure; }
  bool has_flag(PoolFlag flag) const { return (flags & flag) != 0; }
  /// Sets pg_num, pgp_num and the targets that go with them.
  void set_pg_num(uint32_t n);
  void set_pgp_num(uint32_t n);

  /// Hash of an object's name: the seed before it is reduced to a PG.
  static uint32_t hash_object(std::string_view name, std::string_view key, std::string_view nspace);
  /// The seed in [0, pg_num) that a raw hash falls to.
  uint32_t reduce(uint32_t raw_hash) const { return stable_mod(raw_hash, pg_num); }
  /// CRUSH's input for a PG of this pool.
  uint32_t placement_seed(PgId pg) const;
};

template <class F>
void PgPool::fields(F& f) {
  f("type", type);
  f("size", size);
  f("crush_rule", crush_rule);
  f("object_hash", object_hash);
  f("pg_num", pg_num);
  f("pgp_num", pgp_num);
  f.constant("lpg_num", uint32_t{0});
  f.constant("lpgp_num", uint32_t{0});
  f("last_change", last_change);
  f("snap_seq", snap_seq);
  f("snap_epoch", snap_epoch);
  f("snaps", snaps);
  f("removed_snaps", removed_snaps);
  f("auid", auid);
  f("flags", flags);
  f.constant("crash_replay_interval", uint32_t{0});
  f("min_size", min_size, 7);
  f("quota_max_bytes", quota_max_bytes, 8);
  f("quota_max_objects", quota_max_objects, 8);
  f("tiers", tiers, 9);
  f("tier_of", tier_of, 9);
  f("cache_mode", cache_mode, 9);
  f("read_tier", read_tier, 9);
  f("write_tier", write_tier, 9);
  f("properties", properties, 10);
  // A hit set's parameters are not kept: cache tiers are not supported.
  if (f.version() >= 11)
    f.section("hit_set_params", {1, 1}, [&] { f.constant("type", uint8_t{0}); });
  f("hit_set_period", hit_set_period, 11);
  f("hit_set_count", hit_set_count, 11);
  f("stripe_width", stripe_width, 12);
  f("target_max_bytes", target_max_bytes, 13);
  f("target_max_objects", target_max_objects, 13);
  f("cache_target_dirty_ratio_micro", cache_target_dirty_ratio_micro, 13);
  f("cache_target_full_ratio_micro", cache_target_full_ratio_micro, 13);
  f("cache_min_flush_age", cache_min_flush_age, 13);
  f("cache_min_evict_age", cache_min_evict_age, 13);
  f("erasure_code_profile", erasure_code_profile, 14);
  f("last_force_op_resend_preluminous", last_force_op_resend_preluminous, 15);
  f("min_read_recency_for_promote", min_read_recency_for_promote, 16);
  f("expected_num_objects", expected_num_objects, 17);
  f("cache_target_dirty_high_ratio_micro", cache_target_dirty_high_ratio_micro, 19);
  f("min_write_recency_for_promote", min_write_recency_for_promote, 20);
  f("use_gmt_hitset", use_gmt_hitset, 21);
  f("fast_read", fast_read, 22);
  f("hit_set_grade_decay_rate", hit_set_grade_decay_rate, 23);
  f("hit_set_search_last_n", hit_set_search_last_n, 23);
  f("options", opts, 24);
  f("last_force_op_resend_prenautilus", last_force_op_resend_prenautilus, 25);
  f("application_metadata", applications, 26);
  f("create_time", create_time, 27);
  f("pg_num_target", pg_num_target, 28);
  f("pgp_num_target", pgp_num_target, 28);
  f("pg_num_pending", pg_num_pending, 28);
  f.constant("pg_num_dec_last_epoch_started", uint32_t{0}, 28);
  f.constant("pg_num_dec_last_epoch_clean", uint32_t{0}, 28);
  f("last_force_op_resend", last_force_op_resend, 28);
  f("pg_autoscale_mode", pg_autoscale_mode, 28);
  f("last_pg_merge_meta", last_pg_merge_meta, 29);
}

}  // namespace plimsoll::map
