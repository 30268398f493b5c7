// SPDX-License-Identifier: LGPL-2.1-or-later
// The shims of CrashDisk: what was synced survives a power cut, what was not may be lost or torn,
// and RocksDB keeps on them what it acknowledged.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "common/rt/real/crash_runtime.h"
#include "common/rt/real/temp_dir.h"

namespace plimsoll::real {

namespace {

constexpr uint64_t kBlock = BlockFile::kBlock;

Task<std::unique_ptr<BlockFile>> open_block(Runtime& rt, std::string path, bool create) {
  BlockFileOptions options;
  options.create = create;
  options.size = 16 * kBlock;
  auto opened = co_await rt.open_block_file(path, options);
  CHECK(opened.has_value());
  co_return std::move(*opened);
}

Task<void> write_block(BlockFile& file, uint64_t block, char letter) {
  std::vector<Bytes> pieces(1, Bytes::copy(std::string(kBlock, letter)));
  EXPECT_TRUE(co_await file.write(block * kBlock, std::move(pieces)));
}

/// Blocks 0-3 are synced, 4-11 are not, 12 is written durably.
Task<void> write_some(Runtime& rt, std::string path) {
  auto file = co_await open_block(rt, path, true);
  for (uint64_t b = 0; b < 4; b++) co_await write_block(*file, b, 's');
  EXPECT_TRUE(co_await file->sync());
  for (uint64_t b = 4; b < 12; b++) co_await write_block(*file, b, 'u');
  Bytes durable = Bytes::copy(std::string(kBlock, 'd'));
  EXPECT_TRUE(co_await file->write_durable(12 * kBlock, std::move(durable)));
}

/// A letter for each block: '0' zeros, '?' torn.
Task<void> look_at(Runtime& rt, std::string path, std::string& out) {
  auto file = co_await open_block(rt, path, false);
  out.clear();
  for (uint64_t b = 0; b < 16; b++) {
    auto block = co_await file->read(b * kBlock, kBlock);
    const char first = static_cast<char>(block->data()[0]);
    const bool whole = block->view() == std::string(kBlock, first);
    out += !whole ? '?' : first ? first : '0';
  }
}

/// Applies keys, and syncs now and then, until power is cut; counts those that were synced before.
Task<void> apply_keys(Runtime& rt, CrashDisk& disk, std::string path, bool create, int& synced) {
  KvOptions options;
  options.create = create;
  options.memtable_bytes = 64 << 10;
  auto kv = co_await rt.open_kv(path, options);
  if (!kv) co_return;
  for (int number = synced;;) {
    KvBatch batch;
    batch.put(fmt::format("{:06}", number), std::string(1000, 'v'));
    auto done = co_await (*kv)->apply(std::move(batch));
    if (!done) break;
    if (++number % 7 != 0) continue;
    done = co_await (*kv)->sync();
    if (!done || !disk.has_power()) break;
    synced = number;
  }
  co_await (*kv)->close();
}

/// Commits keys until power is cut; counts those that were acknowledged before.
Task<void> commit_keys(Runtime& rt, CrashDisk& disk, std::string path, bool create, int& number) {
  KvOptions options;
  options.create = create;
  options.memtable_bytes = 64 << 10;
  auto kv = co_await rt.open_kv(path, options);
  if (!kv) co_return;
  for (;; number++) {
    KvBatch batch;
    batch.put(fmt::format("{:06}", number), std::string(1000, 'v'));
    auto done = co_await (*kv)->commit(std::move(batch));
    if (!done || !disk.has_power()) break;
  }
  co_await (*kv)->close();
}

Task<void> count_keys(Runtime& rt, std::string path, int& count, std::string& wrong) {
  auto kv = co_await rt.open_kv(path, KvOptions());
  if (!kv) {
    wrong = kv.error().to_string();
    co_return;
  }
  auto pairs = co_await (*kv)->scan("", "", SIZE_MAX, SIZE_MAX);
  count = static_cast<int>(pairs->size());
  for (int i = 0; i < count; i++)
    if ((*pairs)[static_cast<size_t>(i)].first != fmt::format("{:06}", i)) wrong = "a gap";
  co_await (*kv)->close();
}

/// What a RocksDB that was cut off several times has lost; "" where nothing.
std::string lost_by_rocksdb(uint64_t seed, bool no_sync, bool apply = false) {
  TempDir dir;
  CrashDisk disk;
  disk.fault_no_sync = no_sync;
  Rng rng(seed);
  const std::string path = dir.path + "/kv";
  int acknowledged = 0;
  for (int round = 0; round < 6; round++) {
    {
      CrashRuntime rt(disk);
      disk.cut_after(round == 0 ? 400 : 1 + rng.below(400));
      if (apply) rt.run(apply_keys(rt, disk, path, round == 0, acknowledged));
      else rt.run(commit_keys(rt, disk, path, round == 0, acknowledged));
    }
    disk.come_back(rng);
    int count = 0;
    std::string wrong;
    CrashRuntime rt(disk);
    rt.run(count_keys(rt, path, count, wrong));
    if (wrong.empty() && count < acknowledged)
      wrong = fmt::format("{} of {} keys", count, acknowledged);
    if (!wrong.empty()) return fmt::format("seed {} round {}: {}", seed, round, wrong);
    acknowledged = count;
  }
  return "";
}

}  // namespace

TEST(CrashDisk, KeepsWhatWasSyncedAndAnythingOfTheRest) {
  TempDir dir;
  CrashDisk disk;
  std::set<char> fates;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    const std::string path = fmt::format("{}/{}", dir.path, seed);
    Rng rng(seed);
    std::string got;
    {
      CrashRuntime rt(disk);
      rt.run(write_some(rt, path));
    }
    disk.come_back(rng);
    CrashRuntime rt(disk);
    rt.run(look_at(rt, path, got));
    EXPECT_EQ(got.substr(0, 4) + got.substr(12), "ssssd000") << "seed " << seed;
    for (const char c : got.substr(4, 8)) fates.insert(c);
  }
  EXPECT_EQ(std::string(fates.begin(), fates.end()), "0?u");
}

