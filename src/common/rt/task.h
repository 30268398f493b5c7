// SPDX-License-Identifier: LGPL-2.1-or-later
// Task<T>: a coroutine. All of Asio that most code sees. A task belongs to the executor it was
// spawned on and runs nowhere else; code on one executor needs no locks. Cancellation arrives as an
// exception out of a co_await.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <functional>

namespace plimsoll {

template <class T = void>
using Task = boost::asio::awaitable<T>;
using Executor = boost::asio::any_io_executor;

using Duration = std::chrono::nanoseconds;
/// Monotonic time since the runtime began.
struct TimePoint {
  Duration since_start{0};
  auto operator<=>(const TimePoint&) const = default;
  Duration operator-(TimePoint o) const { return since_start - o.since_start; }
  TimePoint operator+(Duration d) const { return {since_start + d}; }
};

using namespace std::chrono_literals;

/// Runs `fn` soon on `executor`, from any thread; never inline.
void post(const Executor& executor, std::function<void()> fn);
/// Runs `fn` at once where the caller runs on `executor`, and otherwise soon, from any thread.
void dispatch(const Executor& executor, std::function<void()> fn);

/// Lets all that is ready on the task's executor by now run before it goes on.
Task<void> yield();

/// Starts `task` on `executor` with no owner; only for tasks that end by themselves and hold what
/// they use. Anything else belongs to a TaskGroup. An exception other than cancellation is a bug.
void spawn_detached(const Executor& executor, Task<void> task);

}  // namespace plimsoll
