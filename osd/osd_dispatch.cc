// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages come in on the main executor and go to the shard that owns their PG, undecoded. Clients
// are brought up to date first: a request that shows an older map is followed by the newer ones at
// once.
#include "osd/osd.h"

namespace plimsoll::osd {

namespace {

/// What routing a MOsdOp needs: where it goes and what map its sender has.
struct OpHead {
  SpgId pgid;
  uint32_t hash = 0;
  Epoch epoch = 0;
  template <class F>
  void fields(F& f) {
    f("pgid", pgid);
    f("hash", hash);
    f("epoch", epoch);
  }
};

/// What routing a message between OSDs needs: the PG, and of a write the credit that it spends.
struct WriteHead {
  msg::PgHeader pg;
  uint32_t shard = 0;
  uint64_t charge = 0;
};

bool between_osds(uint16_t type) {
  return (type >= msg::MOsdRepOp::kType && type <= msg::MOsdPgPushed::kType) ||
         (type >= msg::MOsdPgReset::kType && type <= msg::MOsdPgRemove::kType);
}

}  // namespace

void Osd::on_open(const messenger::ConnectionRef& connection) {
  if (mon_) mon_->on_open(connection);
  if (peers_) peers_->opened(connection);
}

void Osd::on_reset(const messenger::ConnectionRef& connection) {
  if (mon_ && mon_->on_reset(connection)) {
    if (goodbye_) goodbye_->set(fail(ENOTCONN, "the monitor is gone"));
    return;
  }
  if (peers_ && peers_->reset(connection)) return;
  clients_.erase(connection);
  connection->session.reset();
}

void Osd::on_message(const messenger::ConnectionRef& from, msg::RawMessage raw) {
  if (raw.type == msg::MOsdOp::kType) return on_client_op(from, std::move(raw));
  if (raw.type == msg::MOsdBackoff::kType) return on_backoff_ack(from, std::move(raw));
  if (between_osds(raw.type)) {
    if (from->peer().type != EntityType::kOsd) return from->close();
    ByteReader r(raw.front);
    WriteHead head;
    wire::decode(head.pg, r);
    if (raw.type == msg::MOsdRepOp::kType) {
      wire::decode(head.shard, r);
      wire::decode(head.charge, r);
    }
    if (!r.ok()) return from->close();
    raw.throttle.reset();
    if (head.charge)
      raw.throttle =
          loan_end({static_cast<OsdId>(from->peer().num), head.shard}, head.charge);
    PgShard& s = shard(head.pg.pgid);
    if (!proxy_) return s.on_peer_message(from, std::move(raw));
    return post(s.executor(), [&s, from, raw = std::move(raw)]() mutable {
      s.on_peer_message(from, std::move(raw));
    });
  }
  if (from->peer().type == EntityType::kOsd && on_credit_message(from, raw)) return;
  if (mon_ && mon_->on_message(from, raw)) return;
  if (raw.type == msg::MCommand::kType) {
    auto m = msg::parse<msg::MCommand>(raw);
    if (!m) return from->close();
    return tasks_.spawn(answer_tell(from, std::move(*m), raw.tid));
  }
  log_.debug(10, "{} from {} ignored", msg::message_name(raw.type), from->peer().to_string());
}

void Osd::on_client_op(const messenger::ConnectionRef& from, msg::RawMessage raw) {
  ByteReader r(raw.front);
  OpHead head;
  wire::decode(head, r);
  if (!r.ok()) return from->close();
  if (!from->session) {
    from->session = std::make_shared<Session>();
    clients_.insert(from);
  }
  Session& session = *static_cast<Session*>(from->session.get());
  session.map_sent = std::max(session.map_sent, head.epoch);
  push_map(from, session);
  if (const MapRef& map = maps_.current();
      map && !map->blocklist.empty() && map->is_blocklisted(from->peer_addr())) {
    auto m = msg::parse<msg::MOsdOp>(raw);
    if (!m) return from->close();
    msg::MOsdOpReply refused;
    refused.oid = m->oid;
    refused.pgid = m->pgid.pg;
    refused.flags = m->flags;
    refused.result = -kEBlocklisted;
    refused.epoch = map->epoch;
    refused.retry_attempt = m->retry_attempt;
    refused.ops = std::move(m->ops);
    return from->send(msg::to_raw(refused, raw.tid));
  }
  to_shard(head.pgid.pg, from, std::move(raw));
}

void Osd::on_backoff_ack(const messenger::ConnectionRef& from, msg::RawMessage raw) {
  auto m = msg::parse<msg::MOsdBackoff>(raw);
  if (!m) return from->close();
  to_shard(m->pgid.pg, from, std::move(raw));
}

/// A client's messages to one PG stay in order.
void Osd::to_shard(PgId pg, const messenger::ConnectionRef& from, msg::RawMessage raw) {
  PgShard& s = shard(pg);
  if (!proxy_) return s.on_client_message(from, std::move(raw));
  post(s.executor(),
       [&s, from, raw = std::move(raw)]() mutable { s.on_client_message(from, std::move(raw)); });
}

// ---- maps to clients ----------------------------------------------------------------------------

void Osd::push_map(const messenger::ConnectionRef& to, Session& session) {
  if (session.map_sent >= maps_.epoch()) return;
  to->send(msg::to_raw(
      maps_.since(session.map_sent, static_cast<size_t>(env_.config.osd_map_message_max()))));
  session.map_sent = maps_.epoch();
}

void Osd::push_maps() {
  for (const auto& client : clients_)
    push_map(client, *static_cast<Session*>(client->session.get()));
}

// ---- tell ---------------------------------------------------------------------------------------

Task<void> Osd::answer_tell(messenger::ConnectionRef from, msg::MCommand m, uint64_t tid) {
  auto reply =
      co_await env_.admin.run_tell(from->peer().to_string(), std::move(m.cmd), std::move(m.data));
  msg::MCommandReply r;
  r.retval = reply.rc;
  r.outs = std::move(reply.outs);
  r.data = std::move(reply.out);
  from->send(msg::to_raw(r, tid));
}

}  // namespace plimsoll::osd