TEST(CrashDisk, NothingChangesWithoutPower) {
  TempDir dir;
  CrashDisk disk;
  CrashDisk::FileRef file;
  ASSERT_TRUE(disk.create(dir.path + "/a", file));
  disk.cut_after(1);
  CrashDisk::WriteRef write;
  EXPECT_FALSE(disk.begin_write(*file, 0, "x", write));
  EXPECT_FALSE(disk.has_power());
  EXPECT_FALSE(disk.sync(*file));
  EXPECT_FALSE(disk.sync_dir(dir.path));
  EXPECT_FALSE(disk.rename(dir.path + "/a", dir.path + "/b"));
}

TEST(CrashDisk, DirectoriesKeepAPrefixOfTheirChanges) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    TempDir dir;
    CrashDisk disk;
    Rng rng(seed);
    auto path = [&](const char* name) { return dir.path + "/" + name; };
    auto make = [&](const char* name) {
      CrashDisk::FileRef file;
      CrashDisk::WriteRef write;
      ASSERT_TRUE(disk.create(path(name), file));
      std::ofstream(path(name)) << name;
      ASSERT_TRUE(disk.begin_write(*file, 0, name, write));
      ASSERT_TRUE(disk.sync(*file, write));
    };
    make("a");
    make("b");
    ASSERT_TRUE(disk.sync_dir(dir.path));
    make("c");
    ASSERT_TRUE(disk.rename(path("c"), path("b")));
    std::filesystem::rename(path("c"), path("b"));
    ASSERT_TRUE(disk.remove(path("a")));
    std::filesystem::remove(path("a"));
    disk.come_back(rng);
    std::string found;
    for (const char* name : {"a", "b", "c"}) {
      std::string content;
      std::ifstream(path(name)) >> content;
      found += content.empty() ? "-" : content;
    }
    seen.insert(found);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"ab-", "abc", "ac-", "-c-"}));
}

TEST(CrashDisk, RocksDbKeepsWhatItAcknowledged) {
  for (uint64_t seed = 1; seed <= 3; seed++) EXPECT_EQ(lost_by_rocksdb(seed, false), "");
}

TEST(CrashDisk, RocksDbKeepsWhatItSynced) {
  for (uint64_t seed = 1; seed <= 3; seed++) EXPECT_EQ(lost_by_rocksdb(seed, false, true), "");
}

TEST(CrashDisk, RocksDbWithoutSyncsIsFound) {
  std::string lost;
  for (uint64_t seed = 1; seed <= 12 && lost.empty(); seed++) lost = lost_by_rocksdb(seed, true);
  EXPECT_NE(lost, "");
}

}  // namespace plimsoll::real
