// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/stats_service.h"

namespace plimsoll::mon {

using map::ObjectStats;
using map::PgStat;

namespace {

int64_t per_second(int64_t before, int64_t after, double seconds) {
  // Counters go back when a PG's primary restarts; that is no traffic.
  return after > before ? static_cast<int64_t>((after - before) / seconds) : 0;
}

ObjectStats rate_between(const ObjectStats& a, const ObjectStats& b, double seconds) {
  ObjectStats r;
  r.num_read = per_second(a.num_read, b.num_read, seconds);
  r.num_read_kb = per_second(a.num_read_kb, b.num_read_kb, seconds);
  r.num_write = per_second(a.num_write, b.num_write, seconds);
  r.num_write_kb = per_second(a.num_write_kb, b.num_write_kb, seconds);
  r.num_objects_recovered = per_second(a.num_objects_recovered, b.num_objects_recovered, seconds);
  r.num_bytes_recovered = per_second(a.num_bytes_recovered, b.num_bytes_recovered, seconds);
  r.num_keys_recovered = per_second(a.num_keys_recovered, b.num_keys_recovered, seconds);
  return r;
}

}  // namespace

void StatsService::on_map(const map::OSDMap& map) {
  auto& pgs = pg_map_.pgs;
  std::erase_if(pgs, [&](const auto& p) { return !map.pg_exists(p.first); });
  for (const PgId pg : map.all_pgs()) {
    auto [it, added] = pgs.try_emplace(pg);
    PgStat& s = it->second;
    if (added) {
      const map::PgMapping where = map.map_pg(pg);
      s.pgid = pg;
      s.created = map.epoch;
      s.up = where.up;
      s.acting = where.acting;
      s.up_primary = where.up_primary;
      s.acting_primary = where.acting_primary;
      s.last_fresh = s.last_change = s.last_active = s.last_peered = s.last_clean = s.last_unstale =
          s.last_undegraded = s.last_fullsized = clock_.wall();
    } else if (s.state && s.acting_primary != kNoOsd && map.is_down(s.acting_primary)) {
      // Somebody else may lead it now, and has not said so yet.
      if (!(s.state & map::kPgStale)) s.last_change = clock_.wall();
      s.state |= map::kPgStale;
    }
  }
  std::erase_if(pg_map_.osds, [&](const auto& o) { return !map.exists(o.first); });
  pg_map_.last_osdmap_epoch = map.epoch;
  pg_map_.stamp = clock_.wall();
  pg_map_.version++;
}

Result<> StatsService::report(const map::OSDMap& map, msg::MOsdStats report) {
  if (!map.exists(report.osd)) return fail(ENOENT, "report of an unknown OSD");
  report.stat.osd = report.osd;
  pg_map_.osds[report.osd] = std::move(report.stat);
  for (PgStat& s : report.pgs) {
    const auto it = pg_map_.pgs.find(s.pgid);
    if (it == pg_map_.pgs.end()) continue;
    PgStat& have = it->second;
    // An old primary's last words must not hide what the new one said.
    const bool newer = std::tie(s.reported_epoch, s.reported_seq) >=
                       std::tie(have.reported_epoch, have.reported_seq);
    if (!newer && have.acting_primary != report.osd) continue;
    if (map.is_down(report.osd)) s.state |= map::kPgStale;
    have = std::move(s);
  }
  pg_map_.stamp = clock_.wall();
  pg_map_.version++;
  return {};
}

void StatsService::tick() {
  Point p;
  p.at = clock_.now();
  for (const auto& [pool, s] : pg_map_.pool_stats()) {
    p.pools[pool] = s.stats;
    p.sum += s.stats;
  }
  progress_.update(p.sum.num_objects_degraded + p.sum.num_objects_misplaced, p.at);
  points_.push_back(std::move(p));
  while (points_.size() > 2 && points_.back().at - points_.front().at > kRateWindow)
    points_.pop_front();
  refresh_rates();
}

void StatsService::refresh_rates() {
  rate_ = {};
  pool_rates_.clear();
  if (points_.size() < 2) return;
  const Point& a = points_.front();
  const Point& b = points_.back();
  const double seconds = std::chrono::duration<double>(b.at - a.at).count();
  if (seconds <= 0) return;
  pg_map_.delta = {};
  pg_map_.delta.stats = b.sum;
  pg_map_.delta.stats -= a.sum;
  pg_map_.delta_stamp = Utime::from_nanos((b.at - a.at).count());
  for (const auto& [pool, after] : b.pools) {
    const auto before = a.pools.find(pool);
    if (before == a.pools.end()) continue;
    const ObjectStats r = rate_between(before->second, after, seconds);
    pool_rates_[pool] = r;
    rate_ += r;
  }
}

ObjectStats StatsService::pool_rate(PoolId pool) const {
  const auto it = pool_rates_.find(pool);
  return it == pool_rates_.end() ? ObjectStats{} : it->second;
}

}  // namespace plimsoll::mon
