// SPDX-License-Identifier: LGPL-2.1-or-later
// The simulated world itself: time, streams, faults, and that a seed decides everything.
#include <gtest/gtest.h>

#include "common/rt/task_group.h"
#include "qa/sim/world.h"

namespace plimsoll::sim {

namespace {

EntityAddr at(Host& host, uint16_t port) {
  EntityAddr a = host.ip();
  a.port = port;
  return a;
}

/// Serves echo streams for ever.
struct EchoServer {
  explicit EchoServer(Runtime& r) : rt(r), group(r.executor()) {}
  Task<void> serve(uint16_t port) {
    EntityAddr here = *EntityAddr::parse("0.0.0.0:0");
    here.port = port;
    auto listener = rt.net().listen(here);
    CHECK(listener.has_value());
    for (;;) {
      auto stream = co_await (*listener)->accept();
      group.spawn(echo(std::move(*stream)));
    }
  }
  Task<void> echo(std::unique_ptr<Stream> stream) {
    std::vector<uint8_t> buffer(5000);
    for (;;) {
      auto n = co_await stream->read_some(buffer);
      if (!n || *n == 0) co_return;
      const std::string_view got(reinterpret_cast<const char*>(buffer.data()), *n);
      std::vector<Bytes> data(1, Bytes::copy(got));
      auto sent = co_await stream->write(std::move(data));
      if (!sent) co_return;
    }
  }
  Runtime& rt;
  TaskGroup group;
};

void start_echo(Host& host, uint16_t port) {
  auto server = std::make_shared<EchoServer>(host.boot());
  host.hold(server);
  server->group.spawn(server->serve(port));
}

Task<void> send_all(Stream& stream, std::string text) {
  std::vector<Bytes> data(1, Bytes::take(std::move(text)));
  auto sent = co_await stream.write(std::move(data));
  EXPECT_TRUE(sent);
}

/// Sends `text` and reads as many bytes back; the error where the stream broke.
Task<Result<std::string>> round_trip(Runtime& rt, EntityAddr to, std::string text) {
  CO_TRY(stream, co_await rt.net().connect(to));
  TaskGroup group(rt.executor());
  group.spawn(send_all(*stream, text));
  std::string out;
  std::vector<uint8_t> buffer(100'000);
  Result<> result;
  while (out.size() < text.size()) {
    auto n = co_await stream->read_some(buffer);
    if (!n) result = n.error();
    if (!n || *n == 0) break;
    out.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
  stream->close();
  co_await group.stop();
  if (!result) co_return result.error();
  co_return out;
}

std::string pattern(size_t size) {
  std::string out(size, 0);
  for (size_t i = 0; i < size; i++) out[i] = static_cast<char>(i * 7 + i / 256);
  return out;
}

Task<void> talk(Host& client, Host& server, int rounds) {
  for (int i = 0; i < rounds; i++) {
    auto got = co_await round_trip(client.runtime(), at(server, 7000), pattern(1 + i * 30'000));
    EXPECT_TRUE(got && *got == pattern(1 + i * 30'000));
    co_await client.runtime().clock().sleep(Duration(client.runtime().rng().below(1'000'000)));
  }
}

uint64_t hash_of_run(uint64_t seed) {
  World world(seed);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  start_echo(server, 7000);
  client.boot();
  world.run(client, talk(client, server, 10));
  server.kill();
  start_echo(server, 7000);
  world.run(client, talk(client, server, 3));
  EXPECT_GT(world.hash().events(), 100u);
  return world.hash().value();
}

}  // namespace

TEST(World, TheSeedDecidesEverything) {
  EXPECT_EQ(hash_of_run(1), hash_of_run(1));
  EXPECT_EQ(hash_of_run(2), hash_of_run(2));
  EXPECT_NE(hash_of_run(1), hash_of_run(2));
}

TEST(World, TimeJumps) {
  World world(1);
  Host& host = world.add_host("a");
  host.boot();
  world.run(host, host.runtime().clock().sleep(1000s));
  EXPECT_EQ(host.runtime().clock().now().since_start, Duration(1000s));
  EXPECT_FALSE(world.run_until([] { return false; }, 5s));
  EXPECT_EQ(host.runtime().clock().now().since_start, Duration(1005s));
}

TEST(World, TimersKeepOrderAndCancel) {
  World world(1);
  Host& host = world.add_host("a");
  SimRuntime& rt = host.boot();
  std::vector<int> order;
  Timer b = rt.clock().call_after(rt.executor(), 20ms, [&] { order.push_back(2); });
  Timer a = rt.clock().call_after(rt.executor(), 10ms, [&] { order.push_back(1); });
  Timer never = rt.clock().call_after(rt.executor(), 15ms, [&] { order.push_back(9); });
  never.cancel();
  world.run_for(1s);
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(Net, KilledPeerResetsAndRefuses) {
  World world(3);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  start_echo(server, 7000);
  SimRuntime& rt = client.boot();
  int broken = 0, refused = 0;
  auto scenario = [](SimRuntime& r, Host& s, int& reset, int& connect) -> Task<void> {
    auto stream = co_await r.net().connect(at(s, 7000));
    EXPECT_TRUE(stream);
    s.kill();
    std::vector<uint8_t> buffer(10);
    auto n = co_await (*stream)->read_some(buffer);
    reset = n ? 0 : n.error().code();
    auto again = co_await r.net().connect(at(s, 7000));
    connect = again ? 0 : again.error().code();
  };
  world.run(client, scenario(rt, server, broken, refused));
  EXPECT_EQ(broken, ECONNRESET);
  EXPECT_EQ(refused, ECONNREFUSED);
}

TEST(Net, CutLinkDelaysAndHeals) {
  World world(4);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  start_echo(server, 7000);
  SimRuntime& rt = client.boot();
  auto scenario = [](World& w, SimRuntime& r, Host& s) -> Task<void> {
    auto stream = co_await r.net().connect(at(s, 7000));
    w.network().cut("client", "server");
    TaskGroup group(r.executor());
    group.spawn(send_all(**stream, pattern(300'000)));
    Timer heal = r.clock().call_after(r.executor(), 5s, [&w] { w.network().heal(); });
    std::string out;
    std::vector<uint8_t> buffer(1000);
    while (out.size() < 300'000) {
      auto n = co_await (*stream)->read_some(buffer);
      EXPECT_TRUE(n && *n > 0);
      if (!n || *n == 0) break;
      if (out.empty()) EXPECT_GE(r.clock().now().since_start, Duration(5s));
      out.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
    EXPECT_TRUE(out == pattern(300'000));
    w.network().cut("server", "client");
    auto unreachable = co_await r.net().connect(at(s, 7000));
    EXPECT_EQ(unreachable.error().code(), ETIMEDOUT);
    co_await group.join();
  };
  world.run(client, scenario(world, rt, server));
}

TEST(Net, EndOfStreamFollowsTheData) {
  World world(5);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  SimRuntime& rt = server.boot();
  client.boot();
  auto serve = [](SimRuntime& r) -> Task<void> {
    auto listener = r.net().listen(*EntityAddr::parse("0.0.0.0:0"));
    EXPECT_EQ((*listener)->local().port, 6800);
    auto taken = r.net().listen((*listener)->local());
    EXPECT_EQ(taken.error().code(), EADDRINUSE);
    auto stream = co_await (*listener)->accept();
    co_await send_all(**stream, pattern(100'000));
  };
  auto read = [](Host& c, Host& s, std::string& out) -> Task<void> {
    auto stream = co_await c.runtime().net().connect(at(s, 6800));
    std::vector<uint8_t> buffer(70'000);
    for (;;) {
      auto n = co_await (*stream)->read_some(buffer);
      if (!n || *n == 0) break;
      out.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
    (*stream)->close();
    auto after = co_await (*stream)->read_some(buffer);
    EXPECT_EQ(after.error().code(), ECANCELED);
  };
  spawn_detached(rt.executor(), serve(rt));
  std::string out;
  world.run(client, read(client, server, out));
  EXPECT_TRUE(out == pattern(100'000));
}

TEST(Net, BitsFlipOnTheWire) {
  World world(6);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  start_echo(server, 7000);
  client.boot();
  world.network().faults.flip = 1;
  auto scenario = [](Host& c, Host& s) -> Task<void> {
    auto got = co_await round_trip(c.runtime(), at(s, 7000), pattern(1000));
    EXPECT_TRUE(got);
    if (!got) co_return;
    EXPECT_EQ(got->size(), 1000u);
    EXPECT_NE(*got, pattern(1000));
  };
  world.run(client, scenario(client, server));
}

TEST(Net, AStreamBreaksInTheMiddleOfWhatIsSent) {
  World world(7);
  Host& server = world.add_host("server");
  Host& client = world.add_host("client");
  client.boot();
  server.boot();
  world.network().faults.reset = 0.1;
  auto serve = [](SimRuntime& r, std::set<size_t>& arrived) -> Task<void> {
    auto listener = r.net().listen(*EntityAddr::parse("0.0.0.0:7000"));
    for (;;) {
      auto stream = co_await (*listener)->accept();
      size_t sum = 0;
      std::vector<uint8_t> buffer(1000);
      for (;;) {
        auto n = co_await (*stream)->read_some(buffer);
        if (!n) EXPECT_EQ(n.error().code(), ECONNRESET);
        if (!n || *n == 0) break;
        sum += *n;
      }
      arrived.insert(sum);
    }
  };
  auto send = [](Host& c, Host& s) -> Task<void> {
    for (int i = 0; i < 50; i++) {
      auto stream = co_await c.runtime().net().connect(at(s, 7000));
      EXPECT_TRUE(stream);
      std::vector<Bytes> data(1, Bytes::take(pattern(1000)));
      auto sent = co_await (*stream)->write(std::move(data));
      EXPECT_TRUE(sent);
      (*stream)->close();
      co_await c.runtime().clock().sleep(100ms);
    }
  };
  std::set<size_t> arrived;
  spawn_detached(server.runtime().executor(), serve(server.runtime(), arrived));
  world.run(client, send(client, server));
  EXPECT_TRUE(arrived.contains(1000));
  EXPECT_LT(*arrived.upper_bound(0), 1000u) << "a part of it, at times";
}

TEST(World, CountsErrorsOfTheLog) {
  World world(1);
  Logger logger(log::Subsystem::kOsd, "osd.0");
  logger.info("fine");
  EXPECT_EQ(world.errors(), 0u);
  logger.error("expected by this test");
  EXPECT_EQ(world.errors(), 1u);
}

}  // namespace plimsoll::sim
