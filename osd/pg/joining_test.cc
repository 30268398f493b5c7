// SPDX-License-Identifier: LGPL-2.1-or-later
// Joining against a model: a primary that writes and deletes at random moments and a newcomer that
// follows the rules of pg_join.cc, with messages in FIFO order and of any delay. Whoever is let in
// must have all that was acknowledged, at that moment and from then on.
#include "osd/pg/joining.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <variant>

#include "common/base/rng.h"

namespace plimsoll::osd {
namespace {

HObject object(int n) {
  HObject o;
  o.oid = "o" + std::to_string(n);
  o.pool = 1;
  o.hash = static_cast<uint32_t>(n) * 0x9e3779b9;
  o.snap = kSnapHead;
  return o;
}

LogEntry entry(Eversion v, const HObject& o, Eversion prior, bool gone = false) {
  LogEntry e;
  e.kind = gone ? LogEntry::kDelete : LogEntry::kModify;
  e.version = v;
  e.prior_version = prior;
  e.object = o;
  e.reqid = {{EntityType::kClient, 7}, v.version << 8 | v.epoch, 0};
  return e;
}

/// Versions of objects.
using Store = std::map<HObject, Eversion>;

void take(Store& store, const LogEntry& e) {
  if (e.kind == LogEntry::kDelete) store.erase(e.object);
  else store[e.object] = e.version;
}

// ---- single steps -------------------------------------------------------------------------------

bool never_busy(const HObject&) { return false; }
size_t always() { return 8; }

std::string text(const JoinActions& actions) {
  std::string out;
  for (const auto& a : actions) out += (out.empty() ? "" : ", ") + a.to_string();
  return out;
}

PgInfo info_of(Eversion head, bool copying = false) {
  PgInfo info;
  info.last_update = head;
  info.copying = copying;
  return info;
}

struct Steps : ::testing::Test {
  Steps() {
    for (uint64_t v = 1; v <= 9; v++)
      log.append(entry({v, 1}, object(static_cast<int>(v)), {}));
    log.trim({5, 1});
  }
  PgLog log;
  Joining joining{never_busy, always};
};

TEST_F(Steps, ByLogWhereItReaches) {
  EXPECT_EQ(text(joining.start(3)), "query");
  EXPECT_EQ(text(joining.retry()), "query");
  EXPECT_FALSE(joining.follows());
  const Eversion tail{5, 1};
  EXPECT_EQ(text(joining.on_info(info_of(tail), {}, log)), "merge after " + tail.to_string());
  EXPECT_TRUE(joining.follows());
  EXPECT_FALSE(joining.scans());
  const Eversion v{9, 1};
  EXPECT_EQ(text(joining.on_info(info_of(v), {{object(9), v}}, log)),
            "push o9 " + v.to_string());
  EXPECT_EQ(text(joining.on_pushed(object(9), v)), "let in");
  EXPECT_EQ(text(joining.retry()), "let in") << "the request may be lost";
}

TEST_F(Steps, AnInterruptedScanGoesOn) {
  PgInfo info = info_of({7, 1}, true);
  info.copied = object(8);
  joining.start(3);
  const Eversion have{7, 1}, v{9, 1};
  EXPECT_EQ(text(joining.on_info(info, {}, log)), "merge after " + have.to_string());
  EXPECT_TRUE(joining.scans());
  info.last_update = v;
  EXPECT_EQ(text(joining.on_info(info, {{object(9), v}}, log)), "push o9 " + v.to_string());
  EXPECT_EQ(text(joining.on_pushed(object(9), v)), "list after o8");
}

TEST_F(Steps, FromNothingWhereTheLogDoesNotReach) {
  for (const PgInfo& info : {info_of({4, 1}), info_of({4, 1}, true)}) {
    joining.start(3);
    EXPECT_EQ(text(joining.on_info(info, {}, log)), "reset");
    EXPECT_TRUE(joining.scans());
    EXPECT_FALSE(joining.follows());
  }
}

TEST_F(Steps, AnEmptyScanIsConfirmedToo) {
  joining.start(3);
  joining.on_info(info_of({}), {}, log);
  joining.on_info(info_of({}, true), {}, log);
  EXPECT_EQ(text(joining.on_info(info_of({9, 1}, true), {}, log)), "list after ");
  EXPECT_EQ(text(joining.on_listed({}, {}, true)), "page of 0 up to ");
  EXPECT_EQ(joining.state(), JoinState::kCopy) << "it does not know yet that there is no more";
  EXPECT_EQ(text(joining.on_last_page_noted()), "let in");
}

TEST_F(Steps, GetsAllWritesWhileItMayNotBeSentWhatItLacks) {
  bool may = false;
  Joining waits(never_busy, [&] { return may ? 8u : 0u; });
  waits.start(3);
  waits.on_info(info_of({8, 1}), {}, log);
  const Eversion v{9, 1};
  EXPECT_EQ(text(waits.on_info(info_of(v), {{object(9), v}}, log)), "");
  EXPECT_TRUE(waits.follows());
  EXPECT_TRUE(waits.lacks());
  waits.wrote(entry({10, 1}, object(9), v, true));
  EXPECT_EQ(text(waits.pump()), "let in") << "it lacks nothing any more";
}

TEST_F(Steps, TheScanWaitsToo) {
  bool may = false;
  Joining waits(never_busy, [&] { return may ? 8u : 0u; });
  waits.start(3);
  waits.on_info(info_of({}), {}, log);
  waits.on_info(info_of({}, true), {}, log);
  EXPECT_EQ(text(waits.on_info(info_of({9, 1}, true), {}, log)), "");
  may = true;
  EXPECT_EQ(text(waits.pump()), "list after ");
}

TEST_F(Steps, NoMoreOnTheirWayThanMayBe) {
  size_t window = 2;
  Joining waits(never_busy, [&] { return window; });
  waits.start(3);
  waits.on_info(info_of({5, 1}), {}, log);
  Missing missing;
  for (uint64_t v = 6; v <= 9; v++) missing[object(static_cast<int>(v))] = {v, 1};
  EXPECT_EQ(waits.on_info(info_of({9, 1}), missing, log).size(), 2u);
  EXPECT_EQ(waits.pump().size(), 0u);
  window = 3;
  EXPECT_EQ(waits.pump().size(), 1u);
}

TEST(JoinPriority, WhoCannotServeThenWhoLacksCopiesThenRelief) {
  map::OSDMap map;
  map.set_max_osd(4);
  for (auto& state : map.osd_state) state = map::kOsdExists | map::kOsdUp;
  Interval i;
  i.size = 3;
  i.min_size = 2;
  i.up = {0, 1, 3};
  i.acting = {0, 1, 2};
  const int move = join_priority(i, map);
  map.osd_state[0] |= map::kOsdFull;
  EXPECT_EQ(join_priority(i, map), move) << "osd.0 stays";
  map.osd_state[2] |= map::kOsdBackfillFull;
  const int relief = join_priority(i, map);
  i.acting = {0, 1};
  const int degraded = join_priority(i, map);
  i.acting = {0};
  const int inactive = join_priority(i, map);
  EXPECT_LT(move, relief);
  EXPECT_LT(relief, degraded);
  EXPECT_LT(degraded, inactive);
  i.acting = {0, 1};
  i.down = {2};
  EXPECT_EQ(join_priority(i, map), inactive);
}

TEST_F(Steps, ADeletionUnderWayKeepsItOut) {
  bool busy = false;
  Joining waits([&](const HObject&) { return busy; }, always);
  waits.start(3);
  waits.on_info(info_of({8, 1}), {}, log);
  const Eversion v{9, 1};
  waits.on_info(info_of(v), {{object(9), v}}, log);
  busy = true;
  waits.wrote(entry({10, 1}, object(9), v, true));
  EXPECT_EQ(text(waits.pump()), "") << "others may not have it, and the object is missing here";
  busy = false;
  EXPECT_EQ(text(waits.pump()), "let in");
}

TEST_F(Steps, WhatCannotBeReadWaitsForARetryOrAWrite) {
  joining.start(3);
  joining.on_info(info_of({8, 1}), {}, log);
  const Eversion v{9, 1}, w{10, 1};
  joining.on_info(info_of(v), {{object(9), v}}, log);
  EXPECT_EQ(text(joining.on_not_pushed(object(9), false)), "");
  EXPECT_EQ(text(joining.retry()), "push o9 " + v.to_string());
  joining.on_not_pushed(object(9), false);
  joining.wrote(entry(w, object(9), v));
  EXPECT_EQ(text(joining.pump()), "push o9 " + w.to_string());
  EXPECT_EQ(text(joining.on_pushed(object(9), v)), "") << "that was the older one";
  const Eversion x{11, 1};
  joining.wrote(entry(x, object(9), w));
  EXPECT_EQ(text(joining.pump()), "push o9 " + x.to_string() + " held") << "a write overtook it";
  EXPECT_EQ(text(joining.on_pushed(object(9), x)), "let in");
}

// ---- the model ----------------------------------------------------------------------------------

struct Query {};
struct Reset {};
struct LogPart {
  PgLog::Part part;
};
struct Write {
  Eversion previous;
  LogEntry entry;
};
struct Page {
  Missing objects;
  HObject up_to;
  bool last;
};
/// One of two pieces of an object; the second is asked for.
struct Push {
  HObject object;
  Eversion version;
  bool second;
};
using ToNewcomer = std::variant<Query, Reset, LogPart, Write, Page, Push>;

enum class Answers { kQuery, kReset, kMerge, kLastPage };
struct Info {
  Answers answers;
  PgInfo info;
  Missing missing;
};
struct Done {
  Eversion version;
};
struct Pull {
  HObject object;
  Eversion version;
};
struct Pushed {
  HObject object;
  Eversion version;
};
using ToPrimary = std::variant<Info, Done, Pull, Pushed>;

/// The rules of the newcomer's side.
class Newcomer {
 public:
  explicit Newcomer(std::deque<ToPrimary>& out) : out_(out) {}

