// SPDX-License-Identifier: LGPL-2.1-or-later
// What the monitor answers to each message.
#include <fmt/format.h>

#include "mon/commands/mon_info.h"
#include "mon/monitor.h"
#include "mon/pool_edits.h"
#include "mon/space.h"

namespace plimsoll::mon {

using messenger::ConnectionRef;
using msg::RawMessage;

template <class M>
void Monitor::handle(const ConnectionRef& c, const RawMessage& raw,
                     void (Monitor::*handler)(const ConnectionRef&, const RawMessage&, M)) {
  Result<M> m = msg::parse<M>(raw);
  if (m) {
    (this->*handler)(c, raw, std::move(*m));
    return;
  }
  log_.warn("{}: {}", c->peer_socket_addr().to_string(), m.error().text());
  on_reset(c);
  c->close();
}

void Monitor::on_message(const ConnectionRef& c, RawMessage raw) {
  switch (raw.type) {
    case msg::MMonGetMap::kType:
      return handle(c, raw, &Monitor::get_map);
    case msg::MMonSubscribe::kType:
      return handle(c, raw, &Monitor::subscribe);
    case msg::MMonGetVersion::kType:
      return handle(c, raw, &Monitor::get_version);
    case msg::MStatfs::kType:
      return handle(c, raw, &Monitor::statfs);
    case msg::MGetPoolStats::kType:
      return handle(c, raw, &Monitor::pool_stats);
    case msg::MPoolOp::kType:
      return handle(c, raw, &Monitor::pool_op);
    case msg::MMonCommand::kType:
      return handle(c, raw, &Monitor::command);
    case msg::MCommand::kType:
      return handle(c, raw, &Monitor::tell);
    case msg::MOsdBoot::kType:
      return handle(c, raw, &Monitor::osd_boot);
    case msg::MOsdMarkMeDown::kType:
      return handle(c, raw, &Monitor::osd_mark_me_down);
    case msg::MOsdStats::kType:
      return handle(c, raw, &Monitor::osd_stats);
    case msg::MOsdFullness::kType:
      return handle(c, raw, &Monitor::osd_fullness);
    case msg::MOsdPgJoin::kType:
      return handle(c, raw, &Monitor::osd_pg_join);
    case msg::MOsdUnreachable::kType:
      return handle(c, raw, &Monitor::osd_unreachable);
    case msg::MLog::kType:
      return handle(c, raw, &Monitor::cluster_log);
    case msg::MPing::kType:
      return answer_ping(c, raw.tid);
    default:
      log_.debug(5, "{} ignored", msg::message_name(raw.type));
  }
}

void Monitor::on_open(const ConnectionRef& c) {
  Session& s = sessions_->of(c);
  env_.counters.inc(metrics::Counter::mon_session_add);
  if (c->auth().type != EntityType::kOsd) return;
  const Result<OsdId> osd = command::parse_osd_name(c->auth().id);
  if (!osd || *osd < 0) return;
  s.osd = *osd;
  s.osd_addr = c->peer_addr();
  services_->membership.session_opened(s.osd, s.osd_addr);
}

void Monitor::on_reset(const ConnectionRef& c) {
  const std::unique_ptr<Session> s = sessions_->remove(c.get());
  if (!s) return;
  env_.counters.inc(metrics::Counter::mon_session_rm);
  if (s->osd != kNoOsd) services_->membership.session_lost(s->osd, s->osd_addr);
}

// ---- maps
// -----------------------------------------------------------------------------------------

void Monitor::get_map(const ConnectionRef& c, const RawMessage&, msg::MMonGetMap) {
  sessions_->send_monmap(sessions_->of(c));
}

void Monitor::subscribe(const ConnectionRef& c, const RawMessage&, msg::MMonSubscribe m) {
  sessions_->subscribe(sessions_->of(c), m);
}

void Monitor::get_version(const ConnectionRef& c, const RawMessage& raw, msg::MMonGetVersion m) {
  msg::MMonGetVersionReply reply;
  reply.handle = m.handle;
  if (m.what == "osdmap") {
    reply.version = services_->osd.epoch();
    reply.oldest = services_->osd.maps().oldest();
  } else if (m.what == "monmap") {
    reply.version = reply.oldest = services_->monmap.epoch;
  } else if (m.what == "mgrmap") {
    reply.version = reply.oldest = services_->mgrmap.epoch;
  } else if (m.what == "mdsmap" || m.what == "fsmap") {
    reply.version = reply.oldest = services_->fsmap.epoch;
  }
  c->send(msg::to_raw(reply, raw.tid));
}

/// `ceph ping`: unlike other pings it wants an answer, a text of what the monitor is.
void Monitor::answer_ping(const ConnectionRef& c, uint64_t tid) {
  const boost::json::object pong{{"health", services_->health.dump(false)},
                                 {"mon_status", dump_mon_status(*services_, *sessions_)}};
  RawMessage raw = msg::to_raw(msg::MPing(), tid);
  ByteWriter text;
  text.blob(command::print(pong, command::Format::kJsonPretty));
  raw.front = text.take();
  c->send(std::move(raw));
}

// ---- statistics
// -----------------------------------------------------------------------------------

void Monitor::statfs(const ConnectionRef& c, const RawMessage& raw, msg::MStatfs m) {
  msg::MStatfsReply reply;
  reply.fsid = services_->monmap.fsid;
  reply.version = services_->stats.pg_map().version;
  const map::OSDMap& map = services_->osd.map();
  const map::PgMap& pgs = services_->stats.pg_map();
  if (m.has_pool) {
    const PoolSpace space = pool_space(map, pgs, m.pool);
    reply.kb = (space.stored + space.max_avail) >> 10;
    reply.kb_used = space.stored >> 10;
    reply.kb_avail = space.max_avail >> 10;
    reply.num_objects = static_cast<uint64_t>(space.objects);
  } else {
    const map::OsdStat sum = pgs.osd_sum();
    reply.kb = sum.kb();
    reply.kb_used = sum.kb_used();
    reply.kb_avail = sum.kb_avail();
    reply.num_objects = static_cast<uint64_t>(pgs.pg_sum().stats.num_objects);
  }
  c->send(msg::to_raw(reply, raw.tid));
}

void Monitor::pool_stats(const ConnectionRef& c, const RawMessage& raw, msg::MGetPoolStats m) {
  msg::MGetPoolStatsReply reply;
  reply.fsid = services_->monmap.fsid;
  const auto sums = services_->stats.pg_map().pool_stats();
  for (const std::string& name : m.pools) {
    const auto id = services_->osd.map().find_pool(name);
    if (!id) continue;
    const auto sum = sums.find(*id);
    map::PoolStat& out = reply.pool_stats[name];
    if (sum != sums.end()) out = sum->second;
    add_store_stats(services_->stats.pg_map(), *id, out);
    // Where OSDs do not count by pool, clients shall take the PGs' sums.
    reply.per_pool &= out.num_store_stats > 0;
  }
  c->send(msg::to_raw(reply, raw.tid));
}

void Monitor::pool_op(const ConnectionRef& c, const RawMessage& raw, msg::MPoolOp m) {
  tasks_.spawn(run_pool_op(c, raw.tid, std::move(m)));
}

Task<void> Monitor::run_pool_op(ConnectionRef c, uint64_t tid, msg::MPoolOp m) {
  Result<Epoch> done = fail(EOPNOTSUPP, "snapshots are not supported");
  if (m.op == msg::MPoolOp::kCreate) {
    PoolCreate request;
    request.name = m.name;
    const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
      if (d.now.find_pool(m.name)) return fail(EEXIST, "pool exists");
      TRY(id, create_pool(services_->config, services_->runtime.clock().wall(), request, d));
      static_cast<void>(id);
      return {};
    };
    done = co_await services_->osd.change(edit);
  } else if (m.op == msg::MPoolOp::kDelete) {
    const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
      if (!d.now.pool(m.pool)) return {};
      TRY_VOID(may_delete_pool(services_->config, d.now, m.pool));
      d.remove_pool(m.pool);
      return {};
    };
    done = co_await services_->osd.change(edit);
  } else if (m.op != msg::MPoolOp::kCreateSnap && m.op != msg::MPoolOp::kDeleteSnap &&
             m.op != msg::MPoolOp::kCreateSelfManagedSnap &&
             m.op != msg::MPoolOp::kDeleteSelfManagedSnap) {
    done = fail(EINVAL, "unknown pool operation");
  }
  msg::MPoolOpReply reply;
  reply.fsid = services_->monmap.fsid;
  reply.reply_code = done ? 0 : done.error().wire();
  reply.epoch = done ? *done : services_->osd.epoch();
  c->send(msg::to_raw(reply, tid));
}

