// SPDX-License-Identifier: LGPL-2.1-or-later
// The simulated disk and store: the contracts they share with the real ones, and what a crash does.
#include <gtest/gtest.h>

#include <bit>

#include "common/rt/block_suite.h"
#include "common/rt/kv_suite.h"
#include "qa/sim/world.h"

namespace plimsoll {

namespace sim {
namespace {

struct SimHost : StorageHost {
  explicit SimHost(uint64_t seed = 1) : world(seed), host(world.add_host("a")) { host.boot(); }
  Runtime& runtime() override { return host.runtime(); }
  void run(Task<void> task) override { world.run(host, std::move(task)); }
  std::string path(const std::string& name) override { return "/data/" + name; }
  World world;
  Host& host;
};

}  // namespace
}  // namespace sim

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, KvSuite, sim::SimHost);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, BlockSuite, sim::SimHost);

namespace sim {

namespace {

constexpr int kWrites = 60;

Task<void> write_blocks(SimHost& h, std::shared_ptr<BlockFile> file, int synced) {
  for (int i = 0; i < kWrites; i++) {
    std::vector<Bytes> pieces(1, Bytes::take(std::string(4096, 'x')));
    auto written = co_await file->write(i * 4096, std::move(pieces));
    EXPECT_TRUE(written);
    if (i + 1 == synced) {
      auto done = co_await file->sync();
      EXPECT_TRUE(done);
    }
  }
}

Task<void> start_blocks(SimHost& h, int synced) {
  std::shared_ptr<BlockFile> file = co_await block_suite::open(h, true);
  h.host.hold(file);
  co_await write_blocks(h, file, synced);
}

Task<void> write_durable_blocks(SimHost& h, int& durable) {
  std::shared_ptr<BlockFile> file = co_await block_suite::open(h, true);
  h.host.hold(file);
  for (; durable < kWrites; durable++) {
    std::vector<Bytes> elsewhere(1, Bytes::take(std::string(100, 'y')));
    auto written = co_await file->write((kWrites + durable) * 4096, std::move(elsewhere));
    const Bytes data = Bytes::take(std::string(4096, 'x'));
    auto done = co_await file->write_durable(durable * 4096, data);
    EXPECT_TRUE(written && done);
  }
}

Task<void> read_blocks(SimHost& h, std::vector<std::string>& out) {
  auto file = co_await block_suite::open(h, false);
  for (int i = 0; i < kWrites; i++) {
    auto block = co_await file->read(i * 4096, 4096);
    out.push_back(block->to_string());
  }
}

Task<void> commit_in_turn(Kv& kv, int& acknowledged) {
  for (int i = 0; i < 1000; i++) {
    auto one = kv.commit(kv_suite::put(fmt::format("{:04}", 2 * i), "v"));
    auto two = kv.commit(kv_suite::put(fmt::format("{:04}", 2 * i + 1), "v"));
    auto done = co_await std::move(one);
    EXPECT_TRUE(done);
    acknowledged = 2 * i + 1;
    done = co_await std::move(two);
    EXPECT_TRUE(done);
    acknowledged = 2 * i + 2;
  }
}

Task<void> start_commits(SimHost& h, int& acknowledged) {
  std::shared_ptr<Kv> kv = co_await kv_suite::open(h, true);
  h.host.hold(kv);
  co_await commit_in_turn(*kv, acknowledged);
}

Task<void> start_applies(SimHost& h, int& synced, int& applied) {
  std::shared_ptr<Kv> kv = co_await kv_suite::open(h, true);
  h.host.hold(kv);
  for (;; applied++) {
    auto done = co_await kv->apply(kv_suite::put(fmt::format("{:04}", applied), "v"));
    EXPECT_TRUE(done);
    if (applied % 10 != 9) continue;
    done = co_await kv->sync();
    EXPECT_TRUE(done);
    synced = applied + 1;
  }
}

Task<void> list_keys(SimHost& h, std::vector<Kv::Pair>& out) {
  auto kv = co_await kv_suite::open(h, false);
  auto pairs = co_await kv->scan("", "", 10'000);
  out = *pairs;
  co_await kv->close();
}

}  // namespace

TEST(SimDisk, CrashKeepsWhatWasSyncedAndPicksFromTheRest) {
  size_t kept = 0, lost = 0, torn = 0;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    SimHost h(seed);
    constexpr int kSynced = 20;
    h.run(start_blocks(h, kSynced));
    h.host.kill();
    h.host.boot();
    std::vector<std::string> blocks;
    h.run(read_blocks(h, blocks));
    for (int i = 0; i < kWrites; i++) {
      const auto x = static_cast<size_t>(std::count(blocks[i].begin(), blocks[i].end(), 'x'));
      if (i < kSynced) EXPECT_EQ(x, 4096u);
      else (x == 4096 ? kept : x == 0 ? lost : torn)++;
    }
  }
  EXPECT_GT(kept, 50u);
  EXPECT_GT(lost, 50u);
  EXPECT_GT(torn, 20u);
}

TEST(SimDisk, ADurableWriteSurvivesACrashAndTakesNothingElseWithIt) {
  size_t lost_elsewhere = 0;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    SimHost h(seed);
    int durable = 0;
    spawn_detached(h.host.runtime().executor(), write_durable_blocks(h, durable));
    h.world.run_for(30ms);
    h.host.kill();
    h.host.boot();
    EXPECT_GT(durable, 5);
    auto check = [](SimHost& host, int count, size_t& lost) -> Task<void> {
      auto file = co_await block_suite::open(host, false);
      for (int i = 0; i < count; i++) {
        auto block = co_await file->read(i * 4096, 4096);
        EXPECT_EQ(block->view(), std::string(4096, 'x'));
        auto other = co_await file->read((kWrites + i) * 4096, 1);
        lost += other->view() != "y";
      }
    };
    h.run(check(h, durable, lost_elsewhere));
  }
  EXPECT_GT(lost_elsewhere, 20u);
}

