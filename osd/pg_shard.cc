// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg_shard.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::osd {

namespace {

Duration seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

OpTrackerLimits tracker_limits(const config::Config& config) {
  if (!config.osd_enable_op_tracker()) return {0, 0s, 0, 0s};
  return {config.osd_op_history_size(), seconds(config.osd_op_history_duration()),
          config.osd_op_history_slow_op_size(),
          seconds(config.osd_op_history_slow_op_threshold())};
}

/// Placement can differ between the two maps by more than who is up.
bool homes_may_differ(const map::OSDMap& a, const map::OSDMap& b) {
  return a.pools != b.pools || a.max_osd != b.max_osd || a.osd_weight != b.osd_weight ||
         !(a.crush == b.crush) || a.pg_temp != b.pg_temp || a.pg_upmap != b.pg_upmap ||
         a.pg_upmap_items != b.pg_upmap_items;
}

}  // namespace

PgShard::PgShard(PgHost& host, Executor executor, size_t index, size_t count)
    : host_(host),
      executor_(std::move(executor)),
      index_(index),
      count_(count),
      log_(log::Subsystem::kOsd, fmt::format("osd.{} shard {}", host.whoami(), index)),
      tasks_(executor_),
      tracker_(std::make_shared<OpTracker>(
          host.runtime().clock(), [&config = host.config()] { return tracker_limits(config); })),
      credits_(host.runtime().clock(), credit_hooks()),
      busy_poll_([this](bool look) { busy_poll(look); }) {}

CreditPool::Hooks PgShard::credit_hooks() {
  const auto shard = static_cast<uint32_t>(index_);
  CreditPool::Hooks hooks;
  hooks.ask = [this, shard](OsdId from, bool reserve, bool ahead, uint64_t want) {
    host_.ask_credit(shard, from, reserve, ahead, want);
  };
  hooks.give_back = [this, shard](OsdId to, uint64_t bytes) {
    host_.return_credit(shard, to, bytes);
  };
  hooks.changed = [this] {
    if (std::exchange(retry_posted_, true)) return;
    post(executor_, [weak = std::weak_ptr(self_)] {
      if (const auto self = weak.lock()) self->retry_parked();
    });
  };
  return hooks;
}

void PgShard::busy_poll(bool look) {
  const std::chrono::microseconds span(host_.config().osd_busy_poll_us());
  Runtime& runtime = host_.runtime();
  if (!look || span == 0us) return runtime.busy_poll(index_, {});
  host_.counters().inc(metrics::Counter::osd_busy_poll);
  runtime.busy_poll(index_, runtime.clock().now() + span);
}

std::unique_ptr<Pg> PgShard::make_pg(PgId id) {
  return std::make_unique<Pg>(host_, credits_, busy_poll_, static_cast<uint32_t>(index_), id,
                              executor_);
}

void PgShard::retry_parked() {
  retry_posted_ = false;
  for (auto& [id, pg] : pgs_)
    if (pg->has_parked()) pg->retry_parked();
}

void PgShard::retry_joining() {
  std::vector<Pg*> order;
  for (auto& [id, pg] : pgs_)
    if (map_) order.push_back(pg.get());
  std::stable_sort(order.begin(), order.end(),
                   [](Pg* a, Pg* b) { return a->join_priority() > b->join_priority(); });
  for (Pg* pg : order) pg->start_joining();
}

Task<Result<>> PgShard::load(std::vector<PgId> pgs) {
  for (const PgId id : pgs) {
    if (!owns(id)) continue;
    auto pg = make_pg(id);
    CO_TRY_VOID(co_await pg->load());
    pgs_[id] = std::move(pg);
  }
  co_return Result<>();
}

// ---- maps ---------------------------------------------------------------------------------------

