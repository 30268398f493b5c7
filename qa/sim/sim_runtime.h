// SPDX-License-Identifier: LGPL-2.1-or-later
// SimRuntime: the Runtime of one incarnation of a simulated host. Its executors are io_contexts
// that the driver polls. A killed incarnation is never polled again: its frames and objects stay as
// they were, for ever (world.h keeps them), so that no destructor runs in a world that has moved
// on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/rt/runtime.h"
#include "qa/sim/sim_disk.h"
#include "qa/sim/sim_kv.h"
#include "qa/sim/sim_net.h"

namespace plimsoll::sim {

/// What a host's disks hold; survives its incarnations.
struct HostStorage {
  std::map<std::string, std::string> files;
  std::set<std::string> locks;
  std::map<std::string, DiskImage> disks;
  std::map<std::string, KvImage> kvs;
  std::map<std::string, uint64_t> ballasts;  ///< bytes held
  uint64_t free_bytes = uint64_t{1} << 40;
  StorageFaults faults;

  void crash(Rng& rng);
};

class SimRuntime : public Runtime {
 public:
  SimRuntime(Schedule& schedule, Network& network, HostStorage& storage, std::string host,
             EntityAddr ip, Incarnation incarnation, size_t shards, Duration skew, Rng rng);

  Executor executor() override { return shard(0); }
  Executor shard(size_t index) override { return shards_.at(index)->get_executor(); }
  size_t shards() const override { return shards_.size(); }
  Clock& clock() override { return clock_; }
  Rng& rng() override { return rng_; }
  Net& net() override { return net_; }
  Task<Result<std::unique_ptr<BlockFile>>> open_block_file(std::string path,
                                                           BlockFileOptions options) override;
  Task<Result<std::unique_ptr<Kv>>> open_kv(std::string path, KvOptions options) override;
  Task<Result<std::unique_ptr<Ballast>>> open_ballast(std::string path,
                                                      std::optional<uint64_t> whole) override;
  Result<std::string> read_file(const std::string& path) override;
  Result<> write_file(const std::string& path, std::string_view content) override;
  Result<> remove_file(const std::string& path) override;
  Result<> make_dirs(const std::string&) override { return {}; }
  Result<std::unique_ptr<DirLock>> lock_dir(const std::string& dir) override;
  Result<uint64_t> host_free(const std::string&) override {
    return storage_.faults.host_full ? 0 : storage_.free_bytes;
  }
  uint64_t resident_bytes() override { return 0; }
  std::string host_name() override { return host_; }
  uint32_t process_id() override { return static_cast<uint32_t>(incarnation_) + 1000; }

  /// Runs one ready handler; false where there is none.
  bool poll_one();
  Incarnation incarnation() const { return incarnation_; }

 private:
  Schedule& schedule_;
  HostStorage& storage_;
  const std::string host_;
  const Incarnation incarnation_;
  Rng rng_;
  Rng disk_rng_;  ///< apart from rng_: the daemon's draws do not move the disk's
  std::vector<std::unique_ptr<boost::asio::io_context>> shards_;
  SimClock clock_;
  SimNet net_;
};

}  // namespace plimsoll::sim
