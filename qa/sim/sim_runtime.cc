// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_runtime.h"

namespace plimsoll::sim {

namespace {

struct SimDirLock : DirLock {
  SimDirLock(std::set<std::string>& s, std::string d) : set(s), dir(std::move(d)) {
    set.insert(dir);
  }
  ~SimDirLock() override { set.erase(dir); }
  std::set<std::string>& set;
  const std::string dir;
};

class SimBallast : public Ballast {
 public:
  SimBallast(uint64_t& held, std::optional<uint64_t> whole, const StorageFaults& faults)
      : held_(held), whole_(whole.value_or(held)), faults_(faults) {
    held_ = std::min(held_, whole_);
  }
  uint64_t whole() const override { return whole_; }
  uint64_t held() const override { return held_; }
  bool release(uint64_t bytes) override {
    const uint64_t given = std::min(bytes, held_);
    held_ -= given;
    return given > 0;
  }
  Task<Result<>> restore(uint64_t) override {
    if (faults_.host_full) co_return fail(ENOSPC, "simulated host: no room for ballast");
    held_ = whole_;
    co_return Result<>();
  }

 private:
  uint64_t& held_;
  const uint64_t whole_;
  const StorageFaults& faults_;
};

Duration draw_skew(Rng& rng, Duration most) {
  return Duration(static_cast<int64_t>(rng.below(2 * most.count())) - most.count());
}

}  // namespace

void HostStorage::crash(Rng& rng) {
  for (auto& [path, disk] : disks) disk.crash(rng);
  for (auto& [path, kv] : kvs) kv.crash(rng);
  locks.clear();
}

SimRuntime::SimRuntime(Schedule& schedule, Network& network, HostStorage& storage, std::string host,
                       EntityAddr ip, Incarnation incarnation, size_t shards,
                       Duration skew, Rng rng)
    : schedule_(schedule),
      storage_(storage),
      host_(host),
      incarnation_(incarnation),
      rng_(rng.fork()),
      disk_rng_(rng.fork()),
      clock_(schedule, incarnation, draw_skew(disk_rng_, skew)),
      net_(network, clock_, incarnation, host, ip) {
  for (size_t i = 0; i < shards; i++)
    shards_.push_back(std::make_unique<boost::asio::io_context>(1));
}

bool SimRuntime::poll_one() {
  for (auto& io : shards_) {
    io->restart();
    if (io->poll_one() > 0) return true;
  }
  return false;
}

Task<Result<std::unique_ptr<BlockFile>>> SimRuntime::open_block_file(std::string path,
                                                                     BlockFileOptions options) {
  co_await clock_.sleep(1ms);
  auto it = storage_.disks.find(path);
  if (options.create) {
    if (it != storage_.disks.end())
      co_return fail(EEXIST, "cannot create " + path + ": File exists");
    it = storage_.disks.try_emplace(path, options.size).first;
  }
  if (it == storage_.disks.end())
    co_return fail(ENOENT, "cannot open " + path + ": No such file or directory");
  if (it->second.open) co_return fail(EBUSY, path + " is in use by another process");
  it->second.grow(options.grow_to);
  co_return std::make_unique<SimBlockFile>(it->second, storage_.faults, clock_, disk_rng_,
                                           schedule_.hash());
}

Task<Result<std::unique_ptr<Kv>>> SimRuntime::open_kv(std::string path, KvOptions options) {
  co_await clock_.sleep(2ms);
  auto it = storage_.kvs.find(path);
  if (options.create) {
    if (it != storage_.kvs.end()) co_return fail(EEXIST, "kv store " + path + " exists");
    it = storage_.kvs.try_emplace(path).first;
  }
  if (it == storage_.kvs.end()) co_return fail(ENOENT, "there is no kv store in " + path);
  if (it->second.open) co_return fail(EBUSY, "kv store " + path + " is in use by another process");
  co_return std::make_unique<SimKv>(it->second, options.ballast, storage_.faults, schedule_, clock_,
                                    disk_rng_, incarnation_);
}

Task<Result<std::unique_ptr<Ballast>>> SimRuntime::open_ballast(std::string path,
                                                                std::optional<uint64_t> whole) {
  co_return std::make_unique<SimBallast>(storage_.ballasts[path], whole, storage_.faults);
}

Result<std::string> SimRuntime::read_file(const std::string& path) {
  const auto it = storage_.files.find(path);
  if (it == storage_.files.end())
    return fail(ENOENT, "cannot open " + path + ": No such file or directory");
  return it->second;
}

Result<> SimRuntime::write_file(const std::string& path, std::string_view content) {
  schedule_.hash().add(EventHash::Kind::kDisk, incarnation_, content);
  storage_.files[path] = content;
  return {};
}

Result<> SimRuntime::remove_file(const std::string& path) {
  if (storage_.files.erase(path) == 0)
    return fail(ENOENT, "cannot remove " + path + ": No such file or directory");
  return {};
}

Result<std::unique_ptr<DirLock>> SimRuntime::lock_dir(const std::string& dir) {
  if (storage_.locks.contains(dir)) return fail(EBUSY, dir + " is in use by another daemon");
  return std::unique_ptr<DirLock>(new SimDirLock(storage_.locks, dir));
}

}  // namespace plimsoll::sim
