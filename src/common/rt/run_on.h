// SPDX-License-Identifier: LGPL-2.1-or-later
// run_on: crossing from one executor (shard) to another and back.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/rt/task.h"

namespace plimsoll {

/// Runs `task` on `executor` and resumes the caller on its own. Direct where they are the same.

template <class T>
Task<T> run_on(Executor executor, Task<T> task) {
  const Executor here = co_await boost::asio::this_coro::executor;
  if (here == executor) co_return co_await std::move(task);
  co_return co_await boost::asio::co_spawn(executor, std::move(task), boost::asio::use_awaitable);
}

}  // namespace plimsoll
