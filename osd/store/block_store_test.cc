// SPDX-License-Identifier: LGPL-2.1-or-later
// What only the block store promises: acknowledged transactions survive a crash at any point, whole
// and in order; rot is found; the disk's errors end it; small writes cost one sync.
#include "osd/store/block_store.h"

#include <gtest/gtest.h>

#include "osd/store/dump.h"
#include "osd/store/fsck.h"
#include "osd/store/test_runtime.h"
#include "osd/store/test_model.h"

namespace plimsoll::osd {

namespace {

constexpr uint64_t kSize = 16_MiB;
constexpr uint64_t kJournal = 512_KiB;  ///< so small that streams go round it again and again
const PgId kPg{1, 0};

BlockStoreOptions store_options() {
  BlockStoreOptions o;
  o.path = "osd";
  o.onode_cache_bytes = 4_KiB;  // Far too small, so that onodes are loaded again and again.
  o.deferred_flush = 64_KiB;
  o.deferred_max = 256_KiB;
  o.writes_max = 1_MiB;
  return o;
}

std::string fsck_text(FaultDisk& disk) {
  FaultRuntime rt(disk, 99);
  auto report = rt.run(fsck(rt, "osd"));
  if (!report) return report.error().to_string();
  std::string out;
  for (const auto& f : report->findings) out += f + "\n";
  return out;
}

/// Random transactions, several under way at a time, each carrying its number.
class Workload {
 public:
  Workload(uint64_t seed, uint64_t count) : rng_(seed) {
    MixOptions mix;
    mix.objects = seed % 2 ? 6 : 2;
    mix.remove_collection = seed % 3 ? 0.2 : 0.9;
    models_.emplace_back();
    for (uint64_t i = 1; i <= count; i++) {
      Transaction t = random_transaction(rng_, mix);
      std::map<std::string, Bytes> number;
      number["number"] = Bytes::copy(std::to_string(i));
      t.store_set(std::move(number));
      transactions_.push_back(t);
      models_.push_back(models_.back());
      models_.back().apply(t);
    }
  }
  /// Issues transactions while at most 8 are unanswered. True when all are answered.
  bool go_on(FaultRuntime& rt, ObjectStore& store) {
    while (issued_ < transactions_.size() && issued_ < acked_ + 8) {
      spawn_detached(rt.executor(), one(store, issued_));
      issued_++;
    }
    return acked_ == transactions_.size();
  }
  void check(FaultRuntime& rt, ObjectStore& store) {
    std::set<std::string> keys;
    keys.insert("number");
    auto got = rt.run(read_all(store, keys));
    ASSERT_TRUE(got) << got.error().to_string();
    const uint64_t number = got->store.empty() ? 0 : std::stoull(got->store["number"].to_string());
    ASSERT_GE(number, acked_) << "acknowledged transactions are lost";
    ASSERT_LE(number, issued_);
    ASSERT_EQ(difference(*got, models_[number]), "") << "after transaction " << number;
    ASSERT_EQ(usage_difference(store, models_[number]), "") << "after transaction " << number;
  }
  uint64_t acked() const { return acked_; }

 private:
  Task<void> one(ObjectStore& store, uint64_t i) {
    auto done = co_await store.commit(transactions_[i]);
    if (!done) co_return;
    EXPECT_EQ(acked_, i);
    acked_ = i + 1;
  }
  Rng rng_;
  std::vector<Transaction> transactions_;
  std::vector<Model> models_;  ///< [n]: after the first n transactions
  uint64_t issued_ = 0;
  uint64_t acked_ = 0;
};

struct CrashRun {
  uint64_t seed = 1;
  uint64_t transactions = 24;
  uint64_t journal = kJournal;
};

/// Runs the workload, crashes after `steps` steps, remounts and compares. False when the workload
/// ended before.
bool crash_after(const CrashRun& run, uint64_t steps) {
  FaultDisk disk;
  Workload work(run.seed, run.transactions);
  bool ended = false;
  {
    FaultRuntime rt(disk, run.seed);
    EXPECT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 0, kSize, true, run.journal})));
    BlockStore store(rt, store_options());
    EXPECT_TRUE(rt.run(store.mount()));
    for (uint64_t i = 0; i < steps && !ended; i++) {
      ended = work.go_on(rt, store);
      rt.step();
    }
  }
  Rng rng(run.seed * 1000 + steps);
  disk.crash(rng);
  EXPECT_EQ(fsck_text(disk), "") << "replayed in memory";
  FaultRuntime rt(disk, run.seed + 7);
  BlockStore store(rt, store_options());
  auto mounted = rt.run(store.mount());
  EXPECT_TRUE(mounted) << mounted.error().to_string();
  work.check(rt, store);
  rt.run(store.umount());
  EXPECT_EQ(fsck_text(disk), "");
  return !ended;
}

