// SPDX-License-Identifier: LGPL-2.1-or-later
// An object that is removed offline, and what peering makes of it.
#include "osd/pg/offline_removal.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "osd/ops/object_state.h"
#include "osd/pg/pg.h"
#include "osd/store/mem_store.h"

namespace plimsoll::osd {

namespace {

const PgId kPg{1, 0};

HObject named(std::string name, std::string nspace = "", std::string key = "") {
  HObject h;
  h.pool = 1;
  h.oid = std::move(name);
  h.nspace = std::move(nspace);
  h.key = std::move(key);
  h.hash = static_cast<uint32_t>(h.oid.size());
  h.snap = kSnapHead;
  return h;
}

/// A copy of a PG with a few objects, each of 100 bytes and an omap, and the log that made them.
struct OfflineRemovalTest : ::testing::Test {
  boost::asio::io_context io;
  MemStore store;
  std::vector<HObject> objects{named("one"), named("two"), named("two", "space"),
                               named("two", "", "locator"), named("three", "space")};
  OfflineRemoval what;

  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    auto body = [](Task<T> inner, std::optional<T>& into) -> Task<void> {
      into.emplace(co_await std::move(inner));
    };
    spawn_detached(io.get_executor(), body(std::move(task), out));
    io.restart();
    io.run();
    return std::move(*out);
  }

  void SetUp() override {
    ASSERT_TRUE(run(store.mount()));
    Transaction t;
    t.create_collection(kPg);
    PgTotals totals;
    for (uint64_t i = 0; i < objects.size(); i++) {
      LogEntry e;
      e.version = {i + 1, 10};
      e.object = objects[i];
      totals = {totals.objects + 1, totals.bytes + 100, totals.omap_objects + 1};
      e.totals = totals;
      t.meta_set(kPg, {{pg_keys::log_entry(e.version), wire::to_bytes(e)}});
      ObjectInfo info;
      info.version = e.version;
      info.flags = ObjectInfo::kHasOmap;
      t.write(kPg, objects[i], 0, Bytes::zeros(100));
      t.set_attr(kPg, objects[i], kInfoAttr, wire::to_bytes(info));
    }
    ASSERT_TRUE(run(store.commit(std::move(t))));
    what = {kPg, "two", "", "", 3, 12, Utime{100, 0}};
  }
  Result<LogEntry> remove() {
    OfflineRemoval w = what;
    return run(remove_offline(store, w));
  }
  std::string error() {
    auto done = remove();
    return done ? "" : done.error().text();
  }
  /// The log that the store has.
  void load(PgLog& log) {
    auto pairs = run(store.meta_scan(kPg, pg_keys::kLogBegin, pg_keys::kLogEnd, 1000));
    for (const auto& [k, v] : *pairs) log.append(*wire::from_bytes<LogEntry>(v, "entry"));
  }
  std::vector<HObject> left() {
    const HObject from, to = HObject::max();
    return *run(store.list(kPg, from, to, 100));
  }
};

}  // namespace

TEST_F(OfflineRemovalTest, RemovesTheOneThatIsMeantAndLogsIt) {
  auto entry = remove();
  ASSERT_TRUE(entry) << entry.error().to_string();
  EXPECT_EQ(entry->kind, LogEntry::kDelete);
  EXPECT_EQ(entry->object, objects[1]);
  EXPECT_EQ(entry->prior_version, (Eversion{2, 10}));
  EXPECT_EQ(entry->totals, (PgTotals{4, 400, 4}));
  auto rest = left();
  EXPECT_EQ(rest.size(), 4u);
  EXPECT_EQ(std::count(rest.begin(), rest.end(), objects[1]), 0);
  PgLog log;
  load(log);
  EXPECT_EQ(*log.last(), *entry);
  EXPECT_EQ(log.size(), 6u);

  what.nspace = "space";
  EXPECT_EQ(remove()->object, objects[2]);
  what = {kPg, "two", "", "locator", 3, 12, {}};
  EXPECT_EQ(remove()->object, objects[3]);
  what = {kPg, "one", "", "one", 3, 12, {}};
  EXPECT_EQ(remove()->object, objects[0]) << "a locator that equals the name says nothing";
  PgLog longer;
  load(longer);
  EXPECT_EQ(longer.totals(), (PgTotals{1, 100, 1}));
}

TEST_F(OfflineRemovalTest, ErrorsSayWhatIsNotThere) {
  what.name = "four";
  EXPECT_EQ(error(), "pg 1.0 has no object 'four' here");
  what.name = "three";
  EXPECT_EQ(error(), "pg 1.0 has no object 'three' here; one of that name has namespace 'space' "
                     "and locator ''");
  what.pg = {1, 7};
  EXPECT_EQ(error(), "osd.3 has no pg 1.7");
  EXPECT_EQ(left().size(), 5u);
}

TEST_F(OfflineRemovalTest, HoldsForAllCopiesWhereTheyHaveNothingNewer) {
  PgLog other, ours;
  load(other);
  Missing missing;
  // The other one even has a write that we never saw, and so nobody was told of.
  LogEntry unseen = *other.last();
  unseen.version.version++;
  unseen.prior_version = {};
  unseen.object = named("unseen");
  other.append(unseen);
  ASSERT_TRUE(remove());
  load(ours);
  ASSERT_GT(ours.head(), other.head());
  auto merged = other.merge(ours.part_for(other.head(), {}), missing);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->remove, (std::set<HObject>{objects[1], unseen.object}));
  EXPECT_TRUE(missing.empty());
  EXPECT_EQ(other.head(), ours.head());
}

TEST_F(OfflineRemovalTest, IsUndoneWhereTheOthersWentOn) {
  PgLog other, ours;
  load(other);
  LogEntry next = *other.last();
  next.version = {next.version.version + 1, 13};
  other.append(next);
  ASSERT_TRUE(remove());
  load(ours);
  Missing missing;
  auto merged = ours.merge(other.part_for(ours.head(), {}), missing);
  ASSERT_TRUE(merged);
  EXPECT_EQ(missing[objects[1]], (Eversion{2, 10})) << "fetched from the others";
  EXPECT_EQ(ours.head(), other.head());
}

TEST(OfflineVersion, BelongsToNobodyElse) {
  std::set<Eversion> seen;
  for (OsdId osd : {0, 1, 2, 77})
    for (Eversion head{5, 10}; head.version < uint64_t{1} << 30;) {
      const Eversion next = offline_version(head, 12, osd);
      EXPECT_GT(next, head);
      EXPECT_GE(next.version, head.version + (1 << 24)) << "none that a primary has under way";
      EXPECT_TRUE(seen.insert(next).second);
      head = next;
    }
  EXPECT_EQ(offline_version({5, 10}, 12, 0).epoch, 12u);
  EXPECT_EQ(offline_version({5, 15}, 12, 0).epoch, 15u);
}

}  // namespace plimsoll::osd
