// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rados/objecter.h"

#include <algorithm>

#include "common/messenger/handshake_frames.h"

namespace plimsoll::rados {

namespace {

constexpr Duration kReconnectMin = 20ms;
constexpr Duration kReconnectMax = 2s;

HObject object_of(const Aim& aim, const Target& target) {
  HObject h;
  h.pool = target.pg.pool;
  h.hash = target.hash;
  h.oid = aim.oid;
  h.key = aim.locator.key == aim.oid ? "" : aim.locator.key;
  h.nspace = aim.locator.nspace;
  h.snap = kSnapHead;
  return h;
}

uint64_t payload_bytes(const OpRequest& request) {
  uint64_t n = 0;
  for (const auto& op : request.ops) n += op.indata.size();
  return n;
}

Duration seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

/// An operation's share of a budget; given back whichever way it ends.
struct Share {
  explicit Share(Semaphore& s) : budget(s) {}
  ~Share() { budget.release(units); }
  Semaphore& budget;
  uint64_t units = 0;
};

}  // namespace

Objecter::Objecter(Runtime& runtime, const config::Config& config, messenger::Messenger& messenger,
                   MonClient& monitors)
    : runtime_(runtime),
      config_(config),
      messenger_(messenger),
      monitors_(monitors),
      log_(log::Subsystem::kObjecter, messenger.self().to_string()),
      tasks_(runtime.executor()),
      op_budget_(config.objecter_inflight_ops()),
      byte_budget_(config.objecter_inflight_op_bytes()) {}

void Objecter::start() {
  monitors_.subscribe("osdmap", 0);
  tasks_.spawn(tick());
}

Task<void> Objecter::stop() {
  stopping_ = true;
  co_await tasks_.stop();
  while (!ops_.empty()) finish(ops_.begin()->first, fail(ESHUTDOWN, "the objecter stops"));
  for (auto& [osd, session] : sessions_)
    if (session.connection) session.connection->close();
  sessions_.clear();
  map_arrived_.notify_all();
}

// ---- operations ---------------------------------------------------------------------------------

Task<Result<OpReply>> Objecter::execute(OpRequest request) {
  const uint64_t bytes = payload_bytes(request);
  Share slot(op_budget_), room(byte_budget_);
  co_await op_budget_.acquire(1);
  slot.units = 1;
  co_await byte_budget_.acquire(bytes);
  room.units = bytes;

  if (request.mtime.is_zero()) request.mtime = runtime_.clock().wall();
  if (request.timeout == Duration(0)) request.timeout = seconds(config_.rados_osd_op_timeout());
  const bool bounded = request.timeout > Duration(0);
  const TimePoint deadline = runtime_.clock().now() + request.timeout;
  for (;;) {
    if (stopping_) co_return fail(ESHUTDOWN, "the objecter stops");
    const uint64_t tid = next_tid_++;
    Op& op = ops_[tid];
    op.tid = tid;
    op.request = request;
    op.reply = std::make_shared<OneShot<Result<OpReply>>>();
    const Reply reply = op.reply;
    // A waiter that is cancelled takes its operation with it.
    struct Forget {
      Objecter* objecter;
      uint64_t tid;
      ~Forget() { objecter->finish(tid, fail(ECANCELED, "cancelled")); }
    } forget{this, tid};
    submit(op);

    Timer timer;
    if (bounded) {
      auto expire = [this, tid] { finish(tid, fail(ETIMEDOUT, "operation timed out")); };
      timer = runtime_.clock().call_after(runtime_.executor(), deadline - runtime_.clock().now(),
                                          expire);
    }
    auto result = co_await reply->wait();
    // EAGAIN asks for the same operation under a new tid.
    if (result && result->result == -EAGAIN) continue;
    co_return result;
  }
}

void Objecter::submit(Op& op) {
  if (!maps_.current()) return;  // judged when the first map comes
  op.target = find_target(*maps_.current(), op.request.aim);
  judge_op(op, false);
}

void Objecter::judge_op(Op& op, bool saw_full) {
  const Target now = find_target(*maps_.current(), op.request.aim);
  switch (judge(*maps_.current(), op.request.aim, op.target, now, op.sent, saw_full, barrier_)) {
    case Verdict::kKeep: return;
    case Verdict::kPause:
      unsend(op);
      op.target = now;
      return;
    case Verdict::kPoolGone:
      unsend(op);
      op.target = now;
      if (!std::exchange(op.checking_pool, true)) tasks_.spawn(check_pool_gone(op.tid));
      return;
    case Verdict::kSend:
      unsend(op);
      op.target = now;
      send(op);
      return;
  }
}

/// The pool may be younger than our map: only the monitors know.
Task<void> Objecter::check_pool_gone(uint64_t tid) {
  auto latest = co_await wait_for_latest_map();
  auto it = ops_.find(tid);
  if (it == ops_.end()) co_return;
  it->second.checking_pool = false;
  if (latest && it->second.target.pool_exists) co_return;
  const PoolId pool = it->second.request.aim.locator.pool;
  finish(tid, latest ? Error(ENOENT, "pool " + std::to_string(pool) + " does not exist")
                     : latest.error());
}

void Objecter::send(Op& op) {
  Session& session = session_of(op.target.primary);
  op.session = session.osd;
  session.ops.insert(op.tid);
  if (!session.connection || backed_off(session, op)) return;
  msg::RawMessage raw = msg::to_raw(encode(op), op.tid);
  op.sent = true;
  op.sent_at = runtime_.clock().now();
  stats_.sent++;
  if (op.attempts++ > 0) stats_.resent++;
  session.connection->send(std::move(raw));
}

void Objecter::unsend(Op& op) {
  op.sent = false;
  if (auto it = sessions_.find(op.session); it != sessions_.end()) it->second.ops.erase(op.tid);
  op.session = kNoOsd;
}

msg::MOsdOp Objecter::encode(const Op& op) const {
  const Aim& aim = op.request.aim;
  msg::MOsdOp m;
  m.pgid.pg = op.target.pg;
  m.hash = op.target.hash;
  m.epoch = maps_.epoch();
  m.flags = aim.flags | msg::kReqOnDisk | msg::kReqKnownRedir | (op.attempts ? msg::kReqRetry : 0);
  m.mtime = op.request.mtime;
  m.locator = aim.locator;
  m.oid = aim.oid;
  m.ops = op.request.ops;
  m.snapid = op.request.snapid;
  m.retry_attempt = op.attempts;
  m.features = messenger::kFeatures;
  return m;
}

void Objecter::finish(uint64_t tid, Result<OpReply> result) {
  auto it = ops_.find(tid);
  if (it == ops_.end()) return;
  unsend(it->second);
  Reply reply = std::move(it->second.reply);
  ops_.erase(it);
  stats_.completed++;
  reply->set(std::move(result));
}

void Objecter::handle_reply(const messenger::ConnectionRef& connection,
                            const msg::RawMessage& message) {
  auto it = ops_.find(message.tid);
  if (it == ops_.end()) return;
  Op& op = it->second;
  const auto session = sessions_.find(op.session);
  // From an OSD that the operation is no longer with: another answer will come.
  if (session == sessions_.end() || session->second.connection != connection || !op.sent) return;
  auto parsed = msg::parse<msg::MOsdOpReply>(message);
  if (!parsed) {
    log_.error("osd.{}: {}; reconnecting", op.session, parsed.error().to_string());
    connection->close();
    on_reset(connection);
    return;
  }
  if (parsed->retry_attempt >= 0 && parsed->retry_attempt != op.attempts - 1) return;
  OpReply reply;
  reply.result = parsed->result;
  reply.ops = std::move(parsed->ops);
  reply.version = parsed->replay_version;
  reply.user_version = parsed->user_version;
  reply.epoch = parsed->epoch;
  finish(message.tid, std::move(reply));
}

// ---- sessions -----------------------------------------------------------------------------------

Objecter::Session& Objecter::session_of(OsdId osd) {
  Session& session = sessions_[osd];
  if (session.osd != osd) {
    session.osd = osd;
    connect(session);
  }
  return session;
}

void Objecter::connect(Session& session) {
  session.backoffs.clear();
  session.addr = maps_.current()->client_addrs[session.osd].msgr2();
  session.connection = messenger_.connect(EntityType::kOsd, session.addr);
}

bool Objecter::on_reset(const messenger::ConnectionRef& connection) {
  auto it = std::find_if(sessions_.begin(), sessions_.end(),
                         [&](const auto& s) { return s.second.connection == connection; });
  if (!connection || it == sessions_.end()) return false;
  Session& session = it->second;
  session.connection.reset();
  for (uint64_t tid : session.ops) ops_.at(tid).sent = false;
  session.reconnect_delay = std::clamp(session.reconnect_delay * 2, kReconnectMin, kReconnectMax);
  auto retry = [this, osd = session.osd] { retry_session(osd); };
  session.reconnect =
      runtime_.clock().call_after(runtime_.executor(), session.reconnect_delay, retry);
  return true;
}

void Objecter::retry_session(OsdId osd) {
  auto it = sessions_.find(osd);
  if (it == sessions_.end() || it->second.connection) return;
  if (it->second.ops.empty() || !maps_.current()->is_up(osd)) {
    // Operations of a down OSD wait for the map that moves them.
    for (uint64_t tid : it->second.ops) ops_.at(tid).session = kNoOsd;
    sessions_.erase(it);
    return;
  }
  connect(it->second);
  const std::set<uint64_t> again = it->second.ops;
  for (uint64_t tid : again) judge_op(ops_.at(tid), false);
}

/// After a map: sessions of OSDs that are down or live elsewhere are over.
void Objecter::drop_moved_sessions() {
  const map::OSDMap& map = *maps_.current();
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    Session& session = it->second;
    if (map.is_up(session.osd) && map.client_addrs[session.osd].msgr2() == session.addr) {
      ++it;
      continue;
    }
    if (session.connection) session.connection->close();
    for (uint64_t tid : session.ops) {
      ops_.at(tid).sent = false;
      ops_.at(tid).session = kNoOsd;
    }
    it = sessions_.erase(it);
  }
}

