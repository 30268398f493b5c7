// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <ctime>

#include "common/map/pg_stats.h"
#include "common/base/text_table.h"
#include "common/base/size_text.h"
#include "common/map/texts.h"

namespace plimsoll::map {

namespace json = boost::json;

namespace {

constexpr const char* kNote =
    "\n* NOTE: Omap statistics are gathered during deep scrub and may be inaccurate soon "
    "afterwards "
    "depending on utilization. See "
    "http://docs.ceph.com/en/latest/dev/placement-group/#omap-statistics for further details.\n";

json::array osd_array(const std::vector<OsdId>& osds) {
  return json::array(osds.begin(), osds.end());
}

json::object dump_minutes(const std::array<uint32_t, 3>& usec) {
  return {{"1min", usec[0] / 1000.0}, {"5min", usec[1] / 1000.0}, {"15min", usec[2] / 1000.0}};
}

json::object dump_interface(const char* name, const std::array<uint32_t, 3>& average,
                            const std::array<uint32_t, 3>& min, const std::array<uint32_t, 3>& max,
                            uint32_t last) {
  return {{"interface", name},
          {"average", dump_minutes(average)},
          {"min", dump_minutes(min)},
          {"max", dump_minutes(max)},
          {"last", last / 1000.0}};
}

/// "Thu Jan  1 00:00:00 1970"
std::string calendar_text(uint32_t sec) {
  std::tm tm{};
  const std::time_t t = sec;
  gmtime_r(&t, &tm);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm));
}

json::array dump_ping_times(const OsdStat& s) {
  json::array out;
  for (const auto& p : s.ping_times) {
    json::array interfaces;
    interfaces.push_back(
        dump_interface("back", p.back_average, p.back_min, p.back_max, p.back_last));
    if (p.front_last)
      interfaces.push_back(
          dump_interface("front", p.front_average, p.front_min, p.front_max, p.front_last));
    out.push_back(json::object{{"osd", p.peer},
                               {"last update", calendar_text(p.last_update)},
                               {"interfaces", std::move(interfaces)}});
  }
  return out;
}

void append(json::object& out, const json::object& more) {
  for (const auto& entry : more) out[entry.key()] = entry.value();
}

json::object dump_delta(const PgMap& m) {
  json::object out = dump_pool_stat(m.delta);
  out["stamp_delta"] = fmt::format("{}.{:06}", m.delta_stamp.sec, m.delta_stamp.nsec / 1000);
  return out;
}

// ---- plain --------------------------------------------------------------------------------------

/// `headings` empty strings where the table continues another one.
TextTable right_table(const std::vector<const char*>& headings) {
  TextTable table;
  for (size_t i = 0; i < headings.size(); i++)
    table.column(headings[i], Align::kLeft, i ? Align::kRight : Align::kLeft);
  return table;
}

std::vector<std::string> sum_cells(std::string name, const ObjectStats& s, int64_t log,
                                   int64_t disk_log) {
  std::vector<std::string> cells{std::move(name)};
  for (int64_t n : {s.num_objects, s.num_objects_missing_on_primary, s.num_objects_degraded,
                    s.num_objects_misplaced, s.num_objects_unfound, s.num_bytes, s.num_omap_bytes,
                    s.num_omap_keys, log, disk_log})
    cells.push_back(std::to_string(n));
  return cells;
}

std::vector<const char*> sum_headings(const char* first) {
  if (!*first) return std::vector<const char*>(11, "");
  return {first,   "OBJECTS",     "MISSING_ON_PRIMARY", "DEGRADED", "MISPLACED", "UNFOUND",
          "BYTES", "OMAP_BYTES*", "OMAP_KEYS*",         "LOG",      "DISK_LOG"};
}

std::string reported_text(const PgStat& s) {
  return fmt::format("{}:{}", s.reported_epoch, s.reported_seq);
}

