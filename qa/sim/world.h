// SPDX-License-Identifier: LGPL-2.1-or-later
// World: the driver. Hosts run in one thread under one seed: tasks that are ready run first, host
// by host in an order drawn from the seed; when none is ready, time jumps to the next event. A host
// is killed whole (its disks crash, its streams reset) and booted again with what its disks hold.
// Daemons that end in order are stopped by their own stop(); only those are destroyed. One World at
// a time: it takes the process's log sink.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/log/log.h"
#include "qa/sim/sim_runtime.h"

namespace plimsoll::sim {

class World;

class Host {
 public:
  Host(World& world, std::string name, EntityAddr ip, size_t shards)
      : world_(world), name_(std::move(name)), ip_(ip), shards_(shards) {}

  /// A fresh incarnation; the host must be down.
  SimRuntime& boot();
  bool is_up() const { return runtime_ != nullptr; }
  SimRuntime& runtime() { return *runtime_; }
  /// What runs here; it is kept with the incarnation.
  void hold(std::shared_ptr<void> daemon) { held_.push_back(std::move(daemon)); }
  /// From outside of this host's tasks.
  void kill();
  /// After the daemons' own stop(): destroys them and the incarnation.
  void shut_down();

  const std::string& name() const { return name_; }
  const EntityAddr& ip() const { return ip_; }
  HostStorage storage;

 private:
  World& world_;
  const std::string name_;
  const EntityAddr ip_;
  const size_t shards_;
  std::unique_ptr<SimRuntime> runtime_;
  std::vector<std::shared_ptr<void>> held_;
};

class World {
 public:
  explicit World(uint64_t seed);
  ~World();
  World(const World&) = delete;

  Host& add_host(const std::string& name, size_t shards = 1);
  Host& host(const std::string& name);
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }

  /// Until `done()` holds; false where that takes longer than `limit` of virtual time.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration duration);
  /// Runs `task` on `host` to its end; it must end within `limit`.
  void run(Host& host, Task<void> task, Duration limit = 3600s);

  Schedule& schedule() { return schedule_; }
  Network& network() { return network_; }
  Rng& rng() { return rng_; }
  /// By how much wall clocks of what boots from now on are off at most, either way.
  Duration clock_skew = 50ms;
  EventHash& hash() { return schedule_.hash(); }
  /// Calls `look` whenever a task of a host has made a step.
  void after_each_step(std::function<void(Host&)> look) { after_step_ = std::move(look); }
  /// Lines of severity error so far, which no scenario expects unless it says so.
  size_t errors() const;
  /// Writes every line with its virtual time to stderr.
  void set_verbose(bool verbose);

 private:
  friend class Host;
  class LogSink;
  /// Runs everything that is ready now.
  void settle();

  Rng rng_;
  Schedule schedule_;
  Network network_;
  Incarnation next_incarnation_ = 1;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::unique_ptr<LogSink> log_;
  std::function<void(Host&)> after_step_;
};

}  // namespace plimsoll::sim
