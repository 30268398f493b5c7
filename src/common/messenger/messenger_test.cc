// SPDX-License-Identifier: LGPL-2.1-or-later
// Two messengers over loopback sockets: messages of all sizes, throttles, floods, resets, and peers
// that misbehave byte by byte.
#include "common/messenger/messenger.h"

#include <gtest/gtest.h>

#include "common/log/log.h"
#include "common/messenger/auth_none.h"
#include "common/messenger/handshake.h"
#include "common/rt/real/real_runtime.h"
#include "common/rt/task_group.h"

namespace plimsoll::messenger {

namespace {

using real::RealRuntime;

/// Notes what happens; answers or keeps messages as a test wants.
struct Recorder : Dispatcher {
  void on_message(const ConnectionRef& c, msg::RawMessage m) override {
    last = c;
    count++;
    bytes += m.bytes();
    if (echo) return c->send(std::move(m));
    if (keep) messages.push_back(std::move(m));
    changed.notify_all();
  }
  void on_open(const ConnectionRef& c) override {
    last = c;
    opened++;
    changed.notify_all();
  }
  void on_reset(const ConnectionRef&) override {
    resets++;
    changed.notify_all();
  }
  Task<void> until(std::function<bool()> done) {
    while (!done()) co_await changed.wait();
  }

  bool echo = false;
  bool keep = true;
  ConnectionRef last;
  size_t count = 0, bytes = 0, opened = 0, resets = 0;
  std::vector<msg::RawMessage> messages;
  WaitQueue changed;
};

struct CapturedLog : plimsoll::log::Sink {
  void write(plimsoll::log::Severity, plimsoll::log::Subsystem, const std::string&,
             const std::string& line) override {
    text += line + "\n";
  }
  std::string text;
};

struct Fixture : ::testing::Test {
  void start(MessengerOptions options = {}) {
    server = std::make_unique<Messenger>(rt, config, EntityName{EntityType::kOsd, 3}, server_auth,
                                         options);
    server->set_dispatcher(&served);
    client =
        std::make_unique<Messenger>(rt, config, EntityName{EntityType::kClient, -1}, client_auth);
    client->set_dispatcher(&received);
    auto bound = server->bind(*EntityAddr::parse("127.0.0.1:0"));
    ASSERT_TRUE(bound) << bound.error().to_string();
    at = *bound;
  }
  Task<void> stop() {
    co_await client->stop();
    co_await server->stop();
  }
  /// Runs a test's task with a deadline.
  void run(Task<void> task) {
    Timer deadline = rt.clock().call_after(rt.executor(), 20s, [] {
      FAIL() << "deadline";
      abort();
    });
    rt.run(std::move(task));
  }

  Fixture() {
    plimsoll::log::set_sink(&seen_log);
    plimsoll::log::debug_level[static_cast<size_t>(plimsoll::log::Subsystem::kMs)] = 1;
  }
  ~Fixture() override { plimsoll::log::set_sink(nullptr); }

