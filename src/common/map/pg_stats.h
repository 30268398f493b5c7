// SPDX-License-Identifier: LGPL-2.1-or-later
// What OSDs report and `pg dump`, `pg ls`, `osd df`, `df` and pool stats print: per-PG, per-OSD and
// per-pool statistics and their sums. PgMap is the monitor's collection of the newest reports.
// ObjectStats, StoreStatfs and PoolStat have Ceph's wire layout (clients read them in
// GetPoolStatsReply); PgStat and OsdStat travel between our own daemons only.
#pragma once

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "common/map/osd_map.h"
#include "common/wire/types.h"

namespace plimsoll::map {

enum PgState : uint64_t {
  kPgCreating = 1ull << 0,
  kPgActive = 1ull << 1,
  kPgClean = 1ull << 2,
  kPgDown = 1ull << 4,
  kPgRecoveryUnfound = 1ull << 5,
  kPgBackfillUnfound = 1ull << 6,
  kPgPremerge = 1ull << 7,
  kPgScrubbing = 1ull << 8,
  kPgDegraded = 1ull << 10,
  kPgInconsistent = 1ull << 11,
  kPgPeering = 1ull << 12,
  kPgRepair = 1ull << 13,
  kPgRecovering = 1ull << 14,
  kPgBackfillWait = 1ull << 15,
  kPgIncomplete = 1ull << 16,
  kPgStale = 1ull << 17,
  kPgRemapped = 1ull << 18,
  kPgDeepScrub = 1ull << 19,
  kPgBackfilling = 1ull << 20,
  kPgBackfillToofull = 1ull << 21,
  kPgRecoveryWait = 1ull << 22,
  kPgUndersized = 1ull << 23,
  kPgActivating = 1ull << 24,
  kPgPeered = 1ull << 25,
  kPgSnaptrim = 1ull << 26,
  kPgSnaptrimWait = 1ull << 27,
  kPgRecoveryToofull = 1ull << 28,
  kPgSnaptrimError = 1ull << 29,
  kPgForcedRecovery = 1ull << 30,
  kPgForcedBackfill = 1ull << 31,
  kPgFailedRepair = 1ull << 32,
  kPgLaggy = 1ull << 33,
  kPgWait = 1ull << 34,
};
/// "active+clean"; "unknown" for 0.
std::string pg_state_text(uint64_t state);
/// One name ("active", "deep") to its bit; 0 for unknown ones.
uint64_t pg_state_from(std::string_view name);

/// Counters of what a PG or pool holds and has done.
struct ObjectStats {
  static constexpr wire::Envelope kEnvelope{20, 14};
  int64_t num_bytes = 0, num_objects = 0, num_object_clones = 0, num_object_copies = 0;
  int64_t num_objects_missing_on_primary = 0, num_objects_degraded = 0, num_objects_unfound = 0;
  int64_t num_read = 0, num_read_kb = 0, num_write = 0, num_write_kb = 0;
  int64_t num_scrub_errors = 0;
  int64_t num_objects_recovered = 0, num_bytes_recovered = 0, num_keys_recovered = 0;
  int64_t num_shallow_scrub_errors = 0, num_deep_scrub_errors = 0;
  int64_t num_objects_dirty = 0, num_whiteouts = 0, num_objects_omap = 0;
  int64_t num_objects_hit_set_archive = 0, num_objects_misplaced = 0;
  int64_t num_bytes_hit_set_archive = 0;
  int64_t num_flush = 0, num_flush_kb = 0, num_evict = 0, num_evict_kb = 0, num_promote = 0;
  int32_t num_flush_mode_high = 0, num_flush_mode_low = 0;
  int32_t num_evict_mode_some = 0, num_evict_mode_full = 0;
  int64_t num_objects_pinned = 0, num_objects_missing = 0, num_legacy_snapsets = 0;
  int64_t num_large_omap_objects = 0, num_objects_manifest = 0;
  int64_t num_omap_bytes = 0, num_omap_keys = 0, num_objects_repaired = 0;

