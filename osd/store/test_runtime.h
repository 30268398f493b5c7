// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests of the store: a Runtime whose disk forgets. Every disk and kv operation waits until the
// test's scheduler picks it, in random order, so that a run can be stopped after any step; crash()
// then keeps, loses or tears what was not synced, and a new FaultRuntime on the same FaultDisk
// finds what a real one would. One thread, no sockets.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>
#include <set>

#include "common/rt/runtime.h"
#include "common/rt/task_group.h"

namespace plimsoll::osd {

struct FaultDisk {
  struct Write {
    uint64_t id;
    uint64_t offset;
    std::vector<Bytes> pieces;
    bool returned = false;
  };
  struct File {
    std::string durable;
    std::string current;  ///< what reads see
    std::list<Write> unsynced;
  };
  struct KvImage {
    std::map<std::string, std::string> durable;
    std::map<std::string, std::string> current;  ///< what reads see
    std::deque<KvBatch> applied;                 ///< in current, not in durable
    std::deque<KvBatch> ordered;                 ///< under way
    /// Makes all applied but the last `without` durable.
    void sync(size_t without = 0);
  };
  std::map<std::string, File> files;
  uint64_t next_write = 0;
  std::map<std::string, KvImage> kvs;
  std::map<std::string, uint64_t> ballasts;  ///< bytes held
  std::set<std::string> dirs;
  std::set<std::string> locked;

  /// What the host has free. Batches take of it, ballasts give to it and take back.
  uint64_t host_free = uint64_t{1} << 40;
  bool sparse_files = false;  ///< writes to files take of it too

  // Faults: the n-th next operation fails, 0 never.
  uint64_t fail_write_in = 0;
  uint64_t fail_sync_in = 0;
  uint64_t fail_durable_in = 0;  ///< of write_durable()
  uint64_t fail_kv_in = 0;       ///< of commit(), apply() and sync()
  // Counted.
  uint64_t syncs = 0;
  uint64_t durable_writes = 0;
  uint64_t commits = 0;

  void crash(Rng& rng);
};

class FaultRuntime : public Runtime {
 public:
  FaultRuntime(FaultDisk& disk, uint64_t seed);
  ~FaultRuntime() override;

  /// Lets one waiting operation finish, or, where none waits, time pass to the next timer. False
  /// where there is nothing left.
  bool step();
  /// Runs what is ready, up to where it waits.
  void poll();
  /// Runs `task` to its end; other tasks go on meanwhile.
  template <class T>
  T run(Task<T> task);
  /// An operation's wait for its turn.
  Task<void> turn();

  Executor executor() override { return io_.get_executor(); }
  Executor shard(size_t) override { return executor(); }
  size_t shards() const override { return 1; }
  Clock& clock() override;
  Rng& rng() override { return rng_; }
  Net& net() override;
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
  Result<uint64_t> host_free(const std::string&) override { return disk_.host_free; }
  uint64_t resident_bytes() override { return 0; }
  std::string host_name() override { return "test"; }
  uint32_t process_id() override { return 1; }

 private:
  class VirtualClock;
  FaultDisk& disk_;
  boost::asio::io_context io_;
  Rng rng_;
  std::unique_ptr<VirtualClock> clock_;
  std::vector<std::shared_ptr<Event>> waiting_;
};

template <class T>
T FaultRuntime::run(Task<T> task) {
  auto out = std::make_shared<std::optional<T>>();
  auto body = [](Task<T> inner, std::shared_ptr<std::optional<T>> into) -> Task<void> {
    into->emplace(co_await std::move(inner));
  };
  spawn_detached(executor(), body(std::move(task), out));
  do {
    io_.restart();
    io_.poll();
  } while (!*out && step());
  CHECK(out->has_value());
  return std::move(**out);
}

template <>
void FaultRuntime::run(Task<void> task);

}  // namespace plimsoll::osd
