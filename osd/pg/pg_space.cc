// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes that grow. Before a write gets its version, its worst case is borrowed from every member
// (osd/space), so that none of them can refuse it later. Without credit a write that said FULL_TRY
// fails; any other waits here, out of the way of reads and deletes, until there is space or until
// the map says that its pool is full: then the client holds it back by itself, and what waits here
// is dropped. A client's writes to one object keep their order; those with FULL_TRY or FULL_FORCE
// overtake, which is what these flags are for.
#include <algorithm>

#include "osd/pg/pg.h"
#include "osd/pg/watch.h"

namespace plimsoll::osd {

using metrics::Counter;

namespace {

bool tries(const ClientOp& op) {
  return op.m.flags & msg::kReqFullTry;
}

/// What must go on in a full cluster.
bool forced(const ClientOp& op) {
  return (op.m.flags & msg::kReqFullForce) || op.connection->peer().type == EntityType::kMds;
}

bool plain(const ClientOp& op) {
  return !tries(op) && !forced(op);
}

bool grows(const OpContext& c) {
  return (c.now.exists && !c.before.exists) || c.now.size > c.before.size;
}

}  // namespace

uint64_t space_charge(const Transaction& txn) {
  return txn.blocks_written() * BlockFile::kBlock;
}

bool Pg::pool_full() const {
  const map::PgPool* pool = map_->pool(id_.pool);
  return (pool && pool->has_flag(map::kPoolFull)) || map_->test_flag(map::kMapFull);
}

// ---- the map says full --------------------------------------------------------------------------

void Pg::watch_full_flag(const map::OSDMap* before) {
  const auto full_in = [this](const map::OSDMap& m) {
    const map::PgPool* pool = m.pool(id_.pool);
    return pool && pool->has_flag(map::kPoolFull);
  };
  const bool now = full_in(*map_), was = before && full_in(*before);
  if (was != now) dropped_any_ = false;
  if (was && !now) retry_parked();
  if (was || !now) return;
  // An epoch that was missed while the OSD was away counts from the first map on.
  info_.last_marked_full = map_->epoch;
  Transaction txn;
  save_info(txn);
  auto save = [](Pg* pg, Transaction t) -> Task<void> {
    co_await pg->commit(std::move(t), pg->generation_);
  };
  tasks_.spawn(save(this, std::move(txn)));
  drop_parked([this](const Parked& p) { return discard_outdated(*p.op); });
}

/// Sent before its client knew that the pool is full. The client sends it again by itself when the
/// pool no longer is, or has given it up: it must not be carried out now, nor answered, whether or
/// not it grows: what its client sent earlier may have been dropped.
bool Pg::outdated(const ClientOp& op) const {
  if (Watch* w = host_.watch(); w && w->carries_out_outdated()) return false;
  return plain(op) && (op.m.epoch < info_.last_marked_full || dropped_any_);
}

bool Pg::discard_outdated(const ClientOp& op) {
  if (!outdated(op)) return false;
  host_.counters().inc(Counter::osd_op_discarded_full);
  return true;
}

// ---- admission ----------------------------------------------------------------------------------

/// True: the write has its credit and goes on, without a wait in between. Else it is answered,
/// parked or dropped, and the object released.
Task<bool> Pg::take_space(ClientOpRef op, ObjectRef object, OpContext& c, uint64_t generation) {
  const uint64_t charge = space_charge(c.txn);
  const bool growing = grows(c);
  const bool full = pool_full();
  // What a client overwrites in place may use the space above the line for the copy.
  bool reserve = forced(*op) && growing;
  if (!growing && charge &&
      (full || host_.failsafe() || credits_.probe(writers(), charge, false) != Credit::kTaken))
    reserve = forced(*op) || !co_await fills_holes(c);

  if (generation != generation_) co_return false;
  if (discard_outdated(*op)) {
    release(object, true);
    co_return false;
  }
  Credit credit = Credit::kRefused;
  const std::vector<OsdId> members = writers();
  const bool stuck = host_.failsafe() && may_grow(op->m.ops);
  if (!stuck && !(full && growing)) credit = credits_.take(members, charge, false);
  if (!stuck && reserve && credit == Credit::kRefused)
    credit = credits_.take(members, charge, true);
  if (credit == Credit::kTaken) co_return true;
  if (credit == Credit::kAsked) {
    park({std::move(op), charge, reserve, false});
  } else {
    const map::PgPool* pool = map_->pool(id_.pool);
    const bool quota = full && pool && pool->has_flag(map::kPoolFullQuota);
    refuse_space(std::move(op), charge, reserve, quota ? -EDQUOT : -ENOSPC);
  }
  release(object, true);
  co_return false;
}

/// Whether a write inside the object takes blocks that are holes now.
Task<bool> Pg::fills_holes(const OpContext& c) {
  for (const TxnOp& op : c.txn.ops()) {
    if (op.code != TxnCode::kWrite || op.data.empty()) continue;
    const uint64_t offset = op.offset;
    const uint64_t length = op.data.size();
    auto mapped = co_await host_.store().extents(id_, c.object, offset, length);
    if (!mapped) co_return true;
    uint64_t bytes = 0;
    for (const Extent& e : *mapped) bytes += e.length;
    if (bytes < length) co_return true;
  }
  co_return false;
}

void Pg::refuse_space(ClientOpRef op, uint64_t charge, bool reserve, int32_t error) {
  if (!plain(*op)) {
    host_.counters().inc(Counter::osd_op_refused_full);
    return reply(*op, error, log_.head(), 0);
  }
  park({std::move(op), charge, reserve, true});
}

// ---- waiting for space --------------------------------------------------------------------------

/// An earlier write to the same object that waits for space; nullptr where there is none, or where
/// `op` may overtake it.
const Pg::Parked* Pg::waits_behind(const ClientOp& op) const {
  if (!plain(op)) return nullptr;
  const auto it = std::find_if(parked_.begin(), parked_.end(), [&](const Parked& p) {
    return plain(*p.op) && p.op->arrival < op.arrival && p.op->object == op.object;
  });
  return it == parked_.end() ? nullptr : &*it;
}

void Pg::park(Parked parked) {
  ClientOp& op = *parked.op;
  if (parked.counted) {
    // Over budget it is dropped: whoever was refused is full, the map will say so, and a client
    // sends again what it sent before such a map. Until then none of its later writes may be done.
    if (!host_.park(op.bytes)) {
      dropped_any_ = true;
      return host_.counters().inc(Counter::osd_op_discarded_full);
    }
    op.throttle.reset();
  }
  op.note("waiting for space");
  log_out_.debug(10, "{} waits for {} bytes of space", op.reqid.to_string(), parked.charge);
  // One that was tried again goes back to its place.
  const auto later = std::find_if(parked_.begin(), parked_.end(),
                                  [&](const Parked& p) { return p.op->arrival > op.arrival; });
  count_parked(*parked_.insert(later, std::move(parked)), true);
}

void Pg::count_parked(const Parked& p, bool now) {
  auto& counters = host_.counters();
  const auto change = [&](Counter c, uint64_t by) {
    if (now) counters.inc(c, by);
    else counters.dec(c, by);
  };
  change(Counter::osd_op_parked, 1);
  change(Counter::osd_op_parked_bytes, p.op->bytes);
}

void Pg::drop_parked(const std::function<bool(const Parked&)>& which) {
  std::erase_if(parked_, [&](const Parked& p) {
    if (!which(p)) return false;
    if (p.counted) host_.unpark(p.op->bytes);
    count_parked(p, false);
    return true;
  });
}

Credit Pg::probe(const Parked& parked) {
  const std::vector<OsdId> members = writers();
  const Credit usual = credits_.probe(members, parked.charge, false);
  if (usual == Credit::kTaken || !parked.reserve) return usual;
  const Credit reserve = credits_.probe(members, parked.charge, true);
  return reserve == Credit::kRefused ? usual : reserve;
}

/// From the front, for as long as there is credit; others wait their turn.
void Pg::retry_parked() {
  if (!peering_.active()) return;
  for (size_t left = parked_.size(); left && !parked_.empty(); left--) {
    const Parked& first = parked_.front();
    if (!tries(*first.op)) {
      if (plain(*first.op) && pool_full()) return;
      const Credit credit = probe(first);
      // One that was asked for and is refused now is told so, or waits on as refused: answers alone
      // would not wake it any more.
      if (credit == Credit::kAsked || (credit == Credit::kRefused && first.counted)) return;
    }
    Parked next = std::move(parked_.front());
    parked_.pop_front();
    if (next.counted) host_.unpark(next.op->bytes);
    count_parked(next, false);
    enqueue(std::move(next.op));
  }
}

/// What was dropped for lack of room to wait its clients send again when the map has said full. It
/// may never do: who refused may have room by then. So they are called.
void Pg::recall_dropped() {
  if (!dropped_any_ || !peering_.active() || pool_full() || !parked_.empty()) return;
  dropped_any_ = false;
  for (const auto& client : admitted_) back_off(client);
  release_backoffs();
}

uint64_t Pg::in_flight_credit(OsdId osd) const {
  uint64_t bytes = 0;
  for (const auto& write : in_flight_)
    if (std::find(write.waiting_for.begin(), write.waiting_for.end(), osd) !=
        write.waiting_for.end())
      bytes += write.charge;
  return bytes;
}

}  // namespace plimsoll::osd
