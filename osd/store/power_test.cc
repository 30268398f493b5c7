// SPDX-License-Identifier: LGPL-2.1-or-later
// Power cuts under the real thing: the block store with its real files and its real RocksDB, on a
// CrashDisk. After every cut all that was acknowledged is there, whole and in order, and fsck finds
// nothing; and the same test finds each fault that is planted. Threads make no two runs of a seed
// alike.
#include <gtest/gtest.h>

#include "common/rt/real/crash_runtime.h"
#include "common/rt/real/temp_dir.h"
#include "osd/store/block_store.h"
#include "osd/store/fsck.h"
#include "osd/store/test_model.h"

namespace plimsoll::osd {

namespace {

using real::CrashDisk;
using real::CrashRuntime;

constexpr uint64_t kWindow = 8;  ///< transactions that are unanswered at a time

struct Faults {
  bool no_sync = false;  ///< of the disk
  bool keys_before_data = false;
  bool no_block_sync = false;
  bool no_journal_sync = false;
  bool no_kv_sync = false;
};

/// A store that lives through power cuts, and what it must hold.
class Survivor {
 public:
  Survivor(uint64_t seed, Faults faults) : rng_(seed), seed_(seed), faults_(faults) {
    disk_.fault_no_sync = faults.no_sync;
  }

  /// The first thing that is wrong; "" where nothing is.
  std::string run(int rounds) {
    {
      real::RealRuntime rt;
      rt.run(make(rt));
    }
    for (int round = 0; round < rounds && wrong_.empty(); round++) {
      const bool last = round == rounds - 1;
      {
        CrashRuntime rt(disk_);
        // Often enough in the middle of mount and replay.
        disk_.cut_after(last ? 0 : 1 + rng_.below(rng_.chance(0.3) ? 30 : 400));
        rt.run(work(rt, last ? 20 : 150));
      }
      disk_.come_back(rng_);
      CrashRuntime rt(disk_);
      rt.run(check(rt));
      if (!wrong_.empty()) wrong_ = fmt::format("seed {} round {}: {}", seed_, round, wrong_);
    }
    return wrong_;
  }

 private:
  BlockStoreOptions options() const {
    BlockStoreOptions o;
    o.path = dir_.path + "/osd";
    o.kv.memtable_bytes = 64_KiB;
    o.onode_cache_bytes = 16_KiB;
    o.deferred_flush = 32_KiB;
    o.flush_delay = 2ms;
    o.fault_keys_before_data = faults_.keys_before_data;
    o.fault_no_block_sync = faults_.no_block_sync;
    o.fault_no_journal_sync = faults_.no_journal_sync;
    o.fault_no_kv_sync = faults_.no_kv_sync;
    return o;
  }

  Task<void> make(Runtime& rt) {
    MkfsOptions o;
    o.path = dir_.path + "/osd";
    o.size = 16_MiB;
    o.journal_size = 256_KiB;
    auto made = co_await mkfs(rt, o);
    if (!made) wrong_ = made.error().to_string();
  }

  Transaction next() {
    MixOptions mix;
    mix.objects = 3;
    mix.max_write = 64_KiB;
    mix.max_offset = 64_KiB;
    Transaction t = random_transaction(rng_, mix);
    std::map<std::string, Bytes> number;
    number["number"] = Bytes::copy(std::to_string(first_ + models_.size()));
    t.store_set(std::move(number));
    models_.push_back(models_.back());
    models_.back().apply(t);
    return t;
  }

  Task<void> one(ObjectStore& store, Transaction t, uint64_t number) {
    auto done = co_await store.commit(std::move(t));
    if (!done) failed_ = true;
    else if (disk_.has_power()) acknowledged_ = number;
    answered_++;
    answer_.notify_all();
  }

  /// Until power is cut, or for so many transactions.
  Task<void> work(Runtime& rt, uint64_t count) {
    failed_ = false;
    BlockStore store(rt, options());
    auto mounted = co_await store.mount();
    if (!mounted) {
      if (disk_.has_power()) wrong_ = "no mount: " + mounted.error().to_string();
      co_return;
    }
    TaskGroup group(rt.executor());
    answered_ = 0;
    for (uint64_t sent = 0; sent < count && !failed_; sent++) {
      while (sent - answered_ >= kWindow) co_await answer_.wait();
      Transaction t = next();
      group.spawn(one(store, std::move(t), first_ + models_.size() - 1));
    }
    co_await group.join();
    co_await store.umount();
  }

  Task<void> check(Runtime& rt) {
    auto report = co_await fsck(rt, dir_.path + "/osd");
    if (!report) wrong_ = "fsck: " + report.error().to_string();
    else if (!report->findings.empty()) wrong_ = "fsck: " + report->findings.front();
    if (!wrong_.empty()) co_return;
    BlockStore store(rt, options());
    auto mounted = co_await store.mount();
    if (!mounted) {
      wrong_ = "no mount: " + mounted.error().to_string();
      co_return;
    }
    std::set<std::string> keys;
    keys.insert("number");
    auto got = co_await read_all(store, std::move(keys));
    if (!got) wrong_ = got.error().to_string();
    else compare(store, *got);
    co_await store.umount();
  }

  void compare(const ObjectStore& store, const Model& got) {
    const auto it = got.store.find("number");
    const uint64_t number = it == got.store.end() ? 0 : std::stoull(it->second.to_string());
    if (number < acknowledged_ || number >= first_ + models_.size()) {
      wrong_ = fmt::format("it holds transaction {}, {} was acknowledged", number, acknowledged_);
      return;
    }
    const Model want = models_[number - first_];
    wrong_ = difference(got, want);
    if (wrong_.empty()) wrong_ = usage_difference(store, want);
    first_ = acknowledged_ = number;
    models_.assign(1, want);
  }

  Rng rng_;
  const uint64_t seed_;
  const Faults faults_;
  real::TempDir dir_;
  CrashDisk disk_;
  uint64_t first_ = 0;                         ///< number of the first model
  std::vector<Model> models_ = {Model()};      ///< after each transaction that was sent since
  uint64_t acknowledged_ = 0;
  uint64_t answered_ = 0;
  WaitQueue answer_;
  bool failed_ = false;
  std::string wrong_;
};

/// What the first of a few seeds finds.
std::string first_finding(Faults faults) {
  for (uint64_t seed = 1; seed <= 30; seed++) {
    const std::string wrong = Survivor(seed, faults).run(8);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

TEST(PowerCuts, LoseNothingThatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    EXPECT_EQ(Survivor(seed, {}).run(8), "");
    if (HasFailure()) break;
  }
}

TEST(PowerCuts, ADiskThatDoesNotSyncIsFound) {
  EXPECT_NE(first_finding({.no_sync = true}), "");
}
TEST(PowerCuts, KeysBeforeDataAreFound) {
  EXPECT_NE(first_finding({.keys_before_data = true}), "");
}
TEST(PowerCuts, EachSyncThatIsLeftOutIsFound) {
  EXPECT_NE(first_finding({.no_block_sync = true}), "") << "of the block file";
  EXPECT_NE(first_finding({.no_journal_sync = true}), "") << "of the journal";
  EXPECT_NE(first_finding({.no_kv_sync = true}), "") << "of the key-value store";
}

}  // namespace plimsoll::osd