TEST(SimDisk, OneBitRots) {
  DiskImage disk(1 << 20);
  Rng rng(1);
  EXPECT_FALSE(disk.rot(0, rng));
  const std::string before(4096, 'x');
  disk.write(8192, before);
  disk.sync_to(disk.written());
  EXPECT_FALSE(disk.rot(12288, rng));
  EXPECT_TRUE(disk.rot(4096, rng));
  std::string after(4096, 0);
  disk.read(8192, {reinterpret_cast<uint8_t*>(after.data()), after.size()});
  int bits = 0;
  for (size_t i = 0; i < after.size(); i++)
    bits += std::popcount(static_cast<uint8_t>(after[i] ^ before[i]));
  EXPECT_EQ(bits, 1);
}

TEST(SimDisk, ReadsFail) {
  SimHost h;
  h.host.storage.faults.read_error = 1;
  auto scenario = [](SimHost& host) -> Task<void> {
    auto file = co_await block_suite::open(host, true);
    auto block = co_await file->read(0, 4096);
    EXPECT_EQ(block.error().code(), EIO);
  };
  h.run(scenario(h));
}

TEST(SimKv, CrashLosesASuffixOfWhatWasNotSynced) {
  size_t lost = 0, kept = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    SimHost h(seed);
    int synced = 0, applied = 0;
    spawn_detached(h.host.runtime().executor(), start_applies(h, synced, applied));
    h.world.run_for(100ms);
    h.host.kill();
    h.host.boot();
    std::vector<Kv::Pair> pairs;
    h.run(list_keys(h, pairs));
    EXPECT_GT(synced, 0);
    EXPECT_GE(pairs.size(), static_cast<size_t>(synced));
    for (size_t i = 0; i < pairs.size(); i++) EXPECT_EQ(pairs[i].first, fmt::format("{:04}", i));
    lost += static_cast<int>(pairs.size()) < applied;
    kept += static_cast<int>(pairs.size()) > synced;
  }
  EXPECT_GT(lost, 3u);
  EXPECT_GT(kept, 3u);
}

TEST(SimKv, CrashLosesASuffixOfTheUnacknowledged) {
  size_t survived_unacknowledged = 0;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    SimHost h(seed);
    int acknowledged = 0;
    spawn_detached(h.host.runtime().executor(), start_commits(h, acknowledged));
    h.world.run_for(50ms);
    h.host.kill();
    h.host.boot();
    std::vector<Kv::Pair> pairs;
    h.run(list_keys(h, pairs));
    EXPECT_GE(pairs.size(), static_cast<size_t>(acknowledged));
    EXPECT_GT(acknowledged, 0);
    survived_unacknowledged += pairs.size() - static_cast<size_t>(acknowledged);
    for (size_t i = 0; i < pairs.size(); i++) EXPECT_EQ(pairs[i].first, fmt::format("{:04}", i));
  }
  EXPECT_GT(survived_unacknowledged, 0u);
}

TEST(SimKv, RefusesWhatDoesNotFit) {
  SimHost h;
  auto scenario = [](SimHost& host) -> Task<void> {
    auto kv = co_await kv_suite::open(host, true);
    host.host.storage.kvs.at("/data/kv").capacity = 1000;
    auto large = co_await kv->commit(kv_suite::put("a", std::string(1000, 'x')));
    EXPECT_EQ(large.error().code(), ENOSPC);
    auto small = co_await kv->commit(kv_suite::put("a", "x"));
    EXPECT_TRUE(small);
    co_await kv->close();
  };
  h.run(scenario(h));
}

TEST(SimKv, SpendsItsBallastOnAFullHostThenWaits) {
  SimHost h;
  auto scenario = [](SimHost& host) -> Task<void> {
    auto ballast = co_await host.runtime().open_ballast(host.path("ballast"), 1000);
    EXPECT_TRUE(co_await (*ballast)->restore(0));
    KvOptions options;
    options.create = true;
    options.ballast = ballast->get();
    auto kv = std::move(*co_await host.runtime().open_kv(host.path("kv"), options));
    bool& full = host.host.storage.faults.host_full;
    full = true;
    EXPECT_TRUE(co_await kv->commit(kv_suite::put("a", std::string(500, 'x'))));
    EXPECT_LT((*ballast)->held(), 500u);
    EXPECT_TRUE(co_await kv->commit(kv_suite::put("b", std::string(500, 'x'))));
    EXPECT_EQ((*ballast)->held(), 0u);
    auto refused = co_await kv->commit(kv_suite::put("c", "x"));
    EXPECT_EQ(refused.error().code(), ENOSPC);
    EXPECT_EQ((co_await (*ballast)->restore(0)).error().code(), ENOSPC);

    (*ballast)->set_patient(true);
    const TimePoint start = host.runtime().clock().now();
    auto make_room = [&full] { full = false; };
    const Timer later =
        host.runtime().clock().call_after(host.runtime().executor(), 3s, make_room);
    EXPECT_TRUE(co_await kv->commit(kv_suite::put("d", "x")));
    EXPECT_GE(host.runtime().clock().now() - start, 3s);
    EXPECT_TRUE(co_await (*ballast)->restore(0));
    EXPECT_EQ((*ballast)->held(), 1000u);
    auto pairs = co_await kv->scan("", "", 10);
    EXPECT_EQ(pairs->size(), 3u);
    co_await kv->close();
  };
  h.run(scenario(h));
}

}  // namespace sim
}  // namespace plimsoll
