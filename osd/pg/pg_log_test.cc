// SPDX-License-Identifier: LGPL-2.1-or-later
// The log's bookkeeping, and merging: random histories of a PG with crashes and changing members
// are made consistent by what peering does with them, and must lose nothing that all members had.
#include "osd/pg/pg_log.h"

#include <gtest/gtest.h>

#include "common/base/rng.h"

namespace plimsoll::osd {
namespace {

HObject object(int n) {
  HObject o;
  o.oid = "o" + std::to_string(n);
  o.pool = 1;
  o.hash = static_cast<uint32_t>(n);
  o.snap = kSnapHead;
  return o;
}

LogEntry entry(Eversion v, int o, Eversion prior = {}, LogEntry::Kind kind = LogEntry::kModify) {
  LogEntry e;
  e.kind = kind;
  e.version = v;
  e.prior_version = prior;
  e.object = object(o);
  e.reqid = {{EntityType::kClient, 7}, v.version * 100 + v.epoch, 0};
  return e;
}

TEST(PgLog, FindsRequestsUntilTrimmed) {
  PgLog log;
  for (uint64_t v = 1; v <= 10; v++) log.append(entry({v, 3}, static_cast<int>(v)));
  EXPECT_EQ(log.find(entry({4, 3}, 4).reqid)->version, (Eversion{4, 3}));
  EXPECT_EQ(log.trim_point(4, {9, 3}), (Eversion{6, 3}));
  EXPECT_EQ(log.trim_point(4, {5, 3}), log.tail()) << "not all members have committed that far";
  EXPECT_EQ(log.trim({6, 3}), 6u);
  EXPECT_EQ(log.tail(), (Eversion{6, 3}));
  EXPECT_TRUE(log.find(entry({4, 3}, 4).reqid)) << "known still";
  EXPECT_TRUE(log.find(entry({7, 3}, 7).reqid));
  EXPECT_EQ(log.forget(10), 0u) << "ten are wanted";
  EXPECT_EQ(log.forget(4), 1u);
  EXPECT_FALSE(log.find(entry({4, 3}, 4).reqid));
  EXPECT_TRUE(log.find(entry({7, 3}, 7).reqid));
  log.trim({99, 9});
  EXPECT_EQ(log.size(), 1u) << "the last entry carries the totals";
  EXPECT_EQ(log.head(), (Eversion{10, 3}));
}

ReqId request(uint64_t v) { return entry({v, 3}, 0).reqid; }

TEST(PgLog, RequestsGoWhereTheLogGoes) {
  PgLog log;
  for (uint64_t v = 1; v <= 30; v++) {
    log.append(entry({v, 3}, static_cast<int>(v)));
    if (v % 10 == 0) log.trim({v - 5, 3});
  }
  EXPECT_EQ(log.known_from(), Eversion());
  ASSERT_EQ(log.dups().size(), 3u);
  log.forget(30 - 5);
  EXPECT_EQ(log.known_from(), (Eversion{5, 3}));

  PgLog fresh;  // of one that throws away its copy
  fresh.set_tail(log.part_for({}, {}).since);
  Missing missing;
  auto merged = fresh.merge(log.part_for({}, {}), missing);
  ASSERT_TRUE(merged);
  EXPECT_EQ(fresh.known_from(), (Eversion{5, 3}));
  ASSERT_TRUE(merged->older) << "to be stored";
  for (uint64_t v = 6; v <= 30; v++) EXPECT_EQ(fresh.find(request(v))->version, (Eversion{v, 3}));
  EXPECT_FALSE(fresh.find(request(5)));

  PgLog fewer;  // has another tail, and knows no request before it
  fewer.set_tail({22, 3});
  for (uint64_t v = 23; v <= 27; v++) fewer.append(entry({v, 3}, static_cast<int>(v)));
  const auto part = log.part_for(fewer.head(), fewer.known_from());
  EXPECT_EQ(part.entries.size(), 3u);
  EXPECT_EQ(part.older.dups.size(), 17u) << "trimmed or not";
  ASSERT_TRUE(fewer.merge(part, missing));
  for (uint64_t v = 6; v <= 30; v++) EXPECT_TRUE(fewer.find(request(v))) << v;
  EXPECT_TRUE(log.part_for(fewer.head(), fewer.known_from()).older.dups.empty());

  EXPECT_EQ(fewer.forget(1), 1u);
  EXPECT_FALSE(fewer.find(request(22)));
}

TEST(PgLog, LoadedRequestsReachTheTailWithoutAGap) {
  const auto batch = [](uint64_t from, uint64_t to) {
    DupBatch b{{from, 3}, {to, 3}, {}};
    for (uint64_t v = from + 1; v <= to; v++) b.dups.push_back({request(v), {v, 3}, v, 0});
    return b;
  };
  PgLog log;
  log.set_tail({30, 3});
  log.set_dups({batch(0, 5), batch(10, 20), batch(20, 30)});
  EXPECT_EQ(log.known_from(), (Eversion{10, 3}));
  EXPECT_FALSE(log.find(request(5)));
  EXPECT_TRUE(log.find(request(11)));
  log.set_dups({batch(10, 20)});
  EXPECT_EQ(log.known_from(), (Eversion{30, 3}));
  EXPECT_FALSE(log.find(request(11)));
}

TEST(PgLog, PartForWhoeverHasIt) {
  PgLog log;
  for (uint64_t v = 1; v <= 5; v++) log.append(entry({v, 3}, 0));
  log.trim({2, 3});
  EXPECT_EQ(log.part_for({4, 3}, {}).since, (Eversion{4, 3}));
  EXPECT_EQ(log.part_for({4, 3}, {}).entries.size(), 1u);
  EXPECT_EQ(log.part_for({2, 3}, {}).entries.size(), 3u);
  EXPECT_EQ(log.part_for({4, 2}, {}).since, (Eversion{2, 3})) << "diverged: everything there is";
  EXPECT_TRUE(log.part_for({5, 3}, {}).entries.empty());
}

TEST(PgLog, MergeAddsWhatIsMissing) {
  PgLog best, log;
  for (auto* l : {&best, &log}) l->append(entry({1, 3}, 1));
  best.append(entry({2, 3}, 1, {1, 3}));
  best.append(entry({3, 3}, 2));
  best.append(entry({4, 3}, 3));
  best.append(entry({5, 3}, 3, {4, 3}, LogEntry::kDelete));
  Missing missing;
  auto r = log.merge(best.part_for(log.head(), log.known_from()), missing);
  ASSERT_TRUE(r);
  EXPECT_EQ(log.head(), best.head());
  EXPECT_EQ(missing, (Missing{{object(1), {2, 3}}, {object(2), {3, 3}}}));
  EXPECT_EQ(r->remove, std::set<HObject>{object(3)});
  EXPECT_TRUE(r->dropped.empty());
}

TEST(PgLog, MergeRewindsWhatNeverHappened) {
  PgLog best, log;
  for (auto* l : {&best, &log}) {
    l->append(entry({1, 3}, 1));
    l->append(entry({2, 3}, 2));
  }
  log.append(entry({3, 3}, 1, {1, 3}));                     // overwritten here only
  log.append(entry({4, 3}, 4));                             // made here only
  log.append(entry({5, 3}, 2, {2, 3}, LogEntry::kDelete));  // deleted here only
  best.append(entry({3, 5}, 5));
  Missing missing{{object(4), {4, 3}}};
  auto r = log.merge(best.part_for(log.head(), log.known_from()), missing);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->dropped.size(), 3u);
  EXPECT_EQ(r->remove, std::set<HObject>{object(4)});
  EXPECT_EQ(missing, (Missing{{object(1), {1, 3}}, {object(2), {2, 3}}, {object(5), {3, 5}}}));
  EXPECT_FALSE(log.find(entry({4, 3}, 4).reqid)) << "its request must be done again";
  EXPECT_EQ(log.head(), (Eversion{3, 5}));
}

TEST(PgLog, RefusesToMergeAcrossAGap) {
  PgLog best, log;
  for (uint64_t v = 1; v <= 9; v++) best.append(entry({v, 3}, 0));
  best.trim({5, 3});
  log.append(entry({1, 3}, 0));
  Missing missing;
  auto r = log.merge(best.part_for(log.head(), log.known_from()), missing);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), EINVAL);
  EXPECT_EQ(log.head(), (Eversion{1, 3})) << "unchanged";
}

