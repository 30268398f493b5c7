// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/real_runtime.h"

#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include "common/rt/real/file_ballast.h"
#include "common/rt/real/file_block.h"
#include "common/rt/real/files.h"
#include "common/rt/real/rocks_kv.h"

namespace plimsoll::real {

namespace asio = boost::asio;

struct RealRuntime::Shard {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  TimePoint busy_poll_until{};  ///< its own thread's
};

struct RealRuntime::Signals {
  Signals(asio::io_context& io, const std::vector<int>& wanted, std::function<void(int)> f)
      : set(io), fn(std::move(f)) {
    for (int s : wanted) set.add(s);
    wait();
  }
  void wait() {
    set.async_wait([this](const boost::system::error_code& ec, int signal) {
      if (ec) return;
      fn(signal);
      wait();
    });
  }
  asio::signal_set set;
  std::function<void(int)> fn;
};

namespace {

uint64_t os_seed() {
  uint64_t seed = 0;
  CHECK(::getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

}  // namespace

RealRuntime::RealRuntime(RealOptions options)
    : rng_(os_seed()), net_(*this), pool_(options.pool_threads) {
  CHECK(options.shards > 0);
  for (size_t i = 0; i < options.shards; i++) shards_.push_back(std::make_unique<Shard>());
}

RealRuntime::~RealRuntime() = default;

Executor RealRuntime::shard(size_t index) { return shards_.at(index)->io.get_executor(); }

void RealRuntime::busy_poll(size_t index, TimePoint until) {
  shards_.at(index)->busy_poll_until = until;
}

void RealRuntime::give_way() { ::sched_yield(); }

/// As io_context::run(), which would sleep in a busy poll.
void RealRuntime::serve(Shard& shard) {
  while (!shard.io.stopped()) {
    if (shard.io.poll() > 0) continue;
    if (shard.busy_poll_until > TimePoint{} && clock_.now() < shard.busy_poll_until)
      give_way();
    else
      shard.io.run_one();
  }
}

void RealRuntime::run() {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < shards_.size(); i++) shards_[i]->io.restart();
  for (size_t i = 1; i < shards_.size(); i++)
    threads.emplace_back([this, i] { serve(*shards_[i]); });
  serve(*shards_[0]);
  for (auto& t : threads) t.join();
}

void RealRuntime::stop() {
  for (auto& s : shards_) s->io.stop();
}

void RealRuntime::run(Task<void> task) {
  std::exception_ptr failure;
  asio::co_spawn(executor(), std::move(task), [this, &failure](std::exception_ptr e) {
    failure = e;
    stop();
  });
  run();
  if (failure) std::rethrow_exception(failure);
}

void RealRuntime::on_signal(std::vector<int> signals, std::function<void(int)> fn) {
  signals_.push_back(std::make_unique<Signals>(shards_[0]->io, signals, std::move(fn)));
}

Task<Result<std::unique_ptr<BlockFile>>> RealRuntime::open_block_file(std::string path,
                                                                      BlockFileOptions options) {
  auto open = [this, &path, options] { return FileBlock::open(pool_, path, options); };
  co_return co_await offload(pool_, open);
}

Task<Result<std::unique_ptr<Kv>>> RealRuntime::open_kv(std::string path, KvOptions options) {
  auto open = [this, &path, options] { return open_rocks_kv(pool_, path, options); };
  co_return co_await offload(pool_, open);
}

Task<Result<std::unique_ptr<Ballast>>> RealRuntime::open_ballast(std::string path,
                                                                 std::optional<uint64_t> whole) {
  auto open = [this, &path, whole] { return FileBallast::open(pool_, path, whole); };
  co_return co_await offload(pool_, open);
}

Result<std::string> RealRuntime::read_file(const std::string& path) {
  return real::read_file(path);
}
Result<> RealRuntime::write_file(const std::string& path, std::string_view content) {
  return real::write_file(path, content);
}
Result<> RealRuntime::remove_file(const std::string& path) { return real::remove_file(path); }
Result<> RealRuntime::make_dirs(const std::string& path) { return real::make_dirs(path); }
Result<std::unique_ptr<DirLock>> RealRuntime::lock_dir(const std::string& dir) {
  return real::lock_dir(dir);
}
Result<uint64_t> RealRuntime::host_free(const std::string& path) { return real::host_free(path); }
uint64_t RealRuntime::resident_bytes() { return real::resident_bytes(); }
std::string RealRuntime::host_name() { return real::host_name(); }
uint32_t RealRuntime::process_id() { return static_cast<uint32_t>(::getpid()); }

}  // namespace plimsoll::real
