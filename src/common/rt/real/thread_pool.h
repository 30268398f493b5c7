// SPDX-License-Identifier: LGPL-2.1-or-later
// A few threads for calls that block: disk reads, writes, syncs, RocksDB reads. The queue is
// bounded by the tasks that wait for it: every job belongs to exactly one suspended task.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "common/rt/real/completion.h"

namespace plimsoll::real {

class ThreadPool {
 public:
  struct Job {
    virtual ~Job() = default;
    virtual void run() = 0;
  };

  explicit ThreadPool(size_t threads);
  /// Runs what is queued, then ends.
  ~ThreadPool();
  void submit(std::unique_ptr<Job> job);

 private:
  /// A thread without a job; lives on its stack.
  struct Idle {
    std::condition_variable wake;
    std::unique_ptr<Job> job;
  };
  void work();

  std::mutex mutex_;
  std::deque<std::unique_ptr<Job>> queue_;  ///< empty while a thread is idle
  std::vector<Idle*> idle_;  ///< the last to fall idle is the first to wake: its caches are warm
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Runs `fn` on a thread of `pool`; the calling task continues on its own executor.
template <class F>
Task<std::invoke_result_t<F&>> offload(ThreadPool& pool, F fn) {
  using T = std::invoke_result_t<F&>;
  struct Call final : ThreadPool::Job {
    Call(F& f, std::unique_ptr<Waiter<T>> w) : fn(f), waiter(std::move(w)) {}
    void run() override { complete(std::move(waiter), fn()); }
    F& fn;  // in the frame of the suspended task
    std::unique_ptr<Waiter<T>> waiter;
  };
  auto start = [&pool, &fn](std::unique_ptr<Waiter<T>> waiter) {
    pool.submit(std::make_unique<Call>(fn, std::move(waiter)));
  };
  co_return co_await suspend<T>(start);
}

}  // namespace plimsoll::real