// ---- random histories
// -----------------------------------------------------------------------------

/// A member: log, missing objects, and the version at which it holds each object.
struct Copy {
  PgLog log;
  Missing missing;
  std::map<HObject, Eversion> data;
  Epoch last_epoch_started = 0;

  void apply(const LogEntry& e) {
    log.append(e);
    if (e.kind == LogEntry::kDelete)
      data.erase(e.object);
    else
      data[e.object] = e.version;
  }
};

class History {
 public:
  explicit History(uint64_t seed) : rng_(seed), copies_(3) {}

  void run(int intervals) {
    for (int i = 0; i < intervals; i++) {
      epoch_ += 1 + static_cast<Epoch>(rng_.below(3));
      // Any two of three may serve, as with min_size 2.
      const size_t absent = rng_.below(4);
      std::vector<size_t> members;
      for (size_t m = 0; m < copies_.size(); m++)
        if (m != absent) members.push_back(m);
      if (!peer(members)) continue;
      check(members);
      write(members, rng_.below(40));
    }
    ASSERT_TRUE(peer({0, 1, 2}, 0));
    check({0, 1, 2});
  }

 private:
  /// What Peering does, without the messages; an interval may end in the midst of recovery.
  bool peer(const std::vector<size_t>& members, double interrupted = 0.01) {
    const auto rank = [&](size_t m) {
      return std::tuple(copies_[m].last_epoch_started, copies_[m].log.head());
    };
    size_t best = members[0];
    for (size_t m : members)
      if (rank(m) > rank(best)) best = m;
    for (size_t m : members) {
      if (m == best) continue;
      Copy& c = copies_[m];
      const auto part = copies_[best].log.part_for(c.log.head(), c.log.known_from());
      auto merged = c.log.merge(part, c.missing);
      EXPECT_TRUE(merged) << merged.error().text();
      for (const auto& o : merged->remove) c.data.erase(o);
    }
    for (size_t m : members) {
      for (const auto& [object, need] : Missing(copies_[m].missing)) {
        if (rng_.chance(interrupted)) return false;  // the next map comes in between
        Copy& c = copies_[m];
        bool found = false;
        for (size_t s : members) {
          if (copies_[s].missing.contains(object)) continue;
          found = true;
          EXPECT_EQ(copies_[s].data[object], need) << object.oid;
        }
        if (!found) return false;
        c.data[object] = need;
        c.missing.erase(object);
      }
    }
    for (size_t m : members) copies_[m].last_epoch_started = epoch_;
    return true;
  }