bool Objecter::backed_off(const Session& session, const Op& op) const {
  SpgId spg;
  spg.pg = op.target.pg;
  const auto of_pg = session.backoffs.find(spg);
  if (of_pg == session.backoffs.end()) return false;
  const HObject object = object_of(op.request.aim, op.target);
  return std::any_of(of_pg->second.begin(), of_pg->second.end(), [&](const auto& b) {
    return b.second.begin <= object && object < b.second.end;
  });
}

void Objecter::handle_backoff(const messenger::ConnectionRef& connection,
                              const msg::RawMessage& message) {
  auto it = std::find_if(sessions_.begin(), sessions_.end(),
                         [&](const auto& s) { return s.second.connection == connection; });
  auto m = msg::parse<msg::MOsdBackoff>(message);
  if (it == sessions_.end() || !m) return;
  Session& session = it->second;
  if (m->op == msg::MOsdBackoff::kBlock) {
    session.backoffs[m->pgid][m->id] = {m->id, m->begin, m->end};
    msg::MOsdBackoff ack = *m;
    ack.op = msg::MOsdBackoff::kAckBlock;
    connection->send(msg::to_raw(ack));
    for (uint64_t tid : session.ops)
      if (backed_off(session, ops_.at(tid))) ops_.at(tid).sent = false;
  } else if (m->op == msg::MOsdBackoff::kUnblock) {
    if (auto pg = session.backoffs.find(m->pgid); pg != session.backoffs.end())
      pg->second.erase(m->id);
    const std::set<uint64_t> again = session.ops;
    for (uint64_t tid : again)
      if (Op& op = ops_.at(tid); !op.sent) judge_op(op, false);
  }
}

