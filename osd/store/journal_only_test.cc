// SPDX-License-Identifier: LGPL-2.1-or-later
// A store of which only the journal may be written: changes without data, on a host without space.
#include <gtest/gtest.h>

#include "osd/store/block_store.h"
#include "osd/store/fsck.h"
#include "osd/store/test_model.h"
#include "osd/store/test_runtime.h"

namespace plimsoll::osd {

namespace {

const PgId kPg{1, 0};
constexpr uint64_t kObjects = 4;

BlockStoreOptions store_options(bool journal_only) {
  BlockStoreOptions o;
  o.path = "osd";
  o.journal_only = journal_only;
  if (!journal_only) o.flush_delay = 1h;
  return o;
}

struct JournalOnly : ::testing::Test {
  FaultDisk disk;
  Rng rng{1};
  Model model;

  /// Objects with data and omap; small writes to them are in the journal alone when it crashes.
  void make(uint64_t journal_size) {
    disk = {};
    model = {};
    FaultRuntime rt(disk, 1);
    ASSERT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 4, 16_MiB, true, journal_size})));
    BlockStore store(rt, store_options(false));
    ASSERT_TRUE(rt.run(store.mount()));
    for (uint64_t i = 0; i < kObjects; i++) {
      Transaction t;
      t.create_collection(kPg);
      t.write(kPg, test_object(kPg, i), 0, random_bytes(rng, 100'000));
      t.write(kPg, test_object(kPg, i), 5000, random_bytes(rng, 100));
      t.omap_set(kPg, test_object(kPg, i), {{"key", random_bytes(rng, 1000)}});
      model.apply(t);
      ASSERT_TRUE(rt.run(store.commit(std::move(t))));
    }
  }
  static Transaction removal(uint64_t object) {
    Transaction t;
    t.remove(kPg, test_object(kPg, object));
    t.meta_set(kPg, {{"log", Bytes::copy("entry")}});
    return t;
  }
  /// Mounts it as an OSD would, and reads all of it.
  Model mounted() {
    disk.locked.clear();
    FaultRuntime rt(disk, 3);
    BlockStore store(rt, store_options(false));
    EXPECT_TRUE(rt.run(store.mount()));
    const std::set<std::string> no_keys;
    auto all = rt.run(read_all(store, no_keys));
    EXPECT_TRUE(all);
    rt.run(store.umount());
    return *all;
  }
  void expect_clean() {
    disk.locked.clear();
    FaultRuntime rt(disk, 2);
    auto report = rt.run(fsck(rt, "osd"));
    ASSERT_TRUE(report) << report.error().to_string();
    for (const auto& f : report->findings) ADD_FAILURE() << f;
  }
};

}  // namespace

TEST_F(JournalOnly, WhatIsRemovedIsGoneWithTheNextMount) {
  make(1_MiB);
  const auto kv = disk.kvs["osd/kv"].current;
  const auto block = disk.files["osd/block"].current;
  // Once after the other, each on top of what the one before left in the journal.
  for (const uint64_t object : {1u, 3u}) {
    disk.locked.clear();
    FaultRuntime rt(disk, 2);
    BlockStore store(rt, store_options(true));
    ASSERT_TRUE(rt.run(store.mount()));
    const uint64_t before = store.statfs().available;
    ASSERT_TRUE(rt.run(store.commit(removal(object))));
    EXPECT_EQ(store.statfs().available, before + 25 * kBlock);
    rt.run(store.umount());
    model.apply(removal(object));
    expect_clean();
  }
  EXPECT_TRUE(disk.kvs["osd/kv"].current == kv);
  EXPECT_TRUE(disk.files["osd/block"].current == block);
  EXPECT_EQ(difference(mounted(), model), "");
  expect_clean();
}

TEST_F(JournalOnly, ACrashLeavesAllOrNothingOfIt) {
  bool ended = false;
  for (int steps = 0; !ended; steps++) {
    make(1_MiB);
    disk.locked.clear();
    bool acknowledged = false;
    {
      FaultRuntime rt(disk, 2);
      BlockStore store(rt, store_options(true));
      auto task = [](BlockStore& s, bool& acked, bool& done) -> Task<void> {
        EXPECT_TRUE(co_await s.mount());
        acked = bool(co_await s.commit(removal(2)));
        co_await s.umount();
        done = true;
      };
      spawn_detached(rt.executor(), task(store, acknowledged, ended));
      for (int i = 0; i < steps && !ended; i++) rt.step();
    }
    disk.crash(rng);
    expect_clean();
    const Model got = mounted();
    const bool removed = difference(got, model) != "";
    if (removed) model.apply(removal(2));
    EXPECT_EQ(difference(got, model), "");
    EXPECT_TRUE(removed || !acknowledged);
    expect_clean();
    ASSERT_FALSE(HasFailure()) << "after " << steps << " steps";
  }
}

TEST_F(JournalOnly, RefusesWhatItCannotKeep) {
  make(Journal::kMinSize);
  disk.locked.clear();
  {
    FaultRuntime rt(disk, 2);
    BlockStore store(rt, store_options(true));
    ASSERT_TRUE(rt.run(store.mount()));
    Transaction data;
    data.write(kPg, test_object(kPg, 1), 0, Bytes::copy("x"));
    EXPECT_EQ(rt.run(store.commit(std::move(data))).error().code(), EROFS);
    // Until the ring is full.
    Result<> done;
    int count = 0;
    for (; done && count < 100; count++) done = rt.run(store.commit(removal(1)));
    EXPECT_GT(count, 1);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().text().find("no room"), std::string::npos) << done.error().text();
    rt.run(store.umount());
  }
  model.apply(removal(1));
  EXPECT_EQ(difference(mounted(), model), "");
  expect_clean();
}

}  // namespace plimsoll::osd
