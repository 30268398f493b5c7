// SPDX-License-Identifier: LGPL-2.1-or-later
// States, sums and counts; the dumps are in pg_stats_dump.cc.
#include "common/map/pg_stats.h"

#include <algorithm>

namespace plimsoll::map {

namespace {

struct StateName {
  uint64_t bit;
  const char* name;
};
/// In the order in which Ceph writes them.
constexpr StateName kStateNames[] = {{kPgStale, "stale"},
                                     {kPgCreating, "creating"},
                                     {kPgActive, "active"},
                                     {kPgActivating, "activating"},
                                     {kPgClean, "clean"},
                                     {kPgRecoveryWait, "recovery_wait"},
                                     {kPgRecoveryToofull, "recovery_toofull"},
                                     {kPgRecovering, "recovering"},
                                     {kPgForcedRecovery, "forced_recovery"},
                                     {kPgDown, "down"},
                                     {kPgRecoveryUnfound, "recovery_unfound"},
                                     {kPgBackfillUnfound, "backfill_unfound"},
                                     {kPgUndersized, "undersized"},
                                     {kPgDegraded, "degraded"},
                                     {kPgRemapped, "remapped"},
                                     {kPgPremerge, "premerge"},
                                     {kPgScrubbing, "scrubbing"},
                                     {kPgDeepScrub, "deep"},
                                     {kPgInconsistent, "inconsistent"},
                                     {kPgPeering, "peering"},
                                     {kPgRepair, "repair"},
                                     {kPgBackfillWait, "backfill_wait"},
                                     {kPgForcedBackfill, "forced_backfill"},
                                     {kPgBackfilling, "backfilling"},
                                     {kPgBackfillToofull, "backfill_toofull"},
                                     {kPgIncomplete, "incomplete"},
                                     {kPgPeered, "peered"},
                                     {kPgSnaptrim, "snaptrim"},
                                     {kPgSnaptrimWait, "snaptrim_wait"},
                                     {kPgSnaptrimError, "snaptrim_error"},
                                     {kPgFailedRepair, "failed_repair"},
                                     {kPgLaggy, "laggy"},
                                     {kPgWait, "wait"}};

/// Collects pointers to a struct's numbers, so that two of them add up field by field.
struct Numbers {
  std::vector<int64_t*> wide;
  std::vector<int32_t*> narrow;
  std::vector<uint64_t*> plain;
  void operator()(const char*, int64_t& v, uint8_t = 0) { wide.push_back(&v); }
  void operator()(const char*, int32_t& v, uint8_t = 0) { narrow.push_back(&v); }
  void operator()(const char*, uint64_t& v, uint8_t = 0) { plain.push_back(&v); }
};

template <class T>
void add_fields(T& to, const T& from, int sign) {
  T copy = from;
  Numbers a, b;
  to.fields(a);
  copy.fields(b);
  // Unsigned arithmetic: reports come from outside, and overflow must not be undefined.
  auto add = [sign](auto& xs, auto& ys) {
    for (size_t i = 0; i < xs.size(); i++) {
      const uint64_t delta = static_cast<uint64_t>(*ys[i]);
      *xs[i] = static_cast<std::remove_reference_t<decltype(*xs[i])>>(
          static_cast<uint64_t>(*xs[i]) + (sign > 0 ? delta : 0 - delta));
    }
  };
  add(a.wide, b.wide);
  add(a.narrow, b.narrow);
  add(a.plain, b.plain);
}

}  // namespace

std::string pg_state_text(uint64_t state) {
  std::string out;
  for (const auto& entry : kStateNames) {
    if (!(state & entry.bit)) continue;
    if (!out.empty()) out += '+';
    out += entry.name;
  }
  return out.empty() ? "unknown" : out;
}

uint64_t pg_state_from(std::string_view name) {
  for (const auto& entry : kStateNames)
    if (name == entry.name) return entry.bit;
  return 0;
}

ObjectStats& ObjectStats::operator+=(const ObjectStats& o) {
  add_fields(*this, o, 1);
  return *this;
}

ObjectStats& ObjectStats::operator-=(const ObjectStats& o) {
  add_fields(*this, o, -1);
  return *this;
}

StoreStatfs& StoreStatfs::operator+=(const StoreStatfs& o) {
  add_fields(*this, o, 1);
  return *this;
}

double OsdStat::utilization() const {
  return statfs.total ? static_cast<double>(statfs.used_raw()) / static_cast<double>(statfs.total)
                      : 0;
}

void PoolStat::add(const PgStat& pg) {
  stats += pg.stats;
  log_size += pg.log_size;
  ondisk_log_size += pg.ondisk_log_size;
  up += static_cast<int32_t>(pg.up.size());
  acting += static_cast<int32_t>(pg.acting.size());
}

PoolStat& PoolStat::operator+=(const PoolStat& o) {
  stats += o.stats;
  log_size += o.log_size;
  ondisk_log_size += o.ondisk_log_size;
  up += o.up;
  acting += o.acting;
  store_stats += o.store_stats;
  num_store_stats += o.num_store_stats;
  return *this;
}

std::map<PoolId, PoolStat> PgMap::pool_stats() const {
  std::map<PoolId, PoolStat> out;
  for (const auto& [pg, stat] : pgs) out[pg.pool].add(stat);
  for (const auto& [osd, stat] : osds) {
    for (const auto& [pool, statfs] : stat.pool_statfs) {
      auto it = out.find(pool);
      if (it == out.end()) continue;
      it->second.store_stats += statfs;
      it->second.num_store_stats++;
    }
  }
  return out;
}

PoolStat PgMap::pg_sum() const {
  PoolStat out;
  for (const auto& [pg, stat] : pgs) out.add(stat);
  return out;
}

OsdStat PgMap::osd_sum() const {
  OsdStat out;
  for (const auto& [osd, stat] : osds) {
    out.num_pgs += stat.num_pgs;
    out.statfs += stat.statfs;
    out.snap_trim_queue_len += stat.snap_trim_queue_len;
    out.num_snap_trimming += stat.num_snap_trimming;
    out.num_shards_repaired += stat.num_shards_repaired;
  }
  return out;
}

std::vector<std::pair<uint64_t, uint64_t>> PgMap::count_by_state() const {
  std::map<uint64_t, uint64_t> counts;
  for (const auto& [pg, stat] : pgs) counts[stat.state]++;
  std::vector<std::pair<uint64_t, uint64_t>> out(counts.begin(), counts.end());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(b.second, a.first) < std::tie(a.second, b.first);
  });
  return out;
}

std::map<OsdId, PgMap::OsdPgCount> PgMap::count_by_osd() const {
  std::map<OsdId, OsdPgCount> out;
  for (const auto& [pg, stat] : pgs) {
    for (OsdId osd : stat.acting)
      if (osd != kOsdNone) out[osd].acting++;
    if (stat.acting_primary >= 0) out[stat.acting_primary].primary++;
  }
  return out;
}

}  // namespace plimsoll::map
