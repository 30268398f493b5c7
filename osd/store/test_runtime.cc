// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/test_runtime.h"

#include "common/base/units.h"

// A crash abandons tasks in the middle of what they wait for; some of those hold themselves.
extern "C" const char* __lsan_default_options() { return "detect_leaks=0"; }

namespace plimsoll::osd {

namespace {

constexpr uint64_t kBlock = BlockFile::kBlock;

bool fires(uint64_t& countdown) { return countdown && --countdown == 0; }

void apply_batch(std::map<std::string, std::string>& m, const KvBatch& batch) {
  for (const auto& op : batch.ops()) {
    switch (op.kind) {
      case KvBatch::Kind::kPut: m[op.key] = op.value; break;
      case KvBatch::Kind::kErase: m.erase(op.key); break;
      case KvBatch::Kind::kEraseRange:
        if (op.key < op.value) m.erase(m.lower_bound(op.key), m.lower_bound(op.value));
        break;
    }
  }
}

std::string joined(const std::vector<Bytes>& pieces) {
  std::string out;
  for (const auto& p : pieces) out += p.view();
  return out;
}

bool take_room(FaultDisk& disk, uint64_t bytes) {
  if (bytes > disk.host_free) return false;
  disk.host_free -= bytes;
  return true;
}

class FaultBallast : public Ballast {
 public:
  FaultBallast(FaultRuntime& rt, FaultDisk& disk, uint64_t& held, std::optional<uint64_t> whole)
      : rt_(rt), disk_(disk), held_(held), whole_(whole.value_or(held)) {}
  uint64_t whole() const override { return whole_; }
  uint64_t held() const override { return held_; }
  bool release(uint64_t bytes) override {
    const uint64_t given = std::min(held_, bytes);
    held_ -= given;
    disk_.host_free += given;
    return given > 0;
  }
  Task<Result<>> restore(uint64_t spare) override {
    co_await rt_.turn();
    const uint64_t missing = whole_ - held_;
    if (disk_.host_free < missing + spare) co_return fail(ENOSPC, "no room for ballast");
    disk_.host_free -= missing;
    held_ = whole_;
    co_return Result<>();
  }

 private:
  FaultRuntime& rt_;
  FaultDisk& disk_;
  uint64_t& held_;
  const uint64_t whole_;
};

class FaultFile : public BlockFile {
 public:
  FaultFile(FaultRuntime& rt, FaultDisk& disk, FaultDisk::File& file, bool read_only)
      : rt_(rt), disk_(disk), file_(file), read_only_(read_only) {}
  uint64_t size() const override { return file_.current.size(); }

  Task<Result<Bytes>> read(uint64_t offset, size_t length) override {
    co_await rt_.turn();
    if (offset + length > file_.current.size()) co_return fail(EIO, "read beyond the end");
    co_return Bytes::copy(std::string_view(file_.current).substr(offset, length));
  }

  Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) override {
    CHECK(!read_only_);
    // From now on a crash may leave any part of it on the disk.
    auto w = file_.unsynced.insert(file_.unsynced.end(),
                                   {disk_.next_write++, offset, std::move(pieces)});
    co_await rt_.turn();
    if (fires(disk_.fail_write_in)) co_return fail(EIO, "write failed");
    const std::string data = joined(w->pieces);
    if (disk_.sparse_files && !take_room(disk_, data.size())) {
      file_.unsynced.erase(w);
      co_return fail(ENOSPC, "the host is full");
    }
    CHECK(offset + data.size() <= file_.current.size());
    file_.current.replace(offset, data.size(), data);
    w->returned = true;
    co_return Result<>();
  }

  Task<Result<>> write_durable(uint64_t offset, Bytes data) override {
    CHECK(!read_only_);
    disk_.durable_writes++;
    auto w = file_.unsynced.insert(file_.unsynced.end(), {disk_.next_write++, offset, {}});
    w->pieces.push_back(data);
    co_await rt_.turn();
    if (fires(disk_.fail_durable_in)) co_return fail(EIO, "durable write failed");
    CHECK(offset + data.size() <= file_.current.size());
    for (auto* content : {&file_.current, &file_.durable})
      content->replace(offset, data.size(), data.view());
    file_.unsynced.erase(w);
    co_return Result<>();
  }

  Task<Result<>> sync() override {
    disk_.syncs++;
    std::set<uint64_t> mine;
    for (const auto& w : file_.unsynced)
      if (w.returned) mine.insert(w.id);
    co_await rt_.turn();
    if (fires(disk_.fail_sync_in)) co_return fail(EIO, "sync failed");
    for (auto w = file_.unsynced.begin(); w != file_.unsynced.end();) {
      if (!mine.contains(w->id)) {
        ++w;
        continue;
      }
      const std::string data = joined(w->pieces);
      file_.durable.replace(w->offset, data.size(), data);
      w = file_.unsynced.erase(w);
    }
    co_return Result<>();
  }