// ---- commands
// -------------------------------------------------------------------------------------

void Monitor::command(const ConnectionRef& c, const RawMessage& raw, msg::MMonCommand m) {
  Session& s = sessions_->of(c);
  if (s.commands >= Session::kMaxCommands) {
    msg::MMonCommandAck ack;
    ack.retval = -EAGAIN;
    ack.outs = "too many commands at work";
    ack.cmd = m.cmd;
    c->send(msg::to_raw(ack, raw.tid));
    return;
  }
  s.commands++;
  tasks_.spawn(run_command(c, raw.tid, std::move(m), raw.throttle));
}

Task<void> Monitor::run_command(ConnectionRef c, uint64_t tid, msg::MMonCommand m,
                                std::shared_ptr<void> throttle) {
  const std::string text = m.cmd.empty() ? "" : m.cmd.front().substr(0, 200);
  const OpTracker::Handle op = ops_.begin("mon_command(" + text + ")", entity_of(*c));
  command::CommandReply reply(-EPERM, "wrong fsid");
  if (m.fsid == services_->monmap.fsid || m.fsid.is_zero())
    reply = co_await answer_command(c, m.cmd, m.data);
  msg::MMonCommandAck ack;
  ack.paxos.version = services_->consensus.committed();
  ack.retval = reply.rc;
  ack.outs = std::move(reply.outs);
  ack.cmd = std::move(m.cmd);
  ack.data = std::move(reply.out);
  ops_.finish(op);
  if (Session* s = sessions_->find(c)) s->commands--;
  c->send(msg::to_raw(ack, tid));
}

