// SPDX-License-Identifier: LGPL-2.1-or-later
// A store grows in place: whole after a crash at any step, with all that it held.
#include <gtest/gtest.h>

#include "osd/store/block_store.h"
#include "osd/store/fsck.h"
#include "osd/store/test_model.h"
#include "osd/store/test_runtime.h"

namespace plimsoll::osd {

namespace {

const PgId kPg{1, 0};
// Neither is a whole number of chunks of the free map.
constexpr uint64_t kSmall = 16_MiB + 3 * kBlock;
constexpr uint64_t kLarge = 21_MiB + 5 * kBlock;

BlockStoreOptions store_options() {
  BlockStoreOptions o;
  o.path = "osd";
  return o;
}

struct ExpandTest : ::testing::Test {
  FaultDisk disk;
  Bytes data;

  /// A store that is full to the last block and crashed.
  void SetUp() override {
    FaultRuntime rt(disk, 1);
    Rng rng(1);
    ASSERT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 4, kSmall, true, 1_MiB})));
    BlockStore store(rt, store_options());
    ASSERT_TRUE(rt.run(store.mount()));
    data = random_bytes(rng, store.statfs().available);
    ASSERT_TRUE(write(rt, store, 0, data));
    ASSERT_EQ(write(rt, store, 1, Bytes::copy("x")).error().code(), ENOSPC);
  }
  Result<> write(FaultRuntime& rt, BlockStore& store, uint64_t object, Bytes bytes) {
    Transaction t;
    t.create_collection(kPg);
    t.write(kPg, test_object(kPg, object), 0, std::move(bytes));
    return rt.run(store.commit(std::move(t)));
  }
  Result<uint64_t> expanded(uint64_t size) {
    disk.locked.clear();
    FaultRuntime rt(disk, 2);
    const StoreOwner owner;
    return rt.run(expand(rt, "osd", owner, size, true));
  }
  void expect_clean() {
    disk.locked.clear();
    FaultRuntime rt(disk, 2);
    auto report = rt.run(fsck(rt, "osd"));
    ASSERT_TRUE(report) << report.error().to_string();
    for (const auto& f : report->findings) ADD_FAILURE() << f;
  }
  /// Mounts it, checks and uses it, and returns its size.
  uint64_t used() {
    FaultRuntime rt(disk, 3);
    BlockStore store(rt, store_options());
    EXPECT_TRUE(rt.run(store.mount()));
    const StoreStatfs s = store.statfs();
    auto read = rt.run(store.read(kPg, test_object(kPg, 0), 0, data.size()));
    EXPECT_TRUE(read && *read == data);
    if (s.available) EXPECT_TRUE(write(rt, store, 2, Bytes::zeros(s.available)));
    EXPECT_EQ(store.statfs().available, 0u);
    rt.run(store.umount());
    expect_clean();
    return s.total;
  }
};

}  // namespace

TEST_F(ExpandTest, AFullStoreHasRoomAgain) {
  auto before = expanded(kLarge + 100);
  ASSERT_TRUE(before) << before.error().to_string();
  EXPECT_EQ(*before, kSmall);
  expect_clean();
  EXPECT_EQ(used(), kLarge);
  EXPECT_EQ(*expanded(kLarge), kLarge) << "nothing to do";
}

TEST_F(ExpandTest, DoesNotShrink) {
  auto done = expanded(kSmall - kBlock);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), EINVAL);
  EXPECT_NE(done.error().text().find("cannot shrink"), std::string::npos) << done.error().text();
  EXPECT_EQ(used(), kSmall);
}

TEST_F(ExpandTest, ACrashAtAnyStepLeavesOneSizeOrTheOther) {
  const FaultDisk full = disk;
  bool ended = false;
  std::set<uint64_t> sizes;
  for (int steps = 0; !ended; steps++) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
      disk = full;
      disk.locked.clear();
      {
        FaultRuntime rt(disk, seed);
        auto task = [](FaultRuntime& r, bool& done) -> Task<void> {
          const StoreOwner owner;
          done = bool(co_await expand(r, "osd", owner, kLarge, true));
        };
        ended = false;
        spawn_detached(rt.executor(), task(rt, ended));
        for (int i = 0; i < steps && !ended; i++) rt.step();
        rt.poll();
      }
      Rng rng(static_cast<uint64_t>(steps) * 10 + seed);
      disk.crash(rng);
      expect_clean();
      sizes.insert(used());
      ASSERT_FALSE(HasFailure()) << "after " << steps << " steps, seed " << seed;
      ASSERT_TRUE(expanded(kLarge));
      EXPECT_EQ(used(), kLarge) << "a second attempt finishes it";
    }
  }
  EXPECT_EQ(sizes, (std::set<uint64_t>{kSmall, kLarge}));
}

}  // namespace plimsoll::osd
