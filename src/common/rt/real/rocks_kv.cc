// SPDX-License-Identifier: LGPL-2.1-or-later
// One commit thread takes all batches that queued up while it was busy, writes them as one RocksDB
// batch with one sync of the log (none where all were only applied; sync() does that later), and
// resumes their tasks in order by one post per executor. A get() looks into memory on the spot and
// goes to the pool only when the disk is needed; scans always do, since an iterator that may not
// read loses pairs behind erased ranges without a word (7.8). Memory is bounded: two memtables, a
// block cache, few open files. Log files are recycled, so that a sync rewrites allocated blocks and
// does not wait for the host's journal.
#include "common/rt/real/rocks_kv.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/iterator.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "common/base/units.h"
#include "common/log/log.h"
#include "common/rt/real/files.h"
#include "common/rt/real/rocks_env.h"
#include "common/rt/real/thread_pool.h"

#if __has_feature(thread_sanitizer)
/// The packaged library is not instrumented, so its own locking is invisible.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:librocksdb.so\nrace:librocksdb.so\nmutex:librocksdb.so\n";
}
#endif

namespace plimsoll::real {

namespace {

using rocksdb::Slice;
using rocksdb::Status;
using CommitWaiter = std::unique_ptr<Waiter<Result<>>>;

constexpr size_t kGroupBytes = 8_MiB;
Error kv_error(const Status& s, const std::string& path) {
  const std::string text = fmt::format("kv store {}: {}", path, s.ToString());
  if (s.IsNoSpace()) return fail(ENOSPC, text);
  if (s.IsBusy() || s.IsTryAgain()) return fail(EBUSY, text);
  return fail(EIO, text);
}

/// RocksDB's own log, in ours. In a file of its own on a full host it would end the process: 7.8
/// asserts that nobody writes to a file that failed to grow.
class RocksLog : public rocksdb::Logger {
 public:
  explicit RocksLog(std::string path)
      : rocksdb::Logger(rocksdb::WARN_LEVEL), log_(log::Subsystem::kStore, std::move(path)) {}
  void LogHeader(const char*, va_list) override {}
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list values) override {
    char text[512];
    std::vsnprintf(text, sizeof text, format, values);
    text[std::strcspn(text, "\n")] = '\0';
    if (level >= rocksdb::ERROR_LEVEL) log_.warn("{}", text);
    else if (level >= rocksdb::WARN_LEVEL) log_.debug(5, "{}", text);
  }
  using rocksdb::Logger::Logv;

 private:
  const plimsoll::Logger log_;
};

/// Keys that end with a counter, by the key space that counts: a memtable then remembers where the
/// space's last key went and need not search for the place of the next.
class CounterSpace : public rocksdb::SliceTransform {
 public:
  explicit CounterSpace(std::string spaces) : spaces_(std::move(spaces)) {}
  const char* Name() const override { return "plimsoll.CounterSpace"; }
  bool InDomain(const Slice& key) const override {
    return key.size() > kCounter && spaces_.find(key[0]) != std::string::npos;
  }
  Slice Transform(const Slice& key) const override { return {key.data(), key.size() - kCounter}; }

 private:
  static constexpr size_t kCounter = 8;
  const std::string spaces_;
};

rocksdb::Options db_options(const KvOptions& options, const std::string& path, rocksdb::Env& env) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes, 2);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Most reads ask for a name that does not exist, of every file: a wrong guess costs a read.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(16));
  table.format_version = 5;

  rocksdb::Options db;
  db.env = &env;
  db.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  db.create_if_missing = options.create;
  db.error_if_exists = options.create;
  db.compression = rocksdb::kNoCompression;
  db.write_buffer_size = options.memtable_bytes;
  db.max_write_buffer_number = 2;
  db.target_file_size_base = options.memtable_bytes;
  db.max_bytes_for_level_base = 4 * options.memtable_bytes;
  db.level_compaction_dynamic_level_bytes = true;
  db.max_background_jobs = 2;
  db.max_open_files = 256;
  db.max_file_opening_threads = 1;
  db.bytes_per_sync = 1_MiB;
  db.recycle_log_file_num = 4;
  db.max_total_wal_size = 4 * options.memtable_bytes;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.avoid_flush_during_shutdown = true;
  db.allow_concurrent_memtable_write = false;
  if (!options.counter_spaces.empty())
    db.memtable_insert_with_hint_prefix_extractor =
        std::make_shared<CounterSpace>(options.counter_spaces);
  db.memtable_whole_key_filtering = true;
  db.memtable_prefix_bloom_size_ratio = 0.02;
  db.enable_write_thread_adaptive_yield = false;
  db.paranoid_checks = true;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.skip_stats_update_on_db_open = true;
  db.info_log = std::make_shared<RocksLog>(path);
  return db;
}