  template <class F>
  void fields(F& f);
  bool operator==(const ObjectStats&) const = default;
  ObjectStats& operator+=(const ObjectStats& o);
  ObjectStats& operator-=(const ObjectStats& o);
};

/// How an object store's space is used, in bytes.
struct StoreStatfs {
  static constexpr wire::Envelope kEnvelope{1, 1};
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t internally_reserved = 0;
  int64_t allocated = 0;
  int64_t data_stored = 0;
  int64_t data_compressed = 0;
  int64_t data_compressed_allocated = 0;
  int64_t data_compressed_original = 0;
  int64_t omap_allocated = 0;
  int64_t internal_metadata = 0;
  template <class F>
  void fields(F& f) {
    f("total", total);
    f("available", available);
    f("internally_reserved", internally_reserved);
    f("allocated", allocated);
    f("data_stored", data_stored);
    f("data_compressed", data_compressed);
    f("data_compressed_allocated", data_compressed_allocated);
    f("data_compressed_original", data_compressed_original);
    f("omap_allocated", omap_allocated);
    f("internal_metadata", internal_metadata);
  }
  bool operator==(const StoreStatfs&) const = default;
  StoreStatfs& operator+=(const StoreStatfs& o);
  uint64_t used_raw() const { return total > available ? total - available : 0; }
  /// What is used apart from reserves.
  uint64_t used() const {
    const uint64_t raw = used_raw();
    return raw > internally_reserved ? raw - internally_reserved : 0;
  }
};

/// What the primary of a PG reports.
struct PgStat {
  static constexpr wire::Envelope kEnvelope{1, 1};
  PgId pgid;
  Eversion version;  ///< newest log entry
  uint64_t reported_seq = 0;
  Epoch reported_epoch = 0;
  uint64_t state = 0;  ///< PgState bits
  Utime last_fresh, last_change, last_active, last_peered, last_clean;
  Utime last_became_active, last_became_peered, last_unstale, last_undegraded, last_fullsized;
  Epoch mapping_epoch = 0;
  Eversion log_start, ondisk_log_start;
  Epoch created = 0;
  Epoch last_epoch_clean = 0;
  Eversion last_scrub, last_deep_scrub;
  Utime last_scrub_stamp, last_deep_scrub_stamp, last_clean_scrub_stamp;
  int64_t log_size = 0;
  int64_t ondisk_log_size = 0;
  bool stats_invalid = false;
  uint32_t snaptrimq_len = 0;
  ObjectStats stats;
  std::vector<OsdId> up, acting;
  OsdId up_primary = kNoOsd;
  OsdId acting_primary = kNoOsd;
  std::vector<OsdId> blocked_by;
  /// Why the PG is not active, for people; empty when it is. Ours, beyond Ceph's fields.
  std::string blocked_reason;

  template <class F>
  void fields(F& f);
  bool operator==(const PgStat&) const = default;
};

/// Heartbeat round trips to one peer over one interface, microseconds over 1, 5 and 15 minutes.
struct PingTimes {
  OsdId peer = kNoOsd;
  uint32_t last_update = 0;  ///< seconds
  std::array<uint32_t, 3> back_average{}, back_min{}, back_max{};
  uint32_t back_last = 0;
  std::array<uint32_t, 3> front_average{}, front_min{}, front_max{};
  uint32_t front_last = 0;
  template <class F>
  void fields(F& f);
  bool operator==(const PingTimes&) const = default;
};

/// What a PG's replica takes on one OSD, in bytes.
struct PgAllocated {
  uint64_t data = 0;  ///< of its objects, in whole allocation units
  uint64_t keys = 0;  ///< live keys and values: omap, attributes, mapping, log
  template <class F>
  void fields(F& f) {
    f("data", data);
    f("keys", keys);
  }
  uint64_t bytes() const { return data + keys; }
  bool operator==(const PgAllocated&) const = default;
};

/// What an OSD reports of itself.
struct OsdStat {
  static constexpr wire::Envelope kEnvelope{2, 1};
  OsdId osd = kNoOsd;
  Epoch up_from = 0;
  uint64_t seq = 0;  ///< up_from << 32 | counter
  uint32_t num_pgs = 0;
  StoreStatfs statfs;
  std::vector<OsdId> hb_peers;
  uint32_t snap_trim_queue_len = 0;
  uint32_t num_snap_trimming = 0;
  uint64_t num_shards_repaired = 0;
  std::vector<uint32_t> op_queue_age_hist;
  uint64_t commit_latency_ns = 0;
  uint64_t apply_latency_ns = 0;
  std::vector<std::string> alerts;
  std::vector<PingTimes> ping_times;
  /// This OSD's part of each pool.
  std::map<PoolId, StoreStatfs> pool_statfs;
  /// All PGs that it stores, also those that it is about to delete. Ours, beyond Ceph's fields.
  std::map<PgId, PgAllocated> pg_allocated;

