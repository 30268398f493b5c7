// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/thread_pool.h"

#include <utility>

namespace plimsoll::real {

ThreadPool::ThreadPool(size_t threads) {
  for (size_t i = 0; i < threads; i++) threads_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Idle* idle : std::exchange(idle_, {})) idle->wake.notify_one();
  }
  for (auto& t : threads_) t.join();
}

void ThreadPool::submit(std::unique_ptr<Job> job) {
  Idle* idle = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return queue_.push_back(std::move(job));
    idle = idle_.back();
    idle_.pop_back();
    idle->job = std::move(job);
  }
  idle->wake.notify_one();
}

void ThreadPool::work() {
  Idle self;
  std::unique_lock lock(mutex_);
  for (;;) {
    std::unique_ptr<Job> job;
    if (!queue_.empty()) {
      job = std::move(queue_.front());
      queue_.pop_front();
    } else {
      if (stopping_) return;
      idle_.push_back(&self);
      self.wake.wait(lock, [&] { return stopping_ || self.job; });
      if (!self.job) return;
      job = std::move(self.job);
    }
    lock.unlock();
    job->run();
    job.reset();
    lock.lock();
  }
}

}  // namespace plimsoll::real