void PgShard::on_map(MapRef map) {
  const MapRef last = std::exchange(map_, std::move(map));
  if (last) forget_lenders(*last);
  const bool homes = !last || homes_may_differ(*last, *map_);
  if (homes) {
    remove_pgs();
    create_pgs();
  }
  for (auto& [id, pg] : pgs_) pg->on_map(map_);
  retry_waiting();
}

/// What another incarnation of an OSD lent is worth nothing.
void PgShard::forget_lenders(const map::OSDMap& last) {
  for (OsdId osd = 0; osd < std::min(last.max_osd, map_->max_osd); osd++) {
    const bool same = map_->is_up(osd) && last.is_up(osd) &&
                      map_->osd_info[osd].up_from == last.osd_info[osd].up_from;
    if (!same && osd != host_.whoami()) credits_.forget(osd);
  }
}

void PgShard::create_pgs() {
  for (const auto& [pool, details] : map_->pools) {
    if (!details.is_replicated()) continue;
    for (uint32_t seed = 0; seed < details.pg_num; seed++) {
      const PgId id{pool, seed};
      if (!owns(id) || pgs_.contains(id) || removing_.contains(id)) continue;
      // Also where it is to come: an empty copy is one that lacks everything.
      std::vector<OsdId> holders = map_->home(id);
      const map::PgMapping where = map_->map_pg(id);
      holders.insert(holders.end(), where.up.begin(), where.up.end());
      if (std::find(holders.begin(), holders.end(), host_.whoami()) == holders.end()) continue;
      auto pg = make_pg(id);
      pg->create(map_->epoch);
      pgs_[id] = std::move(pg);
    }
  }
}

void PgShard::remove_pgs() {
  for (auto it = pgs_.begin(); it != pgs_.end();) {
    if (map_->pool(it->first.pool)) {
      ++it;
      continue;
    }
    removing_.insert(it->first);
    tasks_.spawn(remove(std::move(it->second)));
    it = pgs_.erase(it);
  }
}

Task<void> PgShard::remove(std::unique_ptr<Pg> pg) {
  const PgId id = pg->id();
  co_await pg->stop();
  Transaction txn;
  txn.remove_collection(id);
  auto done = co_await host_.store().commit(std::move(txn));
  removing_.erase(id);
  if (!done) co_return host_.fatal(done.error());
  create_pgs();  // it may be wanted again
  if (Pg* again = find(id)) again->on_map(map_);
}

/// Its primary says that nobody needs this copy. It may have become wanted since.
void PgShard::remove_stray(PgId id) {
  const auto it = pgs_.find(id);
  if (it == pgs_.end() || !it->second->is_stray()) return;
  removing_.insert(id);
  tasks_.spawn(remove(std::move(it->second)));
  pgs_.erase(it);
}

// ---- messages -----------------------------------------------------------------------------------

void PgShard::wait_for_map(Waiting w) {
  // Nothing may come behind what was dropped.
  if (waiting_.size() >= kMaxWaiting) return w.from->close();
  host_.counters().inc(metrics::Counter::osd_messages_delayed_for_map);
  waiting_.push_back(std::move(w));
}

void PgShard::retry_waiting() {
  for (auto& w : std::exchange(waiting_, {})) {
    if (w.client)
      on_client_message(std::move(w.from), std::move(w.raw));
    else
      on_peer_message(std::move(w.from), std::move(w.raw));
  }
}

void PgShard::on_client_message(messenger::ConnectionRef from, msg::RawMessage raw) {
  if (raw.type == msg::MOsdBackoff::kType) on_backoff_ack(std::move(from), std::move(raw));
  else on_client_op(std::move(from), std::move(raw));
}

void PgShard::on_backoff_ack(messenger::ConnectionRef from, msg::RawMessage raw) {
  const auto m = msg::parse<msg::MOsdBackoff>(raw);
  if (!m || m->op != msg::MOsdBackoff::kAckBlock) return;
  // It does not overtake what its client sent before it.
  const auto behind = std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Waiting& w) {
    return w.client && w.from == from;
  });
  if (behind != waiting_.rend())
    return wait_for_map({std::move(from), std::move(raw), behind->epoch, true, {}});
  if (Pg* pg = find(m->pgid.pg)) pg->on_backoff_ack(from, m->id);
}

