// SPDX-License-Identifier: LGPL-2.1-or-later
// The OSDMap under change on a simulated store: batching, failing edits, priming of pg_temp, old
// epochs and trimming.
#include "mon/osd_service.h"

#include <gtest/gtest.h>

#include "mon/consensus/single_log.h"
#include "mon/mkfs.h"
#include "mon/osd_membership.h"
#include "mon/pool_edits.h"
#include "qa/sim/world.h"

namespace plimsoll::mon {
namespace {

struct Osds : ::testing::Test {
  Osds() : host(world.add_host("mon")), config({"mon", "a", "ceph", "mon"}) {
    CHECK(config.set("fsid", "00000000-0000-4000-8000-000000000001", config::Source::kFile));
    CHECK(config.set("mon_host", "127.0.0.1:3300", config::Source::kFile));
    CHECK(config.set("mon_data", "/mon", config::Source::kFile));
    CHECK(config.set("osd_crush_chooseleaf_type", "0", config::Source::kFile));
    host.boot();
    run(start());
  }
  ~Osds() override { run(stop()); }
  void run(Task<void> task) { world.run(host, std::move(task)); }

  Task<void> start() {
    const Result<> made = co_await mkfs(host.runtime(), config);
    CHECK_NOTE(made.has_value(), made ? "" : made.error().to_string().c_str());
    auto opened = co_await host.runtime().open_kv("/mon/store.db", store_options(false));
    kv = std::move(*opened);
    log = std::make_unique<SingleLog>(host.runtime().executor(), *kv);
    const Result<> started = co_await log->start();
    CHECK(started.has_value());
    osd = std::make_unique<OsdService>(host.runtime(), config, *log);
    const Result<> loaded = co_await osd->load();
    CHECK(loaded.has_value());
  }
  Task<void> stop() {
    co_await osd->stop();
    co_await log->stop();
    co_await kv->close();
  }
  Task<void> change(OsdService::Edit edit) {
    const Result<Epoch> done = co_await osd->change(edit);
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().to_string());
  }

  /// `n` OSDs, up and in, and a pool of 16 PGs.
  Task<void> fill(int n) {
    const OsdService::Edit add = [n](OsdDraft& d) -> Result<> {
      d.inc.new_max_osd = n;
      map::CrushMap crush = *d.now.crush;
      for (OsdId o = 0; o < n; o++) {
        d.set_state(o, map::kOsdExists, 0);
        d.inc.new_up_client[o] = EntityAddrVec(*EntityAddr::parse("v2:127.0.0.1:6800/1"));
        d.set_weight(o, map::kOsdIn);
        const map::CrushLocation where{{"root", "default"}, {"host", "h"}};
        TRY_VOID(crush.create_or_move(o, "osd." + std::to_string(o), 1, where));
      }
      d.inc.set_crush(crush);
      return {};
    };
    co_await change(add);
    const OsdService::Edit pool = [this](OsdDraft& d) -> Result<> {
      PoolCreate request;
      request.name = "data";
      request.pg_num = 16;
      TRY(id, create_pool(config, Utime{}, request, d));
      EXPECT_EQ(id, 1);
      return {};
    };
    co_await change(pool);
  }

