// SPDX-License-Identifier: LGPL-2.1-or-later
// The block store on real files and RocksDB: the model once more, a mount of many objects, errors
// of the directory.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/rt/real/real_runtime.h"
#include "osd/store/block_store.h"
#include "osd/store/fsck.h"
#include "osd/store/test_model.h"

namespace plimsoll::osd {

namespace {

const PgId kPg{1, 0};

struct RealFiles : ::testing::Test {
  std::string dir =
      std::filesystem::temp_directory_path() / ("store_test_" + std::to_string(::getpid()));
  real::RealRuntime rt;
  void SetUp() override { std::filesystem::remove_all(dir); }
  void TearDown() override { std::filesystem::remove_all(dir); }

  BlockStoreOptions options() {
    BlockStoreOptions o;
    o.path = dir;
    o.onode_cache_bytes = 64_KiB;
    o.deferred_flush = 256_KiB;
    return o;
  }
  MkfsOptions mkfs_options() {
    MkfsOptions o;
    o.path = dir;
    o.size = 128_MiB;
    return o;
  }
};

Task<void> expect_clean(Runtime& rt, std::string dir) {
  auto report = co_await fsck(rt, dir);
  EXPECT_TRUE(report);
  if (!report) co_return;
  for (const auto& f : report->findings) ADD_FAILURE() << f;
}

Task<void> against_model(Runtime& rt, MkfsOptions mkfs_options, BlockStoreOptions options) {
  EXPECT_TRUE(co_await mkfs(rt, mkfs_options));
  Rng rng(1);
  MixOptions mix;
  Model model;
  const std::set<std::string> no_keys;
  for (int round = 0; round < 4; round++) {
    BlockStore store(rt, options);
    auto mounted = co_await store.mount();
    EXPECT_TRUE(mounted) << mounted.error().to_string();
    for (int i = 0; i < 150; i++) {
      Transaction t = random_transaction(rng, mix);
      model.apply(t);
      EXPECT_TRUE(co_await store.commit(std::move(t)));
    }
    auto got = co_await read_all(store, no_keys);
    EXPECT_TRUE(got);
    if (got) EXPECT_EQ(difference(*got, model), "") << "round " << round;
    co_await store.umount();
    co_await expect_clean(rt, options.path);
  }
}

Task<void> write_one(ObjectStore& store, uint64_t n, Bytes data, uint64_t& done) {
  Transaction t;
  t.write(kPg, test_object(kPg, n), 0, std::move(data));
  EXPECT_TRUE(co_await store.commit(std::move(t)));
  done++;
}

Task<void> many_objects(Runtime& rt, MkfsOptions mkfs_options, BlockStoreOptions options) {
  constexpr uint64_t kObjects = 20'000;
  EXPECT_TRUE(co_await mkfs(rt, mkfs_options));
  Rng rng(1);
  const Bytes data = random_bytes(rng, 4096);
  {
    BlockStore store(rt, options);
    EXPECT_TRUE(co_await store.mount());
    uint64_t done = 0;
    TaskGroup writers(rt.executor());
    for (uint64_t i = 0; i < kObjects; i++) {
      writers.spawn(write_one(store, i, data, done));
      if (i % 64 == 63) co_await writers.join();
    }
    co_await writers.join();
    EXPECT_EQ(done, kObjects);
    EXPECT_EQ(store.counters().objects, kObjects);
    co_await store.umount();
  }
  BlockStore store(rt, options);
  const TimePoint start = rt.clock().now();
  EXPECT_TRUE(co_await store.mount());
  EXPECT_LT(rt.clock().now() - start, 1s);
  EXPECT_EQ(store.statfs().allocated, kObjects * kBlock);
  const HObject some = test_object(kPg, kObjects / 2);
  auto got = co_await store.read(kPg, some, 0, 5000);
  EXPECT_TRUE(got && *got == data);
  co_await store.umount();
}

Task<void> errors(Runtime& rt, MkfsOptions mkfs_options, BlockStoreOptions options) {
  {
    BlockStore nothing(rt, options);
    auto absent = co_await nothing.mount();
    EXPECT_EQ(absent.error().code(), ENOENT) << absent.error().to_string();
  }
  EXPECT_TRUE(co_await mkfs(rt, mkfs_options));
  auto again = co_await mkfs(rt, mkfs_options);
  EXPECT_EQ(again.error().code(), EEXIST);
  BlockStore store(rt, options);
  EXPECT_TRUE(co_await store.mount());
  BlockStore second(rt, options);
  auto busy = co_await second.mount();
  EXPECT_EQ(busy.error().code(), EBUSY) << busy.error().to_string();
  co_await store.umount();
}

}  // namespace

TEST_F(RealFiles, RandomTransactionsEqualTheModelOverRemounts) {
  rt.run(against_model(rt, mkfs_options(), options()));
}
TEST_F(RealFiles, MountOfManyObjectsIsFast) { rt.run(many_objects(rt, mkfs_options(), options())); }
TEST_F(RealFiles, ErrorsOfTheDirectory) { rt.run(errors(rt, mkfs_options(), options())); }

}  // namespace plimsoll::osd
