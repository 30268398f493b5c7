// SPDX-License-Identifier: LGPL-2.1-or-later
// A simulated store under Kv. KvImage is what survives a crash: the durable pairs, and the batches
// that were applied since or wait for their turn, of which a crash keeps a prefix drawn by the
// seed. Batches that queue up while one group is being written form the next, as in RocksKv.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "common/rt/runtime.h"
#include "common/rt/sync.h"
#include "qa/sim/sim_clock.h"
#include "qa/sim/storage_faults.h"

namespace plimsoll::sim {

class KvImage {
 public:
  struct Pending {
    KvBatch batch;
    bool durable;
    std::shared_ptr<OneShot<Result<>>> done;
  };
  /// Pairs and the bytes of them.
  struct Pairs {
    void apply(const KvBatch& batch);
    void erase(const std::string& from, const std::string& to);
    std::map<std::string, std::string> map;
    uint64_t bytes = 0;
  };

  /// Applies the batch at the queue's head; ENOSPC where it does not fit, or the host is full.
  Result<> apply_front(bool host_full = false);
  /// Makes the first `count` of all batches that were ever applied durable.
  void sync_to(uint64_t count);
  void crash(Rng& rng);

  Pairs visible;
  Pairs durable;
  std::deque<KvBatch> applied;  ///< visible and not yet durable
  uint64_t applied_count = 0;   ///< ever
  std::deque<Pending> queue;
  uint64_t capacity = UINT64_MAX;
  bool open = false;
};

class SimKv : public Kv {
 public:
  SimKv(KvImage& image, Ballast* ballast, const StorageFaults& faults, Schedule& schedule,
        Clock& clock, Rng& rng, Incarnation owner)
      : image_(image),
        ballast_(ballast),
        faults_(faults),
        schedule_(schedule),
        clock_(clock),
        rng_(rng),
        owner_(owner) {
    image_.open = true;
  }
  ~SimKv() override { image_.open = false; }

  Task<Result<std::optional<std::string>>> get(std::string key) override;
  Task<Result<std::vector<Pair>>> scan(std::string from, std::string to, size_t limit,
                                       size_t max_bytes) override;
  Task<Result<std::optional<Pair>>> last(std::string from, std::string to) override;
  Task<Result<>> commit(KvBatch batch) override { return enqueue(std::move(batch), true); }
  Task<Result<>> apply(KvBatch batch) override { return enqueue(std::move(batch), false); }
  Task<Result<>> sync() override;
  Task<Result<>> compact() override;
  int64_t host_bytes() override {
    return static_cast<int64_t>(image_.visible.bytes + image_.visible.bytes / 5);
  }
  Task<void> close() override;

 private:
  Task<void> read_latency();
  Task<Result<>> enqueue(KvBatch batch, bool durable);
  static Task<Result<>> committed(std::shared_ptr<OneShot<Result<>>> done);
  void start_group();
  void finish_group(size_t size);

  KvImage& image_;
  Ballast* const ballast_;
  const StorageFaults& faults_;
  Schedule& schedule_;
  Clock& clock_;
  Rng& rng_;
  const Incarnation owner_;
  bool committing_ = false;
  WaitQueue idle_;
};

}  // namespace plimsoll::sim
