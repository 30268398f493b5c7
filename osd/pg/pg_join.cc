// SPDX-License-Identifier: LGPL-2.1-or-later
// An OSD becomes a member while the PG serves. The primary carries out what Joining decides; the
// newcomer merges the log, then takes writes like a replica, except that of an object that it lacks
// it only notes that there is a newer version.
#include <algorithm>

#include "osd/pg/pg.h"

namespace plimsoll::osd {

using msg::to_raw;

bool Pg::is_newcomer() const {
  const Interval& i = peering_.interval();
  return !is_member() && std::find(i.up.begin(), i.up.end(), host_.whoami()) != i.up.end();
}

bool Pg::is_stray() const {
  const Interval& i = peering_.interval();
  const OsdId self = host_.whoami();
  return map_ && !is_member() && !is_newcomer() &&
         std::find(i.home.begin(), i.home.end(), self) == i.home.end();
}

// ---- the primary's side -------------------------------------------------------------------------

std::vector<OsdId> Pg::writers() const {
  std::vector<OsdId> out = peering_.interval().acting;
  if (joining_.follows()) out.push_back(joining_.newcomer());
  return out;
}

bool Pg::may_join(OsdId osd) const {
  return map_->is_up(osd) && !map_->test_flag(map::kMapNoRecover);
}

/// One that has room, if there is any. Those that were tried before come last: one that cannot
/// begin must not keep others out.
OsdId Pg::next_newcomer() const {
  std::vector<OsdId> all;
  for (const OsdId osd : peering_.interval().up)
    if (!peering_.interval().has(osd) && may_join(osd)) all.push_back(osd);
  if (all.empty()) return kNoOsd;
  const auto last = std::find(all.begin(), all.end(), last_newcomer_);
  if (last != all.end()) std::rotate(all.begin(), last + 1, all.end());
  const auto roomy = [this](OsdId osd) { return !too_full(osd, true); };
  const auto found = std::find_if(all.begin(), all.end(), roomy);
  return found == all.end() ? all.front() : *found;
}

/// Our newcomer cannot be copied to, and there is one that may be.
bool Pg::others_first() const {
  const OsdId next = next_newcomer();
  return next != joining_.newcomer() && next != kNoOsd && !too_full(next, true);
}

/// Nothing may be copied whole.
bool Pg::scan_paused() const {
  const bool degraded = peering_.interval().acting.size() < peering_.interval().size;
  return map_->test_flag(map::kMapNoBackfill) ||
         (map_->test_flag(map::kMapNoRebalance) && !degraded);
}

/// Too full for what it lacks. Where it lacks nothing it may join nevertheless.
bool Pg::too_full(OsdId osd, bool scans) const {
  return map_->has_state(osd, map::kOsdFull) ||
         (scans && map_->has_state(osd, map::kOsdBackfillFull));
}

void Pg::start_joining() {
  if (!is_primary() || !peering_.whole()) return;
  if (joining_.state() != JoinState::kNone) {
    if (!may_join(joining_.newcomer()) && !asked_to_let_in()) stop_joining();
    else if (joining_.state() == JoinState::kCopy) act(joining_.retry());
    return;
  }
  join_waits_ = false;
  const OsdId next = next_newcomer();
  if (next == kNoOsd) return;
  join_ticks_ = 0;
  join_attempt_++;
  last_newcomer_ = next;
  act(joining_.start(next));
}

/// Copies go to one newcomer of a few PGs at a time. To be too full is no reason to stay away
/// altogether: only who gets the writes gets the deletions, too.
size_t Pg::copy_window(bool scans) {
  if ((scans && scan_paused()) || too_full(joining_.newcomer(), scans)) join_slot_.reset();
  else if (!join_slot_) join_slot_ = host_.join_slot();
  constexpr size_t kUsual = 8;
  const size_t most = host_.config().osd_recovery_max_active();
  return !join_slot_ ? 0 : most ? most : kUsual;
}

/// Writes do not wait for it any more.
void Pg::stop_joining() {
  const OsdId newcomer = joining_.newcomer();
  joining_.stop();
  join_slot_.reset();
  end_holds_older_than(Duration(0));
  for (auto& write : in_flight_) std::erase(write.waiting_for, newcomer);
  complete_writes();
  report();
}

/// It may be a member already, for all we know: until a map tells, no write is acknowledged without
/// it. Should it be gone, the map will say that it is down.
bool Pg::asked_to_let_in() const {
  return joining_.state() == JoinState::kLetIn;
}

void Pg::forget_newcomer(OsdId osd) {
  if (is_primary() && osd == joining_.newcomer() && !asked_to_let_in()) stop_joining();
}

void Pg::joining_tick() {
  constexpr int kPatience = 10;
  constexpr Duration kHold = 1s;
  switch (joining_.state()) {
    case JoinState::kNone:
      return start_joining();
    case JoinState::kReset:
    case JoinState::kMerge:
      if (++join_ticks_ >= kPatience) stop_joining();
      return;
    case JoinState::kAsk:
      // It may not have come to our map when it was asked, or be removing an older copy.
      if (++join_ticks_ >= kPatience) return stop_joining();
      return act(joining_.retry());
    case JoinState::kCopy:
      if (joining_.lacks() && too_full(joining_.newcomer(), joining_.scans()) && others_first()) {
        stop_joining();
        return start_joining();
      }
      [[fallthrough]];
    default:
      end_holds_older_than(kHold);
      return act(joining_.retry());
  }
}

void Pg::act(JoinActions actions) {
  const OsdId to = joining_.newcomer();
  for (auto& a : actions) {
    log_out_.debug(10, "osd.{} joins: {}", to, a.to_string());
    switch (a.kind) {
      case JoinAction::kQuery:
        send(to, to_raw(msg::MOsdPgQuery{header()}));
        break;
      case JoinAction::kReset:
        send(to, to_raw(msg::MOsdPgReset{header()}));
        break;
      case JoinAction::kMerge: {
        send(to, log_message(header(), log_.part_for(a.version, a.known_from)));
        credits_.prefetch({to});
        break;
      }
      case JoinAction::kList:
        // A listing may see objects as they were before writes under way.
        for (const LogEntry& entry : log_.entries())
          if (committed_ < entry.version) joining_.wrote(entry);
        tasks_.spawn(list_for_newcomer(a.object, generation_));
        break;
      case JoinAction::kPage:
        send(to, to_raw(msg::MOsdPgObjects{header(), a.object, a.last, wire::to_bytes(a.page)}));
        break;
      case JoinAction::kPush:
        host_.counters().inc(metrics::Counter::osd_push);
        push_to_newcomer({header(), a.object, a.version, {}}, a.hold);
        break;
      case JoinAction::kLetIn:
        host_.ask_to_join(header(), peering_.interval().home, to);
        break;
    }
  }
  report();
}

void Pg::on_newcomer_info(const msg::MOsdPgInfo& m) {
  const JoinState state = joining_.state();
  const bool expected =
      (state == JoinState::kAsk && m.answers == msg::MOsdPgInfo::kQuery) ||
      (state == JoinState::kReset && m.answers == msg::MOsdPgInfo::kReset) ||
      (state == JoinState::kCopy && m.answers == msg::MOsdPgInfo::kLastPage) ||
      (state == JoinState::kMerge && m.answers == msg::MOsdPgInfo::kMerge);
  if (!expected) return;
  auto info = wire::from_bytes<PgInfo>(m.info, "pg info");
  auto missing = wire::from_bytes<Missing>(m.missing, "missing objects");
  if (!info || !missing) return log_out_.error("a newcomer sent a malformed pg info");
  join_ticks_ = 0;
  if (state == JoinState::kCopy) return act(joining_.on_last_page_noted());
  // What it has goes when it is its turn; or at once, where that makes room.
  const bool outdated = state == JoinState::kAsk && info->last_update < log_.tail();
  join_waits_ = outdated && !too_full(joining_.newcomer(), true) && !copy_window(true);
  if (join_waits_) return stop_joining();
  act(joining_.on_info(*info, *missing, log_));
}

Task<void> Pg::list_for_newcomer(HObject behind, uint64_t generation) {
  const OsdId newcomer = joining_.newcomer();
  const uint64_t attempt = join_attempt_;
  HObject up_to = behind;
  bool last = false;
  auto listed = co_await list_versions(behind, up_to, last);

  if (generation != generation_ || joining_.newcomer() != newcomer || attempt != join_attempt_)
    co_return;
  if (!listed) {
    log_out_.warn("cannot list objects for osd.{}: {}", newcomer, listed.error().to_string());
    co_return stop_joining();
  }
  act(joining_.on_listed(*listed, up_to, last));
}

Task<Result<Missing>> Pg::list_versions(HObject behind, HObject& up_to, bool& last) {
  const HObject end = HObject::max();
  const size_t most = Joining::kPage + 1;
  CO_TRY(objects, co_await host_.store().list(id_, behind, end, most));
  last = objects.size() < most;
  Missing out;
  for (const HObject& object : objects) {
    if (!(behind < object)) continue;
    up_to = object;
    auto raw = co_await host_.store().get_attr(id_, object, kInfoAttr);
    if (!raw && raw.error().code() == ENOENT) continue;  // deleted meanwhile
    if (!raw) co_return raw.error();
    CO_TRY(info, wire::from_bytes<ObjectInfo>(*raw, "object info"));
    out[object] = info.version;
  }
  co_return out;
}

/// Like a read of a client, it keeps writes to the object away meanwhile; `hold`: until the
/// newcomer has the object. Not for long, though: it may have to wait for room.
void Pg::push_to_newcomer(msg::MOsdPgPull asked, bool hold) {
  const ObjectRef object = context(asked.object);
  if (object->writer) return not_pushed(asked.object, true);
  object->readers++;
  if (hold && held_objects_.emplace(asked.object, Held{object, {}}).second) object->readers++;
  if (const auto held = held_objects_.find(asked.object); held != held_objects_.end())
    held->second.since = host_.runtime().clock().now();
  tasks_.spawn(read_for_newcomer(std::move(asked), object, generation_));
}

void Pg::end_hold(const HObject& object) {
  if (const auto held = held_objects_.extract(object)) release(held.mapped().object, false);
}

void Pg::end_holds_older_than(Duration patience) {
  const TimePoint now = host_.runtime().clock().now();
  std::vector<HObject> old;
  for (const auto& [object, held] : held_objects_)
    if (now - held.since >= patience) old.push_back(object);
  for (const HObject& object : old) end_hold(object);
}

void Pg::not_pushed(const HObject& object, bool busy) {
  end_hold(object);
  act(joining_.on_not_pushed(object, busy));
}

Task<void> Pg::read_for_newcomer(msg::MOsdPgPull asked, ObjectRef object, uint64_t generation) {
  const OsdId newcomer = joining_.newcomer();
  auto push = co_await read_piece(asked);

  if (generation != generation_) co_return;
  const bool heals = !push && may_heal(push.error().code(), asked.object);
  if (heals) object->damaged = asked.version;
  release(object, false);
  if (joining_.newcomer() != newcomer) co_return;
  if (!push) {
    log_out_.debug(1, "cannot send {} at {}: {}", asked.object.to_string(),
                   asked.version.to_string(), push.error().to_string());
    co_return not_pushed(asked.object, heals);
  }
  push->pg = answer_to(header());
  count_recovered(*push);
  host_.counters().inc(metrics::Counter::osd_push_out_bytes, push->data.size());
  send(newcomer, to_raw(*push));
}

void Pg::answer_stray(OsdId stray, const msg::PgHeader& asked) {
  const Interval& i = peering_.interval();
  if (!is_primary() || !peering_.active() || !all_in()) return;
  if (i.has(stray) || asked.epoch < i.since) return;
  send(stray, to_raw(msg::MOsdPgRemove{header()}));
}

// ---- the newcomer's side ------------------------------------------------------------------------

void Pg::follow(const messenger::ConnectionRef& from, msg::MOsdPgLog m) {
  // The writes that come behind it wait.
  merging_ = true;
  early_writes_.clear();
  replica_of_.reset();
  tasks_.spawn(merge_as_newcomer(from, std::move(m), generation_));
}

Task<void> Pg::merge_as_newcomer(messenger::ConnectionRef from, msg::MOsdPgLog m,
                                 uint64_t generation) {
  co_await drained();
  if (generation != generation_) co_return;
  if (info_.copying && !log_.size()) log_.set_tail(m.since);
  auto txn = merge_into_log(m);
  if (!txn) {
    // The primary loses patience and begins again.
    log_out_.warn("{}", txn.error().text());
    merging_ = false;
    early_writes_.clear();
    co_return;
  }
  if (!co_await commit(std::move(*txn), generation)) co_return;
  replica_of_ = m.pg.interval;
  committed_ = log_.head();
  merging_ = false;
  for (auto& [sender, raw] : std::exchange(early_writes_, {})) on_rep_op(sender, raw);
  co_await send_info(from, m.pg, msg::MOsdPgInfo::kMerge, generation);
}

/// In two steps, so that what is new never mixes with what was there.
Task<void> Pg::reset_copy(messenger::ConnectionRef from, msg::PgHeader asked,
                          uint64_t generation) {
  co_await drained();
  if (generation != generation_) co_return;
  log_out_.info("this copy is too old to be brought up to date; it begins again with nothing");
  Transaction gone;
  gone.remove_collection(id_);
  if (!co_await commit(std::move(gone), generation)) co_return;
  log_.clear();
  log_.set_tail({});
  missing_.clear();
  receiving_.clear();
  PgInfo fresh;
  fresh.created = info_.created;
  fresh.last_marked_full = info_.last_marked_full;
  fresh.copying = true;
  info_ = fresh;
  Transaction txn;
  txn.create_collection(id_);
  save_info(txn);
  if (!co_await commit(std::move(txn), generation)) co_return;
  co_await send_info(from, asked, msg::MOsdPgInfo::kReset, generation);
}

void Pg::expect_objects(const messenger::ConnectionRef& from, const msg::MOsdPgObjects& m) {
  auto objects = wire::from_bytes<Missing>(m.objects, "objects");
  if (!objects || !info_.copying) return log_out_.error("the primary sent malformed objects");
  std::map<std::string, Bytes> there;
  for (const auto& [object, version] : *objects) {
    missing_[object] = version;
    there[pg_keys::missing(object)] = pg_keys::missing_item(object, version);
  }
  Transaction txn;
  if (!there.empty()) txn.meta_set(id_, std::move(there));
  info_.copied = m.last ? HObject() : m.up_to;
  info_.copying = !m.last;
  save_info(txn);
  tasks_.spawn(note_page(from, std::move(txn), m.pg, m.last, generation_));
}

/// The last one is confirmed: who is let in before he has it would go on as one that lacks objects.
Task<void> Pg::note_page(messenger::ConnectionRef from, Transaction txn, msg::PgHeader asked,
                         bool last, uint64_t generation) {
  if (!co_await commit(std::move(txn), generation) || !last) co_return;
  msg::MOsdPgInfo m;
  m.pg = answer_to(asked);
  m.answers = msg::MOsdPgInfo::kLastPage;
  m.info = wire::to_bytes(info_now());
  m.missing = wire::to_bytes(Missing());
  from->send(to_raw(m));
}

/// The object comes whole, later.
bool Pg::only_noted(const HObject& object) const {
  return missing_.contains(object) || (info_.copying && info_.copied < object);
}

Transaction Pg::note(const LogEntry& entry) {
  Transaction txn;
  if (!missing_.contains(entry.object)) return txn;
  receiving_.erase(entry.object);
  std::map<std::string, Bytes> pair;
  if (entry.kind == LogEntry::kDelete) {
    missing_.erase(entry.object);
    pair[pg_keys::missing(entry.object)];
    txn.meta_remove(id_, std::move(pair));
    txn.remove(id_, entry.object);
  } else {
    missing_[entry.object] = entry.version;
    pair[pg_keys::missing(entry.object)] = pg_keys::missing_item(entry.object, entry.version);
    txn.meta_set(id_, std::move(pair));
  }
  return txn;
}

}  // namespace plimsoll::osd
