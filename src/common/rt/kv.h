// SPDX-License-Identifier: LGPL-2.1-or-later
// An ordered key-value store: RocksDB in daemons, a map in the simulator. Batches are atomic. They
// take effect, and become durable, in the order of the calls to commit() and apply(): a crash may
// lose a suffix of the batches whose durability was not acknowledged, never one in the middle.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/rt/task.h"

namespace plimsoll {

class KvBatch {
 public:
  enum class Kind : uint8_t { kPut, kErase, kEraseRange };
  struct Op {
    Kind kind;
    std::string key;
    std::string value;  ///< for kEraseRange the exclusive end
  };
  void put(std::string key, std::string value) {
    add({Kind::kPut, std::move(key), std::move(value)});
  }
  void erase(std::string key) { add({Kind::kErase, std::move(key), {}}); }
  /// Erases [from, to).
  void erase_range(std::string from, std::string to) {
    add({Kind::kEraseRange, std::move(from), std::move(to)});
  }
  void add(Op op) {
    bytes_ += op.key.size() + op.value.size();
    ops_.push_back(std::move(op));
  }
  void append(KvBatch other) {
    bytes_ += other.bytes_;
    for (auto& op : other.ops_) ops_.push_back(std::move(op));
  }
  const std::vector<Op>& ops() const { return ops_; }
  std::vector<Op>& mutable_ops() { return ops_; }
  bool empty() const { return ops_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  std::vector<Op> ops_;
  size_t bytes_ = 0;
};

class Kv {
 public:
  using Pair = std::pair<std::string, std::string>;

  virtual ~Kv() = default;
  /// Sees every batch whose commit() or apply() has returned to its awaiter.
  virtual Task<Result<std::optional<std::string>>> get(std::string key) = 0;
  /// Up to `limit` pairs with from <= key < to (empty `to`: no end), ascending; the values' bytes
  /// are also bounded, by `max_bytes`, but at least one pair is returned where one exists.
  virtual Task<Result<std::vector<Pair>>> scan(std::string from, std::string to, size_t limit,
                                               size_t max_bytes = 4 << 20) = 0;
  /// The last pair with from <= key < to.
  virtual Task<Result<std::optional<Pair>>> last(std::string from, std::string to) = 0;
  /// Ordered at the call, before the task is awaited; durable when the task returns. Batches that
  /// queue up share one sync. ENOSPC where the host is full: nothing of the batch took effect.
  [[nodiscard]] virtual Task<Result<>> commit(KvBatch batch) = 0;
  /// As commit(), but durable only with a later sync() or commit(): for those who can tell a crash
  /// what to do again.
  [[nodiscard]] virtual Task<Result<>> apply(KvBatch batch) = 0;
  /// All batches whose apply() has returned are durable when it returns.
  [[nodiscard]] virtual Task<Result<>> sync() = 0;
  /// Reclaims space and waits for it.
  virtual Task<Result<>> compact() = 0;
  /// Bytes that the store occupies on its host, logs included; -1 where unknown.
  virtual int64_t host_bytes() = 0;
  /// Ends background work; no call after it.
  virtual Task<void> close() = 0;
};

}  // namespace plimsoll