std::string print_pgs(const PgMap& m) {
  auto headings = sum_headings("PG_STAT");
  for (const char* h : {"STATE", "STATE_STAMP", "VERSION", "REPORTED", "UP", "UP_PRIMARY", "ACTING",
                        "ACTING_PRIMARY", "LAST_SCRUB", "SCRUB_STAMP", "LAST_DEEP_SCRUB",
                        "DEEP_SCRUB_STAMP", "SNAPTRIMQ_LEN"})
    headings.push_back(h);
  TextTable table = right_table(headings);
  for (const auto& [pg, s] : m.pgs) {
    auto cells = sum_cells(pg.to_string(), s.stats, s.log_size, s.ondisk_log_size);
    for (std::string cell :
         {pg_state_text(s.state), stamp_text(s.last_change), s.version.to_string(),
          reported_text(s), osd_set_text(s.up), std::to_string(s.up_primary),
          osd_set_text(s.acting), std::to_string(s.acting_primary), s.last_scrub.to_string(),
          stamp_text(s.last_scrub_stamp), s.last_deep_scrub.to_string(),
          stamp_text(s.last_deep_scrub_stamp), std::to_string(s.snaptrimq_len)})
      cells.push_back(std::move(cell));
    table.row(std::move(cells));
  }
  return table.to_string();
}

std::string print_pgs_brief(const PgMap& m) {
  TextTable table =
      right_table({"PG_STAT", "STATE", "UP", "UP_PRIMARY", "ACTING", "ACTING_PRIMARY"});
  for (const auto& [pg, s] : m.pgs)
    table.row({pg.to_string(), pg_state_text(s.state), osd_set_text(s.up),
               std::to_string(s.up_primary), osd_set_text(s.acting),
               std::to_string(s.acting_primary)});
  return table.to_string();
}

std::string print_pools(const PgMap& m, const char* heading) {
  TextTable table = right_table(sum_headings(heading));
  for (const auto& [pool, s] : m.pool_stats())
    table.row(sum_cells(std::to_string(pool), s.stats, s.log_size, s.ondisk_log_size));
  return table.to_string();
}

std::string print_pg_sum(const PgMap& m, const char* heading) {
  TextTable table = right_table(sum_headings(heading));
  const PoolStat sum = m.pg_sum();
  table.row(sum_cells("sum", sum.stats, sum.log_size, sum.ondisk_log_size));
  return table.to_string();
}

std::vector<std::string> space_cells(std::string name, const StoreStatfs& s) {
  return {std::move(name), bytes_text(s.used()), bytes_text(s.available),
          bytes_text(s.used_raw()), bytes_text(s.total)};
}

std::string print_osds(const PgMap& m) {
  TextTable table = right_table(
      {"OSD_STAT", "USED", "AVAIL", "USED_RAW", "TOTAL", "HB_PEERS", "PG_SUM", "PRIMARY_PG_SUM"});
  auto counts = m.count_by_osd();
  for (const auto& [osd, s] : m.osds) {
    auto cells = space_cells(std::to_string(osd), s.statfs);
    cells.push_back(osd_set_text(s.hb_peers));
    cells.push_back(std::to_string(counts[osd].acting));
    cells.push_back(std::to_string(counts[osd].primary));
    table.row(std::move(cells));
  }
  table.row(space_cells("sum", m.osd_sum().statfs));
  return table.to_string();
}

std::string print_osd_sum(const PgMap& m) {
  TextTable table = right_table({"OSD_STAT", "USED", "AVAIL", "USED_RAW", "TOTAL"});
  table.row(space_cells("sum", m.osd_sum().statfs));
  return table.to_string();
}

std::string print_basics(const PgMap& m) {
  return fmt::format("version {}\nstamp {}\nlast_osdmap_epoch {}\nlast_pg_scan {}\n", m.version,
                     stamp_text(m.stamp), m.last_osdmap_epoch, m.last_pg_scan);
}

/// "45s", "3m", "5h": one unit, rounded down.
std::string span_text(Utime now, Utime then) {
  const uint64_t sec = now.sec > then.sec ? now.sec - then.sec : 0;
  const uint64_t day = sec / 86400;
  if (sec < 120) return fmt::format("{}s", sec);
  if (sec / 60 < 120) return fmt::format("{}m", sec / 60);
  if (sec / 3600 < 48) return fmt::format("{}h", sec / 3600);
  if (day < 14) return fmt::format("{}d", day);
  if (day / 7 < 12) return fmt::format("{}w", day / 7);
  if (day / 30 < 24) return fmt::format("{}M", day / 30);
  return fmt::format("{}y", day / 365);
}

}  // namespace

// ---- JSON ---------------------------------------------------------------------------------------

