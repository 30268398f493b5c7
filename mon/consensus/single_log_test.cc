// SPDX-License-Identifier: LGPL-2.1-or-later
// The log of one: order, visibility, replay after a stop and after crashes at any point.
#include "mon/consensus/single_log.h"

#include <gtest/gtest.h>

#include "qa/sim/world.h"

namespace plimsoll::mon {
namespace {

KvBatch put(const std::string& key, const std::string& value) {
  KvBatch batch;
  batch.put(key, value);
  return batch;
}

struct Fixture {
  explicit Fixture(uint64_t seed = 1) : world(seed), host(world.add_host("mon")) { host.boot(); }
  void run(Task<void> task) { world.run(host, std::move(task)); }

  Task<void> open() {
    KvOptions options;
    options.create = std::exchange(is_new, false);
    auto opened = co_await host.runtime().open_kv("/kv", options);
    CHECK(opened.has_value());
    kv = std::shared_ptr<Kv>(std::move(*opened));
    host.hold(kv);
    log = std::make_shared<SingleLog>(host.runtime().executor(), *kv);
    host.hold(log);
    const Result<> started = co_await log->start();
    CHECK_NOTE(started.has_value(), started ? "" : started.error().to_string().c_str());
  }
  Task<void> close() {
    co_await log->stop();
    co_await kv->close();
  }

  sim::World world;
  sim::Host& host;
  bool is_new = true;
  std::shared_ptr<Kv> kv;
  std::shared_ptr<SingleLog> log;
};

Task<void> set_and_list(Fixture& f) {
  co_await f.open();
  Result<Version> one = co_await f.log->propose(put("a/1", "x"));
  EXPECT_EQ(*one, 1u);
  Result<Version> two = co_await f.log->propose(put("a/2", "y"));
  EXPECT_EQ(*two, 2u);
  Result<Version> other = co_await f.log->propose(put("b", "z"));
  EXPECT_EQ(*other, 3u);
  KvBatch erase;
  erase.erase_range("a/1", "a/2");
  other = co_await f.log->propose(std::move(erase));
  auto pairs = co_await f.log->list("a/");
  EXPECT_EQ(pairs->size(), 1u);
  EXPECT_EQ((*pairs)[0].first, "a/2");
  co_await f.close();
}

Task<void> reopen_and_check(Fixture& f) {
  co_await f.open();
  EXPECT_EQ(f.log->committed(), 4u);
  auto value = co_await f.log->get("b");
  EXPECT_EQ(**value, "z");
  value = co_await f.log->get("a/1");
  EXPECT_FALSE(value->has_value());
  co_await f.close();
}

TEST(SingleLog, KeepsStateOverRestart) {
  Fixture f;
  f.run(set_and_list(f));
  f.run(reopen_and_check(f));
}

Task<void> propose_one(Fixture& f, int i, std::vector<Version>& order) {
  Result<Version> v = co_await f.log->propose(put("k", std::to_string(i)));
  order.push_back(*v);
}

Task<void> propose_at_once(Fixture& f) {
  co_await f.open();
  TaskGroup group(f.host.runtime().executor());
  std::vector<Version> order;
  for (int i = 0; i < 10; i++) group.spawn(propose_one(f, i, order));
  co_await group.join();
  EXPECT_EQ(order, (std::vector<Version>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  auto last = co_await f.log->get("k");
  EXPECT_EQ(**last, "9");
  co_await f.close();
}

TEST(SingleLog, CommitsInTheOrderOfProposals) {
  Fixture f;
  f.run(propose_at_once(f));
}

Task<void> propose_for_ever(Fixture& f, int from, int& acknowledged) {
  co_await f.open();
  for (int i = from;; i++) {
    Result<Version> done = co_await f.log->propose(put("n", std::to_string(i)));
    if (!done) co_return;
    acknowledged = i;
  }
}

Task<void> read_n(Fixture& f, int& found) {
  co_await f.open();
  auto value = co_await f.log->get("n");
  found = *value ? std::stoi(**value) : 0;
  co_await f.close();
}

TEST(SingleLog, LosesNothingAcknowledgedToCrashes) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Fixture f(seed);
    int acknowledged = 0, found = 0;
    for (int round = 0; round < 5; round++) {
      spawn_detached(f.host.runtime().executor(), propose_for_ever(f, found + 1, acknowledged));
      f.world.run_for(std::chrono::milliseconds(5 + 7 * static_cast<int64_t>(seed)));
      f.host.kill();
      f.host.boot();
      f.run(read_n(f, found));
      ASSERT_GE(found, acknowledged) << "seed " << seed;
      // At most the one proposal in flight may be there beyond.
      ASSERT_LE(found, acknowledged + 1) << "seed " << seed;
      acknowledged = found;
    }
    ASSERT_GT(found, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace plimsoll::mon