Task<void> commit_counting(ObjectStore& store, Transaction t, int& done) {
  EXPECT_TRUE(co_await store.commit(std::move(t)));
  done++;
}

Task<void> commit_after(int hops, ObjectStore& store, Transaction t, int& done) {
  while (hops--) co_await yield();
  co_await commit_counting(store, std::move(t), done);
}

struct BlockStoreTest : ::testing::Test {
  FaultDisk disk;
  std::unique_ptr<FaultRuntime> rt;
  std::unique_ptr<BlockStore> store;

  void SetUp() override {
    rt = std::make_unique<FaultRuntime>(disk, 5);
    ASSERT_TRUE(rt->run(mkfs(*rt, MkfsOptions{"osd", {}, 3, kSize, true, kJournal})));
    open(store_options());
  }
  void TearDown() override { close(); }
  void open(BlockStoreOptions options) {
    store = std::make_unique<BlockStore>(*rt, std::move(options));
    ASSERT_TRUE(rt->run(store->mount()));
  }
  void close() {
    if (store) rt->run(store->umount());
    store.reset();
  }
  Result<> commit(Transaction t) { return rt->run(store->commit(std::move(t))); }
  Result<> write(uint64_t object, uint64_t offset, Bytes data) {
    Transaction t;
    t.write(kPg, test_object(kPg, object), offset, std::move(data));
    return commit(std::move(t));
  }
  Result<Bytes> read(uint64_t object, uint64_t offset, uint64_t length) {
    return rt->run(store->read(kPg, test_object(kPg, object), offset, length));
  }
  /// Where the first block of an object lies on the disk.
  uint64_t physical(uint64_t object) {
    close();
    const PgId pg = kPg;
    auto json = rt->run(dump(*rt, "osd", pg));
    open(store_options());
    for (const auto& o : json->at("collections").at(0).at("objects").as_array())
      if (o.at("name").as_string() == test_object(kPg, object).oid)
        return o.at("extents").at(0).at("physical").to_number<uint64_t>();
    return 0;
  }
  Rng rng{11};
};

}  // namespace

TEST(BlockStoreCrash, EveryPointOfRandomStreams) {
  for (uint64_t seed = 1; seed <= 16; seed++) {
    CrashRun run;
    run.seed = seed;
    // One that always has room, one that never has, and one that is too small for most records.
    run.journal = seed % 3 == 0 ? 4_MiB : seed % 3 == 1 ? 256_KiB : Journal::kMinSize;
    for (uint64_t steps = seed % 5; crash_after(run, steps); steps += 5) {
      if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << " steps " << steps;
    }
  }
}

/// One store that crashes again and again, in the middle of replay too, which meets reused blocks
/// and every place in the ring.
void many_crashes(uint64_t seed, uint64_t journal) {
  FaultDisk disk;
  Rng rng(seed);
  Workload work(seed, 400);
  {
    FaultRuntime rt(disk, seed);
    ASSERT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 0, kSize, true, journal})));
    BlockStore store(rt, store_options());
    ASSERT_TRUE(rt.run(store.mount()));
    while (!work.go_on(rt, store)) ASSERT_TRUE(rt.step());
    // No umount: a crash with everything acknowledged.
  }
  disk.crash(rng);
  auto mount = [](BlockStore& s, bool& done) -> Task<void> { done = bool(co_await s.mount()); };
  for (int round = 0; round < 40; round++) {
    FaultRuntime rt(disk, round);
    BlockStore store(rt, store_options());
    bool mounted = false;
    spawn_detached(rt.executor(), mount(store, mounted));
    for (int i = 0; i < round && !mounted; i++) rt.step();
    if (mounted) work.check(rt, store);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round;
    disk.crash(rng);
  }
  FaultRuntime rt(disk, 77);
  BlockStore store(rt, store_options());
  ASSERT_TRUE(rt.run(store.mount()));
  work.check(rt, store);
  rt.run(store.umount());
  EXPECT_EQ(fsck_text(disk), "");
}

TEST(BlockStoreCrash, LongStreamsWithManyCrashes) {
  many_crashes(42, kJournal);
  many_crashes(43, 16_MiB);
}

