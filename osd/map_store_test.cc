// SPDX-License-Identifier: LGPL-2.1-or-later
// MapStore: epochs come in order whatever way they are sent, survive a restart, and bring others
// up.
#include "osd/map_store.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "osd/store/mem_store.h"

namespace plimsoll::osd {
namespace {

class Maps : public ::testing::Test {
 protected:
  void SetUp() override {
    fsid.bytes[0] = 7;
    map::OSDMap first;
    first.fsid = fsid;
    first.epoch = 1;
    full[1] = wire::to_bytes(first);
    for (Epoch e = 2; e <= 100; e++) {
      map::Incremental inc = map::Incremental::after(first);
      inc.new_max_osd = static_cast<int32_t>(e);
      auto step = map::seal(first, inc);
      ASSERT_TRUE(step) << step.error().text();
      first = step->next;
      full[e] = step->full;
      incremental[e] = step->incremental;
    }
    OsdSuperblock superblock;
    superblock.fsid = fsid;
    superblock.osd = 3;
    commit(MapStore::first_superblock(superblock));
    load();
  }

  template <class T>
  T wait(Task<T> task) {
    std::optional<T> out;
    auto run = [](Task<T> t, std::optional<T>& into) -> Task<void> {
      into.emplace(co_await std::move(t));
    };
    spawn_detached(io.get_executor(), run(std::move(task), out));
    io.restart();
    io.run();
    return std::move(*out);
  }
  void commit(Transaction txn) { ASSERT_TRUE(wait(store.commit(std::move(txn)))); }
  /// As after a restart.
  void load() {
    maps = MapStore();
    const auto loaded = wait(maps.load(store));
    ASSERT_TRUE(loaded) << loaded.error().text();
  }
  msg::MOSDMap message(Epoch from, Epoch to) {
    msg::MOSDMap m;
    m.fsid = fsid;
    for (Epoch e = from; e <= to; e++) m.incremental_maps[e] = incremental[e];
    m.newest_map = to;
    return m;
  }
  msg::MOSDMap whole(Epoch e) {
    msg::MOSDMap m;
    m.fsid = fsid;
    m.maps[e] = full[e];
    m.newest_map = e;
    return m;
  }
  MapStore::Step apply(const msg::MOSDMap& m) {
    MapStore::Step step = maps.apply(m);
    commit(step.txn);
    return step;
  }

  boost::asio::io_context io;
  MemStore store;
  MapStore maps;
  Uuid fsid;
  std::map<Epoch, Bytes> full, incremental;
};

TEST_F(Maps, EveryEpochIsSeenAndKept) {
  EXPECT_EQ(maps.current(), nullptr);
  EXPECT_EQ(apply(whole(1)).maps.size(), 1u);
  for (Epoch e = 2; e <= 90; e += 8) {
    const auto step = apply(message(e, e + 7));
    ASSERT_EQ(step.maps.size(), 8u);
    for (Epoch i = 0; i < 8; i++) EXPECT_EQ(step.maps[i]->epoch, e + i);
    EXPECT_FALSE(step.gap);
    load();
    EXPECT_EQ(maps.epoch(), e + 7);
    EXPECT_EQ(wire::to_bytes(*maps.current()), full[e + 7]);
  }
}

TEST_F(Maps, WhatDoesNotConnectIsAskedFor) {
  apply(whole(1));
  const auto step = apply(message(5, 9));
  EXPECT_TRUE(step.maps.empty());
  EXPECT_TRUE(step.gap);
  EXPECT_EQ(apply(message(2, 9)).maps.size(), 8u);
  EXPECT_TRUE(apply(message(3, 9)).maps.empty()) << "known already";
  EXPECT_EQ(apply(whole(40)).maps.size(), 1u) << "a whole map may jump";
  load();
  EXPECT_EQ(maps.epoch(), 40u);
}

TEST_F(Maps, ForeignAndDamagedMapsAreRefused) {
  apply(whole(1));
  auto foreign = message(2, 2);
  foreign.fsid.bytes[0] = 8;
  EXPECT_EQ(apply(foreign).error->code(), EINVAL);
  auto damaged = message(2, 4);
  damaged.incremental_maps[3] = damaged.incremental_maps[3].slice(0, 40);
  const auto step = apply(damaged);
  EXPECT_TRUE(step.error);
  EXPECT_EQ(step.maps.size(), 1u) << "those before it count";
  EXPECT_EQ(maps.epoch(), 2u);
}

TEST_F(Maps, OthersAreBroughtUp) {
  apply(whole(1));
  apply(message(2, 60));
  EXPECT_EQ(maps.since(50, 40).incremental_maps.size(), 10u);
  EXPECT_TRUE(maps.since(50, 40).maps.empty());
  const auto far = maps.since(5, 40);
  EXPECT_TRUE(far.incremental_maps.empty());
  EXPECT_EQ(far.maps.begin()->second, full[60]);
  EXPECT_EQ(maps.since(0, 40).maps.size(), 1u);
  // Stock clients take a whole map only where the sender's epochs begin.
  EXPECT_EQ(far.oldest_map, 60u);
  EXPECT_EQ(maps.since(0, 40).oldest_map, 60u);
}

}  // namespace
}  // namespace plimsoll::osd
