// SPDX-License-Identifier: LGPL-2.1-or-later
// Throttle: how many received messages, and how many bytes of them, are not processed yet. Taken by
// readers on the messenger's executor before a payload is read; given back from any executor when
// the token goes. Readers are served in the order in which they came.
#pragma once

#include <atomic>
#include <memory>

#include "common/rt/sync.h"

namespace plimsoll::messenger {

class Throttle : public std::enable_shared_from_this<Throttle> {
 public:
  Throttle(Executor executor, uint64_t bytes, uint64_t messages)
      : executor_(std::move(executor)), bytes_(bytes), messages_(messages) {}

  /// For one message, without waiting; null where others wait or it does not fit. A message above
  /// the whole capacity fits when nothing is taken.
  std::shared_ptr<void> try_acquire(uint64_t bytes);
  Task<std::shared_ptr<void>> acquire(uint64_t bytes);
  uint64_t used_bytes();
  uint64_t used_messages();
  void set_capacity(uint64_t bytes, uint64_t messages);

 private:
  struct Token;
  void release(uint64_t bytes);
  /// Takes what other threads gave back; on the executor.
  void collect();

  const Executor executor_;
  Semaphore bytes_;
  Semaphore messages_;
  std::atomic<uint64_t> returned_messages_{0};
  std::atomic<uint64_t> returned_bytes_{0};  ///< after its message
  /// A reader waits: whoever gives back must post a collect().
  std::atomic<bool> wanted_{false};
  size_t waiting_ = 0;
};

}  // namespace plimsoll::messenger
