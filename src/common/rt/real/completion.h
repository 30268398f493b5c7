// SPDX-License-Identifier: LGPL-2.1-or-later
// How a task waits for another thread: it suspends into a Waiter, which the thread hands back to
// the task's executor with the value. Such a wait cannot be cancelled, so buffers that the thread
// uses stay alive; cancellation shows at the task's next wait.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "common/rt/task.h"

namespace plimsoll::real {

template <class T>
struct Waiter {
  virtual ~Waiter() = default;
  /// Continues the task; on its executor.
  virtual void resume(T value) = 0;
  Executor executor;
};

template <class T, class Handler>
struct WaiterOf final : Waiter<T> {
  explicit WaiterOf(Handler h) : handler(std::move(h)) {
    this->executor = boost::asio::get_associated_executor(handler);
  }
  void resume(T value) override { std::move(handler)(std::move(value)); }
  Handler handler;
};

/// Suspends the calling task, then calls start(std::unique_ptr<Waiter<T>>).
template <class T, class Start>
Task<T> suspend(Start start) {
  auto initiate = [&start](auto handler) {
    using Impl = WaiterOf<T, decltype(handler)>;
    start(std::unique_ptr<Waiter<T>>(new Impl(std::move(handler))));
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(T)>(
      initiate, boost::asio::use_awaitable);
}

/// Hands `value` to the waiting task; from any thread.
template <class T>
void complete(std::unique_ptr<Waiter<T>> waiter, T value) {
  const Executor executor = waiter->executor;
  boost::asio::post(executor, [w = std::move(waiter), v = std::move(value)]() mutable {
    w->resume(std::move(v));
  });
}

}  // namespace plimsoll::real
