// SPDX-License-Identifier: LGPL-2.1-or-later
// store_bench DIR [SIZE_MIB [NAME]]: what a block store costs by itself, on real files in DIR,
// which it makes and leaves behind for a look; NAME picks jobs whose names hold it. Transactions
// are shaped like an OSD's: data, object info, a log entry and the PG's info. Prints rate, latency,
// and CPU time per operation, of the store's thread and of the whole process.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "common/rt/real/real_runtime.h"
#include "osd/store/block_store.h"
#include "osd/store/store_files.h"

namespace plimsoll::osd {

namespace {

using Wall = std::chrono::steady_clock;

double cpu_seconds(int who) {
  rusage u;
  ::getrusage(who, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + 1e-6 * (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

const PgId kPg{1, 0};

HObject object(uint64_t n) {
  HObject h;
  h.pool = 1;
  h.oid = "benchmark_data_host_12345_object" + std::to_string(n);
  h.hash = static_cast<uint32_t>(n * 2654435761u);
  h.snap = kSnapHead;
  return h;
}

struct Job {
  const char* name;
  uint64_t count;
  uint64_t depth;
  uint64_t size;
  bool write;
  uint64_t objects;  ///< operations go round these
  uint64_t offset_blocks = 1;  ///< and within them over this many positions
};

class Bench {
 public:
  Bench(real::RealRuntime& rt, BlockStore& store) : rt_(rt), store_(store), data_(make_data()) {}

  Task<void> run(Job job) {
    job_ = job;
    next_ = 0;
    latencies_.clear();
    const double process = cpu_seconds(RUSAGE_SELF), thread = cpu_seconds(RUSAGE_THREAD);
    const auto start = Wall::now();
    TaskGroup tasks(rt_.executor());
    for (uint64_t i = 0; i < job.depth; i++) tasks.spawn(worker());
    co_await tasks.join();
    const double seconds = std::chrono::duration<double>(Wall::now() - start).count();
    const double us = 1e6 / static_cast<double>(job.count);
    std::sort(latencies_.begin(), latencies_.end());
    fmt::print(
        "{:<34} {:>9.0f} op/s {:>8.1f} MB/s  p50 {:>7.0f} us  p99 {:>7.0f} us  cpu/op {:>6.1f} us "
        "in the"
        " store's thread, {:>6.1f} us in all\n",
        job.name, job.count / seconds, job.count * job.size / seconds / 1e6,
        latencies_[latencies_.size() / 2], latencies_[latencies_.size() * 99 / 100],
        (cpu_seconds(RUSAGE_THREAD) - thread) * us, (cpu_seconds(RUSAGE_SELF) - process) * us);
  }

 private:
  static Bytes make_data() {
    Buffer b(4 << 20, 4096);
    Rng rng(1);
    for (size_t i = 0; i < b.size(); i += 8) {
      const uint64_t v = rng.next();
      std::memcpy(b.data() + i, &v, 8);
    }
    return Bytes::take(std::move(b));
  }

  Task<void> worker() {
    while (next_ < job_.count) {
      const uint64_t n = next_++;
      const auto start = Wall::now();
      if (job_.write) co_await write(n);
      else co_await read(n);
      latencies_.push_back(std::chrono::duration<double, std::micro>(Wall::now() - start).count());
    }
  }

  Task<void> write(uint64_t n) {
    const HObject o = object(n % job_.objects);
    const uint64_t offset = n / job_.objects % job_.offset_blocks * job_.size;
    [[maybe_unused]] auto known = co_await store_.stat(kPg, o);
    Transaction t;
    t.write(kPg, o, offset, data_.slice(0, job_.size));
    t.set_attr(kPg, o, "_", data_.slice(0, 260));
    std::map<std::string, Bytes> keys;
    keys[fmt::format("log.{:020}", ++version_)] = data_.slice(0, 160);
    keys["info"] = data_.slice(0, 200);
    t.meta_set(kPg, std::move(keys));
    if (version_ > 3000) {
      std::map<std::string, Bytes> old;
      old[fmt::format("log.{:020}", version_ - 3000)];
      t.meta_remove(kPg, std::move(old));
    }
    auto done = co_await store_.commit(std::move(t));
    CHECK(done.has_value());
  }

  Task<void> read(uint64_t n) {
    const HObject o = object(n * 7919 % job_.objects);
    auto data = co_await store_.read(kPg, o, 0, job_.size);
    CHECK(data && data->size() == job_.size);
  }

  real::RealRuntime& rt_;
  BlockStore& store_;
  const Bytes data_;
  Job job_{};
  uint64_t next_ = 0;
  uint64_t version_ = 0;
  std::vector<double> latencies_;
};

Task<void> bench(real::RealRuntime& rt, std::string dir, uint64_t size, std::string filter) {
  MkfsOptions mkfs_options;
  mkfs_options.path = dir;
  mkfs_options.osd = 0;
  mkfs_options.size = size;
  auto made = co_await mkfs(rt, mkfs_options);
  if (!made) {
    fmt::print("mkfs: {}\n", made.error().to_string());
    co_return;
  }
  BlockStoreOptions options;
  options.path = dir;
  {
    BlockStore store(rt, options);
    auto mounted = co_await store.mount();
    CHECK(mounted.has_value());
    Bench b(rt, store);
    const uint64_t large = std::min<uint64_t>(size / (8 << 20), 128);
    const Job jobs[] = {
        {"4 KiB writes, new objects, depth 1", 2000, 1, 4096, true, 2000},
        {"4 KiB writes, new objects, depth 16", 30000, 16, 4096, true, 30000},
        {"4 KiB writes, new objects, depth 64", 40000, 64, 4096, true, 40000},
        {"4 KiB overwrites, depth 16", 20000, 16, 4096, true, 5000},
        {"4 KiB reads, depth 1", 20000, 1, 4096, false, 30000},
        {"4 KiB reads, depth 16", 40000, 16, 4096, false, 30000},
        {"64 KiB writes, depth 16", 2000, 16, 64 << 10, true, 500},
        {"4 MiB writes, depth 1", large, 1, 4 << 20, true, large},
        {"4 MiB writes, depth 16", 2 * large, 16, 4 << 20, true, large},
        {"4 MiB reads, depth 16", 2 * large, 16, 4 << 20, false, large},
        {"4 KiB writes in 4 MiB, depth 16", 5000, 16, 4096, true, large, 1024},
    };
    for (const auto& job : jobs)
      if (std::string_view(job.name).find(filter) != std::string_view::npos) co_await b.run(job);
    const StoreStatfs s = store.statfs();
    fmt::print("resident {} MiB; allocated {} MiB, metadata {} MiB, onodes cached {}\n",
               rt.resident_bytes() >> 20, s.allocated >> 20, s.internal_metadata >> 20,
               store.counters().objects);
    const auto start = Wall::now();
    co_await store.umount();
    fmt::print("umount {:.3f} s\n", std::chrono::duration<double>(Wall::now() - start).count());
  }
  const auto start = Wall::now();
  BlockStore store(rt, options);
  auto mounted = co_await store.mount();
  CHECK(mounted.has_value());
  fmt::print("mount {:.3f} s with {} objects\n",
             std::chrono::duration<double>(Wall::now() - start).count(), store.counters().objects);
  co_await store.umount();
}

}  // namespace

}  // namespace plimsoll::osd

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: store_bench DIR [SIZE_MIB [NAME]]\n");
    return 1;
  }
  plimsoll::real::RealRuntime rt;
  const uint64_t mib = argc > 2 ? std::stoull(argv[2]) : 2048;
  rt.run(plimsoll::osd::bench(rt, argv[1], mib << 20, argc > 3 ? argv[3] : ""));
  return 0;
}
