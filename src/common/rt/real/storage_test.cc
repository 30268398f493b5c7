// SPDX-License-Identifier: LGPL-2.1-or-later
// FileBlock and RocksKv: the common suites, and what is theirs alone: locks, damage, full hosts,
// commits from several shards, reads that need the disk.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "common/rt/block_suite.h"
#include "common/rt/kv_suite.h"
#include "common/rt/real/file_block.h"
#include "common/rt/real/real_runtime.h"
#include "common/rt/real/temp_dir.h"
#include "common/rt/run_on.h"

namespace plimsoll {

namespace real {
namespace {

struct RealHost : StorageHost {
  explicit RealHost(size_t shards = 1) : rt(RealOptions{shards, 4}) {}
  Runtime& runtime() override { return rt; }
  void run(Task<void> task) override { rt.run(std::move(task)); }
  std::string path(const std::string& name) override { return dir.path + "/" + name; }
  TempDir dir;
  RealRuntime rt;
};

/// A file system of `mib` MiB; unmounted with the object. Needs root.
struct SmallFileSystem {
  SmallFileSystem(std::string at, int mib) : path(std::move(at)) {
    std::filesystem::create_directory(path);
    const std::string options = "size=" + std::to_string(mib) + "m";
    mounted = ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallFileSystem() {
    if (mounted) ::umount2(path.c_str(), MNT_DETACH);
  }
  std::string path;
  bool mounted;
};

}  // namespace
}  // namespace real

INSTANTIATE_TYPED_TEST_SUITE_P(Real, KvSuite, real::RealHost);
INSTANTIATE_TYPED_TEST_SUITE_P(Real, BlockSuite, real::RealHost);

namespace real {

namespace {

Task<void> commit_many(Kv& kv, int shard, bool& in_order) {
  for (int i = 0; i < 200; i++) {
    auto done = co_await kv.commit(kv_suite::put(fmt::format("{}.{:03}", shard, i), "v"));
    auto seen = co_await kv.get(fmt::format("{}.{:03}", shard, i));
    in_order = in_order && done && seen->has_value();
  }
}

}  // namespace

TEST(RocksKv, ServesSeveralShards) {
  RealHost host(3);
  auto scenario = [](RealHost& h) -> Task<void> {
    auto kv = co_await kv_suite::open(h, true);
    bool ok[3] = {true, true, true};
    TaskGroup group(h.rt.executor());
    for (int i = 0; i < 3; i++) group.spawn(run_on(h.rt.shard(i), commit_many(*kv, i, ok[i])));
    co_await group.join();
    EXPECT_TRUE(ok[0] && ok[1] && ok[2]);
    auto all = co_await kv->scan("", "", 10'000);
    EXPECT_EQ(all->size(), 600u);
    co_await kv->close();
  };
  host.run(scenario(host));
}

TEST(RocksKv, ReadsWhatIsNotInMemory) {
  RealHost host;
  auto scenario = [](RealHost& h) -> Task<void> {
    auto kv = co_await kv_suite::open(h, true);
    for (int i = 0; i < 64; i++) {
      KvBatch batch;
      for (int j = 0; j < 16; j++)
        batch.put(fmt::format("{:04}", i * 16 + j),
                  std::string(16 << 10, static_cast<char>('a' + j)));
      auto done = co_await kv->commit(std::move(batch));
      EXPECT_TRUE(done);
    }
    co_await kv_suite::reopen(h, kv);
    for (int i = 0; i < 1024; i += 37) {
      auto value = co_await kv->get(fmt::format("{:04}", i));
      EXPECT_TRUE(**value == std::string(16 << 10, static_cast<char>('a' + i % 16)));
    }
    auto pairs = co_await kv->scan("0100", "", 50);
    EXPECT_EQ(pairs->size(), 50u);
    EXPECT_GT(kv->host_bytes(), 16 << 20);
    co_await kv->close();
  };
  host.run(scenario(host));
}

TEST(RocksKv, ScansRightWithColdCachesAndErasedRanges) {
  RealHost host;
  auto scenario = [](RealHost& h) -> Task<void> {
    auto kv = co_await kv_suite::open(h, true);
    Rng rng(1);
    std::map<std::string, std::string> model;
    const auto space = [&rng] { return fmt::format("{}", rng.below(6)); };
    for (int round = 0; round < 60; round++) {
      KvBatch batch;
      for (int i = 0; i < 20; i++) {
        const std::string k = fmt::format("{}.{:02}", space(), rng.below(10));
        batch.put(k, model[k] = std::string(300 + rng.below(600), static_cast<char>('a' + i)));
        if (!rng.chance(0.2)) continue;
        const std::string erased = space(), end = erased + "~";
        batch.erase_range(erased, end);
        model.erase(model.lower_bound(erased), model.lower_bound(end));
      }
      EXPECT_TRUE(co_await kv->commit(std::move(batch)));
      // Every walk over the spaces begins with another part of the tables in the cache.
      co_await kv_suite::reopen(h, kv);
      EXPECT_TRUE(co_await kv->get(fmt::format("{}.{:02}", space(), rng.below(10))));
      for (const char* from : {"0", "1", "2", "3", "4", "5"}) {
        const std::string to(1, static_cast<char>(from[0] + 1 + rng.below(2)));
        auto pairs = co_await kv->scan(from, to, 1000);
        const std::vector<Kv::Pair> want(model.lower_bound(from), model.lower_bound(to));
        EXPECT_TRUE(pairs && *pairs == want) << "round " << round << " from " << from;
      }
    }
    co_await kv->close();
  };
  host.run(scenario(host));
}

TEST(RocksKv, RefusesASecondUserAndDamage) {
  RealHost host;
  auto scenario = [](RealHost& h) -> Task<void> {
    auto kv = co_await kv_suite::open(h, true);
    auto second = co_await h.rt.open_kv(h.path("kv"), KvOptions());
    EXPECT_EQ(second.error().code(), EBUSY);
    co_await kv->close();
    kv.reset();
    std::ofstream(h.path("kv") + "/CURRENT") << "rubbish";
    auto damaged = co_await h.rt.open_kv(h.path("kv"), KvOptions());
    EXPECT_EQ(damaged.error().code(), EIO);
  };
  host.run(scenario(host));
}

TEST(RocksKv, GoesOnAfterAFullHost) {
  RealHost host;
  SmallFileSystem small(host.path("small"), 24);
  if (!small.mounted) GTEST_SKIP() << "cannot mount a tmpfs here";
  auto scenario = [](RealHost& h, std::string dir) -> Task<void> {
    KvOptions options;
    options.create = true;
    options.memtable_bytes = 1 << 20;
    auto opened = co_await h.rt.open_kv(dir + "/kv", options);
    EXPECT_TRUE(opened);
    auto kv = std::move(*opened);
    BlockFileOptions ballast;
    ballast.create = true;
    ballast.size = 14 << 20;
    auto file = co_await h.rt.open_block_file(dir + "/ballast", ballast);
    EXPECT_TRUE(file);
    ballast.size = 64 << 20;
    auto too_large = co_await h.rt.open_block_file(dir + "/too_large", ballast);
    EXPECT_EQ(too_large.error().code(), ENOSPC);
    EXPECT_FALSE(std::filesystem::exists(dir + "/too_large"));

    int acknowledged = 0;
    Result<> last;
    for (; acknowledged < 1000 && last; acknowledged += last.has_value())
      last = co_await kv->commit(
          kv_suite::put(fmt::format("{:04}", acknowledged), std::string(64 << 10, 'x')));
    EXPECT_EQ(last.error().code(), ENOSPC);
    auto again = co_await kv->commit(kv_suite::put("again", "x"));
    EXPECT_EQ(again.error().code(), ENOSPC);
    auto there = co_await kv->get("0000");
    EXPECT_TRUE(there && there->has_value());

    file->reset();
    std::filesystem::remove(dir + "/ballast");
    auto after = co_await kv->commit(kv_suite::put("after", "x"));
    EXPECT_TRUE(after);
    co_await kv->close();
    kv.reset();
    options.create = false;
    auto reopened = co_await h.rt.open_kv(dir + "/kv", options);
    EXPECT_TRUE(reopened);
    auto pairs = co_await (*reopened)->scan("", "", 2000, SIZE_MAX);
    EXPECT_EQ(pairs->size(), static_cast<size_t>(acknowledged) + 1);
    co_await (*reopened)->close();
  };
  host.run(scenario(host, small.path));
}

/// Leaves nothing free on the file system of `path`.
void fill_up(const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  const std::string chunk(64 << 10, 'f');
  while (out.write(chunk.data(), static_cast<std::streamsize>(chunk.size())).flush()) {
  }
}

Task<std::unique_ptr<Ballast>> open_ballast(Runtime& rt, std::string path,
                                            std::optional<uint64_t> whole) {
  auto opened = co_await rt.open_ballast(path, whole);
  CHECK(opened.has_value());
  co_return std::move(*opened);
}

Task<std::unique_ptr<Kv>> open_with_ballast(Runtime& rt, std::string path, Ballast& ballast,
                                            bool create) {
  KvOptions options;
  options.create = create;
  options.memtable_bytes = 1 << 20;
  options.ballast = &ballast;
  auto opened = co_await rt.open_kv(path, options);
  CHECK_NOTE(opened.has_value(), opened ? "" : opened.error().to_string().c_str());
  co_return std::move(*opened);
}

Task<Result<>> put_64k(Kv& kv, int number) {
  return kv.commit(kv_suite::put(fmt::format("{:04}", number), std::string(64 << 10, 'x')));
}

Task<void> expect_keys(Kv& kv, int count) {
  auto pairs = co_await kv.scan("", "", 10'000, SIZE_MAX);
  EXPECT_TRUE(pairs);
  EXPECT_EQ(pairs->size(), static_cast<size_t>(count));
}

TEST(FileBallast, IsReleasedInPartAndRestored) {
  RealHost host;
  SmallFileSystem small(host.path("small"), 32);
  if (!small.mounted) GTEST_SKIP() << "cannot mount a tmpfs here";
  auto scenario = [](Runtime& rt, std::string dir) -> Task<void> {
    constexpr uint64_t kMib = 1 << 20, kWhole = 16 * kMib;
    const std::string path = dir + "/ballast";
    auto ballast = co_await open_ballast(rt, path, kWhole);
    EXPECT_EQ(ballast->held(), 0u);
    EXPECT_FALSE(ballast->release(1));
    auto too_much = co_await ballast->restore(17 * kMib);
    EXPECT_EQ(too_much.error().code(), ENOSPC);
    EXPECT_TRUE(co_await ballast->restore(15 * kMib));
    EXPECT_EQ(ballast->held(), kWhole);
    EXPECT_LE(*rt.host_free(dir), 16 * kMib);

    EXPECT_TRUE(ballast->release(1));
    EXPECT_TRUE(ballast->release(5 * kMib));
    EXPECT_EQ(ballast->held(), 7 * kMib);
    EXPECT_GE(*rt.host_free(dir), 24 * kMib);
    ballast = co_await open_ballast(rt, path, kWhole);
    EXPECT_EQ(ballast->held(), 7 * kMib);
    EXPECT_EQ((co_await open_ballast(rt, path, std::nullopt))->whole(), 7 * kMib);
    EXPECT_TRUE(co_await ballast->restore(0));
    EXPECT_EQ(ballast->held(), kWhole);
    ballast = co_await open_ballast(rt, path, 3 * kMib);
    EXPECT_EQ(ballast->held(), 3 * kMib);
    EXPECT_GE(*rt.host_free(dir), 28 * kMib);
  };
  host.run(scenario(host.rt, small.path));
}

TEST(RocksKv, SpendsItsBallastOnAFullHost) {
  RealHost host;
  SmallFileSystem small(host.path("small"), 64);
  if (!small.mounted) GTEST_SKIP() << "cannot mount a tmpfs here";
  auto scenario = [](Runtime& rt, std::string dir) -> Task<void> {
    auto ballast = co_await open_ballast(rt, dir + "/ballast", 32 << 20);
    EXPECT_TRUE(co_await ballast->restore(0));
    auto kv = co_await open_with_ballast(rt, dir + "/kv", *ballast, true);
    fill_up(dir + "/foreign");
    // Flushes and compactions run out of room here too.
    int kept = 0;
    for (; kept < 160; kept++) EXPECT_TRUE(co_await put_64k(*kv, kept)) << kept;
    EXPECT_LT(ballast->held(), ballast->whole());
    // The owner starts again on a host that is still full.
    co_await kv->close();
    kv.reset();
    fill_up(dir + "/foreign2");
    kv = co_await open_with_ballast(rt, dir + "/kv", *ballast, false);
    co_await expect_keys(*kv, kept);
    // With nothing left it refuses, and what it acknowledged stays.
    Result<> last;
    for (; kept < 1000 && last; kept += last.has_value()) last = co_await put_64k(*kv, kept);
    EXPECT_EQ(last.error().code(), ENOSPC);
    EXPECT_EQ(ballast->held(), 0u);
    std::filesystem::remove(dir + "/foreign");
    std::filesystem::remove(dir + "/foreign2");
    EXPECT_TRUE(co_await put_64k(*kv, kept++));
    co_await kv->close();
    kv.reset();
    kv = co_await open_with_ballast(rt, dir + "/kv", *ballast, false);
    co_await expect_keys(*kv, kept);
    co_await kv->close();
  };
  host.run(scenario(host.rt, small.path));
}

TEST(RocksKv, WaitsForRoomWhileItsBallastIsPatient) {
  RealHost host;
  SmallFileSystem small(host.path("small"), 24);
  if (!small.mounted) GTEST_SKIP() << "cannot mount a tmpfs here";
  auto scenario = [](Runtime& rt, std::string dir) -> Task<void> {
    auto ballast = co_await open_ballast(rt, dir + "/ballast", 4 << 20);
    EXPECT_TRUE(co_await ballast->restore(0));
    auto kv = co_await open_with_ballast(rt, dir + "/kv", *ballast, true);
    fill_up(dir + "/foreign");
    ballast->set_patient(true);
    auto write = [](Kv& k, int& done) -> Task<void> {
      for (int i = 0; i < 160; i++) {
        EXPECT_TRUE(co_await put_64k(k, i)) << i;
        done++;
      }
    };
    TaskGroup group(rt.executor());
    int done = 0;
    group.spawn(write(*kv, done));
    while (ballast->held()) co_await rt.clock().sleep(10ms);
    co_await rt.clock().sleep(500ms);
    EXPECT_LT(done, 160);
    auto read = co_await kv->get("0000");
    EXPECT_TRUE(read && read->has_value());
    std::filesystem::remove(dir + "/foreign");
    co_await group.join();
    EXPECT_EQ(done, 160);
    co_await expect_keys(*kv, done);
    co_await kv->close();
  };
  host.run(scenario(host.rt, small.path));
}

TEST(RocksKv, StopsWhileItWaitsForRoom) {
  RealHost host;
  SmallFileSystem small(host.path("small"), 24);
  if (!small.mounted) GTEST_SKIP() << "cannot mount a tmpfs here";
  auto scenario = [](Runtime& rt, std::string dir) -> Task<void> {
    auto ballast = co_await open_ballast(rt, dir + "/ballast", 4 << 20);
    EXPECT_TRUE(co_await ballast->restore(0));
    auto kv = co_await open_with_ballast(rt, dir + "/kv", *ballast, true);
    fill_up(dir + "/foreign");
    ballast->set_patient(true);
    auto write = [](Kv& k, int& done) -> Task<void> {
      while (co_await put_64k(k, done)) done++;
    };
    TaskGroup group(rt.executor());
    int done = 0;
    group.spawn(write(*kv, done));
    while (ballast->held()) co_await rt.clock().sleep(10ms);
    co_await rt.clock().sleep(500ms);
    ballast->set_patient(false);
    co_await group.join();
    co_await kv->close();
    kv.reset();
    std::filesystem::remove(dir + "/foreign");
    kv = co_await open_with_ballast(rt, dir + "/kv", *ballast, false);
    auto pairs = co_await kv->scan("", "", 10'000, SIZE_MAX);
    EXPECT_GE(pairs->size(), static_cast<size_t>(done));
    co_await kv->close();
  };
  host.run(scenario(host.rt, small.path));
}

/// In a child process: commits keys 0, 1, ... and writes each number to `fd` once it is
/// acknowledged.
Task<void> commit_and_tell(RealRuntime& rt, std::string dir, int fd) {
  KvOptions options;
  options.memtable_bytes = 1 << 20;
  options.create = !std::filesystem::exists(dir + "/CURRENT");
  auto kv = co_await rt.open_kv(dir, options);
  CHECK(kv.has_value());
  auto last = co_await (*kv)->last("", "");
  const int first = *last ? std::stoi((*last)->first) + 1 : 0;
  for (int i = first;; i++) {
    auto batch = kv_suite::put(fmt::format("{:08}", i), std::string(3000, 'x'));
    auto done = co_await (*kv)->commit(std::move(batch));
    CHECK(done.has_value());
    CHECK(::write(fd, &i, sizeof i) == sizeof i);
  }
}

/// Kills a child after it told `commits` numbers; the last that it told.
int kill_committer(const std::string& dir, int commits) {
  int ends[2];
  CHECK(::pipe(ends) == 0);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) {
    RealRuntime rt;
    rt.run(commit_and_tell(rt, dir, ends[1]));
  }
  ::close(ends[1]);
  int acknowledged = -1, n = 0;
  for (int told = 0; ::read(ends[0], &n, sizeof n) == sizeof n; acknowledged = n)
    if (++told == commits) ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  return acknowledged;
}

TEST(RocksKv, KeepsWhatItAcknowledgedBeforeSigkill) {
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer cannot follow threads of a forked child";
#endif
  TempDir dir;
  int acknowledged = -1;
  for (int round = 0; round < 6; round++) {
    const int before = acknowledged;
    acknowledged = kill_committer(dir.path + "/kv", 20 + 50 * round);
    EXPECT_GE(acknowledged, before + 20);
  }
  RealRuntime rt;
  auto check = [](RealRuntime& r, std::string path, int acked) -> Task<void> {
    auto kv = co_await r.open_kv(path, KvOptions());
    EXPECT_TRUE(kv);
    auto pairs = co_await (*kv)->scan("", "", SIZE_MAX, SIZE_MAX);
    EXPECT_GT(pairs->size(), static_cast<size_t>(acked));
    for (size_t i = 0; i < pairs->size(); i++)
      EXPECT_EQ((*pairs)[i].first, fmt::format("{:08}", i));
    co_await (*kv)->close();
  };
  rt.run(check(rt, dir.path + "/kv", acknowledged));
}

TEST(FileBlock, SyncsShareOneCall) {
  RealHost host;
  auto scenario = [](RealHost& h) -> Task<void> {
    auto file = co_await block_suite::open(h, true);
    TaskGroup group(h.rt.executor());
    int ended = 0;
    auto write_and_sync = [](BlockFile& f, uint64_t at, int& count) -> Task<void> {
      std::vector<Bytes> pieces(1, Bytes::copy("x"));
      auto written = co_await f.write(at, std::move(pieces));
      auto synced = co_await f.sync();
      EXPECT_TRUE(written && synced);
      count++;
    };
    for (int i = 0; i < 200; i++) group.spawn(write_and_sync(*file, i * 4096, ended));
    co_await group.join();
    EXPECT_EQ(ended, 200);
  };
  host.run(scenario(host));
}

/// Blocks of this part of the file that the page cache holds.
size_t blocks_in_memory(const std::string& path, size_t offset, size_t size) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), static_cast<off_t>(offset));
  EXPECT_NE(at, MAP_FAILED);
  std::vector<unsigned char> pages(size / 4096);
  EXPECT_EQ(::mincore(at, size, pages.data()), 0);
  ::munmap(at, size);
  return std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return p & 1; });
}

