// SPDX-License-Identifier: LGPL-2.1-or-later
// The process runtime: shards, signals, timers, sockets, small files and locks.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "common/rt/real/real_runtime.h"
#include "common/rt/real/temp_dir.h"
#include "common/rt/real/thread_pool.h"
#include "common/rt/run_on.h"
#include "common/rt/sync.h"
#include "common/rt/task_group.h"

namespace plimsoll::real {

namespace {

EntityAddr loopback(uint16_t port = 0) {
  auto a = *EntityAddr::parse("127.0.0.1:0");
  a.port = port;
  return a;
}

/// Accepts one stream and sends back everything it gets.
Task<void> echo_once(Listener& listener) {
  auto stream = co_await listener.accept();
  EXPECT_TRUE(stream);
  std::vector<uint8_t> buffer(70'000);
  for (;;) {
    auto n = co_await (*stream)->read_some(buffer);
    if (!n || *n == 0) co_return;
    const std::string_view got(reinterpret_cast<const char*>(buffer.data()), *n);
    std::vector<Bytes> data(1, Bytes::copy(got));
    auto sent = co_await (*stream)->write(std::move(data));
    EXPECT_TRUE(sent);
  }
}

Task<void> read_forever(Stream& stream, int& error) {
  std::vector<uint8_t> buffer(10);
  auto n = co_await stream.read_some(buffer);
  error = n ? 0 : n.error().code();
}

}  // namespace

TEST(RealRuntime, ShardsRunOnThreadsOfTheirOwn) {
  RealOptions options;
  options.shards = 3;
  RealRuntime rt(options);
  std::vector<std::thread::id> ids;
  auto where = [](std::vector<std::thread::id>& out) -> Task<void> {
    out.push_back(std::this_thread::get_id());
    co_return;
  };
  auto all = [](RealRuntime& r, std::vector<std::thread::id>& out,
                decltype(where)& f) -> Task<void> {
    for (size_t i = 0; i < r.shards(); i++) co_await run_on(r.shard(i), f(out));
  };
  rt.run(all(rt, ids, where));
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[1]);
}

TEST(RealRuntime, DispatchRunsAtOnceOnItsOwnExecutorOnly) {
  RealOptions options;
  options.shards = 2;
  RealRuntime rt(options);
  std::vector<std::string> order;
  std::thread::id ran_on;
  auto here = [](RealRuntime& r, std::vector<std::string>& o) -> Task<void> {
    dispatch(r.shard(0), [&o] { o.push_back("dispatched"); });
    o.push_back("after the call");
    co_return;
  };
  auto elsewhere = [](RealRuntime& r, std::thread::id& id) -> Task<void> {
    Event done;
    dispatch(r.shard(1), [&] {
      id = std::this_thread::get_id();
      post(r.shard(0), [&done] { done.set(); });
    });
    co_await done.wait();
  };
  auto both = [&]() -> Task<void> {
    co_await here(rt, order);
    co_await elsewhere(rt, ran_on);
  };
  rt.run(both());
  EXPECT_EQ(order, (std::vector<std::string>{"dispatched", "after the call"}));
  EXPECT_NE(ran_on, std::thread::id());
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(ThreadPool, RunsEachJobOnceAndWhatIsQueuedAtItsEnd) {
  struct Count final : ThreadPool::Job {
    Count(std::atomic<int>& n, std::set<std::thread::id>& t, std::mutex& m)
        : jobs(n), threads(t), mutex(m) {}
    void run() override {
      std::this_thread::yield();
      std::lock_guard lock(mutex);
      jobs++;
      threads.insert(std::this_thread::get_id());
    }
    std::atomic<int>& jobs;
    std::set<std::thread::id>& threads;
    std::mutex& mutex;
  };
  std::atomic<int> jobs = 0;
  std::set<std::thread::id> threads;
  std::mutex mutex;
  auto job = [&] { return std::make_unique<Count>(jobs, threads, mutex); };
  {
    ThreadPool pool(3);
    for (int i = 0; i < 50; i++) {
      pool.submit(job());
      while (jobs <= i) std::this_thread::yield();
    }
    for (int i = 0; i < 2000; i++) pool.submit(job());
  }
  EXPECT_EQ(jobs, 2050);
  EXPECT_LE(threads.size(), 3u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(RealRuntime, SignalStopsTheLoop) {
  RealRuntime rt;
  std::vector<int> got;
  rt.on_signal({SIGUSR1, SIGTERM}, [&](int signal) {
    got.push_back(signal);
    if (signal == SIGTERM) rt.stop();
    else ::kill(::getpid(), SIGTERM);
  });
  ::kill(::getpid(), SIGUSR1);
  rt.run();
  EXPECT_EQ(got, (std::vector<int>{SIGUSR1, SIGTERM}));
}

namespace {

/// CPU time of this thread.
Duration cpu_time() {
  rusage u{};
  EXPECT_EQ(::getrusage(RUSAGE_THREAD, &u), 0);
  return std::chrono::seconds(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         std::chrono::microseconds(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/// What 100 ms without work take. Either kind of wait is far from this line, on a busy machine too.
constexpr Duration kLookingTakes = 5ms;
Task<void> look_at_cpu(Clock& clock, bool& looked) {
  const Duration before = cpu_time();
  co_await clock.sleep(100ms);
  looked = cpu_time() - before > kLookingTakes;
}

}  // namespace

TEST(RealRuntime, LooksForWorkInsteadOfSleepingUntilToldOtherwise) {
  RealRuntime rt;
  bool looked = true;
  rt.run(look_at_cpu(rt.clock(), looked));
  EXPECT_FALSE(looked);
  rt.busy_poll(0, rt.clock().now() + 1h);
  // Timers, other threads' posts and stop() reach it as ever.
  for (int i = 0; i < 50 && !looked; i++) rt.run(look_at_cpu(rt.clock(), looked));
  EXPECT_TRUE(looked);
  std::thread other([&] { post(rt.executor(), [&] { rt.stop(); }); });
  rt.run();
  other.join();
  rt.busy_poll(0, {});
  rt.run(look_at_cpu(rt.clock(), looked));
  EXPECT_FALSE(looked);
  rt.busy_poll(0, rt.clock().now());
  rt.run(look_at_cpu(rt.clock(), looked));
  EXPECT_FALSE(looked) << "what is over";
}

TEST(RealClock, CallsInOrderAndNotAfterCancel) {
  RealRuntime rt;
  std::vector<int> order;
  Timer late = rt.clock().call_after(rt.executor(), 20ms, [&] { order.push_back(2); });
  Timer soon = rt.clock().call_after(rt.executor(), 1ms, [&] { order.push_back(1); });
  Timer never = rt.clock().call_after(rt.executor(), 2ms, [&] { order.push_back(9); });
  Timer self;
  self = rt.clock().call_after(rt.executor(), 3ms, [&] { self.cancel(); });
  never.cancel();
  const TimePoint start = rt.clock().now();
  rt.run(rt.clock().sleep(40ms));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_GE(rt.clock().now() - start, Duration(40ms));
  EXPECT_GT(rt.clock().wall().sec, 1'600'000'000u);
}

/// More than a socket's buffers hold, in more pieces than one sendmsg takes, to an echo and back.
Task<void> send_around(RealRuntime& r, Listener& listener, Stream& stream) {
  TaskGroup group(r.executor());
  group.spawn(echo_once(listener));
  std::vector<Bytes> pieces;
  std::string expected;
  for (int i = 0; i < 1000; i++) {
    pieces.push_back(Bytes::copy(std::string(9000 + i, static_cast<char>('a' + i % 26))));
    expected += pieces.back().view();
  }
  std::string got;
  auto collect = [](Stream& s, std::string& out, size_t want) -> Task<void> {
    std::vector<uint8_t> buffer(100'000);
    while (out.size() < want) {
      auto n = co_await s.read_some(buffer);
      if (!n || *n == 0) co_return;
      out.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
  };
  group.spawn(collect(stream, got, expected.size()));
  auto sent = co_await stream.write(std::move(pieces));
  EXPECT_TRUE(sent);
  while (got.size() < expected.size()) co_await r.clock().sleep(1ms);
  EXPECT_TRUE(got == expected);
  stream.close();
  co_await group.join();
}

TEST(TcpNet, CarriesBytesBothWays) {
  RealRuntime rt;
  auto scenario = [](RealRuntime& r) -> Task<void> {
    auto listener = r.net().listen(loopback());
    EXPECT_TRUE(listener);
    EXPECT_NE((*listener)->local().port, 0);
    auto stream = co_await r.net().connect((*listener)->local());
    EXPECT_TRUE(stream);
    EXPECT_EQ((*stream)->remote().port, (*listener)->local().port);
    co_await send_around(r, **listener, **stream);
  };
  rt.run(scenario(rt));
}

TEST(TcpNet, HasASecondWayOnItsHost) {
  RealRuntime rt;
  auto scenario = [](RealRuntime& r) -> Task<void> {
    auto listener = r.net().listen(loopback());
    const EntityAddr at = (*listener)->local();
    auto nobody = co_await r.net().connect_here(at);
    EXPECT_EQ(nobody.error().code(), ECONNREFUSED);
    EXPECT_NE(nobody.error().text().find(std::to_string(at.port)), std::string::npos);

    auto here = r.net().listen_here(at);
    EXPECT_TRUE(here);
    auto taken = r.net().listen_here(at);
    EXPECT_EQ(taken.error().code(), EADDRINUSE);
    EXPECT_NE(taken.error().text().find(std::to_string(at.port)), std::string::npos);

    // It looks like the address that it stands for.
    auto stream = co_await r.net().connect_here(at);
    EXPECT_TRUE(stream);
    EXPECT_EQ((*stream)->remote(), at);
    EXPECT_EQ((*stream)->local().ip_text(), "127.0.0.1");
    auto peer = co_await (*here)->accept();
    EXPECT_EQ((*peer)->local(), at);
    EXPECT_EQ((*peer)->remote().ip_text(), "127.0.0.1");
    EXPECT_EQ((*peer)->remote().port, 0);

    auto another = co_await r.net().connect_here(at);
    co_await send_around(r, **here, **another);
    here->reset();
    auto gone = co_await r.net().connect_here(at);
    EXPECT_EQ(gone.error().code(), ECONNREFUSED);
  };
  rt.run(scenario(rt));
}

TEST(TcpNet, NamesItsFailures) {
  RealRuntime rt;
  auto scenario = [](RealRuntime& r) -> Task<void> {
    auto first = r.net().listen(loopback());
    EXPECT_TRUE(first);
    const uint16_t port = (*first)->local().port;
    auto second = r.net().listen(loopback(port));
    EXPECT_EQ(second.error().code(), EADDRINUSE);
    EXPECT_NE(second.error().text().find(std::to_string(port)), std::string::npos);
    first->reset();
    auto refused = co_await r.net().connect(loopback(port));
    EXPECT_EQ(refused.error().code(), ECONNREFUSED);
  };
  rt.run(scenario(rt));
}

TEST(TcpNet, CloseEndsAReadAndCancellationThrows) {
  RealRuntime rt;
  auto scenario = [](RealRuntime& r) -> Task<void> {
    auto listener = r.net().listen(loopback());
    auto stream = co_await r.net().connect((*listener)->local());
    auto peer = co_await (*listener)->accept();
    int by_close = -1, by_cancel = -1;
    TaskGroup group(r.executor()), cancelled(r.executor());
    group.spawn(read_forever(**stream, by_close));
    cancelled.spawn(read_forever(**peer, by_cancel));
    co_await r.clock().sleep(1ms);
    co_await cancelled.stop();
    EXPECT_EQ(by_cancel, -1);
    (*stream)->close();
    co_await group.join();
    EXPECT_EQ(by_close, ECANCELED);
  };
  rt.run(scenario(rt));
}

TEST(TcpNet, UnixSocketReplacesAStaleFileOnly) {
  RealRuntime rt;
  TempDir dir;
  const std::string path = dir.path + "/a.asok";
  std::ofstream(path) << "stale";
  auto listener = rt.net().listen_unix(path);
  ASSERT_TRUE(listener);
  EXPECT_EQ(rt.net().listen_unix(path).error().code(), EADDRINUSE);
  listener->reset();
  EXPECT_TRUE(rt.net().listen_unix(path));
  EXPECT_EQ(rt.net().listen_unix("/" + std::string(200, 'x')).error().code(), ENAMETOOLONG);
}

TEST(Files, WriteReadRemove) {
  RealRuntime rt;
  TempDir dir;
  const std::string path = dir.path + "/x/y/conf";
  EXPECT_EQ(rt.read_file(path).error().code(), ENOENT);
  EXPECT_NE(rt.read_file(path).error().text().find(path), std::string::npos);
  EXPECT_EQ(rt.write_file(path, "a").error().code(), ENOENT);
  ASSERT_TRUE(rt.make_dirs(dir.path + "/x/y"));
  ASSERT_TRUE(rt.write_file(path, "one"));
  ASSERT_TRUE(rt.write_file(path, "two"));
  EXPECT_EQ(*rt.read_file(path), "two");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
  ASSERT_TRUE(rt.remove_file(path));
  EXPECT_EQ(rt.remove_file(path).error().code(), ENOENT);
}

TEST(Files, DirectoryIsHeldByOne) {
  RealRuntime rt;
  TempDir dir;
  auto first = rt.lock_dir(dir.path);
  ASSERT_TRUE(first);
  auto second = rt.lock_dir(dir.path);
  EXPECT_EQ(second.error().code(), EBUSY);
  EXPECT_NE(second.error().text().find(dir.path), std::string::npos);
  first->reset();
  EXPECT_TRUE(rt.lock_dir(dir.path));
}

TEST(Files, HostFacts) {
  RealRuntime rt;
  EXPECT_GT(*rt.host_free("/tmp"), 0u);
  EXPECT_EQ(rt.host_free("/no/such").error().code(), ENOENT);
  EXPECT_GT(rt.resident_bytes(), 1u << 20);
  EXPECT_FALSE(rt.host_name().empty());
  EXPECT_EQ(rt.process_id(), static_cast<uint32_t>(::getpid()));
}

}  // namespace plimsoll::real