// ---- maps ---------------------------------------------------------------------------------------

void Objecter::handle_osdmap(const msg::MOSDMap& message) {
  auto step = maps_.apply(message);
  if (!step) {
    log_.error("dropping an osdmap: {}", step.error().to_string());
    return;
  }
  if (step->gap) monitors_.subscribe("osdmap", maps_.epoch() + 1);
  if (step->maps.empty()) return;
  monitors_.got("osdmap", maps_.epoch());
  drop_moved_sessions();
  // The hook may cancel; what it cancels is not judged any more.
  if (map_hook_) map_hook_(*maps_.current(), step->full_seen);
  std::vector<uint64_t> tids;
  for (const auto& [tid, op] : ops_) tids.push_back(tid);
  for (uint64_t tid : tids) {
    auto it = ops_.find(tid);
    if (it == ops_.end()) continue;
    const bool saw_full = step->full_seen.contains(kAllPools) ||
                          step->full_seen.contains(it->second.request.aim.locator.pool);
    // What went away and came back between two maps may be dropped there.
    if (step->skipped || moved_on_the_way(it->second, step->maps)) unsend(it->second);
    judge_op(it->second, saw_full);
  }
  map_arrived_.notify_all();
}

/// Its target was another one under a map before the last.
bool Objecter::moved_on_the_way(const Op& op, const std::vector<MapFollower::Map>& maps) const {
  return op.sent && std::any_of(maps.begin(), std::prev(maps.end()), [&](const auto& map) {
    return !(find_target(*map, op.request.aim) == op.target);
  });
}

