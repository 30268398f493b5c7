// SPDX-License-Identifier: LGPL-2.1-or-later
// Epochs: each goes into the store, to every shard in order, and to the clients. Until a map says
// that this incarnation is up, shards see none: an older map would make PGs act on what was true
// before the restart.
#include <fmt/format.h>

#include "common/daemon/host_info.h"
#include "common/map/mon_map.h"
#include "osd/osd.h"
#include "osd/store/format.h"

namespace plimsoll::osd {

bool Osd::map_says_up(const map::OSDMap& map) const {
  return map.is_up(whoami_) && map.client_addrs[whoami_].msgr2() == messenger_->addr();
}

void Osd::on_osdmap(const msg::MOSDMap& m) {
  env_.counters.inc(metrics::Counter::osd_map_messages);
  MapStore::Step step = maps_.apply(m);
  env_.counters.inc(metrics::Counter::osd_map_message_epochs, step.maps.size());
  if (step.error) {
    log_.error("osdmap: {}", step.error->text());
    map_error_ = step.error->text();
    // A damaged message is asked for again; another cluster's monitor is a mistake of the operator.
    if (m.fsid != maps_.superblock().fsid && have_map_.is_set()) return env_.exit(1, map_error_);
  }
  mon_->got("osdmap", maps_.epoch());
  if (step.gap) mon_->subscribe("osdmap", maps_.epoch() ? maps_.epoch() + 1 : 0);
  if (!step.maps.empty()) {
    tasks_.spawn(store_maps(std::move(step.txn)));
    for (const MapRef& map : step.maps) take_map(map);
    push_maps();
  }
  have_map_.set();
  new_map_.notify_all();
}

Task<void> Osd::store_maps(Transaction txn) {
  auto done = co_await store_->commit(std::move(txn));
  if (!done) fatal(done.error());
}

void Osd::take_map(const MapRef& map) {
  const bool up = map_says_up(*map);
  if (up && !up_) {
    log_.info("up since epoch {}", map->epoch);
    was_up_ = true;
    report_all_ = true;
    report_now_.set();
  }
  const bool fell = up_ && !up;
  up_ = up;
  if (!was_up_) return;
  for (OsdId osd = 0; osd < map->max_osd; osd++) {
    // What our own shards have borrowed stays valid when a map calls us down.
    if (map->is_up(osd) || osd == whoami_) continue;
    peers_->forget(osd);
    lender_.forget(osd);
    std::erase_if(applicants_, [osd](const Applicant& a) { return a.who.osd == osd; });
  }
  if (up) watch_neighbors(*map);
  set_ratios(*map);
  note_quotas(*map);
  post_shards([map](PgShard& s) { s.on_map(map); });
  if (fell && !stopping_ && !goodbye_) called_down(map->epoch);
}

void Osd::watch_neighbors(const map::OSDMap& map) {
  const NeighborRules rules{env_.config.osd_heartbeat_min_peers(),
                            env_.config.mon_osd_min_down_reporters(),
                            env_.config.mon_osd_reporter_subtree_level()};
  for (const OsdId osd : heartbeat_neighbors(map, whoami_, rules))
    peers_->watch(osd, map.cluster_addrs[osd].msgr2());
}

void Osd::called_down(Epoch epoch) {
  const auto most = static_cast<size_t>(env_.config.osd_max_markdown_count());
  const auto seconds = env_.config.osd_max_markdown_period();
  if (!flapping_.called_down(env_.runtime.clock().now(), most, std::chrono::seconds(seconds))) {
    log_.warn("map {} says that this OSD is down; it boots again", epoch);
    return send_boot();
  }
  const std::string why = fmt::format(
      "marked down more than osd_max_markdown_count {} times in {} seconds, shutting down", most,
      seconds);
  log_.error("{}", why);
  env_.exit(1, why);
}

// ---- up and down --------------------------------------------------------------------------------

void Osd::mon_session() {
  report_all_ = true;
  report_now_.set();
  send_boot();
}

std::map<std::string, std::string> Osd::metadata() {
  std::map<std::string, std::string> all = daemon::host_info(env_.runtime);
  all["osd_data"] = env_.config.osd_data();
  all["osd_objectstore"] = env_.config.osd_objectstore();
  // Tools that move data round sizes to it; they know it by this name.
  all["bluestore_min_alloc_size"] = std::to_string(kBlock);
  all["osdspec_affinity"] = "";
  // One address for everything, and one disk for data and journal.
  const Result<std::string> routes = env_.runtime.read_file("/proc/net/route");
  const std::string interface =
      routes ? daemon::interface_of(*routes, messenger_->addr()) : std::string();
  all["front_iface"] = all["back_iface"] = interface;
  all["network_numa_unknown_ifaces"] = "back_iface,front_iface";
  all.merge(daemon::disk_info(env_.runtime, env_.config.osd_data()));
  if (all.contains("devices")) {
    all["journal_rotational"] = all["rotational"];
    all["objectstore_numa_unknown_devices"] = all["devices"];
    // Serial numbers and stable paths would need the host's device manager.
    all["device_ids"] = all["device_paths"] = "";
  }
  const OsdSuperblock& superblock = maps_.superblock();
  if (!superblock.created.is_zero()) {
    all["created_at"] = map::zulu(superblock.created);
    all["ceph_version_when_created"] = superblock.created_by;
  }
  return all;
}

/// Repeated until the map shows us up.
void Osd::send_boot() {
  constexpr Duration kAgain = 2s;
  if (stopping_ || !maps_.current() || up_ || goodbye_) return;
  msg::MOsdBoot m;
  m.fsid = maps_.superblock().fsid;
  m.osd_uuid = maps_.superblock().osd_uuid;
  m.osd = whoami_;
  m.addr = messenger_->addr();
  m.newest_map = maps_.epoch();
  m.total_bytes = store_->statfs().total;
  m.host = env_.runtime.host_name();
  m.device_class = env_.config.osd_class_update_on_start() ? "hdd" : "";
  set_ratios(*maps_.current());
  m.fullness = fullness_.state();
  m.metadata = metadata();
  if (env_.config.osd_crush_update_on_start()) {
    m.metadata["crush_location"] = env_.config.crush_location();
    if (const double weight = env_.config.osd_crush_initial_weight(); weight >= 0)
      m.metadata["osd_crush_initial_weight"] = std::to_string(weight);
  }
  mon_->send(msg::to_raw(m));
  boot_retry_ =
      env_.runtime.clock().call_after(env_.runtime.executor(), kAgain, [this] { send_boot(); });
}

void Osd::report_unreachable(OsdId osd, const EntityAddr& addr, bool refused, Duration silent) {
  if (stopping_ || !mon_->has_session() || !maps_.current() || !maps_.current()->is_up(osd)) return;
  msg::MOsdUnreachable m;
  m.fsid = maps_.superblock().fsid;
  m.osd = osd;
  m.addr = addr;
  m.refused = refused;
  m.seconds =
      static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(silent).count());
  mon_->send(msg::to_raw(m));
}

/// Lets the monitor mark us down, so that nobody has to find out.
Task<void> Osd::say_goodbye() {
  constexpr double kMost = 2;
  const std::chrono::duration<double> patience(
      std::min(kMost, env_.config.osd_mon_shutdown_timeout()));
  goodbye_ = std::make_shared<OneShot<Result<Epoch>>>();
  msg::MOsdMarkMeDown m;
  m.fsid = maps_.superblock().fsid;
  m.osd = whoami_;
  m.addr = messenger_->addr();
  m.epoch = maps_.epoch();
  mon_->send(msg::to_raw(m));
  auto down = co_await wait_for(env_.runtime.clock(), goodbye_,
                                std::chrono::duration_cast<Duration>(patience),
                                "the monitor's consent to stop");
  if (!down) log_.warn("stops without the monitor's consent: {}", down.error().to_string());
}

bool Osd::on_mon_message(const msg::RawMessage& raw) {
  if (raw.type != msg::MOsdMarkMeDownAck::kType) return false;
  auto m = msg::parse<msg::MOsdMarkMeDownAck>(raw);
  if (m && goodbye_) goodbye_->set(m->epoch);
  return true;
}

}  // namespace plimsoll::osd