json::object dump_object_stats(const ObjectStats& s) {
  return {{"num_bytes", s.num_bytes},
          {"num_objects", s.num_objects},
          {"num_object_clones", s.num_object_clones},
          {"num_object_copies", s.num_object_copies},
          {"num_objects_missing_on_primary", s.num_objects_missing_on_primary},
          {"num_objects_missing", s.num_objects_missing},
          {"num_objects_degraded", s.num_objects_degraded},
          {"num_objects_misplaced", s.num_objects_misplaced},
          {"num_objects_unfound", s.num_objects_unfound},
          {"num_objects_dirty", s.num_objects_dirty},
          {"num_whiteouts", s.num_whiteouts},
          {"num_read", s.num_read},
          {"num_read_kb", s.num_read_kb},
          {"num_write", s.num_write},
          {"num_write_kb", s.num_write_kb},
          {"num_scrub_errors", s.num_scrub_errors},
          {"num_shallow_scrub_errors", s.num_shallow_scrub_errors},
          {"num_deep_scrub_errors", s.num_deep_scrub_errors},
          {"num_objects_recovered", s.num_objects_recovered},
          {"num_bytes_recovered", s.num_bytes_recovered},
          {"num_keys_recovered", s.num_keys_recovered},
          {"num_objects_omap", s.num_objects_omap},
          {"num_objects_hit_set_archive", s.num_objects_hit_set_archive},
          {"num_bytes_hit_set_archive", s.num_bytes_hit_set_archive},
          {"num_flush", s.num_flush},
          {"num_flush_kb", s.num_flush_kb},
          {"num_evict", s.num_evict},
          {"num_evict_kb", s.num_evict_kb},
          {"num_promote", s.num_promote},
          {"num_flush_mode_high", s.num_flush_mode_high},
          {"num_flush_mode_low", s.num_flush_mode_low},
          {"num_evict_mode_some", s.num_evict_mode_some},
          {"num_evict_mode_full", s.num_evict_mode_full},
          {"num_objects_pinned", s.num_objects_pinned},
          {"num_legacy_snapsets", s.num_legacy_snapsets},
          {"num_large_omap_objects", s.num_large_omap_objects},
          {"num_objects_manifest", s.num_objects_manifest},
          {"num_omap_bytes", s.num_omap_bytes},
          {"num_omap_keys", s.num_omap_keys},
          {"num_objects_repaired", s.num_objects_repaired}};
}

json::object dump_statfs(const StoreStatfs& s) {
  return {{"total", s.total},
          {"available", s.available},
          {"internally_reserved", s.internally_reserved},
          {"allocated", s.allocated},
          {"data_stored", s.data_stored},
          {"data_compressed", s.data_compressed},
          {"data_compressed_allocated", s.data_compressed_allocated},
          {"data_compressed_original", s.data_compressed_original},
          {"omap_allocated", s.omap_allocated},
          {"internal_metadata", s.internal_metadata}};
}

json::object dump_pg_stat(const PgStat& s) {
  return {{"pgid", s.pgid.to_string()},
          {"version", s.version.to_string()},
          {"reported_seq", s.reported_seq},
          {"reported_epoch", s.reported_epoch},
          {"state", pg_state_text(s.state)},
          {"last_fresh", stamp_text(s.last_fresh)},
          {"last_change", stamp_text(s.last_change)},
          {"last_active", stamp_text(s.last_active)},
          {"last_peered", stamp_text(s.last_peered)},
          {"last_clean", stamp_text(s.last_clean)},
          {"last_became_active", stamp_text(s.last_became_active)},
          {"last_became_peered", stamp_text(s.last_became_peered)},
          {"last_unstale", stamp_text(s.last_unstale)},
          {"last_undegraded", stamp_text(s.last_undegraded)},
          {"last_fullsized", stamp_text(s.last_fullsized)},
          {"mapping_epoch", s.mapping_epoch},
          {"log_start", s.log_start.to_string()},
          {"ondisk_log_start", s.ondisk_log_start.to_string()},
          {"created", s.created},
          {"last_epoch_clean", s.last_epoch_clean},
          {"parent", "0.0"},
          {"parent_split_bits", 0},
          {"last_scrub", s.last_scrub.to_string()},
          {"last_scrub_stamp", stamp_text(s.last_scrub_stamp)},
          {"last_deep_scrub", s.last_deep_scrub.to_string()},
          {"last_deep_scrub_stamp", stamp_text(s.last_deep_scrub_stamp)},
          {"last_clean_scrub_stamp", stamp_text(s.last_clean_scrub_stamp)},
          {"log_size", s.log_size},
          {"ondisk_log_size", s.ondisk_log_size},
          {"stats_invalid", s.stats_invalid},
          {"dirty_stats_invalid", false},
          {"omap_stats_invalid", false},
          {"hitset_stats_invalid", false},
          {"hitset_bytes_stats_invalid", false},
          {"pin_stats_invalid", false},
          {"manifest_stats_invalid", false},
          {"snaptrimq_len", s.snaptrimq_len},
          {"stat_sum", dump_object_stats(s.stats)},
          {"up", osd_array(s.up)},
          {"acting", osd_array(s.acting)},
          {"avail_no_missing", json::array()},
          {"object_location_counts", json::array()},
          {"blocked_by", osd_array(s.blocked_by)},
          {"up_primary", s.up_primary},
          {"acting_primary", s.acting_primary},
          {"purged_snaps", json::array()}};
}

