// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of sync.h, task.h and task_group.h that need Asio's machinery.
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "common/rt/clock.h"
#include "common/rt/sync.h"
#include "common/rt/task_group.h"

namespace plimsoll {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

void post(const Executor& executor, std::function<void()> fn) {
  asio::post(executor, std::move(fn));
}

void dispatch(const Executor& executor, std::function<void()> fn) {
  asio::dispatch(executor, std::move(fn));
}

Task<void> yield() {
  const Executor executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

namespace {

/// How a task ended: nothing and cancellation are fine, everything else is a bug of ours.
void check_end(const std::exception_ptr& e) {
  if (!e) return;
  try {
    std::rethrow_exception(e);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return;
    check_failed("task ended well", __FILE__, __LINE__, error.what());
  } catch (const std::exception& error) {
    check_failed("task ended well", __FILE__, __LINE__, error.what());
  }
}

}  // namespace

void spawn_detached(const Executor& executor, Task<void> task) {
  asio::co_spawn(executor, std::move(task), [](std::exception_ptr e) { check_end(e); });
}

// ---- WaitQueue ----------------------------------------------------------------------------------

// Erases the handler's type by hand: Boost 1.81's any_completion_handler recurses for ever when it
// is move-assigned, and its own use of the cancellation slot does not go with ours.
struct WaitQueue::Waiter {
  virtual ~Waiter() = default;
  /// Posts the completion; once.
  virtual void complete(ErrorCode ec) = 0;

  asio::cancellation_slot slot;
  std::list<std::shared_ptr<Waiter>>::iterator place;
  WaitQueue* queue = nullptr;
};

namespace {

template <class Base, class Handler>
struct WaiterOf final : Base {
  explicit WaiterOf(Handler h) : handler(std::move(h)) {}
  void complete(ErrorCode ec) override {
    const Executor executor = asio::get_associated_executor(handler);
    asio::post(executor, [h = std::move(handler), ec]() mutable { std::move(h)(ec); });
  }
  Handler handler;
};

}  // namespace

WaitQueue::~WaitQueue() {
  // A task that waits here while the queue dies can only be one that is being destroyed itself
  // (teardown of a whole runtime); its frame goes with the handler.
  for (auto& w : waiters_) {
    w->queue = nullptr;
    if (w->slot.is_connected()) w->slot.clear();
  }
}

Task<void> WaitQueue::wait() {
  auto initiate = [this](auto handler) {
    const auto slot = asio::get_associated_cancellation_slot(handler);
    auto waiter = std::make_shared<WaiterOf<Waiter, decltype(handler)>>(std::move(handler));
    waiter->slot = slot;
    waiter->queue = this;
    waiter->place = waiters_.insert(waiters_.end(), waiter);
    if (!waiter->slot.is_connected()) return;
    waiter->slot.assign([weak = std::weak_ptr<Waiter>(waiter)](asio::cancellation_type) {
      auto w = weak.lock();
      if (!w || !w->queue) return;
      std::exchange(w->queue, nullptr)->waiters_.erase(w->place);
      // The slot is not cleared here: this runs inside its own handler.
      w->complete(asio::error::operation_aborted);
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(ErrorCode)>(
      initiate, asio::use_awaitable);
}

bool WaitQueue::notify_one() {
  if (waiters_.empty()) return false;
  auto waiter = std::move(waiters_.front());
  waiters_.pop_front();
  waiter->queue = nullptr;
  if (waiter->slot.is_connected()) waiter->slot.clear();
  waiter->complete({});
  return true;
}

void WaitQueue::notify_all() {
  while (notify_one()) {
  }
}

// ---- Semaphore ----------------------------------------------------------------------------------

Task<void> Semaphore::acquire(uint64_t units) {
  if (line_.empty() && fits(units)) {
    used_ += units;
    co_return;
  }
  const uint64_t ticket = next_ticket_++;
  line_.push_back(ticket);
  // Leaves the line on every way out, cancellation included, and lets the next one look.
  struct Leave {
    Semaphore* s;
    uint64_t ticket;
    ~Leave() {
      std::erase(s->line_, ticket);
      s->queue_.notify_all();
    }
  } leave{this, ticket};
  while (line_.front() != ticket || !fits(units)) co_await queue_.wait();
  used_ += units;
}

void Semaphore::release(uint64_t units) {
  CHECK(units <= used_);
  used_ -= units;
  if (!line_.empty()) queue_.notify_all();
}

// ---- Clock --------------------------------------------------------------------------------------

Task<void> Clock::sleep(Duration delay) {
  const Executor executor = co_await asio::this_coro::executor;
  Event done;
  Timer timer = call_after(executor, delay, [&done] { done.set(); });
  co_await done.wait();
}

// ---- TaskGroup ----------------------------------------------------------------------------------

TaskGroup::TaskGroup(Executor executor)
    : executor_(std::move(executor)), self_(std::make_shared<Gone>(this)) {}

TaskGroup::~TaskGroup() { self_->group = nullptr; }

void TaskGroup::spawn(Task<void> task) {
  if (stopping_) return;
  auto place = running_.emplace(running_.end());
  auto ended = [self = self_, place](std::exception_ptr e) {
    check_end(e);
    if (!self->group) return;
    self->group->running_.erase(place);
    if (self->group->running_.empty()) self->group->ended_.notify_all();
  };
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(place->cancel.slot(), std::move(ended)));
}

Task<void> TaskGroup::stop() {
  stopping_ = true;
  // A task may end, and so leave the list, only after this loop: waking never runs inline.
  for (auto& r : running_) r.cancel.emit(asio::cancellation_type::terminal);
  co_await join();
}

Task<void> TaskGroup::join() {
  while (!running_.empty()) co_await ended_.wait();
}

}  // namespace plimsoll
