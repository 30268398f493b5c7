// SPDX-License-Identifier: LGPL-2.1-or-later
// The primary's side carries out the machine's decisions; a member's side answers its primary.
// Every answer waits until what earlier intervals ordered here is durable, so it never promises too
// much.
#include <algorithm>

#include "osd/pg/pg.h"

namespace plimsoll::osd {

using msg::parse;
using msg::to_raw;

// ---- the primary's side -------------------------------------------------------------------------

void Pg::act(PeeringActions actions) {
  for (auto& a : actions) {
    log_out_.debug(10, "peering: {}", a.to_string());
    switch (a.kind) {
      case PeeringAction::kQuery:
        send(a.osd, to_raw(msg::MOsdPgQuery{header()}));
        break;
      case PeeringAction::kGetLog:
        send(a.osd, to_raw(msg::MOsdPgGetLog{header(), a.version, log_.known_from()}));
        break;
      case PeeringAction::kMergePeer: {
        const Eversion known_from = peering_.infos().at(a.osd).known_from;
        send(a.osd, log_message(header(), log_.part_for(a.version, known_from)));
        break;
      }
      case PeeringAction::kPull:
        host_.counters().inc(metrics::Counter::osd_pull);
        send(a.osd, to_raw(msg::MOsdPgPull{header(), a.object, a.version, {}}));
        break;
      case PeeringAction::kPush:
        host_.counters().inc(metrics::Counter::osd_push);
        tasks_.spawn(send_piece(nullptr, a.osd, {header(), a.object, a.version, {}}, generation_));
        break;
      case PeeringAction::kActivate:
        if (a.osd == host_.whoami())
          tasks_.spawn(activate_self(generation_));
        else
          send(a.osd, to_raw(msg::MOsdPgActivate{header()}));
        break;
      case PeeringAction::kServe:
        serve();
        break;
      case PeeringAction::kRest:
        committed_ = log_.head();
        start_joining();
        break;
    }
  }
  report();
}

void Pg::serve() {
  committed_ = log_.head();
  log_out_.debug(5, "active at {}", committed_.to_string());
  credits_.prefetch(peering_.interval().acting);
  auto held = std::move(held_);
  held_.clear();
  held_bytes_ = 0;
  for (auto& op : held) {
    op->held.reset();
    admit(std::move(op));
  }
  release_backoffs();
  start_joining();
}

Task<void> Pg::activate_self(uint64_t generation) {
  info_.last_epoch_started = peering_.interval().since;
  if (peering_.interval().acting.size() >= peering_.interval().size)
    info_.last_epoch_clean = peering_.interval().since;
  Transaction txn;
  save_info(txn);
  if (co_await commit(std::move(txn), generation)) act(peering_.on_activated(host_.whoami()));
}

void Pg::on_info(OsdId from, const msg::MOsdPgInfo& m) {
  if (m.pg.interval != peering_.interval().since) return;
  if (from == joining_.newcomer()) return on_newcomer_info(m);
  if (m.answers == msg::MOsdPgInfo::kActivate) return act(peering_.on_activated(from));
  auto info = wire::from_bytes<PgInfo>(m.info, "pg info");
  auto missing = wire::from_bytes<Missing>(m.missing, "missing objects");
  if (!info || !missing) return log_out_.error("osd.{} sent a malformed pg info", from);
  info_.last_marked_full = std::max(info_.last_marked_full, info->last_marked_full);
  if (!m.error.empty()) log_out_.warn("osd.{} cannot merge the log: {}", from, m.error);
  act(peering_.on_info(from, *info, *missing, m.answers == msg::MOsdPgInfo::kMerge));
}

msg::RawMessage Pg::log_message(msg::PgHeader pg, const PgLog::Part& part) {
  return to_raw(msg::MOsdPgLog{pg, part.since, wire::to_bytes(part.older),
                               wire::to_bytes(part.entries)});
}

/// Makes our log the one that was sent; the result is what must be stored for it.
Result<Transaction> Pg::merge_into_log(const msg::MOsdPgLog& m) {
  PgLog::Part part;
  part.since = m.since;
  TRY(entries, wire::from_bytes<std::vector<LogEntry>>(m.data, "log"));
  part.entries = std::move(entries);
  TRY(older, wire::from_bytes<DupBatch>(m.older, "older requests"));
  part.older = std::move(older);
  TRY(merged, log_.merge(std::move(part), missing_));
  if (info_.copying) {
    // Of objects that the scan has not come to, it will tell.
    const auto unknown = [&](const auto& item) { return info_.copied < item.first; };
    std::erase_if(missing_, unknown);
    std::erase_if(merged.now_missing, unknown);
  }
  log_out_.debug(5, "merged log: {} entries dropped, {} added, {} objects missing",
                 merged.dropped.size(), merged.added.size(), missing_.size());
  Transaction txn;
  std::map<std::string, Bytes> gone, there;
  for (const Eversion v : merged.dropped) gone[pg_keys::log_entry(v)];
  for (const auto& object : merged.no_longer_missing) gone[pg_keys::missing(object)];
  txn.meta_remove(id_, std::move(gone));
  for (const LogEntry* entry : merged.added)
    there[pg_keys::log_entry(entry->version)] = wire::to_bytes(*entry);
  for (const auto& [object, need] : merged.now_missing)
    there[pg_keys::missing(object)] = pg_keys::missing_item(object, need);
  if (merged.older) there[pg_keys::dups(merged.older->to)] = wire::to_bytes(*merged.older);
  txn.meta_set(id_, std::move(there));
  for (const auto& object : merged.remove) txn.remove(id_, object);
  save_info(txn);
  return txn;
}

/// As primary: the log of the best copy. As member: the log that the primary wants us to have.
Task<void> Pg::merge_log(messenger::ConnectionRef from, msg::MOsdPgLog m, uint64_t generation) {
  co_await drained();
  if (generation != generation_) co_return;
  if (is_primary() && peering_.state() != PeeringState::kGetLog) co_return;
  auto txn = merge_into_log(m);
  if (!txn) {
    log_out_.warn("{}", txn.error().text());
    if (is_primary()) act(peering_.on_log_failed(txn.error().text()));
    co_return;
  }
  if (!co_await commit(std::move(*txn), generation)) co_return;
  if (is_primary())
    act(peering_.on_log_merged(info_now(), missing_));
  else
    co_await send_info(from, m.pg, msg::MOsdPgInfo::kMerge, generation);
}

// ---- a member's side ----------------------------------------------------------------------------

Task<void> Pg::send_info(messenger::ConnectionRef to, msg::PgHeader asked, uint8_t answers,
                         uint64_t generation) {
  co_await drained();
  if (generation != generation_) co_return;
  msg::MOsdPgInfo m;
  m.pg = answer_to(asked);
  m.answers = answers;
  m.info = wire::to_bytes(info_now());
  m.missing = wire::to_bytes(missing_);
  to->send(to_raw(m));
}

void Pg::on_get_log(const messenger::ConnectionRef& from, const msg::MOsdPgGetLog& m) {
  from->send(log_message(answer_to(m.pg), log_.part_for(m.have, m.known_from)));
}

Task<void> Pg::activate_replica(messenger::ConnectionRef from, msg::PgHeader asked,
                                uint64_t generation) {
  co_await drained();
  if (generation != generation_) co_return;
  if (replica_of_ != asked.interval) {
    info_.last_epoch_started = asked.interval;
    if (peering_.interval().acting.size() >= peering_.interval().size)
      info_.last_epoch_clean = asked.interval;
    Transaction txn;
    save_info(txn);
    if (!co_await commit(std::move(txn), generation)) co_return;
    replica_of_ = asked.interval;
    committed_ = log_.head();
  }
  co_await send_info(from, asked, msg::MOsdPgInfo::kActivate, generation);
}

void Pg::on_peer_message(const messenger::ConnectionRef& from, const msg::RawMessage& raw) {
  const OsdId osd = static_cast<OsdId>(from->peer().num);
  if (raw.type == msg::MOsdRepOp::kType) return on_rep_op(from, raw);
  // Whoever sent this before he knew of our interval will learn of it.
  ByteReader r(raw.front);
  msg::PgHeader head;
  wire::decode(head, r);
  const Interval& interval = peering_.interval();
  if (r.ok() && map_ && raw.type == msg::MOsdPgStray::kType) return answer_stray(osd, head);
  const bool newcomers = is_primary() && osd == joining_.newcomer();
  const bool wanted = std::count(interval.up.begin(), interval.up.end(), osd);
  if (!r.ok() || !map_ || head.epoch < interval.since) return;
  if (!(is_member() || is_newcomer()) || !(interval.has(osd) || wanted)) return;
  const bool from_primary = osd == interval.primary;
  const bool answer = is_primary() && head.interval == interval.since;
  const auto malformed = [&] {
    log_out_.error("osd.{} sent a malformed {}", osd, msg::message_name(raw.type));
  };

  switch (raw.type) {
#define ON(Type, condition, ...)    \
  case msg::Type::kType: {          \
    if (!(condition)) return;       \
    auto m = parse<msg::Type>(raw); \
    if (!m) return malformed();     \
    __VA_ARGS__;                    \
    return;                         \
  }
    ON(MOsdRepOpReply, answer, on_rep_reply(osd, *m))
    ON(MOsdPgInfo, answer, on_info(osd, *m))
    ON(MOsdPgQuery, from_primary,
       tasks_.spawn(send_info(from, m->pg, msg::MOsdPgInfo::kQuery, generation_)))
    ON(MOsdPgGetLog, from_primary, on_get_log(from, *m))
    ON(MOsdPgReset, from_primary && is_newcomer(),
       tasks_.spawn(reset_copy(from, m->pg, generation_)))
    ON(MOsdPgObjects, from_primary && is_newcomer(), expect_objects(from, *m))
    ON(MOsdPgLog, from_primary || answer,
       if (is_newcomer()) return follow(from, std::move(*m));
       tasks_.spawn(merge_log(from, std::move(*m), generation_)))
    ON(MOsdPgActivate, from_primary, tasks_.spawn(activate_replica(from, m->pg, generation_)))
    ON(MOsdPgPull, from_primary || answer,
       if (newcomers) return push_to_newcomer(std::move(*m), false);
       tasks_.spawn(send_piece(from, osd, std::move(*m), generation_)))
    ON(MOsdPgPush, from_primary || answer,
       if (healing_.contains(m->object))
         return tasks_.spawn(take_healing_piece(osd, std::move(*m), generation_));
       tasks_.spawn(apply_piece(from, osd, std::move(*m), generation_)))
    ON(MOsdPgPushed, answer,
       if (newcomers) {
         act(joining_.on_pushed(m->object, m->version));
         return end_hold(m->object);
       }
       act(peering_.on_recovered(osd, m->object)))
#undef ON
    default:
      return malformed();
  }
}

}  // namespace plimsoll::osd