Task<command::CommandReply> Monitor::answer_command(ConnectionRef c, std::vector<std::string> cmd,
                                                    Bytes data) {
  CommandContext context{*services_, *sessions_, commands_, entity_of(*c), c->peer_addr()};
  co_return co_await run_mon_command(context, cmd, data);
}

void Monitor::tell(const ConnectionRef& c, const RawMessage& raw, msg::MCommand m) {
  tasks_.spawn(run_tell(c, raw.tid, std::move(m)));
}

Task<void> Monitor::run_tell(ConnectionRef c, uint64_t tid, msg::MCommand m) {
  command::CommandReply done =
      co_await env_.admin.run_tell(entity_of(*c), std::move(m.cmd), std::move(m.data));
  msg::MCommandReply reply;
  reply.retval = done.rc;
  reply.outs = std::move(done.outs);
  reply.data = std::move(done.out);
  c->send(msg::to_raw(reply, tid));
}

// ---- OSDs
// -----------------------------------------------------------------------------------------

void Monitor::osd_boot(const ConnectionRef& c, const RawMessage&, msg::MOsdBoot m) {
  Session& s = sessions_->of(c);
  s.osd = m.osd;
  s.osd_addr = m.addr;
  services_->membership.session_opened(s.osd, s.osd_addr);
  tasks_.spawn(run_boot(c, std::move(m)));
}

Task<void> Monitor::run_boot(ConnectionRef c, msg::MOsdBoot m) {
  const OsdId osd = m.osd;
  Result<Epoch> up = fail(EINVAL, fmt::format("osd.{} belongs to another cluster", osd));
  if (m.fsid == services_->monmap.fsid) up = co_await services_->membership.boot(std::move(m));
  if (!up) {
    services_->log.warn(fmt::format("boot of osd.{} refused: {}", osd, up.error().text()));
    co_return;
  }
  // It may be subscribed from an epoch that is already there; what it waits for is to see itself
  // up.
  if (Session* s = sessions_->find(c)) sessions_->send_osdmap(*s, *up);
}

void Monitor::osd_mark_me_down(const ConnectionRef& c, const RawMessage&, msg::MOsdMarkMeDown m) {
  tasks_.spawn(run_mark_down(c, std::move(m)));
}

Task<void> Monitor::run_mark_down(ConnectionRef c, msg::MOsdMarkMeDown m) {
  if (m.fsid != services_->monmap.fsid) co_return;
  const Result<Epoch> down =
      co_await services_->membership.mark_down(m.osd, m.addr, "marked itself down");
  if (!down) co_return;
  msg::MOsdMarkMeDownAck ack;
  ack.osd = m.osd;
  ack.epoch = *down;
  c->send(msg::to_raw(ack));
}

void Monitor::osd_stats(const ConnectionRef& c, const RawMessage&, msg::MOsdStats m) {
  if (m.fsid != services_->monmap.fsid) return;
  const Result<> taken = services_->stats.report(services_->osd.map(), std::move(m));
  if (!taken) log_.debug(1, "{}: {}", c->peer_addr().to_string(), taken.error().text());
  tasks_.spawn(services_->quotas.check());
}

void Monitor::osd_fullness(const ConnectionRef&, const RawMessage&, msg::MOsdFullness m) {
  if (m.fsid != services_->monmap.fsid) return;
  tasks_.spawn(services_->membership.report_fullness(std::move(m)));
}

void Monitor::osd_pg_join(const ConnectionRef&, const RawMessage&, msg::MOsdPgJoin m) {
  if (m.fsid != services_->monmap.fsid) return;
  tasks_.spawn(services_->membership.join_pg(std::move(m)));
}

void Monitor::osd_unreachable(const ConnectionRef& c, const RawMessage&, msg::MOsdUnreachable m) {
  if (m.fsid != services_->monmap.fsid) return;
  tasks_.spawn(services_->membership.report_unreachable(sessions_->of(c).osd, std::move(m)));
}

void Monitor::cluster_log(const ConnectionRef&, const RawMessage&, msg::MLog m) {
  if (m.fsid != services_->monmap.fsid) return;
  const auto most = static_cast<size_t>(services_->config.mon_max_log_entries_per_event());
  if (m.entries.size() > most) m.entries.resize(most);
  for (msg::LogEntry& e : m.entries) services_->log.add(std::move(e));
}

}  // namespace plimsoll::mon