  sim::World world{1};
  sim::Host& host;
  config::Config config;
  std::unique_ptr<Kv> kv;
  std::unique_ptr<SingleLog> log;
  std::unique_ptr<OsdService> osd;
};

OsdService::Edit set_flag(uint32_t flag) {
  return [flag](OsdDraft& d) -> Result<> {
    d.set_flags(flag, 0);
    return {};
  };
}

TEST_F(Osds, CoalescesEditsIntoOneEpoch) {
  const Epoch before = osd->epoch();
  const auto many = [](Osds& t) -> Task<void> {
    TaskGroup group(t.host.runtime().executor());
    for (uint32_t flag : {map::kMapNoOut, map::kMapNoIn, map::kMapNoUp})
      group.spawn(t.change(set_flag(flag)));
    co_await group.join();
  };
  run(many(*this));
  EXPECT_EQ(osd->epoch(), before + 1);
  EXPECT_TRUE(osd->map().test_flag(map::kMapNoOut) && osd->map().test_flag(map::kMapNoUp));
}

TEST_F(Osds, LetsFailingEditsLeaveNoTrace) {
  const Epoch before = osd->epoch();
  const auto failing = [](Osds& t) -> Task<void> {
    const OsdService::Edit edit = [](OsdDraft& d) -> Result<> {
      d.set_flags(map::kMapNoOut, 0);
      d.extra.put("junk", "1");
      return fail(EPERM, "changed my mind");
    };
    const Result<Epoch> done = co_await t.osd->change(edit);
    EXPECT_EQ(done.error().code(), EPERM);
    co_await t.change(set_flag(map::kMapNoIn));
    auto junk = co_await t.log->get("junk");
    EXPECT_FALSE(junk->has_value());
  };
  run(failing(*this));
  EXPECT_EQ(osd->epoch(), before + 1);
  EXPECT_FALSE(osd->map().test_flag(map::kMapNoOut));
}

TEST_F(Osds, KeepsPgsAtHomeWhenPlacementChanges) {
  run(fill(4));
  std::map<PgId, std::vector<OsdId>> homes;
  for (const PgId pg : osd->map().all_pgs()) homes[pg] = osd->map().map_pg(pg).acting;
  const OsdService::Edit out = [](OsdDraft& d) -> Result<> {
    d.set_weight(0, map::kOsdOut);
    return {};
  };
  run(change(out));
  EXPECT_FALSE(osd->map().pg_temp.empty());
  size_t moved = 0;
  for (const auto& [pg, home] : homes) {
    EXPECT_EQ(osd->map().map_pg(pg).acting, home) << pg.to_string();
    moved += osd->map().map_pg(pg).up != home;
  }
  EXPECT_GT(moved, 0u);
  // Back in: nothing has to be kept by force.
  const OsdService::Edit in = [](OsdDraft& d) -> Result<> {
    d.set_weight(0, map::kOsdIn);
    return {};
  };
  run(change(in));
  EXPECT_TRUE(osd->map().pg_temp.empty());
}

// ---- members of PGs, and who is down ------------------------------------------------------------

/// Three OSDs with a session each, and a pool over all of them.
struct Members : Osds {
  Members()
      : lines(host.runtime(), config, *log, "mon.a"),
        members(host.runtime(), config, *osd, lines) {
    run(load());
    run(fill(3));
    for (OsdId o : {0, 1, 2}) members.session_opened(o, addr(o));
  }
  ~Members() override { run(lines.stop()); }
  Task<void> load() {
    const Result<> loaded = co_await lines.load();
    EXPECT_TRUE(loaded.has_value());
  }
  EntityAddr addr(OsdId o) const { return osd->map().client_addrs[o].msgr2(); }
  void down(OsdId o) { run(marked_down(o)); }
  Task<void> marked_down(OsdId o) {
    const Result<Epoch> done = co_await members.mark_down(o, addr(o), "is to be down");
    EXPECT_TRUE(done.has_value());
  }
  void up(OsdId o) {
    const OsdService::Edit edit = [o](OsdDraft& d) -> Result<> {
      d.inc.new_up_client[o] = EntityAddrVec(*EntityAddr::parse("v2:127.0.0.1:6800/2"));
      return {};
    };
    run(change(edit));
    members.session_opened(o, addr(o));
  }
  void unreachable(OsdId reporter, OsdId o, bool refused) {
    msg::MOsdUnreachable m;
    m.osd = o;
    m.addr = addr(o);
    m.refused = refused;
    run(members.report_unreachable(reporter, m));
  }
  std::vector<OsdId> home() const { return osd->map().home(pg); }
  msg::MOsdPgJoin join_of(OsdId newcomer) const {
    msg::MOsdPgJoin m;
    m.pg = pg;
    m.since = m.epoch = osd->epoch();
    m.home = home();
    m.newcomer = newcomer;
    return m;
  }
  bool is_home(OsdId o) const {
    const auto all = home();
    return std::count(all.begin(), all.end(), o) == 1;
  }