/// A batch between commit() and its awaiter. Everything but the batch is under the queue's mutex.
struct Pending {
  Pending(KvBatch b, bool d) : batch(std::move(b)), durable(d) {}
  KvBatch batch;
  const bool durable;  ///< before the awaiter goes on
  std::optional<Result<>> result;
  CommitWaiter waiter;
};

class RocksKv : public Kv {
 public:
  RocksKv(ThreadPool& pool, std::string path, const KvOptions& options,
          std::unique_ptr<rocksdb::Env> env, std::unique_ptr<rocksdb::DB> db)
      : pool_(pool),
        path_(std::move(path)),
        env_(std::move(env)),
        db_(std::move(db)),
        resume_needs_(3 * options.memtable_bytes),
        ballast_(options.ballast),
        committer_([this] { work(); }) {}
  ~RocksKv() override { shut(); }

  Task<Result<std::optional<std::string>>> get(std::string key) override;
  Task<Result<std::vector<Pair>>> scan(std::string from, std::string to, size_t limit,
                                       size_t max_bytes) override;
  Task<Result<std::optional<Pair>>> last(std::string from, std::string to) override;
  Task<Result<>> commit(KvBatch batch) override { return enqueue(std::move(batch), true); }
  Task<Result<>> apply(KvBatch batch) override { return enqueue(std::move(batch), false); }
  Task<Result<>> sync() override;
  Task<Result<>> compact() override;
  int64_t host_bytes() override { return dir_bytes(path_); }
  Task<void> close() override;

 private:
  using PendingPtr = std::shared_ptr<Pending>;
  /// A read either from memory alone, Incomplete where that is not enough, or from everywhere.
  enum class Tier { kMemory, kAll };

  Status read(Tier tier, const std::string& key, std::optional<std::string>& value);
  Status read(const std::string& from, const std::string& to, size_t limit, size_t max_bytes,
              std::vector<Pair>& out);
  Status read_last(const std::string& from, const std::string& to, std::optional<Pair>& out);

  /// Not a coroutine: the order is that of the calls.
  Task<Result<>> enqueue(KvBatch batch, bool durable);
  Task<Result<>> committed(PendingPtr pending);
  void work();
  /// From the queue's head, with the mutex held.
  std::vector<PendingPtr> take_group();
  Result<> write(const std::vector<PendingPtr>& group);
  Status write(rocksdb::WriteBatch& batch, bool sync);
  bool room_to_resume();
  void finish(std::vector<PendingPtr> group, const Result<>& result);
  void shut();

  ThreadPool& pool_;
  const std::string path_;
  const std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  const uint64_t resume_needs_;
  Ballast* const ballast_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<PendingPtr> queue_;
  bool stopping_ = false;
  bool out_of_space_ = false;  ///< the commit thread's own
  std::thread committer_;
};

// ---- reading ------------------------------------------------------------------------------------

Task<Result<std::optional<std::string>>> RocksKv::get(std::string key) {
  std::optional<std::string> value;
  Status status = read(Tier::kMemory, key, value);
  // An empty value from memory may stand for a table that is not open (7.8).
  if (status.IsIncomplete() || (value && value->empty())) {
    auto everywhere = [&] { return read(Tier::kAll, key, value); };
    status = co_await offload(pool_, everywhere);
  }
  if (!status.ok()) co_return kv_error(status, path_);
  co_return std::move(value);
}

Status RocksKv::read(Tier tier, const std::string& key, std::optional<std::string>& value) {
  rocksdb::ReadOptions options;
  if (tier == Tier::kMemory) options.read_tier = rocksdb::kBlockCacheTier;
  rocksdb::PinnableSlice found;
  const Status s = db_->Get(options, db_->DefaultColumnFamily(), key, &found);
  value.reset();
  if (s.IsNotFound()) return Status::OK();
  if (s.ok()) value = found.ToString();
  return s;
}