void PgShard::on_client_op(messenger::ConnectionRef from, msg::RawMessage raw) {
  auto m = msg::parse<msg::MOsdOp>(raw);
  if (!m) {
    log_.warn("{}: {}", from->peer().to_string(), m.error().text());
    return from->close();
  }
  const Epoch epoch = m->epoch;
  if (!map_ || epoch > map_->epoch)
    return wait_for_map({std::move(from), std::move(raw), epoch, true, {}});
  // A PG that is not here: the map that was pushed to the client tells it where to go.
  Pg* pg = find(m->pgid.pg);
  if (!pg) return;
  pg->on_client_op(tracker_->start(std::move(from), std::move(*m), raw));
}

void PgShard::on_peer_message(messenger::ConnectionRef from, msg::RawMessage raw) {
  ByteReader r(raw.front);
  msg::PgHeader head;
  wire::decode(head, r);
  if (!r.ok())
    return log_.warn("{}: malformed {}", from->peer().to_string(), msg::message_name(raw.type));
  // Replica operations are held against the interval that the replica knows, whatever the epoch;
  // but they do not overtake what tells a newcomer what it lacks.
  const bool any_epoch =
      raw.type == msg::MOsdRepOp::kType || raw.type == msg::MOsdRepOpReply::kType;
  const bool behind = std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& w) {
    return w.from == from && w.pg == head.pgid;
  });
  if (!map_ || behind || (head.epoch > map_->epoch && !any_epoch))
    return wait_for_map({std::move(from), std::move(raw), head.epoch, false, head.pgid});
  if (raw.type == msg::MOsdPgRemove::kType) return remove_stray(head.pgid);
  if (Pg* pg = find(head.pgid)) pg->on_peer_message(from, raw);
}

void PgShard::on_peer_reset(OsdId osd) {
  // First on the new connection: what the writes that follow spend.
  credits_.forget(osd);
  uint64_t in_flight = 0;
  for (auto& [id, pg] : pgs_) pg->forget_newcomer(osd);
  for (auto& [id, pg] : pgs_) in_flight += pg->in_flight_credit(osd);
  host_.reset_credit(static_cast<uint32_t>(index_), osd, in_flight);
  for (auto& [id, pg] : pgs_) pg->on_peer_reset(osd);
  retry_parked();
}

void PgShard::tick() {
  credits_.trim();
  for (auto& [id, pg] : pgs_) pg->tick();
}

Task<void> PgShard::stop() {
  co_await tasks_.join();
  for (auto& [id, pg] : pgs_) co_await pg->stop();
  waiting_.clear();
  pgs_.clear();
  self_.reset();
}

// ---- looking in ---------------------------------------------------------------------------------

Pg* PgShard::find(PgId id) {
  auto it = pgs_.find(id);
  return it == pgs_.end() ? nullptr : it->second.get();
}

std::vector<PgId> PgShard::ids() const {
  std::vector<PgId> out;
  for (const auto& [id, pg] : pgs_) out.push_back(id);
  return out;
}

std::vector<map::PgStat> PgShard::stats(bool all) {
  std::vector<map::PgStat> out;
  for (auto& [id, pg] : pgs_)
    if ((pg->take_changed() || all) && pg->is_primary()) out.push_back(pg->stat());
  return out;
}

PgShard::Counts PgShard::counts() const {
  Counts c;
  c.pgs = pgs_.size();
  c.removing = removing_.size();
  for (const auto& [id, pg] : pgs_) {
    if (!pg->is_member())
      c.stray++;
    else if (pg->is_primary())
      c.primary++;
    else
      c.replica++;
  }
  return c;
}

}  // namespace plimsoll::osd
