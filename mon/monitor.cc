// SPDX-License-Identifier: LGPL-2.1-or-later
// Start, stop and the periodic work; the messages are in monitor_messages.cc.
#include "mon/monitor.h"

#include <fmt/format.h>

#include "common/daemon/host_info.h"
#include "mon/mkfs.h"

namespace plimsoll::mon {

using metrics::Counter;

Monitor::Monitor(daemon::Env& env)
    : env_(env),
      log_(log::Subsystem::kMon, env.config.who().name()),
      data_(env.config.mon_data()),
      ops_(env.runtime.clock(), env.config),
      tasks_(env.runtime.executor()) {
  add_commands(commands_);
}

Monitor::~Monitor() = default;

std::vector<config::ProgramFlag> Monitor::flags() {
  return {
      {"mkfs", "", "Create the monitor's data directory and the cluster's first maps, and exit"}};
}

Task<Result<bool>> Monitor::run_once() {
  if (!env_.arguments.has_flag("mkfs")) co_return false;
  CO_TRY_VOID(co_await mkfs(env_.runtime, env_.config));
  co_return true;
}

Task<Result<>> Monitor::open_store() {
  if (!env_.runtime.read_file(data_ + "/fsid"))
    co_return fail(ENOENT, data_ + " holds no monitor: run with --mkfs first");
  CO_TRY(kv, co_await env_.runtime.open_kv(data_ + "/store.db", store_options(false)));
  kv_ = std::move(kv);
  consensus_ = std::make_unique<SingleLog>(env_.runtime.executor(), *kv_);
  CO_TRY_VOID(co_await consensus_->start());
  services_ = std::make_unique<Services>(env_.runtime, env_.config, *consensus_);
  CO_TRY_VOID(co_await services_->load());
  const Uuid conf = env_.config.fsid_value();
  if (!conf.is_zero() && conf != services_->monmap.fsid)
    co_return fail(EINVAL, fmt::format("{} belongs to cluster {}, the conf says {}", data_,
                                       services_->monmap.fsid.to_string(), conf.to_string()));
  services_->host_metadata = daemon::host_info(env_.runtime);
  co_return Result<>();
}

Result<> Monitor::bind() {
  const int rank = services_->monmap.rank_of(services_->name);
  if (rank < 0) return fail(ENOENT, "mon." + services_->name + " is not in the monitor map");
  const EntityAddr addr =
      services_->monmap.by_rank(static_cast<size_t>(rank))->public_addrs.msgr2();
  const auto assign = [this] { return services_->auth.next_global_id(); };
  auth_ = std::make_unique<messenger::AuthNone>(EntityType::kMon, services_->name, assign);
  const EntityName self{EntityType::kMon, rank};
  messenger_ = std::make_unique<messenger::Messenger>(env_.runtime, env_.config, self, *auth_);
  messenger_->set_dispatcher(this);
  TRY_VOID(start_manager(addr));
  TRY(bound, messenger_->bind(addr));
  services_->log.set_addr(bound);
  return {};
}

/// Before the first client: it is told where the manager is.
Result<> Monitor::start_manager(const EntityAddr& addr) {
  const auto answer = [this](messenger::ConnectionRef c, std::vector<std::string> cmd, Bytes data) {
    return answer_command(std::move(c), std::move(cmd), std::move(data));
  };
  manager_ = std::make_unique<Manager>(env_.runtime, env_.config, services_->name,
                                       services_->auth.next_global_id(), answer);
  TRY_VOID(manager_->bind(addr));
  services_->mgrmap = manager_->map();
  return {};
}

Task<Result<>> Monitor::start() {
  CO_TRY_VOID(co_await open_store());
  sessions_ = std::make_unique<Sessions>(*services_);
  services_->on_osdmap = [this](const map::OSDMap& before) {
    sessions_->publish_osdmap(before);
    update_counters();
  };
  services_->settings.on_change = [this] {
    apply_own_config();
    sessions_->publish_config();
  };
  apply_own_config();
  add_admin_commands();
  CO_TRY_VOID(bind());
  update_counters();
  tasks_.spawn(tick_loop());
  services_->log.debug(
      fmt::format("monmap e{}: {} mons", services_->monmap.epoch, services_->monmap.mons.size()));
  log_.info("mon.{} serves cluster {} at osdmap epoch {}", services_->name,
            services_->monmap.fsid.to_string(), services_->osd.epoch());
  co_return Result<>();
}

Task<void> Monitor::stop() {
  if (manager_) co_await manager_->stop();
  if (messenger_) co_await messenger_->stop();
  co_await tasks_.stop();
  if (services_) co_await services_->stop();
  if (consensus_) co_await consensus_->stop();
  if (kv_) co_await kv_->close();
  kv_.reset();
}

Task<void> Monitor::tick_loop() {
  while (true) {
    // OSDs are watched more closely than Ceph's tick of mon_tick_interval does: it costs little.
    co_await env_.runtime.clock().sleep(1s);
    co_await services_->tick();
    update_counters();
  }
}

void Monitor::apply_own_config() {
  std::map<std::string, std::string> values;
  for (const auto& [name, entry] : services_->settings.effective("mon." + services_->name))
    values[name] = entry.value;
  env_.config.apply_mon(values);
}

void Monitor::update_counters() {
  metrics::Counters& c = env_.counters;
  const map::OSDMap& map = services_->osd.map();
  const map::PgMap& pgs = services_->stats.pg_map();
  const map::OsdStat space = pgs.osd_sum();
  const map::ObjectStats objects = pgs.pg_sum().stats;
  c.set(Counter::cluster_num_mon, services_->monmap.mons.size());
  c.set(Counter::cluster_num_mon_quorum, 1);
  c.set(Counter::cluster_num_osd, static_cast<uint64_t>(map.num_osds()));
  c.set(Counter::cluster_num_osd_up, static_cast<uint64_t>(map.num_up_osds()));
  c.set(Counter::cluster_num_osd_in, static_cast<uint64_t>(map.num_in_osds()));
  c.set(Counter::cluster_osd_epoch, map.epoch);
  c.set(Counter::cluster_osd_bytes, space.statfs.total);
  c.set(Counter::cluster_osd_bytes_used, space.statfs.used_raw());
  c.set(Counter::cluster_osd_bytes_avail, space.statfs.available);
  c.set(Counter::cluster_num_pool, map.pools.size());
  c.set(Counter::cluster_num_pg, map.num_pgs());
  uint64_t active = 0, clean = 0, peering = 0;
  for (const auto& [state, n] : pgs.count_by_state()) {
    if (state & map::kPgActive) active += n;
    if ((state & map::kPgActive) && (state & map::kPgClean)) clean += n;
    if (state & map::kPgPeering) peering += n;
  }
  c.set(Counter::cluster_num_pg_active, active);
  c.set(Counter::cluster_num_pg_active_clean, clean);
  c.set(Counter::cluster_num_pg_peering, peering);
  c.set(Counter::cluster_num_object, static_cast<uint64_t>(objects.num_objects));
  c.set(Counter::cluster_num_object_degraded, static_cast<uint64_t>(objects.num_objects_degraded));
  c.set(Counter::cluster_num_object_misplaced,
        static_cast<uint64_t>(objects.num_objects_misplaced));
  c.set(Counter::cluster_num_object_unfound, static_cast<uint64_t>(objects.num_objects_unfound));
  c.set(Counter::cluster_num_bytes, static_cast<uint64_t>(objects.num_bytes));
  c.set(Counter::mon_num_sessions, sessions_->size());
}

}  // namespace plimsoll::mon
