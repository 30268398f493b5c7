// SPDX-License-Identifier: LGPL-2.1-or-later
// Waiting, for tasks of one executor: everything is built on WaitQueue, a FIFO of suspended tasks.
// None of these is thread-safe; from another executor or thread, post() to the owner first. Waking
// never runs the woken task inline. Cancelling a waiting task takes it off its queue, so an item is
// never lost to a task that is gone (Mailbox and Semaphore hand over only on resumption).
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/assert.h"
#include "common/base/result.h"
#include "common/rt/clock.h"
#include "common/rt/task.h"

namespace plimsoll {

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  ~WaitQueue();

  /// Suspends until notified. The queue must outlive the wait or wake it first.
  Task<void> wait();
  /// Wakes the longest waiting task; false where none waits.
  bool notify_one();
  void notify_all();
  bool empty() const { return waiters_.empty(); }

 private:
  struct Waiter;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

/// Set once, waited for by any number; a manual-reset event.
class Event {
 public:
  void set() {
    set_ = true;
    queue_.notify_all();
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  Task<void> wait() {
    while (!set_) co_await queue_.wait();
  }

 private:
  bool set_ = false;
  WaitQueue queue_;
};

/// A value that arrives later, once. Shared between the one who sets and the one who waits:
/// use std::make_shared<OneShot<T>>().
template <class T>
class OneShot {
 public:
  /// The first value counts; later ones are dropped (false), as when a reply meets a timeout.
  bool set(T value) {
    if (value_) return false;
    value_.emplace(std::move(value));
    queue_.notify_all();
    return true;
  }
  bool is_set() const { return value_.has_value(); }
  /// One waiter only: the value is moved out.
  Task<T> wait() {
    while (!value_) co_await queue_.wait();
    co_return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  WaitQueue queue_;
};

/// A FIFO of items, bounded by the sender's own accounting (see Semaphore); close() ends receivers.
template <class T>
class Mailbox {
 public:
  void send(T item) {
    if (closed_) return;
    items_.push_back(std::move(item));
    queue_.notify_one();
  }
  /// nullopt once closed and empty.
  Task<std::optional<T>> receive() {
    while (items_.empty() && !closed_) co_await queue_.wait();
    if (items_.empty()) co_return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    co_return item;
  }
  std::optional<T> try_receive() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }
  void close() {
    closed_ = true;
    queue_.notify_all();
  }
  size_t size() const { return items_.size(); }
  bool closed() const { return closed_; }

 private:
  std::deque<T> items_;
  bool closed_ = false;
  WaitQueue queue_;
};

/// Counts units (bytes, operations); FIFO, so that a large request is not starved by small ones.
/// A request above the whole capacity is admitted alone.
class Semaphore {
 public:
  explicit Semaphore(uint64_t capacity) : capacity_(capacity) {}
  Task<void> acquire(uint64_t units);
  /// Takes without waiting, also above the capacity.
  void take(uint64_t units) { used_ += units; }
  void release(uint64_t units);
  uint64_t used() const { return used_; }
  uint64_t capacity() const { return capacity_; }
  void set_capacity(uint64_t capacity) {
    capacity_ = capacity;
    queue_.notify_all();
  }

 private:
  bool fits(uint64_t units) const { return used_ == 0 || used_ + units <= capacity_; }
  uint64_t capacity_;
  uint64_t used_ = 0;
  uint64_t next_ticket_ = 0;
  std::deque<uint64_t> line_;
  WaitQueue queue_;
};

/// Mutual exclusion across co_await; FIFO. Name it for what it orders.
class AsyncMutex {
 public:
  class Guard {
   public:
    explicit Guard(AsyncMutex* m) : mutex_(m) {}
    Guard(Guard&& o) noexcept : mutex_(std::exchange(o.mutex_, nullptr)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (mutex_) mutex_->sem_.release(1);
    }

   private:
    AsyncMutex* mutex_;
  };
  Task<Guard> lock() {
    co_await sem_.acquire(1);
    co_return Guard(this);
  }

 private:
  Semaphore sem_{1};
};

/// Waits for a OneShot at most `timeout`; ETIMEDOUT names `what`.
template <class T>
Task<Result<T>> wait_for(Clock& clock, std::shared_ptr<OneShot<Result<T>>> value, Duration timeout,
                         const char* what) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  Timer timer = clock.call_after(executor, timeout, [value, what] {
    value->set(Result<T>(fail(ETIMEDOUT, what)));
  });
  co_return co_await value->wait();
}

}  // namespace plimsoll