Task<Result<std::vector<Kv::Pair>>> RocksKv::scan(std::string from, std::string to, size_t limit,
                                                  size_t max_bytes) {
  std::vector<Pair> out;
  if (!to.empty() && to <= from) co_return out;
  auto all = [&] { return read(from, to, limit, max_bytes, out); };
  const Status status = co_await offload(pool_, all);
  if (!status.ok()) co_return kv_error(status, path_);
  co_return std::move(out);
}

Status RocksKv::read(const std::string& from, const std::string& to, size_t limit,
                     size_t max_bytes, std::vector<Pair>& out) {
  rocksdb::ReadOptions options;
  const Slice bound(to);
  if (!to.empty()) options.iterate_upper_bound = &bound;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
  size_t bytes = 0;
  for (it->Seek(from); it->Valid() && out.size() < limit; it->Next()) {
    bytes += it->value().size();
    if (bytes > max_bytes && !out.empty()) break;
    out.emplace_back(it->key().ToString(), it->value().ToString());
  }
  return it->status();
}

Task<Result<std::optional<Kv::Pair>>> RocksKv::last(std::string from, std::string to) {
  std::optional<Pair> out;
  if (!to.empty() && to <= from) co_return out;
  auto all = [&] { return read_last(from, to, out); };
  const Status status = co_await offload(pool_, all);
  if (!status.ok()) co_return kv_error(status, path_);
  co_return std::move(out);
}

Status RocksKv::read_last(const std::string& from, const std::string& to,
                          std::optional<Pair>& out) {
  rocksdb::ReadOptions options;
  const Slice lower(from), upper(to);
  options.iterate_lower_bound = &lower;
  if (!to.empty()) options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
  it->SeekToLast();
  if (it->Valid()) out = Pair(it->key().ToString(), it->value().ToString());
  return it->status();
}

// ---- committing ---------------------------------------------------------------------------------

Task<Result<>> RocksKv::enqueue(KvBatch batch, bool durable) {
  auto pending = std::make_shared<Pending>(std::move(batch), durable);
  {
    std::lock_guard lock(mutex_);
    CHECK(!stopping_);
    queue_.push_back(pending);
  }
  wake_.notify_one();
  return committed(std::move(pending));
}

Task<Result<>> RocksKv::committed(PendingPtr pending) {
  auto start = [this, &pending](CommitWaiter waiter) {
    std::unique_lock lock(mutex_);
    if (!pending->result) {
      pending->waiter = std::move(waiter);
      return;
    }
    lock.unlock();
    complete(std::move(waiter), *pending->result);
  };
  co_return co_await suspend<Result<>>(start);
}

void RocksKv::work() {
  // Nobody reads RocksDB's counters of comparisons, and they are a tenth of a commit.
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto group = take_group();
    lock.unlock();
    const Result<> result = write(group);
    finish(std::move(group), result);
    lock.lock();
  }
}

