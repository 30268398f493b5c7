// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "mon/monitor.h"
#include "osd/osd.h"
#include "qa/sim/replica_check.h"

namespace plimsoll::sim {

namespace {

constexpr Duration kStartLimit = 60s;

Task<void> keep_result(Task<Result<>> task, Result<>& out) { out = co_await std::move(task); }

Task<void> make_once(SimDaemon& daemon, Result<>& out) {
  auto done = co_await daemon.run_once();
  if (!done) out = done.error();
}

}  // namespace

SimCluster::SimCluster(World& world, ClusterOptions options, Overseer& overseer)
    : world_(world), options_(options), overseer_(overseer) {
  world.add_host("mon.a");
  for (int i = 0; i < options.osds; i++)
    world.add_host(fmt::format("osd.{}", i), options.osd_shards);
  client_host_ = &world.add_host("client");
  mortal_host_ = &world.add_host("mortal");
  world.after_each_step([this](Host& host) {
    if (const auto it = osds_.find(&host); it != osds_.end())
      overseer_.look(host.name(), it->second->ledger());
  });
}

std::string SimCluster::conf() const {
  std::string out =
      "[global]\n"
      "fsid = 5eed0000-0000-4000-8000-000000000001\n"
      "auth_cluster_required = none\n"
      "auth_service_required = none\n"
      "auth_client_required = none\n"
      "osd_crush_chooseleaf_type = 0\n"
      "admin_socket =\n"
      "mon_data = /data/$name\n"
      "osd_data = /data/$name\n"
      "osd_block_size = 64M\n"
      "osd_block_journal_size = 1M\n"
      // Scenarios call OSDs down as often as they like.
      "osd_max_markdown_count = 100000\n";
  out += fmt::format("mon_host = v2:{}:3300\n", world_.host("mon.a").ip().ip_text());
  out += fmt::format("osd_shards = {}\n", options_.osd_shards);
  out += options_.conf;
  // In the CRUSH map a host is not named like an OSD.
  for (const auto& name : names())
    out += fmt::format("[{0}]\npublic_addr = {1}\ncrush_location = root=default host=of-{0}\n",
                       name, world_.host(name).ip().ip_text());
  return out;
}

std::vector<std::string> SimCluster::osd_names() const {
  std::vector<std::string> out;
  for (int i = 0; i < options_.osds; i++) out.push_back(fmt::format("osd.{}", i));
  return out;
}

std::vector<std::string> SimCluster::names() const {
  std::vector<std::string> out = osd_names();
  out.insert(out.begin(), "mon.a");
  return out;
}

config::Identity SimCluster::identity(const std::string& name) {
  config::Identity who;
  who.type = name.substr(0, name.find('.'));
  who.id = name.substr(name.find('.') + 1);
  return who;
}

daemon::Factory SimCluster::factory(const std::string& name) {
  if (identity(name).type == "mon")
    return [](daemon::Env& env) { return std::make_unique<mon::Monitor>(env); };
  return [this, host = &world_.host(name)](daemon::Env& env) {
    auto osd = std::make_unique<osd::Osd>(env);
    osd->set_watch(&overseer_);
    overseer_.begin(host->name(), std::stoi(identity(host->name()).id));
    osds_[host] = osd.get();
    return osd;
  };
}

void SimCluster::make_fs(const std::string& name) {
  Host& host = world_.host(name);
  SimRuntime& runtime = host.boot();
  const config::Identity who = identity(name);
  SimDaemon daemon(runtime, who, conf(), factory(name), {"mkfs"});
  Result<> result;
  world_.run(host, make_once(daemon, result), kStartLimit);
  CHECK_NOTE(result.has_value(), result ? "" : result.error().to_string().c_str());
  world_.run(host, daemon.stop(), kStartLimit);
  osds_.erase(&host);
}

void SimCluster::start(const std::string& name) {
  Host& host = world_.host(name);
  if (!host.is_up()) host.boot();
  const config::Identity who = identity(name);
  auto daemon = std::make_shared<SimDaemon>(host.runtime(), who, conf(), factory(name));
  host.hold(daemon);
  spawn_detached(host.runtime().executor(), daemon->start());
  daemons_[name] = std::move(daemon);
}

void SimCluster::kill(const std::string& name) {
  osds_.erase(&world_.host(name));
  world_.host(name).kill();
}

void SimCluster::stop(const std::string& name) {
  Host& host = world_.host(name);
  world_.run(host, daemons_.at(name)->stop(), 2 * daemon::kStopTimeout);
  osds_.erase(&host);
  daemons_.erase(name);
  host.shut_down();
}

std::vector<std::string> SimCluster::failures() const {
  std::vector<std::string> out;
  for (const auto& [name, daemon] : daemons_)
    if (daemon->failure()) out.push_back(name + ": " + *daemon->failure());
  return out;
}

bool SimCluster::create() {
  for (const auto& name : names()) make_fs(name);
  client_host_->boot();
  for (const auto& name : names()) start(name);
  if (!wait_all_up(kStartLimit)) return false;
  client_ = std::make_unique<SimClient>(client_host_->runtime(), conf());
  Result<> result;
  world_.run(*client_host_, keep_result(client_->rados.start(kStartLimit), result), kStartLimit);
  if (result) world_.run(*client_host_, keep_result(make_pool(), result), kStartLimit);
  if (!result) std::fprintf(stderr, "no pool: %s\n", result.error().to_string().c_str());
  return result.has_value();
}

bool SimCluster::wait_all_up(Duration limit) {
  auto all_up = [this] {
    for (const auto& [name, daemon] : daemons_)
      if (!daemon->up()) return false;
    return true;
  };
  return world_.run_until(all_up, limit);
}

Task<Result<>> SimCluster::run_command(std::string json, std::string* out) {
  auto& monitors = client_->rados.monitors();
  CO_TRY(reply, co_await monitors.command(std::move(json), Bytes(), kStartLimit / 2));
  if (reply.retval < 0) co_return fail(-reply.retval, reply.outs);
  if (out) *out = reply.outs + reply.outdata.to_string();
  co_return Result<>();
}

bool SimCluster::command(std::string json) {
  Result<> result;
  world_.run(*client_host_, keep_result(run_command(std::move(json)), result), kStartLimit);
  return result.has_value();
}

std::string SimCluster::pg_stat() {
  std::string out;
  Result<> result;
  std::string json = R"({"prefix": "pg stat"})";
  world_.run(*client_host_, keep_result(run_command(std::move(json), &out), result), kStartLimit);
  return result ? out : result.error().to_string();
}

bool SimCluster::is_clean() {
  return pg_stat().starts_with(fmt::format("{0} pgs: {0} active+clean;", options_.pg_num));
}

void SimCluster::replace_disk(const std::string& name) {
  Host& host = world_.host(name);
  const StorageFaults faults = host.storage.faults;
  host.storage = HostStorage();
  host.storage.faults = faults;
  make_fs(name);
  host.shut_down();
}

std::vector<std::string> SimCluster::check_maps() {
  Result<> result;
  auto& objecter = client_->rados.objecter();
  world_.run(*client_host_, keep_result(objecter.wait_for_latest_map(), result), kStartLimit);
  if (!result) return {"maps: the client gets none"};
  const Epoch ours = objecter.osdmap()->epoch, theirs = overseer_.maps().newest();
  if (ours >= theirs) return {};
  return {fmt::format("maps: OSDs came to epoch {}, the monitor has only {}", theirs, ours)};
}

std::vector<std::string> SimCluster::up_osds_but(const std::string& name) {
  std::vector<std::string> out = osd_names();
  std::erase_if(out, [&](const std::string& osd) { return osd == name || !is_up(osd); });
  return out;
}

bool SimCluster::each_pg_has_one_of(const std::vector<std::string>& osds) {
  Result<> result;
  auto& objecter = client_->rados.objecter();
  world_.run(*client_host_, keep_result(objecter.wait_for_latest_map(), result), kStartLimit);
  if (!result) return false;
  const map::OSDMap& map = *objecter.osdmap();
  return std::ranges::all_of(map.all_pgs(), [&](PgId pg) {
    return std::ranges::any_of(map.home(pg), [&](OsdId osd) {
      return std::ranges::count(osds, fmt::format("osd.{}", osd)) > 0;
    });
  });
}

std::vector<std::string> SimCluster::check_stores() {
  std::vector<std::string> wrong;
  const map::OSDMap map = *client_->rados.objecter().osdmap();
  std::map<OsdId, CopyOfStore> stores;
  for (const auto& name : osd_names()) stop(name);
  for (OsdId osd = 0; osd < options_.osds; osd++) {
    const std::string name = fmt::format("osd.{}", osd);
    stores[osd] = read_store(world_, world_.host(name), "/data/" + name, wrong);
  }
  for (auto& w : compare_replicas(map, pool_, stores)) wrong.push_back(std::move(w));
  return wrong;
}

Task<Result<>> SimCluster::make_pool() {
  std::string json = fmt::format(
      R"({{"prefix": "osd pool create", "pool": "p", "pg_num": {}, "pgp_num": {}, "size": {}}})",
      options_.pg_num, options_.pg_num, options_.pool_size);
  CO_TRY_VOID(co_await run_command(std::move(json)));
  CO_TRY_VOID(co_await client_->rados.objecter().wait_for_latest_map());
  const auto pool = client_->rados.objecter().osdmap()->find_pool("p");
  if (!pool) co_return fail(ENOENT, "the new pool is not in the map");
  pool_ = *pool;
  co_return Result<>();
}

void SimCluster::stop_client() {
  world_.run(*client_host_, client_->rados.stop(), kStartLimit);
  client_.reset();
}

}  // namespace plimsoll::sim