  const PgId pg{1, 3};
  LogService lines;
  OsdMembership members;
};

TEST_F(Members, LeaveAndJoin) {
  down(1);
  EXPECT_EQ(home().size(), 2u);
  EXPECT_EQ(osd->map().pg_temp.size(), 16u);
  up(1);
  EXPECT_FALSE(is_home(1));
  EXPECT_EQ(osd->map().map_pg(pg).up.size(), 3u);
  run(members.join_pg(join_of(1)));
  EXPECT_TRUE(is_home(1));
  EXPECT_EQ(osd->map().pg_temp.size(), 15u) << "it is where the map wants it";
  const Epoch epoch = osd->epoch();
  run(members.join_pg(join_of(1)));
  EXPECT_EQ(osd->epoch(), epoch) << "it is one already";
}

TEST_F(Members, JoinWhereTooFewAreUp) {
  down(1);
  down(2);
  EXPECT_TRUE(is_home(2)) << "nothing can be written without it";
  up(1);
  EXPECT_FALSE(is_home(1));
  const msg::MOsdPgJoin request = join_of(1);
  up(2);
  run(members.join_pg(request));
  EXPECT_FALSE(is_home(1)) << "the PG is in another interval";
  down(2);
  run(members.join_pg(join_of(1)));
  EXPECT_TRUE(is_home(1));
  EXPECT_FALSE(is_home(2)) << "the two go on without it";
  EXPECT_EQ(home().size(), 2u);
}

TEST_F(Members, ManyJoinInOneEpoch) {
  down(1);
  up(1);
  const Epoch before = osd->epoch();
  std::vector<msg::MOsdPgJoin> all;
  for (uint32_t seed = 0; seed < 16; seed++) {
    all.push_back(join_of(1));
    all.back().pg = {1, seed};
    all.back().home = osd->map().home({1, seed});
  }
  const auto join = [](Members& t, const std::vector<msg::MOsdPgJoin>& requests) -> Task<void> {
    TaskGroup group(t.host.runtime().executor());
    for (size_t i = 1; i < requests.size(); i++) group.spawn(t.members.join_pg(requests[i]));
    co_await group.join();
  };
  run(join(*this, all));
  EXPECT_EQ(osd->epoch(), before + 1);
  EXPECT_EQ(osd->map().pg_temp.size(), 1u);
  run(members.join_pg(all[0]));
  EXPECT_TRUE(osd->map().pg_temp.empty()) << "that others joined does not make a request old";
}

TEST_F(Members, OldRequestsAreIgnored) {
  down(1);
  up(1);
  const msg::MOsdPgJoin early = join_of(1);
  down(1);
  up(1);
  run(members.join_pg(early));
  EXPECT_FALSE(is_home(1)) << "it was away meanwhile";

  const msg::MOsdPgJoin second = join_of(1);
  run(change([](OsdDraft& d) -> Result<> {
    d.set_weight(0, map::kOsdIn / 2);
    return {};
  }));
  run(members.join_pg(second));
  EXPECT_FALSE(is_home(1)) << "the PG may be in another interval, in which it gets no writes yet";

  msg::MOsdPgJoin other = join_of(1);
  other.home.pop_back();
  run(members.join_pg(other));
  EXPECT_FALSE(is_home(1)) << "others have got all, now";
  run(members.join_pg(join_of(1)));
  EXPECT_TRUE(is_home(1));
}

TEST_F(Members, AJoinThatMeetsItsFallIsIgnored) {
  down(1);
  up(1);
  const msg::MOsdPgJoin request = join_of(1);
  const auto both = [](Members& t, const msg::MOsdPgJoin& m) -> Task<void> {
    TaskGroup group(t.host.runtime().executor());
    group.spawn(t.marked_down(1));
    group.spawn(t.members.join_pg(m));
    co_await group.join();
  };
  run(both(*this, request));
  EXPECT_FALSE(is_home(1));
}

TEST_F(Members, WhoRefusesAndHasNoSessionIsDownAtOnce) {
  unreachable(0, 1, true);
  EXPECT_TRUE(osd->map().is_up(1)) << "it talks to the monitor";
  members.session_lost(1, addr(1));
  unreachable(0, 1, false);
  EXPECT_TRUE(osd->map().is_up(1)) << "one reporter of silence";
  unreachable(0, 1, true);
  EXPECT_TRUE(osd->map().is_down(1));
}

TEST_F(Members, OfSilenceTwoMustTell) {
  unreachable(0, 1, false);
  unreachable(0, 1, false);
  unreachable(1, 1, false);
  EXPECT_TRUE(osd->map().is_up(1));
  world.run_for(std::chrono::seconds(config.osd_heartbeat_grace() + 1));
  unreachable(2, 1, false);
  EXPECT_TRUE(osd->map().is_up(1)) << "the first report is old";
  unreachable(0, 1, false);
  EXPECT_TRUE(osd->map().is_down(1));
}

TEST_F(Members, ReportersAreCountedBySubtreesWhereThereAreEnough) {
  const OsdService::Edit spread = [](OsdDraft& d) -> Result<> {
    map::CrushMap crush = *d.now.crush;
    d.inc.new_max_osd = 6;
    for (const OsdId o : {3, 4, 5}) {
      d.set_state(o, map::kOsdExists, 0);
      d.inc.new_up_client[o] = EntityAddrVec(*EntityAddr::parse("v2:127.0.0.1:6800/1"));
      const map::CrushLocation where{{"root", "default"}, {"host", o == 5 ? "h2" : "h"}};
      TRY_VOID(crush.create_or_move(o, "osd." + std::to_string(o), 1, where));
    }
    d.inc.set_crush(crush);
    return {};
  };
  run(change(spread));
  for (const OsdId reporter : {0, 2, 3, 4}) unreachable(reporter, 1, false);
  EXPECT_TRUE(osd->map().is_up(1)) << "all of one host";
  unreachable(5, 1, false);
  EXPECT_TRUE(osd->map().is_down(1));
  // Without the other host each counts for itself.
  down(5);
  unreachable(0, 2, false);
  EXPECT_TRUE(osd->map().is_up(2));
  unreachable(3, 2, false);
  EXPECT_TRUE(osd->map().is_down(2));
}

TEST_F(Members, ReportsOfTheDownAndOfOldIncarnationsDoNotCount) {
  down(0);
  msg::MOsdUnreachable old;
  old.osd = 1;
  old.addr = *EntityAddr::parse("v2:127.0.0.1:6800/77");
  members.session_lost(1, addr(1));
  old.refused = true;
  run(members.report_unreachable(2, old));
  unreachable(0, 1, true);
  EXPECT_TRUE(osd->map().is_up(1));
}

TEST_F(Members, NoDownIsHonoured) {
  run(change(set_flag(map::kMapNoDown)));
  members.session_lost(1, addr(1));
  for (OsdId reporter : {0, 2})
    for (bool refused : {true, false}) unreachable(reporter, 1, refused);
  EXPECT_TRUE(osd->map().is_up(1));
}

TEST_F(Osds, RebuildsOldEpochsAndTrims) {
  CHECK(config.set("mon_min_osdmap_epochs", "100"));
  std::map<Epoch, Bytes> fulls;
  for (int i = 0; i < 300; i++) {
    const uint32_t flag = i % 2 ? map::kMapNoOut : map::kMapNoIn;
    const OsdService::Edit edit = [flag](OsdDraft& d) -> Result<> {
      const bool on = d.now.flags & flag;
      d.set_flags(on ? 0 : flag, on ? flag : 0);
      return {};
    };
    run(change(edit));
    fulls[osd->epoch()] = osd->maps().newest_full();
  }
  const auto check = [](Osds& t, const std::map<Epoch, Bytes>& fulls) -> Task<void> {
    for (const auto& [e, blob] : fulls) {
      const Result<Bytes> found = co_await t.osd->maps().full(e);
      if (e < t.osd->maps().oldest()) {
        EXPECT_EQ(found.error().code(), ENOENT);
      } else {
        EXPECT_TRUE(found && *found == blob) << "epoch " << e;
      }
    }
  };
  run(check(*this, fulls));
  EXPECT_GT(osd->maps().oldest(), 64u);
  EXPECT_LE(osd->maps().oldest(), osd->epoch() - 100);
}

TEST(ChangesPlacement, KnowsWhatMovesPgs) {
  map::OSDMap map;
  map.epoch = 1;
  map.set_max_osd(1);
  map.osd_state[0] = map::kOsdExists | map::kOsdUp;
  map::Incremental inc = map::Incremental::after(map);
  inc.new_state[0] = map::kOsdUp;
  inc.new_flags = 1;
  EXPECT_FALSE(changes_placement(map, inc));
  inc.new_state[0] |= map::kOsdExists;
  EXPECT_TRUE(changes_placement(map, inc));
}

}  // namespace
}  // namespace plimsoll::mon