TEST(BlockStoreCrash, ReplayDoesNotTouchBlocksThatHaveANewOwner) {
  // On a full device, so that freed blocks are wanted at once, with the deferred write still
  // pending; and with a journal so large that it still has that write in the end.
  FaultDisk disk;
  Rng rng(7);
  const Bytes data = random_bytes(rng, 40 * kBlock);
  {
    FaultRuntime rt(disk, 7);
    ASSERT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 0, kSize, true, 16_MiB})));
    auto options = store_options();
    options.deferred_flush = 16_MiB;
    options.flush_delay = 1h;
    BlockStore store(rt, options);
    ASSERT_TRUE(rt.run(store.mount()));
    auto commit = [&](auto change) {
      Transaction t;
      change(t);
      return bool(rt.run(store.commit(std::move(t))));
    };
    const uint64_t fill = store.statfs().available - 45 * kBlock;
    ASSERT_TRUE(commit([&](Transaction& t) {
      t.write(kPg, test_object(kPg, 0), 0, random_bytes(rng, fill));
    }));
    for (uint64_t i = 0; i < 40; i++) {
      ASSERT_TRUE(commit([&](Transaction& t) {
        t.write(kPg, test_object(kPg, 1), i * kBlock, random_bytes(rng, kBlock));
      }));
    }
    ASSERT_TRUE(commit([&](Transaction& t) { t.remove(kPg, test_object(kPg, 1)); }));
    auto write_new = [&](Transaction& t) { t.write(kPg, test_object(kPg, 2), 0, data); };
    // Not yet, but soon: the refusal hurries the flush.
    EXPECT_FALSE(commit(write_new));
    for (int i = 0; i < 200 && store.statfs().available < data.size(); i++) rt.step();
    ASSERT_TRUE(commit(write_new));
  }
  disk.crash(rng);
  FaultRuntime rt(disk, 8);
  BlockStore store(rt, store_options());
  ASSERT_TRUE(rt.run(store.mount()));
  auto got = rt.run(store.read(kPg, test_object(kPg, 2), 0, data.size()));
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(*got, data);
  rt.run(store.umount());
}

TEST_F(BlockStoreTest, ManyChangesOfTheSameKeysUnderWayAreCountedRight) {
  const HObject o = test_object(kPg, 0);
  int done = 0, sent = 0;
  for (; sent < 300; sent++) {
    Transaction t;
    std::map<std::string, Bytes> pairs;
    pairs["k" + std::to_string(rng.below(2))] = random_bytes(rng, rng.below(30));
    switch (rng.below(4)) {
      case 0: t.omap_remove(kPg, o, pairs); break;
      case 1: t.omap_remove_range(kPg, o, "k0", rng.chance(0.5) ? "k1" : "k2"); break;
      default: t.omap_set(kPg, o, pairs);
    }
    spawn_detached(rt->executor(), commit_counting(*store, std::move(t), done));
    for (uint64_t steps = rng.below(4); steps; steps--) rt->step();
  }
  while (done < sent) ASSERT_TRUE(rt->step());
  close();
  EXPECT_EQ(fsck_text(disk), "");
  open(store_options());
}

TEST_F(BlockStoreTest, ACollectionMayComeAndGoTwiceInOneTransaction) {
  for (const bool cached : {true, false}) {
    for (int i = 0; i < 30; i++) ASSERT_TRUE(write(i, 0, random_bytes(rng, 50'000)));
    if (!cached) {
      close();
      open(store_options());
    }
    Transaction t;
    t.remove_collection(kPg);
    t.write(kPg, test_object(kPg, 1), 0, random_bytes(rng, 5000));
    t.remove_collection(kPg);
    t.write(kPg, test_object(kPg, 2), 0, random_bytes(rng, 5000));
    ASSERT_TRUE(commit(std::move(t)));
    EXPECT_EQ(rt->run(store->list(kPg, HObject(), HObject::max(), 10))->size(), 1u);
    EXPECT_EQ(store->counters().objects, 1u);
    EXPECT_EQ(store->collection_statfs().at(kPg).allocated, 2 * kBlock);
    close();
    EXPECT_EQ(fsck_text(disk), "");
    open(store_options());
  }
}

/// What is wrong after a crash of a store with `options` that acknowledged `count` writes.
std::string after_crash(uint64_t seed, BlockStoreOptions options, int count, size_t size) {
  FaultDisk disk;
  Rng rng(seed);
  {
    FaultRuntime rt(disk, seed);
    EXPECT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 0, kSize, true, 256_KiB})));
    BlockStore store(rt, options);
    EXPECT_TRUE(rt.run(store.mount()));
    for (int i = 0; i < count; i++) {
      Transaction t;
      t.write(kPg, test_object(kPg, i), 0, random_bytes(rng, size));
      EXPECT_TRUE(rt.run(store.commit(std::move(t))));
    }
  }
  disk.crash(rng);
  std::string wrong = fsck_text(disk);
  FaultRuntime rt(disk, seed + 1);
  BlockStore store(rt, store_options());
  if (!rt.run(store.mount())) return wrong + "no mount\n";
  const auto objects = rt.run(store.list(kPg, HObject(), HObject::max(), 1000));
  if (objects->size() != static_cast<size_t>(count)) wrong += "objects are lost\n";
  rt.run(store.umount());
  return wrong;
}

/// Planted faults must show as failures of what the tests above look at.
bool noticed(bool BlockStoreOptions::*fault, int count, size_t size, std::string_view what) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    auto options = store_options();
    EXPECT_EQ(after_crash(seed, options, count, size), "");
    options.*fault = true;
    if (after_crash(seed, options, count, size).find(what) != std::string::npos) return true;
  }
  return false;
}

