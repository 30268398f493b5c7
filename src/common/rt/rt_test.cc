// SPDX-License-Identifier: LGPL-2.1-or-later
// The waiting primitives on a plain io_context: order, cancellation without loss, teardown.
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "common/rt/run_on.h"
#include "common/rt/sync.h"
#include "common/rt/task_group.h"

namespace plimsoll {

namespace {

struct Fixture : ::testing::Test {
  boost::asio::io_context io;
  TaskGroup group{io.get_executor()};
  void run() {
    io.restart();
    io.poll();
  }
};

Task<void> receive_into(Mailbox<int>& box, std::vector<int>& got) {
  while (auto item = co_await box.receive()) got.push_back(*item);
}

Task<void> hold(AsyncMutex& mutex, Event& go, std::vector<int>& order, int id) {
  auto guard = co_await mutex.lock();
  order.push_back(id);
  co_await go.wait();
}

Task<void> take(Semaphore& s, uint64_t n, std::vector<uint64_t>& order) {
  co_await s.acquire(n);
  order.push_back(n);
}

/// Counts `value` up, once in each turn of the executor.
Task<void> hop_to(int& value, int hops) {
  while (hops--) {
    value++;
    co_await yield();
  }
}

Task<void> look_after(int& value, int hops, std::vector<int>& seen) {
  for (; hops; hops--) {
    co_await yield();
    seen.push_back(value);
  }
}

}  // namespace

using Sync = Fixture;

TEST_F(Sync, YieldLetsTheOthersGoFirst) {
  int value = 0;
  std::vector<int> seen;
  group.spawn(look_after(value, 3, seen));
  group.spawn(hop_to(value, 3));
  run();
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
}

TEST_F(Sync, MailboxKeepsOrderAndEnds) {
  Mailbox<int> box;
  std::vector<int> got;
  group.spawn(receive_into(box, got));
  run();
  for (int i = 0; i < 3; i++) box.send(i);
  run();
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2}));
  box.close();
  run();
  EXPECT_EQ(group.size(), 0u);
}

TEST_F(Sync, CancelledReceiverLosesNothing) {
  Mailbox<int> box;
  std::vector<int> got;
  group.spawn(receive_into(box, got));
  run();
  // Woken and cancelled before it ran: the item stays.
  box.send(7);
  spawn_detached(io.get_executor(), group.stop());
  run();
  EXPECT_EQ(got.size() + box.size(), 1u);
}

TEST_F(Sync, MutexIsFifoAndFreedByCancellation) {
  AsyncMutex mutex;
  Event go;
  std::vector<int> order;
  TaskGroup first(io.get_executor());
  first.spawn(hold(mutex, go, order, 1));
  group.spawn(hold(mutex, go, order, 2));
  group.spawn(hold(mutex, go, order, 3));
  run();
  EXPECT_EQ(order, (std::vector<int>{1}));
  spawn_detached(io.get_executor(), first.stop());
  run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  go.set();
  run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(Sync, SemaphoreServesInOrderAndAdmitsGiantsAlone) {
  Semaphore s(10);
  std::vector<uint64_t> order;
  group.spawn(take(s, 8, order));
  group.spawn(take(s, 50, order));
  group.spawn(take(s, 1, order));
  run();
  EXPECT_EQ(order, (std::vector<uint64_t>{8}));
  s.release(8);
  run();
  EXPECT_EQ(order, (std::vector<uint64_t>{8, 50}));
  s.release(50);
  run();
  EXPECT_EQ(order, (std::vector<uint64_t>{8, 50, 1}));
}

TEST_F(Sync, StopWaitsForTasksThatCleanUp) {
  Event never;
  bool cleaned = false;
  auto task = [](Event& e, bool& flag) -> Task<void> {
    struct Clean {
      bool& flag;
      ~Clean() { flag = true; }
    } clean{flag};
    co_await e.wait();
  };
  group.spawn(task(never, cleaned));
  run();
  EXPECT_FALSE(cleaned);
  spawn_detached(io.get_executor(), group.stop());
  run();
  EXPECT_TRUE(cleaned);
  EXPECT_EQ(group.size(), 0u);
}

TEST_F(Sync, RunOnComesBackToItsExecutor) {
  boost::asio::io_context other;
  bool done = false;
  auto inner = [](int v) -> Task<int> { co_return v + 1; };
  auto outer = [](Executor there, decltype(inner)& f, bool& flag) -> Task<void> {
    const Executor here = co_await boost::asio::this_coro::executor;
    int v = co_await run_on(there, f(1));
    EXPECT_EQ(v, 2);
    flag = here == co_await boost::asio::this_coro::executor;
  };
  group.spawn(outer(other.get_executor(), inner, done));
  io.poll();
  other.poll();
  run();
  EXPECT_TRUE(done);
}

}  // namespace plimsoll