  Store store;
  PgLog log;
  Missing missing;
  bool copying = false;
  HObject copied;
  size_t went_on = 0;  ///< with a copy that was begun

  /// A restart, or another interval.
  void forget_volatile() {
    follows_ = false;
    receiving_.clear();
  }
  void operator()(const Query&) { out_.push_back(Info{Answers::kQuery, info(), missing}); }
  void operator()(const Reset&) {
    store.clear();
    log.clear();
    missing.clear();
    forget_volatile();
    copying = true;
    copied = {};
    out_.push_back(Info{Answers::kReset, info(), missing});
  }
  void operator()(const LogPart& m) {
    if (copying && !log.size()) log.set_tail(m.part.since);
    auto merged = log.merge(m.part, missing);
    ASSERT_TRUE(merged) << merged.error().text();
    if (copying) std::erase_if(missing, [&](const auto& item) { return copied < item.first; });
    went_on += copying && !copied.is_min();
    for (const auto& o : merged->remove) store.erase(o);
    follows_ = true;
    out_.push_back(Info{Answers::kMerge, info(), missing});
  }
  void operator()(const Write& m) {
    if (!follows_) return;
    ASSERT_EQ(m.previous, log.head());
    const HObject& o = m.entry.object;
    if (!missing.contains(o) && !(copying && copied < o)) {
      take(store, m.entry);
    } else if (missing.contains(o)) {
      receiving_.erase(o);
      if (m.entry.kind == LogEntry::kDelete) {
        missing.erase(o);
        store.erase(o);
      } else {
        missing[o] = m.entry.version;
      }
    }
    log.append(m.entry);
    out_.push_back(Done{m.entry.version});
  }
  void operator()(const Page& m) {
    ASSERT_TRUE(copying);
    for (const auto& [o, v] : m.objects) missing[o] = v;
    copied = m.last ? HObject() : m.up_to;
    if (!m.last) return;
    copying = false;
    out_.push_back(Info{Answers::kLastPage, info(), {}});
  }
  void operator()(const Push& m) {
    const auto need = missing.find(m.object);
    if (need == missing.end()) {
      if (!(copying && copied < m.object)) out_.push_back(Pushed{m.object, m.version});
      return;
    }
    if (need->second != m.version) return;
    if (!m.second) {
      receiving_.insert(m.object);
      store.erase(m.object);
      out_.push_back(Pull{m.object, m.version});
    } else if (receiving_.erase(m.object)) {
      store[m.object] = m.version;
      missing.erase(need);
      out_.push_back(Pushed{m.object, m.version});
    }
  }

