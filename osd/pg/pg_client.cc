// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests of clients. On one object reads share, writes are alone, in order of arrival; a write is
// done when all members have committed it. Requests on different objects run side by side.
#include <algorithm>

#include "osd/pg/pg.h"

namespace plimsoll::osd {

namespace {

constexpr size_t kIdleObjects = 128;
constexpr size_t kHeldOps = 64;
/// Beyond it, those that are gone are forgotten.
constexpr size_t kAdmittedClients = 64;
constexpr uint64_t kHeldBytes = 4 << 20;
constexpr int32_t kWriteTooBig = EMSGSIZE;

}  // namespace

// ---- admission ----------------------------------------------------------------------------------

void Pg::on_client_op(ClientOpRef op) {
  if (!is_primary()) {
    // A client that may read anywhere is told to come to the primary; others learn from the map
    // that was sent along, and send again.
    const bool anywhere = op->m.flags & (msg::kReqBalanceReads | msg::kReqLocalizeReads);
    if (anywhere && !op->kinds.writes && is_member()) reply(*op, -EAGAIN, {}, 0);
    return;
  }
  // Out of order: what its client sent before it was dropped. The client sends all of it again.
  if (op->m.epoch < same_primary_since_ || told_.contains(op->connection)) return;
  if (peering_.active()) return admit(std::move(op));
  hold(std::move(op));
}

/// Holds a request until the PG serves. Beyond a few, clients are told to do that themselves, so
/// that what waits here takes no room from requests to other PGs.
void Pg::hold(ClientOpRef op) {
  if (held_.size() < kHeldOps && held_bytes_ + op->bytes <= kHeldBytes &&
      !backed_off_.contains(op->connection) && (op->held = host_.held_slot())) {
    op->note("waiting for peered");
    held_bytes_ += op->bytes;
    held_.push_back(std::move(op));
    return;
  }
  back_off(op->connection);
}

void Pg::back_off(const messenger::ConnectionRef& client) {
  if (!backed_off_.insert(client).second) return;
  if (told_.size() > kAdmittedClients)
    std::erase_if(told_, [](const auto& t) { return !t.first->is_open(); });
  told_[client] = backoff_id();
  send_backoff(client, msg::MOsdBackoff::kBlock);
}

void Pg::on_backoff_ack(const messenger::ConnectionRef& client, uint64_t id) {
  const auto told = told_.find(client);
  if (told != told_.end() && told->second == id) told_.erase(told);
}

/// Clients know backoffs by id alone, whatever the PG.
uint64_t Pg::backoff_id() const {
  return static_cast<uint64_t>(id_.pool) << 44 ^ uint64_t { id_.seed } << 24 ^
         (generation_ & 0xffffff);
}

void Pg::send_backoff(const messenger::ConnectionRef& to, uint8_t what) {
  msg::MOsdBackoff m;
  m.pgid.pg = id_;
  m.epoch = map_->epoch;
  m.op = what;
  m.id = backoff_id();
  m.begin.pool = m.end.pool = id_.pool;
  m.begin.hash = id_.seed;
  const map::PgPool* pool = map_->pool(id_.pool);
  const auto next = pool ? hash_after_pg(id_.seed, pool->pg_num) : std::nullopt;
  if (next) {
    m.end.hash = *next;
    m.end.snap = kSnapHead;
  } else {
    m.end = HObject::max();
  }
  to->send(msg::to_raw(m));
}

void Pg::release_backoffs() {
  for (const auto& client : std::exchange(backed_off_, {}))
    send_backoff(client, msg::MOsdBackoff::kUnblock);
}

void Pg::admit(ClientOpRef op) {
  if (admitted_.insert(op->connection).second && admitted_.size() > kAdmittedClients)
    std::erase_if(admitted_, [](const auto& c) { return !c->is_open(); });
  if (const int32_t r = refuse(*op)) return reply(*op, r, log_.head(), 0);
  if (op->kinds.lists) return tasks_.spawn(run_listing(std::move(op), generation_));
  enqueue(std::move(op));
}

/// 0, or why the request cannot even be looked at.
int32_t Pg::refuse(const ClientOp& op) const {
  const auto& config = host_.config();
  const msg::MOsdOp& m = op.m;
  if (m.ops.empty()) return -EINVAL;
  if (op.kinds.lists) return op.kinds.writes || m.ops.size() > 1 ? -EINVAL : 0;
  if (m.oid.empty()) return -EINVAL;
  if (m.oid.size() > config.osd_max_object_name_len() ||
      m.locator.key.size() > config.osd_max_object_name_len())
    return -ENAMETOOLONG;
  if (m.locator.nspace.size() > config.osd_max_object_namespace_len()) return -ENAMETOOLONG;
  if (m.hash != map::PgPool::hash_object(m.oid, m.locator.key, m.locator.nspace)) return -EINVAL;
  const map::PgPool* pool = map_->pool(id_.pool);
  if (!pool || pool->reduce(m.hash) != id_.seed) return -EINVAL;
  if (m.snapid != kSnapHead && m.snapid != kSnapDir) return -EOPNOTSUPP;
  if (!op.kinds.writes) return 0;
  if (m.snapid != kSnapHead) return -EINVAL;
  if (!m.snaps.empty()) return -EOPNOTSUPP;
  if (op.bytes > config.osd_max_write_size() << 20) return -kWriteTooBig;
  return 0;
}

// ---- order per object ---------------------------------------------------------------------------

Pg::ObjectRef Pg::context(const HObject& object) {
  ObjectRef& ref = objects_[object];
  if (!ref) {
    ref = std::make_shared<ObjectContext>();
    ref->object = object;
  }
  return ref;
}

void Pg::enqueue(ClientOpRef op) {
  const ObjectRef object = context(op->object);
  op->note("waiting for object");
  // One that waited for space goes back to its place.
  auto& waiting = object->waiting;
  auto at = waiting.end();
  while (at != waiting.begin() && (*std::prev(at))->arrival > op->arrival) --at;
  waiting.insert(at, std::move(op));
  run_waiting(object);
}

void Pg::run_waiting(const ObjectRef& object) {
  if (object->damaged) return heal_when_idle(object);
  while (!object->waiting.empty() && !object->writer) {
    const bool writes = object->waiting.front()->kinds.writes;
    if (writes && object->readers) return;
    ClientOpRef op = std::move(object->waiting.front());
    object->waiting.pop_front();
    if (writes)
      object->writer = true;
    else
      object->readers++;
    start_op(std::move(op), object);
  }
}

void Pg::start_op(ClientOpRef op, const ObjectRef& object) {
  op->started = op->note("started");
  tasks_.spawn(run_op(std::move(op), object, generation_));
}

void Pg::release(const ObjectRef& object, bool writer) {
  if (writer)
    object->writer = false;
  else
    object->readers--;
  // Before the next write: a newcomer that lacks the object may have waited for long.
  if (writer && joining_.state() == JoinState::kCopy) act(joining_.pump());
  run_waiting(object);
  if (!object->idle()) return;
  // What was used lately stays known, up to a bound.
  idle_objects_.push_back(object->object);
  while (idle_objects_.size() > kIdleObjects) {
    auto it = objects_.find(idle_objects_.front());
    if (it != objects_.end() && it->second->idle()) objects_.erase(it);
    idle_objects_.pop_front();
  }
}

// ---- execution ----------------------------------------------------------------------------------

OpLimits Pg::limits() const {
  const auto& config = host_.config();
  OpLimits l;
  l.max_object_size = config.osd_max_object_size();
  l.max_attr_name_len = config.osd_max_attr_name_len();
  if (const uint64_t size = config.osd_max_attr_size()) l.max_attr_size = size;
  l.max_omap_entries = config.osd_max_omap_entries_per_request();
  l.max_omap_bytes = std::min(l.max_omap_bytes, config.osd_max_omap_bytes_per_request());
  return l;
}

/// Makes the object's state known; false where the store failed (then the request goes unanswered:
/// EIO reaches the client from the read itself).
Task<bool> Pg::load_object(ObjectRef object) {
  if (object->known) co_return true;
  auto stat = co_await host_.store().stat(id_, object->object);
  if (!stat && stat.error().code() != ENOENT) co_return false;
  ObjectState state;
  if (stat) {
    auto raw = co_await host_.store().get_attr(id_, object->object, kInfoAttr);
    if (!raw) co_return false;
    auto info = wire::from_bytes<ObjectInfo>(*raw, "object info");
    if (!info) co_return false;
    state = {true, stat->size, std::move(*info)};
  }
  object->state = std::move(state);
  object->known = true;
  co_return true;
}

Task<void> Pg::run_op(ClientOpRef op, ObjectRef object, uint64_t generation) {
  const bool loaded = co_await load_object(object);

  if (generation != generation_) co_return;
  const bool writes = op->kinds.writes;
  if (!loaded) {
    reply(*op, -EIO, {}, 0);
    co_return release(object, writes);
  }
  // An earlier one got its space while this one's object was loaded.
  if (writes && !object->waiting.empty() && object->waiting.front()->arrival < op->arrival) {
    enqueue(std::move(op));
    co_return release(object, true);
  }
  if (writes && answer_duplicate(*op)) co_return release(object, true);
  // Before it is run: its client's earlier writes may have been dropped for the same reason.
  if (writes && discard_outdated(*op)) co_return release(object, true);
  if (const Parked* earlier = writes ? waits_behind(*op) : nullptr) {
    // Before it is run: what it would see is not what its client left.
    park({std::move(op), 0, false, earlier->counted});
    co_return release(object, true);
  }
  if (!writes && !object->state.exists) {
    reply_read(*op, -ENOENT, 0);
    co_return release(object, false);
  }

  // Another OSD's copies may wait for us while we wait for it.
  if (op->kinds.copies) op->throttle.reset();
  const OpLimits limit = limits();
  OpContext c{host_.store(), limit,         id_,           0,  op->object, op->m.ops,
              op->m.mtime,   object->state, object->state, {}, false, &host_.copies()};
  const int32_t result = co_await run_ops(c);

  if (generation != generation_) co_return;
  if (!op->healed && object->state.exists && may_heal(-result, op->object)) {
    op->healed = true;
    op->note("waiting for unreadable object");
    object->damaged = object->state.info.version;
    object->waiting.push_front(std::move(op));
    co_return release(object, writes);
  }
  if (!writes || result < 0 || !c.modified) {
    if (writes)
      reply(*op, result < 0 ? result : 0, log_.head(), object->state.info.user_version);
    else
      reply_read(*op, result, object->state.info.user_version);
    co_return release(object, writes);
  }
  if (co_await take_space(op, object, c, generation))
    co_await submit(std::move(op), std::move(object), c, generation);
}

Task<void> Pg::run_listing(ClientOpRef op, uint64_t generation) {
  op->started = op->note("started");
  const map::PgPool* pool = map_->pool(id_.pool);
  const OpLimits limit = limits();
  HObject object;
  object.pool = id_.pool;
  object.nspace = op->m.locator.nspace;
  OpContext c{host_.store(), limit, id_, pool ? pool->pg_num : 1, object, op->m.ops, {}, {}, {}, {},
              false};
  const int32_t result = co_await run_ops(c);

  if (generation != generation_) co_return;
  reply(*op, result, log_.head(), log_.head().version);
}

/// A write that is in the log already gets the answer that it got, or should have got, before: it
/// holds the object now, so all members have committed it.
bool Pg::answer_duplicate(ClientOp& op) {
  const auto done = log_.find(op.reqid);
  if (!done) return false;
  log_out_.debug(10, "{} is a repetition of {}", op.reqid.to_string(), done->version.to_string());
  reply(op, done->result, done->version, done->user_version);
  return true;
}

// ---- answers ------------------------------------------------------------------------------------

void Pg::reply_read(ClientOp& op, int32_t result, uint64_t user_version) {
  reply(op, result, {}, user_version);
}

void Pg::reply(ClientOp& op, int32_t result, Eversion version, uint64_t user_version) {
  msg::MOsdOpReply r;
  r.oid = op.m.oid;
  r.pgid = id_;
  r.flags = op.m.flags | msg::kReqAck | (op.kinds.writes ? uint32_t{msg::kReqOnDisk} : 0u);
  r.result = result;
  r.epoch = map_->epoch;
  r.retry_attempt = op.m.retry_attempt;
  r.replay_version = version;
  r.user_version = user_version;
  r.bad_replay_version = {user_version, version.epoch};
  r.ops = std::move(op.m.ops);
  uint64_t out_bytes = 0;
  for (auto& o : r.ops) {
    o.indata = {};
    if (op.kinds.writes && result >= 0 && !(op.m.flags & msg::kReqReturnVec)) {
      o.outdata = {};
      o.rval = std::min(o.rval, 0);
    }
    out_bytes += o.outdata.size();
  }
  count(op, out_bytes);
  op.connection->send(msg::to_raw(r, op.tid));
  op.m.ops = std::move(r.ops);  // for dump_historic_ops
}

void Pg::count(const ClientOp& op, uint64_t out_bytes) {
  using metrics::Counter;
  auto& counters = host_.counters();
  const TimePoint now = host_.runtime().clock().now();
  const Duration took = now - op.received;
  const Duration worked = now - std::max(op.started, op.received);
  counters.inc(Counter::osd_op);
  counters.add_time(Counter::osd_op_latency, took);
  counters.add_time(Counter::osd_op_process_latency, worked);
  counters.inc(Counter::osd_op_out_bytes, out_bytes);
  if (op.kinds.writes) {
    counters.inc(Counter::osd_op_in_bytes, op.bytes);
    counters.inc(op.kinds.reads ? Counter::osd_op_rw : Counter::osd_op_w);
    counters.add_time(op.kinds.reads ? Counter::osd_op_rw_latency : Counter::osd_op_w_latency,
                      took);
    counters.inc(op.kinds.reads ? Counter::osd_op_rw_in_bytes : Counter::osd_op_w_in_bytes,
                 op.bytes);
    counts_.num_write++;
    counts_.num_write_kb += static_cast<int64_t>((op.bytes + 1023) >> 10);
    return;
  }
  changed_ = true;
  counters.inc(Counter::osd_op_r);
  counters.add_time(Counter::osd_op_r_latency, took);
  counters.inc(Counter::osd_op_r_out_bytes, out_bytes);
  counts_.num_read++;
  counts_.num_read_kb += static_cast<int64_t>((out_bytes + 1023) >> 10);
}

}  // namespace plimsoll::osd