Task<Result<>> Objecter::wait_for_latest_map() {
  const Duration timeout = seconds(std::max(config_.rados_mon_op_timeout(), 30.0));
  CO_TRY(newest, co_await monitors_.newest_version("osdmap", timeout));
  co_return co_await wait_for_epoch(newest, timeout);
}

Task<Result<>> Objecter::wait_for_epoch(Epoch epoch, Duration timeout) {
  bool expired = false;
  auto expire = [this, &expired] {
    expired = true;
    map_arrived_.notify_all();
  };
  Timer timer = runtime_.clock().call_after(runtime_.executor(), timeout, expire);
  while (maps_.epoch() < epoch && !expired && !stopping_) co_await map_arrived_.wait();
  if (stopping_) co_return fail(ESHUTDOWN, "the objecter stops");
  if (maps_.epoch() < epoch)
    co_return fail(ETIMEDOUT, "osdmap " + std::to_string(epoch) + " does not come");
  co_return Result<>();
}

void Objecter::set_epoch_barrier(Epoch epoch) {
  if (epoch <= barrier_) return;
  barrier_ = epoch;
  if (maps_.epoch() < epoch) monitors_.subscribe("osdmap", maps_.epoch() + 1);
}

Epoch Objecter::cancel_writes(Error error, PoolId pool, bool all) {
  std::vector<uint64_t> cancelled;
  for (const auto& [tid, op] : ops_) {
    const uint32_t flags = op.request.aim.flags;
    if (!(flags & msg::kReqWrite) || (!all && !respects_full(flags))) continue;
    if (pool == kAllPools || pool == op.request.aim.locator.pool) cancelled.push_back(tid);
  }
  for (uint64_t tid : cancelled) finish(tid, error);
  stats_.cancelled += cancelled.size();
  return cancelled.empty() ? 0 : maps_.epoch();
}

// ---- messages and time --------------------------------------------------------------------------

bool Objecter::on_message(const messenger::ConnectionRef& connection,
                          const msg::RawMessage& message) {
  switch (message.type) {
    case msg::MOsdOpReply::kType: handle_reply(connection, message); return true;
    case msg::MOsdBackoff::kType: handle_backoff(connection, message); return true;
    case msg::MOSDMap::kType: {
      auto m = msg::parse<msg::MOSDMap>(message);
      if (m) handle_osdmap(*m);
      else log_.error("dropping an osdmap: {}", m.error().to_string());
      return true;
    }
  }
  return false;
}

Task<void> Objecter::tick() {
  for (;;) {
    co_await runtime_.clock().sleep(seconds(config_.objecter_tick_interval()));
    const TimePoint now = runtime_.clock().now();
    // A ping makes a dead connection show.
    const Duration laggy_after = seconds(config_.objecter_timeout());
    for (auto& [osd, session] : sessions_) {
      if (session.connection) session.reconnect_delay = Duration(0);
      const bool laggy = std::any_of(session.ops.begin(), session.ops.end(), [&](uint64_t tid) {
        return ops_.at(tid).sent && now - ops_.at(tid).sent_at > laggy_after;
      });
      if (laggy && session.connection) session.connection->send(msg::to_raw(msg::MPing{}));
    }
  }
}

}  // namespace plimsoll::rados