TEST(FileBlock, BlocksOfSmallObjectsStayInMemory) {
  RealHost host;
  auto scenario = [](RealHost& h) -> Task<void> {
    auto file = co_await block_suite::open(h, true);
    // As deferred writes are put in place: many objects' blocks, side by side.
    std::vector<Bytes> pieces;
    for (int i = 0; i < 64; i++) {
      Buffer block(4_KiB, 4_KiB);
      std::memset(block.data(), i, block.size());
      pieces.push_back(Bytes::take(std::move(block)));
    }
    auto written = co_await file->write(0, std::move(pieces));
    auto synced = co_await file->sync();
    EXPECT_TRUE(written && synced);
    EXPECT_EQ(blocks_in_memory(h.path("block"), 0, 256_KiB), 64u);

    // And those of a large object do not, where the file system has a way past the page cache.
    std::vector<Bytes> piece(1, Bytes::take(Buffer(256_KiB, 4_KiB)));
    written = co_await file->write(256_KiB, std::move(piece));
    EXPECT_TRUE(written);
    struct statfs fs;
    EXPECT_EQ(::statfs(h.dir.path.c_str(), &fs), 0);
    const Fd direct(::open(h.path("block").c_str(), O_RDONLY | O_DIRECT));
    if (direct.valid() && fs.f_type != TMPFS_MAGIC)
      EXPECT_EQ(blocks_in_memory(h.path("block"), 256_KiB, 256_KiB), 0u);
  };
  host.run(scenario(host));
}