  void write(const std::vector<size_t>& members, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
      Copy& primary = copies_[members[0]];
      const int o = static_cast<int>(rng_.below(8));
      const auto had = primary.data.find(object(o));
      const bool exists = had != primary.data.end();
      LogEntry e =
          entry({primary.log.head().version + 1, epoch_}, o, exists ? had->second : Eversion());
      if (exists && rng_.chance(0.3)) e.kind = LogEntry::kDelete;
      const bool last = i + 1 == n;
      bool all = true;
      for (size_t m : members) {
        // The interval's last write reaches only some.
        if (last && m != members[0] && rng_.chance(0.5))
          all = false;
        else
          copies_[m].apply(e);
      }
      if (all) acknowledged_.push_back(e);
    }
  }

  void check(const std::vector<size_t>& members) {
    for (size_t m : members) {
      EXPECT_EQ(copies_[m].log.head(), copies_[members[0]].log.head());
      EXPECT_EQ(copies_[m].data, copies_[members[0]].data);
      EXPECT_TRUE(copies_[m].missing.empty());
      for (const auto& e : acknowledged_)
        EXPECT_TRUE(copies_[m].log.contains(e.version)) << e.version.to_string();
    }
  }

  Rng rng_;
  std::vector<Copy> copies_;
  Epoch epoch_ = 1;
  std::vector<LogEntry> acknowledged_;
};

TEST(PgLogProperty, CopiesAgreeAndKeepWhatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    SCOPED_TRACE(seed);
    History(seed).run(12);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace plimsoll::osd