 private:
  FaultRuntime& rt_;
  FaultDisk& disk_;
  FaultDisk::File& file_;
  const bool read_only_;
};

class FaultKv : public Kv {
 public:
  FaultKv(FaultRuntime& rt, FaultDisk& disk, FaultDisk::KvImage& image, const KvOptions& options)
      : rt_(rt),
        disk_(disk),
        image_(image),
        read_only_(options.read_only),
        ballast_(options.ballast) {
    if (image_.applied.empty()) image_.current = image_.durable;  // tests plant damage there
  }

  Task<Result<std::optional<std::string>>> get(std::string key) override {
    std::optional<std::string> out;
    if (auto it = image_.current.find(key); it != image_.current.end()) out = it->second;
    co_await rt_.turn();
    co_return out;
  }
  Task<Result<std::vector<Pair>>> scan(std::string from, std::string to, size_t limit,
                                       size_t max_bytes) override {
    std::vector<Pair> out;
    size_t bytes = 0;
    for (auto it = image_.current.lower_bound(from);
         it != image_.current.end() && (to.empty() || it->first < to) && out.size() < limit; ++it) {
      bytes += it->second.size();
      if (bytes > max_bytes && !out.empty()) break;
      out.push_back(*it);
    }
    co_await rt_.turn();
    co_return out;
  }
  Task<Result<std::optional<Pair>>> last(std::string from, std::string to) override {
    co_await rt_.turn();
    auto it = to.empty() ? image_.current.end() : image_.current.lower_bound(to);
    if (it == image_.current.begin() || (--it)->first < from) co_return std::nullopt;
    co_return Pair(*it);
  }
  Task<Result<>> commit(KvBatch batch) override {
    CHECK(!read_only_);
    disk_.commits++;
    image_.ordered.push_back(std::move(batch));
    return taken(++ordered_, true);
  }
  Task<Result<>> apply(KvBatch batch) override {
    CHECK(!read_only_);
    image_.ordered.push_back(std::move(batch));
    return taken(++ordered_, false);
  }
  Task<Result<>> sync() override {
    CHECK(!read_only_);
    const uint64_t before = taken_;
    co_await rt_.turn();
    if (fires(disk_.fail_kv_in)) failed_ = true;
    if (failed_) co_return fail(EIO, "kv sync failed");
    image_.sync(taken_ - before);
    co_return Result<>();
  }
  Task<Result<>> compact() override { co_return Result<>(); }
  int64_t host_bytes() override { return -1; }
  Task<void> close() override { co_return; }

 private:
  Task<Result<>> taken(uint64_t mine, bool durable) {
    co_await rt_.turn();
    if (fires(disk_.fail_kv_in)) failed_ = true;
    if (failed_) co_return fail(EIO, "kv batch failed");
    for (; taken_ < mine; taken_++) {
      const uint64_t bytes = image_.ordered.front().bytes();
      while (!take_room(disk_, bytes)) {
        if (ballast_ && ballast_->release(bytes)) continue;
        if (!ballast_ || !ballast_->patient()) {
          failed_ = true;
          co_return fail(ENOSPC, "the host is full");
        }
        co_await rt_.clock().sleep(Ballast::kRetry);
      }
      apply_batch(image_.current, image_.ordered.front());
      image_.applied.push_back(std::move(image_.ordered.front()));
      image_.ordered.pop_front();
    }
    if (durable) image_.sync();
    co_return Result<>();
  }
  FaultRuntime& rt_;
  FaultDisk& disk_;
  FaultDisk::KvImage& image_;
  const bool read_only_;
  Ballast* const ballast_;
  uint64_t ordered_ = 0;
  uint64_t taken_ = 0;
  bool failed_ = false;
};

struct Lock : DirLock {
  Lock(FaultDisk& d, std::string p) : disk(d), path(std::move(p)) { disk.locked.insert(path); }
  ~Lock() override { disk.locked.erase(path); }
  FaultDisk& disk;
  std::string path;
};

}  // namespace

void FaultDisk::KvImage::sync(size_t without) {
  for (; applied.size() > without; applied.pop_front()) apply_batch(durable, applied.front());
}

void FaultDisk::crash(Rng& rng) {
  for (auto& [path, file] : files) {
    for (const auto& w : file.unsynced) {
      const std::string data = joined(w.pieces);
      for (uint64_t at = 0; at < data.size();) {
        const uint64_t n = std::min(data.size() - at, kBlock - (w.offset + at) % kBlock);
        if (rng.chance(0.5)) file.durable.replace(w.offset + at, n, data, at, n);
        at += n;
      }
    }
    file.unsynced.clear();
    file.current = file.durable;
  }
  for (auto& [path, kv] : kvs) {
    for (auto& batch : kv.ordered) kv.applied.push_back(std::move(batch));
    kv.ordered.clear();
    kv.applied.resize(rng.below(kv.applied.size() + 1));
    kv.sync();
    kv.current = kv.durable;
  }
  locked.clear();
}