TEST(FileBlock, SmallDurableWritesToAQuickDiskNeedNoThread) {
  RealHost host;
  ThreadPool pool(1);
  std::promise<void> may_go_on;
  struct Hold final : ThreadPool::Job {
    explicit Hold(std::future<void> f) : until(std::move(f)) {}
    void run() override { until.wait(); }
    std::future<void> until;
  };
  pool.submit(std::make_unique<Hold>(may_go_on.get_future()));

  auto scenario = [](RealHost& h, ThreadPool& busy, std::promise<void>& release) -> Task<void> {
    BlockFileOptions options;
    options.create = true;
    options.size = 1_MiB;
    auto opened = FileBlock::open(busy, h.path("block"), options);
    auto& file = static_cast<FileBlock&>(**opened);
    TaskGroup group(h.rt.executor());
    int written = 0;
    auto write = [](BlockFile& f, size_t bytes, int& count) -> Task<void> {
      auto done = co_await f.write_durable(0, Bytes::zeros(bytes));
      EXPECT_TRUE(done);
      count++;
    };
    while (!file.pace().is_quick()) file.pace().took(10us);
    group.spawn(write(file, 8_KiB, written));
    co_await h.rt.clock().sleep(50ms);
    EXPECT_EQ(written, 1);

    group.spawn(write(file, 32_KiB, written));  // takes long anyway
    file.pace().took(1s);
    EXPECT_FALSE(file.pace().is_quick());
    group.spawn(write(file, 8_KiB, written));
    co_await h.rt.clock().sleep(50ms);
    EXPECT_EQ(written, 1);
    release.set_value();
    co_await group.join();
    EXPECT_EQ(written, 3);
  };
  host.run(scenario(host, pool, may_go_on));
}

TEST(Pace, OneStallIsForgottenAndALastingOneIsNot) {
  Pace pace;
  EXPECT_FALSE(pace.is_quick());
  for (int i = 0; i < 100; i++) pace.took(150us);
  EXPECT_TRUE(pace.is_quick());
  pace.took(50ms);
  EXPECT_FALSE(pace.is_quick());
  for (int i = 0; i < 30; i++) pace.took(150us);
  EXPECT_TRUE(pace.is_quick());
  for (int i = 0; i < 100; i++) pace.took(i % 8 ? 150us : 8ms);
  EXPECT_FALSE(pace.is_quick());
}

}  // namespace real
}  // namespace plimsoll
