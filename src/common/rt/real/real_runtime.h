// SPDX-License-Identifier: LGPL-2.1-or-later
// RealRuntime: the Runtime of processes. One io_context and one thread per shard; shard 0 is also
// executor() and runs on the thread that calls run(). A small pool serves calls that block.
// Everything built on it must be gone before it is destroyed; destruction drops what is still
// queued.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/rt/real/real_clock.h"
#include "common/rt/real/tcp_net.h"
#include "common/rt/real/thread_pool.h"
#include "common/rt/runtime.h"

namespace plimsoll::real {

struct RealOptions {
  size_t shards = 1;
  size_t pool_threads = 4;
};

class RealRuntime : public Runtime {
 public:
  explicit RealRuntime(RealOptions options = {});
  ~RealRuntime() override;

  /// Serves until stop(); shards other than 0 run on threads of their own meanwhile.
  void run();
  /// From any thread.
  void stop();
  /// Runs `task` on executor() and serves until it has ended: tools and tests.
  void run(Task<void> task);
  /// Calls `fn` on executor() each time one of `signals` arrives, instead of the default action.
  void on_signal(std::vector<int> signals, std::function<void(int)> fn);

  Executor executor() override { return shard(0); }
  Executor shard(size_t index) override;
  size_t shards() const override { return shards_.size(); }
  void busy_poll(size_t index, TimePoint until) override;
  void give_way() override;
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
  Result<> make_dirs(const std::string& path) override;
  Result<std::unique_ptr<DirLock>> lock_dir(const std::string& dir) override;
  Result<uint64_t> host_free(const std::string& path) override;
  uint64_t resident_bytes() override;
  std::string host_name() override;
  uint32_t process_id() override;

 private:
  struct Shard;
  struct Signals;

  void serve(Shard& shard);

  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Signals>> signals_;
  RealClock clock_;
  Rng rng_;
  TcpNet net_;

 protected:
  ThreadPool pool_;
};

}  // namespace plimsoll::real