  CapturedLog seen_log;
  RealRuntime rt{real::RealOptions{.shards = 2}};
  config::Config config;
  AuthNone server_auth{EntityType::kOsd, "3"};
  AuthNone client_auth{EntityType::kClient, "admin"};
  Recorder served, received;
  std::unique_ptr<Messenger> server, client;
  EntityAddr at;
};
using MessengerTest = Fixture;

std::string joined(FrameWriter& w) {
  std::string out;
  for (const Bytes& b : w.take()) out += b.view();
  return out;
}

template <class F>
std::string frame_of(const F& frame) {
  FrameWriter w;
  add_frame(w, frame);
  return joined(w);
}

/// A client made by hand, on a bare stream.
struct RawPeer {
  static std::string banner(uint64_t supported, uint64_t required) {
    ByteWriter w;
    w.raw(Banner::kText);
    w.u16(Banner::kPayloadBytes);
    w.u64(supported);
    w.u64(required);
    return w.take_string();
  }
  /// Goes through a right handshake up to step 0 (connected), 1 (hello), 2 (auth) or 3 (all).
  Task<void> open(Fixture& f, int steps = 3) {
    auto connected = co_await f.rt.net().connect(f.at);
    CHECK(connected);
    stream = std::move(*connected);
    reader = std::make_unique<FrameReader>(*stream);
    if (steps == 3) {
      HandshakeSelf self{{EntityType::kClient, 9}, {}, 5, 1, f.client_auth};
      auto done = co_await connect_handshake(*stream, *reader, self, EntityType::kOsd, f.at);
      CHECK(done);
      co_return;
    }
    if (steps == 0) co_return;
    const HelloFrame hello{EntityType::kClient, f.at};
    co_await send(banner(1, 0) + frame_of(hello));
    (void)co_await reader->raw(26);
    (void)co_await reader->next(nullptr, 1000);
    if (steps == 1) co_return;
    const AuthRequestFrame request{
        kAuthMethodNone, {kConModeCrc}, f.client_auth.request(EntityType::kOsd, 9)};
    co_await send(frame_of(request));
    auto done = co_await reader->next(nullptr, 1000);
    CHECK(done && done->tag == Tag::kAuthDone);
  }
  Task<void> send(std::string bytes) {
    std::vector<Bytes> pieces;
    pieces.push_back(Bytes::take(std::move(bytes)));
    (void)co_await stream->write(std::move(pieces));
  }
  Task<void> until_closed() {
    while (co_await reader->next(nullptr, 1000)) {
    }
  }
  std::unique_ptr<Stream> stream;
  std::unique_ptr<FrameReader> reader;
};

msg::RawMessage message(size_t front, size_t data, uint64_t tid = 0) {
  msg::RawMessage m;
  m.type = 42;
  m.version = 8;
  m.compat = 3;
  m.tid = tid;
  m.front = Bytes::take(std::string(front, 'f'));
  std::string d(data, '\0');
  for (size_t i = 0; i < data; i++) d[i] = static_cast<char>(i * 31 + tid);
  m.data = Bytes::take(std::move(d));
  return m;
}

}  // namespace

TEST_F(MessengerTest, MessagesOfAllSizesComeBackInOrder) {
  start();
  served.echo = true;
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    const std::vector<size_t> sizes{0, 1, 100, 2047, 2048, 4095, 4096, 40000, 1 << 20, 4 << 20};
    std::vector<msg::RawMessage> sent;
    for (size_t front : {0, 200, 5000, 70000})
      for (size_t data : sizes) sent.push_back(message(front, data, sent.size() + 1));
    for (const auto& m : sent) c->send(m);
    co_await f.received.until([&] { return f.received.messages.size() == sent.size(); });
    for (size_t i = 0; i < sent.size(); i++) {
      const msg::RawMessage& m = f.received.messages[i];
      EXPECT_EQ(m.tid, i + 1);
      EXPECT_EQ(m.seq, i + 1);
      EXPECT_EQ(m.type, 42);
      EXPECT_EQ(m.version, 8);
      EXPECT_EQ(m.compat, 3);
      EXPECT_TRUE(m.front == sent[i].front && m.data == sent[i].data) << i;
      if (m.data.size() >= 4096)
        EXPECT_EQ(reinterpret_cast<uintptr_t>(m.data.data()) % 4096, 0u) << m.data.size();
    }
    EXPECT_EQ(c->peer(), (EntityName{EntityType::kOsd, 3}));
    EXPECT_EQ(f.served.last->peer().type, EntityType::kClient);
    EXPECT_EQ(f.served.last->auth().id, "admin");
    EXPECT_EQ(f.served.last->peer_addr().type, EntityAddr::kAny);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, ResetIsToldOnceToTheOtherSideOnly) {
  start();
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    c->send(message(10, 0));
    co_await f.served.until([&] { return f.served.count == 1; });
    c->close();
    EXPECT_FALSE(c->is_open());
    c->send(message(10, 0));
    co_await f.served.until([&] { return f.served.resets == 1; });
    EXPECT_EQ(f.received.resets, 0u);
    EXPECT_EQ(f.served.count, 1u);
    EXPECT_EQ(f.server->connections(), 0u);

    const ConnectionRef d = f.client->connect(EntityType::kOsd, f.at);
    co_await f.served.until([&] { return f.served.opened == 2; });
    f.served.last->close();
    co_await f.received.until([&] { return f.received.resets == 1; });
    EXPECT_FALSE(d->is_open());
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, NobodyOrSomebodyElseAtTheAddressIsAReset) {
  start();
  auto test = [](Fixture& f) -> Task<void> {
    EntityAddr wrong = f.at;
    wrong.nonce++;
    f.client->connect(EntityType::kOsd, wrong);
    co_await f.received.until([&] { return f.received.resets == 1; });
    f.client->connect(EntityType::kMon, f.at);
    co_await f.received.until([&] { return f.received.resets == 2; });
    const EntityAddr at = f.at;
    co_await f.server->stop();
    f.client->connect(EntityType::kOsd, at);
    co_await f.received.until([&] { return f.received.resets == 3; });
    EXPECT_EQ(f.received.opened, 0u);
    co_await f.client->stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, ThrottleStopsReadingUntilMessagesGo) {
  start({.dispatch_throttle_bytes = 1 << 20});
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    for (int i = 0; i < 40; i++) c->send(message(0, 100'000, i));
    co_await f.served.until([&] { return f.served.count == 10; });
    co_await f.rt.clock().sleep(50ms);
    EXPECT_EQ(f.served.count, 10u);
    EXPECT_LE(f.server->throttled_bytes(), 1u << 20);
    // One is larger than the whole throttle: it comes alone.
    c->send(message(0, 2 << 20, 99));
    while (f.served.count < 41) {
      if (!f.served.messages.empty()) f.served.messages.erase(f.served.messages.begin());
      co_await f.rt.clock().sleep(1ms);
    }
    EXPECT_LE(f.served.messages.size(), 1u);
    f.served.messages.clear();
    EXPECT_EQ(f.server->throttled_bytes(), 0u);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, ThrottleBoundsTheNumberOfMessages) {
  start({.dispatch_throttle_bytes = 1 << 20, .dispatch_throttle_messages = 3});
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef a = f.client->connect(EntityType::kOsd, f.at);
    const ConnectionRef b = f.client->connect(EntityType::kOsd, f.at);
    for (int i = 0; i < 20; i++) (i % 2 ? a : b)->send(message(0, 10, i));
    co_await f.served.until([&] { return f.served.count == 3; });
    co_await f.rt.clock().sleep(50ms);
    EXPECT_EQ(f.served.count, 3u);
    EXPECT_EQ(f.server->throttled_messages(), 3u);
    f.served.messages.pop_back();
    co_await f.served.until([&] { return f.served.count == 4; });
    co_await f.rt.clock().sleep(20ms);
    EXPECT_EQ(f.served.count, 4u);
    f.server->set_throttle(1 << 20, 5);
    co_await f.served.until([&] { return f.served.count == 6; });
    while (f.served.count < 20) {
      f.served.messages.clear();
      co_await f.rt.clock().sleep(1ms);
    }
    f.served.messages.clear();
    EXPECT_EQ(f.server->throttled_messages(), 0u);
    EXPECT_EQ(f.server->throttled_bytes(), 0u);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, ThrottleIsGivenBackFromOtherThreads) {
  start({.dispatch_throttle_bytes = 10'000, .dispatch_throttle_messages = 2});
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    for (int i = 0; i < 2000; i++) c->send(message(0, 4000, i));
    for (size_t seen = 0; seen < 2000;) {
      co_await f.served.until([&] { return !f.served.messages.empty(); });
      seen += f.served.messages.size();
      auto drop = [batch = std::make_shared<std::vector<msg::RawMessage>>(
                       std::move(f.served.messages))] { batch->clear(); };
      f.served.messages.clear();
      post(f.rt.shard(1), drop);
    }
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, SendFromAnotherThreadKeepsOrder) {
  start();
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    auto flood = [c] {
      for (int i = 0; i < 5000; i++) c->send(message(20, 0, i));
    };
    post(f.rt.shard(1), flood);
    co_await f.served.until([&] { return f.served.count == 5000; });
    for (size_t i = 0; i < 5000; i++) EXPECT_EQ(f.served.messages[i].tid, i);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, KeepaliveIsAnswered) {
  start({.keepalive_ack_delay = 20ms});
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    co_await f.received.until([&] { return f.received.opened == 1; });
    const TimePoint before = f.rt.clock().now();
    c->keepalive();
    co_await f.rt.clock().sleep(10ms);
    EXPECT_LT(c->last_keepalive_ack(), before);
    while (c->last_keepalive_ack() < before) co_await f.rt.clock().sleep(1ms);
    EXPECT_GE(c->last_keepalive_ack() - before, 20ms);
    co_await f.stop();
  };
  run(test(*this));
}

// A peer that sends much and reads nothing: first its requests are not read any more, and if the
// server goes on sending, it is disconnected; memory stays bounded.
TEST_F(MessengerTest, PeerThatDoesNotReadIsPausedThenDropped) {
  start({.send_pause_bytes = 1 << 20, .send_limit_bytes = 32 << 20});
  served.echo = true;
  auto flood = [](Stream& stream) -> Task<void> {
    for (uint64_t i = 1; i <= 1000; i++) {
      FrameWriter w;
      w.add(MessageHeader{i, i, 42, 63, 8, 0, 3}, message(0, 100'000));
      std::vector<Bytes> pieces = w.take();
      if (!co_await stream.write(std::move(pieces))) break;
    }
  };
  auto test = [](Fixture& f, decltype(flood)& flood_task) -> Task<void> {
    RawPeer peer;
    co_await peer.open(f);
    TaskGroup tasks(f.rt.executor());
    tasks.spawn(flood_task(*peer.stream));
    size_t seen = 0;
    do {
      seen = f.served.count;
      co_await f.rt.clock().sleep(200ms);
    } while (f.served.count != seen);
    EXPECT_LT(seen, 1000u);
    EXPECT_EQ(f.served.resets, 0u);
    for (int i = 0; i < 400; i++) f.served.last->send(message(0, 100'000));
    co_await f.served.until([&] { return f.served.resets == 1; });
    EXPECT_NE(f.seen_log.text.find("the peer does not read"), std::string::npos) << f.seen_log.text;
    co_await tasks.stop();
    co_await f.stop();
  };
  run(test(*this, flood));
}

// Both ends have more to send than may be queued: neither may stop reading because of it.
TEST_F(MessengerTest, TwoFullQueuesDoNotWaitForEachOther) {
  start({.send_pause_bytes = 1 << 20});
  served.echo = true;
  received.keep = false;
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    const msg::RawMessage large = message(0, 4 << 20);
    for (int i = 0; i < 20; i++) c->send(large);
    co_await f.received.until([&] { return f.received.count == 20; });
    co_await f.stop();
  };
  run(test(*this));
}

// Every kind of bad input ends in a named error and a closed connection, and the server goes on.
TEST_F(MessengerTest, BadPeersAreNamedAndDropped) {
  start();
  struct Case {
    int steps;  ///< of a right handshake before the bad bytes
    std::string bytes;
    std::string error;
  };
  const std::string banner = RawPeer::banner(1, 0);
  std::string bad_crc = frame_of(Keepalive2Frame{});
  bad_crc[33]++;
  FrameWriter w;
  w.add(MessageHeader{1, 1, 42, 63, 8, 0, 3}, message(100, 100));
  std::string bad_epilogue = joined(w);
  bad_epilogue[bad_epilogue.size() - 2]++;
  AuthNone liar(EntityType::kOsd, "7");
  const AuthRequestFrame no_crc{
      kAuthMethodNone, {kConModeSecure}, client_auth.request(EntityType::kOsd, 1)};
  const AuthRequestFrame lie{kAuthMethodNone, {kConModeCrc}, liar.request(EntityType::kOsd, 1)};
  std::string refused;
  for (int i = 0; i < 8; i++)
    refused += frame_of(AuthRequestFrame{kAuthMethodCephx, {2, 1}, Bytes::copy("x")});
  ClientIdentFrame elsewhere;
  elsewhere.target = *EntityAddr::parse("v2:127.0.0.1:1/2");
  elsewhere.features = kFeatures;
  ClientIdentFrame weak;
  weak.target = at;
  weak.features = 1;
  ClientIdentFrame demanding;
  demanding.target = at;
  demanding.features = kFeatures;
  demanding.required = 1ull << 63;

  const std::vector<Case> cases{
      {0, "GET / HTTP/1.0\r\n\r\n", "the peer does not speak msgr2"},
      {0, RawPeer::banner(0, 0), "the peer does not speak msgr2.1"},
      {0, RawPeer::banner(1, 2), "the peer requires msgr2 features 0x2"},
      {0, banner.substr(0, 8) + std::string("\x01\x00", 2), "banner payload of 1 bytes"},
      {0, banner + frame_of(AuthSignatureFrame{}), "expected hello, got auth_signature"},
      {1, frame_of(no_crc) + refused, "too many refused auth requests"},
      {1, refused, "too many refused auth requests"},
      {1, frame_of(lie), "the peer's hello and its auth request name different types"},
      {1, frame_of(Keepalive2Frame{}), "expected auth_request, got keepalive2"},
      {2, frame_of(Keepalive2Frame{}), "expected auth_signature, got keepalive2"},
      {2, frame_of(AuthSignatureFrame{}) + frame_of(elsewhere),
       "the peer looks for v2:127.0.0.1:1/2"},
      {2, frame_of(AuthSignatureFrame{}) + frame_of(weak), "the peer lacks features"},
      {2, frame_of(AuthSignatureFrame{}) + frame_of(demanding),
       "the peer requires features 0x8000"},
      {2, frame_of(AuthSignatureFrame{}) + frame_of(HelloFrame{}),
       "expected client_ident, got hello"},
      {3, bad_crc, "segment 0 crc mismatch"},
      {3, bad_epilogue, "segment 3 crc mismatch"},
      {3, std::string(200, 'z'), "preamble crc mismatch"},
      {3, frame_of(HelloFrame{}), "unexpected hello after the handshake"},
  };
  auto test = [](Fixture& f, const std::vector<Case>& all) -> Task<void> {
    for (const Case& c : all) {
      f.seen_log.text.clear();
      RawPeer peer;
      co_await peer.open(f, c.steps);
      co_await peer.send(c.bytes);
      co_await peer.until_closed();
      EXPECT_NE(f.seen_log.text.find(c.error), std::string::npos)
          << c.error << "\nlog: " << f.seen_log.text;
      EXPECT_EQ(f.server->connections(), 0u);
    }
    const ConnectionRef good = f.client->connect(EntityType::kOsd, f.at);
    good->send(message(1, 1));
    const size_t before = f.served.count;
    co_await f.served.until([&] { return f.served.count == before + 1; });
    co_await f.stop();
  };
  run(test(*this, cases));
}

// Cut at every byte of the handshake and of a message, the server forgets the connection.
TEST_F(MessengerTest, PeersThatGoAwayAnywhereAreForgotten) {
  start();
  auto test = [](Fixture& f) -> Task<void> {
    FrameWriter w;
    w.add(MessageHeader{1, 1, 42, 63, 8, 0, 3}, message(30, 50));
    const std::string frame = joined(w);
    for (size_t n = 0; n < frame.size(); n += 7) {
      RawPeer peer;
      co_await peer.open(f);
      co_await peer.send(frame.substr(0, n));
    }
    const std::string opening =
        RawPeer::banner(1, 0) + frame_of(HelloFrame{EntityType::kClient, {}});
    for (size_t n = 0; n < opening.size(); n += 7) {
      RawPeer peer;
      co_await peer.open(f, 0);
      co_await peer.send(opening.substr(0, n));
    }
    while (f.server->connections()) co_await f.rt.clock().sleep(1ms);
    EXPECT_EQ(f.served.count, 0u);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, ReconnectIsAnsweredByReset) {
  start();
  auto test = [](Fixture& f) -> Task<void> {
    RawPeer peer;
    co_await peer.open(f, 2);
    FrameWriter w;
    add_frame(w, AuthSignatureFrame{});
    w.add(Tag::kSessionReconnect, "whatever");
    co_await peer.send(joined(w));
    (void)co_await peer.reader->next(nullptr, 1000);
    auto reset = co_await peer.reader->next(nullptr, 1000);
    EXPECT_TRUE(reset && reset->tag == Tag::kSessionReset && reset->payload == Bytes::copy("\x01"));
    ClientIdentFrame ident;
    ident.target = f.at;
    ident.features = kFeatures;
    co_await peer.send(frame_of(ident));
    auto reply = co_await peer.reader->next(nullptr, 1000);
    EXPECT_TRUE(reply && reply->tag == Tag::kServerIdent);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, HandshakeThatTakesTooLongIsDropped) {
  ASSERT_TRUE(config.set("ms_connection_ready_timeout", "1", config::Source::kCommandLine));
  start();
  auto test = [](Fixture& f) -> Task<void> {
    RawPeer peer;
    co_await peer.open(f, 1);
    co_await peer.until_closed();
    EXPECT_NE(f.seen_log.text.find("handshake not done in 1 s"), std::string::npos)
        << f.seen_log.text;
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, IdleConnectionsAreDropped) {
  ASSERT_TRUE(config.set("ms_connection_idle_timeout", "1", config::Source::kCommandLine));
  start();
  auto test = [](Fixture& f) -> Task<void> {
    const ConnectionRef busy = f.client->connect(EntityType::kOsd, f.at);
    RawPeer idle;
    co_await idle.open(f);
    for (int i = 0; i < 30 && f.served.resets == 0; i++) {
      busy->keepalive();
      co_await f.rt.clock().sleep(100ms);
    }
    EXPECT_EQ(f.served.resets, 1u);
    EXPECT_TRUE(busy->is_open());
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, AcceptsNoMoreThanTheLimit) {
  ASSERT_TRUE(config.set("ms_max_accept", "2", config::Source::kCommandLine));
  start();
  auto test = [](Fixture& f) -> Task<void> {
    // The limit is one for both ways. `first` says by which the first comes.
    for (const bool first : {true, false}) {
      auto connect = [&f](bool short_way) {
        EXPECT_TRUE(f.config.set("ms_local_sockets", short_way ? "true" : "false",
                                 config::Source::kCommandLine));
        return f.client->connect(EntityType::kOsd, f.at);
      };
      const size_t before = f.received.opened;
      const ConnectionRef a = connect(first);
      co_await f.received.until([&] { return f.received.opened == before + 1; });
      const ConnectionRef b = connect(!first);
      co_await f.received.until([&] { return f.received.opened == before + 2; });
      const ConnectionRef c = connect(first);
      co_await f.rt.clock().sleep(50ms);
      const ConnectionRef d = connect(!first);
      co_await f.rt.clock().sleep(50ms);
      EXPECT_EQ(f.received.opened, before + 2);
      a->close();
      co_await f.received.until([&] { return f.received.opened == before + 3; });
      b->close();
      co_await f.received.until([&] { return f.received.opened == before + 4; });
      c->close();
      d->close();
    }
    // One that waits for a slot does not hold up the end.
    const ConnectionRef a = f.client->connect(EntityType::kOsd, f.at);
    const ConnectionRef b = f.client->connect(EntityType::kOsd, f.at);
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    co_await f.rt.clock().sleep(50ms);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, PeersOfOneHostUseUnixSockets) {
  start();
  auto test = [](Fixture& f) -> Task<void> {
    f.served.echo = true;
    for (const bool short_way : {true, false}) {
      EXPECT_TRUE(f.config.set("ms_local_sockets", short_way ? "true" : "false",
                               config::Source::kCommandLine));
      const size_t before = f.received.count;
      const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
      c->send(message(100, 0));
      co_await f.received.until([&] { return f.received.count > before; });
      EXPECT_EQ(f.served.last->peer_socket_addr().port == 0, short_way);
      EXPECT_EQ(f.served.last->peer_socket_addr().ip_text(), "127.0.0.1");
      c->close();
    }
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, WhoTakesNoUnixSocketsIsFoundByTcp) {
  ASSERT_TRUE(config.set("ms_local_sockets", "false", config::Source::kCommandLine));
  start();
  auto test = [](Fixture& f) -> Task<void> {
    EXPECT_TRUE(f.config.set("ms_local_sockets", "true", config::Source::kCommandLine));
    const ConnectionRef c = f.client->connect(EntityType::kOsd, f.at);
    co_await f.received.until([&] { return f.received.opened == 1; });
    EXPECT_NE(f.served.last->peer_socket_addr().port, 0);
    co_await f.stop();
  };
  run(test(*this));
}

TEST_F(MessengerTest, TakenUnixSocketIsNamed) {
  // A port that is free, as far as TCP goes.
  auto free = rt.net().listen(*EntityAddr::parse("127.0.0.1:0"));
  ASSERT_TRUE(free);
  at = (*free)->local();
  free->reset();
  auto taken = rt.net().listen_here(at);
  ASSERT_TRUE(taken);
  Messenger other(rt, config, {EntityType::kOsd, 4}, server_auth);
  auto bound = other.bind(at);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code(), EADDRINUSE);
  EXPECT_NE(bound.error().text().find("Unix socket of 127.0.0.1:" + std::to_string(at.port)),
            std::string::npos);
  taken->reset();
  EXPECT_TRUE(other.bind(at));
}

TEST_F(MessengerTest, TakenPortIsNamed) {
  start();
  Messenger other(rt, config, {EntityType::kOsd, 4}, server_auth);
  auto bound = other.bind(at);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code(), EADDRINUSE);
  EXPECT_NE(bound.error().text().find(std::to_string(at.port)), std::string::npos);
  auto test = [](Fixture& f) -> Task<void> { co_await f.stop(); };
  run(test(*this));
}

}  // namespace plimsoll::messenger
