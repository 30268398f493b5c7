// SPDX-License-Identifier: LGPL-2.1-or-later
// kv_commit_bench DIR [value bytes]: commits per second of the real Kv at depth 1, 16, 64, with the
// CPU time that each takes. One batch holds a data value, an onode and a log entry, as a small
// write of an OSD does.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "common/rt/real/real_runtime.h"
#include "common/rt/task_group.h"

namespace {

using namespace plimsoll;

double cpu_seconds() {
  rusage use;
  ::getrusage(RUSAGE_SELF, &use);
  return use.ru_utime.tv_sec + use.ru_stime.tv_sec +
         (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

struct Bench {
  Runtime& rt;
  Kv& kv;
  const std::string value;
  TimePoint end;
  uint64_t next = 0;
  std::vector<Duration> latencies;
};

KvBatch small_write(Bench& bench) {
  const uint64_t id = bench.next++;
  KvBatch batch;
  batch.put(fmt::format("D{:016x}", id), bench.value);
  if (id >= 1000) batch.erase(fmt::format("D{:016x}", id - 1000));
  batch.put(fmt::format("O{:08x}", id * 2654435761u % 10000), std::string(300, 'o'));
  batch.put(fmt::format("L{:016x}", id), std::string(200, 'l'));
  return batch;
}

Task<void> writer(Bench& bench) {
  while (bench.rt.clock().now() < bench.end) {
    const TimePoint start = bench.rt.clock().now();
    auto done = co_await bench.kv.commit(small_write(bench));
    CHECK(done.has_value());
    bench.latencies.push_back(bench.rt.clock().now() - start);
  }
}

Task<void> run_depth(Bench& bench, int depth) {
  bench.latencies.clear();
  bench.end = bench.rt.clock().now() + 5s;
  const double cpu = cpu_seconds();
  TaskGroup group(bench.rt.executor());
  for (int i = 0; i < depth; i++) group.spawn(writer(bench));
  co_await group.join();
  auto& l = bench.latencies;
  std::sort(l.begin(), l.end());
  fmt::print("depth {:3}: {:7.0f} commits/s  median {:5} us  p99 {:5} us  cpu {:.1f} us each\n",
             depth, l.size() / 5.0, l[l.size() / 2].count() / 1000,
             l[l.size() * 99 / 100].count() / 1000, (cpu_seconds() - cpu) / l.size() * 1e6);
}

Task<void> run_all(real::RealRuntime& rt, std::string dir, size_t value_bytes) {
  KvOptions options;
  options.create = true;
  auto kv = co_await rt.open_kv(dir, options);
  if (!kv) {
    fmt::print(stderr, "{}\n", kv.error().to_string());
    std::exit(1);
  }
  Bench bench{rt, **kv, std::string(value_bytes, 'x'), {}, 0, {}};
  for (int depth : {1, 16, 64}) co_await run_depth(bench, depth);
  fmt::print("resident {} MiB, on disk {} MiB\n", rt.resident_bytes() >> 20,
             (*kv)->host_bytes() >> 20);
  co_await (*kv)->close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: kv_commit_bench DIR [value bytes]\n");
    return 1;
  }
  real::RealRuntime rt;
  rt.run(run_all(rt, argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 4096));
}
