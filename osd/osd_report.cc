// SPDX-License-Identifier: LGPL-2.1-or-later
// What the monitor hears of us: space and PG statistics, soon after a state changed, else every
// second as far as something changed, and everything now and then or to a new session.
#include <fmt/format.h>

#include <algorithm>

#include "osd/osd.h"

namespace plimsoll::osd {

namespace {

constexpr Duration kCoalesce = 30ms;
constexpr Duration kInterval = 1s;
/// Where a pool has a quota: what is written between two reports can be above it.
constexpr Duration kQuotaInterval = 200ms;

bool any_quota(const map::OSDMap& map) {
  return std::any_of(map.pools.begin(), map.pools.end(), [](const auto& p) {
    return p.second.quota_max_bytes || p.second.quota_max_objects;
  });
}

map::StoreStatfs on_wire(const StoreStatfs& s) {
  map::StoreStatfs out;
  out.total = s.total;
  out.available = s.available;
  out.internally_reserved = s.internally_reserved;
  out.allocated = static_cast<int64_t>(s.allocated);
  out.data_stored = static_cast<int64_t>(s.data_stored);
  out.omap_allocated = static_cast<int64_t>(s.omap_allocated);
  out.internal_metadata = static_cast<int64_t>(s.internal_metadata);
  return out;
}

}  // namespace

std::map<PgId, map::PgAllocated> Osd::pg_allocated() const {
  std::map<PgId, map::PgAllocated> out;
  for (const auto& [pg, s] : store_->collection_statfs())
    out.emplace_hint(out.end(), pg,
                     map::PgAllocated{s.allocated, s.omap_allocated + s.internal_metadata});
  return out;
}

map::OsdStat Osd::osd_stat() {
  const StoreStatfs s = store_->statfs();
  map::OsdStat stat;
  stat.osd = whoami_;
  stat.up_from = up_ ? maps_.current()->osd_info[whoami_].up_from : 0;
  stat.seq = uint64_t{stat.up_from} << 32 | (++stat_seq_ & 0xffffffff);
  stat.num_pgs = static_cast<uint32_t>(env_.counters.get(metrics::Counter::osd_numpg));
  stat.statfs = on_wire(s);
  stat.pg_allocated = pg_allocated();
  if (maps_.current())
    for (OsdId osd : maps_.current()->osds())
      if (osd != whoami_ && maps_.current()->is_up(osd)) stat.hb_peers.push_back(osd);
  using metrics::Counter;
  env_.counters.set(Counter::osd_stat_bytes, s.total);
  env_.counters.set(Counter::osd_stat_bytes_used, s.total - s.available);
  env_.counters.set(Counter::osd_stat_bytes_avail, s.available);
  return stat;
}

/// The first quota ends the longer wait.
void Osd::note_quotas(const map::OSDMap& map) {
  const bool had = std::exchange(quotas_, any_quota(map));
  if (quotas_ && !had) report_now_.set();
}

Task<void> Osd::report_loop() {
  const Duration whole =
      std::chrono::seconds(std::max<int64_t>(env_.config.osd_mon_report_interval(), 1));
  TimePoint last_whole{};
  for (;;) {
    const Duration interval = quotas_ ? kQuotaInterval : kInterval;
    Timer timer = env_.runtime.clock().call_after(env_.runtime.executor(), interval,
                                                  [this] { report_now_.set(); });
    co_await report_now_.wait();
    co_await env_.runtime.clock().sleep(kCoalesce);

    report_now_.reset();
    state_report_wanted_ = false;
    if (!up_ || !mon_->has_session()) continue;
    const TimePoint now = env_.runtime.clock().now();
    const bool all = std::exchange(report_all_, false) || now - last_whole >= 10 * whole;
    if (all) last_whole = now;
    co_await report(all);
  }
}

void Osd::cluster_error(std::string text) {
  post(env_.runtime.executor(), [this, text = std::move(text)]() mutable {
    if (stopping_) return;
    msg::LogEntry line;
    line.stamp = env_.runtime.clock().wall();
    line.name = fmt::format("osd.{}", whoami_);
    line.addr = messenger_->addr();
    line.seq = ++cluster_lines_;
    line.level = msg::LogEntry::kError;
    line.text = std::move(text);
    log_.warn("cluster log: {}", line.text);
    msg::MLog m;
    m.fsid = maps_.superblock().fsid;
    m.entries.push_back(std::move(line));
    if (mon_->has_session()) mon_->send(msg::to_raw(m));
  });
}

Task<uint64_t> Osd::report(bool all) {
  auto found = std::make_shared<std::vector<map::PgStat>>();
  const auto each = [found, all](PgShard& s) {
    for (auto& stat : s.stats(all)) found->push_back(std::move(stat));
  };
  co_await on_shards(each);
  msg::MOsdStats m;
  m.fsid = maps_.superblock().fsid;
  m.osd = whoami_;
  m.epoch = maps_.epoch();
  m.stat = osd_stat();
  m.pgs = std::move(*found);
  mon_->send(msg::to_raw(m));
  co_return m.stat.seq;
}

}  // namespace plimsoll::osd
