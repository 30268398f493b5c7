// SPDX-License-Identifier: LGPL-2.1-or-later
// Throttle: bytes of received messages that are not processed yet. Taken by readers on the
// messenger's executor before a payload is read; given back from any executor when the token goes.
#pragma once

#include <atomic>
#include <memory>

#include "common/rt/sync.h"

namespace plimsoll::messenger {

class Throttle : public std::enable_shared_from_this<Throttle> {
 public:
  Throttle(Executor executor, uint64_t capacity)
      : executor_(std::move(executor)), available_(capacity) {}

  /// Without waiting; null where others wait or it does not fit. A request above the whole capacity
  /// fits when nothing is taken.
  std::shared_ptr<void> try_acquire(uint64_t bytes);
  Task<std::shared_ptr<void>> acquire(uint64_t bytes);
  uint64_t used();
  void set_capacity(uint64_t capacity) { available_.set_capacity(capacity); }

 private:
  struct Token;
  void release(uint64_t bytes);
  /// Takes what other threads gave back; on the executor.
  void collect();

  const Executor executor_;
  Semaphore available_;
  std::atomic<uint64_t> returned_{0};
  /// A reader waits: whoever gives back must post a collect().
  std::atomic<bool> wanted_{false};
  size_t waiting_ = 0;
};

}  // namespace plimsoll::messenger