std::vector<RocksKv::PendingPtr> RocksKv::take_group() {
  std::vector<PendingPtr> group;
  size_t bytes = 0;
  while (!queue_.empty() &&
         (group.empty() || bytes + queue_.front()->batch.bytes() <= kGroupBytes)) {
    bytes += queue_.front()->batch.bytes();
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

Result<> RocksKv::write(const std::vector<PendingPtr>& group) {
  size_t bytes = 64;
  for (const auto& p : group) bytes += p->batch.bytes() + 16 * p->batch.ops().size();
  rocksdb::WriteBatch batch(bytes);
  for (const auto& p : group) {
    for (const auto& op : p->batch.ops()) {
      switch (op.kind) {
        case KvBatch::Kind::kPut: batch.Put(op.key, op.value); break;
        case KvBatch::Kind::kErase: batch.Delete(op.key); break;
        case KvBatch::Kind::kEraseRange:
          if (op.key < op.value) batch.DeleteRange(op.key, op.value);
          break;
      }
    }
  }
  auto durable = [](const PendingPtr& p) { return p->durable; };
  const bool sync = std::any_of(group.begin(), group.end(), durable);
  if (batch.Count() == 0 && !sync) return {};
  for (;;) {
    const Status s = write(batch, sync);
    if (s.ok()) return {};
    // RocksEnv has waited already, but not while the store was being opened.
    if (!s.IsNoSpace() || !ballast_ || !ballast_->patient()) return kv_error(s, path_);
    std::this_thread::sleep_for(Ballast::kRetry);
  }
}

bool RocksKv::room_to_resume() {
  for (;;) {
    const auto free = host_free(path_);
    if (!free || *free >= resume_needs_) return free.has_value();
    if (!ballast_ || !ballast_->release(resume_needs_ - *free)) return false;
  }
}

Status RocksKv::write(rocksdb::WriteBatch& batch, bool sync) {
  // After a full disk RocksDB refuses everything until it is told to look again. Looking flushes
  // the memtables, and a flush that fails then would never return (7.8): only with room for them.
  if (out_of_space_) {
    if (!room_to_resume()) return Status::NoSpace("the host is full");
    if (Status s = db_->Resume(); !s.ok()) return s;
    out_of_space_ = false;
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  const Status s = db_->Write(options, &batch);
  out_of_space_ = s.IsNoSpace();
  return s;
}

void RocksKv::finish(std::vector<PendingPtr> group, const Result<>& result) {
  struct ToResume {
    Executor executor;
    std::vector<CommitWaiter> waiters;
  };
  std::vector<ToResume> by_executor;
  {
    std::lock_guard lock(mutex_);
    for (auto& p : group) {
      p->result = result;
      if (!p->waiter) continue;
      auto same = [&p](const ToResume& r) { return r.executor == p->waiter->executor; };
      auto it = std::find_if(by_executor.begin(), by_executor.end(), same);
      if (it == by_executor.end()) it = by_executor.insert(it, ToResume{p->waiter->executor, {}});
      it->waiters.push_back(std::move(p->waiter));
    }
  }
  for (auto& r : by_executor) {
    boost::asio::post(r.executor, [waiters = std::move(r.waiters), result] {
      for (const auto& w : waiters) w->resume(result);
    });
  }
}

Task<Result<>> RocksKv::sync() {
  auto log = [this] { return db_->SyncWAL(); };
  const Status status = co_await offload(pool_, log);
  if (!status.ok()) co_return kv_error(status, path_);
  co_return Result<>();
}

Task<Result<>> RocksKv::compact() {
  auto all = [this] {
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    return db_->CompactRange(options, nullptr, nullptr);
  };
  const Status status = co_await offload(pool_, all);
  if (!status.ok()) co_return kv_error(status, path_);
  co_return Result<>();
}

void RocksKv::shut() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (committer_.joinable()) committer_.join();
  db_.reset();
}

Task<void> RocksKv::close() {
  auto all = [this] {
    shut();
    return true;
  };
  co_await offload(pool_, all);
}

}  // namespace

Result<std::unique_ptr<Kv>> open_rocks_kv(ThreadPool& pool, const std::string& path,
                                          KvOptions options, rocksdb::Env* host) {
  const bool exists = ::access((path + "/CURRENT").c_str(), F_OK) == 0;
  if (options.create && exists) return fail(EEXIST, fmt::format("kv store {} exists", path));
  if (!options.create && !exists)
    return fail(ENOENT, fmt::format("there is no kv store in {}", path));
  if (options.create) TRY_VOID(make_dirs(path));
  auto env = std::make_unique<RocksEnv>(host ? host : rocksdb::Env::Default(), options.ballast);
  const rocksdb::Options how = db_options(options, path, *env);
  rocksdb::DB* db = nullptr;
  const Status s = options.read_only ? rocksdb::DB::OpenForReadOnly(how, path, &db)
                                     : rocksdb::DB::Open(how, path, &db);
  if (s.ok()) {
    std::unique_ptr<rocksdb::DB> owned(db);
    return std::unique_ptr<Kv>(
        new RocksKv(pool, path, options, std::move(env), std::move(owned)));
  }
  if (s.ToString().find("LOCK") != std::string::npos)
    return fail(EBUSY, fmt::format("kv store {} is in use by another process", path));
  return kv_error(s, path);
}

}  // namespace plimsoll::real