TEST(BlockStoreCrash, AMissingSyncOfTheBlockFileIsNoticed) {
  EXPECT_TRUE(noticed(&BlockStoreOptions::fault_no_block_sync, 1, 100'000, "checksum mismatch"));
}

TEST(BlockStoreCrash, AnAnswerBeforeTheJournalIsDurableIsNoticed) {
  EXPECT_TRUE(noticed(&BlockStoreOptions::fault_no_journal_sync, 3, 4096, "objects are lost"));
}

TEST(BlockStoreCrash, ATrimBeforeTheKeyValueStoreIsDurableIsNoticed) {
  EXPECT_TRUE(noticed(&BlockStoreOptions::fault_no_kv_sync, 60, 4096, "objects are lost"));
}

TEST_F(BlockStoreTest, CommitsWaitForRoomInTheJournalAndGoOn) {
  // Nothing is flushed but what the full ring asks for.
  close();
  disk = {};
  ASSERT_TRUE(rt->run(mkfs(*rt, MkfsOptions{"osd", {}, 3, kSize, true, 128_KiB})));
  auto options = store_options();
  options.deferred_flush = options.deferred_max = 16_MiB;
  options.unsettled_flush = options.unsettled_max = 16_MiB;
  options.flush_delay = 1h;
  open(options);
  int done = 0, sent = 0;
  for (; sent < 200; sent++) {
    Transaction t;
    t.write(kPg, test_object(kPg, sent), 0, random_bytes(rng, 4096));
    spawn_detached(rt->executor(), commit_counting(*store, std::move(t), done));
  }
  while (done < sent) ASSERT_TRUE(rt->step());
  EXPECT_LT(rt->clock().now().since_start, 1h);
  EXPECT_EQ(rt->run(store->list(kPg, HObject(), HObject::max(), 1000))->size(), 200u);
  close();
  EXPECT_EQ(fsck_text(disk), "");
}

TEST_F(BlockStoreTest, ATransactionLargerThanTheJournalIsAtomicToo) {
  // With a small write before it to the same block, and one after.
  std::map<std::string, Bytes> pairs;
  for (int i = 0; i < 40; i++) pairs["k" + std::to_string(i)] = random_bytes(rng, 20'000);
  const HObject o = test_object(kPg, 0);
  int before = 0, after = 0, done = 0;
  for (uint64_t steps = 0; !done; steps++) {
    close();
    disk = {};
    const Bytes first = random_bytes(rng, 4096), second = random_bytes(rng, 4096);
    auto doomed = std::make_unique<FaultRuntime>(disk, steps);
    ASSERT_TRUE(doomed->run(mkfs(*doomed, MkfsOptions{"osd", {}, 3, kSize, true, 128_KiB})));
    auto victim = std::make_unique<BlockStore>(*doomed, store_options());
    ASSERT_TRUE(doomed->run(victim->mount()));
    Transaction t;
    t.write(kPg, o, 0, first);
    ASSERT_TRUE(doomed->run(victim->commit(std::move(t))));
    Transaction large;
    large.omap_set(kPg, o, pairs);
    large.write(kPg, o, 0, second);
    spawn_detached(doomed->executor(), commit_counting(*victim, std::move(large), done));
    for (uint64_t i = 0; i < steps && !done; i++) doomed->step();
    victim.reset();
    doomed.reset();
    disk.crash(rng);
    open(store_options());
    const auto data = read(0, 0, 4096);
    const auto page = rt->run(store->omap_page(kPg, o, std::nullopt, "", 1000, 1_MiB));
    ASSERT_TRUE(data && page);
    const bool has = page->pairs.size() == pairs.size();
    ASSERT_TRUE(has || page->pairs.empty());
    ASSERT_EQ(*data, has ? second : first);
    ASSERT_TRUE(has || !done);
    (has ? after : before)++;
    if (has) ASSERT_TRUE(write(0, 100, random_bytes(rng, 100)));
    close();
    ASSERT_EQ(fsck_text(disk), "");
  }
  EXPECT_GT(before, 2);
  EXPECT_GT(after, 2);
}

TEST_F(BlockStoreTest, ReadsSeeWhatTheKeyValueStoreHasYetToLearn) {
  close();
  auto options = store_options();
  options.flush_delay = 1h;
  open(options);
  const HObject o = test_object(kPg, 0);
  for (int i = 0; i < 20; i++) {
    const Bytes value = random_bytes(rng, 100);
    std::map<std::string, Bytes> pairs, key;
    pairs["k" + std::to_string(i)] = value;
    key["k"] = value;
    Transaction t;
    t.omap_set(kPg, o, pairs);
    t.omap_set_header(kPg, o, value);
    t.meta_set(kPg, pairs);
    t.store_set(key);
    t.touch(kPg, test_object(kPg, 100 + i));
    ASSERT_TRUE(commit(std::move(t)));
    switch (i % 7) {
      case 0: EXPECT_EQ(*rt->run(store->omap_header(kPg, o)), value); break;
      case 1:
        EXPECT_EQ(rt->run(store->omap_get(kPg, o, {pairs.begin()->first}))->size(), 1u);
        break;
      case 2:
        EXPECT_EQ(rt->run(store->omap_page(kPg, o, {}, "", 100, 1_MiB))->pairs.size(), i + 1u);
        break;
      case 3: EXPECT_EQ(*rt->run(store->meta_get(kPg, pairs.begin()->first)), value); break;
      case 4: EXPECT_EQ(rt->run(store->meta_scan(kPg, "", "", 100))->size(), i + 1u); break;
      case 5: EXPECT_EQ(*rt->run(store->store_get("k")), value); break;
      default:
        EXPECT_EQ(rt->run(store->list(kPg, HObject(), HObject::max(), 100))->size(), i + 2u);
    }
  }
}

TEST_F(BlockStoreTest, ASmallWriteCostsOneDurableWriteAndNoSync) {
  for (int i = 0; i < 4; i++) {
    ASSERT_TRUE(rt->run(store->flush()));
    const uint64_t syncs = disk.syncs, commits = disk.commits, writes = disk.durable_writes;
    Transaction t;
    t.write(kPg, test_object(kPg, 0), 4096 * (i / 2), random_bytes(rng, 4096));
    t.set_attr(kPg, test_object(kPg, 0), "_", random_bytes(rng, 250));
    std::map<std::string, Bytes> log;
    log["log." + std::to_string(i)] = random_bytes(rng, 150);
    t.meta_set(kPg, std::move(log));
    ASSERT_TRUE(commit(std::move(t)));
    EXPECT_EQ(disk.durable_writes, writes + 1);
    EXPECT_EQ(disk.commits, commits);
    EXPECT_EQ(disk.syncs, syncs);
  }
}

TEST_F(BlockStoreTest, TransactionsShareCommitsAndSyncs) {
  close();
  auto options = store_options();
  options.onode_cache_bytes = 1_MiB;
  open(options);
  for (int i = 0; i < 32; i++) EXPECT_FALSE(rt->run(store->stat(kPg, test_object(kPg, i))));
  const uint64_t syncs = disk.syncs, writes = disk.durable_writes;
  int done = 0;
  for (int i = 0; i < 32; i++) {
    Transaction t;
    t.write(kPg, test_object(kPg, i), 0, random_bytes(rng, i % 8 ? 4096 : 40'000));
    spawn_detached(rt->executor(), commit_counting(*store, std::move(t), done));
  }
  while (done < 32) ASSERT_TRUE(rt->step());
  // Alone they would be 32 records and 4 syncs, besides what flushes in the background.
  EXPECT_LE(disk.durable_writes - writes, 8u);
  EXPECT_LE(disk.syncs - syncs, 4u);
}

TEST_F(BlockStoreTest, TransactionsThatAreNearComeAlong) {
  for (int i = 0; i < 3; i++) EXPECT_FALSE(rt->run(store->stat(kPg, test_object(kPg, i))));
  const auto records_of = [&](std::vector<int> hops) {
    const uint64_t writes = disk.durable_writes;
    int done = 0;
    for (size_t i = 0; i < hops.size(); i++) {
      Transaction t;
      t.write(kPg, test_object(kPg, i), 0, random_bytes(rng, 4096));
      spawn_detached(rt->executor(), commit_after(hops[i], *store, std::move(t), done));
    }
    while (done < static_cast<int>(hops.size())) EXPECT_TRUE(rt->step());
    return disk.durable_writes - writes;
  };
  EXPECT_EQ(records_of({0, 0}), 1u);
  EXPECT_EQ(records_of({0, 3, 6}), 1u);
  EXPECT_EQ(records_of({0}), 1u);
  // Behind one that was alone nobody is waited for, until some are seen together.
  EXPECT_EQ(records_of({0, 3, 6}), 2u);
  EXPECT_EQ(records_of({0, 3, 6}), 1u);
}

TEST_F(BlockStoreTest, RotIsFoundOnReadAndNamed) {
  const Bytes data = random_bytes(rng, 64_KiB);
  ASSERT_TRUE(write(0, 0, data));
  ASSERT_TRUE(write(1, 0, random_bytes(rng, 4096)));
  const uint64_t at = physical(0), small_at = physical(1);
  ASSERT_NE(at, 0u);
  for (const uint64_t flip : {at + 8192 + 5, small_at}) disk.files["osd/block"].current[flip] ^= 1;
  EXPECT_EQ(*read(0, 0, 8192), data.slice(0, 8192));
  auto bad = read(0, 0, 64_KiB);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), EIO);
  EXPECT_NE(bad.error().text().find(test_object(kPg, 0).to_string()), std::string::npos);
  EXPECT_NE(bad.error().text().find("offset 8192"), std::string::npos);
  EXPECT_EQ(read(1, 0, 10).error().code(), EIO);
  // Writing whole blocks heals.
  ASSERT_TRUE(write(0, 8192, data.slice(8192, 4096)));
  EXPECT_EQ(*read(0, 0, 64_KiB), data);
}

TEST_F(BlockStoreTest, AfterADiskErrorNothingIsAcknowledged) {
  for (const auto fault :
       {&FaultDisk::fail_write_in, &FaultDisk::fail_sync_in, &FaultDisk::fail_durable_in}) {
    disk.*fault = 1;
    auto failed = write(0, 0, random_bytes(rng, 50'000));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), EIO);
    EXPECT_EQ(write(1, 0, random_bytes(rng, 10)).error().code(), EIO);
    close();
    open(store_options());
    EXPECT_TRUE(write(1, 0, random_bytes(rng, 10)));
  }
}

TEST_F(BlockStoreTest, RefusedWritesLeaveNoTraceAndDeletesMakeRoom) {
  std::vector<uint64_t> full;
  for (uint64_t i = 0; write(i, 0, random_bytes(rng, 300'000)); i++) full.push_back(i);
  ASSERT_GT(full.size(), 40u);
  while (write(full.back() + 1, 0, random_bytes(rng, 4096)) && store->statfs().available > 4096)
    full.push_back(full.back() + 1);
  EXPECT_FALSE(write(0, 0, random_bytes(rng, 300'000)));
  Transaction remove;
  for (uint64_t i : full) remove.remove(kPg, test_object(kPg, i));
  EXPECT_TRUE(commit(std::move(remove)));
  EXPECT_TRUE(rt->run(store->flush()));
  EXPECT_TRUE(write(0, 0, random_bytes(rng, 1'000'000)));
  close();
  EXPECT_EQ(fsck_text(disk), "");
}

TEST_F(BlockStoreTest, MountSaysWhatIsWrong) {
  close();
  auto mount_error = [&](StoreOwner owner) {
    auto options = store_options();
    options.owner = owner;
    BlockStore other(*rt, options);
    auto mounted = rt->run(other.mount());
    if (mounted) rt->run(other.umount());
    return mounted ? Error() : mounted.error();
  };
  EXPECT_EQ(mount_error({Uuid{}, 3}).code(), 0);
  EXPECT_NE(mount_error({std::nullopt, 4}).text().find("belongs to osd.3"), std::string::npos);
  Uuid other;
  other.bytes[0] = 1;
  EXPECT_NE(mount_error({other, 3}).text().find("belongs to cluster"), std::string::npos);
  {
    auto lock = rt->lock_dir("osd");
    EXPECT_EQ(mount_error({}).code(), EBUSY);
  }
  const MkfsOptions again{"osd", {}, 3, kSize, true, kJournal};
  EXPECT_EQ(rt->run(mkfs(*rt, again)).error().code(), EEXIST);

  // One damaged copy of the superblock does no harm, two do.
  auto& image = disk.files["osd/block"].current;
  image[40] ^= 1;
  EXPECT_EQ(mount_error({}).code(), 0);
  image[kSuperblockOffset[1]] ^= 1;
  EXPECT_NE(mount_error({}).text().find("superblock"), std::string::npos);
  image[40] ^= 1;
  auto kv = disk.kvs["osd/kv"];
  disk.kvs["osd/kv"].durable[std::string(key::kInstance)] = "another";
  EXPECT_NE(mount_error({}).text().find("does not belong"), std::string::npos);
  disk.kvs.erase("osd/kv");
  EXPECT_EQ(mount_error({}).code(), ENOENT);
  disk.kvs["osd/kv"] = kv;
  EXPECT_EQ(mount_error({}).code(), 0);
  const auto journal = disk.files["osd/journal"];
  ASSERT_TRUE(rt->run(mkfs(*rt, MkfsOptions{"other", {}, 3, kSize, true, kJournal})));
  disk.files["osd/journal"] = disk.files["other/journal"];
  EXPECT_NE(mount_error({}).text().find("osd/journal: does not belong"), std::string::npos);
  disk.files.erase("osd/journal");
  EXPECT_EQ(mount_error({}).code(), ENOENT);
  disk.files["osd/journal"] = journal;
  EXPECT_EQ(mount_error({}).code(), 0);
  disk.files.erase("osd/block");
  EXPECT_EQ(mount_error({}).code(), ENOENT);
}

/// On a host of which nothing but the ballast is left.
struct FullHost : BlockStoreTest {
  static constexpr uint64_t kBallast = 1_MiB;
  void SetUp() override {
    BlockStoreTest::SetUp();
    close();
    open(with_ballast());
    rt->run(store->look_at_host(0));
    ASSERT_EQ(store->host().ballast, kBallast);
    disk.host_free = 0;
  }
  static BlockStoreOptions with_ballast() {
    BlockStoreOptions o = store_options();
    o.ballast = kBallast;
    return o;
  }
  /// Commits in the background; counts those that are answered.
  void start(uint64_t writes) {
    for (uint64_t i = 0; i < writes; i++) {
      Transaction t;
      t.write(kPg, test_object(kPg, i), 0, random_bytes(rng, 4096));
      spawn_detached(rt->executor(), commit_counting(*store, std::move(t), done));
    }
    started += static_cast<int>(writes);
  }
  void pass(Duration time) {
    const TimePoint until = rt->clock().now() + time;
    while (rt->clock().now() < until && rt->step()) {
    }
  }
  void expect_all_there(int objects) {
    auto listed = rt->run(store->list(kPg, HObject(), HObject::max(), 10'000));
    EXPECT_EQ(listed->size(), static_cast<size_t>(objects));
  }
  int started = 0, done = 0;
};

TEST_F(FullHost, TheBallastPaysForKeysAndValues) {
  for (int i = 0; i < 200; i++) ASSERT_TRUE(write(i, 0, random_bytes(rng, 4096))) << i;
  ASSERT_TRUE(rt->run(store->flush()));
  rt->run(store->look_at_host(0));
  EXPECT_LT(store->host().ballast, kBallast);
  EXPECT_GT(store->host().ballast, 0u);
  EXPECT_EQ(store->host().free, 0u);
  // Started again, still full.
  close();
  open(with_ballast());
  expect_all_there(200);
  EXPECT_LT(store->host().ballast, kBallast);
  // Whole only where the rest stays free.
  disk.host_free = 3_MiB;
  rt->run(store->look_at_host(3_MiB));
  EXPECT_LT(store->host().ballast, kBallast);
  rt->run(store->look_at_host(1_MiB));
  EXPECT_EQ(store->host().ballast, kBallast);
  close();
  EXPECT_EQ(fsck_text(disk), "");
}

TEST_F(FullHost, WithNothingLeftItWaitsAndLosesNothing) {
  disk.ballasts["osd/ballast"] = 0;
  for (int round = 0; round < 8; round++) {
    start(60);
    pass(2s);
  }
  // The journal took what it could hold; the rest waits.
  EXPECT_GT(done, 0);
  EXPECT_LT(done, started);
  const int before = done;
  pass(5s);
  EXPECT_EQ(done, before);
  disk.host_free = 64_MiB;
  pass(5s);
  EXPECT_EQ(done, started);
  expect_all_there(60);
  close();
  EXPECT_EQ(fsck_text(disk), "");
}

TEST_F(FullHost, WithNothingLeftItStopsAndDoesNotStart) {
  ASSERT_TRUE(write(0, 0, random_bytes(rng, 4096)));
  disk.ballasts["osd/ballast"] = 0;
  close();
  store = std::make_unique<BlockStore>(*rt, with_ballast());
  EXPECT_EQ(rt->run(store->mount()).error().code(), ENOSPC);
  disk.host_free = 64_MiB;
  open(with_ballast());
  expect_all_there(1);
  close();
  EXPECT_EQ(fsck_text(disk), "");
}

TEST_F(FullHost, TheBallastPaysForASparseBlockFile) {
  disk.sparse_files = true;
  for (int i = 0; i < 4; i++) ASSERT_TRUE(write(i, 0, random_bytes(rng, 100'000))) << i;
  EXPECT_LT(store->host().ballast, kBallast - 400'000);
  disk.ballasts["osd/ballast"] = 0;
  Transaction t;
  t.write(kPg, test_object(kPg, 4), 0, random_bytes(rng, 100'000));
  spawn_detached(rt->executor(), commit_counting(*store, std::move(t), done));
  pass(3s);
  EXPECT_EQ(done, 0);
  disk.host_free = 64_MiB;
  pass(3s);
  EXPECT_EQ(done, 1);
  close();
  EXPECT_EQ(fsck_text(disk), "");
}

TEST_F(BlockStoreTest, FsckFindsPlantedDamage) {
  ASSERT_TRUE(write(0, 0, random_bytes(rng, 64_KiB)));
  Transaction t;
  std::map<std::string, Bytes> pairs;
  pairs["k"] = random_bytes(rng, 10);
  t.omap_set(kPg, test_object(kPg, 0), pairs);
  ASSERT_TRUE(commit(std::move(t)));
  close();
  EXPECT_EQ(fsck_text(disk), "");
  auto& kv = disk.kvs["osd/kv"].durable;
  const auto good = kv;
  auto expect_finding = [&](std::string_view what) {
    EXPECT_NE(fsck_text(disk).find(what), std::string::npos)
        << what << " not in: " << fsck_text(disk);
    kv = good;
  };
  kv.erase(key::omap(1, "k"));
  expect_finding("omap is off by 1 keys");
  kv[key::omap(9, "k")] = "x";
  expect_finding("omap 9 has no owner");
  kv[key::free_map(0)][20] |= 64;
  expect_finding("is leaked");
  kv[key::free_map(0)] = std::string(128, '\0');
  expect_finding("free in the free map");
  Onode o;
  o.size = 4096;
  o.map({0, 17, {1}});
  kv[key::onode(kPg, test_object(kPg, 1))] = wire::to_bytes(o).to_string();
  expect_finding("checksum mismatch");
  kv[key::onode(kPg, test_object(kPg, 1))] = wire::to_bytes(o).to_string();
  expect_finding("has another owner");
  kv[key::onode({5, 5}, test_object({5, 5}, 1))] = wire::to_bytes(Onode()).to_string();
  expect_finding("no such collection");
  kv[key::store("x")] = "y";
  expect_finding("store: counter meta_bytes");
  kv[key::pg_meta({5, 5}, "x")] = "y";
  expect_finding("a PG's key without its collection");
  auto usage = *wire::from_bytes<Usage>(Bytes::copy(kv[key::collection(kPg)]), "usage");
  usage.allocated_blocks++;
  usage.omap_bytes -= 7;
  kv[key::collection(kPg)] = wire::to_bytes(usage).to_string();
  expect_finding("1.0: counter allocated_blocks is 17, want 16\n1.0: counter omap_bytes is 14, ");
  kv[key::collection(kPg)].resize(10);
  expect_finding("1.0: malformed usage");
  open(store_options());
}

/// As stores were before they kept the usage of collections.
void forget_usage(std::map<std::string, std::string>& kv) {
  for (auto& [k, value] : kv)
    if (key::parse_collection(k)) value.clear();
  std::string& counters = kv[std::string(key::kCounters)];
  ASSERT_EQ(counters.substr(0, 2), "\2\2") << "or programs that do not keep it would open it";
  counters[0] = counters[1] = 1;
}

TEST_F(BlockStoreTest, AStoreWithoutUsageOfCollectionsGetsIt) {
  for (const bool journal_only : {false, true}) {
    Transaction t;
    for (uint32_t seed = 0; seed < 3; seed++) {
      t.write({1, seed}, test_object({1, seed}, 0), 0, random_bytes(rng, 10'000 * (seed + 1)));
      t.omap_set({1, seed}, test_object({1, seed}, 0), {{"key", random_bytes(rng, 50)}});
      t.meta_set({1, seed}, {{"info", random_bytes(rng, 20)}});
    }
    t.store_set({{"superblock", random_bytes(rng, 30)}});
    ASSERT_TRUE(commit(std::move(t)));
    close();
    forget_usage(disk.kvs["osd/kv"].durable);
    disk.kvs["osd/kv"].current = disk.kvs["osd/kv"].durable;
    EXPECT_EQ(fsck_text(disk), "");

    auto options = store_options();
    options.journal_only = journal_only;
    open(options);
    const auto usage = store->collection_statfs();
    ASSERT_EQ(usage.size(), 3u);
    EXPECT_EQ(usage.at({1, 2}).allocated, 8 * kBlock);
    EXPECT_EQ(usage.at({1, 0}).allocated, 3 * kBlock);
    // The first change of one collection stores the usage of all.
    Transaction remove;
    remove.remove({1, 0}, test_object({1, 0}, 0));
    ASSERT_TRUE(commit(std::move(remove)));
    const auto after = store->collection_statfs();
    close();
    EXPECT_EQ(fsck_text(disk), "");
    open(store_options());
    EXPECT_EQ(store->collection_statfs().at({1, 0}).allocated, 0u);
    EXPECT_EQ(store->collection_statfs().at({1, 0}).internal_metadata,
              after.at({1, 0}).internal_metadata);
    close();
    for (const auto& [k, value] : disk.kvs["osd/kv"].current)
      if (key::parse_collection(k)) EXPECT_FALSE(value.empty());
    EXPECT_EQ(fsck_text(disk), "");
    open(store_options());
  }
}

TEST_F(BlockStoreTest, DumpsOfEqualContentAreEqual) {
  const Bytes data = random_bytes(rng, 50'000);
  ASSERT_TRUE(write(0, 0, data));
  const PgId pg = kPg;
  auto crc = [&] {
    close();
    auto json = rt->run(dump(*rt, "osd", pg));
    open(store_options());
    return json->at("collections").at(0).at("objects").at(0).at("data_crc").to_number<uint32_t>();
  };
  const uint32_t before = crc();
  // The same bytes by another way: a hole in between and small writes.
  Transaction t;
  t.remove(kPg, test_object(kPg, 0));
  t.write(kPg, test_object(kPg, 0), 40'000, data.slice(40'000));
  t.write(kPg, test_object(kPg, 0), 0, data.slice(0, 40'000));
  ASSERT_TRUE(commit(std::move(t)));
  EXPECT_EQ(crc(), before);
  ASSERT_TRUE(write(0, 49'999, Bytes::copy("x")));
  EXPECT_NE(crc(), before);
}

}  // namespace plimsoll::osd