json::object dump_pg_stat_brief(const PgStat& s) {
  return {{"pgid", s.pgid.to_string()}, {"state", pg_state_text(s.state)},
          {"up", osd_array(s.up)},      {"acting", osd_array(s.acting)},
          {"up_primary", s.up_primary}, {"acting_primary", s.acting_primary}};
}

json::object dump_osd_stat(const OsdStat& s, size_t num_osds) {
  return {{"up_from", s.up_from},
          {"seq", s.seq},
          {"num_pgs", s.num_pgs},
          {"num_osds", num_osds},
          {"num_per_pool_osds", num_osds},
          {"num_per_pool_omap_osds", num_osds},
          {"kb", s.kb()},
          {"kb_used", s.kb_used()},
          {"kb_used_data", s.statfs.allocated >> 10},
          {"kb_used_omap", s.statfs.omap_allocated >> 10},
          {"kb_used_meta", s.statfs.internal_metadata >> 10},
          {"kb_avail", s.kb_avail()},
          {"statfs", dump_statfs(s.statfs)},
          {"hb_peers", osd_array(s.hb_peers)},
          {"snap_trim_queue_len", s.snap_trim_queue_len},
          {"num_snap_trimming", s.num_snap_trimming},
          {"num_shards_repaired", s.num_shards_repaired},
          {"op_queue_age_hist", json::object{{"histogram", json::array(s.op_queue_age_hist.begin(),
                                                                       s.op_queue_age_hist.end())},
                                             {"upper_bound", 1}}},
          {"perf_stat", json::object{{"commit_latency_ms", s.commit_latency_ns / 1'000'000},
                                     {"apply_latency_ms", s.apply_latency_ns / 1'000'000},
                                     {"commit_latency_ns", s.commit_latency_ns},
                                     {"apply_latency_ns", s.apply_latency_ns}}},
          {"alerts", json::array(s.alerts.begin(), s.alerts.end())},
          {"network_ping_times", dump_ping_times(s)}};
}

json::object dump_pool_stat(const PoolStat& s) {
  return {{"stat_sum", dump_object_stats(s.stats)},
          {"store_stats", dump_statfs(s.store_stats)},
          {"log_size", s.log_size},
          {"ondisk_log_size", s.ondisk_log_size},
          {"up", s.up},
          {"acting", s.acting},
          {"num_store_stats", s.num_store_stats}};
}

json::array dump_pgs(const PgMap& m) {
  json::array out;
  for (const auto& [pg, s] : m.pgs) out.push_back(dump_pg_stat(s));
  return out;
}

json::array dump_pgs_brief(const PgMap& m) {
  json::array out;
  for (const auto& [pg, s] : m.pgs) out.push_back(dump_pg_stat_brief(s));
  return out;
}

json::array dump_pg_allocated(const std::map<PgId, PgAllocated>& pgs) {
  json::array out;
  for (const auto& [pg, s] : pgs)
    out.push_back(json::object{{"pgid", pg.to_string()}, {"bytes", s.bytes()}, {"keys", s.keys}});
  return out;
}

json::array dump_osds(const PgMap& m) {
  json::array out;
  for (const auto& [osd, s] : m.osds) {
    json::object entry{{"osd", osd}};
    append(entry, dump_osd_stat(s));
    if (!s.pg_allocated.empty()) entry["pg_allocated"] = dump_pg_allocated(s.pg_allocated);
    out.push_back(std::move(entry));
  }
  return out;
}

