// SPDX-License-Identifier: LGPL-2.1-or-later
// SimCluster: monitors and OSDs of one cluster, each on a host of its own, a client whose host is
// never killed, and a host for one that is. Daemons are named as in Ceph ("mon.a", "osd.0"); so are
// their hosts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qa/sim/overseer.h"
#include "qa/sim/sim_client.h"
#include "qa/sim/sim_daemon.h"

namespace plimsoll::osd {
class Osd;
}

namespace plimsoll::sim {

struct ClusterOptions {
  int osds = 3;
  size_t osd_shards = 1;
  int pool_size = 3;
  int pg_num = 8;
  std::string conf;  ///< more lines of [global]
};

class SimCluster {
 public:
  /// `overseer` sees every step of the OSDs.
  SimCluster(World& world, ClusterOptions options, Overseer& overseer);

  /// mkfs and start of everything, a client, a pool; false where that does not come up in time.
  bool create();
  /// All daemons are up and the client's operations can go through again.
  bool wait_all_up(Duration limit);

  void kill(const std::string& name);
  void start(const std::string& name);
  void stop(const std::string& name);
  /// A new disk with a new store for an OSD that is down.
  void replace_disk(const std::string& name);
  /// A monitor's command; false where it fails.
  bool command(std::string json);
  /// What `ceph pg stat` tells.
  std::string pg_stat();
  /// Every PG is active+clean, by that.
  bool is_clean();
  /// The client's map, which is the monitor's, against what OSDs came to.
  std::vector<std::string> check_maps();
  std::vector<std::string> up_osds_but(const std::string& name);
  /// By the monitor's newest map: each PG has a member of its home among these.
  bool each_pg_has_one_of(const std::vector<std::string>& osds);
  /// Stops all OSDs in order and reads their stores: what fsck finds, and replicas that differ.
  std::vector<std::string> check_stores();
  bool is_up(const std::string& name) { return world_.host(name).is_up(); }
  std::vector<std::string> names() const;
  std::vector<std::string> osd_names() const;
  /// It runs no more, and nobody stopped it.
  bool ended(const std::string& name) const { return daemons_.at(name)->failure().has_value(); }
  /// Daemons that ended by themselves, and why.
  std::vector<std::string> failures() const;

  World& world() { return world_; }
  Host& client_host() { return *client_host_; }
  rados::RadosClient& client() { return client_->rados; }
  Host& mortal_host() { return *mortal_host_; }
  /// ceph.conf.
  std::string conf() const;
  PoolId pool() const { return pool_; }
  /// Ends the client in order.
  void stop_client();

 private:
  daemon::Factory factory(const std::string& name);
  static config::Identity identity(const std::string& name);
  void make_fs(const std::string& name);
  Task<Result<>> run_command(std::string json, std::string* out = nullptr);
  Task<Result<>> make_pool();

  World& world_;
  const ClusterOptions options_;
  Overseer& overseer_;
  std::map<std::string, std::shared_ptr<SimDaemon>> daemons_;
  std::map<const Host*, const osd::Osd*> osds_;  ///< that run
  Host* client_host_ = nullptr;
  Host* mortal_host_ = nullptr;
  std::unique_ptr<SimClient> client_;
  PoolId pool_ = -1;
};

}  // namespace plimsoll::sim