// ---- time ---------------------------------------------------------------------------------------

class FaultRuntime::VirtualClock : public Clock {
 public:
  TimePoint now() const override { return now_; }
  Utime wall() const override { return Utime::from_nanos(now_.since_start.count()); }
  Timer call_after(const Executor& executor, Duration delay, std::function<void()> fn) override {
    auto call = std::make_shared<std::function<void()>>(std::move(fn));
    calls_.emplace(now_ + delay, Call{executor, call});
    struct Impl : Timer::Impl {
      std::shared_ptr<std::function<void()>> call;
    };
    auto impl = std::make_unique<Impl>();
    impl->call = std::move(call);
    return Timer(std::move(impl));
  }
  /// False where no timer is set.
  bool advance() {
    while (!calls_.empty()) {
      auto first = calls_.extract(calls_.begin());
      auto call = first.mapped().call.lock();
      if (!call) continue;
      now_ = std::max(now_, first.key());
      post(first.mapped().executor, [weak = first.mapped().call] {
        if (auto c = weak.lock()) (*c)();
      });
      return true;
    }
    return false;
  }

 private:
  struct Call {
    Executor executor;
    std::weak_ptr<std::function<void()>> call;
  };
  TimePoint now_;
  std::multimap<TimePoint, Call> calls_;
};

// ---- runtime ------------------------------------------------------------------------------------

FaultRuntime::FaultRuntime(FaultDisk& disk, uint64_t seed)
    : disk_(disk), rng_(seed), clock_(std::make_unique<VirtualClock>()) {}
FaultRuntime::~FaultRuntime() = default;

Clock& FaultRuntime::clock() { return *clock_; }
Net& FaultRuntime::net() { check_failed("no network in store tests", __FILE__, __LINE__, ""); }

void FaultRuntime::poll() {
  io_.restart();
  io_.poll();
}

bool FaultRuntime::step() {
  poll();
  if (!waiting_.empty()) {
    const size_t pick = rng_.below(waiting_.size());
    std::swap(waiting_[pick], waiting_.back());
    auto chosen = std::move(waiting_.back());
    waiting_.pop_back();
    chosen->set();
  } else if (!clock_->advance()) {
    return false;
  }
  poll();
  return true;
}

Task<void> FaultRuntime::turn() {
  auto event = std::make_shared<Event>();
  waiting_.push_back(event);
  co_await event->wait();
}

template <>
void FaultRuntime::run(Task<void> task) {
  auto body = [](Task<void> inner) -> Task<bool> {
    co_await std::move(inner);
    co_return true;
  };
  run(body(std::move(task)));
}

Task<Result<std::unique_ptr<BlockFile>>> FaultRuntime::open_block_file(std::string path,
                                                                       BlockFileOptions options) {
  const bool exists = disk_.files.contains(path);
  if (options.create && exists) co_return fail(EEXIST, path);
  if (!options.create && !exists) co_return fail(ENOENT, path);
  auto& file = disk_.files[path];
  if (options.create) file.durable = file.current = std::string(options.size, '\0');
  if (options.grow_to > file.current.size()) {
    co_await turn();
    for (auto* content : {&file.current, &file.durable}) content->resize(options.grow_to);
    co_await turn();
  }
  std::unique_ptr<BlockFile> out =
      std::make_unique<FaultFile>(*this, disk_, file, options.read_only);
  co_return out;
}

Task<Result<std::unique_ptr<Kv>>> FaultRuntime::open_kv(std::string path, KvOptions options) {
  const bool exists = disk_.kvs.contains(path);
  if (options.create && exists) co_return fail(EEXIST, path);
  if (!options.create && !exists) co_return fail(ENOENT, path);
  std::unique_ptr<Kv> out =
      std::make_unique<FaultKv>(*this, disk_, disk_.kvs[path], options);
  co_return out;
}

Task<Result<std::unique_ptr<Ballast>>> FaultRuntime::open_ballast(std::string path,
                                                                  std::optional<uint64_t> whole) {
  std::unique_ptr<Ballast> out =
      std::make_unique<FaultBallast>(*this, disk_, disk_.ballasts[path], whole);
  co_return out;
}

Result<std::string> FaultRuntime::read_file(const std::string& path) { return fail(ENOENT, path); }
Result<> FaultRuntime::write_file(const std::string& path, std::string_view) {
  return fail(EROFS, path);
}
Result<> FaultRuntime::remove_file(const std::string& path) { return fail(ENOENT, path); }
Result<> FaultRuntime::make_dirs(const std::string& path) {
  disk_.dirs.insert(path);
  return {};
}
Result<std::unique_ptr<DirLock>> FaultRuntime::lock_dir(const std::string& dir) {
  if (!disk_.dirs.contains(dir)) return fail(ENOENT, dir);
  if (disk_.locked.contains(dir)) return fail(EBUSY, dir + " is in use");
  return std::unique_ptr<DirLock>(new Lock(disk_, dir));
}

}  // namespace plimsoll::osd