json::array dump_pools(const PgMap& m) {
  std::map<PoolId, int64_t> num_pg;
  for (const auto& [pg, s] : m.pgs) num_pg[pg.pool]++;
  json::array out;
  for (const auto& [pool, s] : m.pool_stats()) {
    json::object entry{{"poolid", pool}, {"num_pg", num_pg[pool]}};
    append(entry, dump_pool_stat(s));
    out.push_back(std::move(entry));
  }
  return out;
}

json::array dump_pool_statfs(const PgMap& m) {
  std::map<std::pair<PoolId, OsdId>, const StoreStatfs*> sorted;
  for (const auto& [osd, s] : m.osds)
    for (const auto& [pool, statfs] : s.pool_statfs) sorted[{pool, osd}] = &statfs;
  json::array out;
  for (const auto& [key, statfs] : sorted) {
    json::object entry{{"poolid", key.first}, {"osd", key.second}};
    append(entry, dump_statfs(*statfs));
    out.push_back(std::move(entry));
  }
  return out;
}

json::object dump_pg_map(const PgMap& m, std::string_view what) {
  if (what == "pgs") return {{"pg_ready", true}, {"pg_stats", dump_pgs(m)}};
  if (what == "pgs_brief") return {{"pg_ready", true}, {"pg_stats", dump_pgs_brief(m)}};
  if (what == "pools") return {{"pg_ready", true}, {"pool_stats", dump_pools(m)}};
  if (what == "osds") return {{"pg_ready", true}, {"osd_stats", dump_osds(m)}};
  if (what == "delta") return {{"pg_ready", true}, {"pg_stats_delta", dump_delta(m)}};
  json::object body{{"version", m.version},
                    {"stamp", stamp_text(m.stamp)},
                    {"last_osdmap_epoch", m.last_osdmap_epoch},
                    {"last_pg_scan", m.last_pg_scan},
                    {"pg_stats_sum", dump_pool_stat(m.pg_sum())},
                    {"osd_stats_sum", dump_osd_stat(m.osd_sum(), m.osds.size())},
                    {"pg_stats_delta", dump_delta(m)}};
  if (what != "sum" && what != "summary") {
    body["pg_stats"] = dump_pgs(m);
    body["pool_stats"] = dump_pools(m);
    body["osd_stats"] = dump_osds(m);
    body["pool_statfs"] = dump_pool_statfs(m);
  }
  return {{"pg_ready", true}, {"pg_map", std::move(body)}};
}

std::string print_pg_map(const PgMap& m, std::string_view what) {
  if (what == "pgs") return print_pgs(m) + kNote;
  if (what == "pgs_brief") return print_pgs_brief(m);
  if (what == "pools") return print_pools(m, "POOLID") + kNote;
  if (what == "osds") return print_osds(m);
  if (what == "delta") return print_pg_sum(m, "PG_STAT");
  if (what == "sum" || what == "summary")
    return print_basics(m) + print_pg_sum(m, "PG_STAT") + print_osd_sum(m) + kNote;
  return print_basics(m) + print_pgs(m) + print_pools(m, "") + print_pg_sum(m, "") + print_osds(m) +
         kNote;
}

std::string print_pg_ls(const std::vector<const PgStat*>& pgs, Utime now) {
  TextTable table = right_table({"PG", "OBJECTS", "DEGRADED", "MISPLACED", "UNFOUND", "BYTES",
                                 "OMAP_BYTES*", "OMAP_KEYS*", "LOG", "STATE", "SINCE", "VERSION",
                                 "REPORTED", "UP", "ACTING", "SCRUB_STAMP", "DEEP_SCRUB_STAMP"});
  auto with_primary = [](const std::vector<OsdId>& osds, OsdId primary) {
    return fmt::format("{}p{}", osd_set_text(osds), primary);
  };
  for (const PgStat* s : pgs) {
    const ObjectStats& o = s->stats;
    table.row({s->pgid.to_string(), std::to_string(o.num_objects),
               std::to_string(o.num_objects_degraded), std::to_string(o.num_objects_misplaced),
               std::to_string(o.num_objects_unfound), std::to_string(o.num_bytes),
               std::to_string(o.num_omap_bytes), std::to_string(o.num_omap_keys),
               std::to_string(s->log_size), pg_state_text(s->state), span_text(now, s->last_change),
               s->version.to_string(), reported_text(*s), with_primary(s->up, s->up_primary),
               with_primary(s->acting, s->acting_primary), stamp_text(s->last_scrub_stamp),
               stamp_text(s->last_deep_scrub_stamp)});
  }
  return table.to_string() + kNote;
}

}  // namespace plimsoll::map
