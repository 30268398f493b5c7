// SPDX-License-Identifier: LGPL-2.1-or-later
// A write's way to all members. The primary gives it the next version, orders it into its own store
// and sends it to the replicas, in this order and without a wait in between; a member's
// acknowledgement counts for everything up to its version, since stores commit in order.
#include <algorithm>

#include "osd/pg/pg.h"
#include "osd/pg/watch.h"

namespace plimsoll::osd {

namespace {

/// Entries beyond the target that are let grow, so that the log is not trimmed at every write.
constexpr size_t kTrimSlack = 128;

bool has_omap(const ObjectState& s) {
  return s.exists && (s.info.flags & ObjectInfo::kHasOmap);
}

}  // namespace

LogEntry Pg::make_entry(const ClientOp& op, OpContext& c) {
  LogEntry entry;
  entry.kind = c.now.exists ? LogEntry::kModify : LogEntry::kDelete;
  entry.version = {log_.head().version + 1, map_->epoch};
  entry.prior_version = c.before.exists ? c.before.info.version : Eversion();
  entry.object = op.object;
  entry.reqid = op.reqid;
  entry.user_version = entry.version.version;
  entry.mtime = op.m.mtime;
  entry.totals = log_.totals();
  entry.totals.objects += int64_t{c.now.exists} - int64_t{c.before.exists};
  entry.totals.bytes += static_cast<int64_t>(c.now.size) - static_cast<int64_t>(c.before.size);
  entry.totals.omap_objects += int64_t{has_omap(c.now)} - int64_t{has_omap(c.before)};
  return entry;
}

Task<void> Pg::submit(ClientOpRef op, ObjectRef object, OpContext& c, uint64_t generation) {
  if (Watch* w = host_.watch()) w->ordered(id_, *op, *map_);
  const Eversion previous = log_.head();
  LogEntry entry = make_entry(*op, c);
  if (c.now.exists) {
    ObjectInfo& info = c.now.info;
    info.version = entry.version;
    info.user_version = entry.user_version;
    info.last_reqid = entry.reqid;
    if (!op->m.mtime.is_zero()) info.mtime = op->m.mtime;
    c.txn.set_attr(id_, op->object, kInfoAttr, wire::to_bytes(info));
  }
  object->state = c.now;
  const Bytes encoded = wire::to_bytes(entry);
  const size_t keep = host_.pg_log_target();
  const Eversion trim_to =
      log_.size() > keep + kTrimSlack ? log_.trim_point(keep, committed_) : log_.tail();

  const std::vector<OsdId> members = writers();
  const uint64_t charge = space_charge(c.txn);
  InFlight write{entry.version, std::move(op),      std::move(object), members, {},
                 entry.user_version, charge, busy_poll_.begin()};
  if (Watch* w = host_.watch(); w && w->acks_alone()) write.waiting_for = {host_.whoami()};
  write.op->note("waiting for subops");
  if (members.size() > 1) {
    msg::MOsdRepOp m;
    m.pg = header();
    m.shard = shard_;
    m.charge = charge;
    m.previous = previous;
    m.trim_to = trim_to;
    m.entry = encoded;
    ByteWriter front;
    c.txn.encode(front, m.data);
    m.txn = front.take();
    write.message = msg::to_raw(m);
    for (OsdId osd : members)
      if (osd != host_.whoami()) send(osd, write.message);
  }
  const Eversion version = entry.version;
  Transaction txn = std::move(c.txn);
  joining_.wrote(entry);
  add_log_entry(txn, log_.append(std::move(entry)), encoded);
  trim_log(txn, trim_to);
  in_flight_.push_back(std::move(write));
  if (co_await commit(std::move(txn), generation, charge)) committed_by(host_.whoami(), version);
}

void Pg::committed_by(OsdId osd, Eversion version) {
  for (auto& write : in_flight_) {
    if (write.version > version) break;
    if (std::erase(write.waiting_for, osd))
      write.op->note(osd == host_.whoami() ? "op_commit" : "sub_op_commit_rec");
  }
  complete_writes();
}

void Pg::complete_writes() {
  while (!in_flight_.empty() && in_flight_.front().waiting_for.empty()) {
    InFlight done = std::move(in_flight_.front());
    in_flight_.pop_front();
    committed_ = done.version;
    complete(done);
  }
}

void Pg::complete(InFlight& write) {
  reply(*write.op, 0, write.version, write.user_version);
  write.op->note("commit_sent");
  write.op.reset();
  release(write.object, true);
  changed_ = true;
}

void Pg::on_rep_reply(OsdId from, const msg::MOsdRepOpReply& m) {
  if (peering_.active() && m.pg.interval == peering_.interval().since)
    committed_by(from, m.committed);
}

// ---- the replica's side -------------------------------------------------------------------------

void Pg::on_rep_op(const messenger::ConnectionRef& from, const msg::RawMessage& raw) {
  auto m = msg::parse<msg::MOsdRepOp>(raw);
  if (!m) return;
  if (merging_) return early_writes_.emplace_back(from, raw), void();
  if (replica_of_ != m->pg.interval) return;
  auto entry = wire::from_bytes<LogEntry>(m->entry, "log entry");
  ByteReader front(m->txn);
  auto txn = Transaction::decode(front, m->data);
  if (!entry || !txn) return log_out_.error("the primary sent a malformed write");
  primary_ = from;
  // Sent again after a lost connection: the acknowledgement of the newest covers it.
  if (entry->version <= log_.head()) return acknowledge();
  if (m->previous != log_.head())
    return log_out_.debug(1, "write {} does not follow {}", entry->version.to_string(),
                          log_.head().to_string());
  auto& counters = host_.counters();
  counters.inc(metrics::Counter::osd_subop);
  counters.inc(metrics::Counter::osd_subop_w);
  counters.inc(metrics::Counter::osd_subop_in_bytes, raw.bytes());

  const Eversion version = entry->version;
  if (only_noted(entry->object)) *txn = note(*entry);
  add_log_entry(*txn, log_.append(std::move(*entry)), m->entry);
  trim_log(*txn, m->trim_to);
  tasks_.spawn(apply_rep_op(std::move(*txn), version, generation_));
}

Task<void> Pg::apply_rep_op(Transaction txn, Eversion version, uint64_t generation) {
  if (!co_await commit(std::move(txn), generation)) co_return;
  committed_ = std::max(committed_, version);
  acknowledge();
}

void Pg::acknowledge() {
  if (!primary_ || !replica_of_) return;
  primary_->send(msg::to_raw(msg::MOsdRepOpReply{{id_, *replica_of_, map_->epoch}, committed_}));
}

}  // namespace plimsoll::osd
