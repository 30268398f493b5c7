// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/health_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/command/format.h"

namespace plimsoll::mon {

using map::OSDMap;
using map::PgStat;

namespace {

class Collector {
 public:
  explicit Collector(const HealthInput& in) : in_(in) {}
  HealthChecks run() &&;

 private:
  void add(const char* code, Severity severity, std::string summary, int64_t count,
           std::vector<std::string> details = {});
  void down_osds();
  void down_subtrees();
  void flags();
  void fullness();
  void ratios();
  void pool_fullness();
  void pool_settings();
  void too_few_osds();
  void availability();
  void degraded();
  void backfill_room();
  void damage();
  void too_many_pgs();
  void misplaced_peers();

  const HealthInput& in_;
  HealthChecks checks_;
};

/// "root=default,host=vm": outermost first.
std::string location_text(const map::CrushMap& crush, map::CrushItem item) {
  std::map<int, std::string, std::greater<>> words;
  for (const auto& [type, name] : crush.location_of(item))
    words[crush.find_type(type).value_or(0)] = type + "=" + name;
  std::string text;
  for (const auto& [_, word] : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::string pg_line(const PgStat& s) {
  std::string acting;
  for (OsdId o : s.acting)
    acting += (acting.empty() ? "" : ",") + (o == kOsdNone ? "NONE" : std::to_string(o));
  std::string line = fmt::format("pg {} is {}, acting [{}]", s.pgid.to_string(),
                                 map::pg_state_text(s.state), acting);
  if (!s.blocked_reason.empty()) line += " (" + s.blocked_reason + ")";
  return line;
}

std::string age_text(const Utime& since, const Utime& now) {
  const int64_t seconds = std::max<int64_t>(0, int64_t{now.sec} - since.sec);
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}h", seconds / 3600);
}

void Collector::add(const char* code, Severity severity, std::string summary, int64_t count,
                    std::vector<std::string> details) {
  const size_t limit = in_.options.max_detail;
  if (details.size() > limit) {
    const size_t more = details.size() - limit;
    details.resize(limit);
    details.push_back(fmt::format("{} more", more));
  }
  checks_[code] = {severity, std::move(summary), count, std::move(details)};
}

// ---- OSDs
// -----------------------------------------------------------------------------------------

void Collector::down_osds() {
  std::vector<std::string> details;
  for (OsdId osd : in_.osds.osds()) {
    if (in_.osds.is_up(osd) || in_.osds.is_out(osd)) continue;
    details.push_back(fmt::format("osd.{} ({}) is down", osd, location_text(*in_.osds.crush, osd)));
  }
  if (details.empty()) return;
  const auto n = static_cast<int64_t>(details.size());
  add("OSD_DOWN", Severity::kWarn, fmt::format("{} osds down", n), n, std::move(details));
}

void Collector::down_subtrees() {
  // By type: buckets whose OSDs all are down, and some of them in.
  std::map<int, std::vector<std::string>> down;
  const map::CrushMap& crush = *in_.osds.crush;
  std::map<int, int> osds_of_type;
  for (const auto& bucket : crush.buckets) {
    if (!bucket || crush.is_shadow(bucket->id) || !bucket->type) continue;
    const auto devices = crush.devices_under(bucket->id);
    const auto is_up = [&](OsdId o) { return in_.osds.is_up(o); };
    const auto is_in = [&](OsdId o) { return in_.osds.is_in(o); };
    if (std::none_of(devices.begin(), devices.end(), is_in)) continue;
    if (std::any_of(devices.begin(), devices.end(), is_up)) continue;
    const std::string type = crush.type_name(bucket->type);
    const std::string where = location_text(crush, bucket->id);
    down[bucket->type].push_back(
        fmt::format("{} {}{} ({} osds) is down", type, crush.item_name(bucket->id),
                    where.empty() ? "" : " (" + where + ")", devices.size()));
    osds_of_type[bucket->type] += static_cast<int>(devices.size());
  }
  for (auto& [type, details] : down) {
    const std::string name = crush.type_name(type);
    std::string code = "OSD_" + name + "_DOWN";
    std::transform(code.begin(), code.end(), code.begin(), ::toupper);
    const auto n = static_cast<int64_t>(details.size());
    add(code.c_str(), Severity::kWarn,
        fmt::format("{} {}{} ({} osds) down", n, name, n > 1 ? "s" : "", osds_of_type[type]), n,
        std::move(details));
  }
}

void Collector::flags() {
  static constexpr uint32_t kWarnFlags =
      map::kMapNearFull | map::kMapFull | map::kMapPauseRead | map::kMapPauseWrite |
      map::kMapPauseRecovery | map::kMapNoUp | map::kMapNoDown | map::kMapNoIn | map::kMapNoOut |
      map::kMapNoBackfill | map::kMapNoRecover | map::kMapNoScrub | map::kMapNoDeepScrub |
      map::kMapNoTierAgent | map::kMapNoSnapTrim | map::kMapNoRebalance;
  const uint32_t set = in_.osds.flags & kWarnFlags;
  if (set)
    add("OSDMAP_FLAGS", Severity::kWarn, map::osdmap_flags_text(set) + " flag(s) set",
        __builtin_popcount(set));
  static constexpr uint32_t kOsdFlags =
      map::kOsdNoUp | map::kOsdNoDown | map::kOsdNoIn | map::kOsdNoOut;
  std::vector<std::string> details;
  for (OsdId osd : in_.osds.osds()) {
    const uint32_t bits = in_.osds.osd_state[osd] & kOsdFlags;
    if (!bits) continue;
    std::string names;
    for (const auto& n : map::osd_state_names(bits)) names += (names.empty() ? "" : ",") + n;
    details.push_back(fmt::format("osd.{} has flags {}", osd, names));
  }
  for (const auto& [item, bits] : in_.osds.crush_node_flags) {
    std::string names;
    for (const auto& n : map::osd_state_names(bits)) names += (names.empty() ? "" : ",") + n;
    details.push_back(fmt::format("{} has flags {}", in_.osds.crush->item_name(item), names));
  }
  if (details.empty()) return;
  const auto n = static_cast<int64_t>(details.size());
  add("OSD_FLAGS", Severity::kWarn,
      fmt::format(
          "{} OSDs or CRUSH {{nodes, device-classes}} have {{NOUP,NODOWN,NOIN,NOOUT}} flags set",
          n),
      n, std::move(details));
}

void Collector::fullness() {
  struct Level {
    map::OsdState bit;
    const char* code;
    Severity severity;
    const char* word;
    const char* detail;
  };
  static constexpr Level kLevels[] = {
      {map::kOsdFull, "OSD_FULL", Severity::kErr, "full", "full"},
      {map::kOsdBackfillFull, "OSD_BACKFILLFULL", Severity::kWarn, "backfillfull", "backfill full"},
      {map::kOsdNearFull, "OSD_NEARFULL", Severity::kWarn, "nearfull", "near full"},
  };
  for (const Level& level : kLevels) {
    std::vector<std::string> details;
    for (OsdId osd : in_.osds.osds())
      if (in_.osds.has_state(osd, level.bit))
        details.push_back(fmt::format("osd.{} is {}", osd, level.detail));
    if (details.empty()) continue;
    const auto n = static_cast<int64_t>(details.size());
    if (level.bit == map::kOsdFull)
      for (const auto& [osd, reason] : in_.full_reasons)
        if (in_.osds.has_state(osd, level.bit))
          details.push_back(fmt::format("osd.{} {}", osd, reason));
    add(level.code, level.severity, fmt::format("{} {} osd(s)", n, level.word), n,
        std::move(details));
  }
}

void Collector::ratios() {
  struct Ratio {
    const char* name;
    double value;
  };
  // In the order they must have; each is raised to the one before it.
  Ratio ratios[] = {{"nearfull_ratio", in_.osds.nearfull_ratio},
                    {"backfillfull_ratio", in_.osds.backfillfull_ratio},
                    {"full_ratio", in_.osds.full_ratio},
                    {"osd_failsafe_full_ratio", in_.options.failsafe_full_ratio}};
  std::vector<std::string> details;
  for (size_t i = 1; i < std::size(ratios); i++) {
    if (ratios[i].value >= ratios[i - 1].value - 1e-7) continue;
    details.push_back(fmt::format("{} ({}) < {} ({}), increased", ratios[i].name,
                                  command::general(ratios[i].value), ratios[i - 1].name,
                                  command::general(ratios[i - 1].value)));
    ratios[i].value = ratios[i - 1].value;
  }
  if (details.empty()) return;
  const auto n = static_cast<int64_t>(details.size());
  add("OSD_OUT_OF_ORDER_FULL", Severity::kErr, "full ratio(s) out of order", n, std::move(details));
}

void Collector::too_few_osds() {
  const int osds = in_.osds.num_osds();
  const auto want = static_cast<int>(in_.options.pool_default_size);
  if (osds >= want) return;
  add("TOO_FEW_OSDS", Severity::kWarn,
      fmt::format("OSD count {} < osd_pool_default_size {}", osds, want), want - osds);
}

// ---- pools
// ----------------------------------------------------------------------------------------

void Collector::pool_fullness() {
  struct Level {
    map::PoolFlag bit;
    const char* code;
    const char* word;
  };
  static constexpr Level kLevels[] = {{map::kPoolFull, "POOL_FULL", "full"},
                                      {map::kPoolBackfillFull, "POOL_BACKFILLFULL", "backfillfull"},
                                      {map::kPoolNearFull, "POOL_NEARFULL", "nearfull"}};
  for (const Level& level : kLevels) {
    std::vector<std::string> details;
    for (const auto& [id, pool] : in_.osds.pools) {
      if (!pool.has_flag(level.bit)) continue;
      std::string text = fmt::format("pool '{}' is {}", in_.osds.pool_name(id), level.word);
      if (level.bit == map::kPoolFull)
        text += pool.has_flag(map::kPoolFullQuota) ? " (running out of quota)" : " (no space)";
      details.push_back(std::move(text));
    }
    if (details.empty()) continue;
    const auto n = static_cast<int64_t>(details.size());
    add(level.code, Severity::kWarn, fmt::format("{} pool(s) {}", n, level.word), n,
        std::move(details));
  }
}

void Collector::pool_settings() {
  std::vector<std::string> alone, unused_app, pg_counts;
  const auto sums = in_.pgs.pool_stats();
  for (const auto& [id, pool] : in_.osds.pools) {
    const std::string name = in_.osds.pool_name(id);
    if (pool.size <= 1 && pool.is_replicated())
      alone.push_back(fmt::format("pool '{}' has no replicas configured", name));
    const auto sum = sums.find(id);
    const bool has_objects = sum != sums.end() && sum->second.stats.num_objects > 0;
    if (pool.applications.empty() && has_objects)
      unused_app.push_back(fmt::format("application not enabled on pool '{}'", name));
    if (pool.pg_num > pool.pgp_num)
      pg_counts.push_back(
          fmt::format("pool {} pg_num {} > pgp_num {}", name, pool.pg_num, pool.pgp_num));
  }
  if (!alone.empty() && in_.options.warn_on_pool_no_redundancy) {
    const auto n = static_cast<int64_t>(alone.size());
    add("POOL_NO_REDUNDANCY", Severity::kWarn,
        fmt::format("{} pool(s) have no replicas configured", n), n, std::move(alone));
  }
  if (!unused_app.empty() && in_.options.warn_on_pool_no_app) {
    const auto n = static_cast<int64_t>(unused_app.size());
    unused_app.push_back(
        "use 'ceph osd pool application enable <pool-name> <app-name>', where <app-name> is "
        "'cephfs', 'rbd', 'rgw', or freeform for custom applications.");
    add("POOL_APP_NOT_ENABLED", Severity::kWarn,
        fmt::format("{} pool(s) do not have an application enabled", n), n, std::move(unused_app));
  }
  if (!pg_counts.empty()) {
    const auto n = static_cast<int64_t>(pg_counts.size());
    add("SMALLER_PGP_NUM", Severity::kWarn, fmt::format("{} pools have pg_num > pgp_num", n), n,
        std::move(pg_counts));
  }
}

void Collector::too_many_pgs() {
  uint64_t copies = 0;
  for (const auto& [_, pool] : in_.osds.pools) copies += uint64_t{pool.pg_num} * pool.size;
  const int in = in_.osds.num_in_osds();
  if (!in || copies / static_cast<uint64_t>(in) <= in_.options.max_pg_per_osd) return;
  add("TOO_MANY_PGS", Severity::kWarn,
      fmt::format("too many PGs per OSD ({} > max {})", copies / static_cast<uint64_t>(in),
                  in_.options.max_pg_per_osd),
      static_cast<int64_t>(copies / static_cast<uint64_t>(in) - in_.options.max_pg_per_osd));
}

// ---- PGs
// ------------------------------------------------------------------------------------------

void Collector::availability() {
  // Each PG counts once, for the worst that is said of it; passing states get time to pass.
  struct Kind {
    const char* word;
    Severity severity;
  };
  static constexpr Kind kKinds[] = {{"inactive", Severity::kWarn},
                                    {"peering", Severity::kWarn},
                                    {"incomplete", Severity::kWarn},
                                    {"down", Severity::kWarn},
                                    {"stale", Severity::kWarn}};
  std::map<std::string, int64_t> counts;
  std::vector<std::string> details;
  const auto old = [&](const Utime& t) {
    return int64_t{t.sec} + in_.options.stuck_threshold <= int64_t{in_.now.sec};
  };
  for (const auto& [pg, s] : in_.pgs.pgs) {
    const char* word = nullptr;
    if (!(s.state & map::kPgActive) && (old(s.last_active) || !s.blocked_reason.empty()))
      word = "inactive";
    if ((s.state & map::kPgPeering) && old(s.last_peered)) word = "peering";
    if (s.state & map::kPgIncomplete) word = "incomplete";
    if (s.state & map::kPgDown) word = "down";
    if ((s.state & map::kPgStale) && old(s.last_unstale)) word = "stale";
    if (!word) continue;
    counts[word]++;
    if (word == std::string_view("inactive") || word == std::string_view("peering")) {
      const std::string line = pg_line(s);
      details.push_back(fmt::format("pg {} is stuck {} for {}, current state {}, last acting {}",
                                    pg.to_string(), word, age_text(s.last_active, in_.now),
                                    map::pg_state_text(s.state),
                                    line.substr(line.rfind("acting ") + 7)));
    } else {
      details.push_back(pg_line(s));
    }
  }
  if (counts.empty()) return;
  std::string text = "Reduced data availability: ";
  int64_t total = 0;
  bool first = true;
  for (const Kind& k : kKinds) {
    const auto it = counts.find(k.word);
    if (it == counts.end()) continue;
    text += fmt::format("{}{} pg{} {}", first ? "" : ", ", it->second, it->second > 1 ? "s" : "",
                        k.word);
    total += it->second;
    first = false;
  }
  add("PG_AVAILABILITY", Severity::kWarn, std::move(text), total, std::move(details));
}

void Collector::degraded() {
  const RecoveryCounts counts = recovery_counts(in_.pgs.pg_sum().stats);
  int64_t degraded = 0, undersized = 0;
  std::vector<std::string> details;
  for (const auto& [pg, s] : in_.pgs.pgs) {
    const bool is_degraded = s.state & map::kPgDegraded;
    const bool is_stuck_undersized =
        (s.state & map::kPgUndersized) &&
        int64_t{s.last_fullsized.sec} + in_.options.stuck_threshold <= int64_t{in_.now.sec};
    degraded += is_degraded;
    undersized += is_stuck_undersized;
    if (is_stuck_undersized) {
      const std::string line = pg_line(s);
      details.push_back(
          fmt::format("pg {} is stuck undersized for {}, current state {}, last acting {}",
                      pg.to_string(), age_text(s.last_fullsized, in_.now),
                      map::pg_state_text(s.state), line.substr(line.rfind("acting ") + 7)));
    } else if (is_degraded) {
      details.push_back(pg_line(s));
    }
  }
  if (!degraded && !undersized && !counts.degraded) return;
  std::string text = "Degraded data redundancy: ";
  std::string sep;
  if (counts.degraded) {
    text += ratio_text(counts.degraded, counts.copies, "degraded");
    sep = ", ";
  }
  if (degraded) {
    text += fmt::format("{}{} pg{} degraded", sep, degraded, degraded > 1 ? "s" : "");
    sep = ", ";
  }
  if (undersized)
    text += fmt::format("{}{} pg{} undersized", sep, undersized, undersized > 1 ? "s" : "");
  add("PG_DEGRADED", Severity::kWarn, std::move(text), std::max(degraded, undersized),
      std::move(details));
}

void Collector::backfill_room() {
  std::vector<std::string> backfill, recovery;
  for (const auto& [_, s] : in_.pgs.pgs) {
    if (s.state & map::kPgBackfillToofull) backfill.push_back(pg_line(s));
    if (s.state & map::kPgRecoveryToofull) recovery.push_back(pg_line(s));
  }
  if (const auto n = static_cast<int64_t>(backfill.size()))
    add("PG_BACKFILL_FULL", Severity::kWarn,
        fmt::format("Low space hindering backfill (add storage if this doesn't resolve itself): "
                    "{} pg{} backfill_toofull",
                    n, n > 1 ? "s" : ""),
        n, std::move(backfill));
  if (const auto n = static_cast<int64_t>(recovery.size()))
    add("PG_RECOVERY_FULL", Severity::kErr,
        fmt::format("Full OSDs blocking recovery: {} pg{} recovery_toofull", n, n > 1 ? "s" : ""),
        n, std::move(recovery));
}

void Collector::damage() {
  std::vector<std::string> details;
  for (const auto& [_, s] : in_.pgs.pgs)
    if (s.state & (map::kPgInconsistent | map::kPgFailedRepair)) details.push_back(pg_line(s));
  if (const auto n = static_cast<int64_t>(details.size()))
    add("PG_DAMAGED", Severity::kErr,
        fmt::format("Possible data damage: {} pg{} inconsistent", n, n > 1 ? "s" : ""), n,
        std::move(details));
  const RecoveryCounts counts = recovery_counts(in_.pgs.pg_sum().stats);
  if (counts.unfound)
    add("OBJECT_UNFOUND", Severity::kWarn,
        fmt::format("{}/{} objects unfound ({:.3f}%)", counts.unfound, counts.objects,
                    counts.objects ? 100.0 * counts.unfound / counts.objects : 0.0),
        counts.unfound);
}

void Collector::misplaced_peers() {
  const RecoveryCounts counts = recovery_counts(in_.pgs.pg_sum().stats);
  if (counts.misplaced)
    add("OBJECT_MISPLACED", Severity::kWarn,
        ratio_text(counts.misplaced, counts.copies, "misplaced"), counts.misplaced);
}

// ---- monitors
// -------------------------------------------------------------------------------------

HealthChecks Collector::run() && {
  down_osds();
  down_subtrees();
  flags();
  fullness();
  ratios();
  too_few_osds();
  pool_fullness();
  pool_settings();
  too_many_pgs();
  availability();
  degraded();
  misplaced_peers();
  backfill_room();
  damage();
  if (in_.options.down_out_interval == 0 && in_.options.warn_on_down_out_interval_zero)
    add("OSD_NO_DOWN_OUT_INTERVAL", Severity::kWarn,
        fmt::format("mon {} has mon_osd_down_out_interval set to 0", in_.mon_name), 1,
        {fmt::format("mon.{} has mon_osd_down_out_interval set to 0", in_.mon_name)});
  return std::move(checks_);
}

}  // namespace

const char* severity_name(Severity s) {
  switch (s) {
    case Severity::kOk:
      return "HEALTH_OK";
    case Severity::kWarn:
      return "HEALTH_WARN";
    default:
      return "HEALTH_ERR";
  }
}

HealthChecks compute_health(const HealthInput& in) {
  return Collector(in).run();
}

RecoveryCounts recovery_counts(const map::ObjectStats& sum) {
  RecoveryCounts c;
  c.copies = sum.num_object_copies;
  c.degraded = sum.num_objects_degraded;
  c.misplaced = sum.num_objects_misplaced;
  c.objects = sum.num_objects;
  c.unfound = sum.num_objects_unfound;
  return c;
}

std::string ratio_text(int64_t part, int64_t whole, const char* what) {
  if (!part) return "";
  return fmt::format("{}/{} objects {} ({:.3f}%)", part, whole, what,
                     whole ? 100.0 * part / whole : 0.0);
}

}  // namespace plimsoll::mon