  template <class F>
  void fields(F& f);
  bool operator==(const OsdStat&) const = default;

  uint64_t kb() const { return statfs.total >> 10; }
  uint64_t kb_used() const { return statfs.used_raw() >> 10; }
  uint64_t kb_avail() const { return statfs.available >> 10; }
  /// used / total in [0, 1].
  double utilization() const;
};

/// Sums over the PGs of a pool. Ceph's wire layout.
struct PoolStat {
  static constexpr wire::Envelope kEnvelope{7, 5};
  ObjectStats stats;
  int64_t log_size = 0;
  int64_t ondisk_log_size = 0;
  int32_t up = 0;
  int32_t acting = 0;
  StoreStatfs store_stats;
  uint32_t num_store_stats = 0;
  template <class F>
  void fields(F& f) {
    f.section("stats", {2, 2}, [&] {
      f("stat_sum", stats);
      f.constant("stat_cat_sum", uint32_t{0});
    });
    f("log_size", log_size);
    f("ondisk_log_size", ondisk_log_size);
    f("up", up, 6);
    f("acting", acting, 6);
    f("store_stats", store_stats, 7);
    f("num_store_stats", num_store_stats, 7);
  }
  bool operator==(const PoolStat&) const = default;
  void add(const PgStat& pg);
  PoolStat& operator+=(const PoolStat& o);
};

/// The newest report of every PG and OSD, and their sums.
struct PgMap {
  uint64_t version = 0;
  Utime stamp;
  Epoch last_osdmap_epoch = 0;
  Epoch last_pg_scan = 0;
  std::map<PgId, PgStat> pgs;
  std::map<OsdId, OsdStat> osds;
  /// Change over the last interval, for rates.
  PoolStat delta;
  Utime delta_stamp;
  std::map<PoolId, PoolStat> pool_deltas;