 private:
  PgInfo info() const {
    PgInfo i = info_of(log.head(), copying);
    i.log_tail = log.tail();
    i.known_from = log.known_from();
    i.copied = copied;
    return i;
  }
  std::deque<ToPrimary>& out_;
  bool follows_ = false;
  std::set<HObject> receiving_;
};

constexpr int kObjects = 40;

class Model {
 public:
  explicit Model(uint64_t seed) : rng_(seed), newcomer_(answers_) { make_history(); }

  /// From start to some time after it was let in.
  void run() {
    act(joining_.start(7));
    const int disturbances = static_cast<int>(rng_.below(4));
    for (int i = 0, broken = 0; !let_in(); i++) {
      ASSERT_LT(i, 200'000) << "it never ends, in " << join_state_name(joining_.state());
      if (broken < disturbances && rng_.chance(0.005)) broken++, disturb();
      step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    check_member();
    for (uint64_t n = rng_.below(100); n; n--) {
      step();
      check_member();
    }
    while (busy_now()) step(false);
    while (!to_newcomer_.empty()) deliver();
    EXPECT_EQ(newcomer_.store, store_);
    EXPECT_EQ(newcomer_.log.head(), log_.head());
  }
  bool by_scan() const { return joining_.scans(); }
  bool diverged() const { return diverged_; }
  bool went_on() const { return newcomer_.went_on; }
  size_t steps() const { return steps_; }

 private:
  struct Flying {
    LogEntry entry;
    bool local = false, remote = false;
  };
  struct Reading {
    HObject object;
    Eversion version;
    bool second;
    bool begun = false;
    uint64_t attempt;
  };

  /// A time together, then one without the newcomer, in which it may have been the only one to see
  /// some writes that never happened.
  void make_history() {
    std::vector<LogEntry> old;
    auto change = [&](Epoch epoch) {
      LogEntry e = next_change(object(static_cast<int>(rng_.below(kObjects))), epoch);
      take(store_, e);
      log_.append(e);
      return e;
    };
    for (uint64_t n = rng_.below(60); n; n--) change(1);
    newcomer_.store = store_;
    for (const auto& e : log_.entries()) newcomer_.log.append(e);
    if (rng_.chance(0.3)) {
      PgLog ahead;
      for (uint64_t n = rng_.below(6), v = log_.head().version; n; n--) {
        const HObject o = object(static_cast<int>(rng_.below(kObjects)));
        const auto at = newcomer_.store.find(o);
        const bool there = at != newcomer_.store.end();
        const Eversion prior = there ? at->second : Eversion();
        const LogEntry e = entry({++v, 2}, o, prior, there && rng_.chance(0.3));
        newcomer_.log.append(e);
        take(newcomer_.store, e);
        diverged_ = true;
      }
    }
    for (uint64_t n = rng_.below(60); n; n--) change(3);
    if (rng_.chance(0.5) && log_.size() > 1)
      log_.trim(log_.entries()[rng_.below(log_.size())].version);
    committed_ = log_.head();
    if (rng_.chance(0.2)) {
      newcomer_.store.clear();
      newcomer_.log.clear();
    }
    for (const auto& e : log_.entries()) answered_.push_back(e.reqid);
    for (const Dup& dup : log_.dups().empty() ? std::vector<Dup>() : log_.dups().front().dups)
      answered_.push_back(dup.reqid);
    visible_ = store_;
    acknowledged_ = store_;
  }

  LogEntry next_change(const HObject& o, Epoch epoch) {
    const auto at = store_.find(o);
    const bool there = at != store_.end();
    return entry({log_.head().version + 1, epoch}, o, there ? at->second : Eversion(),
                 there && rng_.chance(0.3));
  }

  bool busy(const HObject& o) const { return writers_.contains(o); }
  bool let_in() const { return joining_.state() == JoinState::kLetIn; }
  bool busy_now() const { return !flying_.empty(); }

  void step(bool write = true) {
    steps_++;
    switch (rng_.below(8)) {
      case 0:
        if (write) begin_write();
        break;
      case 1:
        if (!flying_.empty()) commit_one();
        break;
      case 2:
      case 3:
        if (!to_newcomer_.empty()) deliver();
        break;
      case 4:
      case 5:
        if (!answers_.empty()) take_answer();
        break;
      case 6:
        if (!readings_.empty()) go_on_reading(rng_.below(readings_.size()));
        break;
      case 7:
        if (listing_) go_on_listing();
        else if (rng_.chance(0.1)) act(joining_.retry());
        break;
    }
  }

  // ---- writes
  void begin_write() {
    const HObject o = object(static_cast<int>(rng_.below(kObjects)));
    if (busy(o) || readers_.contains(o) || held_.contains(o)) return;
    writers_.insert(o);
    const LogEntry e = next_change(o, 3);
    if (joining_.follows()) to_newcomer_.push_back(Write{log_.head(), e});
    flying_.push_back({e, false, !joining_.follows()});
    joining_.wrote(e);
    log_.append(e);
    take(store_, e);
    if (log_.size() > 30 && rng_.chance(0.2)) log_.trim(log_.trim_point(20, committed_));
  }
  /// Our own store has the next one: it can be seen there.
  void commit_one() {
    for (auto& f : flying_) {
      if (f.local) continue;
      f.local = true;
      take(visible_, f.entry);
      break;
    }
    complete();
  }
  void complete() {
    while (!flying_.empty() && flying_.front().local && flying_.front().remote) {
      const LogEntry e = flying_.front().entry;
      flying_.pop_front();
      committed_ = e.version;
      take(acknowledged_, e);
      answered_.push_back(e.reqid);
      writers_.erase(e.object);
      if (joining_.state() == JoinState::kCopy) act(joining_.pump());
    }
  }

  // ---- what Joining wants
  void act(const JoinActions& actions) {
    for (const auto& a : actions) {
      switch (a.kind) {
        case JoinAction::kQuery:
          to_newcomer_.push_back(Query{});
          break;
        case JoinAction::kReset:
          to_newcomer_.push_back(Reset{});
          break;
        case JoinAction::kMerge:
          to_newcomer_.push_back(LogPart{log_.part_for(a.version, a.known_from)});
          break;
        case JoinAction::kList:
          for (const auto& e : log_.entries())
            if (committed_ < e.version) joining_.wrote(e);
          listing_ = Listing{};
          listing_->behind = a.object;
          break;
        case JoinAction::kPage:
          to_newcomer_.push_back(Page{a.page, a.object, a.last});
          break;
        case JoinAction::kPush:
          readings_.push_back({a.object, a.version, false, false, attempt_});
          if (a.hold) held_.insert(a.object);
          break;
        case JoinAction::kLetIn:
          break;
      }
    }
  }

  /// First the names, then each object's version, all at different times.
  struct Listing {
    HObject behind;
    std::optional<std::deque<HObject>> names;
    Missing found;
    HObject up_to;
    bool last = false;
  };
  void go_on_listing() {
    Listing& l = *listing_;
    if (!l.names) {
      l.names.emplace();
      const size_t most = 1 + rng_.below(12);
      auto it = visible_.upper_bound(l.behind);
      for (; it != visible_.end() && l.names->size() < most; ++it) l.names->push_back(it->first);
      l.last = it == visible_.end();
      l.up_to = l.names->empty() ? l.behind : l.names->back();
    } else if (!l.names->empty()) {
      const auto at = visible_.find(l.names->front());
      if (at != visible_.end()) l.found.insert(*at);
      l.names->pop_front();
    } else {
      const Listing done = *std::exchange(listing_, std::nullopt);
      act(joining_.on_listed(done.found, done.up_to, done.last));
    }
  }

  void go_on_reading(size_t which) {
    Reading& r = readings_[which];
    if (!r.begun) {
      if (!busy(r.object)) {
        r.begun = true;
        readers_.insert(r.object);
        return;
      }
      const HObject o = r.object;
      held_.erase(o);
      readings_.erase(readings_.begin() + static_cast<ptrdiff_t>(which));
      return act(joining_.on_not_pushed(o, true));
    }
    const Reading done = r;
    readings_.erase(readings_.begin() + static_cast<ptrdiff_t>(which));
    readers_.erase(readers_.find(done.object));
    if (done.attempt != attempt_) return;
    const auto at = visible_.find(done.object);
    const bool there = at != visible_.end() && at->second == done.version;
    if (!there || rng_.chance(0.05)) {
      held_.erase(done.object);
      return act(joining_.on_not_pushed(done.object, false));
    }
    to_newcomer_.push_back(Push{done.object, done.version, done.second});
  }

  // ---- messages
  void deliver() {
    const ToNewcomer m = std::move(to_newcomer_.front());
    to_newcomer_.pop_front();
    std::visit(newcomer_, m);
  }
  void take_answer() {
    const ToPrimary m = std::move(answers_.front());
    answers_.pop_front();
    if (const auto* pull = std::get_if<Pull>(&m))
      readings_.push_back({pull->object, pull->version, true, false, attempt_});
    else if (const auto* pushed = std::get_if<Pushed>(&m)) {
      held_.erase(pushed->object);
      act(joining_.on_pushed(pushed->object, pushed->version));
    }
    else if (const auto* info = std::get_if<Info>(&m))
      take_info(*info);
    else
      acknowledge(std::get<Done>(m).version);
  }
  void take_info(const Info& m) {
    const JoinState s = joining_.state();
    if (m.answers == Answers::kLastPage) {
      if (s == JoinState::kCopy) act(joining_.on_last_page_noted());
    } else if ((s == JoinState::kAsk && m.answers == Answers::kQuery) ||
               (s == JoinState::kReset && m.answers == Answers::kReset) ||
               (s == JoinState::kMerge && m.answers == Answers::kMerge)) {
      act(joining_.on_info(m.info, m.missing, log_));
    }
  }
  void acknowledge(Eversion v) {
    for (auto& f : flying_)
      if (f.entry.version <= v) f.remote = true;
    complete();
  }

  /// The connection breaks, or the newcomer starts again; then all begins from the start.
  void disturb() {
    if (let_in()) return;
    to_newcomer_.clear();
    answers_.clear();
    listing_.reset();
    if (rng_.chance(0.5)) newcomer_.forget_volatile();
    attempt_++;
    held_.clear();
    joining_.stop();
    for (auto& f : flying_) f.remote = true;
    complete();
    act(joining_.start(7));
  }

  /// It alone could serve all that was acknowledged.
  void check_member() {
    ASSERT_FALSE(newcomer_.copying);
    for (const auto& [o, v] : acknowledged_) {
      const auto at = newcomer_.store.find(o);
      const bool newer = at == newcomer_.store.end() ? busy(o) : at->second >= v;
      ASSERT_TRUE(newer) << o.oid << " at " << v.to_string();
    }
    for (const auto& [o, v] : newcomer_.store)
      ASSERT_TRUE(acknowledged_.contains(o) || busy(o)) << o.oid << " should not be";
    ASSERT_TRUE(newcomer_.missing.empty());
    for (const ReqId& request : answered_)
      ASSERT_TRUE(newcomer_.log.find(request)) << request.to_string() << " would be done again";
  }

  Rng rng_;
  Store store_;         ///< with all that was begun
  Store visible_;       ///< what our own store shows
  Store acknowledged_;  ///< what clients were told
  std::vector<ReqId> answered_;
  PgLog log_;
  Eversion committed_;
  std::deque<Flying> flying_;
  std::set<HObject> writers_;
  std::multiset<HObject> readers_;
  std::set<HObject> held_;
  std::deque<Reading> readings_;
  std::optional<Listing> listing_;
  uint64_t attempt_ = 0;
  std::deque<ToNewcomer> to_newcomer_;
  std::deque<ToPrimary> answers_;
  Newcomer newcomer_;
  bool diverged_ = false;
  size_t steps_ = 0;
  Joining joining_{[this](const HObject& o) { return busy(o); },
                   [this] { return rng_.below(9); }};
};

TEST(JoiningModel, WhoeverIsLetInHasEverything) {
  std::vector<uint64_t> seeds;
  for (uint64_t seed = 1; seed <= 400; seed++) seeds.push_back(seed);
  std::random_device device;
  for (int i = 0; i < 20; i++) seeds.push_back(device());
  size_t scans = 0, by_log = 0, diverged = 0, went_on = 0, steps = 0;
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    model.run();
    (model.by_scan() ? scans : by_log)++;
    diverged += model.diverged() && !model.by_scan();
    went_on += model.went_on();
    steps += model.steps();
    if (HasFailure()) return;
  }
  std::printf("%zu by log (%zu of them diverged), %zu by scan (%zu interrupted), %zu steps, fresh "
              "seeds from %llu\n",
              by_log, diverged, scans, went_on, steps,
              static_cast<unsigned long long>(seeds[400]));
  EXPECT_GT(scans, 50u);
  EXPECT_GT(by_log, 50u);
  EXPECT_GT(diverged, 10u);
  EXPECT_GT(went_on, 10u);
  EXPECT_GT(steps, 50'000u);
}

}  // namespace
}  // namespace plimsoll::osd