  /// Sums over the PGs of each pool; pools without PGs in the map are absent.
  std::map<PoolId, PoolStat> pool_stats() const;
  PoolStat pg_sum() const;
  OsdStat osd_sum() const;
  /// How many PGs have each state, most first.
  std::vector<std::pair<uint64_t, uint64_t>> count_by_state() const;
  /// PGs that list the OSD in acting, and those where it is acting primary.
  struct OsdPgCount {
    uint32_t acting = 0;
    uint32_t primary = 0;
  };
  std::map<OsdId, OsdPgCount> count_by_osd() const;
};

// ---- dumps --------------------------------------------------------------------------------------

boost::json::object dump_object_stats(const ObjectStats& s);
boost::json::object dump_statfs(const StoreStatfs& s);
boost::json::object dump_pg_stat(const PgStat& s);
/// The rows of `pg dump pgs_brief`.
boost::json::object dump_pg_stat_brief(const PgStat& s);
/// [{"pgid","bytes","keys"}...] by PG; `bytes` includes `keys`.
boost::json::array dump_pg_allocated(const std::map<PgId, PgAllocated>& pgs);
/// Without "osd" and "pg_allocated", which only single ones have: the shape of sums.
boost::json::object dump_osd_stat(const OsdStat& s, size_t num_osds = 1);
boost::json::object dump_pool_stat(const PoolStat& s);

boost::json::array dump_pgs(const PgMap& m);
boost::json::array dump_pgs_brief(const PgMap& m);
boost::json::array dump_osds(const PgMap& m);
boost::json::array dump_pools(const PgMap& m);
boost::json::array dump_pool_statfs(const PgMap& m);
/// {"pg_ready":true,"pg_map":{...}}: `what` is "all", "summary"/"sum", "delta", "pools", "osds",
/// "pgs" or "pgs_brief", as in `pg dump <what>`.
boost::json::object dump_pg_map(const PgMap& m, std::string_view what);
/// The plain forms of the same.
std::string print_pg_map(const PgMap& m, std::string_view what);
/// The table of `pg ls` with its note; `now` makes the SINCE column.
std::string print_pg_ls(const std::vector<const PgStat*>& pgs, Utime now);

// ---- fields -------------------------------------------------------------------------------------

template <class F>
void ObjectStats::fields(F& f) {
  f("num_bytes", num_bytes);
  f("num_objects", num_objects);
  f("num_object_clones", num_object_clones);
  f("num_object_copies", num_object_copies);
  f("num_objects_missing_on_primary", num_objects_missing_on_primary);
  f("num_objects_degraded", num_objects_degraded);
  f("num_objects_unfound", num_objects_unfound);
  f("num_read", num_read);
  f("num_read_kb", num_read_kb);
  f("num_write", num_write);
  f("num_write_kb", num_write_kb);
  f("num_scrub_errors", num_scrub_errors);
  f("num_objects_recovered", num_objects_recovered);
  f("num_bytes_recovered", num_bytes_recovered);
  f("num_keys_recovered", num_keys_recovered);
  f("num_shallow_scrub_errors", num_shallow_scrub_errors);
  f("num_deep_scrub_errors", num_deep_scrub_errors);
  f("num_objects_dirty", num_objects_dirty);
  f("num_whiteouts", num_whiteouts);
  f("num_objects_omap", num_objects_omap);
  f("num_objects_hit_set_archive", num_objects_hit_set_archive);
  f("num_objects_misplaced", num_objects_misplaced);
  f("num_bytes_hit_set_archive", num_bytes_hit_set_archive);
  f("num_flush", num_flush);
  f("num_flush_kb", num_flush_kb);
  f("num_evict", num_evict);
  f("num_evict_kb", num_evict_kb);
  f("num_promote", num_promote);
  f("num_flush_mode_high", num_flush_mode_high);
  f("num_flush_mode_low", num_flush_mode_low);
  f("num_evict_mode_some", num_evict_mode_some);
  f("num_evict_mode_full", num_evict_mode_full);
  f("num_objects_pinned", num_objects_pinned);
  f("num_objects_missing", num_objects_missing);
  f("num_legacy_snapsets", num_legacy_snapsets);
  f("num_large_omap_objects", num_large_omap_objects);
  f("num_objects_manifest", num_objects_manifest);
  f("num_omap_bytes", num_omap_bytes);
  f("num_omap_keys", num_omap_keys);
  f("num_objects_repaired", num_objects_repaired);
}

template <class F>
void PgStat::fields(F& f) {
  f("pgid", pgid);
  f("version", version);
  f("reported_seq", reported_seq);
  f("reported_epoch", reported_epoch);
  f("state", state);
  f("last_fresh", last_fresh);
  f("last_change", last_change);
  f("last_active", last_active);
  f("last_peered", last_peered);
  f("last_clean", last_clean);
  f("last_became_active", last_became_active);
  f("last_became_peered", last_became_peered);
  f("last_unstale", last_unstale);
  f("last_undegraded", last_undegraded);
  f("last_fullsized", last_fullsized);
  f("mapping_epoch", mapping_epoch);
  f("log_start", log_start);
  f("ondisk_log_start", ondisk_log_start);
  f("created", created);
  f("last_epoch_clean", last_epoch_clean);
  f("last_scrub", last_scrub);
  f("last_deep_scrub", last_deep_scrub);
  f("last_scrub_stamp", last_scrub_stamp);
  f("last_deep_scrub_stamp", last_deep_scrub_stamp);
  f("last_clean_scrub_stamp", last_clean_scrub_stamp);
  f("log_size", log_size);
  f("ondisk_log_size", ondisk_log_size);
  f("stats_invalid", stats_invalid);
  f("snaptrimq_len", snaptrimq_len);
  f("stat_sum", stats);
  f("up", up);
  f("acting", acting);
  f("up_primary", up_primary);
  f("acting_primary", acting_primary);
  f("blocked_by", blocked_by);
  f("blocked_reason", blocked_reason);
}

template <class F>
void PingTimes::fields(F& f) {
  f("osd", peer);
  f("last_update", last_update);
  f("back_average", back_average);
  f("back_min", back_min);
  f("back_max", back_max);
  f("back_last", back_last);
  f("front_average", front_average);
  f("front_min", front_min);
  f("front_max", front_max);
  f("front_last", front_last);
}

template <class F>
void OsdStat::fields(F& f) {
  f("osd", osd);
  f("up_from", up_from);
  f("seq", seq);
  f("num_pgs", num_pgs);
  f("statfs", statfs);
  f("hb_peers", hb_peers);
  f("snap_trim_queue_len", snap_trim_queue_len);
  f("num_snap_trimming", num_snap_trimming);
  f("num_shards_repaired", num_shards_repaired);
  f("op_queue_age_hist", op_queue_age_hist);
  f("commit_latency_ns", commit_latency_ns);
  f("apply_latency_ns", apply_latency_ns);
  f("alerts", alerts);
  f("ping_times", ping_times);
  f("pool_statfs", pool_statfs);
  f("pg_allocated", pg_allocated, 2);
}

}  // namespace plimsoll::map
